"""Drift of all columns together: can a classifier tell the window from the reference?

The domain classifier also fires when no single column moved but their relation did.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm, rankdata

from services.stats.boosting import Scorer, classifier, fold_of, sampled
from services.stats.encoding import Encoder
from services.stats.interaction import PairChange, changed_pairs
from services.stats.intervals import Array, Counts

MOST_ROWS = 3000
"""Rows of each side that are looked at, drawn with the seed."""
FEWEST_ROWS = 30
MOST_SWAPPED = 750
"""Window rows of a fold that are scored again with each column swapped."""
FOLDS = 2
ALPHA = 0.01
"""Chance of a false alarm per window, of the AUC and of all pairs each."""


@dataclass(frozen=True)
class DomainDrift:
    """How well a window can be told from the reference.

    auc: out-of-fold area under the ROC curve, 0.5 when they are alike.
    threshold: the AUC above which chance is ruled out at ``ALPHA``.
    importance: columns and what the AUC loses when the window's values of that column
        are replaced by the reference's, largest first.
    pairs: the pairs whose relation changed most beyond their columns' own changes.
    reason: why it cannot be told; None where ``auc`` is a number.
    """

    auc: float | None
    p_value: float | None
    threshold: float | None
    rows: int
    importance: tuple[tuple[str, float], ...] = ()
    pairs: tuple[PairChange, ...] = ()
    reason: str | None = None

    @property
    def drifted(self) -> bool | None:
        """Whether the AUC lies above its threshold or a pair's relation changed.

        Of a small window the test of the pairs finds far smaller changes; None where
        it cannot be told.
        """
        if self.auc is None or self.threshold is None:
            return None
        return self.auc > self.threshold or self.pair is not None

    @property
    def pair(self) -> PairChange | None:
        """The pair that explains it, if a relation of two columns changed."""
        if self.pairs and self.pairs[0].p_value <= ALPHA:
            return self.pairs[0]
        return None


def domain_drift(
    reference: pd.DataFrame,
    window: pd.DataFrame,
    *,
    categorical: Collection[str] | None = None,
    seed: int = 0,
    most: int = MOST_ROWS,
) -> DomainDrift:
    """Cross-validated AUC of "window or reference?" with what explains it.

    Args:
        reference: the columns to look at, and no others.
        window: has the same columns; one it lacks counts as missing throughout.
        categorical: the categorical ones; None takes all that are not numbers.
        seed: of the samples and the folds.
        most: rows of each side to look at.

    The p-value is one-sided and that of the Mann-Whitney statistic of out-of-fold
    scores without drift: per fold of p and q rows the AUC has mean 1/2 and variance
    ``(p + q + 1) / (12 p q)``. Ties would only make it smaller, and the folds, which
    learn from each other's rows, are taken as wholly dependent: both are cautious.
    Source: D. Lopez-Paz and M. Oquab, ICLR 2017 (classifier two-sample tests).
    """
    rows = len(window)
    if min(rows, len(reference)) < FEWEST_ROWS:
        side = "window" if rows < FEWEST_ROWS else "reference"
        return _untold(rows, f"the {side} has fewer than {FEWEST_ROWS} rows")
    encoder = Encoder.of(reference, categorical)
    rng = np.random.default_rng(seed)
    sides = [
        encoder.encode(frame.iloc[sampled(len(frame), most, rng)])
        for frame in (reference, window)
    ]
    varies = _varies(np.vstack(sides))
    if not varies.any():
        return _untold(rows, "no column varies")
    kept = np.flatnonzero(varies)
    names = [encoder.columns[place] for place in kept]
    named = [encoder.is_categorical[place] for place in kept]
    domain = Domain.of(sides[0][:, kept], sides[1][:, kept], named, seed)
    auc, deviation = domain.auc(), domain.deviation()
    return DomainDrift(
        auc=auc,
        p_value=float(norm.sf((auc - 0.5) / deviation)),
        threshold=0.5 + float(norm.isf(ALPHA)) * deviation,
        rows=rows,
        importance=domain.importance(names, rng),
        pairs=changed_pairs(domain.reference, domain.window, names, named),
    )


@dataclass(frozen=True, eq=False)
class Domain:
    """Fitted classifiers of "window (1) or reference (0)?", one per fold.

    reference, window: (n, d) and (m, d) encoded rows.
    folds: (n + m,) the fold of each row, the reference first; rows of a fold are
        scored by the classifier that has not seen them.
    """

    reference: Array
    window: Array
    folds: Counts
    scorers: tuple[Scorer, ...]

    @classmethod
    def of(
        cls,
        reference: Array,
        window: Array,
        categorical: Sequence[bool],
        seed: int,
        folds: int = FOLDS,
    ) -> Domain:
        """Fit one classifier per fold to the rows outside it."""
        n, m = len(reference), len(window)
        fold = np.concatenate([fold_of(n, folds, seed), fold_of(m, folds, seed + 1)])
        rows = np.vstack([reference, window])
        label = np.repeat([0.0, 1.0], [n, m])
        scorers = []
        for number in range(folds):
            seen = fold != number
            scorers.append(classifier(rows[seen], label[seen], categorical, seed))
        return cls(reference, window, fold, tuple(scorers))

    def scores(self) -> tuple[Array, Array]:
        """Out-of-fold chances of being from the window: reference and window rows."""
        n = len(self.reference)
        rows = np.vstack([self.reference, self.window])
        found = np.empty(len(rows))
        for number, scorer in enumerate(self.scorers):
            own = self.folds == number
            found[own] = scorer(rows[own])
        return found[:n], found[n:]

    def auc(self) -> float:
        """Mean over the folds of the out-of-fold AUC."""
        n = len(self.reference)
        below, above = self.scores()
        of_fold = [
            _auc(below[self.folds[:n] == number], above[self.folds[n:] == number])
            for number in range(len(self.scorers))
        ]
        return float(np.mean(of_fold))

    def deviation(self) -> float:
        """Standard deviation of ``auc`` when nothing drifts."""
        n, k = len(self.reference), len(self.scorers)
        deviation = 0.0
        for number in range(k):
            p = int((self.folds[:n] == number).sum())
            q = int((self.folds[n:] == number).sum())
            deviation += math.sqrt((p + q + 1) / (12 * p * q))
        return deviation / k

    def importance(
        self, names: Sequence[str], rng: np.random.Generator
    ) -> tuple[tuple[str, float], ...]:
        """What the AUC loses per column whose window values become the reference's."""
        n = len(self.reference)
        below, above = self.scores()
        lost = np.zeros(len(names))
        for number, scorer in enumerate(self.scorers):
            low = np.sort(below[self.folds[:n] == number])
            own = np.flatnonzero(self.folds[n:] == number)[:MOST_SWAPPED]
            rows, whole = self.window[own], _auc(low, above[own])
            drawn = rng.integers(0, n, len(rows))
            swapped = np.repeat(rows[None], len(names), axis=0)
            for place in range(len(names)):
                swapped[place, :, place] = self.reference[drawn, place]
            # One call for all columns: a call costs more than its rows.
            scores = scorer(swapped.reshape(-1, rows.shape[1]))
            scores = scores.reshape(len(names), -1)
            lost += [whole - _auc(low, of_column) for of_column in scores]
        lost /= len(self.scorers)
        order = np.argsort(-lost, kind="stable")
        return tuple((names[place], float(lost[place])) for place in order)


def _auc(below: Array, above: Array) -> float:
    """Chance that one of ``above`` exceeds one of ``below``, ties one half."""
    ranks = rankdata(np.concatenate([below, above]))
    n, m = len(below), len(above)
    return float((ranks[n:].sum() - m * (m + 1) / 2) / (n * m))


def _varies(rows: Array) -> NDArray[np.bool_]:
    """Per column whether it holds two different values, missing counted as one."""
    missing = np.isnan(rows)
    partly = missing.any(axis=0) & ~missing.all(axis=0)
    filled = np.where(missing, -np.inf, rows).max(axis=0)
    least = np.where(missing, np.inf, rows).min(axis=0)
    return np.asarray(partly | (filled > least))


def _untold(rows: int, reason: str) -> DomainDrift:
    return DomainDrift(None, None, None, rows, reason=reason)
