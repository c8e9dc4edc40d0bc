"""Counts merged into windows: what every measure, score and verdict is made of.

Built from stored rows (``data/inference_lake.py``) or from a profile in memory; the
same numbers either way. Merging is adding.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from data.grids import Grid, Ints
from data.model_records import ModelSpec
from data.outcomes import DELAY_BINS, class_shape, confusion_shape, sum_names
from data.profiles import ALL, HistogramRow, OutcomeRow

Floats = npt.NDArray[Any]


@dataclass(frozen=True)
class Counts:
    """Histograms by window: column -> shape (windows, bins of the column)."""

    windows: int
    columns: Mapping[str, Ints]

    def rows(self, column: str) -> Ints:
        """Rows of each window, shape (windows,)."""
        found = self.columns.get(column)
        if found is None:
            return np.zeros(self.windows, dtype=np.int64)
        return np.asarray(found.sum(axis=1))


@dataclass(frozen=True)
class Cells:
    """Performance cells by window.

    cells: task -> (windows, cells of the task); sums: task -> (windows, sums). See
    ``data/outcomes.py`` for the shapes behind the flat last axis.
    """

    windows: int
    cells: Mapping[str, Ints]
    sums: Mapping[str, Floats] = field(default_factory=dict)

    def confusion(self, spec: ModelSpec) -> Ints:
        """Shape (windows, classes + 1, classes + 2): predicted × true."""
        shape = confusion_shape(spec)
        flat = self.cells.get("all", np.zeros((self.windows, shape[0] * shape[1]), int))
        return flat.reshape(self.windows, *shape)

    def of_class(self, task: int) -> Ints:
        """Shape (windows, score bins, 2, 3) of the task's class."""
        flat = self.cells.get(f"class:{task}", np.zeros((self.windows, 24), int))
        return flat.reshape(self.windows, *class_shape(flat.shape[1] // 6))

    def totals(self, kind: str) -> Mapping[str, Floats]:
        """The named sums, each of shape (windows,)."""
        names = sum_names(kind)
        found = self.sums.get("all", np.zeros((self.windows, len(names))))
        return {name: found[:, i] for i, name in enumerate(names)}


def cell_sizes(spec: ModelSpec, grid: Grid) -> dict[str, tuple[int, int]]:
    """Length of cells and of sums of every task of a model."""
    if spec.kind == "regression":
        sizes = {"all": (0, len(sum_names(spec.kind)))}
    else:
        shape = confusion_shape(spec)
        sizes = {"all": (shape[0] * shape[1], len(sum_names(spec.kind)))}
        for number, name in enumerate(spec.tasks):
            key = f"s{spec.scored.index(name)}" if name in spec.scored else ""
            bins = grid.columns[key].size if key in grid.columns else 4
            sizes[f"class:{number}"] = (bins * 6, 0)
    for name, column in grid.columns.items():
        if name.startswith("f"):
            size = int(column.coarse_of[-1]) + 1
            sizes[f"local:{name}"] = (size, size)
    sizes["delay"] = (DELAY_BINS, 0)
    return sizes


def counts_of(
    grid: Grid, rows: Iterable[HistogramRow], windows: int, segment: str = ALL
) -> Counts:
    """Merge the rows of a profile; their buckets are the windows."""
    columns = {
        n: np.zeros((windows, g.size), np.int64) for n, g in grid.columns.items()
    }
    for row in rows:
        if row.segment == segment and row.column in columns:
            columns[row.column][row.bucket, row.bins] += row.counts
    return Counts(windows, columns)


def cells_of(
    spec: ModelSpec,
    grid: Grid,
    rows: Iterable[OutcomeRow],
    windows: int,
    segment: str = ALL,
) -> Cells:
    """Merge the performance rows of a profile; their buckets are the windows."""
    sizes = cell_sizes(spec, grid)
    cells = {t: np.zeros((windows, n), np.int64) for t, (n, _) in sizes.items()}
    sums = {t: np.zeros((windows, n)) for t, (_, n) in sizes.items()}
    for row in rows:
        if row.segment != segment or row.task not in sizes:
            continue
        cells[row.task][row.bucket, row.cells] += row.counts
        if len(row.sums):
            sums[row.task][row.bucket] += row.sums
    return Cells(windows, cells, sums)
