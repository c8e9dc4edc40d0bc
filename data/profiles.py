"""Counts of a model's rows by bucket and segment: the partial of every drift question.

Rows are binned batch by batch into dense arrays that only ever add up. What comes out
are sparse rows for the lake: histograms of every column, and performance cells of the
predictions with their labels. A reference is profiled by the same code, as one bucket.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from data.binning import Binner, Bins
from data.grids import Grid, Ints
from data.model_records import LABEL, ModelSpec
from data.outcomes import Outcomes

PREDICTION = "prediction"
ALL = ""
"""The segment of all rows."""


@dataclass(frozen=True)
class HistogramRow:
    """Counts of one column in one bucket of one segment: the bins that are not 0."""

    column: str
    segment: str
    bucket: int
    rows: int
    bins: Ints
    counts: Ints


@dataclass(frozen=True)
class OutcomeRow:
    """Performance cells and sums of one task; see ``data/outcomes.py``."""

    task: str
    segment: str
    bucket: int
    cells: Ints
    counts: Ints
    sums: npt.NDArray[np.float64]


class Profiler:
    """Counts batches of one model version on one grid.

    Args:
        spec: the model.
        grid: the frozen bins.
        buckets: how many buckets there are; a batch names each row's own.
        segmented: whether to count the declared segments apart.
    """

    def __init__(
        self, spec: ModelSpec, grid: Grid, buckets: int, *, segmented: bool = True
    ) -> None:
        self._spec = spec
        self._grid = grid
        self._buckets = buckets
        self._binners = {name: Binner(g) for name, g in grid.columns.items()}
        self._splits: list[tuple[str, tuple[str, ...]]] = [("", ())]
        if segmented:
            self._splits += list(grid.segments.items())
        self._counts: dict[tuple[str, str], Ints] = {}
        self._outcomes = Outcomes(spec, grid, buckets)

    def add(self, batch: pa.Table | pa.RecordBatch, bucket: Ints) -> None:
        """Count the rows of a batch.

        Args:
            batch: canonical columns; what is absent is not counted. ``label`` (null =
                not there yet), ``delay_s``, ``estimated_abs`` and
                ``estimated_squared`` are optional.
            bucket: shape (n,), the bucket of each row.
        """
        names = set(batch.schema.names)
        bins = {n: b(batch[n]) for n, b in self._binners.items() if n in names}
        places = [self._place(batch, split, bucket) for split in self._splits]
        for name, found in bins.items():
            if name == LABEL:
                labelled = np.asarray(batch[LABEL].is_valid())
                self._count(name, found[labelled], [p[labelled] for p in places])
            else:
                self._count(name, found, places)
        widths = [len(values) + 1 for _, values in self._splits]
        for (column, _), place, width in zip(self._splits, places, widths, strict=True):
            self._outcomes.add(batch, bins, column, place, width, bucket)

    def _place(
        self,
        batch: pa.Table | pa.RecordBatch,
        split: tuple[str, tuple[str, ...]],
        bucket: Ints,
    ) -> Ints:
        """Bucket and segment value of each row as one number."""
        column, values = split
        if not column:
            return bucket
        codes = _codes(batch[column], values)
        return np.asarray(bucket * (len(values) + 1) + codes, dtype=np.int64)

    def _count(self, name: str, bins: Bins, places: Sequence[Ints]) -> None:
        size = self._grid.columns[name].size
        for (column, values), place in zip(self._splits, places, strict=True):
            length = self._buckets * (len(values) + 1) * size
            new = np.bincount(place * size + bins, minlength=length)
            known = self._counts.get((name, column))
            self._counts[name, column] = new if known is None else known + new

    def histograms(self) -> Iterator[HistogramRow]:
        """What was counted, one row for each column, segment and bucket with rows."""
        splits = dict(self._splits)
        for (name, column), flat in self._counts.items():
            values = splits[column]
            size = self._grid.columns[name].size
            dense = flat.reshape(self._buckets, len(values) + 1, size)
            shown = values if column else ("",)
            for place, value in enumerate(shown):
                segment = f"{column}={value}" if column else ALL
                yield from _rows(name, segment, dense[:, place])

    def outcomes(self) -> Iterator[OutcomeRow]:
        """The performance cells, one row for each task, segment and bucket."""
        splits = dict(self._splits)
        for task, column, bucket, place, cells, counts, sums in self._outcomes.rows():
            if column and place >= len(splits[column]):
                continue
            segment = f"{column}={splits[column][place]}" if column else ALL
            yield OutcomeRow(task, segment, bucket, cells, counts, sums)


def _rows(name: str, segment: str, dense: Ints) -> Iterator[HistogramRow]:
    for bucket in np.flatnonzero(dense.any(axis=1)):
        bins = np.flatnonzero(dense[bucket])
        counts = dense[bucket, bins]
        yield HistogramRow(name, segment, int(bucket), int(counts.sum()), bins, counts)


def _codes(values: pa.Array | pa.ChunkedArray, known: Sequence[str]) -> Ints:
    """The place of each value among ``known``; its length for all others."""
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    encoded = values.dictionary_encode()
    places = {name: i for i, name in enumerate(known)}
    of_name = [places.get(n, len(known)) for n in encoded.dictionary.to_pylist()]
    table = np.array([*of_name, len(known)], dtype=np.int64)
    codes = encoded.indices.fill_null(len(of_name)).to_numpy(zero_copy_only=False)
    return np.asarray(table[codes], dtype=np.int64)


def profile_reference(
    spec: ModelSpec, grid: Grid, batches: Iterable[pa.RecordBatch]
) -> Profiler:
    """The profile of a reference: all its rows in one bucket."""
    profiler = Profiler(spec, grid, 1)
    for batch in batches:
        profiler.add(batch, np.zeros(batch.num_rows, dtype=np.int64))
    return profiler


def dense(size: int, bins: Ints, counts: Ints) -> Ints:
    """A sparse row as its full array of ``size`` bins."""
    full = np.zeros(size, dtype=np.int64)
    full[bins] = counts
    return full


Sums = Mapping[str, float]
