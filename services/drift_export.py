"""What the Drift tab draws, for other programs: rows, and the Python that asks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from services.drift_views import DriftView
from services.exports import Table, file_name

COLUMNS = (
    "feature",
    "start",
    "end",
    "rows",
    "measure",
    "value",
    "expected",
    "p",
    "state",
    "missing_share",
    "harm",
)


@dataclass(frozen=True)
class DriftItem:
    """One feature in one window, as drawn. ``rows``: with a value."""

    feature: str
    start: datetime
    end: datetime
    rows: int
    measure: str
    value: float | None
    expected: float | None
    p: float | None
    state: str
    missing_share: float | None
    harm: float | None


def items(
    view: DriftView, harm: dict[tuple[str, datetime], float | None]
) -> tuple[DriftItem, ...]:
    """The cells of the heat map, feature by feature in its order, oldest first.

    Args:
        view: what is drawn.
        harm: by feature and start of the window.
    """
    return tuple(
        DriftItem(
            feature=row.name,
            start=window.start,
            end=window.end,
            rows=cell.rows,
            measure=view.measure,
            value=cell.value,
            expected=cell.expected,
            p=cell.p,
            state=cell.state,
            missing_share=cell.missing,
            harm=harm.get((row.name, window.start)),
        )
        for row in view.features
        for window, cell in zip(view.windows, row.cells, strict=True)
    )


def table(view: DriftView, rows: tuple[DriftItem, ...]) -> Table:
    """The rows as a file; its name says what it holds."""
    span = (f"{view.start:%Y%m%d}", f"{view.end:%Y%m%d}")
    name = file_name(view.query.model, view.version, "drift", view.measure, *span)
    return Table(
        name,
        COLUMNS,
        (tuple(getattr(row, column) for column in COLUMNS) for row in rows),
    )


def snippet(view: DriftView) -> str:
    """Python that fetches and draws the same."""
    asked = {
        "version": view.version,
        "measure": view.measure,
        "window": view.window,
        "segment": view.query.segment,
        "reference": view.reference,
        "from_": _utc(view.start),
        "to": _utc(view.end),
    }
    given = "".join(
        f"    {name}={value!r},\n" for name, value in asked.items() if value
    )
    return (
        "import plotly.graph_objects as go\n"
        "from iotsphere_client import drift\n\n"
        f"scores = drift(\n    {view.query.model!r},\n{given})\n"
        'wide = scores.pivot(index="feature", columns="start", values="value")\n'
        'order = scores["feature"].drop_duplicates()  # most harmful first\n'
        "wide = wide.loc[order[::-1]]\n"
        "figure = go.Figure(go.Heatmap(z=wide.values, x=wide.columns, y=wide.index))\n"
        f'figure.update_layout(title="Drift of {view.query.model}, {view.measure}")\n'
        "figure.show()\n"
    )


def _utc(when: datetime) -> str:
    return when.isoformat().replace("+00:00", "Z")
