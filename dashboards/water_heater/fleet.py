"""The Fleet tab: what needs somebody now, and every heater one click away."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from dashboards import (
    bulk,
    device_admin,
    device_admin_list,
    device_form,
    links,
    parts,
    text,
)
from dashboards.filters import ANY, options, search_box, select
from dashboards.fleet_table import PATH, TYPES, table
from dashboards.ids import ident
from dashboards.list_parts import count_link
from dashboards.pager import pager
from services.fleet import FleetView
from services.units import Preferences

TAB = "fleet"
EVERY_MS = 30_000
OLD = timedelta(seconds=20)
"""A picture older than this is shown with its age."""
FILTERS: tuple[str, ...] = ("q", "make", "type", "site")
"""Keys of the address that narrow the list, besides ``state``."""

COUNTS: Mapping[str, tuple[str, str, str]] = {
    "all": ("grid", "All heaters", ""),
    "attention": ("exclamation-triangle-fill", "Need attention", "bad"),
    "silent": ("wifi-off", "Offline or late", "watch"),
    "heating": ("fire", "Heating now", "accent"),
    "flagged": ("flag-fill", "Flagged data", "watch"),
    "simulated": ("box", "Simulated", ""),
    "inactive": ("pause-circle", "Pending or inactive", ""),
}
"""State -> icon, words, tint when it is not zero."""

ORDERS: Mapping[str, str] = {
    "worst": "Worst first",
    "name": "Name",
    "place": "Place",
    "-seen": "Last seen, newest first",
    "seen": "Last seen, oldest first",
    "-temperature": "Hottest first",
    "temperature": "Coldest first",
    "-target": "Target, highest first",
    "target": "Target, lowest first",
    "mode": "Mode",
    "health": "Health, lowest first",
    "-health": "Health, highest first",
}


class IDS:
    """The ids of the tab that callbacks name."""

    counts = ident(TAB, "counts")
    text = ident(TAB, "text")
    make = ident(TAB, "make")
    type = ident(TAB, "type")
    site = ident(TAB, "site")
    sort = ident(TAB, "sort")
    list = ident(TAB, "list")
    goto = ident(TAB, "goto")
    tick = ident(TAB, "tick")
    form = ident(TAB, "form")
    drawer = ident(TAB, "drawer")
    drawer_goto = ident(TAB, "drawer-goto")
    form_goto = ident(TAB, "form-goto")


def skeleton(_device_id: str | None = None) -> Component:
    """The tab before its first answer; the filters stay, so typing is not lost."""
    drawer = dbc.Offcanvas(
        html.Div(id=IDS.form),
        id=IDS.drawer,
        title=" ",
        placement="end",
        is_open=False,
        class_name="drawer",
    )
    return html.Div(
        [
            html.Div(parts.skeleton(76), id=IDS.counts, className="counts-place"),
            _filters(),
            bulk.place(),
            html.Div(parts.skeleton(480), id=IDS.list),
            drawer,
            dcc.Interval(id=IDS.tick, interval=EVERY_MS),
            *(
                dcc.Location(id=part, refresh="callback-nav")
                for part in (
                    IDS.goto,
                    IDS.drawer_goto,
                    IDS.form_goto,
                    device_admin_list.IDS.goto,
                )
            ),
        ],
        className="stack",
    )


def declared() -> list[Component]:
    """The parts with ids that only the open form has, for Dash's checks."""
    return [
        *device_form.declared(),
        *device_admin.declared(),
        *device_admin_list.declared(),
        *bulk.declared(),
    ]


def _filters() -> Component:
    return html.Div(
        [
            search_box(
                IDS.text, "Search heaters", "Search name, id, serial, place, make"
            ),
            select(IDS.make, "Make", {ANY: "Any make"}),
            select(IDS.type, "Type", {ANY: "Any type"}),
            select(IDS.site, "Site", {ANY: "Any site"}),
            select(IDS.sort, "Order", ORDERS),
        ],
        className="fleet-filters",
        role="search",
    )


def type_options(view: FleetView) -> list[dict[str, str]]:
    """The types that the filter offers."""
    return options("Any type", view.types, view.query.type, TYPES)


