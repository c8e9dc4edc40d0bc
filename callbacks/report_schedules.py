"""Schedules on the Reports tab: list, drawer, and the buttons of each row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from dash import ALL, Input, Output, State, ctx, no_update, set_props
from dash.exceptions import PreventUpdate

from callbacks.errors import explained, guarded, show_toast
from callbacks.registration import Callbacks, caller, preferences
from dashboards import report_form
from dashboards import report_schedules as tab
from dashboards.report_runs import IDS as RUNS
from dashboards.report_schedule_form import CRON, FIELDS, IDS, RANGES, range_options
from dashboards.report_schedule_form import values as form_values
from dashboards.report_schedules import ASK, act_id
from dashboards.shell import IDS as SHELL
from services.errors import InvalidInput, ServiceError
from services.reports import cron

if TYPE_CHECKING:
    from data.report_records import Schedule
    from services.reports.desk import ReportDesk

SUBJECTS = ("template", "models", "devices", "sections")


class ScheduleServices(Protocol):
    """What the schedules need of the services."""

    @property
    def reports(self) -> ReportDesk:
        """The running of reports."""


def register(callbacks: Callbacks, services: ScheduleServices) -> None:
    """Connect list and drawer."""
    _register_list(callbacks, services)
    _register_add(callbacks, services)
    _register_actions(callbacks, services)
    _register_boxes(callbacks)
    _register_save(callbacks, services)
    _register_removal(callbacks, services)


def _register_list(callbacks: Callbacks, services: ScheduleServices) -> None:
    @callbacks.on(
        "report.run",
        Output(IDS.box, "hidden"),
        Output(IDS.place, "children"),
        Input(IDS.changed, "data"),
        Input(RUNS.tick, "interval"),
        Input(RUNS.changed, "data"),
    )
    def show_schedules(_changed: object, _every: object, _runs: object) -> Any:
        """Drawn anew when something changed, or has just been made."""
        if not caller().may("report.schedule"):
            return True, None
        titles = {t.key: t.title for t in services.reports.runs.templates(caller())}
        return False, guarded(
            lambda: tab.schedules_card(
                services.reports.schedules.list(caller()), titles, preferences()
            )
        )


def _opened(kept: Schedule | None, about: str) -> list[Any]:
    """What opening the drawer sets, in the order of the outputs."""
    filled = form_values(kept, preferences())
    held = kept and {"id": kept.id, "revision": kept.revision}
    return [True, held, about, range_options(str(filled[1])), None, *filled]


def _drawer(*, again: bool) -> list[Output]:
    parts = [
        (IDS.drawer, "is_open"), (IDS.held, "data"), (IDS.about, "children"),
        (IDS.range, "options"), (IDS.message, "children"),
        *((part, "value") for part in FIELDS),
    ]  # fmt: skip
    return [Output(part, prop, allow_duplicate=again) for part, prop in parts]


def _register_add(callbacks: Callbacks, services: ScheduleServices) -> None:
    @callbacks.on(
        "report.schedule",
        *_drawer(again=False),
        Input(IDS.add, "n_clicks"),
        State(SHELL.location, "search"),
        prevent_initial_call=True,
    )
    def add(clicks: int | None, search: str | None) -> Any:
        if not clicks:
            raise PreventUpdate
        form = report_form.read(search)
        offered = services.reports.runs.templates(caller())
        titles = {t.key: t.title for t in offered}
        title = titles.get(form.template, form.template)
        return _opened(None, f"Makes what the form says now: {title}.")


def _register_actions(callbacks: Callbacks, services: ScheduleServices) -> None:
    @callbacks.on(
        "report.schedule",
        *_drawer(again=True),
        Output(ASK.dialog, "is_open"),
        Output(ASK.question, "children"),
        Output(IDS.changed, "data"),
        Input(act_id(ALL, ALL), "n_clicks"),
        Input(ASK.cancel, "n_clicks"),
        prevent_initial_call=True,
    )
    def press(_clicks: object, _cancelled: object) -> Any:
        part = ctx.triggered_id
        rest: list[Any] = [no_update] * (5 + len(FIELDS))
        if part == ASK.cancel:
            return [*rest, False, no_update, no_update]
        # A button that is drawn anew has been pressed by nobody.
        if not isinstance(part, Mapping) or not ctx.triggered[0]["value"]:
            raise PreventUpdate
        kept = services.reports.schedules.get(caller(), _key(part))
        if part.get("action") == "edit":
            about = f"Makes the report {kept.spec['template']} as it was set."
            return [*_opened(kept, about), no_update, no_update, no_update]
        if part.get("action") == "remove":
            rest[1] = {"id": kept.id, "revision": kept.revision}
            words = f"Remove {kept.name}? The reports it made stay."
            return [*rest, True, words, no_update]
        said = _done(services, kept, part.get("action"))
        show_toast("good", "Done", said)
        stamp = f"{part.get('action')} {services.reports.runs.now().isoformat()}"
        return [*rest, no_update, no_update, stamp]


def _done(services: ScheduleServices, kept: Schedule, action: object) -> str:
    if action == "switch":
        services.reports.schedules.enable(caller(), kept.id, not kept.enabled)
        return f"{kept.name} is {'off' if kept.enabled else 'on'}."
    if action != "run":
        raise InvalidInput("There is no such action.")
    runs = services.reports.schedules.run_now(caller(), kept.id)
    set_props(RUNS.changed, {"data": runs[0].id})
    return f"{kept.name} is being made."


def _register_boxes(callbacks: Callbacks) -> None:
    @callbacks.on(
        "report.run",
        Output(IDS.time_box, "hidden"),
        Output(IDS.day_box, "hidden"),
        Output(IDS.date_box, "hidden"),
        Output(IDS.cron_box, "hidden"),
        Input(IDS.kind, "value"),
    )
    def show_boxes(kind: object) -> Any:
        by_cron = kind == CRON
        return by_cron, kind != "weekly", kind != "monthly", not by_cron


def _register_save(callbacks: Callbacks, services: ScheduleServices) -> None:
    @callbacks.on(
        "report.schedule",
        Output(IDS.drawer, "is_open", allow_duplicate=True),
        Output(IDS.message, "children", allow_duplicate=True),
        Output(IDS.changed, "data", allow_duplicate=True),
        Input(IDS.save, "n_clicks"),
        State(IDS.held, "data"),
        State(SHELL.location, "search"),
        *(State(part, "value") for part in FIELDS),
        prevent_initial_call=True,
    )
    def save(
        clicks: int | None, held: object, search: str | None, *values: object
    ) -> Any:
        if not clicks:
            raise PreventUpdate
        try:
            said = _saved(services, held, search, values)
        except ServiceError as error:
            return no_update, explained(error)[0], no_update
        show_toast("good", "Saved", said.name)
        return False, None, f"{said.id} {said.revision}"


def _saved(
    services: ScheduleServices,
    held: object,
    search: str | None,
    values: tuple[object, ...],
) -> Schedule:
    desk, prefs = services.reports.schedules, preferences()
    if not isinstance(held, Mapping):
        raw = report_form.read(search).raw()
        return desk.add(caller(), {**raw, **read(values)}, prefs)
    kept = desk.get(caller(), _key({"key": held.get("id")}))
    raw = {key: kept.spec[key] for key in (*SUBJECTS, "units")}
    revision = held.get("revision")
    return desk.change(
        caller(), kept.id, {**raw, **read(values)},
        revision if isinstance(revision, int) else 0, prefs,
    )  # fmt: skip


def read(values: tuple[object, ...]) -> dict[str, object]:
    """The fields of the form as a schedule's.

    Raises:
        InvalidInput: a field does not hold what it offers.
    """
    name, span, kind, time, day, date, text, zone, formats, people, enabled = values
    start, _, end = str(span).partition(" ")
    if str(span) in RANGES:
        _words, start, end = RANGES[str(span)]
    if kind != CRON:
        number = str(date)
        text = cron.preset(
            str(kind), str(time), str(day), int(number) if number.isdigit() else 0
        )
    if not formats:
        raise InvalidInput("Choose at least one format.")
    addresses = str(people or "").replace(",", "\n").splitlines()
    return {
        "name": name, "from": start, "to": end, "cron": text, "time_zone": zone,
        "formats": formats, "enabled": bool(enabled),
        "recipients": [line.strip() for line in addresses if line.strip()],
    }  # fmt: skip


def _register_removal(callbacks: Callbacks, services: ScheduleServices) -> None:
    @callbacks.on(
        "report.schedule",
        Output(ASK.dialog, "is_open", allow_duplicate=True),
        Output(IDS.changed, "data", allow_duplicate=True),
        Input(ASK.confirm, "n_clicks"),
        State(IDS.held, "data"),
        prevent_initial_call=True,
    )
    def remove(clicks: int | None, held: object) -> Any:
        if not clicks or not isinstance(held, Mapping):
            raise PreventUpdate
        schedule_id = _key({"key": held.get("id")})
        services.reports.schedules.remove(caller(), schedule_id)
        show_toast("good", "Removed", "The schedule is removed; its reports stay.")
        return False, f"removed {schedule_id}"


def _key(part: Mapping[str, object]) -> int:
    text = str(part.get("key"))
    if not text.isdigit() or len(text) > 9:
        raise InvalidInput("There is no such schedule.")
    return int(text)
