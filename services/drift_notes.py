"""What must be said beside the heat map: what is missing, and what limits it."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np

from data.counts import Counts
from data.grids import NumericGrid
from services.drift_views import REFERENCES, DriftQuery
from services.monitoring.evidence import Inputs
from services.monitoring.scope import Scope
from services.monitoring.scores import Scores
from services.monitoring.words import count

NO_REFERENCE = (
    "This version has no reference to compare with. Set one with "
    "python cli.py reference set --model NAME FILE; predictions logged before are "
    "then compared as well."
)
MOST = 5


def no_rows(
    scope: Scope, span: tuple[datetime, datetime] | None, zone: ZoneInfo
) -> str:
    """Why a range holds nothing, and where the data are."""
    who = f"{scope.spec.name} version {scope.version}"
    if scope.segment_words:
        who += f", {scope.segment_words},"
    if span is None:
        return f"No predictions of {who} have been logged yet."
    first, last = (f"{day.astimezone(zone):%d %b %Y}" for day in span)
    return f"{who} has no predictions in this range; data go from {first} to {last}."


def problem(mode: str, reference: Counts) -> str | None:
    """Whether the chosen reference has anything to compare with."""
    rows = reference.rows("prediction")
    if rows.any():
        return None
    if mode == "pinned":
        return (
            "The reference holds no rows of this choice: choose all rows, or wait "
            "until the worker has counted it."
        )
    return (
        f"“{REFERENCES[mode]}” has no rows yet: there is not enough history. "
        "Choose the pinned reference."
    )


def reference_words(scope: Scope, windows: int) -> str:
    """What the shown cell is compared with."""
    if windows == 1 and scope.record is not None:
        return f"{scope.record.source} ({scope.record.created_at:%d %b %Y})"
    return "earlier windows of this model"


def notes(
    scope: Scope, query: DriftQuery, inputs: Inputs, scores: Scores, now: datetime
) -> tuple[str, ...]:
    """Sentences on what the numbers cannot say."""
    found = []
    if query.reference != "pinned":
        found.append(
            "Cells are compared with the chosen reference; verdicts and harm always "
            "with the pinned one."
        )
    if scope.record is not None and scope.record.version != scope.version:
        found.append(f"The reference is that of version {scope.record.version}.")
    if query.feature and query.feature not in {inputs.name(c) for c in inputs.columns}:
        found.append(f"There is no feature {query.feature}: the first one is shown.")
    if scope.segment:
        found.append("Harm is known for all rows together, not for a segment.")
    if not inputs.reference_cells.totals(inputs.spec.kind)["labelled"].any():
        found.append("The reference has no labels: harm cannot be told.")
    found += _columns(inputs)
    few = int(np.isin(scores.state, ["few"]).sum())
    if few:
        found.append(f"{count(few)} cells have too few rows to judge and are grey.")
    last = int(np.flatnonzero(inputs.windows.rows("prediction"))[-1])
    if scope.edges[last + 1] > now:
        found.append("The newest window is not over yet: it is judged as it is.")
    return tuple(found)


def _columns(inputs: Inputs) -> list[str]:
    """Features whose reference cannot show a move."""
    constant, empty, absent = [], [], []
    for place, feature in enumerate(inputs.spec.features):
        column = f"f{place}"
        if feature.retired:
            continue
        if column not in inputs.columns:
            absent.append(feature.name)
            continue
        grid = inputs.grid.columns[column]
        counts = inputs.reference.columns[column][0]
        end = grid.bins if isinstance(grid, NumericGrid) else grid.size - 1
        filled = int(np.count_nonzero(counts[:end]))
        if counts.sum() and not filled:
            empty.append(feature.name)
        elif filled == 1 and isinstance(grid, NumericGrid):
            constant.append(feature.name)
    said = [
        (absent, "not in the reference and cannot be compared"),
        (empty, "without any value in the reference and cannot be compared"),
        (constant, "constant in the reference: only missing values show there"),
    ]
    return [f"{_listed(names)}: {what}." for names, what in said if names]


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - MOST} more" if len(names) > MOST else ""
    return ", ".join(names[:MOST]) + more
