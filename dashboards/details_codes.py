"""The card of diagnostic codes: the present one and those of the last 30 days."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dash import html
from dash.development.base_component import Component

from dashboards import parts, text
from services.diagnostic_codes import Code, CodesView, Reported
from services.units import Preferences

TITLE = "Diagnostic codes"
UNKNOWN = "Not in our list: see the maker's manual."
URGENCY: Mapping[str, tuple[str, str]] = {
    "critical": ("bad", "Act now"),
    "high": ("high", "Today"),
    "medium": ("watch", "This week"),
    "low": ("info", "When convenient"),
}


def codes_card(view: CodesView, prefs: Preferences) -> Component:
    """What the heater reports now, and what it has reported."""
    since = html.Span("30 days", className="age")
    shown = [_present(view, prefs)]
    if view.reported:
        shown.append(
            parts.data_table(
                "Codes of the last 30 days",
                ["Code", "Meaning, and what to do", "Times"],
                [_row(reported, prefs) for reported in view.reported],
                numeric={2},
            )
        )
    elif view.present_at is not None:
        shown.append(
            html.P("No code in the last 30 days.", className="row-note care-gap")
        )
    return parts.card(TITLE, *shown, actions=since)


def _present(view: CodesView, prefs: Preferences) -> Component:
    if view.present_at is None:
        return parts.empty_state("Cannot tell", "This heater has never reported.")
    age = parts.moment(view.present_at, view.now, prefs)
    if view.present is None:
        return html.P(
            [parts.chip("good", "No code"), " in the newest reading, ", age],
            className="care-gap",
        )
    kind, word = URGENCY[view.known.urgency] if view.known else ("watch", "Look")
    return html.Div(
        [
            html.P(
                [
                    html.Code(view.present),
                    " ",
                    parts.chip(kind, word),
                    " in the newest reading, ",
                    age,
                ],
                className="care-gap",
            ),
            _words(view.known),
        ]
    )


def _words(known: Code | None) -> Component:
    if known is None:
        return html.P(UNKNOWN, className="care-gap")
    return html.Div(
        [
            html.Div(known.meaning + "."),
            html.Div(known.todo, className="row-note"),
        ],
        className="care-code",
    )


def _row(reported: Reported, prefs: Preferences) -> list[Any]:
    count = reported.count
    first, last = (text.local_time(at, prefs) for at in (count.first, count.last))
    return [
        html.Code(count.code),
        [
            _words(reported.known),
            html.Div(f"First {first}, last {last}", className="row-note"),
        ],
        text.number(count.times, 0),
    ]
