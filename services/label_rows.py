"""Labels and references in canonical columns."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from data.model_records import LABEL, Model
from services.arrow_values import times
from services.deliveries import StagedFiles
from services.errors import InvalidInput
from services.inference_rows import (
    OLDEST,
    Rows,
    canonical,
    names_once,
    outcome,
    prediction_ids,
    report,
    stamp,
)

FEWEST_REFERENCE_ROWS = 100
KNOWN_AT = ("known_at", "label_ts")
"""Column names under which a sender may say when a label was known."""


def label_rows(model: Model, table: pa.Table, now: datetime) -> Rows:
    """Labels in canonical columns.

    Raises:
        InvalidInput: the id or the label column is missing, or a name stands twice.
    """
    columns, names = model.spec.columns, names_once(table)
    label = columns.label if columns.label and columns.label in names else LABEL
    absent = ", ".join(n for n in (columns.id, label) if n not in names)
    if absent:
        raise InvalidInput(
            f"This is no file of labels of {model.spec.name}: it lacks {absent}. "
            f"It has {', '.join(names[:8])}."
        )
    rows = Rows({})
    rows.columns["prediction_id"] = prediction_ids(rows, table[columns.id])
    rows.columns["label"] = outcome(rows, model.spec, table[label], "label")
    told = next((n for n in KNOWN_AT if n in names), None)
    known = _known_at(table[told] if told else None, table.num_rows, now)
    rows.columns["known_at"] = pa.array(known, pa.timestamp("us"))
    return rows


def _known_at(
    values: pa.ChunkedArray | None, rows: int, now: datetime
) -> npt.NDArray[np.datetime64]:
    """When each label was known: now, where that is not told or cannot be."""
    present = stamp(now)
    if values is None:
        return np.full(rows, present)
    stamps = times(values)
    possible = (stamps >= stamp(OLDEST)) & (stamps <= present)
    return np.where(possible, stamps, present)


def labels_beside(model: Model, table: pa.Table, rows: Rows, files: StagedFiles) -> int:
    """Stage the labels that came in the rows of their predictions; how many.

    A label that is no value of the model's kind is left out, and told in
    ``rows.changed``.
    """
    name = model.spec.columns.label
    if name is None or name not in table.schema.names:
        return 0
    quiet = Rows({}, dict(rows.reasons))
    label = outcome(quiet, model.spec, table[name], "label")
    quiet.columns = {
        "prediction_id": rows.columns["prediction_id"],
        "label": label,
        "known_at": rows.columns["ts"],
    }
    found = quiet.table(table.num_rows)
    rows.changed += quiet.changed
    files.add("labels", found)
    return int(found.num_rows)


def reference_rows(
    model: Model, tables: Iterable[pa.Table], now: datetime
) -> tuple[pa.Table, list[str]]:
    """The whole reference in canonical columns, and what is to be said of it."""
    portions, refused, notes = [], 0, []
    for table in tables:
        found = report(model.spec, table, reference=True)
        rows = canonical(model.spec, table, "", now, reference=True)
        refused += len(rows.reasons)
        portions.append(rows.table(table.num_rows))
        if found.missing:
            notes.append(f"columns missing: {', '.join(found.missing)}")
    whole = (
        # A portion may lack the label that the others have.
        pa.concat_tables(portions, promote_options="default")
        if portions
        else pa.table({})
    )
    if whole.num_rows < FEWEST_REFERENCE_ROWS:
        raise InvalidInput(
            f"A reference needs at least {FEWEST_REFERENCE_ROWS} rows to judge by; "
            f"this one has {whole.num_rows} that can be taken ({refused} refused)."
        )
    if refused:
        notes.append(f"{refused:,} rows refused")
    if LABEL not in whole.schema.names:
        notes.append("no labels: performance cannot be estimated against it")
    return whole, list(dict.fromkeys(notes))
