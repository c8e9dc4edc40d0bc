"""The Drift tab: what moved, does it matter, and the picture of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from dashboards import drift_map, links, parts, ranges, text
from dashboards import drift_words as words
from dashboards.drift_detail import IDS as DETAIL
from dashboards.drift_detail import detail_card, window_steps
from dashboards.drift_panels import panels
from dashboards.drift_python import python_card
from dashboards.ids import ident
from services.drift_views import MEASURES, REFERENCES, DriftView
from services.units import Preferences

TAB = "drift"
PATH = "/monitoring/drift"
ANY = "*"
"""What a control holds that leaves the choice to the model."""
TYPING_MS = 400
DEFAULT_FROM, DEFAULT_TO = "now-1y", "now"
PRESETS: tuple[tuple[str, str], ...] = (
    ("7 days", "now-7d"),
    ("4 weeks", "now-4w"),
    ("13 weeks", "now-13w"),
    ("1 year", DEFAULT_FROM),
)
COMMANDS = (
    "python cli.py model apply FILE\n"
    "python cli.py reference set --model NAME FILE\n"
    "python cli.py import inferences --model NAME FILE"
)

Options = list[dict[str, str]]


class Body(NamedTuple):
    """The content below the controls, by the places of the skeleton."""

    head: list[Component] | None
    map: list[Component] | None
    notes: Component | None
    rest: list[Component] | Component | None


class IDS:
    """The ids of the tab that callbacks name."""

    verdict = ident(TAB, "verdict")
    measure = ident(TAB, "measure")
    window = ident(TAB, "window")
    reference = ident(TAB, "reference")
    segment = ident(TAB, "segment")
    version = ident(TAB, "version")
    text = ident(TAB, "text")
    body = ident(TAB, "body")
    goto = ident(TAB, "goto")
    feature = DETAIL.feature
    at = DETAIL.at
    pick_goto = DETAIL.goto
    strip = drift_map.IDS.strip
    map = drift_map.IDS.map
    map_goto = drift_map.IDS.goto
    map_head = drift_map.IDS.head
    map_place = drift_map.IDS.place
    map_notes = drift_map.IDS.notes


def skeleton(_device_id: str | None = None) -> Component:
    """The tab before its first answer, with its controls, so typing is not lost."""
    return html.Div(
        [
            html.Div(parts.skeleton(116), id=IDS.verdict, className="drift-verdict"),
            _controls(),
            ranges.place(TAB),
            html.Div(
                [
                    drift_map.place(parts.skeleton(654)),
                    html.Div(parts.skeleton(620), id=IDS.body, className="stack"),
                ],
                className="stack",
            ),
            dcc.Location(id=IDS.goto, refresh="callback-nav"),
        ]
    )


def declared() -> list[Component]:
    """The parts that only a drawn body has."""
    return [
        dcc.Graph(id=IDS.strip),
        dcc.Graph(id=IDS.map),
        dbc.Select(id=IDS.feature),
        dbc.Select(id=IDS.at),
        dcc.Location(id=IDS.pick_goto),
        dcc.Location(id=IDS.map_goto),
    ]


def _controls() -> Component:
    filter_box = dbc.Input(
        id=IDS.text,
        type="search",
        value="",
        debounce=TYPING_MS,
        maxlength=120,
        placeholder="Part of a name",
    )
    return html.Div(
        [
            _labelled("Measure", _select(IDS.measure, _worded(MEASURES))),
            _labelled("Window", _select(IDS.window, window_options(None))),
            _labelled("Compared with", _select(IDS.reference, _worded(REFERENCES))),
            _labelled("Segment", _select(IDS.segment, segment_options(None))),
            _labelled("Version", _select(IDS.version, version_options(None))),
            _labelled("Find a feature", filter_box),
        ],
        className="drift-controls",
        role="search",
    )


def _labelled(word: str, control: Component) -> Component:
    return html.Label([html.Span(word, className="control-label"), control])


def _select(part: str, options: Options) -> Component:
    select: Component = dbc.Select(id=part, options=options, value=options[0]["value"])
    return select


def _worded(choices: Mapping[str, str]) -> Options:
    return [{"label": word, "value": key} for key, word in choices.items()]


def window_options(view: DriftView | None) -> Options:
    """The windows on offer; the model's own stands first."""
    own = "Default"
    if view and not view.query.window:
        own += f" ({words.WINDOW_WORDS.get(view.window, view.window).lower()})"
    return [{"label": own, "value": ANY}, *_worded(words.WINDOW_WORDS)]


