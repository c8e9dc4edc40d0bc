"""Labels and references in canonical columns."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import numpy as np
import pyarrow as pa

from data.model_records import LABEL, Model
from services.deliveries import StagedFiles
from services.errors import InvalidInput
from services.arrow_values import times
from services.inference_rows import Rows, canonical, outcome, prediction_ids, report

FEWEST_REFERENCE_ROWS = 100
KNOWN_AT = ("known_at", "label_ts")
"""Column names under which a sender may say when a label was known."""


def label_rows(model: Model, table: pa.Table, now: datetime) -> Rows:
    """Labels in canonical columns.

    Raises:
        InvalidInput: the id or the label column is missing.
    """
    columns, names = model.spec.columns, table.schema.names
    label = columns.label if columns.label in names else LABEL
    absent = [n for n in (columns.id, label or LABEL) if n not in names]
    if absent or label is None:
        raise InvalidInput(
            f"This is no file of labels of {columns.id}: it lacks {', '.join(absent)}. "
            f"It has {', '.join(names[:8])}."
        )
    rows = Rows({})
    ids = as_text(table[columns.id])
    rows.columns["prediction_id"] = ids
    lengths = pc.fill_null(pc.utf8_length(ids), 0).to_numpy(zero_copy_only=False)
    rows.refuse(lengths == 0, "it has no prediction id")
    rows.columns["label"] = outcome(rows, model.spec, table[label], "label")
    known = np.full(table.num_rows, np.datetime64(now.replace(tzinfo=None), "us"))
    told = next((n for n in KNOWN_AT if n in names), None)
    if told is not None:
        stamps = times(table[told])
        known = np.where(np.isnat(stamps), known, stamps)
    rows.columns["known_at"] = pa.array(known, pa.timestamp("us"))
    return rows


def labels_beside(model: Model, table: pa.Table, rows: Rows, files: StagedFiles) -> int:
    """Stage the labels that came in the rows of their predictions; how many."""
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
    whole = pa.concat_tables(portions) if portions else pa.table({})
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
