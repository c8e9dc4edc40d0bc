"""What the addresses of the monitoring tabs have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from dashboards import links
from dashboards.filters import ANY
from services.errors import NotFound

FITTING: Mapping[str, tuple[str, timedelta]] = {
    "hour": ("now-7d", timedelta(days=16)),
    "day": ("now-13w", timedelta(days=400)),
}
"""Short window -> the range it is shown over, and the longest that is answered."""


def window_changes(window: str | None, search: str | None) -> dict[str, str | None]:
    """The keys of the address that another length of the windows changes.

    Hours and days get a range that they fit in, unless the reader has chosen dates
    that do; longer windows get the default range back.

    Args:
        window: a key of ``WINDOWS``, or ``None`` for the model's own.
        search: the query string of the page.
    """
    changes: dict[str, str | None] = {"window": window, "at": None}
    query = links.parse_search(search)
    given = {start for start, _ in FITTING.values()}
    if window is not None and window in FITTING:
        start, longest = FITTING[window]
        span = _span(query.get("from"), query.get("to"))
        if span is None or span > longest:
            changes |= {"from": start, "to": "now"}
    elif query.get("from") in given and query.get("to") == "now":
        changes |= {"from": None, "to": None}
    return changes


def _span(start: str | None, end: str | None) -> timedelta | None:
    """The length of a range of two dates; ``None`` for any other."""
    try:
        return datetime.fromisoformat(end or "") - datetime.fromisoformat(start or "")
    except (TypeError, ValueError):
        return None


def changed(
    keys: Sequence[str], values: Sequence[object], held: object
) -> dict[str, str | None]:
    """The keys of the address that the controls change against what was drawn."""
    if not isinstance(held, list) or len(held) != len(values):
        return {}
    changes: dict[str, str | None] = {
        key: None if value == ANY else str(value)
        for key, value, before in zip(keys, values, held, strict=True)
        if value and value != before
    }
    return changes


def model_known(error: Exception, search: str | None) -> bool:
    """Whether the model of an address may exist, after a page could not be drawn."""
    return not isinstance(error, NotFound) or "version" in links.parse_search(search)