def segment_options(view: DriftView | None) -> Options:
    """The segments on offer; one that does not exist stays on offer if chosen."""
    found = [] if view is None else _with(view.segments, view.query.segment)
    named = {segment: segment.replace("=", ": ", 1) for segment in found}
    return [{"label": "All rows", "value": ANY}, *_worded(named)]


def version_options(view: DriftView | None) -> Options:
    """The versions on offer; the champion stands first."""
    champion = "Champion"
    if view and not view.query.version:
        champion += f" ({view.version})"
    found = [] if view is None else _with(view.versions, view.query.version)
    return [{"label": champion, "value": ANY}, *_worded({v: v for v in found})]


def _with(known: Sequence[str], chosen: str) -> list[str]:
    return [*known, chosen] if chosen and chosen not in known else [*known]


def verdict(
    view: DriftView, prefs: Preferences, path: str, search: str | None
) -> Component | None:
    """What the picked window says, before anything else."""
    if view.problem and not view.windows:
        return None
    window, harmful = view.verdict, view.harmful
    kind, word = words.verdict_of(window, harmful)
    when = None
    if window is not None:
        name = words.named_window(window.start, view.window, prefs)
        rows = text.number(window.rows, 0)
        when = html.Span(f"{name[0].upper()}{name[1:]}, {rows} rows", className="place")
    return html.Section(
        [
            html.Div(
                [parts.chip(kind, word), when, window_steps(view, prefs, path, search)],
                className="verdict-head",
            ),
            html.P(words.verdict_sentence(window, harmful), className="verdict-words"),
            _harmful(view, path, search),
        ],
        className=f"panel verdict verdict-{kind}",
        **parts.aria(label="Verdict"),
    )


def _harmful(view: DriftView, path: str, search: str | None) -> Component | None:
    if not view.harmful:
        return None
    named = [
        dcc.Link(
            name,
            href=links.href(path, links.with_query(search, feature=name)),
            className="harmful-name",
        )
        for name in view.harmful
    ]
    return html.P(
        [html.Span("Moved and matters: ", className="place"), *named],
        className="harmful",
    )


def body(view: DriftView, prefs: Preferences, path: str, search: str | None) -> Body:
    """The tab's content below its controls.

    Args:
        view: what the range held.
        prefs: the reader's zone and theme.
        path, search: address of the page, for its links.
    """
    shown = first(view, prefs, path, search)
    return shown if not view.windows else shown._replace(rest=rest(view, prefs))


def first(view: DriftView, prefs: Preferences, path: str, search: str | None) -> Body:
    """What is drawn first: the heat map without the cards below it; see ``body``."""
    if not view.windows:
        return instead(_nothing(view))
    shown = drift_map.content(view, prefs, path, search)
    return Body(drift_map.head(view, search), shown, drift_map.notes(view), None)


def rest(view: DriftView, prefs: Preferences) -> list[Component]:
    """The cards below the heat map."""
    found = [_problem(view), detail_card(view, prefs), *panels(view, prefs)]
    return [card for card in (*found, python_card(view)) if card is not None]


def instead(shown: Component) -> Body:
    """One thing in place of all content."""
    return Body(None, None, None, shown)


def _problem(view: DriftView) -> Component | None:
    if not view.problem:
        return None
    state = parts.empty_state("Not everything can be shown", view.problem)
    return html.Div(state, className="panel")


def _nothing(view: DriftView) -> Component:
    advice = view.problem or "No predictions were logged in this range."
    state = parts.empty_state("Nothing to compare", advice, _commands())
    return html.Div(state, className="panel")


def _commands() -> Component:
    return html.Div(
        [
            html.P("A model needs its description, a reference and predictions:"),
            html.Pre(COMMANDS, className="command"),
        ]
    )


def no_model() -> Component:
    """The tab when the address names no model."""
    state = parts.empty_state(
        "No model is chosen",
        "Drift is shown for one model at a time.",
        html.Div(
            [
                dcc.Link(
                    "Choose a model",
                    href=links.href("/monitoring/models"),
                    className="btn btn-primary",
                ),
                _commands(),
            ]
        ),
    )
    return html.Div(state, className="panel")


def failure(shown: Component, search: str | None, *, known: bool) -> Component:
    """An error instead of the tab, with the way on.

    Args:
        shown: what went wrong.
        search: query string of the page.
        known: whether the model itself may exist.
    """
    model = links.parse_search(search).get("model") if known else None
    ways = [dcc.Link("Choose a model", href=links.href("/monitoring/models"))]
    if model:
        again = links.href(PATH, links.build_search({"model": model}))
        ways.insert(0, dcc.Link("Start again with this model", href=again))
    return html.Div([shown, html.Div(ways, className="state-way")], className="panel")
