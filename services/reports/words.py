"""The cells of a report as people read them; files for programs keep them whole."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from services.reports.document import Cell, Column
from services.wording import NO_DATA, number

LARGE = 1e15
"""From here on a number is written with an exponent."""
SMALL = 1e-4
DIGITS = 6
"""Digits of a number that says nothing about its decimals."""
TIME = "%-d %b %Y, %H:%M"


def shown(value: Cell, decimals: int | None, zone: ZoneInfo) -> str:
    """One cell in words: numbers rounded, times in the zone, ``–`` for nothing."""
    if value is None:
        return NO_DATA
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return figure(value, decimals)
    if isinstance(value, datetime):
        return moment(value, zone)
    return value


def figure(value: float, decimals: int | None) -> str:
    """A number with its decimals, or with as many as it has, six digits at most."""
    if isinstance(value, float) and not math.isfinite(value):
        return NO_DATA
    if abs(value) >= LARGE or (decimals is None and 0 < abs(value) < SMALL):
        return f"{value:.{DIGITS - 1}e}".replace("-", "\N{MINUS SIGN}")
    if decimals is not None:
        return number(value, decimals)
    return number(value, own_decimals(value))


def own_decimals(value: float) -> int:
    """How many decimals a number has within six digits."""
    text = f"{value:.{DIGITS}g}"
    if "e" in text:
        return 0 if abs(value) >= 1 else DIGITS + 2
    return len(text.partition(".")[2])


def moment(value: datetime, zone: ZoneInfo) -> str:
    """A time in the zone of the report; one without a zone is taken as UTC."""
    aware = value if value.tzinfo else value.replace(tzinfo=UTC)
    try:
        return aware.astimezone(zone).strftime(TIME)
    except (OverflowError, ValueError):
        return aware.isoformat()


def zone_of(name: str) -> ZoneInfo:
    """The zone of a document; UTC when there is none of that name."""
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError):
        return ZoneInfo("UTC")


def head(column: Column) -> str:
    """The head of a column: its title and its unit."""
    return f"{column.title} ({column.unit})" if column.unit else column.title


def decimals_of(column: Column, values: list[Cell]) -> int | None:
    """The decimals all numbers of a column share, so that their points align."""
    if column.decimals is not None:
        return column.decimals
    plain = [v for v in values if isinstance(v, float) and math.isfinite(v)]
    usual = [v for v in plain if v == 0 or SMALL <= abs(v) < LARGE]
    if not usual or len(usual) < len(plain):
        return None
    return min(max(map(own_decimals, usual)), DIGITS - 2)


def is_numeric(column: Column, values: list[Cell]) -> bool:
    """Whether a column holds numbers and nothing else, or would if it held anything."""
    known = [v for v in values if v is not None]
    if not known:
        return column.decimals is not None or bool(column.unit)
    return all(isinstance(v, int | float) and not isinstance(v, bool) for v in known)
