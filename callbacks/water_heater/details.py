"""The Details tab: one heater, its event log by the address, its unit switch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from dash import Input, Output, State
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from callbacks import device_care, device_control
from callbacks.control_answers import ControlServices
from callbacks.errors import failed
from callbacks.registration import Callbacks, caller, preferences
from dashboards import links
from dashboards.shell import IDS as SHELL
from dashboards.water_heater import details as tab
from dashboards.water_heater.details import IDS
from services.errors import InvalidInput

if TYPE_CHECKING:
    from services.details import Details


class DetailsServices(ControlServices, device_care.CareServices, Protocol):
    """What the tab needs of the services."""

    @property
    def details(self) -> Details:
        """Details."""


def register(callbacks: Callbacks, services: DetailsServices) -> None:
    """Connect the tab."""
    device_control.register(callbacks, services)
    device_care.register(callbacks, services)

    @callbacks.on(
        "device.read",
        Output(IDS.now, "children"),
        Output(IDS.body, "children"),
        Input(IDS.device, "data"),
        Input(SHELL.location, "search"),
        Input(IDS.tick, "n_intervals"),
    )
    def show_details(
        device_id: str | None, search: str | None, _ticks: object
    ) -> tuple[Component | None, Component]:
        if not device_id:
            raise PreventUpdate
        try:
            return _drawn(services, device_id, search)
        except Exception as error:  # noqa: BLE001 - the user gets the error state
            return None, failed(error)

    @callbacks.on(
        "preferences.write",
        Output(SHELL.temperature, "value"),
        Input(IDS.unit, "value"),
        State(SHELL.temperature, "value"),
        prevent_initial_call=True,
    )
    def switch_unit(chosen: str | None, now: str | None) -> str:
        # The menu's own control keeps the choice, so there is one way to save it.
        if not chosen or chosen == now:
            raise PreventUpdate
        return chosen


def _drawn(
    services: DetailsServices, device_id: str, search: str | None
) -> tuple[Component, Component]:
    query = links.parse_search(search)
    page = query.get("page", "1")
    if not page.isdecimal() or len(page) > 9:
        raise InvalidInput("page must be a whole number from 1 on.")
    prefs = preferences()
    view = services.details.of(
        caller(),
        device_id,
        prefs.zone,
        category=query.get("category", ""),
        page=int(page),
    )
    return tab.now(view, prefs), tab.body(view, prefs, search)
