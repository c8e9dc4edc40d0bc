"""Intervals around measured numbers: proportions, means, AUC, paired differences."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Counts = NDArray[np.int64]

Z95 = 1.959963984540054
"""Two-sided 95 % quantile of the standard normal distribution."""


@dataclass(frozen=True)
class Measured:
    """A measured number and its interval, or why there is none.

    value, low, high: the number and its interval; None where it cannot be told.
    rows: the rows it rests on.
    reason: why it cannot be told; None where ``value`` is a number.
    """

    value: float | None
    low: float | None
    high: float | None
    rows: int
    reason: str | None = None

    @property
    def standard_error(self) -> float | None:
        """Half the length of the interval as one standard error."""
        if self.low is None or self.high is None:
            return None
        return (self.high - self.low) / (2 * Z95)


def untold(rows: int, reason: str) -> Measured:
    """A number that cannot be told, and why."""
    return Measured(None, None, None, rows, reason)


def around(
    value: float,
    error: float,
    rows: int,
    *,
    least: float = -math.inf,
    most: float = math.inf,
) -> Measured:
    """``value`` with its normal 95 % interval, cut to the range it can have.

    >>> cut = around(0.9, 0.1, 40, most=1.0)
    >>> round(cut.low, 6), cut.high
    (0.704004, 1.0)
    """
    low, high = value - Z95 * error, value + Z95 * error
    return Measured(value, max(low, least), min(high, most), rows)


def proportion(hits: float, rows: int, reason: str = "no rows") -> Measured:
    """The share ``hits / rows`` with Wilson's score interval.

    The interval is centred on ``(hits + z²/2) / (rows + z²)`` and never leaves 0..1,
    also where no row or every row is a hit.
    Source: E. B. Wilson, JASA 22 (1927) 209.

    >>> share = proportion(8, 10)
    >>> share.value, round(share.low, 6), round(share.high, 6)
    (0.8, 0.490162, 0.943318)
    """
    if rows <= 0:
        return untold(0, reason)
    share, square = hits / rows, Z95**2
    centre = (share + square / (2 * rows)) / (1 + square / rows)
    half = math.sqrt(share * (1 - share) / rows + square / (4 * rows**2))
    half *= Z95 / (1 + square / rows)
    low, high = min(centre - half, share), max(centre + half, share)
    return Measured(share, max(low, 0.0), min(high, 1.0), rows)


def mean(total: float, squares: float, rows: int, reason: str = "no rows") -> Measured:
    """The mean of ``rows`` values with its normal interval.

    Args:
        total: sum of the values.
        squares: sum of their squares.
        rows: how many there are.
        reason: what to say when there are none.

    >>> mean(10.0, 30.0, 4).value
    2.5
    """
    if rows <= 0:
        return untold(0, reason)
    return around(total / rows, mean_error(total, squares, rows), rows)


def mean_error(total: float, squares: float, rows: int) -> float:
    """Standard error of a mean from its sums; infinite for fewer than two rows."""
    if rows < 2:
        return math.inf
    spread = max(squares - total**2 / rows, 0.0)
    return math.sqrt(spread / (rows - 1) / rows)


def paired_difference(total: float, squares: float, rows: int) -> Measured:
    """Mean difference of two models (or measures) on the same rows.

    Args:
        total: sum of the differences d, row by row.
        squares: sum of d².
        rows: rows both were measured on.

    The pairing removes what both have in common, so the interval is far shorter
    than that of two separate means.

    >>> paired_difference(0.0, 4.0, 4).value
    0.0
    """
    return mean(total, squares, rows, "no row was measured by both")


@dataclass(frozen=True)
class Auc:
    """Area under the ROC curve with its standard error."""

    value: float
    standard_error: float


def binned_auc(negatives: Array | Counts, positives: Array | Counts) -> Auc | None:
    """The AUC of scores known by bin; None where one class is absent.

    Args:
        negatives: (S,) rows of the negative class per score bin, in rising order.
        positives: (S,) rows of the positive class.

    AUC is the chance that a positive row lies in a higher bin than a negative one,
    ties counting one half. The error is DeLong's: with V(i) that chance for each
    positive row and W(j) for each negative row, ``var(V)/P + var(W)/N``.
    Source: DeLong, DeLong and Clarke-Pearson, Biometrics 44 (1988) 837.

    >>> binned_auc(np.array([3, 1]), np.array([1, 3])).value
    0.75
    """
    n, p = float(negatives.sum()), float(positives.sum())
    if n <= 0 or p <= 0:
        return None
    above_negatives = (np.cumsum(negatives) - negatives / 2) / n
    below_positives = (p - np.cumsum(positives) + positives / 2) / p
    value = float(positives @ above_negatives / p)
    of_positives = float(positives @ (above_negatives - value) ** 2 / p)
    of_negatives = float(negatives @ (below_positives - value) ** 2 / n)
    variance = of_positives / max(p - 1, 1) + of_negatives / max(n - 1, 1)
    if value in {0.0, 1.0}:
        # Two more hits and misses (Agresti and Coull): a few rows that separate
        # without an error are not certain.
        fewest = min(n, p) + 4
        variance = (fewest - 2) / fewest * (2 / fewest) / fewest
    return Auc(value, math.sqrt(variance))
