"""Moving between pages, and the choices of the menu."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol

from dash import Input, Output, State, ctx, no_update
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from callbacks import badge
from callbacks.badge import BadgeServices, badge_of
from callbacks.errors import failed, guarded, show_toast
from callbacks.parsing import parse_units
from callbacks.registration import Callbacks, caller, preferences
from dashboards import header, links, shell
from dashboards.header import MODEL_GOTO, MODEL_SWITCH
from dashboards.model_header import choose_header, model_header, switch_search
from dashboards.registry import Tab, match
from dashboards.shell import IDS, PRODUCT
from services.access import Principal, requires
from services.errors import NotFound, ServiceError
from services.units import Preferences

if TYPE_CHECKING:
    from services.devices import DeviceHeaderView
    from services.models_views import ModelHeaderView


class Accounts(Protocol):
    """The part of the accounts service that the menu needs."""

    def set_preferences(
        self, caller: Principal, values: Mapping[str, Any]
    ) -> Preferences:
        """Keep the caller's choices."""


class Devices(Protocol):
    """The part of the device service that the frame needs."""

    def header(self, caller: Principal, device_id: str) -> DeviceHeaderView:
        """What the header of a device's pages shows."""


class Models(Protocol):
    """The part of the model service that the frame needs."""

    def header(
        self, caller: Principal, name: str, version: str | None
    ) -> ModelHeaderView:
        """What the header of a model's pages shows."""

    def options(self, caller: Principal) -> tuple[tuple[str, str], ...]:
        """Name and label of each model."""


class ShellServices(BadgeServices, Protocol):
    """What the frame needs of the services."""

    @property
    def accounts(self) -> Accounts:
        """Accounts."""

    @property
    def devices(self) -> Devices:
        """Devices."""

    @property
    def models(self) -> Models:
        """Monitored models."""

    @property
    def clock(self) -> Callable[[], datetime]:
        """The time, aware UTC."""


def register(
    callbacks: Callbacks, services: ShellServices, tabs: Sequence[Tab]
) -> None:
    """Connect the frame: pages, header, device switch, menu."""
    _register_pages(callbacks, services, tabs)
    _register_device(callbacks, services, tabs)
    _register_model(callbacks, tabs)
    badge.register(callbacks, services)
    _register_menu(callbacks, services)


def _register_pages(
    callbacks: Callbacks, services: ShellServices, tabs: Sequence[Tab]
) -> None:
    layouts = {tab.key: importlib.import_module(tab.layout) for tab in tabs}

    @callbacks.on(
        "session.use",
        Output(IDS.header, "children"),
        Output(IDS.rail, "children"),
        Output(IDS.page, "children"),
        Output(IDS.title, "children"),
        Input(IDS.location, "pathname"),
        Input(IDS.location, "search"),
        Input(IDS.preferences, "data"),
    )
    def show_page(path: str | None, search: str | None, _changed: object) -> Any:
        found = match(path, tabs)
        open_to = [tab for tab in tabs if caller().may(tab.permission)]
        if found is None:
            page = header.not_found("There is no page at this address.")
            rail = shell.rail_links(open_to, None, badge_of(services))
            return None, rail, page, PRODUCT
        tab, device_id = found
        rail = shell.rail_links(open_to, tab.dashboard, badge_of(services))
        head = guarded(lambda: _header(services, tab, device_id, search, tabs))
        if set(ctx.triggered_prop_ids) == {f"{IDS.location}.search"}:
            # Same page: the tab reads the address itself, only links change.
            title = _model_title(tab, search) if tab.per_model else no_update
            return head, rail, no_update, title
        page, title = _page(services, layouts[tab.key], tab, device_id)
        title = _model_title(tab, search) if tab.per_model else title
        return head, rail, page, title


def _page(
    services: ShellServices, layout: ModuleType, tab: Tab, device_id: str | None
) -> tuple[Component, str]:
    try:
        requires(caller(), tab.permission)
        name = device_id and services.devices.header(caller(), device_id).name
        return layout.skeleton(device_id), _title(tab.title, name)
    except NotFound:
        page = header.not_found(f"There is no water heater {device_id}.")
        return page, _title(tab.title)
    except ServiceError as error:
        return failed(error), _title(tab.title)


