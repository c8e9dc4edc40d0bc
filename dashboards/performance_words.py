"""The numbers, windows and addresses of the Performance tab as people read them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from urllib.parse import quote

from dashboards import links, text
from services.performance_numbers import (
    SHARE_DECIMALS,
    decimals,
    interval,
    labelled,
    period,
    view_decimals,
    with_interval,
)
from services.performance_views import (
    METRIC_WORDS,
    PerformanceView,
    PerformanceWindow,
)
from services.units import Preferences

__all__ = [
    "SHARE_DECIMALS",
    "decimals",
    "interval",
    "labelled",
    "period",
    "view_decimals",
    "with_interval",
]

PATH = "/monitoring/performance"
DEFAULT_FROM, DEFAULT_TO = "now-1y", "now"
WINDOWS: Mapping[str, str] = {
    "hour": "Hours",
    "day": "Days",
    "week": "Weeks",
    "month": "Months",
}


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
