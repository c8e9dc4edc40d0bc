"""The parts pages are built of: cards, chips, states, tables, charts."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from dashboards import text
from dashboards.figures.theme import Figure
from services.units import Preferences

GRAPH_CONFIG: Mapping[str, Any] = {
    "showSendToCloud": False,
    "displaylogo": False,
    "displayModeBar": False,
    "responsive": True,
}

CHIP_ICONS: Mapping[str, str] = {
    "good": "check-circle-fill",
    "watch": "exclamation-triangle-fill",
    "bad": "x-octagon-fill",
    "high": "exclamation-diamond-fill",
    "info": "info-circle-fill",
    "unknown": "question-circle",
    "paused": "pause-circle",
    "pending": "hourglass-split",
}
"""Kind of a status -> its shape, so that colour never stands alone."""

CONNECTIVITY: Mapping[str, tuple[str, str]] = {
    "online": ("good", "Online"),
    "late": ("watch", "Late"),
    "offline": ("bad", "Offline"),
    "never": ("unknown", "Never seen"),
}
SEVERITY: Mapping[str, tuple[str, str]] = {
    "critical": ("bad", "Critical"),
    "high": ("high", "High"),
    "medium": ("watch", "Medium"),
    "low": ("info", "Low"),
    "info": ("info", "Info"),
}


def aria(**values: str) -> dict[str, Any]:
    """Attributes for screen readers: ``aria(label="Views")``."""
    return {f"aria-{name}": value for name, value in values.items()}


def icon(name: str) -> Component:
    """A Bootstrap icon that says nothing to a screen reader."""
    return html.I(className=f"bi bi-{name}", **aria(hidden="true"))


def hidden(words: str) -> Component:
    """Words for screen readers only."""
    return html.Span(words, className="visually-hidden")


def graph(graph_id: str | dict[str, str], figure: Figure, **config: Any) -> Component:
    """The only maker of graphs: no cloud button, no logo, no mode bar."""
    settings: Any = {**GRAPH_CONFIG, **config}  # Dash types it as its own dict
    height = figure.get("layout", {}).get("height")
    return dcc.Graph(
        id=graph_id,
        figure=figure,
        config=settings,
        responsive=True,
        className="chart",
        style={"height": f"{height}px"} if height else None,
    )


def chart(
    graph_id: str | dict[str, str],
    figure: Figure,
    summary: str,
    table: Component | None = None,
) -> Component:
    """A graph with its text alternative.

    Args:
        graph_id: id of the graph.
        figure: the figure as a plain dict.
        summary: one sentence with what the chart says, numbers included.
        table: the values as a table, for those who cannot see the chart.
    """
    picture = html.Div(graph(graph_id, figure), role="img", **aria(label=summary))
    spoken = html.Div(table or summary, className="visually-hidden")
    return html.Div([picture, spoken], className="chart-block")


def card(
    title: str | Component | None,
    *children: Any,
    actions: Any = None,
    class_name: str = "",
) -> Component:
    """A titled section of a page."""
    head = None
    if title is not None:
        head = html.Div(
            [html.H2(title, className="card-title"), actions], className="card-head"
        )
    return html.Section(
        [head, *children] if head else list(children),
        className=f"panel {class_name}".strip(),
    )


def chip(kind: str, word: str) -> Component:
    """A status as shape, colour and word; ``kind`` is a key of ``CHIP_ICONS``."""
    return html.Span(
        [icon(CHIP_ICONS[kind]), html.Span(word)], className=f"chip chip-{kind}"
    )


def connectivity_chip(state: str) -> Component:
    """The chip of online, late, offline or never."""
    return chip(*CONNECTIVITY[state])


def severity_chip(severity: str) -> Component:
    """The chip of a severity."""
    return chip(*SEVERITY[severity])


def simulated_badge() -> Component:
    """Says that the values come from a simulator, not from a device."""
    return html.Span(
        "simulated",
        className="tag tag-simulated",
        title="These readings come from a simulator, not from a real device",
    )


def tag(word: str) -> Component:
    """A small neutral label."""
    return html.Span(word, className="tag")


def moment(when: datetime | None, now: datetime, prefs: Preferences) -> Component:
    """How old something is, with the exact local time on hover."""
    if when is None:
        return html.Span("never", className="age")
    return html.Time(
        text.age(when, now),
        dateTime=when.isoformat(),
        title=text.local_time(when, prefs, seconds=True),
        className="age",
    )


def fact(name: str, value: Any, note: Any = None) -> Component:
    """A name with its value, for lists of facts inside ``facts``."""
    shown = text.NO_DATA if value is None or value == "" else value
    return html.Div([html.Dt(name), html.Dd([shown, note] if note else shown)])


def facts(*rows: Component) -> Component:
    """A list of ``fact`` rows."""
    return html.Dl(list(rows), className="facts")


def figure_tile(name: str, value: str, note: Any = None) -> Component:
    """One large number with its name: the tiles at the top of a page."""
    return html.Div(
        [
            html.Div(name, className="tile-name"),
            html.Div(value, className="tile-value"),
            html.Div(note, className="tile-note") if note else None,
        ],
        className="tile",
    )


def tiles(*shown: Component) -> Component:
    """Tiles side by side, as many in a row as fit."""
    return html.Div(list(shown), className="tiles")


def empty_state(title: str, advice: Any, action: Component | None = None) -> Component:
    """Nothing to show, and what to do about it."""
    return html.Div(
        [icon("inbox"), html.P(title, className="state-title"), html.P(advice), action],
        className="state",
    )


def error_state(message: str, reference: str | None = None) -> Component:
    """Something failed: what, and the number to quote when asking for help."""
    note = (
        html.P(["Reference ", html.Code(reference)], className="state-note")
        if reference
        else None
    )
    return html.Div(
        [icon("exclamation-triangle"), html.P(message, className="state-title"), note],
        className="state state-error",
        role="alert",
    )


def skeleton(height: int, lines: int = 1) -> Component:
    """Room kept for what is being loaded; shows itself after 300 ms.

    Args:
        height: pixels of each block, the height of what will come.
        lines: number of blocks.
    """
    blocks = [
        html.Div(className="skeleton", style={"height": f"{height}px"})
        for _ in range(lines)
    ]
    return html.Div([*blocks, hidden("Loading")], className="skeletons")


def data_table(
    caption: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    *,
    numeric: Collection[int] = (),
    show_caption: bool = False,
) -> Component:
    """A table that scrolls sideways on its own on a narrow screen.

    Args:
        caption: what the table holds; read out, and shown if ``show_caption``.
        columns: the column titles, units included.
        rows: cells as text or components, in the order of ``columns``.
        numeric: indices of the columns that are aligned as numbers.
        show_caption: whether the caption is visible.
    """
    classes = ["number" if i in numeric else "" for i in range(len(columns))]
    head = [
        html.Th(c, scope="col", className=k)
        for c, k in zip(columns, classes, strict=True)
    ]
    body = [
        html.Tr([html.Td(c, className=k) for c, k in zip(row, classes, strict=True)])
        for row in rows
    ]
    return html.Div(
        html.Table(
            [
                html.Caption(
                    caption, className="" if show_caption else "visually-hidden"
                ),
                html.Thead(html.Tr(head)),
                html.Tbody(body),
            ],
            className="data-table",
        ),
        className="table-scroll",
        role="region",
        tabIndex=0,
        **aria(label=caption),
    )


def toast(kind: str, title: str, message: str, key: str) -> Component:
    """A message that goes away by itself unless it is bad news.

    ``key`` is another one for every message: else a new message would inherit
    the time the one before has left.
    """
    return html.Div(
        dbc.Toast(
            message,
            header=[chip(kind, title)],
            is_open=True,
            dismissable=True,
            duration=None if kind == "bad" else 6000,
        ),
        key=key,
    )


def svg_image(
    svg: str, alt: str, class_name: str = "", title: str | None = None
) -> Component:
    """An SVG drawing as an image, which can run nothing; ``title``: on hovering."""
    source = f"data:image/svg+xml,{quote(svg)}"
    if title is None:
        return html.Img(src=source, alt=alt, className=class_name)
    return html.Img(src=source, alt=alt, className=class_name, title=title)
