"""Quiet hours in local time, on days with 23 to 25 hours too, and digest periods."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from services.plan_times import instant

ONE_DAY = timedelta(days=1)
MOST_IN_A_ROW = 8


@dataclass(frozen=True)
class Quiet:
    """Hours from ``start`` to ``end`` (``HH:MM``) in a zone.

    days: on which they begin (0 = Monday). An end that is not after the start is on
    the next day.
    """

    start: str
    end: str
    zone: str
    days: tuple[int, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain values, as they are stored."""
        return {
            "start": self.start, "end": self.end,
            "zone": self.zone, "days": list(self.days),
        }  # fmt: skip


def quiet_until(quiet: Quiet | None, now: datetime) -> datetime | None:
    """When the quiet hours that hold now end; ``None`` when none do."""
    if quiet is None:
        return None
    until, moment = None, now
    for _ in range(MOST_IN_A_ROW):
        end = _end_of(quiet, moment)
        if end is None:
            break
        until = moment = end
    return until


def _end_of(quiet: Quiet, now: datetime) -> datetime | None:
    zone = ZoneInfo(quiet.zone)
    start, end = time.fromisoformat(quiet.start), time.fromisoformat(quiet.end)
    today = now.astimezone(zone).date()
    # Yesterday's may last until today; with a clock set back, today's may be earlier.
    for day in (today - ONE_DAY, today):
        if day.weekday() not in quiet.days:
            continue
        last = day if end > start else day + ONE_DAY
        if instant(day, start, zone) <= now < (until := instant(last, end, zone)):
            return until
    return None


def digest_at(minutes: int, now: datetime) -> datetime:
    """The end of the digest period that ``now`` lies in; ``now`` itself without one."""
    if not minutes:
        return now
    period = minutes * 60
    elapsed = int(now.timestamp()) // period
    return datetime.fromtimestamp((elapsed + 1) * period, UTC)


def send_at(
    quiet: Quiet | None, digest_minutes: int, now: datetime, *, at_once: bool
) -> datetime:
    """When something that happens now is told."""
    if at_once:
        return now
    told = digest_at(digest_minutes, now)
    return quiet_until(quiet, told) or told
