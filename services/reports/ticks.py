"""Where an axis is marked: round numbers, and local times people would choose."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from services.wording import number

Unit = Literal["minute", "hour", "day", "month", "year"]
Tick = tuple[float, str, str]
"""Place, label, and a second line where the day or the year changes."""

MOST_DECIMALS = 12
LARGEST = 1e100
_STEPS: tuple[tuple[Unit, int, float], ...] = (
    *(("minute", n, n * 60.0) for n in (1, 2, 5, 10, 15, 30)),
    *(("hour", n, n * 3600.0) for n in (1, 2, 3, 6, 12)),
    *(("day", n, n * 86_400.0) for n in (1, 2, 7, 14)),
    *(("month", n, n * 2_629_800.0) for n in (1, 2, 3, 6)),
    *(("year", n, n * 31_557_600.0) for n in (1, 2, 5, 10, 20, 50, 100, 200, 500)),
)


def drawable(value: float | None) -> float | None:
    """A number that has a place on an axis; ``None`` for infinite and absurd ones."""
    if value is None or not math.isfinite(value) or abs(value) > LARGEST:
        return None
    return float(value) if abs(value) > 1 / LARGEST else 0.0


def number_ticks(low: float, high: float, most: int = 7) -> list[tuple[float, str]]:
    """Round numbers from ``low`` to ``high`` with their words."""
    if not high > low:
        return [(low, words(low, 0))]
    step = round_step((high - low) / most)
    decimals = min(max(0, -math.floor(math.log10(step) + 1e-9)), MOST_DECIMALS)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [(i * step, words(i * step, decimals)) for i in range(first, last + 1)]


def words(value: float, decimals: int) -> str:
    """A number beside an axis; very large and very small ones have an exponent."""
    if abs(value) >= 1e9 or (0 < abs(value) < 1e-6):
        return f"{value:.3g}".replace("-", "\N{MINUS SIGN}")
    return number(value, decimals)


def round_step(least: float) -> float:
    """The smallest of 1, 2, 2.5 and 5 times a power of ten that is not below."""
    power = 10.0 ** math.floor(math.log10(least))
    for part in (1.0, 2.0, 2.5, 5.0):
        if part * power >= least * (1 - 1e-9) and not (part == 2.5 and power <= 1):
            return part * power
    return 10 * power


def room(low: float, high: float, edge: float = 0.06) -> tuple[float, float]:
    """The reach of an axis: a little more than its values, never nothing."""
    span = high - low
    if span <= abs(high) * 1e-9:
        span = abs(high) * 0.2 or 1.0
        return low - span / 2, high + span / 2
    bottom, top = low - span * edge, high + span * edge
    return (0.0 if low >= 0 > bottom else bottom), (0.0 if high <= 0 < top else top)


def time_ticks(start: float, end: float, zone: ZoneInfo, most: int = 8) -> list[Tick]:
    """Local times between two moments (seconds since 1970) with their words."""
    unit, count, _ = next(
        (s for s in _STEPS if (end - start) / s[2] <= most), _STEPS[-1]
    )
    first = datetime.fromtimestamp(start, UTC).astimezone(zone).replace(tzinfo=None)
    wall = _floor(first, unit, count)
    found: list[tuple[float, datetime]] = []
    while True:
        place = wall.replace(tzinfo=zone).timestamp()
        if place > end:
            break
        if place >= start and (not found or place > found[-1][0]):
            found.append((place, wall))
        wall = _next(wall, unit, count)
        if wall.year > 9000:
            break
    return _labelled(found, unit)


def _labelled(found: list[tuple[float, datetime]], unit: Unit) -> list[Tick]:
    ticks, shown = [], ""
    for place, wall in found:
        if unit in {"minute", "hour"}:
            label, under = f"{wall:%H:%M}", f"{wall.day} {wall:%b %Y}"
        elif unit == "day":
            label, under = f"{wall.day} {wall:%b}", f"{wall:%Y}"
        else:
            label, under = (f"{wall:%b}" if unit == "month" else str(wall.year)), ""
            under = str(wall.year) if unit == "month" else ""
        ticks.append((place, label, "" if under == shown else under))
        shown = under
    return ticks


def _floor(wall: datetime, unit: Unit, count: int) -> datetime:
    day = wall.replace(hour=0, minute=0, second=0, microsecond=0)
    if unit == "minute":
        return day + timedelta(minutes=(wall.hour * 60 + wall.minute) // count * count)
    if unit == "hour":
        return day + timedelta(hours=wall.hour // count * count)
    if unit == "day":
        # Weeks start on Monday.
        return day - timedelta(days=day.toordinal() % count - (count >= 7))
    if unit == "month":
        return day.replace(day=1, month=(wall.month - 1) // count * count + 1)
    return day.replace(day=1, month=1, year=max(wall.year // count * count, 1))


def _next(wall: datetime, unit: Unit, count: int) -> datetime:
    if unit == "month":
        months = wall.month - 1 + count
        return wall.replace(year=wall.year + months // 12, month=months % 12 + 1)
    if unit == "year":
        return wall.replace(year=wall.year + count)
    steps = {"minute": 60, "hour": 3600, "day": 86_400}
    return wall + timedelta(seconds=steps[unit] * count)
