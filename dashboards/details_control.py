"""The control card of the Details tab: what can be wished of a heater.

The inputs are drawn once, with the card. What is redrawn by a timer, the standing of
each wish, lies beside them, so nobody loses what they are typing.
"""

from __future__ import annotations

from typing import Any

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from dashboards import parts
from dashboards.control_inputs import BUTTONS, IDS, dialog, enter, part
from dashboards.control_words import KEYS, Words, standing_words, value_words
from data.talk_records import WISH_KEYS
from services.access import PERMISSIONS
from services.control_views import ControlView
from services.controls import Standing
from services.units import Preferences

FAST_MS, SLOW_MS = 500, 30_000


def control_card(view: ControlView, prefs: Preferences) -> Component:
    """The whole card, with the inputs for those who may use them."""
    return parts.card(
        "Control",
        *_why_not(view),
        html.Div(
            [_row(standing, view, prefs) for standing in view.standings],
            className="control-rows" + (" can-set" if view.takes else ""),
        ),
        dcc.Store(id=IDS.seen, data=seen(view)),
        dcc.Interval(id=IDS.tick, interval=FAST_MS, disabled=not view.waiting),
        dcc.Interval(id=IDS.slow_tick, interval=SLOW_MS),
        *([dialog(), dcc.Store(id=IDS.asked)] if view.takes else []),
        actions=html.Span("a wish is met when the device reports it", className="age"),
        class_name="control",
    )


def declared() -> list[Component]:
    """The parts with ids that only a drawn card has, for Dash's checks."""
    entered = [IDS.target, IDS.mode, IDS.power, IDS.away, IDS.boost]
    names = [part(name, key) for key in WISH_KEYS for name in ("row", "said", "note")]
    return [
        dialog(),
        dcc.Store(id=IDS.seen),
        dcc.Store(id=IDS.asked),
        dcc.Interval(id=IDS.tick),
        dcc.Interval(id=IDS.slow_tick),
        *(dbc.Input(id=each) for each in entered),
        *(html.Button(id=button.id) for button in BUTTONS),
        *(html.Div(id=name) for name in names),
    ]


def seen(view: ControlView) -> dict[str, Any]:
    """What the page knows after drawing this: given back with every wish."""
    return {"version": view.version, "digest": view.digest}


def _why_not(view: ControlView) -> list[Component]:
    if not view.may_control:
        least = PERMISSIONS["device.control"].least_role.label
        words = (
            f"You see what is wished and reported. Setting it needs the role {least} "
            "(device.control)."
        )
    elif not view.takes:
        words = (
            f"{view.device.name} is {view.device.life_cycle} and takes no command. "
            "An administrator can activate it."
        )
    else:
        return []
    return [html.P([parts.icon("lock"), " ", words], className="control-words")]


def _row(standing: Standing, view: ControlView, prefs: Preferences) -> Component:
    key = standing.key
    name = part("name", key)
    return html.Div(
        [
            html.H3(KEYS[key], id=name, className="control-name"),
            html.Div(
                said(standing, view, prefs),
                id=part("said", key),
                className="control-said",
            ),
            enter(standing, view, prefs) if view.takes else None,
        ],
        id=part("row", key),
        className=row_class(standing, view),
        role="group",
        **parts.aria(labelledby=name),
    )


def row_class(standing: Standing, view: ControlView) -> str:
    """The class of a row; it says whether there is a wish to take back."""
    held = standing.state == "pending" or standing.wished is not None
    return "control-row" + (" has-wish" if held and view.takes else "")


def said(standing: Standing, view: ControlView, prefs: Preferences) -> Words:
    """The redrawn part of a row: reported, wished, and how the two stand."""
    reported = value_words(standing.key, standing.reported, prefs)
    note: Component | None = None
    if standing.reported_at is not None:
        note = parts.moment(standing.reported_at, view.now, prefs)
    elif standing.reported is None:
        note = html.Span("never reported", className="age")
    return [
        html.Dl(
            [
                _pair("Reported", [reported, " ", note]),
                _pair("Wished", value_words(standing.key, standing.wished, prefs)),
            ],
            className="control-pairs",
        ),
        html.P(standing_words(standing, view, prefs), className="control-standing"),
    ]


def _pair(name: str, value: Any) -> Component:
    return html.Div([html.Dt(name), html.Dd(value)])


def note(words: str) -> Component | None:
    """What follows from a wish, under its input."""
    return html.P(words) if words else None


def refusal(words: str) -> Component:
    """Why a wish was not taken, under its input."""
    return html.P(
        [parts.chip("bad", "Not set"), f" {words}"], className="refusal", role="alert"
    )


def title_words(key: str, value: object, prefs: Preferences) -> str:
    """A wish as the confirming button names it."""
    if key == "pasteurise_until":
        return "Pasteurise"
    verb = "Boost" if key == "boost_until" else "Set"
    return f"{verb} {value_words(key, value, prefs)}"


def question(key: str, value: object, rule: str, prefs: Preferences) -> list[Any]:
    """What the dialog asks."""
    return [html.H2(f"{title_words(key, value, prefs)}?"), html.P(rule)]
