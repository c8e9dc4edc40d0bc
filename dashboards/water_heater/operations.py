"""The Operations tab: one heater as it runs, kept up to date by one timer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from dashboards import parts, text
from dashboards.figures.gauges import bullet, limits_sentence
from dashboards.figures.live import live_chart, summary
from dashboards.health_cards import reasons_card, score_card, share_bar
from dashboards.ids import ident
from dashboards.live_pieces import (
    LIVE,
    TAB,
    Key,
    digests,
    gauge_id,
    gauge_of,
    mode_words,
    pieces,
    tile_id,
)
from services.live import CHARTED, MEASURED
from services.metrics import Usage
from services.operations import ChartView, NumbersView, OperationsView, Seen
from services.units import Preferences

EVERY_MS = 2_000
NUMBERS_EVERY_MS = 60_000
HEALTH_GRAPH = ident(TAB, "health")


class IDS:
    """The ids of the tab that callbacks name."""

    device = ident(TAB, "device")
    body = ident(TAB, "body")
    tick = ident(TAB, "tick")
    numbers_tick = ident(TAB, "numbers-tick")
    seen = ident(TAB, "seen")
    chart = ident(TAB, "chart")
    score = ident(TAB, "score")
    numbers = ident(TAB, "numbers")
    reasons = ident(TAB, "reasons")


def skeleton(device_id: str | None = None) -> Component:
    """The tab before its first answer."""
    return html.Div(
        [
            dcc.Store(id=IDS.device, data=device_id),
            html.Div(parts.skeleton(120, 4), id=IDS.body),
        ]
    )


def declared() -> list[Component]:
    """The parts with ids that only the filled tab has, for Dash's checks."""
    names = {name for name, _ in LIVE}
    graphs = {gauge_id(metric) for metric in MEASURED}
    return [
        *(html.Div(id=name) for name in sorted(names - graphs)),
        *(dcc.Graph(id=name) for name in sorted(graphs | {IDS.chart, HEALTH_GRAPH})),
        dcc.Interval(id=IDS.tick),
        dcc.Interval(id=IDS.numbers_tick),
        dcc.Store(id=IDS.seen),
        *(html.Div(id=name) for name in (IDS.score, IDS.numbers, IDS.reasons)),
    ]


def body(view: OperationsView, prefs: Preferences) -> Component:
    """The whole tab."""
    now = pieces(view.live, prefs)
    chart = parts.card(
        "Last 2 hours",
        parts.chart(
            IDS.chart, live_chart(view.chart, prefs), summary(view.chart, prefs)
        ),
    )
    return html.Div(
        [
            dcc.Interval(id=IDS.tick, interval=EVERY_MS),
            dcc.Interval(id=IDS.numbers_tick, interval=NUMBERS_EVERY_MS),
            dcc.Store(id=IDS.seen, data=seen(view.chart, digests(now))),
            _tiles(now),
            _gauges(view, now, prefs),
            html.Div(
                [
                    html.Div(chart, className="two-thirds"),
                    html.Div(
                        reasons_card(view.numbers.health, prefs),
                        id=IDS.reasons,
                        className="third",
                    ),
                ],
                className="grid",
            ),
            html.Div(numbers_cards(view.numbers, prefs), id=IDS.numbers),
        ],
        className="stack",
    )


def seen(chart: ChartView, shown: str, before: Seen | None = None) -> dict[str, Any]:
    """What the page remembers, times in epoch seconds.

    Args:
        chart: the points just given to the page.
        shown: digests of its pieces.
        before: what it remembered until now; ``None`` when its chart is new.
    """
    ends = dict(before.last) if before else {}
    for name in CHARTED:
        points = [t for t, value in chart.lines.get(name, ()) if value is not None]
        if points:
            ends[name] = points[-1]
    last = [ends.get(name) for name in CHARTED]
    return {
        "at": round(chart.now.timestamp(), 3),
        "drawn": round((before.drawn if before else chart.now).timestamp(), 3),
        "last": [None if t is None else t.timestamp() for t in last],
        "shown": shown,
    }


