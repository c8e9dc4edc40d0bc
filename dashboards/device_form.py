"""The form in which an administrator registers or edits a heater."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from dashboards.fleet_table import TYPES
from dashboards.ids import ident
from dashboards.live_pieces import mode_words
from data.records import DEVICE_TYPES, MODES, Device
from services.units import Preferences, convert, unit

TAB = "fleet"
DECIMALS = 4
NOT_STATED = "not stated"
"""What a choice holds when nobody has said: an empty value shows no word."""


@dataclass(frozen=True)
class Field:
    """One field of the form.

    kind: ``text``, ``number``, ``whole``, ``date``, ``type``, ``modes``, ``yes_no``
    or ``life``. quantity: a kind of ``services.units`` for a number that is shown in
    the reader's unit. unit: the unit of other numbers.
    """

    name: str
    label: str
    kind: str = "text"
    quantity: str = ""
    unit: str = ""

    @property
    def id(self) -> str:
        """The id of its control."""
        return ident(TAB, f"field-{self.name.replace('_', '-')}")

    @property
    def error_id(self) -> str:
        """The id of the place of its error."""
        return ident(TAB, f"error-{self.name.replace('_', '-')}")


GROUPS: tuple[tuple[str, tuple[Field, ...]], ...] = (
    (
        "Identity",
        (
            Field("id", "Id"),
            Field("name", "Name"),
            Field("manufacturer", "Make"),
            Field("model", "Model"),
            Field("serial", "Serial number"),
            Field("firmware", "Firmware"),
            Field("life_cycle", "Start as", "life"),
        ),
    ),
    (
        "Heater",
        (
            Field("type", "Type", "type"),
            Field("capacity_l", "Capacity", "number", "volume"),
            Field("rated_power_w", "Rated power", "number", "power"),
            Field("setpoint_min_c", "Lowest target", "number", "temperature"),
            Field("setpoint_max_c", "Highest target", "number", "temperature"),
            Field("reporting_interval_s", "Reports every", "whole", unit="s"),
            Field("mixing_valve", "Mixing valve", "yes_no"),
            Field("modes", "Modes it has", "modes"),
        ),
    ),
    (
        "Place",
        (
            Field("building", "Building"),
            Field("floor", "Floor"),
            Field("room", "Room"),
            Field("latitude", "Latitude", "number", unit="°"),
            Field("longitude", "Longitude", "number", unit="°"),
        ),
    ),
    (
        "Dates",
        (
            Field("installed_on", "Installed on", "date"),
            Field("warranty_until", "Warranty until", "date"),
        ),
    ),
)
FIELDS: tuple[Field, ...] = tuple(field for _, fields in GROUPS for field in fields)


class IDS:
    """The ids of the form that callbacks name, besides those of its fields."""

    held = ident(TAB, "form-held")
    message = ident(TAB, "form-message")
    save = ident(TAB, "form-save")
    activate = ident(TAB, "form-activate")
    deactivate = ident(TAB, "form-deactivate")
    remove = ident(TAB, "form-remove")
    typed = ident(TAB, "form-typed")


def shown(field: Field, device: Device, prefs: Preferences) -> Any:
    """A device's value as its control takes it."""
    value = getattr(device, field.name)
    if field.kind == "modes":
        return list(value)
    if value is None:
        return NOT_STATED if field.kind in {"type", "yes_no"} else ""
    if field.kind == "yes_no":
        return "yes" if value else "no"
    if field.quantity:
        value = round(convert(value, field.quantity, prefs), DECIMALS)
    # Dates and texts are written as they are, numbers without an idle ".0".
    return f"{value:.10g}" if isinstance(value, int | float) else str(value)


def title(device: Device | None) -> str:
    """What stands above the form."""
    return f"Edit {device.name}" if device else "Register a heater"


def form(
    device: Device | None, prefs: Preferences, *more: Component | None
) -> Component:
    """The form; ``None`` registers a new heater. ``more`` stands before its end."""
    blank = Device(id="", name="", life_cycle="pending")
    values = device or blank
    return html.Div(
        [
            dcc.Store(id=IDS.held, data=_held(device)),
            *(
                html.Fieldset(
                    [
                        html.Legend(title),
                        html.Div(
                            [_row(f, values, prefs, device) for f in fields],
                            className="form-grid",
                        ),
                    ]
                )
                for title, fields in GROUPS
            ),
            html.Div(id=IDS.message, role="alert", className="form-message"),
            html.Button(
                "Save" if device else "Register",
                id=IDS.save,
                type="button",
                className="btn btn-primary",
            ),
            *more,
            _life(device),
        ],
        className="device-form",
    )


