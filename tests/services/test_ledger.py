"""The ledger of Legionella and scald against sums done by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pytest

from data.records import Device
from services.errors import Forbidden, InvalidInput, NotFound
from services.ledger import Ledger
from services.ledger_now import (
    litres_at_40,
    minutes_to,
    recovery_minutes,
    usable_litres,
)
from services.ledger_sums import degree_hours, in_band_hours, share_above
from services.ledger_verdict import judged
from tests.conftest import NOW, SYSTEM, VIEWER, Stores, readings

ELECTRIC = Device(
    id="e", name="E", type="electric", capacity_l=200, rated_power_w=3000.0
)


@pytest.fixture
def ledger(stores: Stores) -> Ledger:
    """The service on real stores."""
    return Ledger(stores.devices, stores.metrics, stores.lake, stores.clock)


def fed(
    stores: Stores,
    device: Device,
    start: datetime,
    hours: float,
    temperature_c: float,
    flow_lpm: float = 0.0,
    **more: object,
) -> None:
    """Minutely readings around one temperature, in tenths so that none is stuck."""
    minutes = round(hours * 60)
    frame = readings(device.id, start, minutes, flow_lpm=flow_lpm, **more)
    frame["temperature_c"] = temperature_c + np.tile([0.0, 0.1, 0.2], minutes)[:minutes]
    stores.telemetry.accept(SYSTEM, frame)


def test_hours_and_degree_hours_by_hand() -> None:
    """Two hours at 30 °C and one at 45 °C are 3 h and 2·5 + 1·20 = 30 K·h."""
    seconds = np.array([7200.0, 3600.0, 3600.0, 3600.0])
    means = np.array([30.0, 45.0, 45.1, np.nan])

    assert in_band_hours(seconds, means) == pytest.approx(3.0)
    assert degree_hours(seconds, means) == pytest.approx(30.0)
    assert share_above(seconds, means, 45.1) == pytest.approx(0.2)
    assert share_above(np.array([]), np.array([]), 60.0) is None


def test_litres_and_minutes_by_hand() -> None:
    """200 L at 60 °C with inlet 10 °C are 333 L at 40 °C; 30 K at 3 kW take 140 min."""
    assert litres_at_40(200, 60, 10) == pytest.approx(200 * 50 / 30)
    assert litres_at_40(200, 40, 10) == pytest.approx(200)
    assert litres_at_40(200, 39.9, 10) == 0
    assert minutes_to(200, 30, 60, 3000) == pytest.approx(200 * 4186 * 30 / 3000 / 60)
    assert minutes_to(200, 61, 60, 3000) == 0


def test_what_cannot_be_told_says_why() -> None:
    """Without capacity, inlet, temperature or a known heat there is no number."""
    bare = replace(ELECTRIC, capacity_l=None)
    pump = replace(ELECTRIC, type="heat_pump")

    assert "capacity" in usable_litres(bare, 60, 10).why
    assert "inlet" in usable_litres(ELECTRIC, 60, None).why
    assert "40 °C" in usable_litres(ELECTRIC, 60, 40).why
    assert "tank temperature" in usable_litres(ELECTRIC, None, 10).why
    assert "while it heats" in recovery_minutes(pump, 40, 60, None).why
    assert recovery_minutes(pump, 40, 60, 500).bound == "at most"
    assert recovery_minutes(replace(pump, type="gas"), 40, 60, 9e3).bound == "at least"
    assert (
        "rated"
        in recovery_minutes(replace(ELECTRIC, rated_power_w=None), 40, 60, 500).why
    )
    assert recovery_minutes(ELECTRIC, 40, 60, None).bound == "about"


def test_a_day_in_the_band_is_counted(
    ledger: Ledger, stores: Stores, heater: Device
) -> None:
    """Ten hours at 35.1 °C and two at 61.1 °C: hours, degree-hours, shares, heat."""
    start = NOW - timedelta(hours=12)
    fed(stores, heater, start, 10, 35.0)
    fed(stores, heater, start + timedelta(hours=10), 2, 61.0)
    span = ledger.of(VIEWER, heater.id).spans[0]

    assert span.counted_h == pytest.approx(12, abs=0.05)
    assert span.covered == pytest.approx(12 / 168, abs=0.002)
    assert span.in_band_h == pytest.approx(10, abs=0.05)
    assert span.degree_hours == pytest.approx(101, abs=0.6)
    assert span.hot_60 == pytest.approx(2 / 12, abs=0.005)
    assert span.highest_c == pytest.approx(61.2)


def test_flagged_values_and_gaps_count_nowhere(
    ledger: Ledger, stores: Stores, heater: Device
) -> None:
    """A fault code is no highest value, and an hour of silence is not counted."""
    start = NOW - timedelta(hours=4)
    fed(stores, heater, start, 1, 35.0)
    fed(stores, heater, start + timedelta(hours=2), 1, 888.8)
    fed(stores, heater, start + timedelta(hours=3), 1, 35.0)
    span = ledger.span(VIEWER, heater.id, start, NOW)

    assert span.in_band_h == pytest.approx(2, abs=0.05)
    assert span.covered == pytest.approx(0.5, abs=0.02)
    assert span.highest_c == pytest.approx(35.2)


@pytest.mark.parametrize(
    ("hours", "gap_minutes", "seen"),
    [(1.25, 0, True), (0.75, 0, False), (1.25, 10, False)],
)
def test_a_hot_hour_is_whole_and_without_a_gap(
    ledger: Ledger,
    stores: Stores,
    heater: Device,
    hours: float,
    gap_minutes: int,
    seen: bool,
) -> None:
    """An hour at 61 °C counts with its end; 45 minutes or a gap inside do not."""
    start = NOW - timedelta(hours=30)
    fed(stores, heater, start, 1, 50.0)
    middle = start + timedelta(hours=1)
    half = middle + timedelta(hours=hours / 2)
    fed(stores, heater, middle, hours / 2 - gap_minutes / 60, 61.0)
    fed(stores, heater, half, hours / 2, 61.0)
    fed(stores, heater, middle + timedelta(hours=hours), 1, 50.0)
    found = ledger.of(VIEWER, heater.id).hot_hour_at

    assert (found is not None) == seen
    if found is not None:
        assert abs(found - (middle + timedelta(hours=hours))) <= timedelta(minutes=2)


@pytest.mark.parametrize(("minutes", "seen"), [(61, True), (57, False)])
def test_an_hour_that_begins_inside_a_quarter_is_found(
    ledger: Ledger, stores: Stores, heater: Device, minutes: int, seen: bool
) -> None:
    """A pasteurising cycle ends after an hour, at no quarter; shorter ones do not."""
    start = NOW - timedelta(minutes=187)
    fed(stores, heater, start, 1, 50.0)
    hot = start + timedelta(hours=1)
    fed(stores, heater, hot, minutes / 60, 62.0)
    fed(stores, heater, hot + timedelta(minutes=minutes), 0.5, 50.0)
    found = ledger.of(VIEWER, heater.id).hot_hour_at

    assert (found is not None) == seen
    if found is not None:
        assert abs(found - hot - timedelta(minutes=60)) <= timedelta(minutes=2)


def test_an_old_hot_hour_is_found_and_none_is_never(
    ledger: Ledger, stores: Stores, heater: Device
) -> None:
    """The whole stored history is looked through, also in the lake."""
    fed(stores, heater, NOW - timedelta(hours=1), 1, 50.0)
    assert ledger.of(VIEWER, heater.id).hot_hour_at is None

    old = NOW - timedelta(days=45)
    fed(stores, heater, old, 2, 62.0)
    stores.flush()
    stores.clock.forward(minutes=11)  # what is older is looked up now and then
    found = ledger.of(VIEWER, heater.id).hot_hour_at
    assert found == old + timedelta(minutes=119)


def test_stagnation_is_the_longest_and_the_present_span(
    ledger: Ledger, stores: Stores, heater: Device
) -> None:
    """Three still hours, a draw, one still hour: longest 3 h, present 1 h."""
    start = NOW - timedelta(hours=5)
    fed(stores, heater, start, 3, 55.0)
    fed(stores, heater, start + timedelta(hours=3), 1, 54.0, flow_lpm=6.0)
    fed(stores, heater, start + timedelta(hours=4), 1, 55.0)
    view = ledger.of(VIEWER, heater.id)

    assert view.spans[0].still_longest_s == pytest.approx(3 * 3600, abs=120)
    assert view.spans[0].still_open
    assert view.still_s == pytest.approx(3600, abs=120)


def test_a_heater_without_flow_meter_tells_no_stagnation(
    ledger: Ledger, stores: Stores, heater: Device
) -> None:
    """No flow reading is not zero flow."""
    frame = readings(heater.id, NOW - timedelta(minutes=30), 30, power_w=0.0)
    frame["temperature_c"] = 50 + np.arange(30) / 10
    stores.telemetry.accept(SYSTEM, frame)
    view = ledger.of(VIEWER, heater.id)

    assert view.still_s is None
    assert view.spans[0].still_longest_s is None


def test_usable_water_takes_the_coldest_inlet_of_the_day(
    ledger: Ledger, stores: Stores, heater: Device
) -> None:
    """The pipe warms up at rest: the lowest quarter's mean is the inlet."""
    start = NOW - timedelta(hours=2)
    fed(stores, heater, start, 1, 60.0, inlet_temperature_c=10.0)
    fed(
        stores, heater, start + timedelta(hours=1), 1, 60.0,
        inlet_temperature_c=21.0, target_temperature_c=65.0,
    )  # fmt: skip
    view = ledger.of(VIEWER, heater.id)

    assert view.inlet_c == pytest.approx(10.0)
    tank_c = view.temperature_c
    assert tank_c == pytest.approx(60.2)
    assert view.usable.value == pytest.approx(litres_at_40(200, 60.2, 10))
    assert view.recovery.value == pytest.approx(minutes_to(200, 60.2, 65, 3000))


