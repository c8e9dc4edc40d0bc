"""Ledger, plan, maintenance and codes on the Details tab, and their two forms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from dash import ALL, Input, Output, State, ctx, set_props
from dash.dependencies import DashDependency
from dash.exceptions import PreventUpdate

from callbacks.care_values import read_drafts, read_entries, read_work
from callbacks.errors import explained, guarded, show_toast
from callbacks.registration import Callbacks, caller, preferences
from dashboards import details_care, details_maintenance, details_plan
from dashboards.details_care import IDS
from dashboards.details_codes import codes_card
from dashboards.details_ledger import ledger_card
from dashboards.details_maintenance import maintenance_card
from dashboards.details_plan import FIELDS, plan_card, row_id
from services.access import requires
from services.errors import InvalidInput, NeedsConfirmation, ServiceError

if TYPE_CHECKING:
    from services.care import Care

DEVICE = State("details-device", "data")
HIDDEN, SHOWN = {"display": "none"}, {"display": "block"}


class CareServices(Protocol):
    """What the cards need of the services."""

    @property
    def care(self) -> Care:
        """The care of heaters."""


def register(callbacks: Callbacks, services: CareServices) -> None:
    """Connect the cards and the forms."""
    _register_cards(callbacks, services)
    _register_drawer(callbacks, services)
    _register_rows(callbacks)
    _register_plan(callbacks, services)
    _register_work(callbacks, services)


def _register_cards(callbacks: Callbacks, services: CareServices) -> None:
    @callbacks.on(
        "device.read",
        Output(IDS.cards, "children"),
        Input("details-device", "data"),
        Input(IDS.tick, "n_intervals"),
        Input(IDS.changed, "data"),
    )
    def show_care(device_id: str | None, _ticks: object, _changed: object) -> Any:
        if not device_id:
            raise PreventUpdate
        care, who, prefs = services.care, caller(), preferences()
        return details_care.grid(
            guarded(lambda: ledger_card(care.ledger.of(who, device_id), prefs)),
            guarded(lambda: plan_card(care.plans.of(who, device_id), prefs)),
            guarded(lambda: codes_card(care.codes.of(who, device_id), prefs)),
            guarded(
                lambda: maintenance_card(
                    care.maintenance.of(who, device_id, prefs.zone)
                )
            ),
        )


def _register_drawer(callbacks: Callbacks, services: CareServices) -> None:
    @callbacks.on(
        "device.read",
        Output(IDS.drawer, "is_open"),
        Output(IDS.drawer, "title"),
        Output(IDS.form, "children"),
        Input(IDS.open_plan, "n_clicks"),
        Input(IDS.open_work, "n_clicks"),
        DEVICE,
        prevent_initial_call=True,
    )
    def open_form(plan: int | None, work: int | None, device_id: str | None) -> Any:
        # A card that is drawn anew has a new button, which nobody has pressed.
        pressed = {IDS.open_plan: plan, IDS.open_work: work}.get(str(ctx.triggered_id))
        if not pressed or not device_id:
            raise PreventUpdate
        requires(caller(), "device.care")
        prefs = preferences()
        if ctx.triggered_id == IDS.open_plan:
            view = services.care.plans.of(caller(), device_id)
            return True, "Edit the weekly plan", details_plan.form(view, prefs)
        log = services.care.maintenance.of(caller(), device_id, prefs.zone, limit=1)
        return True, "Maintenance done", details_maintenance.form(log.today)


def _fields() -> tuple[DashDependency, ...]:
    return tuple(State(row_id(field, ALL), "value") for field in FIELDS)


def _register_rows(callbacks: Callbacks) -> None:
    @callbacks.on(
        "device.care",
        Output(IDS.plan_rows, "children"),
        Input(IDS.plan_add, "n_clicks"),
        Input(row_id("remove", ALL), "n_clicks"),
        *_fields(),
        State(IDS.plan_held, "data"),
        prevent_initial_call=True,
    )
    def change_rows(add: int | None, remove: Sequence[int | None], *values: Any) -> Any:
        *columns, held = values
        drafts = read_drafts(columns)
        if ctx.triggered_id == IDS.plan_add and add:
            drafts.append(details_plan.fresh())
        elif isinstance(ctx.triggered_id, dict) and any(remove):
            number = ctx.triggered_id.get("row")
            drafts = [d for i, d in enumerate(drafts) if i != number]
        else:
            raise PreventUpdate
        modes = [str(mode) for mode in _held(held)["modes"]]
        return details_plan.rows(drafts, modes, preferences())


def _register_plan(callbacks: Callbacks, services: CareServices) -> None:
    @callbacks.on(
        "device.care",
        Output(IDS.plan_message, "children"),
        Output(IDS.plan_confirm, "style"),
        Input(IDS.plan_save, "n_clicks"),
        *_fields(),
        State(IDS.plan_zone, "value"),
        State(IDS.plan_on, "value"),
        State(IDS.plan_confirm, "value"),
        State(IDS.plan_held, "data"),
        prevent_initial_call=True,
    )
    def save_plan(clicks: int | None, *values: Any) -> Any:
        if not clicks:
            raise PreventUpdate
        *columns, zone, on, confirmed, held = values
        known = _held(held)
        try:
            plan = services.care.plans.save(
                caller(),
                str(known["device"]),
                read_entries(read_drafts(columns), preferences()),
                str(zone),
                enabled=bool(on),
                version=int(known["version"]),
                confirmed=bool(confirmed),
            )
        except NeedsConfirmation as question:
            return str(question), SHOWN
        except ServiceError as error:
            return explained(error)[0], HIDDEN
        _done("Plan saved", plan.version)
        return "", HIDDEN


def _register_work(callbacks: Callbacks, services: CareServices) -> None:
    names = (IDS.work_kind, IDS.work_on, IDS.work_next, IDS.work_by, IDS.work_note)

    @callbacks.on(
        "device.care",
        Output(IDS.work_message, "children"),
        Input(IDS.work_save, "n_clicks"),
        *(State(part, "value") for part in names),
        DEVICE,
        prevent_initial_call=True,
    )
    def save_work(clicks: int | None, *values: Any) -> str:
        *typed, device_id = values
        if not clicks:
            raise PreventUpdate
        try:
            made = services.care.maintenance.add(
                caller(), str(device_id), read_work(typed)
            )
        except ServiceError as error:
            return explained(error)[0]
        _done("Written down", made.id)
        return ""


def _done(words: str, key: int) -> None:
    """Close the drawer, draw the cards anew, say so."""
    set_props(IDS.drawer, {"is_open": False})
    set_props(IDS.changed, {"data": f"{words} {key}"})
    show_toast("good", "Done", f"{words}.")


def _held(held: object) -> dict[str, Any]:
    if not isinstance(held, dict) or not {"device", "version", "modes"} <= held.keys():
        raise InvalidInput("The form does not say which plan it edits.")
    version, modes = held["version"], held["modes"]
    if not isinstance(version, int) or not isinstance(modes, list):
        raise InvalidInput("The form does not say which plan it edits.")
    return held
