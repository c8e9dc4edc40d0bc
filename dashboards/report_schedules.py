"""The list of schedules: what comes next, what was made last, and the buttons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from dashboards import dialogs, parts, text
from dashboards.ids import ident
from dashboards.report_runs import STATES
from dashboards.report_schedule_form import IDS, form
from data.report_records import Schedule
from services.reports.schedules import ScheduleView
from services.units import Preferences

TAB = "reports"
COLUMNS = ("Schedule", "Next", "Last", "")


class ASK:
    """The question before a schedule is removed."""

    dialog = ident(TAB, "unschedule-dialog")
    question = ident(TAB, "unschedule-question")
    cancel = ident(TAB, "unschedule-cancel")
    confirm = ident(TAB, "unschedule-confirm")


def act_id(action: Any, key: Any) -> dict[str, Any]:
    """The id of a row's button; both may be Dash's ``ALL``."""
    return {"role": ident(TAB, "schedule-act"), "action": action, "key": key}


def place() -> Component:
    """Where the list will be, and the drawer: part of the tab's skeleton."""
    return html.Div(
        [
            html.Div(id=IDS.place),
            dcc.Store(id=IDS.changed),
            dcc.Store(id=IDS.held),
            dialogs.question(ASK, "Remove", "danger"),
            dbc.Offcanvas(
                form(), id=IDS.drawer, title="Schedule", placement="end",
                is_open=False, class_name="drawer",
            ),
        ],
        id=IDS.box,
        hidden=True,
    )  # fmt: skip


def declared() -> list[Component]:
    """The parts that only a drawn list has."""
    return [html.Button(id=IDS.add), html.Button(id=act_id("x", "x"))]


def schedules_card(
    views: Sequence[ScheduleView], titles: Mapping[str, str], prefs: Preferences
) -> Component:
    """The schedules by name."""
    add = html.Button(
        [parts.icon("plus-lg"), "Add a schedule"],
        id=IDS.add,
        type="button",
        className="btn btn-outline-secondary btn-sm btn-with-icon",
    )
    if not views:
        advice = "Set the form, then add a schedule: it makes and mails that report."
        shown: Component = parts.empty_state("No schedule yet", advice)
    else:
        rows = [_row(view, titles, prefs) for view in views]
        shown = parts.data_table("Schedules", COLUMNS, rows)
    return parts.card("Schedules", shown, actions=add, class_name="report-schedules")


def _row(
    view: ScheduleView, titles: Mapping[str, str], prefs: Preferences
) -> list[Any]:
    kept = view.schedule
    spec: Mapping[str, Any] = kept.spec
    title = titles.get(str(spec["template"]), str(spec["template"]))
    kinds = ", ".join(str(kind).upper() for kind in spec["formats"])
    people = spec["recipients"]
    zoned = Preferences.of({**prefs.as_dict(), "time_zone": view.zone})
    next_at: Any = parts.chip("paused", "Off")
    if kept.next_at is not None:
        next_at = text.local_time(kept.next_at, zoned)
    to = f"to {len(people)} address{'' if len(people) == 1 else 'es'}"
    return [
        html.Div(
            [
                html.Strong(kept.name),
                html.Div(
                    f"{title}, {kinds}, of {kept.owner}", className="row-note"
                ),
                html.Div(
                    [
                        f"{view.when} ({view.zone}), ",
                        html.Span(to if people else "mailed to nobody",
                                  title=", ".join(people)),
                    ],
                    className="row-note",
                ),
            ],
            className="report-named",
        ),
        next_at,
        _last(view, zoned),
        _actions(kept),
    ]  # fmt: skip


def _last(view: ScheduleView, zoned: Preferences) -> Component | str:
    if view.last is None:
        return text.NO_DATA
    when = text.local_time(view.last.asked_at, zoned)
    return html.Div(
        [parts.chip(*STATES[view.last.state]), html.Div(when, className="row-note")]
    )


def _actions(kept: Schedule) -> Component:
    key = str(kept.id)
    switch = ("pause", "Switch off") if kept.enabled else ("play", "Switch on")
    named = (
        ("run", "play-circle", "Run now"),
        ("switch", switch[0], switch[1]),
        ("edit", "pencil", "Edit"),
        ("remove", "trash", "Remove"),
    )
    return html.Div(
        [
            html.Button(
                [parts.icon(icon), parts.hidden(f"{words}: {kept.name}")],
                id=act_id(action, key),
                type="button",
                title=words,
                className="btn btn-outline-secondary btn-sm",
            )
            for action, icon, words in named
        ],
        className="report-row-buttons",
    )
