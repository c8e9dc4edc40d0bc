"""The Details tab: everything known of one heater, and what is not."""

from __future__ import annotations

from typing import Any

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from dashboards import links, parts, text
from dashboards.control_inputs import IDS as CONTROL
from dashboards.details_cards import (
    doubts_card,
    events_card,
    shadow_card,
)
from dashboards.details_care import place as care_place
from dashboards.details_care_declared import declared as care_declared
from dashboards.details_control import declared as control_declared
from dashboards.details_facts import identity_card, technical_card
from dashboards.health_cards import VERDICTS, reasons_card
from dashboards.ids import ident
from dashboards.live_pieces import REASONS, STATUS, mode_words
from services.details import DetailsView
from services.metrics import Usage
from services.units import CHOICES, Preferences

TAB = "details"
EVERY_MS = 30_000


class IDS:
    """The ids of the tab that callbacks name."""

    device = ident(TAB, "device")
    now = ident(TAB, "now")
    body = ident(TAB, "body")
    tick = ident(TAB, "tick")
    unit = ident(TAB, "unit")


def skeleton(device_id: str | None = None) -> Component:
    """The tab before its first answer."""
    return html.Div(
        [
            dcc.Store(id=IDS.device, data=device_id),
            dcc.Interval(id=IDS.tick, interval=EVERY_MS),
            html.Div(parts.skeleton(150, 1), id=IDS.now),
            html.Div(parts.skeleton(420, 1), id=CONTROL.card),
            care_place(),
            html.Div(parts.skeleton(150, 2), id=IDS.body),
            html.Div(id=CONTROL.commands),
        ],
        className="stack",
    )


def declared() -> list[Component]:
    """The parts with ids that only the filled tab has, for Dash's checks."""
    return [unit_switch(Preferences()), *control_declared(), *care_declared()]


def address(device_id: str) -> str:
    """The path of the tab."""
    return f"/heaters/{device_id}/details"


def now(view: DetailsView, prefs: Preferences) -> Component:
    """The head of the tab: the unit switch, and what the heater says now."""
    return html.Div(
        [html.Div(unit_switch(prefs), className="details-bar"), now_tiles(view, prefs)],
        className="stack",
    )


def body(view: DetailsView, prefs: Preferences, search: str | None) -> Component:
    """The tab below the control card.

    Args:
        view: what is known.
        prefs: the reader's units and zone.
        search: the query string, kept by the links of the event log.
    """
    path = address(view.device.id)
    return html.Div(
        [
            _grid(
                (identity_card(view, _edit_link(view)), "half"),
                (technical_card(view.device, prefs), "half"),
                (reasons_card(view.health, prefs), "half"),
                (shadow_card(view, prefs), "half"),
            ),
            doubts_card(view, prefs),
            events_card(view, prefs, path, search),
        ],
        className="stack",
    )


def _grid(*cells: tuple[Component, str]) -> Component:
    return html.Div(
        [html.Div(cell, className=width) for cell, width in cells], className="grid"
    )


def unit_switch(prefs: Preferences) -> Component:
    """°C or °F, kept as the reader's preference."""
    options: list[dict[str, Any]] = [
        {"label": f"°{value}", "value": value} for value in CHOICES["temperature_unit"]
    ]
    return html.Fieldset(
        [
            html.Legend("Temperature unit", className="visually-hidden"),
            dbc.RadioItems(
                id=IDS.unit,
                options=options,
                value=prefs.temperature_unit,
                inline=True,
                class_name="segments",
            ),
        ],
        className="unit-switch",
    )


def _edit_link(view: DetailsView) -> Component | None:
    if not view.may_edit:
        return None
    return dcc.Link(
        [parts.icon("pencil"), "Edit"],
        href=links.href("/heaters", links.with_query("", edit=view.device.id)),
        className="btn btn-outline-secondary btn-sm btn-with-icon",
    )


def now_tiles(view: DetailsView, prefs: Preferences) -> Component:
    """What the heater says now, each with its age."""
    health = view.health
    score = text.NO_DATA if health.score is None else f"{health.score} of 100"
    tiles = [
        *(_value_tile(view, metric, prefs) for metric in TEMPERATURES),
        _mode_tile(view, prefs),
        _tile("State", parts.chip(*STATUS[view.status]), _status_words(view)),
        _tile(
            "Connection",
            parts.connectivity_chip(view.connectivity),
            ["Last reading ", parts.moment(view.last_seen, view.now, prefs)]
            if view.last_seen
            else "no reading yet",
        ),
        _tile("Health", score, parts.chip(*VERDICTS[health.verdict])),
        _usage_tile("Energy today", view.today, prefs),
        _usage_tile("Energy in 7 days", view.week, prefs),
    ]
    return html.Div(tiles, className="details-tiles")


TEMPERATURES = ("temperature_c", "target_temperature_c")


def _tile(name: str, value: Any, note: Any) -> Component:
    return html.Div(
        [
            html.Div(name, className="tile-name"),
            html.Div(value, className="tile-value"),
            html.Div(note, className="tile-note"),
        ],
        className="tile",
    )


def _value_tile(view: DetailsView, metric: str, prefs: Preferences) -> Component:
    value = view.values.get(metric)
    number = None if value is None else float(value.value)
    notes: list[Any] = [
        parts.moment(value.ts, view.now, prefs) if value else "never reported"
    ]
    bad = view.rejected.get(metric)
    if bad is not None:
        refused, reasons = bad
        why = ", ".join(REASONS[reason] for reason in reasons) or "see flagged values"
        said = text.quantity(metric, float(refused.value), prefs)
        kind = "last good value, " if value else ""
        notes = [kind, notes[0]] if value else []
        notes.append(html.Div(parts.chip("watch", f"{said} refused: {why}")))
    return _tile(text.label(metric), text.quantity(metric, number, prefs), notes)


def _mode_tile(view: DetailsView, prefs: Preferences) -> Component:
    mode = view.values.get("mode")
    return _tile(
        "Mode",
        mode_words(str(mode.value)) if mode else text.NO_DATA,
        parts.moment(mode.ts, view.now, prefs) if mode else "never reported",
    )


def _status_words(view: DetailsView) -> str:
    if view.status != "unknown":
        return "by its newest reading"
    if view.connectivity in {"offline", "never"}:
        return "nothing is heard of it"
    return "it does not say whether it heats"


def _usage_tile(name: str, usage: Usage, prefs: Preferences) -> Component:
    note = f"since {text.local_time(usage.start, prefs)}"
    if usage.energy_kwh is None:
        note = "no meter or power reading" if usage.readings else "no readings"
    return _tile(name, text.quantity("energy_kwh", usage.energy_kwh, prefs), note)
