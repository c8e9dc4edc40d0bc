"""Estimated performance where the shift broke the calibration (PAPE).

Plain CBPE takes the chance of a class at a given score from the whole reference. When
the window holds other inputs at the same score, that chance changes although the
concept has not. So the reference rows are weighted by how much more often their inputs
occur in the window, and the chances are learnt from the weighted rows.
Source: J. Białek et al., Estimating Model Performance Under Covariate Shift Without
Labels, 2024 (arXiv 2401.08348).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from services.stats.boosting import sampled
from services.stats.calibration import calibrate
from services.stats.cbpe import MEASURES, estimate
from services.stats.cells import Task
from services.stats.encoding import Encoder
from services.stats.estimated import Estimated, unestimated
from services.stats.intervals import Array, Counts
from services.stats.multivariate import FEWEST_ROWS, Domain

MOST_ROWS = 10_000
HEAVIEST = 50.0
"""A row never counts more than this: one rare row must not decide."""
FEWEST_EFFECTIVE = 100.0


@dataclass(frozen=True, eq=False)
class Weights:
    """How much more often the inputs of reference rows occur in the window.

    places: (k,) row numbers of the reference.
    weight: (k,) of each, 1 on average.
    """

    places: Counts
    weight: Array

    @property
    def effective_rows(self) -> float:
        """Kish's effective sample size ``(sum w)² / sum w²``."""
        return float(self.weight.sum() ** 2 / (self.weight**2).sum())


@dataclass(frozen=True, eq=False)
class ReferenceRows:
    """The labelled reference rows of one task, in the order of the reference frame.

    score_bin: (n,) bin of the score; predicted: (n,) whether the class was predicted;
    label: (n,) 0, 1, or 2 for a row that has none.
    """

    score_bin: Counts
    predicted: Counts
    label: Counts


def density_ratio(
    reference: pd.DataFrame,
    window: pd.DataFrame,
    *,
    categorical: Collection[str] | None = None,
    seed: int = 0,
    most: int = MOST_ROWS,
) -> Weights | None:
    """Out-of-fold density ratios of reference rows; None for fewer than 30 rows.

    Args:
        reference: the features and the score, and no others.
        window: has the same columns.
        categorical: the categorical ones; None takes all that are not numbers.
        seed: of the samples and the folds.
        most: rows of each side to learn from.

    With c(x) the classifier's chance that x is from the window, the ratio is
    ``c / (1 - c) * n / m`` for n reference and m window rows.
    Source: S. Bickel, M. Brückner and T. Scheffer, JMLR 10 (2009) 2137.
    """
    if min(len(reference), len(window)) < FEWEST_ROWS:
        return None
    rng = np.random.default_rng(seed)
    places = sampled(len(reference), most, rng)
    encoder = Encoder.of(reference, categorical)
    before = encoder.encode(reference.iloc[places])
    after = encoder.encode(window.iloc[sampled(len(window), most, rng)])
    domain = Domain.of(before, after, encoder.is_categorical, seed)
    chance = np.clip(domain.scores()[0], 1e-6, 1 - 1e-6)
    ratio = np.minimum(chance / (1 - chance) * len(before) / len(after), HEAVIEST)
    return Weights(places, ratio / ratio.mean())


def reweighted(rows: ReferenceRows, weights: Weights, positions: Array) -> Task:
    """The reference's cells as they would be with the window's inputs.

    Args:
        rows: of the whole reference.
        weights: of some of its rows.
        positions: (S,) of the task.

    The weights are scaled to the effective number of rows, so that chances learnt from
    them are as uncertain as they are.
    """
    at = weights.places
    scale = weights.effective_rows / weights.weight.sum()
    cell = (rows.score_bin[at] * 2 + rows.predicted[at]) * 3 + rows.label[at]
    bins = len(positions)
    cells = np.bincount(cell, weights=weights.weight * scale, minlength=bins * 6)
    return Task(cells.reshape(bins, 2, 3), positions)


def estimate_reweighted(
    weights: Weights | None, rows: Sequence[ReferenceRows], tasks: Sequence[Task]
) -> dict[str, Estimated]:
    """The estimates of ``cbpe.estimate`` with chances learnt from weighted rows.

    Args:
        weights: from ``density_ratio`` of this very window.
        rows: per task the reference rows.
        tasks: the window's cells; one task (binary) or one per class.
    """
    count = max((int(task.rows.sum()) for task in tasks), default=0)
    if weights is None:
        reason = f"the window or the reference has fewer than {FEWEST_ROWS} rows"
        return dict.fromkeys(MEASURES, unestimated(count, reason))
    if weights.effective_rows < FEWEST_EFFECTIVE:
        reason = "the window's inputs hardly occur in the reference"
        return dict.fromkeys(MEASURES, unestimated(count, reason))
    several = len(tasks) > 1
    calibrations = [
        calibrate(
            reweighted(own, weights, task.positions),
            by_prediction=several,
            decide=False,
        )
        for own, task in zip(rows, tasks, strict=True)
    ]
    return estimate(tasks, calibrations)
