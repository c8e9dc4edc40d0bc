"""The Models tab: which model needs somebody now, and each one click away."""

from __future__ import annotations

from collections.abc import Mapping

from dash import dcc, html
from dash.development.base_component import Component

from dashboards import links, parts, text
from dashboards.dialogs import question
from dashboards.filters import ANY, options, search_box, select
from dashboards.ids import ident
from dashboards.list_parts import count_link
from dashboards.model_words import KINDS, MODELS_PATH
from dashboards.models_table import key, table
from dashboards.pager import pager
from services.models_views import ModelsView
from services.units import Preferences

TAB = "models"
EVERY_MS = 60_000
FILTERS: tuple[str, ...] = ("q", "kind", "owner", "tag")
"""Keys of the address that narrow the list, besides ``state``."""

COUNTS: Mapping[str, tuple[str, str, str]] = {
    "all": ("grid", "All models", ""),
    "look": ("exclamation-triangle-fill", "Need a look", "bad"),
    "cannot_tell": ("question-circle", "Cannot tell", "watch"),
    "fine": ("check-circle-fill", "Fine", "good"),
    "none": ("inbox", "No data yet", ""),
    "late_labels": ("hourglass-split", "Late labels", "watch"),
    "archived": ("archive", "Archived", ""),
}
"""State -> icon, words, tint when it is not zero."""

ORDERS: Mapping[str, str] = {
    "worst": "Worst first",
    "name": "Name, A first",
    "-name": "Name, Z first",
    "owner": "Owner, A first",
    "-owner": "Owner, Z first",
    "-last_data": "Newest data first",
    "last_data": "Oldest data first",
    "-label_lag": "Slowest labels first",
    "label_lag": "Fastest labels first",
}
COMMANDS = (
    "python cli.py model apply FILE.yaml\n"
    "python cli.py reference set --model NAME FILE\n"
    "python cli.py import inferences --model NAME FILE"
)


class IDS:
    """The ids of the tab that callbacks name."""

    counts = ident(TAB, "counts")
    bar = ident(TAB, "bar")
    text = ident(TAB, "text")
    kind = ident(TAB, "kind")
    owner = ident(TAB, "owner")
    tag = ident(TAB, "tag")
    sort = ident(TAB, "sort")
    list = ident(TAB, "list")
    goto = ident(TAB, "goto")
    tick = ident(TAB, "tick")
    changed = ident(TAB, "changed")
    dialog = ident(TAB, "dialog")
    question = ident(TAB, "question")
    confirm = ident(TAB, "confirm")
    cancel = ident(TAB, "cancel")
    ask = ident(TAB, "ask")
    action = ident(TAB, "action")
    delay = ident(TAB, "delay")


def skeleton(_device_id: str | None = None) -> Component:
    """The tab before its first answer; the filters stay, so typing is not lost."""
    return html.Div(
        [
            html.Div(
                [
                    html.Div(
                        parts.skeleton(76), id=IDS.counts, className="counts-place"
                    ),
                    _filters(),
                ],
                id=IDS.bar,
                className="stack",
            ),
            html.Div(parts.skeleton(480), id=IDS.list),
            question(IDS, "Yes", "primary"),
            dcc.Interval(id=IDS.tick, interval=EVERY_MS),
            dcc.Store(id=IDS.changed),
            dcc.Location(id=IDS.goto, refresh="callback-nav"),
        ],
        className="stack",
    )


def declared() -> list[Component]:
    """The parts with ids that only a drawn model has, for Dash's checks."""
    return [
        html.Button(id=IDS.ask),
        dcc.Store(id=IDS.action),
        dcc.Graph(id=IDS.delay),
    ]


def _filters() -> Component:
    return html.Div(
        [
            search_box(IDS.text, "Search models", "Search name, owner, tag"),
            select(IDS.kind, "Kind", {ANY: "Any kind", **KINDS}),
            select(IDS.owner, "Owner", {ANY: "Any owner"}),
            select(IDS.tag, "Tag", {ANY: "Any tag"}),
            select(IDS.sort, "Order", ORDERS),
        ],
        className="fleet-filters",
        role="search",
    )


def filter_options(view: ModelsView) -> tuple[list[dict[str, str]], ...]:
    """What the filters of kind, owner and tag offer."""
    query = view.query
    return (
        options("Any kind", tuple(KINDS), query.kind, KINDS),
        options("Any owner", view.owners, query.owner),
        options("Any tag", view.tags, query.tag),
    )


def counts(view: ModelsView, search: str | None) -> Component:
    """The numbers at the top: each is a filter."""
    return html.Nav(
        [_count(state, view, search) for state in COUNTS],
        className="counts",
        **parts.aria(label="Models by state"),
    )


def _count(state: str, view: ModelsView, search: str | None) -> Component:
    target = None if state == "all" else state
    href = links.href(MODELS_PATH, links.with_query(search, state=target, page=None))
    active = view.query.state == state
    return count_link(COUNTS[state], view.counts[state], href, active=active)


def body(view: ModelsView, prefs: Preferences, search: str | None) -> Component:
    """The list below the filters.

    Args:
        view: one page of the models.
        prefs: the reader's zone and theme.
        search: the query string, kept by every link of the list.
    """
    if not view.size:
        return html.Div(no_models(), className="panel")
    if not view.found:
        return html.Div(_nothing_found(search), className="panel")
    return html.Div(
        [
            html.Div([_found_words(view), key(prefs.theme)], className="list-head"),
            table(view, prefs, search),
            pager(view.query.page, view.pages, MODELS_PATH, search),
        ],
        className="panel fleet-list",
    )


def no_models() -> Component:
    """How to get the first model."""
    return html.Div(
        [
            parts.icon("inbox"),
            html.P("No models yet", className="state-title"),
            html.P(
                "Describe a model in a file, pin its reference, and bring its "
                "predictions:"
            ),
            html.Pre(COMMANDS, className="command"),
        ],
        className="state",
    )


def _nothing_found(search: str | None) -> Component:
    return parts.empty_state(
        "No model passes these filters",
        "Change the search or a filter, or look at all models.",
        dcc.Link(
            "Show all models",
            href=links.href(MODELS_PATH, links.with_query(search, **cleared())),
            className="btn btn-outline-secondary",
        ),
    )


def failure(shown: Component) -> Component:
    """An error instead of the page, with the way back."""
    back = dcc.Link("Show all models", href=links.href(MODELS_PATH))
    return html.Div([shown, html.Div(back, className="state-way")], className="panel")


def cleared() -> dict[str, None]:
    """The changes to an address that show every model."""
    return dict.fromkeys((*FILTERS, "state", "page", "model"))


def _found_words(view: ModelsView) -> Component:
    query = view.query
    first = (query.page - 1) * query.page_size + 1
    last = first + len(view.rows) - 1
    found = text.number(view.found, 0)
    words = f"{text.number(first, 0)} to {text.number(last, 0)} of {found} models"
    if view.found == 1:
        words = "1 model"
    return html.Span(words, className="list-words", role="status")
