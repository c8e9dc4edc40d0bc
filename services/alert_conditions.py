"""When a condition begins to hold and when it is gone: a pure state machine.

One state for each subject; the values of many subjects are judged at once. A subject
is *idle* until a value meets the condition, then *pending* until it has met it for the
on-delay, then *active* until a value is back over the threshold by the deadband,
*leaving* until that has lasted for the off-delay, then idle again. A missing value
says nothing: it neither fires nor clears, and where two values are further apart than
the subject's gap limit the delays begin anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

IDLE, PENDING, ACTIVE, LEAVING = 0, 1, 2, 3
NEVER = np.iinfo(np.int64).min // 4
"""The time of what has not been, in microseconds: far before every time."""


@dataclass(frozen=True)
class Condition:
    """What is asked of a value; delays in microseconds.

    ``low`` and ``high`` are by subject, NaN where a subject has no such limit (then
    nothing is ever met); ``<`` uses low, ``>`` uses high, bands use both.
    """

    operator: str
    low: Floats
    high: Floats
    deadband: float = 0.0
    for_us: int = 0
    off_us: int = 0

    def met(self, at: Ints, values: Floats) -> Bools:
        """Whether the values of the subjects ``at`` meet it; NaN does not."""
        low, high, operator = self.low[at], self.high[at], self.operator
        with np.errstate(invalid="ignore"):
            if operator == ">":
                return np.asarray(values > high)
            if operator == ">=":
                return np.asarray(values >= high)
            if operator == "<":
                return np.asarray(values < low)
            if operator == "<=":
                return np.asarray(values <= low)
            if operator == "outside":
                return np.asarray((values < low) | (values > high))
            return np.asarray((values >= low) & (values <= high))

    def gone(self, at: Ints, values: Floats) -> Bools:
        """Whether they are back by the deadband; NaN is not."""
        band, low, high = self.deadband, self.low[at], self.high[at]
        operator = self.operator
        with np.errstate(invalid="ignore"):
            if operator in (">", ">="):
                back = values <= high - band
            elif operator in ("<", "<="):
                back = values >= low + band
            elif operator == "outside":
                back = (values >= low + band) & (values <= high - band)
            else:
                back = (values < low - band) | (values > high + band)
        return np.asarray(back & ~self.met(at, values))


@dataclass
class States:
    """The state of each subject; times in microseconds, ``NEVER`` = none.

    since: when the run of the present state began: of values that meet the condition
    (pending, active), or of values that do not (leaving). last: the newest value.
    """

    state: npt.NDArray[np.int8]
    since: Ints
    last: Ints

    @classmethod
    def idle(cls, subjects: int) -> States:
        """So many subjects that nothing is known of."""
        return cls(
            np.zeros(subjects, dtype=np.int8),
            np.full(subjects, NEVER),
            np.full(subjects, NEVER),
        )

    def grown(self, subjects: int) -> States:
        """The same with room for more subjects."""
        more = States.idle(subjects - len(self.state))
        return States(
            np.concatenate([self.state, more.state]),
            np.concatenate([self.since, more.since]),
            np.concatenate([self.last, more.last]),
        )


@dataclass(frozen=True)
class Points:
    """Values to judge, in order of time. ``applies``: where it is false, the value
    counts as one that does not meet the condition. ``since``: when the value is known
    to have begun to be as it is, its own time where nothing is known.
    """

    at: Ints
    ts: Ints
    value: Floats
    applies: Bools
    since: Ints

    @classmethod
    def of(cls, at: Ints, ts: Ints, value: Floats) -> Points:
        """Points that all apply, each known from its own time on."""
        return cls(at, ts, value, np.ones(len(at), dtype=np.bool_), ts)

    def taken(self, rows: npt.NDArray[np.intp] | Bools) -> Points:
        """Some of them."""
        return Points(
            self.at[rows], self.ts[rows], self.value[rows],
            self.applies[rows], self.since[rows],
        )  # fmt: skip


@dataclass(frozen=True)
class Turn:
    """A subject's condition has held long enough (``on``), or is gone.

    ``since`` is when it began to hold or to be gone, ``ts`` and ``value`` the value
    that decided.
    """

    at: int
    on: bool
    since: int
    ts: int
    value: float


def advance(
    states: States, condition: Condition, points: Points, gap_us: Ints
) -> list[Turn]:
    """Judge points, and move ``states`` on; the turns in order of time.

    Points not newer than a subject's newest are passed over: the same points twice
    change nothing.
    """
    known = ~np.isnan(points.value) | ~points.applies
    points = points.taken(known & (points.ts > states.last[points.at]))
    if not len(points.at):
        return []
    met = condition.met(points.at, points.value) & points.applies
    gone = condition.gone(points.at, points.value) | ~points.applies
    turns: list[Turn] = []
    moving = _moving(states, points, met, gone)
    quiet = ~moving[points.at]
    np.maximum.at(states.last, points.at[quiet], points.ts[quiet])
    rows = np.flatnonzero(~quiet)
    for one in _rounds(points.at[rows]):
        step = rows[one]
        # Of two values at one time the first counts.
        step = step[points.ts[step] > states.last[points.at[step]]]
        turns += _step(
            states, condition, points.taken(step), met[step], gone[step], gap_us
        )
    turns.sort(key=lambda turn: (turn.ts, turn.at))
    return turns


def _moving(states: States, points: Points, met: Bools, gone: Bools) -> Bools:
    """The subjects whose state may change: few, on most looks."""
    state = states.state[points.at]
    may = np.where(state == IDLE, met, np.where(state == ACTIVE, gone, True))
    moving = np.zeros(len(states.state), dtype=np.bool_)
    moving[points.at[may]] = True
    return moving


def _rounds(at: Ints) -> Iterator[npt.NDArray[np.intp]]:
    """Rows of the first point of each subject, then of the second, and so on."""
    if not len(at):
        return
    order = np.argsort(at, kind="stable")
    first = np.r_[True, at[order][1:] != at[order][:-1]]
    starts = np.flatnonzero(first)
    rank = np.arange(len(at)) - np.repeat(starts, np.diff(np.r_[starts, len(at)]))
    by_rank = order[np.argsort(rank, kind="stable")]
    yield from np.split(by_rank, np.cumsum(np.bincount(rank))[:-1])


def _step(
    states: States,
    condition: Condition,
    points: Points,
    met: Bools,
    gone: Bools,
    gap_us: Ints,
) -> list[Turn]:
    """One point of each of some subjects."""
    at, ts = points.at, points.ts
    state, since = states.state[at], states.since[at]
    broken = ts - states.last[at] > gap_us[at]
    begins = met & ((state == IDLE) | ((state == PENDING) & broken))
    leaves = gone & ((state == ACTIVE) | ((state == LEAVING) & broken))
    back = (state == LEAVING) & ~gone
    since = np.where(begins, np.minimum(points.since, ts), since)
    since = np.where(leaves | back, ts, since)
    state = np.where(begins, PENDING, np.where(leaves, LEAVING, state))
    state = np.where((state == PENDING) & ~met, IDLE, np.where(back, ACTIVE, state))
    fires = (state == PENDING) & (ts - since >= condition.for_us)
    clears = (state == LEAVING) & (ts - since >= condition.off_us)
    turns = [
        Turn(int(at[i]), bool(fires[i]), int(since[i]), int(ts[i]), float(v))
        for i in np.flatnonzero(fires | clears)
        for v in (points.value[i],)
    ]
    state = np.where(fires, ACTIVE, np.where(clears, IDLE, state))
    states.state[at] = state
    states.since[at] = np.where(state == IDLE, NEVER, since)
    states.last[at] = ts
    return turns
