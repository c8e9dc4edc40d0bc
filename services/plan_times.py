"""When the entries of a weekly plan come: local times on days with 23 to 25 hours.

A time that the clocks leave out comes at the first instant after the gap; one that
they show twice comes the first time only.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from data.plan_store import PlanEntry

WEEK = 7
ONE = timedelta(seconds=1)
Occurrence = tuple[datetime, PlanEntry]


def instant(day: date, wall: time, zone: ZoneInfo) -> datetime:
    """The instant of a wall time of a day, UTC."""
    local = datetime.combine(day, wall, tzinfo=zone)
    found = local.astimezone(UTC)
    back = found.astimezone(zone).replace(tzinfo=None)
    if back == local.replace(tzinfo=None):
        return found
    # In a gap fold=1 reads the clock after it and lies before it, fold=0 lies after.
    return _gap_end(local.replace(fold=1).astimezone(UTC), found, zone)


def _gap_end(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    new = after.astimezone(zone).utcoffset()
    while after - before > ONE:
        middle = before + (after - before) // 2
        if middle.astimezone(zone).utcoffset() == new:
            after = middle
        else:
            before = middle
    return after.replace(microsecond=0)


def occurrences(
    entries: Sequence[PlanEntry], zone: ZoneInfo, first: date, last: date
) -> list[Occurrence]:
    """The entries of the local days ``first`` to ``last``, in order of time."""
    found = []
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        for entry in entries:
            if day.weekday() in entry.days:
                wall = time.fromisoformat(entry.time)
                found.append((instant(day, wall, zone), wall, entry))
    found.sort(key=lambda item: item[:2])
    return [(at, entry) for at, _, entry in found]


def next_after(
    entries: Sequence[PlanEntry], zone: ZoneInfo, moment: datetime
) -> Occurrence | None:
    """The first entry after a moment, ``None`` when there is no entry at all."""
    day = moment.astimezone(zone).date()
    span = (day - timedelta(days=1), day + timedelta(days=WEEK + 1))
    found = occurrences(entries, zone, *span)
    return next((item for item in found if item[0] > moment), None)


def newest_until(
    entries: Sequence[PlanEntry], zone: ZoneInfo, moment: datetime
) -> Occurrence | None:
    """The last entry that has come by a moment."""
    day = moment.astimezone(zone).date()
    span = (day - timedelta(days=WEEK + 1), day + timedelta(days=1))
    past = [item for item in occurrences(entries, zone, *span) if item[0] <= moment]
    return past[-1] if past else None
