"""The History tab: what one heater did in a time range."""

from __future__ import annotations

from datetime import datetime, timedelta

from dash import dcc, html
from dash.development.base_component import Component

from dashboards import links, parts, ranges, text
from dashboards.figures.history_chart import HEIGHT, figure
from dashboards.figures.theme import wall_time
from dashboards.history_words import (
    event_table,
    heading,
    notes,
    period_table,
    spoken,
    tiles,
)
from dashboards.ids import ident
from services.history import HistoryView
from services.history_drawn import ENERGY, READINGS
from services.units import Preferences
from services.windows import DEFAULT_FROM, DEFAULT_TO, Window

TAB = "history"
OUT = "out"
"""Key of the address that holds the range a zoom came from: ``from,to``."""


class IDS:
    """The ids of the tab that callbacks name."""

    device = ident(TAB, "device")
    body = ident(TAB, "body")
    chart = ident(TAB, "chart")
    window = ident(TAB, "window")
    goto = ident(TAB, "goto")


def skeleton(device_id: str | None = None) -> Component:
    """The tab before its first answer."""
    return html.Div(
        [
            dcc.Store(id=IDS.device, data=device_id),
            ranges.place(TAB),
            html.Div(
                [parts.skeleton(84), parts.skeleton(HEIGHT + 60)],
                id=IDS.body,
                className="stack",
            ),
            dcc.Location(id=IDS.goto, refresh="callback-nav"),
        ]
    )


def declared() -> list[Component]:
    """The parts that only a drawn body has."""
    return [dcc.Graph(id=IDS.chart), dcc.Store(id=IDS.window)]


def body(
    view: HistoryView,
    prefs: Preferences,
    path: str,
    search: str | None,
    *,
    touch: bool = False,
) -> list[Component]:
    """The tab's content.

    Args:
        view: what the range held.
        prefs: the reader's units and zone.
        path: address of the page, for its links.
        search: query string of the page.
        touch: whether a drag must scroll the page and not zoom.
    """
    if not view.shown.drawable:
        return [_nothing(view, prefs, path, search)]
    return [
        tiles(view, prefs),
        parts.card(
            heading(view, prefs),
            notes(view, prefs),
            _chart(view, prefs, touch),
            actions=_actions(view, path, search),
            class_name="history-card",
        ),
    ]


def _actions(view: HistoryView, path: str, search: str | None) -> Component:
    comparing = view.previous is not None
    changed = links.with_query(search, compare=None if comparing else "previous")
    out = zoomed_out(search)
    items = [
        dcc.Link(
            [parts.icon("zoom-out"), "Zoom out"],
            href=links.href(path, out),
            className="action",
        )
        if out is not None
        else None,
        dcc.Link(
            [
                parts.icon("layers"),
                "Hide comparison" if comparing else "Compare with before",
            ],
            href=links.href(path, changed),
            className="action" + (" active" if comparing else ""),
        ),
        html.A(
            [parts.icon("download"), "Readings (CSV)"],
            href=_export(view, READINGS),
            className="action",
        ),
        html.A(
            [parts.icon("download"), "Energy (CSV)"],
            href=_export(view, ENERGY),
            className="action",
        ),
    ]
    return html.Div([item for item in items if item], className="actions")


def _export(view: HistoryView, part: str) -> str:
    window = view.shown.window
    query = {
        "from": utc_text(window.start),
        "to": utc_text(window.end),
        "part": part,
        "compare": "previous" if view.previous is not None else None,
    }
    path = f"/api/v1/devices/{view.device.id}/telemetry.csv"
    return links.href(path, links.build_search(query))


def utc_text(when: datetime) -> str:
    """A time as it is written to an address: exact, and the same in every zone."""
    return when.isoformat().replace("+00:00", "Z")


def zoomed_out(search: str | None) -> str | None:
    """The query string one zoom further out, or ``None`` when nothing was zoomed."""
    query = links.parse_search(search)
    start, comma, end = query.get(OUT, "").partition(",")
    if not comma:
        return None
    return links.with_query(search, **{"from": start, "to": end, OUT: None})


def zoomed_in(search: str | None, start: datetime, end: datetime) -> str:
    """The query string of a zoom; it keeps the way back to the first range."""
    query = links.parse_search(search)
    out = query.get(OUT) or ",".join(
        (query.get("from", DEFAULT_FROM), query.get("to", DEFAULT_TO))
    )
    changes = {"from": utc_text(start), "to": utc_text(end), OUT: out}
    return links.with_query(search, **changes)


def _chart(view: HistoryView, prefs: Preferences, touch: bool) -> Component:
    window = view.shown.window
    walls = [wall_time(w, prefs.zone) for w in (window.start, window.end)]
    picture = parts.graph(
        IDS.chart,
        figure(view, prefs, zoom=not touch),
        doubleClick="reset",
        showTips=False,
    )
    return html.Div(
        [
            dcc.Store(id=IDS.window, data=walls),
            html.Div(picture, role="img", **parts.aria(label=spoken(view, prefs))),
            html.Div(
                [period_table(view, prefs), event_table(view, prefs)],
                className="visually-hidden",
            ),
        ],
        className="chart-block",
    )


def _nothing(
    view: HistoryView, prefs: Preferences, path: str, search: str | None
) -> Component:
    """Why there is nothing to draw, and where there is something."""
    usage = view.shown.usage
    if usage.readings:
        return parts.empty_state(
            "Only values that are not trusted",
            f"The heater sent {usage.readings} readings in this range, and every value "
            "that is drawn here was flagged as wrong or is missing.",
        )
    if view.span is None:
        return parts.empty_state(
            "No reading yet",
            "This heater has never sent a reading. Its history begins with the first.",
        )
    first, last = view.span
    window = view.shown.window
    query = links.with_query(search, **_around(first, last, window), **{OUT: None})
    return parts.empty_state(
        _why_empty(window, first, last),
        f"The first reading is from {text.local_time(first, prefs)}, the last from "
        f"{text.local_time(last, prefs)}.",
        dcc.Link(
            "Show the readings nearest to this range",
            href=links.href(path, query),
            className="btn btn-primary",
        ),
    )


def _why_empty(window: Window, first: datetime, last: datetime) -> str:
    if window.end <= first:
        return "This range is before the first reading"
    if window.start > last:
        return "This range is after the last reading"
    return "No reading in this range"


def _around(first: datetime, last: datetime, window: Window) -> dict[str, str]:
    """A range of the same length that holds readings, next to the empty one."""
    second = timedelta(seconds=1)
    if window.end <= first:
        start, end = first, first + window.length
    else:
        start, end = last + second - window.length, last + second
    return {"from": utc_text(start), "to": utc_text(end)}
