"""How a household changes its heater's target temperature and mode over the weeks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from services.tank.draws import DAY_S, Resident, is_away

WEEK_S = 7 * DAY_S
_HABIT_STREAM = 13
PATTERNS: tuple[str, ...] = ("steady", "weekly", "setback")


@dataclass(frozen=True)
class Habit:
    """The usual setting of a heater and what is done to it.

    Attributes:
        target_c: The usual target temperature.
        mode: The usual mode.
        lowest_c: No target below this is set.
        highest_c: No target above this is set.
        pattern: ``steady`` (now and then another target), ``weekly`` (warmer from
            Friday to Sunday) or ``setback`` (cooler on weekday nights).
        away_mode: Mode of holidays; None leaves the heater as it is.
        busy_mode: Mode of a day with guests, now and then; None for never.
    """

    target_c: float
    mode: str
    lowest_c: float
    highest_c: float
    pattern: str = "steady"
    away_mode: str | None = None
    busy_mode: str | None = None


@dataclass(frozen=True)
class Change:
    """A setting made at the heater: a new target (°C), a new mode, or both."""

    ts_s: float
    target_c: float | None = None
    mode: str | None = None


def changes_between(
    habit: Habit, resident: Resident, start_s: float, end_s: float
) -> list[Change]:
    """The changes of ``start_s`` <= time < ``end_s`` (UTC), in order of time."""
    offset_s = resident.utc_offset_h * 3600.0
    first = int((start_s + offset_s) // WEEK_S) - 1
    last = int((end_s + offset_s) // WEEK_S)
    found = [
        Change(change.ts_s - offset_s, change.target_c, change.mode)
        for week in range(first, last + 1)
        for change in _week(habit, resident, week)
    ]
    found.sort(key=lambda change: change.ts_s)
    return [change for change in found if start_s <= change.ts_s < end_s]


def _week(habit: Habit, resident: Resident, week: int) -> Iterator[Change]:
    """The changes of a week that begins on a Thursday, as 1 January 1970 did."""
    begin_s = float(week * WEEK_S)
    rng = resident.random(_HABIT_STREAM, week)
    luck, hour, step, guest = rng.random(4)
    if habit.pattern == "weekly":
        yield Change(begin_s + 41 * 3600.0, _within(habit, 4.0))
        yield Change(begin_s + 93 * 3600.0, _within(habit, 0.0))
    elif habit.pattern == "setback":
        for day in (0, 4, 5, 6):
            night_s = begin_s + day * DAY_S + 22.5 * 3600.0
            yield Change(night_s, _within(habit, -6.0))
            yield Change(night_s + 6.5 * 3600.0, _within(habit, 0.0))
    elif luck < 0.16:
        offset_k = (-3.0, -2.0, 0.0, 2.0, 3.0, 5.0)[int(step * 6)]
        at_s = begin_s + int(luck / 0.16 * 7) * DAY_S + (7.0 + 14.0 * hour) * 3600.0
        yield Change(float(int(at_s)), _within(habit, offset_k))
    if habit.busy_mode and guest < 0.06:
        at_s = begin_s + 2 * DAY_S + int(hour * 8) * 3600.0 + 7 * 3600.0
        yield Change(at_s, mode=habit.busy_mode)
        yield Change(at_s + 20 * 3600.0, mode=habit.mode)
    if habit.away_mode:
        yield from _holidays(habit, resident, week * 7)


def _holidays(habit: Habit, resident: Resident, first_day: int) -> Iterator[Change]:
    for day in range(first_day, first_day + 7):
        before, now = is_away(resident, day - 1), is_away(resident, day)
        if now != before:
            mode = habit.away_mode if now else habit.mode
            yield Change(float(day * DAY_S), mode=mode)


def _within(habit: Habit, offset_k: float) -> float:
    return min(habit.highest_c, max(habit.lowest_c, habit.target_c + offset_k))
