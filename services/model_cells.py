"""Cells of a model's files: decimal commas, and arrays that are coded."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from data.model_records import LABEL, ModelSpec
from services.imports.values import numbers

AMBIGUOUS = "{cell} (a thousand or a fraction?)"


def numeric_columns(spec: ModelSpec) -> frozenset[str]:
    """Columns whose cells are numbers."""
    names = {f.name for f in spec.features if f.type == "numeric"}
    names |= set(spec.columns.scores.values())
    if spec.kind == "regression":
        names |= {spec.columns.prediction, spec.columns.label or LABEL, LABEL}
    return frozenset(names)


def with_points(column: pa.ChunkedArray) -> pa.Array:
    """Texts with decimal commas as numbers, or texts with points where some are none.

    A single group behind a point, as 1.234, may be either: it is left to be refused.
    """
    cells = pa.concat_arrays([c.cast(pa.string()) for c in column.chunks])
    found, bad = numbers(cells, ",")
    if not bad.any():
        return pa.array(found, pa.float64(), from_pandas=True)
    texts: list[str | None] = []
    for value, wrong, cell in zip(found, bad, cells.to_pylist(), strict=True):
        if not wrong:
            texts.append(None if np.isnan(value) else repr(float(value)))
        else:
            doubt = cell is not None and "." in cell
            texts.append(AMBIGUOUS.format(cell=cell) if doubt else cell)
    return pa.array(texts, pa.string())


def decoded(array: pa.Array) -> pa.Array:
    """An array whose values stand in it, not in a dictionary beside it."""
    is_coded = pa.types.is_dictionary(array.type)
    return array.dictionary_decode() if is_coded else array
