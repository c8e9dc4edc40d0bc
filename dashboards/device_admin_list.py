"""Registering a list of heaters: the file, what it would do, the button."""

from __future__ import annotations

from dash import dcc, html
from dash.development.base_component import Component

from dashboards import parts
from dashboards.device_form import TAB
from dashboards.ids import ident
from data.records import Device
from services.device_lists import COLUMNS, MOST_BYTES, ListPlan
from services.devices import place_of

MOST_SHOWN = 20
"""Heaters and refused rows that are shown; all are counted."""


class IDS:
    """The ids that callbacks name."""

    file = ident(TAB, "list-file")
    preview = ident(TAB, "list-preview")
    message = ident(TAB, "list-message")
    register = ident(TAB, "list-register")
    goto = ident(TAB, "list-goto")


TITLE = "Register a list"


def form() -> Component:
    """What the drawer holds before a file is chosen."""
    return html.Div(
        [
            html.P(
                "A CSV file with one heater a row. The first row names the columns; "
                "only id is needed. Nothing is registered before you have seen it."
            ),
            _columns(),
            _chooser(),
            html.Div(id=IDS.preview, role="status", className="stack"),
            html.Div(id=IDS.message, role="alert", className="form-message"),
            html.Button(
                "Register",
                id=IDS.register,
                type="button",
                hidden=True,
                className="btn btn-primary",
            ),
        ],
        className="device-form stack",
    )


def _columns() -> Component:
    return html.Details(
        [
            html.Summary("Columns"),
            html.P(", ".join(COLUMNS), className="row-note"),
            html.P(
                "Capacity in L, power in W, targets in °C, dates as 2026-03-31, "
                "several modes with spaces between. A heater starts as pending unless "
                "life_cycle says active.",
                className="row-note",
            ),
        ]
    )


def _chooser() -> Component:
    return dcc.Upload(
        html.Button(
            [parts.icon("upload"), "Choose a file, or drop it here"],
            type="button",
            className="btn btn-outline-secondary btn-with-icon",
        ),
        id=IDS.file,
        accept=".csv,.tsv,.txt,text/csv",
        max_size=MOST_BYTES,
        className="upload",
        className_active="upload active",
        className_reject="upload",
        style={},
        style_active={},
        style_reject={},
    )


def preview(plan: ListPlan, name: str) -> list[Component | None]:
    """What a file would do."""
    good, bad = len(plan.devices), len(plan.refused)
    words = f"{name}: {_heaters(good)} to register, {_rows(bad)} refused."
    ignored = ", ".join(plan.ignored)
    return [
        html.P(words, className="list-verdict"),
        html.P(f"Columns not used: {ignored}.", className="row-note")
        if ignored
        else None,
        _refused(plan),
        _good(plan),
    ]


def button_words(plan: ListPlan) -> str:
    """What the button says."""
    return f"Register {_heaters(len(plan.devices))}"


def _refused(plan: ListPlan) -> Component | None:
    if not plan.refused:
        return None
    return parts.data_table(
        _shown("Rows that are refused", len(plan.refused)),
        ("Row", "Id", "Reason"),
        [(str(r.row), r.device_id, r.reason) for r in plan.refused[:MOST_SHOWN]],
        numeric={0},
        show_caption=True,
    )


def _good(plan: ListPlan) -> Component | None:
    if not plan.devices:
        return None
    return parts.data_table(
        _shown("Heaters to register", len(plan.devices)),
        ("Id", "Name", "Place", "Starts as"),
        [_row(device) for device in plan.devices[:MOST_SHOWN]],
        show_caption=True,
    )


def _row(device: Device) -> tuple[str, str, str, str]:
    return device.id, device.name, place_of(device), device.life_cycle


def _shown(words: str, count: int) -> str:
    return f"{words}: first {MOST_SHOWN} of {count}" if count > MOST_SHOWN else words


def _heaters(count: int) -> str:
    return "1 heater" if count == 1 else f"{count} heaters"


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count} rows"


def declared() -> list[Component]:
    """Everything with an id, for Dash's checks."""
    return [form()]
