"""What a rule would have done: the replay of the past says what the worker does."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest

from services.access import SYSTEM
from services.alert_replay import Replay
from services.alert_rule_reading import read_rule
from services.errors import InvalidInput
from tests.conftest import NOW, VIEWER, Stores, readings
from tests.services.alert_world import HOT, World
from tests.services.alert_world import world as opened

QUARTER = timedelta(minutes=15)


@pytest.fixture
def world(stores: Stores) -> Iterator[World]:
    """Stores with one tank."""
    yield from opened(stores)


def replay(world: World, days: int = 2, **changed: Any) -> Replay:
    """The replay of a rule that differs from ``HOT`` so."""
    spec = read_rule({k: v for k, v in (HOT | changed).items() if v is not None})
    return world.ruled.rules.preview(VIEWER, spec, days)


def past(world: World, hours: int, step_s: int = 900, **columns: Any) -> datetime:
    """Readings of the last hours, in the lake; the first one's time."""
    start = NOW - timedelta(hours=hours)
    frame = readings("wh-1", start, hours * 60, step_s, **columns)
    world.stores.telemetry.accept_bulk(SYSTEM, frame)
    world.stores.flush()
    return start


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("operator", [">", "<", "outside", "inside"])
def test_the_replay_counts_what_the_worker_raises(
    world: World, seed: int, operator: str
) -> None:
    """On a reading each quarter hour both turn at the same times."""
    chance = np.random.default_rng(seed)
    values = (65 + np.cumsum(chance.normal(0, 3, 60)).clip(-14, 14)).tolist()
    banded = operator in ("outside", "inside")
    limits: dict[str, Any] = {"threshold": None, "band": [60, 70]} if banded else {}
    asked: dict[str, Any] = {
        "operator": operator,
        "for_s": 0,
        "off_delay_s": 0,
        **limits,
    }
    world.rule(**asked)
    world.look()
    for value in values:
        world.stores.clock.forward(minutes=15)
        world.send([value])
        world.look()
    world.stores.flush()
    found = replay(world, 1, **asked)
    raised = world.history.count("activated")

    assert found.activations == raised
    assert [p.end is None for p in found.periods].count(True) == sum(
        alert.active for alert in world.alerts
    )


def test_periods_say_when_and_how_long(world: World) -> None:
    """An hour of heat is one period with its subject; the note is empty."""
    temperature = [80.0 if 8 <= i < 12 else 50.0 for i in range(96)]
    start = past(world, 24, temperature_c=temperature)
    found = replay(world, for_s=1_800, off_delay_s=0)

    (period,) = found.periods
    assert (period.subject, period.name) == ("wh-1", "Boiler room")
    assert (period.start, period.end) == (start + 8 * QUARTER, start + 12 * QUARTER)
    assert (found.judged, found.resolution_s, found.note) == (1, 900, "")
    assert [(s.subject, s.activations) for s in found.subjects] == [("wh-1", 1)]
    assert replay(world, for_s=4_500).activations == 0


def test_silence_of_the_past_is_found(world: World) -> None:
    """Three hours without readings are one activation of the offline rule."""
    first = NOW - timedelta(hours=12)
    for begin, hours in ((first, 4), (first + timedelta(hours=7), 5)):
        frame = readings("wh-1", begin, hours * 60, temperature_c=55.0)
        world.stores.telemetry.accept_bulk(SYSTEM, frame)
    world.stores.flush()
    asked: dict[str, Any] = {
        "metric": "offline_min",
        "threshold": 10.0,
        "deadband": 0.0,
        "for_s": 0,
    }
    (period,) = replay(world, **asked).periods

    assert timedelta() <= period.start - (first + timedelta(hours=4)) <= 2 * QUARTER
    assert period.end is not None
    assert timedelta() <= period.end - (first + timedelta(hours=7)) <= 2 * QUARTER


def test_leaks_and_safe_hours_of_the_past_are_found(world: World) -> None:
    """A day of trickle is one leak; a tank that never was hot is one more."""
    frame = readings("wh-1", NOW - timedelta(hours=24), 24 * 60, temperature_c=50.0)
    frame["flow_lpm"] = [0.0 if i < 180 else 0.4 for i in range(len(frame))]
    world.stores.telemetry.accept_bulk(SYSTEM, frame)
    world.stores.flush()
    leak = replay(world, metric="no_still_hour_h", threshold=12.0, deadband=0, for_s=0)
    cold = replay(world, metric="safe_hour_days", threshold=0.5, deadband=0, for_s=0)
    warm = replay(world, metric="warm_hour_h", threshold=12.0, deadband=0, for_s=0)

    assert (leak.activations, cold.activations, warm.activations) == (1, 1, 0)
    assert leak.periods[0].end is None
    about = NOW - timedelta(hours=9)
    assert abs(leak.periods[0].start - about) <= 2 * QUARTER


def test_what_is_not_kept_is_said(world: World) -> None:
    """Error codes have no past; days out of bounds are refused."""
    found = replay(world, metric="error_code", operator=">=", threshold=1.0, deadband=0)
    assert found.activations == 0
    assert "cannot be replayed" in found.note
    for days in (0, 91):
        with pytest.raises(InvalidInput, match="days"):
            replay(world, days)
