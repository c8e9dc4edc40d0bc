"""Time ranges as people write them: ``now-7d``, ``now/d``, ISO times.

A bound is ``now`` or an ISO 8601 time. ``now`` may be followed by steps, read from
left to right: ``-7d`` and ``+1h`` move, ``/d`` goes back to the start of the unit.
Rounding always goes down, in ``to`` as in ``from``. Days, weeks, months and years
are those of the reader's calendar, so ``now-1d`` is the same wall time yesterday
even when that day had 23 or 25 hours; seconds, minutes and hours are exact.
An ISO time without a zone is the reader's wall time; a bare date is its midnight.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from services.errors import InvalidInput

DAY = timedelta(days=1)
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)
LONGEST_TEXT = 64
DEFAULT_FROM, DEFAULT_TO = "now-7d", "now"
PRESETS: tuple[tuple[str, str], ...] = (
    ("24 h", "now-24h"),
    ("7 days", "now-7d"),
    ("14 days", "now-14d"),
    ("30 days", "now-30d"),
)
"""Words of a preset and its ``from``; ``to`` is always ``now``."""

_EXACT = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
}
_CALENDAR_DAYS = {"d": 1, "w": 7}
_MONTHS = {"M": 1, "y": 12}
_STEP = re.compile(r"([+-])(\d{1,6})([smhdwMy])|/([smhdwMy])")
_NOW = re.compile(r"now((?:[+-]\d{1,6}[smhdwMy]|/[smhdwMy])*)")
_LOST_PLUS = re.compile(r"(T[^ ]*) (\d\d:?\d\d)$")


@dataclass(frozen=True)
class Window:
    """A time range ``[start, end)``, aware UTC, and how it was written."""

    start: datetime
    end: datetime
    text_from: str
    text_to: str

    @property
    def length(self) -> timedelta:
        """How long the range is."""
        return self.end - self.start


def parse(
    text_from: str | None,
    text_to: str | None,
    now: datetime,
    zone: ZoneInfo,
    max_days: int,
) -> Window:
    """The range two texts name; missing ones mean the last seven days.

    Args:
        text_from: first moment of the range.
        text_to: end of the range, not included.
        now: the present, aware.
        zone: the reader's time zone.
        max_days: longest range allowed (setting ``max_window_days``).

    Raises:
        InvalidInput: a text is no time, lies outside 2000 to 2199, or the range is
            empty, reversed or too long. The message names which.
    """
    text_from = (text_from or "").strip() or DEFAULT_FROM
    text_to = (text_to or "").strip() or DEFAULT_TO
    start = moment(text_from, "from", now, zone)
    end = moment(text_to, "to", now, zone)
    if end <= start:
        order = "where it begins" if end == start else "before it begins"
        raise InvalidInput(
            f"The range ends {order}: from={_short(text_from)} is "
            f"{_written(start, zone)}, to={_short(text_to)} is {_written(end, zone)}."
        )
    days = (_wall(end, zone) - _wall(start, zone)) / DAY
    if days > max_days:
        raise InvalidInput(
            f"The range from={_short(text_from)} to={_short(text_to)} is {days:,.0f} "
            f"days long; the longest allowed is {max_days} days "
            "(setting IOTSPHERE_MAX_WINDOW_DAYS)."
        )
    return Window(start, end, text_from, text_to)


def moment(text: str, name: str, now: datetime, zone: ZoneInfo) -> datetime:
    """The aware UTC time of one bound.

    Raises:
        InvalidInput: see ``parse``; ``name`` says in the message which bound it is.
    """
    try:
        if len(text) > LONGEST_TEXT:
            raise ValueError("too long")
        found = _NOW.fullmatch(text)
        when = _stepped(found[1], now, zone) if found else _iso(text, zone)
    except (ValueError, OverflowError):
        raise InvalidInput(
            f"{name}={_short(text)} is not a time. Write an ISO time such as "
            "2026-03-10 or 2026-03-10T14:30Z, or now, now-24h, now-7d, now/d."
        ) from None
    if not EARLIEST <= when < LATEST:
        raise InvalidInput(f"{name}={_short(text)} is outside the years 2000 to 2199.")
    return when


def previous(window: Window, zone: ZoneInfo) -> Window:
    """The range of the same length before, moved by ``shift_days``."""
    days = shift_days(window, zone)
    start = days_before(window.start, days, zone)
    end = days_before(window.end, days, zone)
    return Window(start, end, start.isoformat(), end.isoformat())


def shift_days(window: Window, zone: ZoneInfo) -> int:
    """How many days back the range to compare with lies.

    Whole days, so that times of day line up; from a week on whole weeks, so that
    weekdays do as well. Never fewer than the range is long.
    """
    length = _wall(window.end, zone) - _wall(window.start, zone)
    days = max(-(-length // DAY), 1)
    return days if days < 7 else -(-days // 7) * 7


def days_before(when: datetime, days: int, zone: ZoneInfo) -> datetime:
    """The same wall time ``days`` calendar days earlier."""
    return _aware(_wall(when, zone) - timedelta(days=days), zone)


def local_days(start: datetime, end: datetime, zone: ZoneInfo) -> list[datetime]:
    """The starts of the local days that ``[start, end)`` touches, and the next one.

    Days of 23 or 25 hours are as long as they are.
    """
    day = _wall(start, zone).replace(hour=0, minute=0, second=0, microsecond=0)
    edges = [_aware(day, zone)]
    while edges[-1] < end:
        day += DAY
        edge = _aware(day, zone)
        if edge > edges[-1]:  # a zone that crossed the date line lost a day
            edges.append(edge)
    return edges


def local_hours(start: datetime, end: datetime, zone: ZoneInfo) -> list[datetime]:
    """The starts of the clock hours that ``[start, end)`` touches, and the next one."""
    edges = [_floored(start, "h", zone)]
    while edges[-1] < end:
        edges.append(edges[-1] + timedelta(hours=1))
    return edges


def _stepped(steps: str, now: datetime, zone: ZoneInfo) -> datetime:
    when = now.astimezone(UTC)
    for sign, count, unit, rounded in _STEP.findall(steps):
        if rounded:
            when = _floored(when, rounded, zone)
        else:
            amount = int(count) * (1 if sign == "+" else -1)
            when = _moved(when, amount, unit, zone)
    return when


def _moved(when: datetime, amount: int, unit: str, zone: ZoneInfo) -> datetime:
    if unit in _EXACT:
        return when + amount * _EXACT[unit]
    wall = _wall(when, zone)
    if unit in _CALENDAR_DAYS:
        return _aware(wall + timedelta(days=amount * _CALENDAR_DAYS[unit]), zone)
    months = wall.year * 12 + wall.month - 1 + amount * _MONTHS[unit]
    first = wall.replace(year=months // 12, month=months % 12 + 1, day=1)
    last = (first + timedelta(days=31)).replace(day=1) - DAY
    return _aware(first.replace(day=min(wall.day, last.day)), zone)


def _floored(when: datetime, unit: str, zone: ZoneInfo) -> datetime:
    wall = _wall(when, zone)
    if unit in _EXACT:
        # Taken off the exact time: a wall time may happen twice.
        past = {
            "s": timedelta(0),
            "m": timedelta(seconds=wall.second),
            "h": timedelta(minutes=wall.minute, seconds=wall.second),
        }
        return when - past[unit] - timedelta(microseconds=wall.microsecond)
    day = wall.replace(hour=0, minute=0, second=0, microsecond=0)
    rounded: dict[str, Callable[[datetime], datetime]] = {
        "d": lambda d: d,
        "w": lambda d: d - timedelta(days=d.weekday()),
        "M": lambda d: d.replace(day=1),
        "y": lambda d: d.replace(month=1, day=1),
    }
    return _aware(rounded[unit](day), zone)


def _iso(text: str, zone: ZoneInfo) -> datetime:
    # A "+" of an offset reaches us as a space when an address was not encoded.
    when = datetime.fromisoformat(_LOST_PLUS.sub(r"\1+\2", text))
    return _aware(when, zone) if when.tzinfo is None else when.astimezone(UTC)


def _wall(when: datetime, zone: ZoneInfo) -> datetime:
    return when.astimezone(zone).replace(tzinfo=None, fold=0)


def _aware(wall: datetime, zone: ZoneInfo) -> datetime:
    return wall.replace(tzinfo=zone).astimezone(UTC)


def _written(when: datetime, zone: ZoneInfo) -> str:
    return when.astimezone(zone).strftime("%Y-%m-%d %H:%M %Z")


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:39] + "…"
