"""How far two binned distributions lie apart.

Every measure takes ``reference`` counts of shape ``(B,)`` and ``current`` counts of
shape ``(..., B)`` on the same bins and answers float64 of shape ``(...)``: one number
for each window. Bins of missing values are the caller's: they are judged on their
own. A window without rows, or a reference without rows, has no score: NaN, never 0.

Below, p is a bin's share of the reference and q its share of the window.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import rel_entr

Floats = NDArray[np.float64]

FLOOR = 1e-4
"""Smallest share PSI works with; an empty bin would make it infinite."""


class ChiSquare(NamedTuple):
    """Chi-square statistics and their degrees of freedom, both of shape (...)."""

    statistic: Floats
    dof: Floats


def shares(counts: ArrayLike) -> Floats:
    """Counts (..., B) as shares that sum to 1; NaN where there are no rows.

    >>> shares([1, 3]).tolist()
    [0.25, 0.75]
    """
    counts = np.asarray(counts, dtype=np.float64)
    rows = counts.sum(axis=-1, keepdims=True)
    return counts / np.where(rows > 0, rows, np.nan)


def merge_bins(counts: ArrayLike, groups: ArrayLike) -> NDArray[np.generic]:
    """Sums of neighbouring bins: counts (..., B) to (..., G), of the same dtype.

    Args:
        counts: counts of the fine bins.
        groups: index of each coarse bin's first fine bin: 0, then increasing.

    Raises:
        ValueError: the groups do not start at 0, do not increase or leave the bins.

    >>> merge_bins([1, 2, 3, 4], [0, 2]).tolist()
    [3, 7]
    """
    counts, starts = np.asarray(counts), np.asarray(groups, dtype=np.intp)
    rising = starts.size > 0 and starts[0] == 0 and bool((np.diff(starts) > 0).all())
    if not rising or starts[-1] >= counts.shape[-1]:
        raise ValueError("groups must start at 0, increase and stay within the bins")
    return np.add.reduceat(counts, starts, axis=-1)


def coarse_groups(reference: ArrayLike, groups: int = 10) -> NDArray[np.intp]:
    """First fine bins of about ``groups`` coarse bins of equal reference share.

    On 250 quantile bins the deciles are 25 bins each. A bin with more than its share
    stays whole, so that there may be fewer groups.

    >>> coarse_groups([10] * 8, groups=4).tolist()
    [0, 2, 4, 6]
    >>> coarse_groups([70, 10, 10, 10], groups=2).tolist()
    [0, 1]
    """
    share = shares(reference)
    middle = np.cumsum(share) - share / 2
    group = np.floor(np.nan_to_num(middle) * groups + 1e-9)
    return np.flatnonzero(np.diff(group, prepend=-1.0))


def psi(reference: ArrayLike, current: ArrayLike, floor: float = FLOOR) -> Floats:
    """Population stability index: sum (q - p) ln(q / p), from 0 to infinity.

    Shares below ``floor`` count as ``floor``, alike on both sides, so that the score
    is symmetric. For two normals of equal spread it is (shift / sd)^2 before binning.

    Source: Jeffreys (1946), the symmetrised Kullback-Leibler divergence.

    >>> round(float(psi([5000, 3000, 2000], [4000, 3500, 2500])), 6)
    0.041179
    """
    p = np.maximum(shares(reference), floor)
    q = np.maximum(shares(current), floor)
    return _sum((q - p) * np.log(q / p))


def js_divergence(reference: ArrayLike, current: ArrayLike) -> Floats:
    """Jensen-Shannon divergence in bits, from 0 to 1.

    The mean of KL(p to mid) and KL(q to mid) with mid = (p + q) / 2 and base 2.

    Source: Lin (1991), doi:10.1109/18.61115.

    >>> float(js_divergence([1, 0], [0, 1]))
    1.0
    """
    p, q = shares(reference), shares(current)
    middle = (p + q) / 2
    nats = _sum(rel_entr(p, middle) + rel_entr(q, middle)) / 2
    bits: Floats = np.clip(nats / np.log(2), 0, 1)
    return bits


def js_distance(reference: ArrayLike, current: ArrayLike) -> Floats:
    """Jensen-Shannon distance in base 2, from 0 to 1: the root of the divergence.

    Source: Endres and Schindelin (2003), doi:10.1109/TIT.2003.813506: it is a metric.

    >>> round(float(js_distance([5000, 3000, 2000], [4000, 3500, 2500])), 6)
    0.086094
    """
    return np.sqrt(js_divergence(reference, current))


def ks(reference: ArrayLike, current: ArrayLike) -> Floats:
    """Kolmogorov-Smirnov distance, from 0 to 1: the largest gap at a bin edge.

    Gaps within a bin are not seen: at most the share of one bin is lost.

    Source: Smirnov (1948), doi:10.1214/aoms/1177730256.

    >>> float(ks([1, 1, 2], [2, 1, 1]))
    0.25
    """
    return _largest(_gaps(reference, current))


def wasserstein(
    reference: ArrayLike, current: ArrayLike, positions: ArrayLike
) -> Floats:
    """Wasserstein-1 distance: the area between the two distribution functions.

    Args:
        reference: counts (B,).
        current: counts (..., B).
        positions: where each bin's rows lie, (B,), in data units, not decreasing;
            the open tails need a finite place too, such as the reference's mean there.

    Raises:
        ValueError: a position is not finite or smaller than the one before.

    Source: Vallender (1974), doi:10.1137/1118101.

    >>> float(wasserstein([1, 1, 0], [0, 1, 1], [0.0, 2.0, 4.0]))
    2.0
    """
    places = np.asarray(positions, dtype=np.float64)
    width = np.diff(places)
    if not np.isfinite(places).all() or (width < 0).any():
        raise ValueError("positions must be finite and not decrease")
    return _sum(_gaps(reference, current)[..., :-1] * width)


def wasserstein_in_sd(
    reference: ArrayLike, current: ArrayLike, positions: ArrayLike
) -> Floats:
    """Wasserstein-1 distance in standard deviations of the binned reference.

    NaN where the reference is constant: there is no unit to measure in.

    >>> float(wasserstein_in_sd([1, 1, 0], [0, 1, 1], [0.0, 2.0, 4.0]))
    2.0
    """
    places, p = np.asarray(positions, dtype=np.float64), shares(reference)
    variance = _sum(p * (places - _sum(p * places)) ** 2)
    sd = np.sqrt(np.where(variance > 0, variance, np.nan))
    return wasserstein(reference, current, places) / sd


def hellinger(reference: ArrayLike, current: ArrayLike) -> Floats:
    """Hellinger distance, from 0 to 1: sqrt(1 - sum sqrt(p q)).

    Source: Hellinger (1909), doi:10.1515/crll.1909.136.210.

    >>> round(float(hellinger([5000, 3000, 2000], [4000, 3500, 2500])), 6)
    0.071712
    """
    # This form of the same number does not cancel where p and q are close.
    gap = np.sqrt(shares(reference)) - np.sqrt(shares(current))
    return np.minimum(np.sqrt(_sum(gap**2) / 2), 1)


def l_infinity(reference: ArrayLike, current: ArrayLike) -> Floats:
    """The largest difference of a bin's share, from 0 to 1: max abs(q - p).

    >>> round(float(l_infinity([5000, 3000, 2000], [4000, 3500, 2500])), 6)
    0.1
    """
    return _largest(np.abs(shares(current) - shares(reference)))


def tvd(reference: ArrayLike, current: ArrayLike) -> Floats:
    """Total variation distance, from 0 to 1: half the sum of abs(q - p).

    >>> round(float(tvd([5, 5, 0], [4, 4, 2])), 6)
    0.2
    """
    return np.minimum(_sum(np.abs(shares(current) - shares(reference))) / 2, 1)


def chi_square(reference: ArrayLike, current: ArrayLike) -> ChiSquare:
    """Pearson's chi-square of the contingency table, 2 rows by B columns.

    With r and c the counts, n and m their sums:
    sum (m r - n c)^2 / (n m (r + c)) over the bins that hold any row; these less one
    are the degrees of freedom. No continuity correction.

    Source: Pearson (1900), doi:10.1080/14786440009463897.

    >>> found = chi_square([5000, 3000, 2000], [4000, 3500, 2500])
    >>> round(float(found.statistic), 6), float(found.dof)
    (205.128205, 2.0)
    """
    r = np.asarray(reference, dtype=np.float64)
    c = np.asarray(current, dtype=np.float64)
    n, m = r.sum(), c.sum(axis=-1)
    total = r + c
    squared = (m[..., np.newaxis] * r - n * c) ** 2
    per_bin = np.divide(squared, total, out=np.zeros_like(squared), where=total > 0)
    product = np.where(n * m > 0, n * m, np.nan)
    dof = np.where(n * m > 0, (total > 0).sum(axis=-1) - 1.0, np.nan)
    return ChiSquare(per_bin.sum(axis=-1) / product, dof)


def _gaps(reference: ArrayLike, current: ArrayLike) -> Floats:
    below: Floats = np.cumsum(shares(current) - shares(reference), axis=-1)
    return np.abs(below)


def _sum(values: Floats) -> Floats:
    total: Floats = values.sum(axis=-1)
    return total


def _largest(values: Floats) -> Floats:
    largest: Floats = values.max(axis=-1)
    return largest
