"""The state machine of conditions, against one written for a single series."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.alert_conditions import (
    ACTIVE,
    IDLE,
    Condition,
    Points,
    States,
    Turn,
    advance,
)
from services.alert_rules import OPERATORS

GAP = 40


@dataclass
class Case:
    """One series and what is asked of it."""

    operator: str
    deadband: float
    for_us: int
    off_us: int
    series: list[tuple[int, float | None, bool]]


def holds(case: Case, value: float | None, margin: float = 0.0) -> bool:
    """Whether a value meets the condition widened by a margin; plain words."""
    assert value is not None
    low, high = 3.0 + margin, 7.0 - margin
    match case.operator:
        case ">":
            return value > high
        case ">=":
            return value >= high
        case "<":
            return value < low
        case "<=":
            return value <= low
        case "outside":
            return value < low or value > high
    return 3.0 - margin <= value <= 7.0 + margin


def back(case: Case, value: float) -> bool:
    """Whether a value is back by the deadband."""
    if holds(case, value):
        return False
    match case.operator:
        case ">" | ">=":
            return value <= 7.0 - case.deadband
        case "<" | "<=":
            return value >= 3.0 + case.deadband
    return not holds(case, value, case.deadband)


def by_hand(case: Case) -> list[tuple[bool, int, int]]:
    """Turns found by looking back from every value: slow, and easy to believe."""
    known = [p for p in case.series if p[1] is not None or not p[2]]
    found: list[tuple[bool, int, int]] = []
    active, begun = False, 0
    for here in range(len(known)):
        want = _gone if active else _met
        first = here
        while first >= begun and want(case, known[first]):
            joined = first > begun and known[first][0] - known[first - 1][0] <= GAP
            if not joined or not want(case, known[first - 1]):
                break
            first -= 1
        delay = case.off_us if active else case.for_us
        if want(case, known[here]) and known[here][0] - known[first][0] >= delay:
            active = not active
            begun = here
            found.append((active, known[first][0], known[here][0]))
            begun = here + 1
    return found


def _met(case: Case, point: tuple[int, float | None, bool]) -> bool:
    return point[2] and holds(case, point[1])


def _gone(case: Case, point: tuple[int, float | None, bool]) -> bool:
    return not point[2] or (point[1] is not None and back(case, point[1]))


def _timed(
    steps: list[tuple[int, float | None, bool]],
) -> list[tuple[int, float | None, bool]]:
    times = np.cumsum([step for step, _value, _applies in steps]).tolist()
    return [(t, v, a) for t, (_s, v, a) in zip(times, steps, strict=True)]


cases = st.builds(
    Case,
    st.sampled_from(OPERATORS),
    st.sampled_from([0.0, 1.0]),
    st.sampled_from([0, 10, 35]),
    st.sampled_from([0, 15, 30]),
    st.lists(
        st.tuples(
            st.integers(1, 50),
            st.none() | st.integers(0, 10).map(float),
            st.sampled_from([True, True, True, False]),
        ),
        max_size=40,
    ).map(_timed),
)


def judged(case: Case, copies: int = 1, cuts: list[int] | None = None) -> list[Turn]:
    """What the machine says, of several subjects with the same series."""
    condition = Condition(
        case.operator,
        np.full(copies, 3.0),
        np.full(copies, 7.0),
        case.deadband,
        case.for_us,
        case.off_us,
    )
    states, turns = States.idle(copies), []
    edges = [0, *sorted(cuts or []), len(case.series)]
    for first, last in pairwise(edges):
        part = [p for p in case.series[max(first - 2, 0) : last] for _ in range(copies)]
        at = np.tile(np.arange(copies), len(part) // copies)
        ts = np.array([p[0] for p in part], dtype=np.int64)
        value = np.array([np.nan if p[1] is None else p[1] for p in part], dtype=float)
        applies = np.array([p[2] for p in part], dtype=bool)
        points = Points(at, ts, value, applies, ts)
        turns += advance(states, condition, points, np.full(copies, GAP))
    return turns


@settings(max_examples=400, deadline=None)
@given(cases)
def test_turns_are_those_found_by_looking_back(case: Case) -> None:
    """Delays, deadband, gaps and missing values give the turns found by hand."""
    found = [(turn.on, turn.since, turn.ts) for turn in judged(case)]

    assert found == by_hand(case)


@settings(max_examples=200, deadline=None)
@given(cases, st.lists(st.integers(0, 40), max_size=5))
def test_looks_may_end_anywhere_and_overlap(case: Case, cuts: list[int]) -> None:
    """Cut in portions that overlap, of three subjects, each turns as in one look."""
    cuts = [min(cut, len(case.series)) for cut in cuts]
    whole = [(t.on, t.since, t.ts) for t in judged(case)]

    turns = judged(case, copies=3, cuts=cuts)

    for one in range(3):
        assert [(t.on, t.since, t.ts) for t in turns if t.at == one] == whole


def test_a_value_known_to_have_lasted_begins_when_it_began() -> None:
    """With its own beginning told, the first look of an old condition fires at once."""
    condition = Condition(">", np.array([np.nan]), np.array([7.0]), for_us=30)
    states = States.idle(1)
    points = Points(
        np.array([0]), np.array([100]), np.array([9.0]), np.array([True]),
        np.array([60]),
    )  # fmt: skip

    turns = advance(states, condition, points, np.array([GAP]))

    assert turns == [Turn(0, True, 60, 100, 9.0)]
    assert states.state[0] == ACTIVE


@pytest.mark.parametrize("operator", OPERATORS)
def test_a_subject_without_the_limit_never_fires(operator: str) -> None:
    """Where a device has no limit, no value meets any condition."""
    nothing = np.array([np.nan])
    states = States.idle(1)
    ts = np.arange(1, 20, dtype=np.int64)
    points = Points.of(np.zeros(19, dtype=np.int64), ts, np.linspace(-99, 99, 19))

    found = advance(
        states, Condition(operator, nothing, nothing), points, np.array([9])
    )

    assert found == []
    assert states.state[0] == IDLE
