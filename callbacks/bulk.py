"""Bulk commands on the Fleet tab: form, start, progress, stop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from dash import Input, Output, State, no_update, set_props
from dash.exceptions import PreventUpdate

from callbacks.errors import explained, guarded
from callbacks.registration import Callbacks, caller, preferences
from dashboards import bulk as tab
from dashboards import links
from dashboards.bulk import IDS, MODE, TARGET
from dashboards.shell import IDS as SHELL
from services.errors import InvalidInput, NeedsConfirmation, ServiceError
from services.fleet import FleetQuery
from services.units import to_stored

if TYPE_CHECKING:
    from collections.abc import Callable

    from services.care import Care

    Reader = Callable[[str | None], FleetQuery]

FILTER_KEYS = ("state", "q", "make", "type", "site")


class BulkServices(Protocol):
    """What the form needs of the services."""

    @property
    def care(self) -> Care:
        """The care of heaters."""


def register(callbacks: Callbacks, services: BulkServices, read: Reader) -> None:
    """Connect the form; ``read`` makes the query of an address."""
    _register_button(callbacks, services)
    _register_form(callbacks, services, read)
    _register_start(callbacks, services, read)
    _register_progress(callbacks, services)
    _register_stop(callbacks, services)


def _register_button(callbacks: Callbacks, services: BulkServices) -> None:
    @callbacks.on(
        "fleet.read",
        Output(IDS.bar, "hidden"),
        Output(IDS.job, "data"),
        Input(SHELL.location, "pathname"),
        State(IDS.job, "data"),
    )
    def show_button(_path: object, job_id: object) -> Any:
        """Whoever may sees the button; a running job is followed by everybody."""
        running = None
        if job_id is None:
            jobs = services.care.bulk.recent(caller(), 1)
            running = next((j.id for j in jobs if j.state == "running"), None)
        hidden = not caller().may("device.control")
        return hidden, no_update if running is None else running

    @callbacks.on(
        "device.control",
        Output(IDS.drawer, "is_open"),
        Output(IDS.confirm, "value"),
        Input(IDS.open, "n_clicks"),
        prevent_initial_call=True,
    )
    def open_form(clicks: int | None) -> Any:
        if not clicks:
            raise PreventUpdate
        return True, False


def _register_form(callbacks: Callbacks, services: BulkServices, read: Reader) -> None:
    @callbacks.on(
        "device.control",
        Output(IDS.count, "children"),
        Output(IDS.target_unit, "children"),
        Output(IDS.target_box, "hidden"),
        Output(IDS.mode_box, "hidden"),
        Output(IDS.preview, "children"),
        Output(IDS.confirm, "label"),
        Input(IDS.drawer, "is_open"),
        Input(IDS.key, "value"),
        Input(IDS.target, "value"),
        Input(IDS.mode, "value"),
        Input(SHELL.location, "search"),
        prevent_initial_call=True,
    )
    def weigh(
        is_open: bool | None, key: str, target: object, mode: object, search: str | None
    ) -> Any:
        if not is_open:
            raise PreventUpdate
        boxes = (tab.unit_words(preferences()), key != TARGET, key != MODE)
        query = read(search)
        try:
            value = _value(key, target, mode)
        except InvalidInput:
            # Nothing typed yet: the mode that leaves everything as it is counts them.
            plan = services.care.bulk.preview(caller(), MODE, "eco", query)
            return tab.count_words(plan.found), *boxes, None, tab.confirm_words(None)
        try:
            plan = services.care.bulk.preview(caller(), key, value, query)
        except ServiceError as error:
            words = explained(error)[0]
            return no_update, *boxes, words, tab.confirm_words(None)
        shown = tab.preview(plan)
        words = tab.confirm_words(plan.asked)
        return tab.count_words(plan.found), *boxes, shown, words


def _register_start(callbacks: Callbacks, services: BulkServices, read: Reader) -> None:
    @callbacks.on(
        "device.control",
        Output(IDS.message, "children"),
        Input(IDS.start, "n_clicks"),
        State(IDS.key, "value"),
        State(IDS.target, "value"),
        State(IDS.mode, "value"),
        State(IDS.confirm, "value"),
        State(SHELL.location, "search"),
        prevent_initial_call=True,
    )
    def start(
        clicks: int | None,
        key: str,
        target: object,
        mode: object,
        confirmed: bool | None,
        search: str | None,
    ) -> str:
        if not clicks:
            raise PreventUpdate
        try:
            value = _value(key, target, mode)
            if not confirmed:
                raise NeedsConfirmation(
                    "Tick the box first: this reaches many heaters."
                )
            chosen = links.parse_search(search)
            view = services.care.bulk.start(
                caller(),
                key,
                value,
                read(search),
                filter_text=links.build_search({k: chosen.get(k) for k in FILTER_KEYS}),
                confirmed=True,
            )
        except ServiceError as error:
            return explained(error)[0]
        set_props(IDS.drawer, {"is_open": False})
        set_props(IDS.job, {"data": view.job.id})
        return ""


def _register_progress(callbacks: Callbacks, services: BulkServices) -> None:
    @callbacks.on(
        "fleet.read",
        Output(IDS.progress, "children"),
        Output(IDS.tick, "disabled"),
        Input(IDS.job, "data"),
        Input(IDS.tick, "n_intervals"),
    )
    def show_progress(job_id: int | None, _ticks: object) -> Any:
        if not isinstance(job_id, int) or job_id < 1:
            return None, True
        going = [False]

        def drawn() -> Any:
            view = services.care.bulk.of(caller(), job_id)
            going[0] = view.job.state == "running"
            return tab.progress_card(view, preferences())

        return guarded(drawn), not going[0]


def _register_stop(callbacks: Callbacks, services: BulkServices) -> None:
    @callbacks.on(
        "device.control",
        Output(IDS.tick, "n_intervals"),
        Input(IDS.stop, "n_clicks"),
        State(IDS.job, "data"),
        State(IDS.tick, "n_intervals"),
        prevent_initial_call=True,
    )
    def stop(clicks: int | None, job_id: int | None, ticks: int | None) -> int:
        if not clicks or not isinstance(job_id, int):
            raise PreventUpdate
        services.care.bulk.stop(caller(), job_id)
        return (ticks or 0) + 1

    @callbacks.on(
        "fleet.read",
        Output(IDS.close, "disabled"),
        Input(IDS.close, "n_clicks"),
        prevent_initial_call=True,
    )
    def close(clicks: int | None) -> bool:
        if not clicks:
            raise PreventUpdate
        set_props(IDS.job, {"data": 0})
        return True


def _value(key: str, target: object, mode: object) -> object:
    if key == MODE:
        return str(mode)
    try:
        number = float(str(target or "").strip().replace(",", "."))
    except ValueError:
        raise InvalidInput("Type a target temperature.") from None
    return to_stored(number, "temperature", preferences())
