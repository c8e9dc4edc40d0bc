"""What the History tab says in words and numbers, beside and instead of the charts."""

from __future__ import annotations

from collections.abc import Sequence

from dash import html
from dash.development.base_component import Component

from dashboards import parts, ranges, text
from services.event_marks import EventMark
from services.history import HistoryView
from services.metrics import Usage
from services.units import QUANTITIES, Preferences, convert, unit

LISTED_EVENTS = 20


def tiles(view: HistoryView, prefs: Preferences) -> Component:
    """The totals of the range, each with its change against the range before."""
    warmth, usage = view.shown.temperature, view.shown.usage
    before = view.previous
    low = text.quantity("temperature_c", warmth.low, prefs)
    high = text.quantity("temperature_c", warmth.high, prefs)
    earlier = before.usage if before and view.comparable else None
    shown = [
        parts.figure_tile(
            "Mean temperature",
            text.quantity("temperature_c", warmth.mean, prefs),
            _compared(
                [f"{low} to {high}"],
                warmth.mean,
                before.temperature.mean if before and view.comparable else None,
                "temperature_difference",
                prefs,
            ),
        ),
        *_usagetiles(usage, earlier, prefs),
    ]
    return html.Div(shown, className="tiles")


def _usagetiles(
    usage: Usage, earlier: Usage | None, prefs: Preferences
) -> list[Component]:
    heating = [] if usage.heating_s is None else [_heated(usage)]
    return [
        parts.figure_tile(
            "Energy",
            text.quantity("energy_kwh", usage.energy_kwh, prefs),
            _compared(
                heating,
                usage.energy_kwh,
                earlier.energy_kwh if earlier else None,
                "energy",
                prefs,
            ),
        ),
        parts.figure_tile(
            "Hot water drawn",
            text.quantity("water_l", usage.volume_l, prefs),
            _compared(
                [],
                usage.volume_l,
                earlier.volume_l if earlier else None,
                "volume",
                prefs,
            ),
        ),
        parts.figure_tile(
            "Uptime",
            text.share(usage.uptime, 1),
            _points(usage.uptime, earlier.uptime if earlier else None),
        ),
        parts.figure_tile(
            "Temperature kept",
            text.share(usage.kept, 1),
            _points(usage.kept, earlier.kept if earlier else None)
            or "no more than 5 K below target",
        ),
    ]


def _heated(usage: Usage) -> str:
    return f"{text.duration(usage.heating_s or 0)} heating in {usage.cycles} cycles"


def _compared(
    notes: Sequence[str],
    value: float | None,
    earlier: float | None,
    kind: str,
    prefs: Preferences,
) -> list[Component]:
    lines = list(notes)
    if value is not None and earlier is not None:
        change = convert(value - earlier, kind, prefs)
        decimals = 0 if kind == "volume" else 1
        sign = text.number(change, decimals, sign=True)
        lines.append(f"{sign} {unit(kind, prefs)} against before")
    return [html.Div(line) for line in lines]


def _points(value: float | None, earlier: float | None) -> str | None:
    if value is None or earlier is None:
        return None
    change = text.number((value - earlier) * 100, 1, sign=True)
    return f"{change} points against before"


def heading(view: HistoryView, prefs: Preferences) -> str:
    """The range in words."""
    window = view.shown.window
    return ranges.described(window.start, window.end, prefs)


def notes(view: HistoryView, prefs: Preferences) -> Component:
    """How wide a point is, what was left out and what it is compared with."""
    shown = view.shown
    words = [f"Each point is {text.duration(view.bucket_s)}"]
    if shown.flagged:
        share = text.share(shown.flagged / shown.usage.readings, 1)
        words.append(
            f"{shown.flagged} of {shown.usage.readings} readings ({share}) have a "
            "value that is not trusted; it is left out"
        )
    if view.previous is not None:
        before = view.previous.window
        words.append(
            f"Compared with {ranges.described(before.start, before.end, prefs)}"
        )
        if not view.comparable:
            covered = text.share(view.previous.usage.uptime)
            words.append(
                f"of which readings cover {covered}, so the totals are not compared"
            )
    return html.P(" · ".join(words), className="history-notes")


def spoken(view: HistoryView, prefs: Preferences) -> str:
    """The charts in one sentence, numbers included."""
    shown = view.shown
    warmth = shown.temperature
    mean, low, high = (
        text.quantity("temperature_c", value, prefs)
        for value in (warmth.mean, warmth.low, warmth.high)
    )
    energy = text.quantity("energy_kwh", shown.usage.energy_kwh, prefs)
    return (
        f"Charts of {heading(view, prefs)}. Temperature from {low} to {high}, mean "
        f"{mean}. Energy {energy}. {shown.event_count} events. The values follow as "
        "a table."
    )


def period_table(view: HistoryView, prefs: Preferences) -> Component:
    """Energy and temperature of each hour or day, for those who cannot see."""
    metric = "temperature_c"
    words = unit(QUANTITIES[metric].kind, prefs)
    columns = ["From", "Energy (kWh)", f"Lowest ({words})", f"Mean ({words})"]
    columns.append(f"Highest ({words})")
    rows = []
    for period in view.shown.periods:
        warmth = period.temperature_c
        cells = [
            text.number(text.converted(metric, value, prefs))
            for value in (warmth.low, warmth.mean, warmth.high)
        ]
        energy = text.number(period.energy_kwh, 2)
        rows.append([text.local_time(period.start, prefs), energy, *cells])
    each = "hour" if view.hourly else "day"
    caption = f"Energy and temperature for each {each}"
    return parts.data_table(caption, columns, rows, numeric=range(1, 5))


def event_table(view: HistoryView, prefs: Preferences) -> Component | None:
    """The newest marked events, for those who cannot see."""
    marks: Sequence[EventMark] = view.shown.marks[-LISTED_EVENTS:]
    if not marks:
        return None
    rows = [
        [text.local_time(m.ts, prefs), m.severity, "; ".join(m.messages)] for m in marks
    ]
    return parts.data_table("Events", ["From", "Severity", "What"], rows)
