"""Which values are not to be trusted, and why."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from data.records import Device, quality_reasons
from tests.conftest import NOW, SYSTEM, Stores, readings

HOUR = timedelta(hours=1)


def reasons(stores: Stores) -> list[dict[str, list[str]]]:
    """What is flagged in each stored reading."""
    frame = stores.lake.readings("wh-1", NOW - 40 * HOUR, NOW + HOUR, 10**6)
    return [quality_reasons(int(quality)) for quality in frame["quality"]]


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("temperature_c", 888.8, "fault_code"),
        ("temperature_c", -999.9, "fault_code"),
        ("pressure_bar", -9999.0, "fault_code"),
        ("inlet_temperature_c", -127.0, "fault_code"),
        ("temperature_c", 140.0, "unit_doubt"),
        ("pressure_bar", 60.0, "unit_doubt"),
        ("temperature_c", 300.0, "range"),
        ("flow_lpm", -3.0, "range"),
        ("voltage_v", 5000.0, "range"),
    ],
)
def test_impossible_values_are_flagged(
    stores: Stores, heater: Device, column: str, value: float, reason: str
) -> None:
    """A value no tank can have is stored and flagged with what it probably is."""
    frame = readings("wh-1", NOW - HOUR, 1, **{column: value})
    receipt = stores.telemetry.accept(SYSTEM, frame)

    assert receipt.flagged == 1
    assert reasons(stores) == [{column: [reason]}]


def test_possible_values_that_look_like_codes_are_kept(
    stores: Stores, heater: Device
) -> None:
    """888.8 W, or a meter at 999.9 kWh, is a reading like any other."""
    stores.telemetry.accept(
        SYSTEM, readings("wh-1", NOW - HOUR, 1, power_w=888.8, energy_kwh=999.9)
    )

    assert reasons(stores) == [{}]


@pytest.mark.parametrize("size", [1, 3, 50])
def test_spike_loses_one_reading_and_a_real_change_too(
    stores: Stores, heater: Device, size: int
) -> None:
    """One far value is flagged; a second that agrees with it is believed."""
    frame = readings("wh-1", NOW - HOUR, 8)
    frame["temperature_c"] = [50.0, 50.1, 95.0, 50.2, 50.3, 20.0, 20.1, 20.2]
    for start in range(0, 8, size):
        stores.telemetry.accept(SYSTEM, frame.iloc[start : start + size])

    flagged = [i for i, found in enumerate(reasons(stores)) if found]

    assert flagged == [2, 5]
    assert reasons(stores)[2] == {"temperature_c": ["spike"]}


def test_meter_spike_does_not_reach_the_totals(stores: Stores, heater: Device) -> None:
    """A meter that jumps for one reading adds nothing to the energy used."""
    frame = readings("wh-1", NOW - HOUR, 5)
    frame["energy_kwh"] = [10.0, 10.1, 9_000.0, 10.2, 10.3]
    stores.telemetry.accept(SYSTEM, frame)

    usage = stores.metrics.usage([heater], NOW - 2 * HOUR, NOW)["wh-1"]

    assert usage.energy_kwh == pytest.approx(0.3)


@pytest.mark.parametrize("size", [60, 900])
def test_stuck_sensor_is_flagged_after_an_hour_of_heating(
    stores: Stores, heater: Device, size: int
) -> None:
    """Six hours without a change, one of them heating, is a stuck sensor."""
    frame = readings("wh-1", NOW - 12 * HOUR, 700, temperature_c=55.0)
    frame["heating"] = np.arange(700) % 60 < 20
    for start in range(0, 700, size):
        stores.telemetry.accept(SYSTEM, frame.iloc[start : start + size])

    flagged = [i for i, found in enumerate(reasons(stores)) if found]

    assert flagged == list(range(360, 700))


def test_resting_tank_is_not_stuck(stores: Stores, heater: Device) -> None:
    """A tank that nobody heats may show the same value for half a day."""
    frame = readings("wh-1", NOW - 12 * HOUR, 700, temperature_c=20.0, power_w=0.0)
    stores.telemetry.accept(SYSTEM, frame)

    assert not any(reasons(stores))


def test_clock_ahead_is_flagged(stores: Stores, heater: Device) -> None:
    """A reading from five minutes ahead is stored and not trusted."""
    frame = readings("wh-1", NOW + timedelta(minutes=5), 1, temperature_c=50.0)
    stores.telemetry.accept(SYSTEM, frame)

    assert reasons(stores) == [{"temperature_c": ["clock"]}]
