"""The card of Legionella and scald: what was counted, and what it cannot say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dash import html
from dash.development.base_component import Component

from dashboards import parts, text
from dashboards.health_cards import VERDICTS
from services.ledger import LedgerView
from services.ledger_now import Told
from services.ledger_sums import LedgerSpan
from services.ledger_words import band_words, degrees, reason_words
from services.units import Preferences, convert, unit

TITLE = "Legionella and scald"


def ledger_card(view: LedgerView, prefs: Preferences) -> Component:
    """Verdict, reasons, what is now, and two ranges side by side."""
    kind, word = VERDICTS[view.verdict]
    if view.verdict == "fine":
        word = "Nothing stands out"
    reasons = [html.Li(reason_words(reason, prefs)) for reason in view.reasons]
    return parts.card(
        TITLE,
        html.Ul(reasons, className="care-reasons") if reasons else None,
        parts.facts(*_now(view, prefs)),
        _usable_note(view, prefs),
        _spans(view.spans, prefs),
        html.P(
            "A risk index from one tank sensor: it can show that something asks for a "
            "look. It cannot show that the water is free of germs.",
            className="row-note",
        ),
        actions=parts.chip(kind, word),
    )


def _now(view: LedgerView, prefs: Preferences) -> list[Component]:
    hot: Any = "never in the stored history"
    if view.hot_hour_at is not None:
        hot = parts.moment(view.hot_hour_at, view.now, prefs)
    still = "cannot tell: no present flow reading"
    if view.still_s is not None:
        still = text.duration(view.still_s) if view.still_s else "water was just drawn"
    return [
        parts.fact(f"Last whole hour at {degrees(60.0, prefs)} or more", hot),
        parts.fact("Without flow now", still),
        parts.fact(
            f"Hot water now, as {degrees(40.0, prefs)}",
            _told(view.usable, lambda litres: text.quantity("water_l", litres, prefs)),
        ),
        parts.fact("To the target, if it heats now", _told(view.recovery, _minutes)),
    ]


def _minutes(minutes: float) -> str:
    return text.duration(round(minutes) * 60) if minutes >= 0.5 else "at the target"


def _told(told: Told, words: Callable[[float], str]) -> str:
    if told.value is None:
        return f"cannot tell: {told.why}"
    said = words(told.value)
    return said if said == "at the target" else f"{told.bound} {said}"


def _usable_note(view: LedgerView, prefs: Preferences) -> Component | None:
    if view.usable.value is None or view.inlet_c is None:
        return None
    inlet = text.quantity("inlet_temperature_c", view.inlet_c, prefs)
    return html.P(
        f"Hot water is an estimate as if the whole tank had the sensor's temperature, "
        f"with water coming in at {inlet}: in a layered tank a low sensor tells the "
        "least there is, a high one too much.",
        className="row-note",
    )


Cell = Callable[[LedgerSpan], str]


def _spans(spans: tuple[LedgerSpan, ...], prefs: Preferences) -> Component:
    names = [f"{round((s.end - s.start).total_seconds() / 86_400)} days" for s in spans]
    rows = [[name, *(cell(s) for s in spans)] for name, cell in _lines(prefs)]
    table = parts.data_table(
        "What the tank has been through",
        ["", *(f"Last {name}" for name in names)],
        rows,
        numeric=set(range(1, len(spans) + 1)),
    )
    return html.Div(table, className="care-spans")


def _lines(prefs: Preferences) -> list[tuple[str, Cell]]:
    scale = unit("temperature", prefs)
    low = degrees(25.0, prefs)
    return [
        (f"Time in {band_words(prefs)}", lambda s: _hours(s.in_band_h)),
        (
            f"Degree-hours above {low} in that time",
            lambda s: _degree_hours(s.degree_hours, scale, prefs),
        ),
        (f"Time below {degrees(50.0, prefs)}", lambda s: _hours(s.below_50_h)),
        (f"At {degrees(54.0, prefs)} or more", lambda s: text.share(s.hot_54, 1)),
        (f"At {degrees(60.0, prefs)} or more", lambda s: text.share(s.hot_60, 1)),
        (
            "Highest temperature",
            lambda s: text.quantity("temperature_c", s.highest_c, prefs),
        ),
        ("Longest time without flow", _still),
        ("Share of the time counted", lambda s: text.share(s.covered, 1)),
    ]


def _hours(hours: float | None) -> str:
    shown = text.number(hours, 1)
    return shown if hours is None else f"{shown}{text.NO_BREAK}h"


def _degree_hours(value: float | None, scale: str, prefs: Preferences) -> str:
    if value is None:
        return text.NO_DATA
    shown = text.number(convert(value, "temperature_difference", prefs), 0)
    return f"{shown}{text.NO_BREAK}{scale}·h"


def _still(span: LedgerSpan) -> str:
    if span.still_longest_s is None:
        return text.NO_DATA
    words = text.duration(span.still_longest_s)
    return f"at least {words}" if span.still_open else words
