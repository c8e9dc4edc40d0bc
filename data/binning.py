"""From values to bins, at the speed of arithmetic.

A sorted search per value costs four times a table look-up. So the range of the edges
is cut into equal cells, each of which knows the bin of its left end; one comparison
then settles a cell that holds an edge. Exact as long as no cell holds two edges; a
column whose edges are closer than that is searched.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from data.grids import CategoryGrid, ColumnGrid, Floats, NumericGrid

CELLS = 65_536
FINEST = 1e-12
"""Cells narrower than this share of their place cannot be told apart in floats."""
Bins = npt.NDArray[Any]
"""The bin of each value, 32-bit."""


@dataclass(frozen=True)
class _Table:
    low: float
    per_unit: float
    bins: npt.NDArray[np.int32]
    tops: Floats


class Binner:
    """Puts the values of one column into the bins of its grid."""

    def __init__(self, grid: ColumnGrid) -> None:
        self.grid = grid
        self.size = grid.size
        self._table = _table(grid.edges) if isinstance(grid, NumericGrid) else None

    def __call__(self, values: pa.Array | pa.ChunkedArray) -> Bins:
        """The bin of each value, shape (n,); nulls and NaN go to ``missing``."""
        if isinstance(self.grid, NumericGrid):
            return self._numbers(as_floats(values))
        return _categories(self.grid, values)

    def _numbers(self, values: Floats) -> Bins:
        bins = self._regular(values)
        finite = np.isfinite(values)
        if not finite.all():
            first = self.size - 3
            bins[np.isnan(values)] = first
            bins[np.isneginf(values)] = first + 1
            bins[np.isposinf(values)] = first + 2
        return np.asarray(bins)

    def _regular(self, values: Floats) -> Bins:
        assert isinstance(self.grid, NumericGrid)  # noqa: S101 - for the type checker
        table = self._table
        if table is None:
            found = np.searchsorted(self.grid.edges, values, side="right")
            return np.asarray(found, dtype=np.int32)
        with np.errstate(over="ignore"):  # far outside: the last cell of its side
            cells = (values - table.low) * table.per_unit
        np.clip(cells, 0, CELLS - 1, out=cells)
        with np.errstate(invalid="ignore"):  # NaN has any cell and is placed after
            bins = table.bins[cells.astype(np.int32) & (CELLS - 1)]
        bins += values >= table.tops[bins]
        return np.asarray(bins)


def _table(edges: Floats) -> _Table | None:
    """The look-up table, or ``None`` where edges lie too close for it."""
    if len(edges) < 2:
        return None
    low, high = float(edges[0]), float(edges[-1])
    width = (high - low) / CELLS
    finest = max(abs(low), abs(high)) * FINEST
    if not np.isfinite(width) or width <= finest or not np.isfinite(1.0 / width):
        return None
    lefts = low + np.arange(CELLS) * width
    # A cell reaches a little over its ends: rounding may put a value next door.
    slack = width * 1e-3
    below = np.searchsorted(edges, lefts - slack, side="right").astype(np.int32)
    above = np.searchsorted(edges, lefts + width + slack, side="right")
    if (above - below > 1).any():
        return None
    return _Table(low, 1.0 / width, below, np.r_[edges, np.inf])


def as_floats(values: pa.Array | pa.ChunkedArray) -> Floats:
    """Numbers as float64 with NaN for null."""
    found: Any = (
        values.to_numpy(zero_copy_only=False)
        if isinstance(values, pa.Array)
        else values.to_numpy()
    )
    return np.asarray(found, dtype=np.float64)


def _categories(grid: CategoryGrid, values: pa.Array | pa.ChunkedArray) -> Bins:
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    if not pa.types.is_dictionary(values.type):
        values = pc.dictionary_encode(values)
    places = {name: i for i, name in enumerate(grid.categories)}
    other, unseen, missing = grid.bins, grid.bins + 1, grid.bins + 2
    names = values.dictionary.to_pylist()
    of_name = np.array(
        [
            missing
            if name is None
            else places.get(name, other if grid.full or name in grid.known else unseen)
            for name in names
        ]
        + [missing],
        dtype=np.int32,
    )
    codes = values.indices.fill_null(len(names)).to_numpy(zero_copy_only=False)
    return np.asarray(of_name[codes], dtype=np.int32)
