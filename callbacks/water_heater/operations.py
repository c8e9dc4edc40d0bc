"""The Operations tab: drawn once, then kept up to date by a tick of small pieces."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

from dash import Input, Output, State, no_update, set_props
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from callbacks.errors import guarded
from callbacks.registration import Callbacks, caller, preferences
from dashboards.figures.live import extension, live_chart
from dashboards.health_cards import reasons_card, score_card
from dashboards.live_pieces import LIVE, as_update, changed, digests, pieces
from dashboards.shell import IDS as SHELL
from dashboards.water_heater import operations as tab
from dashboards.water_heater.operations import IDS
from services.errors import InvalidInput, ServiceError
from services.live import CHARTED
from services.operations import Seen, TickView

if TYPE_CHECKING:
    from services.operations import Operations


class OperationsServices(Protocol):
    """What the tab needs of the services."""

    @property
    def operations(self) -> Operations:
        """Operations."""


def register(callbacks: Callbacks, services: OperationsServices) -> None:
    """Connect the tab."""
    _register_page(callbacks, services)
    _register_tick(callbacks, services)


def _register_page(callbacks: Callbacks, services: OperationsServices) -> None:
    @callbacks.on(
        "device.read",
        Output(IDS.body, "children"),
        Input(IDS.device, "data"),
        Input(SHELL.location, "search"),
    )
    def show_operations(device_id: str | None, _search: str | None) -> Component:
        if not device_id:
            raise PreventUpdate
        prefs = preferences()
        shown: Component = guarded(
            lambda: tab.body(
                services.operations.view(caller(), device_id, prefs.zone), prefs
            )
        )
        return shown

    @callbacks.on(
        "device.read",
        Output(IDS.score, "children"),
        Output(IDS.reasons, "children"),
        Output(IDS.numbers, "children"),
        Input(IDS.numbers_tick, "n_intervals"),
        State(IDS.device, "data"),
        prevent_initial_call=True,
        running=[(Output(IDS.numbers_tick, "disabled"), True, False)],
    )
    def refresh_numbers(_ticks: int | None, device_id: str | None) -> Any:
        prefs = preferences()
        with _ends(IDS.numbers_tick):
            view = services.operations.numbers(caller(), _device(device_id), prefs.zone)
        return (
            score_card(view.health, prefs, tab.HEALTH_GRAPH),
            reasons_card(view.health, prefs),
            tab.numbers_cards(view, prefs),
        )


def _register_tick(callbacks: Callbacks, services: OperationsServices) -> None:
    @callbacks.on(
        "device.read",
        Output(IDS.seen, "data"),
        Output(IDS.chart, "figure"),
        Output(IDS.chart, "extendData"),
        *(Output(name, prop) for name, prop in LIVE),
        Input(IDS.tick, "n_intervals"),
        State(IDS.device, "data"),
        State(IDS.seen, "data"),
        prevent_initial_call=True,
        running=[(Output(IDS.tick, "disabled"), True, False)],
    )
    def tick(_ticks: int | None, device_id: str | None, kept: object) -> Any:
        seen, shown = parse_seen(kept)
        with _ends(IDS.tick):
            view = services.operations.tick(caller(), _device(device_id), seen)
        return _answer(view, seen, shown)


def _answer(view: TickView, seen: Seen, shown: str) -> tuple[Any, ...]:
    prefs = preferences()
    now = pieces(view.live, prefs)
    digest = digests(now)
    news = changed(now, digest, shown)
    store = tab.seen(view.chart, digest, None if view.redraw else seen)
    # Never both: Dash draws a new figure over what it has just extended.
    figure = live_chart(view.chart, prefs) if view.redraw else no_update
    added = no_update if view.redraw else extension(view.chart, prefs)
    live = [as_update(key, news[key]) if key in news else no_update for key in LIVE]
    return store, figure, added, *live


def parse_seen(kept: object) -> tuple[Seen, str]:
    """What the page says it has; it comes from a browser, so it is checked.

    Raises:
        InvalidInput: it is not what a tick has given.
    """
    if not isinstance(kept, Mapping):
        raise InvalidInput("seen must be an object.")
    last, shown = kept.get("last"), kept.get("shown")
    if not isinstance(last, list) or len(last) != len(CHARTED):
        raise InvalidInput(f"seen.last must be a list of {len(CHARTED)}.")
    if not isinstance(shown, str):
        raise InvalidInput("seen.shown must be text.")
    ends = [None if t is None else _moment(t) for t in last]
    at, drawn = _moment(kept.get("at")), _moment(kept.get("drawn"))
    return Seen(at, drawn, dict(zip(CHARTED, ends, strict=True))), shown


def _moment(value: object) -> datetime:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidInput("seen holds a time that is no number.")
    if not math.isfinite(value) or not 0 <= value < 4e9:
        raise InvalidInput("seen holds a time that is out of range.")
    return datetime.fromtimestamp(value, UTC)


def _device(device_id: object) -> str:
    if not isinstance(device_id, str):
        raise InvalidInput("device must be text.")
    return device_id


class _ends:  # noqa: N801 - reads as a statement
    """Ends a timer when its question can have no better answer, so it is asked once."""

    def __init__(self, timer: str) -> None:
        self._timer = timer

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None and issubclass(kind, ServiceError):
            set_props(self._timer, {"max_intervals": 0})
