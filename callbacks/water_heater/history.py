"""The History tab: drawn from the address; a zoom is written to the address."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import flask
from dash import Input, Output, State
from dash.exceptions import PreventUpdate

from callbacks.errors import guarded
from callbacks.parsing import parse_search
from callbacks.ranges import register_range
from callbacks.registration import Callbacks, caller, preferences
from dashboards.shell import IDS as SHELL
from dashboards.water_heater.history import IDS, TAB, body, zoomed_in, zoomed_out
from services.history import History
from services.units import Preferences

SHORTEST_ZOOM = timedelta(minutes=5)


class HistoryServices(Protocol):
    """What the tab needs of the services."""

    @property
    def history(self) -> History:
        """History."""


def register(callbacks: Callbacks, services: HistoryServices) -> None:
    """Connect the tab."""
    register_range(callbacks, TAB, "device.read")
    _register_page(callbacks, services)
    _register_zoom(callbacks)


def _register_page(callbacks: Callbacks, services: HistoryServices) -> None:
    @callbacks.on(
        "device.read",
        Output(IDS.body, "children"),
        Input(IDS.device, "data"),
        Input(SHELL.location, "search"),
        State(SHELL.location, "pathname"),
    )
    def show_history(device_id: str | None, search: str | None, path: str) -> Any:
        if not device_id:
            raise PreventUpdate
        query, prefs = parse_search(search), preferences()

        def draw() -> Any:
            view = services.history.view(
                caller(),
                device_id,
                query.get("from"),
                query.get("to"),
                prefs.zone,
                compare=query.get("compare") == "previous",
            )
            return body(view, prefs, path, search, touch=_on_a_phone())

        return guarded(draw)


def _register_zoom(callbacks: Callbacks) -> None:
    @callbacks.on(
        "device.read",
        Output(IDS.goto, "search"),
        Input(IDS.chart, "relayoutData"),
        State(IDS.window, "data"),
        State(SHELL.location, "search"),
        prevent_initial_call=True,
    )
    def keep_zoom(
        change: Mapping[str, Any] | None, shown: list[str] | None, search: str | None
    ) -> str:
        walls = _chosen(change or {})
        if walls is None or shown is None:
            raise PreventUpdate
        if walls == [_wall(bound) for bound in shown]:  # a double click
            out = zoomed_out(search)
            if out is None:
                raise PreventUpdate
            return out
        return zoomed_in(search, *_zoomed(walls, preferences()))


def _on_a_phone() -> bool:
    return "Mobi" in flask.request.headers.get("User-Agent", "")


def _chosen(change: Mapping[str, Any]) -> list[datetime] | None:
    """The range of the time axis that a change of the chart names, if any."""
    bounds = change.get("xaxis.range") or [
        change.get(f"xaxis.range[{i}]") for i in (0, 1)
    ]
    if not isinstance(bounds, list) or len(bounds) != 2 or None in bounds:
        return None
    try:
        return [_wall(str(bound)) for bound in bounds]
    except ValueError:
        return None


def _wall(text: str) -> datetime:
    # Plotly writes one to four digits of a second; Python reads three or six.
    whole, _, _fraction = text.partition(".")
    return datetime.fromisoformat(whole).replace(tzinfo=None)


def _zoomed(walls: list[datetime], prefs: Preferences) -> tuple[datetime, datetime]:
    """Whole minutes in UTC, never shorter than can be drawn."""
    start, end = (
        wall.replace(second=0, tzinfo=prefs.zone).astimezone(UTC) for wall in walls
    )
    return start, max(end, start + SHORTEST_ZOOM)