def counts(view: FleetView, search: str | None) -> Component:
    """The numbers at the top: each is a filter."""
    return html.Nav(
        [_count(state, view, search) for state in COUNTS],
        className="counts",
        **parts.aria(label="Heaters by state"),
    )


def _count(state: str, view: FleetView, search: str | None) -> Component:
    target = None if state == "all" else state
    href = links.href(PATH, links.with_query(search, state=target, page=None))
    active = view.query.state == state
    return count_link(COUNTS[state], view.counts[state], href, active=active)


def body(
    view: FleetView, prefs: Preferences, search: str | None, *, may_edit: bool
) -> Component:
    """The list below the filters.

    Args:
        view: one page of the fleet.
        prefs: the reader's units and zone.
        search: the query string, kept by every link of the list.
        may_edit: whether to offer registering and editing.
    """
    register = _register_links(search) if may_edit else None
    if not view.size:
        return html.Div(_no_heaters(register), className="panel")
    if not view.found:
        return html.Div(_nothing_found(search), className="panel")
    return html.Div(
        [
            html.Div(
                [_found_words(view), _grouping(view, search), register],
                className="list-head",
            ),
            table(view, prefs, search, may_edit=may_edit),
            pager(view.query.page, view.pages, PATH, search),
        ],
        className="panel fleet-list",
    )


def _register_links(search: str | None) -> Component:
    kinds = (
        ("register", "plus-lg", "Register a heater", "btn-primary"),
        ("import", "upload", "Register a list", "btn-outline-secondary"),
    )
    closed = links.with_query(search, **dict.fromkeys(("edit", "register", "import")))
    items = [
        dcc.Link(
            [parts.icon(icon), words],
            href=links.href(PATH, links.with_query(closed, **{key: "1"})),
            className=f"btn {look} btn-with-icon",
        )
        for key, icon, words, look in reversed(kinds)
    ]
    return html.Div(items, className="button-row")


def _no_heaters(register: Component | None) -> Component:
    command = html.Pre(
        "python cli.py import telemetry FILE.csv\n"
        'python cli.py device add wh-1 --name "Boiler room"',
        className="command",
    )
    advice: list[str | Component] = [
        "Import a file of readings, which registers its heaters, or register one:",
        command,
    ]
    return html.Div(
        [
            parts.icon("inbox"),
            html.P("No heaters yet", className="state-title"),
            html.Div(advice),
            register,
        ],
        className="state",
    )


def _nothing_found(search: str | None) -> Component:
    return parts.empty_state(
        "No heater passes these filters",
        "Change the search or a filter, or look at all heaters.",
        dcc.Link(
            "Show all heaters",
            href=links.href(PATH, links.with_query(search, **cleared())),
            className="btn btn-outline-secondary",
        ),
    )


def failure(shown: Component) -> Component:
    """An error instead of the list, with the way back."""
    back = dcc.Link("Show all heaters", href=links.href(PATH), className="btn-link")
    return html.Div([shown, html.Div(back, className="state-way")], className="panel")


def cleared() -> dict[str, None]:
    """The changes to an address that show every heater."""
    return dict.fromkeys((*FILTERS, "state", "page"))


def _found_words(view: FleetView) -> Component:
    query = view.query
    first = (query.page - 1) * query.page_size + 1
    last = first + len(view.rows) - 1
    shown = text.number(view.found, 0)
    words = f"{text.number(first, 0)} to {text.number(last, 0)} of {shown} heaters"
    if view.found == 1:
        words = "1 heater"
    old = view.now - view.as_of
    note = f", as of {text.duration(old)} ago" if old > OLD else ""
    return html.Span(words + note, className="list-words", role="status")


def _grouping(view: FleetView, search: str | None) -> Component:
    choices = (("none", "One list", None), ("site", "By site", "site"))
    items = [
        dcc.Link(
            [words, parts.hidden("(shown)") if view.query.group == key else None],
            href=links.href(PATH, links.with_query(search, group=value, page=None)),
            className="preset" + (" active" if view.query.group == key else ""),
        )
        for key, words, value in choices
    ]
    return html.Nav(items, className="presets", **parts.aria(label="Grouping"))
