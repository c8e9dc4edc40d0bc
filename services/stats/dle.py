"""Estimated errors of a regression without labels: direct loss estimation (DLE).

A second model learns on the labelled reference how large the first one's errors are,
given the features and the prediction. It holds while errors at given inputs stay what
they were: under covariate shift, not under concept drift.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import isotonic_regression

from services.stats.boosting import Scorer, fold_of, regressor, sampled
from services.stats.encoding import Encoder
from services.stats.estimated import Estimated, banded, unestimated
from services.stats.intervals import Array

MOST_ROWS = 20_000
"""Reference rows learnt from, drawn with the seed."""
FEWEST_ROWS = 100
FOLDS = 2
GROUPS = 20
LEARNING = 6.0
"""Variance of the learnt mean in units of that of a plain mean of as many rows."""
NO_ESTIMATES = "no row has an estimated error"
NO_REFERENCE = "the reference has no labels"


@dataclass(frozen=True, eq=False)
class _Loss:
    """One loss: a scorer per fold, and what their scores turned out to be worth."""

    scorers: tuple[Scorer, ...]
    promised: Array
    came: Array

    def estimate(self, rows: Array) -> Array:
        """(n,) expected loss per encoded row, never below 0."""
        mean = np.vstack([scorer(rows) for scorer in self.scorers]).mean(axis=0)
        worth: Array = np.asarray(np.interp(mean, self.promised, self.came))
        # Beyond the last group's mean the promise is scaled, not cut off.
        if self.promised[-1] > 0:
            beyond = mean > self.promised[-1]
            worth[beyond] *= mean[beyond] / self.promised[-1]
        return worth.clip(0.0)


@dataclass(frozen=True, eq=False)
class LossEstimator:
    """Expected |error| and error² of each row; make it with ``fit``."""

    encoder: Encoder
    absolute: _Loss
    squared: _Loss

    @classmethod
    def fit(
        cls,
        reference: pd.DataFrame,
        errors: Array,
        *,
        categorical: Collection[str] | None = None,
        seed: int = 0,
    ) -> LossEstimator:
        """Learn the losses from labelled reference rows.

        Args:
            reference: the features and the prediction, and no others.
            errors: (n,) prediction - label; NaN where there is no label.
            categorical: the categorical columns; None takes all that are not numbers.
            seed: of the sample and the folds.

        Raises:
            ValueError: fewer than ``FEWEST_ROWS`` rows have an error.

        Trees are too sure of what they have seen. So each fold's trees score the rows
        they have not seen, and a rising curve through what came at each score (its
        out-of-fold bias) corrects every later estimate.
        """
        labelled = np.flatnonzero(np.isfinite(errors))
        if len(labelled) < FEWEST_ROWS:
            raise ValueError(f"fewer than {FEWEST_ROWS} reference rows have a label")
        rng = np.random.default_rng(seed)
        places = labelled[sampled(len(labelled), MOST_ROWS, rng)]
        encoder = Encoder.of(reference, categorical)
        rows = encoder.encode(reference.iloc[places])
        absolute = np.abs(np.asarray(errors, dtype=np.float64)[places])
        named = encoder.is_categorical
        return cls(
            encoder,
            _learnt(rows, absolute, named, seed),
            _learnt(rows, absolute**2, named, seed),
        )

    def estimate(self, frame: pd.DataFrame) -> tuple[Array, Array]:
        """Expected |error| and error² of each row of a frame of the same columns.

        Categories the reference lacks count as missing.
        """
        if len(frame) == 0:
            return np.empty(0), np.empty(0)
        rows = self.encoder.encode(frame)
        return self.absolute.estimate(rows), self.squared.estimate(rows)


def estimated_mae(
    sums: Mapping[str, float], reference: Mapping[str, float]
) -> Estimated:
    """Estimated mean absolute error of a window from its sums.

    Args:
        sums: estimated_abs, estimated_squared and estimated_rows.
        reference: the reference's sums; labelled says what the estimator learnt from.

    A row's |e| has the variance ``E e² - (E |e|)²``, with both expectations estimated
    for this very window.
    """
    rows, learnt = _sizes(sums, reference)
    if rows == 0 or learnt == 0:
        return unestimated(rows, NO_ESTIMATES if rows == 0 else NO_REFERENCE)
    value, square = sums["estimated_abs"] / rows, sums["estimated_squared"] / rows
    return _banded(value, max(square - value**2, 0.0), rows, learnt)


def estimated_rmse(
    sums: Mapping[str, float], reference: Mapping[str, float]
) -> Estimated:
    """Estimated root mean squared error of a window from its sums.

    Args:
        sums: estimated_squared and estimated_rows.
        reference: labelled, squared_error and fourth_error of the reference; their
            kurtosis scales to this window's errors.
    """
    rows, learnt = _sizes(sums, reference)
    if rows == 0 or learnt == 0:
        return unestimated(rows, NO_ESTIMATES if rows == 0 else NO_REFERENCE)
    square = sums["estimated_squared"] / rows
    squares = reference["squared_error"]
    fourths = reference["labelled"] * reference["fourth_error"]
    kurtosis = fourths / squares**2 if squares else 1.0
    spread = max(kurtosis - 1, 0.0) * square**2
    found = _banded(square, spread, rows, learnt)
    root = math.sqrt(square)
    if root == 0 or found.low is None or found.high is None:
        return found
    slope = 1 / (2 * root)
    return Estimated(
        root,
        math.sqrt(found.low),
        math.sqrt(found.high),
        rows,
        (found.standard_error or 0.0) * slope,
        (found.sampling_error or 0.0) * slope,
        (found.reference_error or 0.0) * slope,
    )


def _sizes(
    sums: Mapping[str, float], reference: Mapping[str, float]
) -> tuple[int, int]:
    learnt = min(int(reference.get("labelled", 0)), MOST_ROWS)
    return int(sums.get("estimated_rows", 0)), learnt


def _banded(value: float, variance: float, rows: int, learnt: int) -> Estimated:
    sampling = math.sqrt(variance / rows)
    return banded(value, sampling, math.sqrt(LEARNING * variance / learnt), rows)


def _learnt(rows: Array, values: Array, categorical: list[bool], seed: int) -> _Loss:
    fold = fold_of(len(rows), FOLDS, seed)
    scorers, unseen = [], np.empty(len(rows))
    for number in range(FOLDS):
        own = fold == number
        scorer = regressor(rows[~own], values[~own], categorical, seed)
        unseen[own] = scorer(rows[own])
        scorers.append(scorer)
    promised, came = _worth(unseen, values)
    return _Loss(tuple(scorers), promised, came)


def _worth(promised: Array, came: Array) -> tuple[Array, Array]:
    """Mean promise and rising mean of what came, over groups of equal rows."""
    order = np.argsort(promised, kind="stable")
    groups = [part for part in np.array_split(order, GROUPS) if len(part)]
    sizes = np.array([len(part) for part in groups], dtype=np.float64)
    means = np.array([came[part].mean() for part in groups])
    risen: Array = isotonic_regression(means, weights=sizes).x
    return np.array([promised[part].mean() for part in groups]), risen
