"""The header of a page: what it is about, how that is, and where to go."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from dash import dcc, html
from dash.development.base_component import Component

from dashboards import links, parts
from dashboards.registry import HOME, Tab, built_dashboards, siblings
from dashboards.shell import IDS
from services.units import Preferences

if TYPE_CHECKING:
    from services.devices import DeviceHeaderView

STATUS_EVERY_MS = 30_000

LIFE_CYCLE_WORDS = {
    "pending": "Waiting for activation",
    "inactive": "Deactivated",
    "removed": "Removed",
}


def page_header(
    tab: Tab, tabs: Sequence[Tab], search: str | None
) -> list[Component | None]:
    """The header of a page that is not about one device."""
    title = next(d.title for d, _ in built_dashboards(tabs) if d.key == tab.dashboard)
    return [
        html.Div(html.H1(title), className="header-row"),
        link_tabs(tab, tabs, None, search),
    ]


def device_header(
    view: DeviceHeaderView,
    tab: Tab,
    tabs: Sequence[Tab],
    *,
    search: str | None,
    now: datetime,
    prefs: Preferences,
) -> list[Component | None]:
    """The header of a device's page: what it is, how it is, where to go.

    Args:
        view: the device and the ones it can be changed for.
        tab: the open tab, kept when the device changes.
        tabs: the tabs that are built.
        search: the query string, kept when the tab or the device changes.
        now: the time of the view, for the age of the last reading.
        prefs: the reader's zone.
    """
    place = html.Span(view.place, className="place") if view.place else None
    row = html.Div(
        [
            html.Div([html.H1(view.name), place], className="header-name"),
            html.Div(
                device_status(view, now, prefs), id=IDS.status, className="header-state"
            ),
            _switcher(view, tab, search),
        ],
        className="header-row",
    )
    return [
        _back_link(tab, tabs),
        row,
        link_tabs(tab, tabs, view.device_id, search),
        dcc.Interval(id=IDS.tick, interval=STATUS_EVERY_MS),
    ]


def device_status(
    view: DeviceHeaderView, now: datetime, prefs: Preferences
) -> list[Component]:
    """Connectivity, age of the last reading, simulated, life cycle."""
    word = LIFE_CYCLE_WORDS.get(view.life_cycle)
    shown: list[Component | None] = [
        parts.connectivity_chip(view.connectivity),
        parts.chip("paused", word) if word else None,
        html.Span(["Last reading ", parts.moment(view.last_seen, now, prefs)])
        if view.last_seen
        else None,
        parts.simulated_badge() if view.simulated else None,
    ]
    return [part for part in shown if part is not None]


def link_tabs(
    tab: Tab, tabs: Sequence[Tab], device_id: str | None, search: str | None
) -> Component | None:
    """Links to the tabs beside this one; they keep the time range."""
    beside = siblings(tab, tabs)
    if len(beside) < 2:
        return None
    kept = links.range_only(search)
    items = [
        dcc.Link(
            [
                other.title,
                parts.hidden("(current page)") if other.key == tab.key else None,
            ],
            href=links.href(other.address(device_id), kept),
            className="tab-link" + (" active" if other.key == tab.key else ""),
        )
        for other in beside
    ]
    return html.Nav(items, className="tab-links", **parts.aria(label="Views"))


def declared() -> list[Component]:
    """The parts with ids that only a device's header has, for Dash's checks."""
    return [
        html.Div(id=IDS.status),
        dcc.Interval(id=IDS.tick),
        dcc.Dropdown(id=IDS.switch),
        dcc.Location(id=IDS.switch_goto),
    ]


def not_found(what: str) -> Component:
    """The page for an address that leads nowhere."""
    return parts.empty_state(
        what,
        "Check the address, or start again from the list.",
        dcc.Link("Go to water heaters", href=HOME, className="btn btn-primary"),
    )


def _back_link(tab: Tab, tabs: Sequence[Tab]) -> Component | None:
    first = [first for d, first in built_dashboards(tabs) if d.key == tab.dashboard]
    if not first:
        return None
    return dcc.Link(
        [parts.icon("chevron-left"), "All water heaters"],
        href=links.href(first[0].address()),
        className="back-link",
    )


def _switcher(view: DeviceHeaderView, tab: Tab, search: str | None) -> Component:
    ids = [device_id for device_id, _ in view.options]
    place = ids.index(view.device_id) if view.device_id in ids else -1
    before = ids[place - 1] if place > 0 else None
    after = ids[place + 1] if -1 < place < len(ids) - 1 else None
    return html.Div(
        [
            _step("chevron-left", "Previous water heater", before, tab, search),
            html.Div(
                dcc.Dropdown(
                    id=IDS.switch,
                    options=[
                        {"label": label, "value": device_id, "search": label}
                        for device_id, label in view.options
                    ],
                    # Without a value, so that opening it leads to the search box.
                    value=None,
                    clearable=False,
                    searchable=True,
                    placeholder="Go to another water heater",
                ),
                className="switch-box",
            ),
            _step("chevron-right", "Next water heater", after, tab, search),
            # Inserted together with the dropdown: so the switch does not run
            # when the header is drawn, only when somebody chooses.
            dcc.Location(id=IDS.switch_goto, refresh="callback-nav"),
        ],
        className="switcher",
    )


def _step(
    icon: str, words: str, device_id: str | None, tab: Tab, search: str | None
) -> Component:
    content = [parts.icon(icon), parts.hidden(words)]
    if device_id is None:
        return html.Span(
            content, className="step disabled", **parts.aria(disabled="true")
        )
    address = links.href(tab.address(device_id), links.range_only(search))
    return dcc.Link(content, href=address, className="step", title=words)
