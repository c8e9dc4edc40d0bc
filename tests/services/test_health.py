"""The health score: every rule, its exact sum, and what must never count."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest

from data.records import Band, Device
from services.health import Health, HealthView
from services.health_rules import RULES, table
from services.units import Preferences
from tests.conftest import NOW, SYSTEM, Stores, readings

DAY = timedelta(hours=24)
BANDS = {
    "temperature_c": Band(0, 90, 45, 67, 35, 73),
    "pressure_bar": Band(0, 10, 2.4, 5.5, 1.0, 8.0),
    "voltage_v": Band(184, 276, 207, 253, 195.5, 264.5),
}


@pytest.fixture
def health(stores: Stores) -> Health:
    """The service under test on real stores."""
    return Health(stores.metrics, stores.clock)


def device(**changes: object) -> Device:
    """An electric heater with bands."""
    base = Device(id="wh-1", name="A", type="electric", rated_power_w=3000, bands=BANDS)
    return replace(base, **changes)


def day(device_id: str = "wh-1", **columns: object) -> pd.DataFrame:
    """A quiet day of readings every minute, up to now; columns may be changed."""
    plain: dict[str, object] = {
        "temperature_c": 55.0,
        "target_temperature_c": 55.0,
        "pressure_bar": 3.5,
        "flow_lpm": 0.0,
        "power_w": 0.0,
        "voltage_v": 230.0,
        "heating": False,
        "mode": "electric",
    } | columns
    start = NOW - DAY + timedelta(minutes=1)
    kept = {name: value for name, value in plain.items() if value is not None}
    return readings(device_id, start, 24 * 60, **kept)


def judged(
    stores: Stores, health: Health, one: Device, *frames: pd.DataFrame
) -> HealthView:
    """The view of a device that has sent these frames."""
    stores.add(one)
    for frame in frames:
        stores.telemetry.accept(SYSTEM, frame)
    return health.of([one])[one.id]


def codes(view: HealthView) -> list[str]:
    """The rules that took points."""
    return [reason.code for reason in view.reasons]


def heated(power_w: float, voltage_v: float) -> dict[str, object]:
    """Columns of a day that heats for the first ten minutes of each hour."""
    on = [minute % 60 < 10 for minute in range(24 * 60)]
    return {
        "heating": on,
        "power_w": [power_w if h else 0.0 for h in on],
        "voltage_v": voltage_v,
        # A sensor that never moves while heating would be flagged as stuck.
        "temperature_c": [55.0 + minute % 3 / 10 for minute in range(24 * 60)],
    }


def test_idle_tank_at_target_scores_100(stores: Stores, health: Health) -> None:
    """A day without a draw or heating costs no point."""
    view = judged(stores, health, device(), day())
    assert view == HealthView(100, "fine", ())
    assert view.severity is None


def test_silent_device_cannot_be_told(stores: Stores, health: Health) -> None:
    """A device that never reported has no score and no points, but a sentence."""
    view = judged(stores, health, device())
    assert (view.score, view.verdict) == (None, "cannot tell")
    assert [(r.points, r.sentence) for r in view.reasons] == [
        (0, "The heater has never reported.")
    ]


def test_one_reading_cannot_be_told(stores: Stores, health: Health) -> None:
    """One good reading does not show that a heater is well."""
    view = judged(stores, health, device(), day().tail(1))
    assert (view.score, view.verdict) == (None, "cannot tell")


def test_one_alarming_reading_is_looked_at(stores: Stores, health: Health) -> None:
    """A limit that is passed counts from the first reading on."""
    view = judged(stores, health, device(), day(temperature_c=80.0).tail(1))
    assert view.verdict == "look"
    assert view.severity == "critical"
    assert "temperature_alarm_high" in codes(view)


def test_device_without_temperature_cannot_be_told(
    stores: Stores, health: Health
) -> None:
    """A column that is missing is no fault and no proof of health."""
    view = judged(stores, health, device(), day(temperature_c=None))
    assert (view.score, view.verdict) == (None, "cannot tell")
    assert "tank temperature" in view.reasons[0].sentence


def test_only_flagged_readings_are_a_reason(stores: Stores, health: Health) -> None:
    """A sensor that says 888.8 all day is looked at for its readings."""
    view = judged(stores, health, device(), day(temperature_c=888.8))
    assert codes(view) == ["flagged"]
    assert view.score == 75
    assert "1440 of 1440" in view.reasons[0].sentence


@pytest.mark.parametrize(
    ("columns", "code", "severity"),
    [
        ({"temperature_c": 74.0}, "temperature_alarm_high", "critical"),
        ({"pressure_bar": 8.4}, "pressure_alarm_high", "critical"),
        ({"pressure_bar": 0.6}, "pressure_alarm_low", "high"),
        ({"pressure_bar": 6.0}, "pressure_normal_high", "medium"),
        ({"voltage_v": 268.0}, "voltage_alarm_high", "medium"),
        ({"voltage_v": 256.0}, "voltage_normal_high", "low"),
        ({"error_code": "E10"}, "error_code", "high"),
    ],
)
def test_rule_fires_alone(
    stores: Stores, health: Health, columns: dict, code: str, severity: str
) -> None:
    """Each limit takes its own points once, and they sum to what is missing."""
    view = judged(stores, health, device(), day(**columns))
    assert codes(view) == [code]
    assert view.severity == severity
    assert view.score == 100 - view.reasons[0].points
    assert view.verdict == ("fine" if severity == "low" else "look")


def test_error_code_that_went_away_is_forgotten(stores: Stores, health: Health) -> None:
    """A code counts only while the newest reading carries it."""
    before, after = day(error_code="E10").iloc[:-5], day().iloc[-5:]
    assert judged(stores, health, device(), before, after).score == 100


def test_cold_tank_costs_points_by_time(stores: Stores, health: Health) -> None:
    """The share of kept time decides between two rules and their points."""
    # 288 of 1440 minutes are more than 5 K too cold: kept for 80 %.
    cold = [44.0] * 288 + [55.0] * 1152
    view = judged(stores, health, device(bands={}), day(temperature_c=cold))
    assert codes(view) == ["partly_kept"]
    assert "80%" in view.reasons[0].sentence
    assert view.reasons[0].points == 6
    other = device(id="wh-2", bands={})
    always = judged(stores, health, other, day("wh-2", temperature_c=40.0))
    assert set(codes(always)) == {"not_kept", "legionella"}
    assert always.score == 100 - 40 - 10


def test_heater_in_mode_off_may_be_cold(stores: Stores, health: Health) -> None:
    """Mode off costs nothing, however cold the tank."""
    view = judged(stores, health, device(), day(temperature_c=20.0, mode="off"))
    assert view == HealthView(100, "fine", ())


def test_legionella_needs_nearly_a_day(stores: Stores, health: Health) -> None:
    """Half a day below 50 °C says nothing about growth."""
    lukewarm = day(temperature_c=48.0, target_temperature_c=48.0)
    view = judged(stores, health, device(), lukewarm.tail(12 * 60))
    assert codes(view) == []
    other = device(id="wh-2")
    whole = lukewarm.assign(device_id="wh-2")
    assert codes(judged(stores, health, other, whole)) == ["legionella"]


def test_weak_element_is_judged_at_nominal_voltage(
    stores: Stores, health: Health
) -> None:
    """2430 W of 3000 W is weak at 230 V and right at 207 V."""
    view = judged(stores, health, device(), day(**heated(2430.0, 230.0)))
    assert codes(view) == ["weak_heating"]
    assert "2430 W at nominal voltage, 81% of its rated 3000 W" in (
        view.reasons[0].sentence
    )
    other = device(id="wh-2")
    low = day("wh-2", **heated(2430.0, 207.0))
    assert judged(stores, health, other, low).score == 100


def test_weak_element_without_voltage_gets_more_room(
    stores: Stores, health: Health
) -> None:
    """Without a voltage the power of a healthy heater on low mains passes."""
    columns = heated(2430.0, 230.0) | {"voltage_v": None}
    assert judged(stores, health, device(), day(**columns)).score == 100


def test_missing_power_is_no_weak_element(stores: Stores, health: Health) -> None:
    """Hours in which half of the readings lack power are not judged."""
    columns = heated(3000.0, 230.0)
    columns["power_w"] = [
        None if i % 2 else p
        for i, p in enumerate(columns["power_w"])  # type: ignore[arg-type]
    ]
    assert judged(stores, health, device(), day(**columns)).score == 100


def test_heat_pump_is_not_judged_by_rated_power(stores: Stores, health: Health) -> None:
    """A compressor draws what the weather asks for."""
    pump = device(type="heat_pump")
    assert judged(stores, health, pump, day(**heated(600.0, 230.0))).score == 100


def test_scalding_needs_a_recorded_missing_valve(
    stores: Stores, health: Health
) -> None:
    """Unknown mixing valve is not a missing one."""
    hot = {"temperature_c": 62.0, "target_temperature_c": 62.0}
    known = judged(stores, health, device(mixing_valve=False), day(**hot))
    assert codes(known) == ["scald"]
    other = device(id="wh-2", mixing_valve=None)
    assert judged(stores, health, other, day("wh-2", **hot)).score == 100


def test_late_and_offline_count_with_evidence(stores: Stores, health: Health) -> None:
    """A gap of the connection costs points on top of a judged day."""
    stores.clock.forward(minutes=5)
    late = judged(stores, health, device(), day())
    assert (codes(late), late.verdict, late.score) == (["late"], "fine", 95)
    stores.clock.forward(minutes=30)
    offline = health.of([device()])["wh-1"]
    assert (codes(offline), offline.verdict) == (["offline"], "look")
    stores.clock.forward(days=2)
    gone = health.of([device()])["wh-1"]
    assert (gone.score, gone.verdict) == (None, "cannot tell")
    assert "no reading of the last 24 h" in gone.reasons[0].sentence
    assert "2 d old" in gone.reasons[0].sentence


def test_inactive_device_is_not_judged(stores: Stores, health: Health) -> None:
    """An inactive heater cannot be told, whatever it sent before."""
    stores.add(device())
    stores.telemetry.accept(SYSTEM, day(temperature_c=80.0))
    view = health.of([device(life_cycle="inactive")])["wh-1"]
    assert (view.score, view.verdict) == (None, "cannot tell")


def test_points_never_sum_to_more_than_100(stores: Stores, health: Health) -> None:
    """Many faults together end at 0, and the points still add up."""
    columns = heated(0.0, 268.0) | {
        "temperature_c": [80.0 + minute % 3 / 10 for minute in range(24 * 60)],
        "target_temperature_c": 90.0,
        "pressure_bar": 9.0,
        "error_code": "E1",
    }
    view = judged(stores, health, device(), day(**columns))
    assert view.score == 0
    assert sum(r.points for r in view.reasons) == 100
    assert [r.severity for r in view.reasons] == sorted(
        (r.severity for r in view.reasons),
        key=("critical", "high", "medium", "low").index,
    )


def test_many_devices_are_judged_apart(stores: Stores, health: Health) -> None:
    """One call judges each device by its own readings, in the lake or hot."""
    many = [device(id=f"wh-{i}") for i in range(4)]
    stores.add(*many)
    stores.telemetry.accept(SYSTEM, day("wh-1"))
    stores.telemetry.accept(SYSTEM, day("wh-2", pressure_bar=9.0))
    stores.flush()
    stores.telemetry.accept(SYSTEM, day("wh-3", voltage_v=256.0))
    found = health.of(many)
    assert {i: v.score for i, v in found.items()} == {
        "wh-0": None, "wh-1": 100, "wh-2": 55, "wh-3": 95,
    }  # fmt: skip


def test_sentence_follows_the_readers_units(stores: Stores, health: Health) -> None:
    """The limits in a sentence are told in °F to who reads °F."""
    view = judged(stores, health, device(), day(temperature_c=74.0))
    reason = view.reasons[0]
    assert "73.0 °C" in reason.sentence
    assert "163.4 °F" in reason.told(Preferences(temperature_unit="F"))
    assert "°C" not in reason.told(Preferences(temperature_unit="F"))


def test_rules_are_unique_and_documented() -> None:
    """The table in the documentation is the one the code makes."""
    assert len({rule.code for rule in RULES}) == len(RULES)
    page = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text()
    found = re.search(
        r"<!-- health rules: begin -->\n(.*)<!-- health rules: end -->", page, re.S
    )
    assert found is not None
    assert found[1].strip() == table().strip()
