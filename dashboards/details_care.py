"""The place of the care cards on the Details tab, and the drawer of their forms.

Cards are drawn anew by a timer; forms stand in a drawer beside them, so that a timer
never takes away what somebody types.
"""

from __future__ import annotations

from typing import Any

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from dashboards import parts
from dashboards.ids import ident

TAB = "details"
EVERY_MS = 60_000


class IDS:
    """The ids of cards and forms that callbacks name."""

    cards = ident(TAB, "care")
    tick = ident(TAB, "care-tick")
    changed = ident(TAB, "care-changed")
    drawer = ident(TAB, "care-drawer")
    form = ident(TAB, "care-form")
    open_plan = ident(TAB, "plan-open")
    open_work = ident(TAB, "work-open")
    plan_held = ident(TAB, "plan-held")
    plan_rows = ident(TAB, "plan-rows")
    plan_add = ident(TAB, "plan-add")
    plan_zone = ident(TAB, "plan-zone")
    plan_on = ident(TAB, "plan-on")
    plan_confirm = ident(TAB, "plan-confirm")
    plan_message = ident(TAB, "plan-message")
    plan_save = ident(TAB, "plan-save")
    work_kind = ident(TAB, "work-kind")
    work_on = ident(TAB, "work-on")
    work_next = ident(TAB, "work-next")
    work_by = ident(TAB, "work-by")
    work_note = ident(TAB, "work-note")
    work_message = ident(TAB, "work-message")
    work_save = ident(TAB, "work-save")


def place() -> Component:
    """Room for the cards, and the drawer."""
    return html.Div(
        [
            html.Div(parts.skeleton(320, 2), id=IDS.cards),
            dcc.Interval(id=IDS.tick, interval=EVERY_MS),
            dcc.Store(id=IDS.changed),
            dbc.Offcanvas(
                html.Div(id=IDS.form),
                id=IDS.drawer,
                title=" ",
                placement="end",
                is_open=False,
                class_name="drawer",
            ),
        ]
    )


def grid(tall: Component, *others: Component) -> Component:
    """A tall card, and the others in a column beside it."""
    column = html.Div(list(others), className="stack")
    return html.Div(
        [html.Div(tall, className="half"), html.Div(column, className="half")],
        className="grid",
    )


def opener(part: str, icon: str, words: str) -> Component:
    """The button that opens a form."""
    return html.Button(
        [parts.icon(icon), words],
        id=part,
        type="button",
        className="btn btn-outline-secondary btn-sm btn-with-icon",
    )


def labelled(part: str, words: str, control: Any) -> Component:
    """A control below its name."""
    return html.Div([dbc.Label(words, html_for=part), control], className="field")


def save_button(part: str, words: str) -> Component:
    """The button that saves a form."""
    return html.Button(words, id=part, type="button", className="btn btn-primary")


def message(part: str) -> Component:
    """Where a form says what is wrong."""
    return html.Div(id=part, role="alert", className="form-message")
