"""The control card: a wish asked, confirmed, refused or taken, and followed.

The card is drawn once for a page; timers and clicks redraw the standings beside the
inputs, never the inputs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dash import Input, Output, State, ctx, no_update, set_props
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from callbacks.control_answers import (
    Wish,
    answered,
    log_card,
    redraw,
    redrawn,
    view_of,
)
from callbacks.control_values import (
    button_of,
    read_asked,
    read_before,
    read_seen,
    read_wish,
)
from callbacks.errors import guarded
from callbacks.registration import Callbacks, caller, preferences
from dashboards import details_control as card
from dashboards.control_inputs import BUTTONS, IDS, VALUES, part, range_words
from dashboards.control_words import in_words
from dashboards.shell import IDS as SHELL
from dashboards.water_heater import details as tab
from services.errors import InvalidInput, ServiceError

if TYPE_CHECKING:
    from callbacks.control_answers import ControlServices

WEIGHED = ("target_temperature_c", "mode", "power")
"""Keys whose input says what follows while it is changed."""


def register(callbacks: Callbacks, services: ControlServices) -> None:
    """Connect the card and the command log."""
    _register_drawing(callbacks, services)
    _register_following(callbacks, services)
    _register_weighing(callbacks, services)
    _register_asking(callbacks, services)


def _register_drawing(callbacks: Callbacks, services: ControlServices) -> None:
    @callbacks.on(
        "device.read",
        Output(IDS.card, "children"),
        Input(tab.IDS.device, "data"),
    )
    def show_control(device_id: str | None) -> Any:
        if not device_id:
            raise PreventUpdate
        return guarded(
            lambda: card.control_card(
                services.control_views.of(caller(), device_id), preferences()
            )
        )

    @callbacks.on(
        "device.read",
        Output(IDS.commands, "children"),
        Input(tab.IDS.device, "data"),
        Input(SHELL.location, "search"),
    )
    def show_commands(device_id: str | None, search: str | None) -> Any:
        if not device_id:
            raise PreventUpdate
        return guarded(lambda: _log(services, device_id, search))


def _register_following(callbacks: Callbacks, services: ControlServices) -> None:
    @callbacks.on(
        "device.read",
        output=redrawn(),
        inputs=[Input(IDS.tick, "n_intervals"), Input(IDS.slow_tick, "n_intervals")],
        state=[
            State(tab.IDS.device, "data"),
            State(SHELL.location, "search"),
            State(IDS.seen, "data"),
        ],
        prevent_initial_call=True,
        # A slow answer must not be overtaken by the next tick, which would drop it.
        running=[(Output(IDS.tick, "interval"), card.SLOW_MS, card.FAST_MS)],
    )
    def follow(
        _fast: object, _slow: object, device_id: str | None, search: str | None,
        seen: object,
    ) -> dict[str, Any]:  # fmt: skip
        _, digest = read_seen(seen)
        try:
            view = view_of(services, _device(device_id), search)
        except ServiceError:
            for tick in (IDS.tick, IDS.slow_tick):
                set_props(tick, {"disabled": True})
            raise
        if view.digest == digest and ctx.triggered_id == IDS.tick:
            raise PreventUpdate
        return redraw(view, search)


def _register_weighing(callbacks: Callbacks, services: ControlServices) -> None:
    @callbacks.on(
        "device.control",
        *(Output(part("note", key), "children") for key in WEIGHED),
        *(Input(VALUES[key], "value") for key in WEIGHED),
        State(tab.IDS.device, "data"),
        prevent_initial_call=True,
    )
    def weigh(
        target: object, mode: object, power: object, device_id: str | None
    ) -> Any:
        values = {"target_temperature_c": target, "mode": mode, "power": power}
        changed = [key for key in WEIGHED if VALUES[key] == ctx.triggered_id]
        if not changed:
            raise PreventUpdate
        (key,) = changed
        said = _consequence(services, _device(device_id), key, values[key])
        return [said if each == key else no_update for each in WEIGHED]


def _consequence(
    services: ControlServices, device_id: str, key: str, value: object
) -> Component | None:
    """What the safety rules say of a value while it is being chosen."""
    if value is None and key == "target_temperature_c":
        # A browser gives no number that is out of the input's range.
        view = view_of(services, device_id, None)
        return card.note(range_words(view, preferences()))
    wish = read_wish("set", key, value, services.clock(), preferences())
    try:
        ruling = services.controls.rulings(caller(), device_id, wish)[key]
    except InvalidInput as error:
        return card.refusal(in_words(str(error)))
    if ruling.refused:
        return card.refusal(ruling.refused)
    return card.note(" ".join(s for s in (ruling.ask, ruling.note) if s))


def _register_asking(callbacks: Callbacks, services: ControlServices) -> None:
    @callbacks.on(
        "device.control",
        output=redrawn(shared=True) | answered(),
        inputs={
            "_clicks": [Input(button.id, "n_clicks") for button in BUTTONS],
            "_entered": Input(IDS.target, "n_submit"),
            "_yes": Input(IDS.confirm, "n_clicks"),
        },
        state={
            "values": {key: State(VALUES[key], "value") for key in VALUES},
            "device_id": State(tab.IDS.device, "data"),
            "search": State(SHELL.location, "search"),
            "seen": State(IDS.seen, "data"),
            "asked": State(IDS.asked, "data"),
        },
        prevent_initial_call=True,
    )
    def ask(
        _clicks: object, _entered: object, _yes: object, values: dict[str, object],
        device_id: str | None, search: str | None, seen: object, asked: object,
    ) -> dict[str, Any]:  # fmt: skip
        if not ctx.triggered or not ctx.triggered[0]["value"]:
            raise PreventUpdate
        device = _device(device_id)
        if ctx.triggered_id == IDS.confirm:
            key, value, version = read_asked(asked)
            wish = Wish(services, device, search, key, version, confirmed=True)
            return wish.answer(lambda: {key: value})
        action, key = button_of(str(ctx.triggered_id))
        version, _ = read_seen(seen)
        wish = Wish(services, device, search, key, version)
        return wish.answer(lambda: wish.read(action, values.get(key)))

    @callbacks.on(
        "device.control",
        Output(IDS.dialog, "is_open", allow_duplicate=True),
        Input(IDS.cancel, "n_clicks"),
        prevent_initial_call=True,
    )
    def cancel(_clicks: object) -> bool:
        return False


def _log(services: ControlServices, device_id: str, search: str | None) -> Component:
    read_before(search)
    return log_card(view_of(services, device_id, search), search)


def _device(device_id: str | None) -> str:
    if not device_id:
        raise PreventUpdate
    return device_id
