"""Realised performance of a regression from row-level sums."""

from __future__ import annotations

import math
from collections.abc import Mapping

from services.stats.intervals import Z95, Measured, mean, untold

NO_LABELS = "no labels yet"
SAME_LABEL = "all labels are the same"
FEW = "fewer than two labelled rows"

Sums = Mapping[str, float]
"""Sums over the labelled rows: labelled (how many), error (prediction - label),
abs_error, squared_error, fourth_error (e⁴), label, label_squared."""


def mae(sums: Sums) -> Measured:
    """Mean absolute error, in the unit of the label, with its normal interval.

    >>> mae({"labelled": 2, "abs_error": 3.0, "squared_error": 5.0}).value
    1.5
    """
    return _positive(sums, "abs_error", "squared_error")


def bias(sums: Sums) -> Measured:
    """Mean of prediction - label: above 0 the model promises too much."""
    rows = int(sums.get("labelled", 0))
    if rows == 0:
        return untold(0, NO_LABELS)
    return _bounded(mean(sums["error"], sums["squared_error"], rows))


def rmse(sums: Sums) -> Measured:
    """Root mean squared error; the interval is the root of that of the mean square.

    >>> rmse({"labelled": 2, "squared_error": 8.0, "fourth_error": 32.0}).value
    2.0
    """
    square = _positive(sums, "squared_error", "fourth_error")
    if square.value is None:
        return square
    low = None if square.low is None else math.sqrt(square.low)
    high = None if square.high is None else math.sqrt(square.high)
    return Measured(math.sqrt(square.value), low, high, square.rows)


def r2(sums: Sums) -> Measured:
    """Share of the labels' variance that is explained, ``1 - SSE / SST``.

    Cannot be told when the labels do not vary. The interval is that of ``Q = SSE/SST``
    on a logarithmic scale by the delta method: the variance of ln Q is
    ``(k - 1 + max(2 - 4 Q, 0)) / n`` with k the kurtosis of the errors, labels of
    normal tails, and errors independent of the predictions. For normal errors and
    Q <= 1/2 that is Olkin and Finn's ``4 R² (1 - R²)² / n``.
    Source: I. Olkin and J. D. Finn, Psychological Bulletin 118 (1995) 155.
    """
    rows = int(sums.get("labelled", 0))
    if rows < 2:
        return untold(rows, NO_LABELS if rows == 0 else FEW)
    spread = sums["label_squared"] - sums["label"] ** 2 / rows
    # What is left of equal labels is rounding: some units of the last place.
    if spread <= 1e-12 * sums["label_squared"]:
        return untold(rows, SAME_LABEL)
    squares = sums["squared_error"]
    share = squares / spread
    if squares <= 0:
        return Measured(1.0, 1.0, 1.0, rows)
    kurtosis = max(rows * sums["fourth_error"] / squares**2, 1.0)
    half = Z95 * math.sqrt((kurtosis - 1 + max(2 - 4 * share, 0)) / rows)
    low, high = 1 - share * math.exp(half), 1 - share * math.exp(-half)
    return Measured(1 - share, low, high, rows)


def _positive(sums: Sums, total: str, squares: str) -> Measured:
    rows = int(sums.get("labelled", 0))
    if rows == 0:
        return untold(0, NO_LABELS)
    return _bounded(mean(sums[total], sums[squares], rows), least=0.0)


def _bounded(found: Measured, least: float = -math.inf) -> Measured:
    """Without the interval where one row has none, and not below ``least``."""
    if found.low is None or found.high is None or not math.isfinite(found.high):
        return Measured(found.value, None, None, found.rows)
    return Measured(found.value, max(found.low, least), found.high, found.rows)
