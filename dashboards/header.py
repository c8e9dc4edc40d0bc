"""The header of a page: what it is about, how that is, and where to go."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from dash import dcc, html
from dash.development.base_component import Component

from dashboards import links, parts
from dashboards.ids import ident
from dashboards.registry import HOME, Tab, built_dashboards, siblings
from dashboards.shell import IDS
from services.units import Preferences

if TYPE_CHECKING:
    from services.devices import DeviceHeaderView

STATUS_EVERY_MS = 30_000
MODEL_SWITCH = ident("header", "model-switch")
MODEL_GOTO = ident("header", "model-goto")

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
    """Links to the tabs beside this one; they keep the range, and the model."""
    beside = siblings(tab, tabs)
    if len(beside) < 2:
        return None
    monitoring = tab.dashboard == "monitoring"
    kept = links.model_only(search) if monitoring else links.range_only(search)
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
        dcc.Dropdown(id=MODEL_SWITCH),
        dcc.Location(id=MODEL_GOTO),
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
    kept = links.range_only(search)

    def address(device_id: str) -> str:
        return links.href(tab.address(device_id), kept)

    return switcher(
        "water heater",
        view.device_id,
        [
            {"label": label, "value": device_id, "search": label}
            for device_id, label in view.options
        ],
        address,
        ids=(IDS.switch, IDS.switch_goto),
    )


def switcher(
    what: str,
    shown: str | None,
    options: list[Any],
    address: Callable[[str], str],
    *,
    ids: tuple[str, str],
) -> Component:
    """The previous, the next, and a search box for any other.

    Args:
        what: what one chooses, in words.
        shown: value of the one that is open; ``None`` when none is.
        options: what the search box offers: dicts with ``value``, or plain values.
        address: value -> its page.
        ids: of the search box and of the location it writes.
    """
    known = [o["value"] if isinstance(o, dict) else o for o in options]
    place = known.index(shown) if shown in known else -1
    before = address(known[place - 1]) if place > 0 else None
    after = address(known[place + 1]) if -1 < place < len(known) - 1 else None
    word = f"Go to another {what}" if shown else f"Choose a {what}"
    return html.Div(
        [
            _step("chevron-left", f"Previous {what}", before),
            html.Div(
                dcc.Dropdown(
                    id=ids[0],
                    options=options,
                    # Without a value, so that opening it leads to the search box.
                    value=None,
                    clearable=False,
                    searchable=True,
                    placeholder=word,
                ),
                className="switch-box",
            ),
            _step("chevron-right", f"Next {what}", after),
            # Inserted together with the dropdown: so the switch does not run
            # when the header is drawn, only when somebody chooses.
            dcc.Location(id=ids[1], refresh="callback-nav"),
        ],
        className="switcher",
    )


def _step(icon: str, words: str, address: str | None) -> Component:
    content = [parts.icon(icon), parts.hidden(words)]
    if address is None:
        return html.Span(
            content, className="step disabled", **parts.aria(disabled="true")
        )
    return dcc.Link(content, href=address, className="step", title=words)
