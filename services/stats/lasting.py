"""Small shifts that last: evidence gathered over several windows.

One window of a few hundred rows cannot tell a shift of 0.1 standard deviations from
chance. The last four together can, and without a looser threshold.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri

from services.stats.measures import chi_square, shares
from services.stats.significance import WEEKLY_WEIGHT, chi_square_p_value

Floats = NDArray[np.float64]

MEMORY = 4
"""Windows looked at together."""
OTHERS_Z, OTHERS_P = 1.2816, 0.2
"""What the pool without its strongest window must show at least: a one-sided p of
0.1, or 0.2 of the chi-square test, which knows no sides."""


@dataclass(frozen=True)
class LastingShift:
    """What the last windows together say, one value per window.

    Attributes:
        p: two-sided p-value, shape (W,).
        size: ordered bins: the shift in reference standard deviations of the normal
            scores, negative downwards; others: Cramer's V, from 0 to 1. Shape (W,).
    """

    p: Floats
    size: Floats


def normal_scores(reference: ArrayLike) -> Floats:
    """Van der Waerden score of each bin, (B,): the normal quantile of its mid-rank.

    With C the rows below the bin and c those in it: z((C + c/2 + 1/2) / (n + 1)).

    Source: van der Waerden (1952), "Order tests for the two-sample problem".

    >>> [round(score, 3) + 0.0 for score in normal_scores([10, 10, 10]).tolist()]
    [-0.925, 0.0, 0.925]
    """
    counts = np.asarray(reference, dtype=np.float64)
    below = np.cumsum(counts) - counts
    scores: Floats = ndtri((below + counts / 2 + 0.5) / (counts.sum() + 1))
    return scores


def lasting_shift(
    reference: ArrayLike,
    windows: ArrayLike,
    memory: int = MEMORY,
    ordered: bool = True,
) -> LastingShift:
    """Test of the pooled last windows against the reference, for every window.

    Ordered bins: the difference of the mean normal scores over its standard error
    sqrt(v (1/n + 1/m)), v being the scores' variance over both, ties included.
    Unordered bins: chi-square of the contingency table.

    A single odd window is not lasting: the pool without its strongest window must
    show the shift too, if weakly (one-sided p of 0.1; chi-square 0.2), unless no other
    has rows. And a shift that is over should fall silent: in ordered bins the newest
    window must lean the pool's way. Where either fails, p is 1.

    Args:
        reference: counts (B,).
        windows: counts (W, B), oldest first.
        memory: how many windows are pooled, this one included.
        ordered: whether the order of the bins means anything.

    Returns:
        One p and size per window; NaN for a window without rows.

    Source: van der Waerden's test, as in Conover, "Practical Nonparametric
    Statistics" (1999), section 5.10.

    >>> found = lasting_shift([100, 100], [[6, 14], [5, 15], [0, 0]])
    >>> found.p.round(4).tolist()
    [0.0886, 0.0093, nan]
    """
    r = np.asarray(reference, dtype=np.float64)
    each = np.asarray(windows, dtype=np.float64)
    pooled = _pooled(each, memory)
    pooled[each.sum(axis=-1) == 0] = 0  # an empty window is not judged by older ones
    test = _ordered if ordered else _unordered
    return test(r, each, pooled, memory)


def lasting_p(
    reference: ArrayLike,
    windows: ArrayLike,
    memory: int = MEMORY,
    ordered: bool = True,
) -> Floats:
    """The p-values of ``lasting_shift``, shape (W,).

    >>> lasting_p([50, 50], [[5, 5]], ordered=False).tolist()
    [1.0]
    """
    return lasting_shift(reference, windows, memory, ordered).p


def drift_p(
    weekly_p: ArrayLike, lasting: ArrayLike, weight: float = WEEKLY_WEIGHT
) -> Floats:
    """One p-value per feature and window out of both tests.

    Weighted Bonferroni: min(weekly / weight, lasting / (1 - weight)), at most 1. A test
    that could not judge is left out; NaN where neither could.

    Source: Holm (1979), "A simple sequentially rejective multiple test procedure";
    valid however the two depend on each other.

    >>> drift_p([0.01, 0.5], [0.5, np.nan], weight=0.5).tolist()
    [0.02, 1.0]
    """
    alone = np.asarray(weekly_p, dtype=np.float64) / weight
    together = np.asarray(lasting, dtype=np.float64) / (1 - weight)
    return np.minimum(np.fmin(alone, together), 1)


def _ordered(r: Floats, each: Floats, pooled: Floats, memory: int) -> LastingShift:
    scores = normal_scores(r)
    moved, z = _location(r, pooled, scores)
    newest = np.nan_to_num((shares(each) - shares(r)) @ scores)
    way = np.sign(np.nan_to_num(moved))
    excess = newest * each.sum(axis=-1)
    others = pooled - each[_strongest(excess, way, memory)]
    alone = others.sum(axis=-1) <= 0
    lasts = alone | (way * _location(r, others, scores)[1] >= OTHERS_Z)
    p = np.where(lasts & (way * newest > 0), 2 * ndtr(-np.abs(z)), 1.0)
    return LastingShift(np.where(np.isnan(z), np.nan, p), moved / _sd(r, scores))


def _unordered(r: Floats, each: Floats, pooled: Floats, memory: int) -> LastingShift:
    statistic, dof = chi_square(r, pooled)
    evidence = np.nan_to_num(chi_square(r, each).statistic)
    strongest = _strongest(evidence, np.ones(len(each)), memory)
    others = pooled - each[strongest]
    alone = others.sum(axis=-1) <= 0
    lasts = alone | (chi_square_p_value(*chi_square(r, others)) <= OTHERS_P)
    p = np.where(lasts, chi_square_p_value(statistic, dof), 1.0)
    rows = r.sum() + pooled.sum(axis=-1)
    size = np.sqrt(statistic / np.where(rows > 0, rows, np.nan))
    return LastingShift(np.where(np.isnan(statistic), np.nan, p), size)


def _pooled(windows: Floats, memory: int) -> Floats:
    total: Floats = np.cumsum(windows, axis=-2)
    pooled = total.copy()
    pooled[memory:] -= total[:-memory]
    return pooled


def _strongest(evidence: Floats, way: Floats, memory: int) -> NDArray[np.intp]:
    """Index of the window that pulls most that way among each window's last ones."""
    newest = np.arange(len(evidence))
    last = newest[:, np.newaxis] - np.arange(memory)
    pull = evidence[np.maximum(last, 0)] * way[:, np.newaxis]
    pull[last < 0] = -np.inf
    strongest: NDArray[np.intp] = last[newest, pull.argmax(axis=1)]
    return strongest


def _location(r: Floats, pooled: Floats, scores: Floats) -> tuple[Floats, Floats]:
    """The difference of the mean scores and it over its standard error, each (W,)."""
    m = pooled.sum(axis=-1)
    m = np.where(m > 0, m, np.nan)
    n = r.sum() if r.any() else np.nan
    moved: Floats = pooled @ scores / m - shares(r) @ scores
    both = r + pooled
    rows = n + m
    mean = both @ scores / rows
    variance = np.maximum(both @ scores**2 / rows - mean**2, 0)
    error = np.sqrt(variance * rows / (rows - 1) * (1 / n + 1 / m))
    # No spread at all: both sides sit in one bin, so nothing moved.
    return moved, np.divide(moved, error, out=np.zeros_like(moved), where=error != 0)


def _sd(r: Floats, scores: Floats) -> float:
    """Standard deviation of the reference's scores; NaN for a constant."""
    p = shares(r)
    variance = float(p @ (scores - p @ scores) ** 2)
    return float(np.sqrt(variance)) if variance > 0 else float("nan")
