"""The frame around every page: rail, menu, places for header, page, messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from dashboards import links, parts
from dashboards.ids import ident
from dashboards.registry import HOME, Tab, built_dashboards
from services.alert_views import Badge
from services.units import CHOICES, Preferences, time_zones

PRODUCT = "IoTSphere"
BADGE_EVERY_MS = 3_000
MOST_ON_BADGE = 999
SHORT_ON_BADGE = 99


class IDS:
    """The ids of the frame."""

    frame = ident("shell", "frame")
    title = ident("shell", "title")
    location = ident("shell", "location")
    goto = ident("shell", "goto")
    preferences = ident("shell", "preferences")
    rail = ident("shell", "rail")
    header = ident("shell", "header")
    page = ident("shell", "page")
    session = ident("shell", "session")
    toasts = ident("shell", "toasts")
    menu = ident("shell", "menu")
    open_menu = ident("shell", "open-menu")
    status = ident("shell", "status")
    tick = ident("shell", "tick")
    badge = ident("shell", "badge")
    badge_tick = ident("shell", "badge-tick")
    badge_held = ident("shell", "badge-held")
    switch = ident("shell", "switch")
    switch_goto = ident("shell", "switch-goto")
    temperature = ident("shell", "temperature")
    volume = ident("shell", "volume")
    pressure = ident("shell", "pressure")
    time_zone = ident("shell", "time-zone")
    theme = ident("shell", "theme")


def frame(
    tabs: Sequence[Tab],
    prefs: Preferences,
    *,
    name: str = "",
    role: str = "",
    demo: bool = False,
) -> Component:
    """The whole page without its content, which the router puts in.

    Args:
        tabs: the tabs that are built.
        prefs: the choices of the person signed in.
        name: user name of the person signed in.
        role: the role's name as people read it.
        demo: whether to show the demo banner.
    """
    theme: dict[str, Any] = {"data-bs-theme": prefs.theme}
    return html.Div(
        [
            html.Title(PRODUCT, id=IDS.title),
            # callback-nav and not False: without its event the other Location
            # would keep an old address and later write it back.
            dcc.Location(id=IDS.location, refresh="callback-nav"),
            dcc.Location(id=IDS.goto, refresh=True),
            dcc.Store(id=IDS.preferences, data=prefs.as_dict()),
            dcc.Store(id=IDS.badge_held),
            dcc.Interval(id=IDS.badge_tick, interval=BADGE_EVERY_MS),
            html.A("Skip to content", href=f"#{IDS.page}", className="skip-link"),
            _rail(tabs, name, role),
            html.Div(
                [
                    _demo_banner() if demo else None,
                    html.Div(id=IDS.session, role="alert"),
                    html.Header(id=IDS.header, className="page-header"),
                    html.Main(id=IDS.page, className="page", tabIndex=-1),
                ],
                className="shell-main",
            ),
            html.Div(
                id=IDS.toasts,
                className="toasts",
                role="status",
                **parts.aria(live="polite"),
            ),
            _menu(prefs, name, role),
        ],
        id=IDS.frame,
        className="shell",
        **theme,
    )


def rail_links(
    tabs: Sequence[Tab], active: str | None, badge: Badge | None = None
) -> list[Component]:
    """Links to the dashboards that are built.

    Args:
        tabs: the tabs somebody may open.
        active: key of the dashboard that is open.
        badge: alerts that need somebody, shown beside the dashboard that has them.
    """
    home = next((tab.dashboard for tab in tabs if tab.key == "alerts"), None)
    place = html.Span(alert_badge(badge), id=IDS.badge, className="rail-badge-place")
    items: list[Component] = []
    for dashboard, first in built_dashboards(tabs):
        link: Component = dcc.Link(
            [
                parts.icon(dashboard.icon),
                html.Span(dashboard.title),
                parts.hidden("(current)") if dashboard.key == active else None,
            ],
            href=links.href(first.address()),
            className="rail-link" + (" active" if dashboard.key == active else ""),
        )
        if dashboard.key == home:
            link = html.Div([link, place], className="rail-item")
        items.append(link)
    return items if home else [*items, place]


def alert_badge(badge: Badge | None) -> Component | None:
    """How many alerts need somebody, as a link to them; nothing when none does."""
    if badge is None or not badge.total:
        return None
    one = badge.total == 1
    said = f"{badge.total} alert{' needs' if one else 's need'} somebody"
    if badge.urgent:
        said += f", {badge.urgent} of them critical or high"
    shown = f"{badge.total}" if badge.total <= MOST_ON_BADGE else f"{MOST_ON_BADGE}+"
    return dcc.Link(
        [
            html.Span(
                f"{shown}!" if badge.urgent else shown, **parts.aria(hidden="true")
            ),
            parts.hidden(said),
        ],
        href=links.href("/monitoring/alerts", "?state=unacknowledged"),
        title=said,
        className=" ".join(
            (
                "rail-badge",
                *(["urgent"] if badge.urgent else []),
                *(["wide"] if badge.total > SHORT_ON_BADGE else []),
            )
        ),
    )


def _rail(tabs: Sequence[Tab], name: str, role: str) -> Component:
    return html.Div(
        [
            dcc.Link(
                [
                    html.Img(src="/assets/logo.svg", alt="", className="logo"),
                    html.Span(PRODUCT),
                ],
                href=HOME,
                className="brand",
            ),
            html.Nav(
                rail_links(tabs, None),
                id=IDS.rail,
                className="rail-links",
                **parts.aria(label="Dashboards"),
            ),
            html.Button(
                [
                    parts.icon("person-circle"),
                    html.Span(
                        [html.Span(name), html.Small(role)], className="who-words"
                    ),
                    parts.hidden("Account and preferences"),
                ],
                id=IDS.open_menu,
                type="button",
                className="who",
            ),
        ],
        className="rail",
    )


def _demo_banner() -> Component:
    return html.Div(
        [
            parts.icon("info-circle"),
            html.Span(
                "Demo: the water heaters and their models are simulated, the users are "
                "for trying out. This computer only."
            ),
        ],
        className="demo-banner",
        role="note",
    )


def _menu(prefs: Preferences, name: str, role: str) -> Component:
    menu: Component = dbc.Offcanvas(
        [
            html.Div([html.Strong(name), parts.tag(role)], className="menu-who"),
            html.H2("Units", className="menu-title"),
            _choice(IDS.temperature, "Temperature", "temperature_unit", prefs),
            _choice(IDS.volume, "Volume", "volume_unit", prefs),
            _choice(IDS.pressure, "Pressure", "pressure_unit", prefs),
            html.H2("Display", className="menu-title"),
            _choice(IDS.theme, "Theme", "theme", prefs),
            html.Div(
                [
                    dbc.Label("Time zone", html_for=IDS.time_zone),
                    dbc.Select(
                        id=IDS.time_zone,
                        options=[{"label": z, "value": z} for z in time_zones()],
                        value=prefs.time_zone,
                    ),
                ],
                className="field",
            ),
            html.Form(
                html.Button(
                    [parts.icon("box-arrow-right"), "Sign out"],
                    type="submit",
                    className="btn btn-outline-secondary",
                ),
                action="/logout",
                method="POST",
                className="sign-out",
            ),
        ],
        id=IDS.menu,
        title="Account and preferences",
        placement="end",
        is_open=False,
        class_name="menu",
    )
    return menu


_CHOICE_WORDS: dict[str, str] = {
    "C": "°C",
    "F": "°F",
    "dark": "Dark",
    "light": "Light",
}


def _choice(part: str, words: str, name: str, prefs: Preferences) -> Component:
    options: list[dict[str, Any]] = [
        {"label": _CHOICE_WORDS.get(value, value), "value": value}
        for value in CHOICES[name]
    ]
    return html.Fieldset(
        [
            html.Legend(words),
            dbc.RadioItems(
                id=part,
                options=options,
                value=getattr(prefs, name),
                inline=True,
                class_name="segments",
            ),
        ],
        className="field choice",
    )
