"""How large a difference is: every measure of one column, with its mean by chance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from data.grids import ColumnGrid, Ints, NumericGrid
from services.stats import measures
from services.stats.expectation import null_expectation
from services.stats.measures import ChiSquare, merge_bins, shares

Floats = npt.NDArray[np.float64]

ORDERED = frozenset({"ks", "wasserstein"})
"""Measures that need an order: a categorical feature has none."""
ON_DECILES = frozenset({"psi", "l_infinity", "tvd", "chi_square"})
"""The others are taken on the fine bins."""
EXPECTED_ROWS = 5.0
"""Categories that expect fewer rows in a window are tested together."""
EVEN = 0.25
"""Shares this near to equal ones are taken as equal for the mean by chance."""


@dataclass(frozen=True, eq=False)
class Sizes:
    """A measure, its mean without drift and the signed shift in sd, each (W,)."""

    value: Floats
    expected: Floats
    shift: Floats


def sized(grid: ColumnGrid, reference: Ints, windows: Ints, measure: str) -> Sizes:
    """The size of the difference of each window.

    Args:
        grid: the column's bins.
        reference: counts (B,) or (W, B) of the bins with a value.
        windows: counts (W, B) of the same bins.
        measure: a key of ``services.drift_views.MEASURES``.
    """
    nothing = np.full(len(windows), np.nan)
    shift = shift_in_sd(grid, reference, windows)
    if measure in ORDERED and not isinstance(grid, NumericGrid):
        return Sizes(nothing, nothing, shift)
    if measure in ON_DECILES:
        starts = np.unique(grid.coarse_of[: windows.shape[1]], return_index=True)[1]
        reference = np.asarray(merge_bins(reference, starts))
        windows = np.asarray(merge_bins(windows, starts))
    if measure == "wasserstein":
        value, expected = _moved(grid, reference, windows)
    elif measure == "chi_square":
        statistic, dof = chi_square_by_row(reference, windows)
        degrees = np.where(dof > 0, dof, np.nan)
        value = statistic / degrees
        expected = np.where(np.isnan(value), np.nan, 1.0)
    else:
        name = "js_distance" if measure == "js" else measure
        value = getattr(measures, name)(reference, windows)
        expected = _by_chance(name, reference, windows)
    return Sizes(value, expected, shift)


def shift_in_sd(grid: ColumnGrid, reference: Ints, windows: Ints) -> Floats:
    """Difference of the means in reference standard deviations, NaN for categories.

    Rows in an open tail count at the edge of the reference's 0.1 % to 99.9 %.
    """
    if not isinstance(grid, NumericGrid) or not grid.sd > 0:
        return np.full(len(windows), np.nan)
    places = positions(grid)
    return np.asarray((shares(windows) - shares(reference)) @ places / grid.sd)


def positions(grid: NumericGrid) -> Floats:
    """Where the rows of each regular bin lie, within the reference's usual range."""
    found = grid.positions[: grid.bins]
    known = np.flatnonzero(np.isfinite(found))
    if not len(known):
        return np.zeros(grid.bins)
    filled = np.interp(np.arange(grid.bins), known, found[known])
    return np.maximum.accumulate(np.clip(filled, grid.low, grid.high))


def groups_of(reference: Ints, rows: float) -> Floats:
    """(B, G) which categories are tested together: rare, other and unseen ones."""
    counts = reference if reference.ndim == 1 else reference.sum(axis=0)
    share = counts / max(counts.sum(), 1)
    own = share * min(rows, counts.sum()) >= EXPECTED_ROWS
    own[-2:] = False
    place = np.where(own, np.cumsum(own) - 1, own.sum())
    return np.eye(int(own.sum()) + 1)[place]


def chi_square_by_row(reference: npt.ArrayLike, windows: npt.ArrayLike) -> ChiSquare:
    """``measures.chi_square`` with a reference (B,) or one (W, B) for each window."""
    r = np.asarray(reference, dtype=np.float64)
    c = np.asarray(windows, dtype=np.float64)
    if r.ndim == 1:
        return measures.chi_square(r, c)
    n, m = r.sum(axis=1, keepdims=True), c.sum(axis=1, keepdims=True)
    total = r + c
    squared = (m * r - n * c) ** 2
    per_bin = np.divide(squared, total, out=np.zeros_like(squared), where=total > 0)
    product = np.where(n * m > 0, n * m, np.nan)[:, 0]
    dof = np.where(np.isnan(product), np.nan, (total > 0).sum(axis=1) - 1.0)
    return ChiSquare(per_bin.sum(axis=1) / product, dof)


def _moved(grid: ColumnGrid, reference: Ints, windows: Ints) -> tuple[Floats, Floats]:
    nothing = np.full(len(windows), np.nan)
    if not isinstance(grid, NumericGrid) or not grid.sd > 0:
        return nothing, nothing
    places = positions(grid)
    value = measures.wasserstein(reference, windows, places) / grid.sd
    expected = _by_chance("wasserstein", reference, windows, places) / grid.sd
    return value, expected


def _by_chance(
    name: str, reference: Ints, windows: Ints, places: Floats | None = None
) -> Floats:
    """The mean without drift.

    A reference of its own for each window is taken as one of all their rows, and the
    window's rows so that 1/n + 1/m stays what it is.
    """
    m = windows.sum(axis=1).astype(np.float64)
    whole = reference if reference.ndim == 1 else reference.sum(axis=0)
    rows = int(whole.sum())
    if rows == 0:
        return np.full(len(windows), np.nan)
    if reference.ndim > 1:
        n = reference.sum(axis=1)
        with np.errstate(divide="ignore"):
            m = 1 / (1 / n + 1 / m - 1 / rows)
    share = whole / rows
    if places is None and (np.abs(share * len(share) - 1) < EVEN).all():
        whole = np.ones(len(share), dtype=np.int64)
    return null_expectation(name, whole, rows, m, places)
