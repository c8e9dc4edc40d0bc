"""The weekly set-point plan: a readable week, and the form that edits it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from dashboards import parts, text
from dashboards.details_care import IDS, labelled, message, opener, save_button
from dashboards.live_pieces import mode_words
from data.plan_store import Plan, PlanEntry
from data.records import MODES
from services.plans import PlanView
from services.units import Preferences, convert, time_zones, unit

TITLE = "Weekly plan"
DAY_NAMES = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
NO_MODE = "*"
FIELDS = ("days", "time", "target", "mode")


@dataclass(frozen=True)
class Draft:
    """One row of the form as it stands, checked or not."""

    days: tuple[int, ...]
    time: str
    target: str
    mode: str = NO_MODE


def plan_card(view: PlanView, prefs: Preferences) -> Component:
    """The week as it is planned, and what comes next."""
    plan = view.plan
    edit = opener(IDS.open_plan, "pencil", "Edit the plan")
    actions = edit if view.may_edit else None
    if plan is None or not plan.entries:
        content = parts.empty_state(
            "No plan", "Nobody has planned targets for the hours of the week."
        )
        return parts.card(TITLE, content, actions=actions)
    return parts.card(
        TITLE,
        html.P(_state(view, plan, prefs), className="care-gap"),
        parts.data_table(
            "The week",
            ["Day", "From, and what is wished"],
            [[DAY_NAMES[d], _day(plan, d, prefs)] for d in range(7)],
        ),
        html.P(
            f"Times are those of {plan.zone}. Each entry is wished once when its time "
            "comes; what is set by hand holds until the next entry.",
            className="row-note",
        ),
        actions=actions,
    )


def _state(view: PlanView, plan: Plan, prefs: Preferences) -> list[Any]:
    if not plan.enabled:
        return [parts.chip("paused", "Switched off")]
    if plan.next_at is None or view.next_entry is None:
        return [parts.chip("unknown", "Nothing to come")]
    return [
        parts.chip("good", "On"),
        f" Next: {_wish(view.next_entry, prefs)} at "
        f"{text.local_time(plan.next_at, replace(prefs, time_zone=plan.zone))}",
    ]


def _day(plan: Plan, day: int, prefs: Preferences) -> list[Component]:
    mine = sorted((e for e in plan.entries if day in e.days), key=lambda e: e.time)
    if not mine:
        return [html.Span("nothing", className="row-note")]
    return [
        html.Span(f"{e.time} → {_wish(e, prefs)}", className="care-entry") for e in mine
    ]


def _wish(entry: PlanEntry, prefs: Preferences) -> str:
    said = text.quantity("target_temperature_c", entry.target_temperature_c, prefs)
    return said if entry.mode is None else f"{said}, {mode_words(entry.mode)}"


def drafts_of(plan: Plan | None, prefs: Preferences) -> list[Draft]:
    """The rows the form begins with."""
    if plan is None or not plan.entries:
        return [fresh()]
    return [
        Draft(
            entry.days,
            entry.time,
            typed(entry.target_temperature_c, prefs),
            entry.mode or NO_MODE,
        )
        for entry in plan.entries
    ]


def typed(target_c: float, prefs: Preferences) -> str:
    """A target as its control takes it."""
    return f"{round(convert(target_c, 'temperature', prefs), 1):g}"


def fresh() -> Draft:
    """A new row."""
    return Draft(tuple(range(5)), "06:00", "")


def form(view: PlanView, prefs: Preferences) -> Component:
    """The form of a plan."""
    plan = view.plan
    zone = plan.zone if plan else prefs.time_zone
    held: dict[str, Any] = {
        "device": view.device.id,
        "version": plan.version if plan else 0,
        "modes": list(view.device.modes or MODES),
    }
    return html.Div(
        [
            dcc.Store(id=IDS.plan_held, data=held),
            html.Div(
                rows(drafts_of(plan, prefs), held["modes"], prefs),
                id=IDS.plan_rows,
            ),
            html.Div(opener(IDS.plan_add, "plus-lg", "Add a row"), className="field"),
            labelled(
                IDS.plan_zone,
                "Time zone of the times",
                dbc.Select(
                    id=IDS.plan_zone,
                    options=[{"label": z, "value": z} for z in time_zones()],
                    value=zone,
                ),
            ),
            dbc.Switch(
                id=IDS.plan_on, label="On", value=plan.enabled if plan else True
            ),
            message(IDS.plan_message),
            dbc.Checkbox(
                id=IDS.plan_confirm,
                label="I have read what is said above; save it all the same",
                value=False,
                class_name="plan-confirm",
                style={"display": "none"},
            ),
            save_button(IDS.plan_save, "Save the plan"),
        ],
        className="device-form",
    )


def row_id(field: str, number: object) -> dict[str, Any]:
    """The id of a control of a row; ``number`` may be Dash's ``ALL``."""
    return {"role": f"details-plan-{field}", "row": number}


def rows(
    drafts: Sequence[Draft], modes: Sequence[str], prefs: Preferences
) -> list[Component]:
    """The rows of the form."""
    return [_row(i, draft, modes, prefs) for i, draft in enumerate(drafts)]


def _row(
    number: int, draft: Draft, modes: Sequence[str], prefs: Preferences
) -> Component:
    days: list[dict[str, Any]] = [
        {"label": name, "value": i} for i, name in enumerate(DAY_NAMES)
    ]
    return html.Fieldset(
        [
            html.Legend(f"Row {number + 1}", className="visually-hidden"),
            dbc.Checklist(
                id=row_id("days", number),
                options=days,
                value=list(draft.days),
                inline=True,
                class_name="plan-days",
            ),
            html.Div(
                [
                    _named("time", _time(number, draft)),
                    _named("target", _target(number, draft, prefs)),
                    _named("mode", _mode(number, draft, modes)),
                    html.Button(
                        [parts.icon("trash"), parts.hidden("Remove this row")],
                        id=row_id("remove", number),
                        type="button",
                        className="btn btn-outline-secondary",
                    ),
                ],
                className="plan-fields",
            ),
        ],
        className="plan-row",
    )


def _named(words: str, control: Component) -> Component:
    return html.Label([parts.hidden(words), control])


def _time(number: int, draft: Draft) -> Component:
    made: Component = dbc.Input(
        id=row_id("time", number), type="time", value=draft.time
    )
    return made


def _target(number: int, draft: Draft, prefs: Preferences) -> Component:
    typing = dbc.Input(
        id=row_id("target", number),
        type="text",
        inputmode="decimal",
        placeholder="Target",
        value=draft.target,
        maxlength=8,
    )
    scale = dbc.InputGroupText(unit("temperature", prefs))
    made: Component = dbc.InputGroup([typing, scale])
    return made


def _mode(number: int, draft: Draft, modes: Sequence[str]) -> Component:
    offered = dict.fromkeys([*modes, *({draft.mode} - {NO_MODE})])
    choices = [{"label": "Mode as it is", "value": NO_MODE}]
    choices += [{"label": mode_words(mode), "value": mode} for mode in offered]
    made: Component = dbc.Select(
        id=row_id("mode", number), options=choices, value=draft.mode
    )
    return made
