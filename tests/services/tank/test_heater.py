"""A heater as a whole: reproducible, resumable, and each fault with its signature."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from data.records import METRICS, READING_COLUMNS
from services.tank import faults as tank_faults
from services.tank import products
from services.tank.faults import Fault
from services.tank.heater import Heater, Run, telemetry
from services.tank.sensors import NO_ELEMENT_CURRENT, SENSOR_ERROR, Sensors
from services.tank.state import TankState

DAY = 1440
START_S = 1_772_409_600.0
ONSET_S = START_S + 10 * 86_400.0


def run_days(heater: Heater, days: int) -> Run:
    """Simulate whole days from a heater at rest."""
    return heater.run(heater.at_rest(START_S), 60.0, days * DAY)


def both(heater, fault: Fault, **options: object) -> tuple[Run, Run, slice]:
    """Twenty days without and with the fault, and its last five days."""
    healthy, faulty = heater(**options), heater(fault, **options)
    return run_days(healthy, 20), run_days(faulty, 20), slice(15 * DAY, 20 * DAY)


def test_same_seed_gives_the_same_frame(heater):
    """Seed and device index decide every value; another device differs."""
    first, again, other = (
        telemetry([(h, run_days(h, 2))])
        for h in (heater(device=3), heater(device=3), heater(device=4))
    )
    pd.testing.assert_frame_equal(first, again)
    assert not np.array_equal(first["flow_lpm"], other["flow_lpm"])


@pytest.mark.parametrize("family", [None, *tank_faults.FAMILIES])
def test_stepping_minute_by_minute_equals_bulk(heater, family):
    """Two days in 2,880 calls, the state through JSON, give the bits of one call."""
    faults = (Fault(family, START_S + 6 * 3600.0, 0.5),) if family else ()
    one = heater(*faults, pattern="weekly")
    bulk_state, live_state = one.at_rest(START_S), one.at_rest(START_S)
    bulk = telemetry([(one, one.run(bulk_state, 60.0, 2 * DAY))])
    parts = []
    for _ in range(2 * DAY):
        live_state = TankState.from_json(json.loads(json.dumps(live_state.to_json())))
        parts.append((one, one.run(live_state, 60.0, 1)))
    pd.testing.assert_frame_equal(bulk, telemetry(parts))
    assert live_state.to_json() == bulk_state.to_json()


def test_short_live_steps_draw_the_same_water(heater):
    """Steps of 7 s draw the litres of steps of 60 s, and use the energy within 3 %."""
    one = heater()
    coarse = one.run(one.at_rest(START_S), 60.0, DAY)
    fine = one.run(one.at_rest(START_S), 7.5, DAY * 8)
    assert fine.inputs.litres.sum() == pytest.approx(coarse.inputs.litres.sum())
    used = [run.true("energy_kwh")[-1] for run in (fine, coarse)]
    assert used[0] == pytest.approx(used[1], rel=0.03)


def test_frame_is_what_the_door_takes(heater):
    """Columns, naive UTC microseconds and resolutions are those of a reading."""
    one = heater()
    frame = telemetry([(one, run_days(one, 1))])
    assert set(frame.columns) == set(READING_COLUMNS)
    assert str(frame["ts"].dtype) == "datetime64[us]"
    assert frame["ts"].iloc[0] == pd.Timestamp(START_S + 60.0, unit="s")
    assert frame["temperature_c"].tolist() == frame["temperature_c"].round(1).tolist()
    assert frame["energy_kwh"].is_monotonic_increasing
    assert frame[list(METRICS)].notna().all(axis=None)
    assert frame["error_code"].isna().all()


def test_a_missing_sensor_is_a_missing_value(heater):
    """A heater that lacks a sensor reports nothing for it, not zero."""
    one = replace(heater(), sensors=Sensors(lacks=("voltage_v",)))
    frame = telemetry([(one, run_days(one, 1))])
    assert frame["voltage_v"].isna().all()
    assert frame["power_w"].notna().all()


def test_open_element_calls_without_current_and_leaves_the_bottom_cold(heater):
    """Heat is called for at no power, the mean falls, the code E10 comes up."""
    healthy, faulty, late = both(heater, Fault("element_open", ONSET_S))
    calls = (faulty.true("heating") > 0) & (faulty.true("power_w") == 0)
    assert calls[late].mean() > 0.5
    assert not ((healthy.true("heating") > 0) & (healthy.true("power_w") == 0)).any()
    assert faulty.true("mean_c")[late].mean() < healthy.true("mean_c")[late].mean() - 8
    assert (faulty.errors[late] == NO_ELEMENT_CURRENT).mean() > 0.5


def test_weak_element_takes_less_power_at_the_same_voltage(heater):
    """Half an element has half the power of the lower one; the top is not touched."""
    healthy, faulty, late = both(heater, Fault("element_weak", ONSET_S, 0.5))
    per_volt = [
        run.true("power_w")[late] / run.inputs.weather[late, 2] ** 2 * 230.0**2
        for run in (healthy, faulty)
    ]
    assert np.median(per_volt[0][per_volt[0] > 0]) == pytest.approx(4500.0)
    assert np.median(per_volt[1][per_volt[1] > 0]) == pytest.approx(2250.0)


def test_leak_leaves_no_hour_without_flow(heater):
    """From the onset on the least flow of every hour is the leak."""
    _, faulty, late = both(heater, Fault("leak", ONSET_S, 0.5))
    hours = faulty.metrics["flow_lpm"][late].reshape(-1, 60)
    before = faulty.metrics["flow_lpm"][: 10 * DAY].reshape(-1, 60)
    assert (hours.min(axis=1) >= 0.4).all()
    assert (before.max(axis=1) == 0.0).mean() > 0.2


def test_small_leak_hides_under_the_flow_meter_but_costs_energy(heater):
    """0.2 L/min is not metered, yet takes heat and the expansion pressure."""
    healthy, faulty, late = both(heater, Fault("leak", ONSET_S, 0.2))
    assert np.median(faulty.metrics["flow_lpm"][late]) == 0.0
    used = [np.ptp(run.true("energy_kwh")[late]) for run in (healthy, faulty)]
    assert used[1] > used[0] * 1.3
    highest_bar = [run.true("pressure_bar")[late].max() for run in (healthy, faulty)]
    assert highest_bar[0] > 3.9
    assert highest_bar[1] == pytest.approx(
        faulty.inputs.weather[late, 3].max(), abs=0.01
    )


def test_insulation_loss_raises_the_use_of_idle_days(heater):
    """Twice the heat loss costs UA x 35 K x 24 h more energy a day, within 15 %."""
    healthy, faulty, late = both(heater, Fault("insulation_loss", ONSET_S, 1.0))
    used = [np.ptp(run.true("energy_kwh")[late]) / 5 for run in (healthy, faulty)]
    warmer_k = (
        faulty.true("mean_c")[late].mean() - faulty.inputs.weather[late, 1].mean()
    )
    assert used[1] - used[0] == pytest.approx(0.9 * warmer_k * 0.024, rel=0.15)


def test_thermostat_drift_moves_the_tank_away_from_its_target(heater):
    """Thermostats 8 K too warm leave the tank 8 K colder after two weeks."""
    healthy, faulty = (
        run_days(heater(*f), 28)
        for f in ((), (Fault("thermostat_drift", ONSET_S, 8.0),))
    )
    late = slice(26 * DAY, 28 * DAY)
    cold_k = np.median(healthy.true("tank_c")[late] - faulty.true("tank_c")[late])
    assert cold_k == pytest.approx(8.0, abs=1.5)
    assert (faulty.inputs.target_c == healthy.inputs.target_c).all()


def test_lost_expansion_tank_steepens_the_pressure(heater):
    """With 5 % of the expansion tank left, heating drives the pressure far up."""
    healthy, faulty, late = both(heater, Fault("expansion_tank", ONSET_S, 0.95))
    assert healthy.true("pressure_bar")[late].max() < 5.0
    assert faulty.true("pressure_bar")[late].max() > 8.0


def test_stuck_sensor_repeats_one_value_while_the_tank_moves(heater):
    """The reading stands still from the onset on; the water does not."""
    _, faulty, late = both(heater, Fault("stuck_sensor", ONSET_S))
    assert np.ptp(faulty.metrics["temperature_c"][10 * DAY :]) == 0.0
    assert np.ptp(faulty.true("tank_c")[late]) > 3.0


def test_broken_sensor_sends_fault_codes_now_and_then(heater):
    """Some readings, not many, are 888.8 or -999.9, each with the code E21."""
    _, faulty, late = both(heater, Fault("sensor_codes", ONSET_S))
    codes = np.isin(faulty.metrics["temperature_c"], (888.8, -999.9))
    assert set(faulty.metrics["temperature_c"][codes]) == {888.8, -999.9}
    assert 0.001 < codes[late].mean() < 0.02
    assert not codes[: 10 * DAY - 1].any()
    assert ((faulty.errors == SENSOR_ERROR) == codes).all()


def test_offline_is_a_gap_and_the_meter_goes_on(heater):
    """No row is sent while offline; the energy used meanwhile is on the meter after."""
    fault = Fault("offline", ONSET_S, 1.0, ONSET_S + 6 * 3600.0)
    one = heater(fault)
    frame = telemetry([(one, run_days(one, 12))])
    gap = frame["ts"].diff().max()
    assert gap == pd.Timedelta(hours=6, minutes=1)
    assert len(frame) == 12 * DAY - 360
    assert frame["energy_kwh"].iloc[-1] == pytest.approx(
        run_days(heater(), 12).metrics["energy_kwh"][-1]
    )


def test_repaired_fault_is_gone(heater):
    """After its end a fault leaves the tank as it would have been."""
    fault = Fault("element_open", START_S + 86_400.0, 1.0, START_S + 2 * 86_400.0)
    healthy, faulty = (run_days(heater(*f), 12) for f in ((), (fault,)))
    late = slice(11 * DAY, 12 * DAY)
    gap = healthy.true("mean_c")[late].mean() - faulty.true("mean_c")[late].mean()
    assert abs(gap) < 0.5


def test_command_ends_the_habits(heater):
    """After a command the target stays where it was commanded to."""
    one = heater(pattern="setback")
    state = one.at_rest(START_S)
    state.command(target_c=48.0, mode="eco")
    run = one.run(state, 60.0, 14 * DAY)
    assert run.changes == ()
    assert (run.metrics["target_temperature_c"] == 48.0).all()
    assert state.mode == "eco"


def test_unknown_fault_family_is_refused():
    """A family nobody has modelled cannot be put into a heater."""
    with pytest.raises(ValueError, match="gremlins"):
        Fault("gremlins", 0.0)


def test_heat_pump_uses_a_third_of_the_energy(heater):
    """The same household costs an electric heater at least twice a heat pump's."""
    pump = run_days(heater(tank=products.heat_pump(), mode="eco"), 20)
    plain = run_days(heater(), 20)
    assert pump.inputs.litres.sum() == plain.inputs.litres.sum()
    assert pump.true("energy_kwh")[-1] < plain.true("energy_kwh")[-1] / 2
