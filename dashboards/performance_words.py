"""The numbers, windows and addresses of the Performance tab as people read them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import datetime
from urllib.parse import quote

from dashboards import links, text
from services.performance_views import (
    METRIC_WORDS,
    PerformanceView,
    PerformanceWindow,
    Point,
)
from services.units import Preferences

PATH = "/monitoring/performance"
DEFAULT_FROM, DEFAULT_TO = "now-1y", "now"
WINDOWS: Mapping[str, str] = {
    "hour": "Hours",
    "day": "Days",
    "week": "Weeks",
    "month": "Months",
}
IN_LABEL_UNITS = frozenset({"mae", "rmse", "bias"})
"""Metrics in the unit of the label, whatever its size."""
SHARE_DECIMALS = 3
SIGNIFICANT = 4


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


def picked_window(view: PerformanceView) -> PerformanceWindow | None:
    """The window whose tiles, calibration and confusion are shown."""
    return next((w for w in view.windows if w.start == view.picked), None)


def moment_key(start: datetime) -> str:
    """A window's start as the address holds it."""
    return start.isoformat().replace("+00:00", "Z")


def here(search: str | None, **changes: str | None) -> str:
    """A link to this tab with some keys of the address changed."""
    return links.href(PATH, links.with_query(search, **changes))


def data_address(view: PerformanceView, search: str | None) -> str:
    """Where the numbers of the page are downloaded as a file."""
    query = {"from": DEFAULT_FROM, "to": DEFAULT_TO} | links.parse_search(search)
    kept = {k: v for k, v in query.items() if k not in {"model", "class"}}
    model = quote(view.query.model, safe="")
    address = links.build_search({"format": "csv", **kept})
    return f"/api/v1/models/{model}/performance{address}"


def spoken(view: PerformanceView, prefs: Preferences) -> str:
    """What the main chart says, in one sentence with its numbers."""
    name, digits = METRIC_WORDS[view.metric], view_decimals(view)
    known = [w for w in view.windows if w.realised.value is not None]
    values = [w.realised.value for w in known if w.realised.value is not None]
    if not known:
        return f"{name}: no window has enough labels for a realised value."
    outside = sum(w.outside for w in view.windows)
    first, last = (period(w.start, view.window, prefs) for w in (known[0], known[-1]))
    lowest, highest = (text.number(v, digits) for v in (min(values), max(values)))
    words = (
        f"{name} realised in {len(known)} of {len(view.windows)} windows, {first} to "
        f"{last}: from {lowest} to {highest}, newest {text.number(values[-1], digits)}"
    )
    if view.reference.value is not None:
        words += f", reference {text.number(view.reference.value, digits)}"
    return f"{words}. The gap to the estimate leaves its band in {outside} windows."
