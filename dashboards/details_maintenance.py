"""The maintenance log as a card, and the form of an entry."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import dash_bootstrap_components as dbc
from dash import html
from dash.development.base_component import Component

from dashboards import parts
from dashboards.details_care import IDS, labelled, message, opener, save_button
from data.maintenance_store import MAINTENANCE_KINDS, Service
from services.maintenance import BY_LENGTH, NOTE_LENGTH, Due, MaintenanceView

TITLE = "Maintenance"
KINDS: Mapping[str, str] = {
    "inspection": "Inspection",
    "descaling": "Descaling",
    "anode": "Anode",
    "element": "Heating element",
    "valve": "Valve",
    "filter": "Filter",
    "other": "Other",
}
SOON_DAYS = 30


def maintenance_card(view: MaintenanceView) -> Component:
    """What is due, and what was done."""
    actions = opener(IDS.open_work, "plus-lg", "Add an entry")
    if not view.entries:
        content: Component = parts.empty_state(
            "No entry yet", "What was done to this heater is written down here."
        )
    else:
        content = parts.data_table(
            "Maintenance log",
            ["Done on", "What", "Who"],
            [[day(entry.done_on), _what(entry), entry.by] for entry in view.entries],
        )
    return parts.card(
        TITLE,
        html.Div([_due(due) for due in view.due], className="care-due"),
        content,
        html.P("Older entries are in the API.", className="row-note")
        if view.more
        else None,
        actions=actions if view.may_write else None,
    )


def _what(entry: Service) -> list[Component | str]:
    said: list[Component | str] = [KINDS[entry.kind]]
    if entry.note:
        said.append(html.Div(entry.note, className="care-note"))
    if entry.next_on is not None:
        said.append(html.Div(f"next on {day(entry.next_on)}", className="row-note"))
    return said


def day(when: date) -> str:
    """A date as people read it."""
    return f"{when.day} {when:%b %Y}"


def due_words(due: Due) -> str:
    """``Anode due in 40 days``, ``Filter overdue by 3 days``, ``Valve due today``."""
    name, count = KINDS[due.kind], abs(due.days)
    span = f"{count} day{'' if count == 1 else 's'}"
    if due.days == 0:
        return f"{name} due today"
    return f"{name} due in {span}" if due.days > 0 else f"{name} overdue by {span}"


def _due(due: Due) -> Component:
    kind = "bad" if due.days < 0 else "watch" if due.days <= SOON_DAYS else "info"
    return html.Span(parts.chip(kind, due_words(due)), title=day(due.on))


def form(today: date) -> Component:
    """The form of a new entry."""
    kinds = [{"label": KINDS[kind], "value": kind} for kind in MAINTENANCE_KINDS]
    return html.Div(
        [
            labelled(
                IDS.work_kind,
                "What",
                dbc.Select(id=IDS.work_kind, options=kinds, value="inspection"),
            ),
            html.Div(
                [
                    labelled(
                        IDS.work_on,
                        "Done on",
                        dbc.Input(id=IDS.work_on, type="date", value=today.isoformat()),
                    ),
                    labelled(
                        IDS.work_next,
                        "Next on (if any)",
                        dbc.Input(id=IDS.work_next, type="date", value=""),
                    ),
                ],
                className="form-grid",
            ),
            labelled(
                IDS.work_by,
                "Done by (empty: you)",
                dbc.Input(id=IDS.work_by, type="text", value="", maxlength=BY_LENGTH),
            ),
            labelled(
                IDS.work_note,
                "Note",
                dbc.Textarea(id=IDS.work_note, value="", maxlength=NOTE_LENGTH, rows=4),
            ),
            message(IDS.work_message),
            save_button(IDS.work_save, "Write down"),
        ],
        className="device-form",
    )
