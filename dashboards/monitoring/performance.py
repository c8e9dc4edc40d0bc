"""The Performance tab: how right a model is, realised and estimated."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from dashboards import links, parts, performance_threshold, ranges
from dashboards.figures.performance_chart import HEIGHT, figure
from dashboards.ids import ident
from dashboards.performance_cards import (
    notes,
    paired_card,
    segment_card,
    tiles,
    window_table,
)
from dashboards.performance_scores import score_cards
from dashboards.performance_verdict import verdict
from dashboards.performance_words import (
    DEFAULT_FROM,
    PATH,
    WINDOWS,
    data_address,
    spoken,
)
from services.performance_views import METRIC_WORDS, PerformanceView
from services.units import Preferences

TAB = "performance"
PRESETS: tuple[tuple[str, str], ...] = (
    ("7 days", "now-7d"),
    ("4 weeks", "now-4w"),
    ("13 weeks", "now-13w"),
    ("1 year", DEFAULT_FROM),
)
DEFAULT = DEFAULT_FROM
ANY = "*"
"""What a control holds that asks for nothing: an empty value shows no word."""
KEYS: tuple[str, ...] = ("metric", "window", "segment", "version", "against")
"""Keys of the address, in the order of the controls."""


class IDS:
    """The ids of the tab that callbacks name."""

    head = ident(TAB, "head")
    body = ident(TAB, "body")
    chart = ident(TAB, "chart")
    held = ident(TAB, "held")
    saved = ident(TAB, "saved")
    goto = ident(TAB, "goto")
    goto_at = ident(TAB, "goto-at")
    metric = ident(TAB, "metric")
    window = ident(TAB, "window")
    segment = ident(TAB, "segment")
    version = ident(TAB, "version")
    against = ident(TAB, "against")


CONTROLS = (IDS.metric, IDS.window, IDS.segment, IDS.version, IDS.against)


def skeleton(_device_id: str | None = None) -> Component:
    """The tab before its first answer."""
    return html.Div(
        [
            html.Div([parts.skeleton(56), parts.skeleton(150)], id=IDS.head,
                     className="stack perf-head"),
            ranges.place(TAB),
            html.Div(
                [parts.skeleton(64), parts.skeleton(HEIGHT + 60)],
                id=IDS.body,
                className="stack",
            ),
            dcc.Store(id=IDS.saved, data=0),
            dcc.Location(id=IDS.goto, refresh="callback-nav"),
            dcc.Location(id=IDS.goto_at, refresh="callback-nav"),
        ],
        className="perf",
    )  # fmt: skip


def declared() -> list[Component]:
    """The parts that only a drawn body has."""
    return [
        dcc.Graph(id=IDS.chart),
        dcc.Store(id=IDS.held),
        *(dbc.Select(id=part) for part in CONTROLS),
        *performance_threshold.declared(),
    ]


def head(
    view: PerformanceView, prefs: Preferences, search: str | None
) -> list[Component]:
    """What happened, and every metric of the picked window."""
    if _problem(view):
        return []
    return [verdict(view, prefs), tiles(view, prefs, search)]


def body(
    view: PerformanceView,
    prefs: Preferences,
    search: str | None,
    *,
    may_edit: bool,
) -> list[Component]:
    """Everything below the range bar.

    Args:
        view: what the range holds.
        prefs: the reader's zone and theme.
        search: query string of the page.
        may_edit: whether the reader may change thresholds.
    """
    if problem := _problem(view):
        return [controls(view), _nothing(problem)]
    scores = score_cards(view, prefs, search)
    panels = [
        controls(view),
        _main_card(view, prefs, search, may_edit=may_edit),
        html.Div(scores, className="perf-scores") if scores else None,
        segment_card(view, search) if view.segment_rows else None,
        paired_card(view, prefs, search),
        notes(view),
    ]
    return [panel for panel in panels if panel is not None]


def controls(view: PerformanceView) -> Component:
    """The choices of the page as labelled selects, and what each holds."""
    segment = view.query.segment or ANY
    against = view.query.against or ANY
    held = [view.metric, view.window, segment, view.version, against]
    segments = [(ANY, "All predictions"), *_named(view.segments, view.query.segment)]
    challengers = [(ANY, "Nothing"), *_named(view.challengers, view.query.against)]
    metrics = [(m, METRIC_WORDS[m]) for m in view.metrics]
    choices = (
        ("Metric", IDS.metric, metrics),
        ("Window", IDS.window, list(WINDOWS.items())),
        ("Segment", IDS.segment, segments),
        ("Version", IDS.version, _named(view.versions, view.version)),
        ("Compare with", IDS.against, challengers),
    )
    selects = [
        _select(label, part, options, value)
        for (label, part, options), value in zip(choices, held, strict=True)
    ]
    kept = dcc.Store(id=IDS.held, data=held)
    return html.Div([*selects, kept], className="perf-controls", role="group",
                    **parts.aria(label="What is shown"))  # fmt: skip


def _named(values: Iterable[str], chosen: str) -> list[tuple[str, str]]:
    known = list(values)
    if chosen and chosen not in known:
        known.append(chosen)
    return [(value, value) for value in known]


def _select(
    label: str, part: str, options: list[tuple[str, str]], value: str
) -> Component:
    select = dbc.Select(
        id=part,
        options=[{"value": v, "label": words} for v, words in options],
        value=value,
        size="sm",
    )
    return html.Label([html.Span(label, className="perf-label"), select])


def _main_card(
    view: PerformanceView, prefs: Preferences, search: str | None, *, may_edit: bool
) -> Component:
    picture = parts.graph(
        IDS.chart,
        figure(view, prefs),
        edits={"shapePosition": may_edit},
        showTips=False,
        doubleClick=False,
    )
    summary = spoken(view, prefs)
    data = html.A(
        [parts.icon("download"), "Data (CSV)"],
        href=data_address(view, search),
        className="action",
    )
    segment = f", {view.query.segment}" if view.query.segment else ""
    return parts.card(
        f"{METRIC_WORDS[view.metric]} over time, version {view.version}{segment}",
        html.Div(
            [
                html.Div(picture, role="img", **parts.aria(label=summary)),
                html.Div(summary, className="visually-hidden"),
            ],
            className="chart-block perf-chart",
        ),
        performance_threshold.threshold_form(view, may_edit=may_edit),
        window_table(view, prefs),
        actions=html.Div(data, className="actions"),
        class_name="perf-main",
    )


def _problem(view: PerformanceView) -> str | None:
    """Why there is nothing to draw, if there is not."""
    if view.problem is None and not view.windows:
        return "There is no prediction in this range. Choose a longer one."
    return view.problem


def _nothing(problem: str) -> Component:
    """The reason, and the command that helps where it names one."""
    words, command, arguments = problem.partition("python cli.py ")
    advice: list[Any] = [words]
    if command:
        advice.append(html.Pre(command + arguments, className="command"))
    return _state("Nothing to show yet", advice, None)


def no_model() -> Component:
    """The address names no model: where to choose one, or how to make one."""
    command = html.Pre(
        "python cli.py model apply FILE\n"
        "python cli.py reference set --model NAME FILE\n"
        "python cli.py import inferences --model NAME FILE",
        className="command",
    )
    action = dcc.Link(
        "Choose a model",
        href=links.href("/monitoring/models"),
        className="btn btn-primary",
    )
    advice: list[Any] = [
        "Choose one in the list of models. If there is none yet:",
        command,
    ]
    return _state("No model chosen", advice, action)


def failure(shown: Component, search: str | None, *, known: bool) -> Component:
    """An error instead of the tab, with the way on.

    Args:
        shown: what went wrong.
        search: query string of the page.
        known: whether the model itself may exist.
    """
    model = links.parse_search(search).get("model") if known else None
    ways = [choose_link()]
    if model:
        again = links.href(PATH, links.build_search({"model": model}))
        ways.insert(0, dcc.Link("Start again with this model", href=again))
    return html.Div([shown, html.Div(ways, className="state-way")], className="panel")


def choose_link() -> Component:
    """The way to the list of models."""
    return dcc.Link("Choose a model", href=links.href("/monitoring/models"))


def _state(title: str, advice: list[Any], action: Component | None) -> Component:
    return html.Div(
        html.Div(
            [
                parts.icon("inbox"),
                html.P(title, className="state-title"),
                html.Div(advice),
                action,
            ],
            className="state",
        ),
        className="panel",
    )