def _tiles(now: Mapping[Key, Any]) -> Component:
    titles = {
        "machine": "Machine",
        "heater": "Heater",
        "now": "Tank temperature",
        "target": "Target temperature",
        "mode": "Mode",
    }
    return html.Div(
        [
            html.Div(
                [
                    html.Div(title, className="tile-name"),
                    html.Div(
                        now[tile_id(name, "value"), "children"],
                        id=tile_id(name, "value"),
                        className=now[tile_id(name, "value"), "className"],
                    ),
                    html.Div(
                        now[tile_id(name, "note"), "children"],
                        id=tile_id(name, "note"),
                        className="tile-note",
                    ),
                ],
                className="tile",
            )
            for name, title in titles.items()
        ],
        className="tiles live-tiles",
    )


def _gauges(
    view: OperationsView, now: Mapping[Key, Any], prefs: Preferences
) -> Component:
    cards = [_gauge(metric, view, now, prefs) for metric in MEASURED]
    score = html.Div(score_card(view.numbers.health, prefs, HEALTH_GRAPH), id=IDS.score)
    return html.Div([*cards, score], className="live-gauges")


def _gauge(
    metric: str, view: OperationsView, now: Mapping[Key, Any], prefs: Preferences
) -> Component:
    gauge = gauge_of(metric, view.live)
    limits = limits_sentence(gauge, prefs)

    def live(part: str, class_name: str) -> Component:
        name = gauge_id(metric, part)
        return html.Span(now[name, "children"], id=name, className=class_name)

    moves = (gauge_id(metric, "foot"), "children") in now
    foot = (
        live("foot", "gauge-foot")
        if moves
        else html.Span(limits, className="gauge-foot")
    )
    head = html.Div(
        [
            live("number", "gauge-number"),
            html.Span(text.unit_of(metric, prefs), className="gauge-unit"),
            live("verdict", "gauge-verdict"),
        ],
        className="gauge-head",
    )
    picture = html.Div(
        parts.graph(gauge_id(metric), bullet(gauge, prefs), staticPlot=True),
        role="img",
        **parts.aria(label=f"{text.label(metric)} on its scale. {limits}"),
    )
    card = parts.card(
        text.label(metric),
        head,
        picture,
        foot,
        # Below the picture: a trend that comes and goes moves nothing there.
        html.Div([live("trend", "trend"), live("age", "age")], className="gauge-age"),
        class_name="gauge",
    )
    box = gauge_id(metric, "box")
    return html.Div(card, id=box, className=now[box, "className"])


def numbers_cards(view: NumbersView, prefs: Preferences) -> Component:
    """Totals of today and of seven days, and the modes of the week."""
    return html.Div(
        [
            html.Div(_usage_card(view, prefs), className="two-thirds"),
            html.Div(_modes_card(view), className="third"),
        ],
        className="grid live-numbers",
    )


def _usage_card(view: NumbersView, prefs: Preferences) -> Component:
    reported = view.week.readings > 0
    rows: list[tuple[str, Callable[[Usage], str]]] = [
        ("Temperature kept", lambda u: text.share(u.kept)),
        ("Energy used", lambda u: text.quantity("energy_kwh", u.energy_kwh, prefs)),
        ("Water drawn", lambda u: text.quantity("water_l", u.volume_l, prefs)),
        ("Run time", _run_time),
        ("Heating cycles", _cycles),
        ("Uptime", lambda u: text.share(u.uptime if reported else None)),
    ]
    cells = [[name, cell(view.today), cell(view.week)] for name, cell in rows]
    table = parts.data_table(
        "Totals of this heater",
        ["", "Today", "7 days"],
        cells,
        numeric={1, 2},
    )
    since = f"Today since {text.local_time(view.today.start, prefs)}"
    return parts.card(
        "Use and service", table, actions=html.Span(since, className="age")
    )


def _run_time(usage: Usage) -> str:
    return text.NO_DATA if usage.heating_s is None else text.duration(usage.heating_s)


def _cycles(usage: Usage) -> str:
    return text.number(None if usage.cycles is None else float(usage.cycles), 0)


def _modes_card(view: NumbersView) -> Component:
    if not view.modes:
        content: Component = parts.empty_state(
            "No mode reported", "This heater has not told its mode in 7 days."
        )
    else:
        content = html.Ul(
            [
                html.Li(
                    [
                        html.Div(
                            [html.Span(mode_words(mode)), html.Span(text.share(share))],
                            className="reason-head",
                        ),
                        share_bar(share),
                    ],
                    className="reason",
                )
                for mode, share in view.modes
            ],
            className="reasons",
        )
    return parts.card(
        "Time in each mode",
        content,
        actions=html.Span("7 days", className="age"),
    )
