"""Switched off, away, boosted, pasteurising: what the tank does, and how it ends."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from services.tank import products
from services.tank.cycles import ENDS
from services.tank.heater import Heater, Run, telemetry
from services.tank.physics import LOWER_NODE
from services.tank.state import TankState
from tests.services.tank.conftest import MONDAY_S

DAY = 1440
HOUR_S = 3600.0


def told(heater: Heater, minutes: int, **ends: float) -> tuple[TankState, Run]:
    """A heater at rest that is told at once, and what it does then."""
    state = heater.at_rest(MONDAY_S)
    for name, hours in ends.items():
        state.set_end(name, MONDAY_S + hours * HOUR_S)
    return state, heater.run(state, 60.0, minutes)


@pytest.mark.parametrize("pump", [False, True])
def test_stepping_minute_by_minute_equals_bulk(heater, pump: bool):
    """Two days with all of them, state through JSON: the bits of one call."""
    one = heater(tank=products.heat_pump(), mode="eco") if pump else heater()
    bulk_state, live_state = one.at_rest(MONDAY_S), one.at_rest(MONDAY_S)
    for state in (bulk_state, live_state):
        state.set_end("away_until", MONDAY_S + 30 * HOUR_S)
        state.set_end("boost_until", MONDAY_S + 3.51 * HOUR_S)
        state.set_end("pasteurise_until", MONDAY_S + 12 * HOUR_S)
    bulk_run = one.run(bulk_state, 60.0, 2 * DAY)
    parts, ended = [], []
    for _ in range(2 * DAY):
        live_state = TankState.from_json(json.loads(json.dumps(live_state.to_json())))
        parts.append((one, one.run(live_state, 60.0, 1)))
        ended += parts[-1][1].ended
    pd.testing.assert_frame_equal(telemetry([(one, bulk_run)]), telemetry(parts))
    assert live_state.to_json() == bulk_state.to_json()
    assert sorted(ended) == sorted(bulk_run.ended) == sorted(ENDS)


def test_a_state_saved_by_an_older_program_loads(heater):
    """What was unknown then has its usual value."""
    saved = heater().at_rest(MONDAY_S).to_json()
    for name in ("power", "hot_s", *(f"{end}_s" for end in ENDS)):
        del saved[name]
    state = TankState.from_json(saved)
    assert state.power
    assert [state.end_of(name) for name in ENDS] == [None, None, None]


def test_switched_off_it_takes_no_power_and_cools(heater):
    """Two days off: no heat is called for, the tank is colder; on again, it heats."""
    one = heater()
    state = one.at_rest(MONDAY_S)
    state.command(power=False)
    run = one.run(state, 60.0, 2 * DAY)
    assert run.true("power_w").max() == run.true("heating").max() == 0.0
    assert run.true("mean_c")[-1] < run.true("mean_c")[0] - 15
    frame = telemetry([(one, run)])
    assert set(frame["target_temperature_c"]) == {55.0}
    assert set(frame["mode"]) == {"electric"}
    state.command(power=True)
    assert one.run(state, 60.0, 60).true("power_w").max() > 4000


def test_away_holds_ten_degrees_less_and_no_colder_than_45(heater):
    """Targets of 55 and 50 °C become 45 °C, 62 becomes 52; then they are held again."""
    for target_c, held_c in ((55.0, 45.0), (50.0, 45.0), (62.0, 52.0), (44.0, 44.0)):
        one = heater()
        state = one.at_rest(MONDAY_S)
        state.command(target_c=target_c)
        state.set_end("away_until", MONDAY_S + 10 * 24 * HOUR_S)
        run = one.run(state, 60.0, 10 * DAY)
        warm_c = run.true("tank_c")[5 * DAY :]
        assert warm_c.max() <= max(held_c + 2.0, run.true("inlet_pipe_c").max())
        assert run.ended == ("away_until",)
        assert (run.metrics["target_temperature_c"] == target_c).all()
        back = one.run(state, 60.0, DAY)
        assert back.true("tank_c").max() > target_c - 1.5


def test_boost_heats_more_and_faster_until_its_end(heater):
    """A heat pump runs all it has, up to 60 °C; after the end it is as before."""
    one = heater(tank=products.heat_pump(), mode="heat_pump")
    _, plain = told(one, 3 * 60)
    state, run = told(one, 3 * 60, boost_until=2.0)
    assert run.true("power_w").max() > plain.true("power_w").max() + 1000
    assert 57.0 < run.true("tank_c").max() <= 61.0
    assert run.ended == ("boost_until",)
    assert state.boost_until_s is None
    assert run.true("heating")[125:].max() == 0.0


def test_a_pasteurising_cycle_ends_after_an_hour_at_sixty(heater):
    """Held an hour above 60 °C from the lower thermostat up, it ends by itself."""
    one = heater(tank=products.heat_pump(), mode="eco", kind="single")
    state = one.at_rest(MONDAY_S)
    state.set_end("pasteurise_until", MONDAY_S + 12 * HOUR_S)
    hot_minutes, minutes = 0, 0
    while state.pasteurise_until_s is not None:
        one.run(state, 60.0, 1)
        hot = state.nodes_c[LOWER_NODE:].min() >= 60.0
        hot_minutes, minutes = (hot_minutes + 1 if hot else 0), minutes + 1
    assert hot_minutes == 60
    assert minutes < 12 * 60
    later = one.run(state, 60.0, 12 * 60)
    assert later.true("mean_c")[-1] < 60.0


def test_a_cycle_that_never_gets_hot_ends_at_its_time(heater):
    """Switched too short, it ends at its limit and says so once."""
    _, run = told(heater(), 60, pasteurise_until=0.25)
    assert run.ended == ("pasteurise_until",)
    assert run.true("power_w")[:15].min() > 0.0


def test_switching_off_ends_what_heats_for_a_while(heater):
    """Boost and pasteurising end with the power; an absence stays one."""
    state, _ = told(heater(), 1, away_until=9, boost_until=9, pasteurise_until=9)
    state.command(power=False)
    assert (state.boost_until_s, state.pasteurise_until_s) == (None, None)
    assert state.away_until_s == MONDAY_S + 9 * HOUR_S


def test_only_a_setting_ends_the_households_habits(heater):
    """An absence leaves the weekly changes of target to the household."""
    one = heater(pattern="weekly")
    _, run = told(one, 7 * DAY, away_until=24 * 7)
    assert run.changes
    assert np.ptp(run.metrics["target_temperature_c"]) == 4.0
