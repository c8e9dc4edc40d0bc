"""When a schedule runs: five cron fields in the wall time of a zone.

A wall time that a change of the clocks leaves out is due at the first moment after
it; one that comes twice is due once, the first time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from services.errors import InvalidInput
from services.units import time_zones

LONGEST = 80
LEAST_GAP = timedelta(minutes=59)
"""Nearly an hour: more often nobody reads a report."""
LOOKED_AT = 50
DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
DAY_WORDS = (
    "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"
)  # fmt: skip
PRESETS: Mapping[str, tuple[str, str]] = {
    "daily": ("Every day", "{minute} {hour} * * *"),
    "weekly": ("Every week", "{minute} {hour} * * {day}"),
    "monthly": ("Every month", "{minute} {hour} {date} * *"),
}
"""Key -> words and cron fields of the usual schedules."""


def preset(key: str, time: str, day: str = "mon", date: int = 1) -> str:
    """The cron fields of a usual schedule.

    Args:
        key: one of ``PRESETS``.
        time: the wall time, ``HH:MM``.
        day: day of the week, for ``weekly``.
        date: day of the month, for ``monthly``; at most 28, which each month has.

    Raises:
        InvalidInput: one of them does not exist.
    """
    if key not in PRESETS:
        raise InvalidInput(f"A schedule is one of {', '.join(PRESETS)}, or cron.")
    if day not in DAYS:
        raise InvalidInput(f"The day is one of {', '.join(DAYS)}.")
    if not 1 <= date <= 28:
        raise InvalidInput("The day of the month is 1 to 28, which each month has.")
    try:
        clock = datetime.strptime(time.strip(), "%H:%M")  # noqa: DTZ007 - a time only
    except ValueError:
        raise InvalidInput("The time must be written as 06:30.") from None
    return PRESETS[key][1].format(
        minute=clock.minute, hour=clock.hour, day=DAYS.index(day), date=date
    )


def checked(cron: str, zone: str) -> str:
    """The five fields, one space between them.

    Raises:
        InvalidInput: they are none, never come, come more often than every hour, or
            the zone does not exist.
    """
    if zone not in time_zones():
        raise InvalidInput("time_zone must be an IANA name, as Europe/Berlin.")
    fields = cron.split()
    if len(fields) != 5 or len(cron) > LONGEST:
        raise InvalidInput(
            "cron has five fields: minute, hour, day of month, month, day of week, as "
            "0 6 * * 1."
        )
    text = " ".join(fields)
    start = datetime(2026, 1, 1)  # noqa: DTZ001 - wall times
    try:
        walls = list(islice(CronSim(text, start), LOOKED_AT))
    except CronSimError as error:
        raise InvalidInput(f"cron is not right: {str(error).lower()}.") from None
    if not walls:
        raise InvalidInput("cron names a time that never comes.")
    gaps = [b - a for a, b in pairwise(walls)]
    if gaps and min(gaps) < LEAST_GAP:
        raise InvalidInput("cron comes more often than once an hour.")
    return text


def next_after(cron: str, zone: ZoneInfo, when: datetime) -> datetime | None:
    """The first time after ``when``; ``None`` = it never comes again."""
    return next(times_after(cron, zone, when), None)


def times_after(cron: str, zone: ZoneInfo, when: datetime) -> Iterator[datetime]:
    """The times after ``when``, aware UTC, each later than the one before."""
    wall = when.astimezone(zone).replace(tzinfo=None, fold=0)
    last = when
    for coming in CronSim(cron, wall):
        moment = _moment(coming, zone)
        if moment > last:
            yield moment
            last = moment


def missed(
    cron: str, zone: ZoneInfo, first: datetime, now: datetime
) -> tuple[datetime, int]:
    """The latest time from ``first`` to ``now``, and how many were before it.

    Args:
        cron: the fields.
        zone: the zone of their wall times.
        first: a time of it that is due.
        now: the present, not before ``first``.
    """
    latest, skipped = first, 0
    for moment in times_after(cron, zone, first):
        if moment > now:
            break
        latest, skipped = moment, skipped + 1
    return latest, skipped


def words(cron: str) -> str:
    """The fields as people say them; as they are when they are unusual."""
    minute, hour, date, month, day = cron.lower().split()
    day = str(DAYS.index(day)) if day in DAYS else day
    if not (minute.isdigit() and hour.isdigit() and month == "*"):
        return f"cron {cron}"
    at = f"at {int(hour):02}:{int(minute):02}"
    if date == day == "*":
        return f"Every day {at}"
    if date == "*" and day.isdigit():
        return f"Every {DAY_WORDS[int(day) % 7]} {at}"
    if day == "*" and date.isdigit():
        return f"On day {date} of each month {at}"
    return f"cron {cron}"


def _moment(wall: datetime, zone: ZoneInfo) -> datetime:
    """The moment of a wall time, or the first one after the gap it lies in."""
    moment = wall.replace(tzinfo=zone).astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None, fold=0) == wall:
        return moment
    # In a gap: the offset before it gives a moment after it, and the other way round.
    low = int(wall.replace(tzinfo=zone, fold=1).timestamp())
    high = int(moment.timestamp())
    before = _offset(low, zone)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _offset(middle, zone) == before else (low, middle)
    return datetime.fromtimestamp(high, UTC)


def _offset(second: int, zone: ZoneInfo) -> timedelta | None:
    return datetime.fromtimestamp(second, zone).utcoffset()