def _held(device: Device | None) -> dict[str, Any] | None:
    if device is None:
        return None
    return {"id": device.id, "version": device.version, "name": device.name}


def _row(
    field: Field, values: Device, prefs: Preferences, device: Device | None
) -> Component:
    hidden = field.kind == "life" and device is not None
    written = unit(field.quantity, prefs) if field.quantity else field.unit
    label = f"{field.label} ({written})" if written else field.label
    control = _control(field, shown(field, values, prefs), device is not None)
    if field.kind == "modes":
        title: Component = html.Div(label, className="form-label")
    else:
        title = dbc.Label(label, html_for=field.id)
    return html.Div(
        [
            title,
            control,
            html.Div(id=field.error_id, className="field-error", role="alert"),
        ],
        className="field" + (" wide" if field.kind == "modes" else ""),
        hidden=hidden,
    )


def _control(field: Field, value: Any, editing: bool) -> Component:
    if field.kind == "modes":
        options: list[dict[str, Any]] = [
            {"label": mode_words(mode), "value": mode} for mode in MODES
        ]
        checks: Component = dbc.Checklist(
            id=field.id, options=options, value=value, inline=True
        )
        return checks
    choices = _choices(field)
    if choices:
        select: Component = dbc.Select(
            id=field.id,
            options=[{"label": w, "value": v} for v, w in choices.items()],
            value=value,
        )
        return select
    typed: Component = dbc.Input(
        id=field.id,
        type="date" if field.kind == "date" else "text",
        value=value,
        maxlength=120,
        inputmode="decimal" if field.kind in {"number", "whole"} else "text",
        disabled=editing and field.name == "id",
    )
    return typed


def _choices(field: Field) -> Mapping[str, str]:
    if field.kind == "type":
        return {
            NOT_STATED: "Not stated",
            **{kind: TYPES[kind] for kind in DEVICE_TYPES},
        }
    if field.kind == "yes_no":
        return {NOT_STATED: "Not stated", "yes": "Yes", "no": "No"}
    if field.kind == "life":
        return {"pending": "Pending: not in use yet", "active": "Active: in use"}
    return {}


def _life(device: Device | None) -> Component:
    """Activate, deactivate, remove; every button exists, the possible ones show."""
    cycle = device.life_cycle if device else ""
    name = device.name if device else ""
    may_remove = cycle in {"pending", "inactive"}
    return html.Fieldset(
        [
            html.Legend("In use"),
            html.P(_life_words(cycle), className="row-note"),
            _button(IDS.activate, "Activate", cycle in {"pending", "inactive"}),
            _button(IDS.deactivate, "Deactivate", cycle == "active"),
            html.Div(
                [
                    dbc.Label(
                        ["To remove it for good, type its name: ", html.Strong(name)],
                        html_for=IDS.typed,
                    ),
                    html.Div(
                        [
                            dbc.Input(
                                id=IDS.typed,
                                type="text",
                                value="",
                                maxlength=120,
                                autocomplete="off",
                            ),
                            _button(
                                IDS.remove, "Remove", True, "btn-danger", disabled=True
                            ),
                        ],
                        className="remove-row",
                    ),
                ],
                hidden=not may_remove,
                className="remove-box",
            ),
        ],
        hidden=device is None,
        className="form-life",
    )


def _life_words(cycle: str) -> str:
    if cycle == "active":
        return "Active: its readings are taken. Deactivate it before removing it."
    if cycle == "inactive":
        return "Inactive: its readings are refused; its history is kept."
    return "Pending: it becomes active when you say so."


def _button(
    part: str,
    words: str,
    possible: bool,
    look: str = "btn-outline-secondary",
    **more: Any,
) -> Component:
    hidden, classes = not possible, f"btn {look}"
    return html.Button(
        words, id=part, type="button", hidden=hidden, className=classes, **more
    )


def declared() -> list[Component]:
    """Everything with an id, for Dash's checks: the form of a new heater."""
    return [form(None, Preferences())]
