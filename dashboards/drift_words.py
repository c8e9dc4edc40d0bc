"""The words and numbers of the Drift tab."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from dash import html
from dash.development.base_component import Component

from dashboards import parts, text
from services.drift_views import MEASURES, DriftView, WindowView
from services.drift_words import (
    MARKED,
    SHORT_STATES,
    STATE_WORDS,
    verdict_sentence,
)
from services.models_views import VERDICTS
from services.units import Preferences

__all__ = ["MARKED", "SHORT_STATES", "STATE_WORDS", "verdict_sentence"]

STATE_CHIPS: Mapping[str, str] = {
    "drift": "high",
    "missing": "high",
    "unseen": "high",
    "watch": "watch",
    "fine": "good",
}
"""State of a cell -> kind of its chip; every other one cannot be judged."""
WINDOW_WORDS: Mapping[str, str] = {
    "hour": "Hour",
    "day": "Day",
    "week": "Week",
    "month": "Month",
}
SHORT_NAMES: Mapping[str, str] = {
    "js": "JS distance",
    "js_divergence": "JS divergence",
    "wasserstein": "Wasserstein (sd)",
    "hellinger": "Hellinger",
    "l_infinity": "L-infinity",
    "tvd": "Total variation",
    "chi_square": "Chi-square / df",
}
_SMALL_P = 0.001
_LARGE = 10


def measure_name(measure: str) -> str:
    """The full name of a measure, with its base or unit."""
    return MEASURES.get(measure, measure)


def short_name(measure: str) -> str:
    """The name of a measure where there is little room."""
    return SHORT_NAMES.get(measure, measure_name(measure))


def amount(value: float | None) -> str:
    """The value of a measure: three decimals, one from ten on."""
    if value is None:
        return text.NO_DATA
    return text.number(value, 3 if abs(value) < _LARGE else 1)


def chance(p: float | None) -> str:
    """A p-value: three decimals, or that it is smaller."""
    if p is None:
        return text.NO_DATA
    return f"<{text.NO_BREAK}0.001" if p < _SMALL_P else text.number(p, 3)


def points(reference: float, current: float) -> str:
    """The difference of two shares in percentage points, with its sign."""
    return f"{text.number((current - reference) * 100, 1, sign=True)}{text.NO_BREAK}pp"


def percent(share: float | None) -> str:
    """A share as per cent; small ones keep a decimal."""
    return text.share(share, 1)


def column(start: datetime, unit: str, prefs: Preferences) -> str:
    """The name of a window on the axis: its first day, its hour or its month."""
    if unit == "hour":
        return text.local_time(start, prefs)
    if unit == "month":
        return f"{start.astimezone(prefs.zone):%b %Y}"
    return text.local_date(start, prefs)


def columns(view: DriftView, prefs: Preferences) -> list[str]:
    """The names of the windows on the axis, with their rows, each one once."""
    names: list[str] = []
    for window in view.windows:
        name = column(window.start, view.window, prefs)
        name += f", {text.number(window.rows, 0)} rows"
        names.append(name if name not in names else f"{name} ({len(names) + 1})")
    return names


def named_window(start: datetime, unit: str, prefs: Preferences) -> str:
    """A window in words: ``week of 2 Mar 2026``."""
    name = column(start, unit, prefs)
    return f"week of {name}" if unit == "week" else name


def verdict_of(window: WindowView | None, harmful: Sequence[str]) -> tuple[str, str]:
    """The chip of a window: kind and word. Harmful features are never fine."""
    if window is None or window.state == "none":
        return ("watch", "Look") if harmful else ("paused", VERDICTS["none"])
    if window.state == "cannot_tell":
        return "unknown", VERDICTS["cannot_tell"]
    if window.state == "fine":
        return ("watch", "Look") if harmful else ("good", VERDICTS["fine"])
    kind = parts.SEVERITY.get(window.severity, ("watch", ""))[0]
    return kind, f"Look: {VERDICTS.get(window.verdict, window.verdict).lower()}"


def picked(view: DriftView) -> int | None:
    """The place of the picked window, if there is one."""
    for place, window in enumerate(view.windows):
        if window.start == view.picked_start:
            return place
    return None


def listed(rows: Iterable[str]) -> Component:
    """The numbers of a chart as one text for those who cannot see it.

    A table of them would be ten times as long on its way to the browser.
    """
    return html.P("; ".join(rows))


def counts(view: DriftView) -> str:
    """How many cells moved, and how many cannot be judged, in one sentence."""
    cells = [cell for row in view.features for cell in row.cells]
    moved = sum(cell.state in MARKED for cell in cells)
    few = sum(cell.state in {"few", "none"} for cell in cells)
    size = f"{len(view.features)} features in {len(view.windows)} windows"
    rest = f"; {text.number(few, 0)} could not be judged" if few else ""
    return f"{size}: {text.number(moved, 0)} cells moved{rest}."