def _header(
    services: ShellServices,
    tab: Tab,
    device_id: str | None,
    search: str | None,
    tabs: Sequence[Tab],
) -> list[Component | None] | None:
    if tab.per_model:
        return _model_header(services, tab, search, tabs)
    if device_id is None:
        return header.page_header(tab, tabs, search)
    try:
        view = services.devices.header(caller(), device_id)
    except NotFound:
        return None  # the page itself says so
    return header.device_header(
        view,
        tab,
        tabs,
        search=search,
        now=services.clock(),
        prefs=preferences(),
    )


def _model_header(
    services: ShellServices, tab: Tab, search: str | None, tabs: Sequence[Tab]
) -> list[Component | None]:
    view = _model_view(services, search)
    if view is None:
        return choose_header(services.models.options(caller()), tab, tabs, search)
    now, prefs = services.clock(), preferences()
    return model_header(view, tab, tabs, search=search, now=now, prefs=prefs)


def _model_view(services: ShellServices, search: str | None) -> ModelHeaderView | None:
    query = links.parse_search(search)
    name, version = query.get("model"), query.get("version") or None
    if not name:
        return None
    try:
        return services.models.header(caller(), name, version)
    except NotFound:
        return None  # the page itself says so; from here one can go to another


def _model_title(tab: Tab, search: str | None) -> str:
    return _title(tab.title, links.parse_search(search).get("model"))


def _title(*words: str | None) -> str:
    return " · ".join([*[word for word in words if word], PRODUCT])


def _register_device(
    callbacks: Callbacks, services: ShellServices, tabs: Sequence[Tab]
) -> None:
    @callbacks.on(
        "device.read",
        Output(IDS.switch_goto, "href"),
        Input(IDS.switch, "value"),
        State(IDS.location, "pathname"),
        State(IDS.location, "search"),
        prevent_initial_call=True,
    )
    def switch_device(chosen: str | None, path: str, search: str | None) -> str:
        found = match(path, tabs)
        if found is None or not chosen or chosen == found[1]:
            raise PreventUpdate
        return links.href(found[0].address(chosen), links.range_only(search))

    @callbacks.on(
        "device.read",
        Output(IDS.status, "children"),
        Input(IDS.tick, "n_intervals"),
        State(IDS.location, "pathname"),
        prevent_initial_call=True,
    )
    def refresh_status(_ticks: int | None, path: str) -> list[Component]:
        found = match(path, tabs)
        if found is None or found[1] is None:
            raise PreventUpdate
        view = services.devices.header(caller(), found[1])
        return header.device_status(view, services.clock(), preferences())


def _register_model(callbacks: Callbacks, tabs: Sequence[Tab]) -> None:
    @callbacks.on(
        "model.read",
        Output(MODEL_GOTO, "href"),
        Input(MODEL_SWITCH, "value"),
        State(IDS.location, "pathname"),
        State(IDS.location, "search"),
        prevent_initial_call=True,
    )
    def switch_model(chosen: str | None, path: str, search: str | None) -> str:
        found = match(path, tabs)
        shown = links.parse_search(search).get("model")
        if found is None or not chosen or chosen == shown:
            raise PreventUpdate
        return links.href(found[0].address(), switch_search(search, chosen))


def _register_menu(callbacks: Callbacks, services: ShellServices) -> None:
    @callbacks.on(
        "session.use",
        Output(IDS.menu, "is_open"),
        Input(IDS.open_menu, "n_clicks"),
        prevent_initial_call=True,
    )
    def open_menu(clicks: int | None) -> bool:
        return bool(clicks)

    @callbacks.on(
        "preferences.write",
        Output(IDS.preferences, "data"),
        Output(IDS.frame, "data-bs-theme"),
        Input(IDS.temperature, "value"),
        Input(IDS.volume, "value"),
        Input(IDS.pressure, "value"),
        Input(IDS.time_zone, "value"),
        Input(IDS.theme, "value"),
        prevent_initial_call=True,
    )
    def save_preferences(
        temperature: str, volume: str, pressure: str, zone: str, theme: str
    ) -> tuple[Mapping[str, str], str]:
        chosen = parse_units(
            {
                "temperature_unit": temperature,
                "volume_unit": volume,
                "pressure_unit": pressure,
                "time_zone": zone,
                "theme": theme,
            }
        )
        services.accounts.set_preferences(caller(), chosen.as_dict())
        show_toast("good", "Saved", "Your preferences are kept.")
        return chosen.as_dict(), chosen.theme
