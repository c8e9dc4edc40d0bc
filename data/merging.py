"""Stored counts: how a row holds them, and how rows add up to windows.

``bins`` and ``counts`` are 32-bit numbers as bytes, since a column of lists takes three
times as long to read. A row without ``bins`` has a count for every bin from the first
on, which is the shorter form where most bins are filled.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from data.grids import Ints

Floats = npt.NDArray[np.float64]
NUMBER = np.dtype("<u4")


def packed(rows: Iterable[tuple[Ints, Ints]]) -> tuple[pa.Array, pa.Array]:
    """Filled bins, rising, and their counts as the columns ``bins`` and ``counts``."""
    bins, counts = [], []
    for filled, found in rows:
        all_bins = len(filled) > 0 and 2 * len(filled) > filled[-1]
        if all_bins:
            dense = np.zeros(filled[-1] + 1, dtype=NUMBER)
            dense[filled] = found
        bins.append(b"" if all_bins else filled.astype(NUMBER).tobytes())
        counts.append(dense.tobytes() if all_bins else found.astype(NUMBER).tobytes())
    return pa.array(bins, pa.binary()), pa.array(counts, pa.binary())


def unpacked(bins: bytes, counts: bytes) -> tuple[Ints, Ints]:
    """The bins of one row and their counts."""
    found = np.frombuffer(counts, NUMBER)
    return np.frombuffer(bins, NUMBER) if bins else np.arange(len(found)), found


def merged(
    table: pa.Table, name: str, sizes: Mapping[str, int], edges: Sequence[datetime]
) -> dict[str, Ints]:
    """Add stored rows up.

    Args:
        table: rows with the columns ``name``, ``ts``, ``bins`` and ``counts``.
        name: the column that says what a row counts.
        sizes: what is wanted, and how many bins it has.
        edges: of the windows, naive or UTC, one more than there are.

    Returns:
        Each of ``sizes`` as shape (windows, bins).
    """
    windows = len(edges) - 1
    starts = np.cumsum([0, *(windows * size for size in sizes.values())])
    flat = np.zeros(int(starts[-1]), dtype=np.int64)
    table, codes = _wanted(table, name, sizes)
    if table.num_rows:
        width = np.array(list(sizes.values()), dtype=np.int64)[codes]
        base = starts[codes] + window_places(table, edges) * width
        place, counts = _spread(table, base)
        # Sums of counts are whole numbers far below 2^53: exact in 64-bit floats.
        flat = np.bincount(place, counts, len(flat)).astype(np.int64)
    return {
        n: flat[starts[i] : starts[i + 1]].reshape(windows, size)
        for i, (n, size) in enumerate(sizes.items())
    }


def summed(
    table: pa.Table, sizes: Mapping[str, int], edges: Sequence[datetime]
) -> dict[str, Floats]:
    """Add the sums of each task up into windows; see ``merged``.

    Sums are only ever appended: rows that are older than some of them have fewer.
    """
    windows = len(edges) - 1
    found = {task: np.zeros((windows, size)) for task, size in sizes.items()}
    table, codes = _wanted(table, "task", sizes)
    if not table.num_rows:
        return found
    sums = table["sums"].combine_chunks()
    values, places = np.asarray(sums.flatten()), window_places(table, edges)
    lengths = np.asarray(pc.list_value_length(sums))
    first = np.cumsum(lengths) - lengths
    for code, (task, size) in enumerate(sizes.items()):
        mine = codes == code
        for length in np.unique(lengths[mine]):
            own, known = np.flatnonzero(mine & (lengths == length)), min(length, size)
            rows = values[first[own][:, np.newaxis] + np.arange(known)]
            np.add.at(found[task][:, :known], places[own], rows)
    return found


def window_places(table: pa.Table, edges: Sequence[datetime]) -> Ints:
    """The window of each stored row."""
    bounds = [edge.astimezone(UTC).replace(tzinfo=None) for edge in edges]
    stamps = table["ts"].to_numpy().astype("datetime64[us]")
    found = np.searchsorted(np.array(bounds, "datetime64[us]"), stamps, side="right")
    return np.asarray(found - 1)


def _wanted(
    table: pa.Table, name: str, sizes: Mapping[str, int]
) -> tuple[pa.Table, Ints]:
    """The rows of what is wanted, and the place of each among ``sizes``."""
    if not table.num_rows:
        return table, np.zeros(0, dtype=np.int64)
    encoded = table[name].combine_chunks().dictionary_encode()
    places = {wanted: place for place, wanted in enumerate(sizes)}
    of_name = [places.get(n, -1) for n in encoded.dictionary.to_pylist()]
    codes = np.array(of_name)[encoded.indices.to_numpy()]
    keep = codes >= 0
    if not keep.all():
        table, codes = table.filter(pa.array(keep)), codes[keep]
    return table, codes


def _spread(table: pa.Table, base: Ints) -> tuple[Ints, Ints]:
    """The place of every stored number, and the numbers; ``base``: of a first bin."""
    bins, bin_lengths = _numbers(table["bins"])
    counts, lengths = _numbers(table["counts"])
    first = np.cumsum(lengths) - lengths
    place = np.repeat(base - first, lengths)
    place += np.arange(len(counts))
    if len(bins):
        sparse = bin_lengths > 0
        own = np.repeat(base[sparse], lengths[sparse]) + bins
        place[np.repeat(sparse, lengths)] = own
    return place, counts


def _numbers(column: pa.ChunkedArray) -> tuple[Ints, Ints]:
    """All numbers of a column of bytes, and how many each row has."""
    array = column.combine_chunks()
    _, offsets, data = array.buffers()
    ends = np.frombuffer(offsets, np.int32)[array.offset :][: len(array) + 1]
    size = NUMBER.itemsize
    if data is None:
        return np.zeros(0, dtype=NUMBER), np.zeros(len(array), dtype=np.int64)
    found = np.frombuffer(data, NUMBER, (ends[-1] - ends[0]) // size, int(ends[0]))
    return found, np.diff(ends) // size
