"""The Alerts tab: what needs somebody now, what was done, what alerts teach."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from dash import dcc, html
from dash.development.base_component import Component

from dashboards import alert_words, links, parts, rule_list, text
from dashboards.alert_actions import ACTIONS, bulk_bar, dialog
from dashboards.alert_table import counts, severity_links, table
from dashboards.alert_words import AGES, IDS, PATH, SOURCES, act_id, metric_name
from dashboards.filters import ANY, options, search_box, select
from dashboards.pager import pager
from services.alert_views import AlertsView
from services.units import Preferences

__all__ = ["IDS", "body", "counts", "declared", "failure", "skeleton", "views"]

EVERY_MS = 1_500
VIEWS: Mapping[str, tuple[str, str]] = {
    "": ("bell", "Alerts"),
    "patterns": ("bar-chart", "Patterns"),
    "rules": ("sliders", "Rules"),
}
ORDERS: Mapping[str, str] = {
    "worst": "Worst first",
    "-raised": "Newest first",
    "raised": "Oldest first",
    "subject": "About, A first",
    "message": "Alert, A first",
    "owner": "Owner, A first",
    "-activations": "Most activations",
}
OWNERS: Mapping[str, str] = {"me": "Mine", "nobody": "Nobody's"}
FILTERS: tuple[str, ...] = (
    "q", "source", "severity", "metric", "owner", "age", "model", "device", "rule",
)  # fmt: skip
"""Keys of the address that narrow the list, besides ``state``."""
PINNED: Mapping[str, str] = {"model": "Model", "device": "Heater", "rule": "Rule"}
"""Keys that only a link sets: they are shown, and can be taken away."""


def skeleton(_device_id: str | None = None) -> Component:
    """The tab before its first answer; filters and forms stay, so typing does too."""
    return html.Div(
        [
            html.Div(id=IDS.views),
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
            bulk_bar(),
            html.Div(parts.skeleton(480), id=IDS.list),
            html.Div(rule_list.frame(), id=IDS.rules, hidden=True),
            dialog(),
            dcc.Interval(id=IDS.tick, interval=EVERY_MS),
            dcc.Store(id=IDS.token),
            dcc.Store(id=IDS.changed),
            dcc.Location(id=IDS.goto, refresh="callback-nav"),
        ],
        className="stack",
    )


def declared() -> list[Component]:
    """The parts that only a drawn list, alert or view of patterns has."""
    charts = (IDS.evidence, IDS.calendar, IDS.by_rule, IDS.by_subject)
    places = (IDS.head, IDS.facts, IDS.history)
    return [
        html.Button(id=IDS.all),
        *(html.Button(id=act_id(action, "one")) for action in ACTIONS),
        html.Button(id=alert_words.pick_id(0)),
        *rule_list.declared(),
        *(html.Div(id=place) for place in places),
        *(dcc.Graph(id=chart) for chart in charts),
    ]


def _filters() -> Component:
    return html.Div(
        [
            search_box(IDS.text, "Search alerts", "Search alert, subject, rule"),
            select(IDS.source, "About", {ANY: "Any source", **SOURCES}),
            select(IDS.metric, "Metric", {ANY: "Any metric"}),
            select(IDS.owner, "Owner", {ANY: "Any owner", **OWNERS}),
            select(IDS.age, "Raised", {ANY: "Any time", **AGES}),
            select(IDS.sort, "Order", ORDERS),
        ],
        className="fleet-filters alert-filters",
        role="search",
    )


def filter_options(view: AlertsView) -> tuple[list[dict[str, str]], ...]:
    """What the filters of metric and owner offer."""
    query = view.query
    names = {key: metric_name(key) for key in (*view.metrics, query.metric)}
    owners = (*OWNERS, *(name for name in view.owners if name not in OWNERS))
    return (
        options("Any metric", view.metrics, query.metric, names),
        options("Any owner", owners, query.owner, OWNERS),
    )


def views(shown: str) -> Component:
    """The links between alerts, patterns and rules; each forgets the others' keys."""
    items = [
        dcc.Link(
            [
                parts.icon(icon),
                words,
                parts.hidden("(shown)") if key == shown else None,
            ],
            href=links.href(PATH, links.build_search({"view": key})),
            className="preset" + (" active" if key == shown else ""),
        )
        for key, (icon, words) in VIEWS.items()
    ]
    return html.Nav(
        items, className="presets alert-views", **parts.aria(label="Views of alerts")
    )


def body(
    view: AlertsView,
    prefs: Preferences,
    search: str | None,
    picked: Collection[int] = (),
) -> Component:
    """The list below the filters.

    Args:
        view: one page of alerts.
        prefs: the reader's zone and theme.
        search: the query string, kept by every link of the list.
        picked: alerts whose box is ticked.
    """
    if not view.size:
        return html.Div(_no_alerts(), className="panel")
    top = html.Div(
        [_found_words(view), severity_links(view, search), *_pinned(search)],
        className="list-head",
    )
    if not view.found:
        return html.Div([top, _nothing(view, search)], className="panel")
    return html.Div(
        [
            top,
            table(view, prefs, search, picked),
            pager(view.query.page, view.pages, PATH, search),
        ],
        className="panel fleet-list",
    )


def _no_alerts() -> Component:
    return parts.empty_state(
        "No alert yet",
        "Rules watch heaters and models; the first that fires stands here.",
        dcc.Link("Look at the rules", href=alert_words.list_href(view="rules")),
    )


def _nothing(view: AlertsView, search: str | None) -> Component:
    if view.query.state == "open" and not view.query.narrowed:
        return parts.empty_state(
            "Nothing needs anybody now",
            "No alert is open. What was is under All ever.",
            dcc.Link("Show all alerts", href=alert_words.list_href(state="all")),
        )
    return parts.empty_state(
        "No alert passes these filters",
        "Change the search or a filter, or look at everything that is open.",
        _show_open(search),
    )


def _show_open(search: str | None) -> Component:
    gone: dict[str, str | None] = dict.fromkeys((*FILTERS, "state", "page"))
    return dcc.Link(
        "Show open alerts", href=links.href(PATH, links.with_query(search, **gone))
    )


def _pinned(search: str | None) -> list[Component]:
    query = links.parse_search(search)
    return [
        dcc.Link(
            [f"{words}: {query[key][:80]}", parts.icon("x"), parts.hidden("(remove)")],
            href=links.href(PATH, links.with_query(search, **{key: None}, page=None)),
            className="tag pinned",
        )
        for key, words in PINNED.items()
        if query.get(key)
    ]


def _found_words(view: AlertsView) -> Component:
    query = view.query
    first = (query.page - 1) * query.page_size + 1
    last = first + len(view.rows) - 1
    found = text.number(view.found, 0)
    words = f"{text.number(first, 0)} to {text.number(last, 0)} of {found} alerts"
    if view.found < 2:
        words = "1 alert" if view.found else "No alert"
    return html.Span(words, className="list-words", role="status")


def failure(error: Component) -> Component:
    """What is shown where an address cannot be answered, with a way back."""
    back = html.Div(_show_open(None), className="state-way")
    return html.Div([error, back], className="panel")
