"""The numbers of performance as people read them, on the screen and in reports."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import datetime

from services import wording as text
from services.performance_views import (
    METRIC_WORDS,
    PerformanceView,
    PerformanceWindow,
    Point,
)
from services.units import Preferences

IN_LABEL_UNITS = frozenset({"mae", "rmse", "bias"})
"""Metrics in the unit of the label, whatever its size."""
SHARE_DECIMALS = 3
SIGNIFICANT = 4
STATES = {
    "look": ("watch", "{} needs a look"),
    "cannot_tell": ("unknown", "{}: cannot tell"),
    "fine": ("good", "{} holds"),
}
"""State -> kind of the chip and its words: they speak of one metric, not the model."""


def decimals(metric: str, known: Iterable[float | None]) -> int:
    """How many decimals a metric is written with.

    Args:
        metric: a key of ``METRIC_WORDS``.
        known: values of it; those in the label's unit get four digits that count.
    """
    if metric not in IN_LABEL_UNITS:
        return SHARE_DECIMALS
    largest = max((abs(v) for v in known if v is not None), default=0.0)
    if not math.isfinite(largest) or largest == 0:
        return SHARE_DECIMALS
    return min(max(SIGNIFICANT - 1 - math.floor(math.log10(largest)), 0), 8)


def view_decimals(view: PerformanceView) -> int:
    """The decimals of the metric that the main chart shows."""
    known = [view.reference.value, view.threshold.value, view.threshold.suggested]
    known += [w.realised.value for w in view.windows]
    return decimals(view.metric, known)


def interval(point: Point, digits: int, *, sign: bool = False) -> str:
    """``0.790 to 0.834``, or nothing where the point has no interval."""
    if point.value is None or point.low is None or point.high is None:
        return ""
    low, high = (text.number(v, digits, sign=sign) for v in (point.low, point.high))
    return f"{low} to {high}"


def with_interval(point: Point, digits: int, *, sign: bool = False) -> str:
    """``0.812 (0.790 to 0.834)``; ``NO_DATA`` where there is no value."""
    shown = text.number(point.value, digits, sign=sign)
    around = interval(point, digits, sign=sign)
    return f"{shown} ({around})" if around else shown


def period(start: datetime, window: str, prefs: Preferences) -> str:
    """A window by its first moment: ``week of 5 Jan 2026``."""
    local = start.astimezone(prefs.zone)
    day = f"{local.day} {local:%b %Y}"
    return {
        "hour": f"{day}, {local:%H:%M}",
        "day": f"{local:%a} {day}",
        "month": f"{local:%B %Y}",
    }.get(window, f"week of {day}")


def labelled(window: PerformanceWindow) -> str:
    """How many predictions of a window have their label."""
    counts = f"{text.number(window.labelled, 0)} of {text.number(window.rows, 0)}"
    return f"{counts} labelled ({text.share(window.coverage)})"


def said(view: PerformanceView, prefs: Preferences) -> tuple[str, str]:
    """What happened; while the newest window has few labels, that comes second."""
    settled = view.settled
    newest = next((w for w in view.windows[::-1] if w.realised.value is not None), None)
    if settled is None or newest is settled:
        return view.sentence, ""
    early = f"Provisional, as most labels are still to come: {view.sentence}"
    return _settled(view, settled, prefs), early


def _settled(
    view: PerformanceView, window: PerformanceWindow, prefs: Preferences
) -> str:
    """What the newest window with enough labels says."""
    digits, limit = view_decimals(view), view.threshold
    value = with_interval(window.realised, digits)
    found = []
    if limit.broken_by(window.realised.value):
        found.append(
            f"{limit.side} the threshold of {text.number(limit.value, digits)}"
        )
    if window.outside:
        gap = with_interval(window.gap, digits, sign=True)
        found.append(f"{gap} against the estimate, which leaves its band")
    return (
        f"{METRIC_WORDS[view.metric]} {value} in the {_when(view, window, prefs)}, the "
        f"newest window with enough labels"
        + (f": {' and '.join(found)}." if found else ", as expected.")
    )


def _when(view: PerformanceView, window: PerformanceWindow, prefs: Preferences) -> str:
    named = period(window.start, view.window, prefs)
    return named if view.window == "week" else f"{view.window} {named}"
