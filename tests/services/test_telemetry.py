"""The one door for readings."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from data.records import Device, quality_reasons
from services.errors import Forbidden, InvalidInput
from tests.conftest import ADMIN, NOW, OPERATOR, SYSTEM, Stores, readings

HOUR = timedelta(hours=1)


def stored(stores: Stores, device_id: str = "wh-1") -> pd.DataFrame:
    """Everything stored of a device."""
    return stores.lake.readings(device_id, NOW - timedelta(days=400), NOW + HOUR, 10**6)


@pytest.mark.parametrize("bulk", [False, True])
def test_receipt_accounts_for_every_row(
    stores: Stores, heater: Device, bulk: bool
) -> None:
    """Each row sent is taken, a duplicate or rejected with its place and reason."""
    frame = readings("wh-1", NOW - 100 * HOUR, 6000, temperature_c=50.0)
    frame.loc[3, "ts"] = frame.loc[2, "ts"]
    frame.loc[5, "device_id"] = "nobody"
    frame.loc[7, "ts"] = pd.NaT
    frame.loc[8, "temperature_c"] = np.inf
    frame.loc[9, "temperature_c"] = np.nan
    frame.loc[11, "ts"] = pd.Timestamp("2101-01-01")
    frame.loc[12, "ts"] = pd.Timestamp("1970-01-01")
    frame.loc[13, "device_id"] = "../../etc"
    take = stores.telemetry.accept_bulk if bulk else stores.telemetry.accept

    receipt = take(ADMIN, frame)

    why = {r.row: r.reason for r in receipt.rejected}
    assert receipt.read == 6000
    assert receipt.taken + receipt.duplicates + len(why) == 6000
    assert receipt.duplicates == 1
    assert why[5] == "device nobody is not registered"
    assert why[7] == "ts is missing or not a time"
    assert why[8] == "temperature_c is infinite"
    assert why[9] == "the row has no value"
    assert why[11] == "ts is more than 10 minutes in the future"
    assert why[12].startswith("ts is before")
    assert why[13].startswith("device_id '../../etc' is not")
    stores.flush()
    assert len(stored(stores)) == receipt.taken


def test_only_the_permitted_may_send(stores: Stores, heater: Device) -> None:
    """An operator's readings are refused and nothing is stored."""
    with pytest.raises(Forbidden, match="needs the role Admin"):
        stores.telemetry.accept(OPERATOR, readings("wh-1", NOW - HOUR, 5, power_w=1.0))

    assert len(stored(stores)) == 0


def test_unknown_columns_are_named(stores: Stores, heater: Device) -> None:
    """A frame with a column nobody knows is refused whole."""
    with pytest.raises(
        InvalidInput, match="unknown column colour; known are device_id"
    ):
        stores.telemetry.accept(SYSTEM, readings("wh-1", NOW - HOUR, 5, colour="red"))


def test_missing_columns_are_named(stores: Stores) -> None:
    """A frame without times or devices is refused whole."""
    with pytest.raises(InvalidInput, match="column device_id and ts is missing"):
        stores.telemetry.accept(SYSTEM, pd.DataFrame({"power_w": [1.0]}))


def test_inactive_devices_send_nothing(stores: Stores, heater: Device) -> None:
    """A deactivated device's readings are rejected with that reason."""
    stores.devices.set_life_cycle(ADMIN, "wh-1", "inactive")

    receipt = stores.telemetry.accept(
        SYSTEM, readings("wh-1", NOW - HOUR, 1, power_w=1.0)
    )

    assert [r.reason for r in receipt.rejected] == ["device wh-1 is inactive"]


def test_unknown_devices_are_registered_when_asked(stores: Stores) -> None:
    """An import registers new ids with the interval that their data shows."""
    frame = readings("loft", NOW - HOUR, 60, step_s=300, temperature_c=50.0)

    receipt = stores.telemetry.accept_bulk(SYSTEM, frame, register_unknown=True)

    device = stores.devices.get(ADMIN, "loft")
    assert receipt.taken == 12
    assert (device.name, device.reporting_interval_s) == ("loft", 300)
    assert device.simulated is False


def test_latest_keeps_the_newest_good_value_of_each_metric(
    stores: Stores, heater: Device
) -> None:
    """A later reading without a metric, or a bad one, leaves its last good value."""
    stores.telemetry.accept(
        SYSTEM, readings("wh-1", NOW - HOUR, 1, temperature_c=50.0, power_w=3000.0)
    )
    later = readings("wh-1", NOW - HOUR / 2, 1, temperature_c=888.8)
    stores.telemetry.accept(SYSTEM, later)

    latest = stores.metrics.latest(["wh-1"])["wh-1"]

    assert latest.ts == NOW - HOUR / 2
    assert latest.values["temperature_c"].value == 50.0
    assert latest.values["temperature_c"].ts == NOW - HOUR
    assert latest.values["power_w"].value == 3000.0
    assert latest.flagged["temperature_c"].value == 888.8
    assert quality_reasons(latest.quality) == {"temperature_c": ["fault_code"]}


def test_late_reading_does_not_become_the_latest(
    stores: Stores, heater: Device
) -> None:
    """What arrives late is stored, and the present stays what it was."""
    stores.telemetry.accept(SYSTEM, readings("wh-1", NOW - HOUR, 1, power_w=3000.0))
    stores.telemetry.accept(SYSTEM, readings("wh-1", NOW - 2 * HOUR, 1, power_w=1.0))

    latest = stores.metrics.latest(["wh-1"])["wh-1"]

    assert latest.values["power_w"].value == 3000.0
    assert latest.ts == NOW - HOUR
    assert len(stored(stores)) == 2


def test_bulk_and_single_readings_end_the_same(stores: Stores) -> None:
    """The same rows through both paths give the same stored readings and flags."""
    rng = np.random.default_rng(1)
    columns = {
        "temperature_c": np.round(50 + rng.normal(0, 1, 6000), 1),
        "power_w": np.where(np.arange(6000) % 50 < 10, 3000.0, 0.0),
        "energy_kwh": np.cumsum(np.full(6000, 0.01)),
    }
    columns["temperature_c"][100] = 120.0
    columns["temperature_c"][200] = 95.0
    columns["energy_kwh"][300] += 5_000
    for device_id in ("one", "all"):
        stores.add(Device(id=device_id, name=device_id))
    whole = readings("all", NOW - 100 * HOUR, 6000, **columns)
    stores.telemetry.accept_bulk(SYSTEM, whole)
    pieces = whole.assign(device_id="one")
    for start in range(0, 6000, 500):
        stores.telemetry.accept(SYSTEM, pieces.iloc[start : start + 500])
    stores.flush()

    one, together = stored(stores, "one"), stored(stores, "all")

    names = [n for n in one.columns if n not in {"device_id", "received_at"}]
    pd.testing.assert_frame_equal(one[names], together[names])
    assert (one["quality"] != 0).sum() == 3
