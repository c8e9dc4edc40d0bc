"""Whether a difference is more than chance: p-values and how they are combined.

n is the number of reference rows, m that of a window. All functions work on arrays.
A window that cannot be judged has the p-value NaN and stays out of every decision.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtrc, kolmogorov, ndtr, ndtri
from scipy.stats import hypergeom

Floats = NDArray[np.float64]

WEEKLY_WEIGHT = 0.2
"""Share of the error that the test of the window alone may use, the rest being left
to the evidence of several windows: ``python -m benchmarks.false_alarms``."""

ENOUGH_FOR_NORMAL = 100.0
"""Expected rows in each cell from which the normal approximation is used."""


def ks_p_value(d: ArrayLike, n: ArrayLike, m: ArrayLike) -> Floats:
    """Two-sided p of the two-sample Kolmogorov-Smirnov distance ``d``.

    Kolmogorov's limit at t + 1/(6 s) + (t - 1)/(4 s^2) with s^2 = n m / (n + m) and
    t = s d. Within 3 % of SciPy's asymptotic p where that exceeds 0.01; in the far tail
    of small windows it is the larger of the two. On binned or tied values the true p
    is smaller still: the test is cautious.

    Source: Vrbik (2018), "Small-sample corrections to Kolmogorov-Smirnov test
    statistic"; Smirnov (1948), doi:10.1214/aoms/1177730256.

    >>> round(float(ks_p_value(0.0094, 10_000, 10_000)), 3)
    0.765
    """
    size = np.asarray(_effective_rows(n, m))
    root = np.sqrt(size)
    t = root * np.asarray(d, dtype=np.float64)
    p: Floats = kolmogorov(t + 1 / (6 * root) + (t - 1) / (4 * size))
    return p


def chi_square_p_value(statistic: ArrayLike, dof: ArrayLike) -> Floats:
    """Upper tail of the chi-square distribution; 1 where ``dof`` is 0.

    With a single bin there is nothing that could differ.

    >>> round(float(chi_square_p_value(3.841459, 1)), 6)
    0.05
    """
    value = np.asarray(statistic, dtype=np.float64)
    degrees = np.asarray(dof, dtype=np.float64)
    p: Floats = np.where(degrees > 0, chdtrc(np.maximum(degrees, 1), value), 1.0)
    return np.where(np.isnan(value) | np.isnan(degrees), np.nan, p)


def psi_null_mean(bins: ArrayLike, n: ArrayLike, m: ArrayLike) -> Floats:
    """PSI to expect when nothing drifts: (bins - 1) (1/n + 1/m).

    Source: Yurdakul (2018), "Statistical properties of the population stability
    index". Good from about ten expected rows a bin on.

    >>> round(float(psi_null_mean(10, 10_000, 500)), 4)
    0.0189
    """
    return (np.asarray(bins, dtype=np.float64) - 1) / _effective_rows(n, m)


def psi_p_value(psi: ArrayLike, bins: ArrayLike, n: ArrayLike, m: ArrayLike) -> Floats:
    """p of a PSI: PSI n m / (n + m) is about chi-square with bins - 1 degrees.

    Source: as ``psi_null_mean``.

    >>> round(float(psi_p_value(0.03553, 10, 10_000, 500)), 3)
    0.05
    """
    scaled = np.asarray(psi, dtype=np.float64) * _effective_rows(n, m)
    return chi_square_p_value(scaled, np.asarray(bins, dtype=np.float64) - 1)


def minimum_detectable_shift(
    n: ArrayLike, m: ArrayLike, alpha: ArrayLike, power: float = 0.8
) -> Floats:
    """Smallest lasting shift found with this power, in reference standard deviations.

    (z(1 - a/2) + z(power)) sqrt(1/n + 1/m), where a is what the location test of
    ``lasting.drift_p`` may use of ``alpha``; that test is the sharper of its two for a
    shift. Exact for normal values; heavier tails are found sooner.

    Args:
        n: reference rows.
        m: rows of the window, or of the pooled windows.
        alpha: the p-value that raises an alarm for one feature.
        power: chance to find a shift of that size.

    >>> round(float(minimum_detectable_shift(7_000, 2_800, 0.01)), 3)
    0.078
    """
    level = np.asarray(alpha, dtype=np.float64) * (1 - WEEKLY_WEIGHT)
    needed: Floats = ndtri(1 - level / 2) + ndtri(power)
    return needed / np.sqrt(_effective_rows(n, m))


def benjamini_hochberg(p: ArrayLike, axis: int = -1) -> Floats:
    """p-values adjusted for the false discovery rate within each family.

    Calling the features with an adjusted p of at most q drifted, no more than a share
    q of the calls is false on average. The i-th smallest of F becomes the least of
    p_j F / j over j >= i. NaN could not be judged: it stays NaN and is not counted.

    Args:
        p: p-values of any shape.
        axis: the axis of the family, such as the features of one window.

    Source: Benjamini and Hochberg (1995), doi:10.1111/j.2517-6161.1995.tb02031.x.

    >>> benjamini_hochberg([0.01, 0.04, np.nan, 0.02]).tolist()
    [0.03, 0.04, nan, 0.03]
    """
    values = np.moveaxis(np.asarray(p, dtype=np.float64), axis, -1)
    judged = np.count_nonzero(~np.isnan(values), axis=-1, keepdims=True)
    order = np.argsort(values, axis=-1)  # NaN comes last
    ranks = np.arange(1, values.shape[-1] + 1)
    scaled = np.take_along_axis(values, order, axis=-1) * judged / ranks
    least = np.fmin.accumulate(scaled[..., ::-1], axis=-1)[..., ::-1]
    adjusted = np.empty_like(values)
    np.put_along_axis(adjusted, order, np.minimum(least, 1), axis=-1)
    return np.moveaxis(np.where(np.isnan(values), np.nan, adjusted), -1, axis)


def discoveries(p: ArrayLike, q: float = 0.05, axis: int = -1) -> NDArray[np.bool_]:
    """Which p-values are called drifted at false discovery rate ``q``; NaN is not.

    >>> discoveries([0.01, 0.04, np.nan, 0.9]).tolist()
    [True, False, False, False]
    """
    return benjamini_hochberg(p, axis) <= q


def missing_share_p(
    reference_missing: ArrayLike, n: ArrayLike, missing: ArrayLike, m: ArrayLike
) -> Floats:
    """One-sided p that the share of missing values has risen.

    Fisher's exact test; from ``ENOUGH_FOR_NORMAL`` expected rows in each cell on, the
    two-proportion z test with the pooled share. NaN where either side has no rows.

    Args:
        reference_missing: missing rows of the reference.
        n: all rows of the reference, missing ones included.
        missing: missing rows of the window.
        m: all rows of the window.

    Source: Fisher (1922), doi:10.2307/2340521.

    >>> round(float(missing_share_p(0, 10, 5, 10)), 5)
    0.01625
    """
    r, n, k, m = np.broadcast_arrays(
        *(np.asarray(a, dtype=np.float64) for a in (reference_missing, n, missing, m))
    )
    judged = (n > 0) & (m > 0)
    rows, both = np.where(judged, n + m, np.nan), r + k
    share = both / rows
    normal = np.minimum(n, m) * np.minimum(share, 1 - share) >= ENOUGH_FOR_NORMAL
    p = np.full(rows.shape, np.nan)
    few = judged & ~normal
    # Drawing the missing rows, not the window's, keeps SciPy's sum short.
    p[few] = hypergeom.sf(k[few] - 1, rows[few], m[few], both[few])
    spread = np.sqrt(share * (1 - share) * rows / np.where(judged, n * m, np.nan))
    with np.errstate(divide="ignore", invalid="ignore"):
        rise = (k / m - r / n) / spread
    p[normal] = ndtr(-rise[normal])
    clipped: Floats = np.clip(p, 0, 1)
    return clipped


def persistence(flags: ArrayLike, k: int, n: int) -> NDArray[np.bool_]:
    """Whether at least ``k`` of the last ``n`` windows were flagged, for each window.

    Args:
        flags: flagged or not, shape (..., windows), oldest first. Windows before the
            first count as not flagged.
        k: flags needed, at least 1.
        n: windows looked at, at least ``k``.

    Raises:
        ValueError: not 1 <= k <= n.

    >>> persistence([True, False, True, False, False], k=2, n=3).tolist()
    [False, False, True, False, False]
    """
    if not 1 <= k <= n:
        raise ValueError("k must be at least 1 and at most n")
    raised = np.cumsum(np.asarray(flags, dtype=np.int64), axis=-1)
    before = np.zeros_like(raised)
    before[..., n:] = raised[..., :-n]
    return np.asarray(raised - before >= k, dtype=np.bool_)


def _effective_rows(n: ArrayLike, m: ArrayLike) -> Floats:
    """n m / (n + m), NaN where either is zero."""
    n, m = np.asarray(n, dtype=np.float64), np.asarray(m, dtype=np.float64)
    product = np.where((n > 0) & (m > 0), n * m, np.nan)
    return product / np.where(n + m > 0, n + m, np.nan)