def test_the_verdict_names_what_to_look_at(
    ledger: Ledger, stores: Stores, heater: Device
) -> None:
    """Growth, cool water, stagnation and heat without a valve each have a reason."""
    empty = ledger.of(VIEWER, heater.id)
    assert (empty.verdict, empty.reasons[0].code) == ("cannot tell", "few")
    week = replace(
        empty.spans[0], covered=1.0, in_band_h=30.0, below_50_h=40.0, hot_60=0.2
    )
    verdict, reasons = judged(heater, week, None, 8 * 86_400.0, NOW)
    assert verdict == "look"
    assert [r.code for r in reasons] == ["growth", "cool", "still", "scald"]

    mild = replace(week, in_band_h=1.0)
    valve = replace(heater, mixing_valve=True)
    assert judged(valve, mild, NOW - timedelta(days=2), 60.0, NOW) == ("fine", ())
    assert judged(replace(heater, type="tankless"), mild, None, None, NOW)[0] == (
        "cannot tell"
    )


def test_who_may_ask_and_for_what(ledger: Ledger, heater: Device) -> None:
    """A device's secret opens nothing, an empty range and a stranger are named."""
    with pytest.raises(Forbidden):
        ledger.of(replace(VIEWER, device_id="x"), heater.id)
    with pytest.raises(NotFound):
        ledger.of(VIEWER, "nobody")
    with pytest.raises(InvalidInput):
        ledger.span(VIEWER, heater.id, NOW, NOW)
