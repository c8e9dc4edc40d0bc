"""The lake and the hot table answer as one."""

from __future__ import annotations

from datetime import timedelta

import pytest

from data.records import Device
from tests.conftest import NOW, SYSTEM, Stores, readings

DAY = timedelta(days=1)


def fold(stores: Stores, bucket_s: int = 900, device_id: str = "wh-1"):
    """Everything of one device in buckets."""
    return stores.lake.folded({device_id: 180.0}, NOW - 3 * DAY, NOW + DAY, bucket_s)


@pytest.mark.parametrize("bucket_s", [120, 900, 3600, 86_400])
def test_folding_is_the_same_before_and_after_the_flush(
    stores: Stores, heater: Device, bucket_s: int
) -> None:
    """Every column of every bucket is equal from hot rows and from the lake."""
    frame = readings("wh-1", NOW - timedelta(hours=5), 300, temperature_c=50.0)
    frame["energy_kwh"] = [i * 0.05 for i in range(300)]
    frame["power_w"] = [3000.0 if i % 40 < 10 else 0.0 for i in range(300)]
    frame["flow_lpm"] = [6.0 if i % 55 == 0 else 0.0 for i in range(300)]
    frame["temperature_c"] = [50 + (i % 37) * 0.1 for i in range(300)]
    frame["target_temperature_c"] = 56.0
    stores.telemetry.accept(SYSTEM, frame)
    hot = fold(stores, bucket_s)

    assert stores.flush() == 300
    cold = fold(stores, bucket_s)

    assert int(hot["n"].sum()) == 300
    for name in hot.columns:
        if hot[name].dtype.kind == "f":
            assert cold[name].to_list() == pytest.approx(
                hot[name].to_list(), nan_ok=True
            ), name
        else:
            assert cold[name].to_list() == hot[name].to_list(), name


def test_totals_match_arithmetic(stores: Stores, heater: Device) -> None:
    """Energy, litres, heating time and cycles equal the sums done by hand."""
    frame = readings("wh-1", NOW - timedelta(hours=2), 120)
    frame["heating"] = [i % 30 < 10 for i in range(120)]
    frame["power_w"] = [3000.0 if h else 0.0 for h in frame["heating"]]
    frame["flow_lpm"] = [5.0 if i in (50, 51) else 0.0 for i in range(120)]
    stores.telemetry.accept(SYSTEM, frame)
    stores.flush()

    total = fold(stores).sum(numeric_only=True)

    assert total["covered_s"] == 119 * 60
    assert total["starts"] == 3
    assert total["heating_s"] == (40 - 1) * 60
    assert total["power_kwh"] == pytest.approx(3.0 * (40 - 1) / 60)
    assert total["volume_l"] == pytest.approx(10.0)


def test_late_row_recomputes_its_bucket(stores: Stores, heater: Device) -> None:
    """A reading that comes hours late ends in the roll-up as if it had been in time."""
    frame = readings("wh-1", NOW - timedelta(hours=5), 300, temperature_c=50.0)
    late = frame.iloc[[100, 101]].assign(temperature_c=61.5)
    stores.telemetry.accept(SYSTEM, frame.drop(index=[100, 101]))
    stores.flush()
    assert fold(stores, 3600)["temperature_c_max"].max() == 50.0

    stores.telemetry.accept(SYSTEM, late)
    before = fold(stores, 3600)
    stores.flush()
    after = fold(stores, 3600)

    assert before["n"].to_list() == after["n"].to_list()
    assert after["temperature_c_max"].max() == 61.5
    assert int(after["n"].sum()) == 300
    assert after["covered_s"].sum() == 299 * 60


def test_redelivery_after_the_flush_counts_once(stores: Stores, heater: Device) -> None:
    """The same readings sent again after they went to the lake change nothing."""
    frame = readings("wh-1", NOW - timedelta(hours=1), 60, temperature_c=50.0)
    stores.telemetry.accept(SYSTEM, frame)
    stores.flush()
    stores.clock.forward(minutes=30)
    stores.flush()

    stores.telemetry.accept(SYSTEM, frame)

    assert int(fold(stores)["n"].sum()) == 60
    stores.flush()
    assert int(fold(stores)["n"].sum()) == 60
    assert len(stores.lake.readings("wh-1", NOW - DAY, NOW, 1000)) == 60


def test_step_over_a_gap_is_not_covered(stores: Stores, heater: Device) -> None:
    """Time without readings is neither uptime nor heating; the meter still counts."""
    one = readings("wh-1", NOW - timedelta(hours=4), 60, power_w=3000.0)
    two = readings("wh-1", NOW - timedelta(hours=1), 60, power_w=3000.0)
    one["energy_kwh"] = 10.0
    two["energy_kwh"] = 16.0
    stores.telemetry.accept(SYSTEM, one)
    stores.telemetry.accept(SYSTEM, two)
    stores.flush()

    total = fold(stores).sum(numeric_only=True)

    assert total["covered_s"] == 2 * 59 * 60
    assert total["meter_kwh"] == pytest.approx(6.0)


def test_meter_jitter_counts_nothing(stores: Stores, heater: Device) -> None:
    """A meter that falls by its last digit has not been reset."""
    frame = readings("wh-1", NOW - timedelta(hours=1), 4)
    frame["energy_kwh"] = [5000.0, 4999.999, 5000.0, 5000.5]
    stores.telemetry.accept(SYSTEM, frame)

    assert fold(stores)["meter_kwh"].sum() == pytest.approx(0.501)


def test_meter_reset_counts_from_zero(stores: Stores, heater: Device) -> None:
    """A meter that falls below half was reset: what it shows was used since then."""
    frame = readings("wh-1", NOW - timedelta(hours=1), 4)
    frame["energy_kwh"] = [100.0, 101.0, 0.5, 1.0]
    stores.telemetry.accept(SYSTEM, frame)

    assert fold(stores)["meter_kwh"].sum() == pytest.approx(2.0)
