"""The grid of a reference: bins for every column a model has."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
import pyarrow.compute as pc

from data.binning import as_floats
from data.grids import CategoryGrid, ColumnGrid, Grid, category_grid, numeric_grid
from data.model_records import LABEL, ModelSpec

THREADS = 2
MOST_SEGMENTS = 20
"""Values of a segment column that are counted apart, the most frequent ones."""


def reference_grid(spec: ModelSpec, table: pa.Table) -> Grid:
    """Freeze the bins of a reference.

    Args:
        spec: the model.
        table: its reference rows in canonical columns; ``label`` where known.
    """
    names = set(table.schema.names)
    sent = {
        f"f{place}": feature.type == "numeric"
        for place, feature in enumerate(spec.features)
        if not feature.retired and f"f{place}" in names
    }
    with ThreadPoolExecutor(THREADS) as threads:  # sorting leaves the others running
        found = threads.map(_grid, map(table.column, sent), sent.values())
    columns = dict(zip(sent, found, strict=True))
    for place in range(len(spec.scored)):
        if f"s{place}" in names:
            columns[f"s{place}"] = numeric_grid(as_floats(table[f"s{place}"]))
    for key in ("prediction", LABEL):
        if spec.kind != "regression":
            columns[key] = CategoryGrid(spec.classes)
        elif key in names and len(table[key].drop_null()):
            columns[key] = numeric_grid(as_floats(table[key]))
        else:
            columns[key] = numeric_grid(as_floats(table["prediction"]))
    segments = {
        f"g{place}": _values(table[f"g{place}"])
        for place in range(len(spec.segments))
        if f"g{place}" in names
    }
    return Grid(columns, segments)


def _grid(values: pa.ChunkedArray, numeric: bool) -> ColumnGrid:
    return numeric_grid(as_floats(values)) if numeric else category_grid(values)


def _values(values: pa.ChunkedArray) -> tuple[str, ...]:
    counted = pc.value_counts(values.drop_null())
    names = counted.field("values").to_pylist()
    counts = counted.field("counts").to_pylist()
    ranked = sorted(zip(names, counts, strict=True), key=lambda p: (-p[1], p[0]))
    return tuple(name for name, _ in ranked[:MOST_SEGMENTS])
