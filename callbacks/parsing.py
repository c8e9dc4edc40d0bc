"""Browser values -> typed values, or ``InvalidInput``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from dash import no_update

from dashboards.links import build_search, parse_search, with_query
from services.errors import InvalidInput
from services.units import Preferences

__all__ = [
    "build_search",
    "dates_search",
    "news",
    "parse_search",
    "parse_units",
    "with_query",
]


def parse_units(values: Mapping[str, object]) -> Preferences:
    """Preferences out of the menu's controls.

    Raises:
        InvalidInput: a value is not one that the menu offers.
    """
    return Preferences.of(values)


def dates_search(
    search: str | None, first: str | None, last: str | None, prefs: Preferences
) -> str:
    """The query string of whole local days, both included; other keys are kept.

    Raises:
        InvalidInput: a date is missing or is no date, or the first is after the
            last.
    """
    begin, end = _day(first), _day(last)
    if end < begin:
        raise InvalidInput("The range ends before it begins.")
    return with_query(
        search,
        **{
            "from": _midnight(begin, prefs),
            "to": _midnight(end + timedelta(days=1), prefs),
        },
    )


def _day(text: str | None) -> date:
    try:
        return date.fromisoformat((text or "")[:10])
    except ValueError:
        raise InvalidInput("Choose a first and a last day.") from None


def _midnight(day: date, prefs: Preferences) -> str:
    local = datetime.combine(day, time(), tzinfo=prefs.zone)
    return local.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def news(held: Sequence[object], now: Sequence[object]) -> list[Any]:
    """What differs from what the page has: each change makes it look at all rows."""
    return [no_update if a == b else b for a, b in zip(held, now, strict=True)]
