"""What is entered on the control card: its ids, inputs, buttons and its question."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil, floor
from typing import Any

import dash_bootstrap_components as dbc
from dash import html
from dash.development.base_component import Component

from dashboards import parts, text
from dashboards.control_words import KEYS
from dashboards.dialogs import question
from dashboards.ids import ident
from dashboards.live_pieces import mode_words
from data.records import MODES
from data.talk_records import WISH_KEYS
from services.control_views import ControlView
from services.controls import Standing
from services.units import Preferences, convert, unit
from services.wishes import PASTEURISE_C

TAB = "details"
STEP = 0.5
BOOSTS: Mapping[str, str] = {
    "30": "30 min",
    "60": "1 h",
    "120": "2 h",
    "240": "4 h",
}
"""Minutes of a boost."""
CYCLE_H = 3
"""How long a pasteurising cycle may take."""


class IDS:
    """The ids of the card that callbacks name."""

    card = ident(TAB, "control")
    tick = ident(TAB, "control-tick")
    slow_tick = ident(TAB, "standing-tick")
    seen = ident(TAB, "control-seen")
    asked = ident(TAB, "control-asked")
    commands = ident(TAB, "commands")
    dialog = ident(TAB, "control-dialog")
    question = ident(TAB, "control-question")
    cancel = ident(TAB, "control-cancel")
    confirm = ident(TAB, "control-confirm")
    target = ident(TAB, "control-target")
    mode = ident(TAB, "control-mode")
    power = ident(TAB, "control-power")
    away = ident(TAB, "control-away")
    boost = ident(TAB, "control-boost")


VALUES: Mapping[str, str] = {
    "target_temperature_c": IDS.target,
    "mode": IDS.mode,
    "power": IDS.power,
    "away_until": IDS.away,
    "boost_until": IDS.boost,
}
"""The inputs by the key they set; a pasteurising cycle has a button alone."""
ENDING = tuple(key for key in WISH_KEYS if key.endswith("_until"))


def part(name: str, key: str) -> str:
    """The id of one part of a key's row: ``row``, ``said``, ``note``."""
    return ident(TAB, f"{name}-{key.replace('_', '-')}")


@dataclass(frozen=True)
class Button:
    """A button: what it does, ``set``, ``end`` or ``withdraw``, to which key."""

    action: str
    key: str

    @property
    def id(self) -> str:
        """The id of the button."""
        return part(self.action, self.key)


BUTTONS: tuple[Button, ...] = (
    *(Button("set", key) for key in WISH_KEYS),
    *(Button("end", key) for key in ENDING),
    *(Button("withdraw", key) for key in WISH_KEYS),
)


def enter(standing: Standing, view: ControlView, prefs: Preferences) -> Component:
    """The input of a key with its buttons, and the place of what is said of it."""
    key = standing.key
    buttons = [_button("set", key, SET_WORDS.get(key, "Set"), "primary")]
    if key in ENDING:
        buttons.append(_button("end", key, END_WORDS[key], "outline-secondary"))
    return html.Div(
        [
            html.Div(
                [
                    _label(key),
                    _input(standing, view, prefs),
                    *buttons,
                    _button("withdraw", key, "Withdraw wish", "outline-secondary"),
                ],
                className="control-inputs",
            ),
            html.Div(
                id=part("note", key),
                className="control-note",
                **parts.aria(live="polite"),
            ),
        ],
        className="control-enter",
    )


SET_WORDS: Mapping[str, str] = {
    "boost_until": "Start boost",
    "pasteurise_until": "Pasteurise now",
}
END_WORDS: Mapping[str, str] = {
    "away_until": "End away",
    "boost_until": "End boost",
    "pasteurise_until": "End cycle",
}


def _button(action: str, key: str, words: str, look: str) -> Component:
    return html.Button(
        [words, parts.hidden(f" ({KEYS[key]})")],
        id=Button(action, key).id,
        type="button",
        className=f"btn btn-{look} control-{action}",
    )


def _label(key: str) -> Component | None:
    """The name of an input for those who do not see the row it stands in."""
    if key not in VALUES or key == "power":
        return None
    return html.Label(KEYS[key], htmlFor=VALUES[key], className="visually-hidden")


def _input(standing: Standing, view: ControlView, prefs: Preferences) -> Any:
    key = standing.key
    held = standing.reported if standing.wished is None else standing.wished
    if key == "target_temperature_c":
        return _target(held, view, prefs)
    if key == "mode":
        modes = view.device.modes or MODES
        return dbc.Select(
            id=IDS.mode,
            options=[{"label": mode_words(mode), "value": mode} for mode in modes],
            value=held if held in modes else modes[0],
            class_name="control-field",
        )
    if key == "power":
        return dbc.RadioItems(
            id=IDS.power,
            options=[{"label": "On", "value": "on"}, {"label": "Off", "value": "off"}],
            value={True: "on", False: "off"}.get(held is not False),
            inline=True,
            class_name="segments",
        )
    if key == "away_until":
        return dbc.Input(
            id=IDS.away, type="datetime-local", value="", class_name="control-field"
        )
    if key == "boost_until":
        return dbc.Select(
            id=IDS.boost,
            options=[{"label": w, "value": m} for m, w in BOOSTS.items()],
            value="60",
            class_name="control-field",
        )
    hot = text.quantity("target_temperature_c", PASTEURISE_C, prefs)
    return html.Span(f"{hot} or more, for up to {CYCLE_H} h", className="row-note")


def bounds(view: ControlView, prefs: Preferences) -> tuple[float, float]:
    """The device's limits in the reader's unit, on whole steps inside of them."""
    low, high = (convert(c, "temperature", prefs) for c in (view.low_c, view.high_c))
    return ceil(low / STEP) * STEP, floor(high / STEP) * STEP


def _target(held: object, view: ControlView, prefs: Preferences) -> Component:
    low, high = bounds(view, prefs)
    value = None
    if isinstance(held, int | float) and not isinstance(held, bool):
        value = round(convert(held, "temperature", prefs) / STEP) * STEP
    field: Component = dbc.InputGroup(
        [
            dbc.Input(
                id=IDS.target, type="number", min=low, max=high, step=STEP, value=value
            ),
            dbc.InputGroupText(unit("temperature", prefs)),
        ],
        class_name="control-field",
    )
    return field


def range_words(view: ControlView, prefs: Preferences) -> str:
    """What may be given as a target."""
    low, high = bounds(view, prefs)
    return (
        f"{view.device.name} takes {text.number(low, 1)} to {text.number(high, 1)} "
        f"{unit('temperature', prefs)}, in steps of {STEP:g}."
    )


def dialog() -> Component:
    """The question a safety rule asks."""
    return question(IDS, "Set anyway", "danger", "control-dialog")
