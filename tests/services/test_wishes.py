"""What may be wished: kinds of values, a device's limits, and the safety rules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from math import inf, nan

import pytest

from data.records import Device
from services.errors import InvalidInput
from services.wishes import Ruling, clean, end_of, judge, limits, over, told
from tests.conftest import NOW

PLAIN = Device(
    id="wh-1", name="Boiler", modes=("off", "eco"), setpoint_min_c=40, setpoint_max_c=65
)
VALVE = Device(
    id="wh-2", name="Plant", setpoint_min_c=40, setpoint_max_c=70, mixing_valve=True
)
SOON = (NOW + timedelta(hours=2)).isoformat()


@pytest.mark.parametrize(
    ("key", "value", "stored"),
    [
        ("target_temperature_c", 52, 52.0),
        ("target_temperature_c", 52.044, 52.04),
        ("target_temperature_c", 52.066, 52.07),
        ("mode", "eco", "eco"),
        ("power", False, False),
        ("power", True, True),
        ("away_until", False, False),
        ("boost_until", SOON, SOON),
        ("boost_until", SOON.replace("+00:00", "Z"), SOON),
        ("boost_until", "2026-03-10T15:30:00.75+01:00", "2026-03-10T14:30:00+00:00"),
        ("away_until", NOW + timedelta(days=3), "2026-03-13T12:00:00+00:00"),
        ("away_until", None, None),
        ("target_temperature_c", None, None),
    ],
)
def test_a_wish_is_stored_in_one_form(key: str, value: object, stored: object):
    """Numbers have a hundredth of a degree, times are UTC seconds, null stays null."""
    (kept,) = clean({key: value}, NOW).values()
    assert kept == stored
    assert type(kept) is type(stored)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("target_temperature_c", True),
        ("target_temperature_c", "52"),
        ("target_temperature_c", nan),
        ("target_temperature_c", inf),
        ("target_temperature_c", -inf),
        ("target_temperature_c", 10**400),
        ("target_temperature_c", -(10**400)),
        ("target_temperature_c", 1e308),
        ("target_temperature_c", [52]),
        ("mode", "warm"),
        ("mode", 1),
        ("mode", ["eco"]),
        ("mode", {"eco": 1}),
        ("power", 1),
        ("power", "on"),
        ("away_until", True),
        ("away_until", 0),
        ("away_until", ""),
        ("away_until", "soon"),
        ("away_until", "2026-03-11T12:00:00"),
        ("away_until", NOW.replace(tzinfo=None)),
        ("away_until", "0001-01-01T00:00:00+14:00"),
        ("away_until", "9999-12-31T23:59:59-14:00"),
        ("firmware", "2.0"),
        ("", 1),
        (7, 1),
        ("x" * 5000, 1),
    ],
)
def test_what_is_no_wish_is_refused_in_words(key: str, value: object):
    """Wrong kinds, NaN, giant numbers and unknown keys are invalid, never a crash."""
    with pytest.raises(InvalidInput) as refused:
        clean({key: value}, NOW)
    assert len(str(refused.value)) < 250


def test_nothing_wished_is_no_wish():
    """An empty wish is refused."""
    with pytest.raises(InvalidInput, match="Nothing is wished"):
        clean({}, NOW)


@pytest.mark.parametrize(
    ("key", "longest"),
    [
        ("away_until", timedelta(days=400)),
        ("boost_until", timedelta(hours=24)),
        ("pasteurise_until", timedelta(hours=12)),
    ],
)
def test_a_state_that_ends_by_itself_ends_within_its_range(
    key: str, longest: timedelta
):
    """Each key's end lies five minutes ahead at least, and its longest at most."""
    for ahead in (timedelta(minutes=5), longest):
        assert clean({key: NOW + ahead}, NOW)[key] == (NOW + ahead).isoformat()
    for ahead in (timedelta(minutes=4, seconds=59), longest + timedelta(seconds=1)):
        with pytest.raises(InvalidInput, match=f"{key} must lie"):
            clean({key: NOW + ahead}, NOW)


@pytest.mark.parametrize(
    ("device", "target_c", "refused", "ask"),
    [
        (PLAIN, 39.9, "takes 40 to 65", False),
        (PLAIN, 40.0, "", False),
        (PLAIN, 54.0, "", False),
        (PLAIN, 54.1, "", True),
        (PLAIN, 60.0, "", True),
        (PLAIN, 60.1, "mixing valve", False),
        (PLAIN, 65.1, "takes 40 to 65", False),
        (VALVE, 60.1, "", True),
        (VALVE, 70.0, "", True),
        (VALVE, 70.1, "takes 40 to 70", False),
    ],
)
def test_heat_is_asked_for_and_needs_a_valve(
    device: Device, target_c: float, refused: str, ask: bool
):
    """Above 54 °C asks, above 60 °C needs a valve, beyond the limits is refused."""
    ruling = judge(device, "target_temperature_c", target_c)
    assert refused in ruling.refused
    assert bool(ruling.refused) is bool(refused)
    assert bool(ruling.ask) is ask


def test_below_sixty_the_consequence_is_named():
    """Below 60 °C Legionella are named, below 50 °C the daily hour, at 60 nothing."""
    assert "every day" in judge(PLAIN, "target_temperature_c", 49.9).note
    note = judge(PLAIN, "target_temperature_c", 50.0).note
    assert "Legionella" in note
    assert "every day" not in note
    assert judge(PLAIN, "target_temperature_c", 60.0).note == ""


def test_a_device_without_limits_has_common_ones():
    """Nobody has recorded limits: 30 to 75 °C."""
    assert limits(Device(id="x", name="x")) == (30.0, 75.0)


def test_modes_are_those_of_the_device():
    """A mode it lacks is refused; a device that names none takes any; off warns."""
    assert "modes off, eco, not heat_pump" in judge(PLAIN, "mode", "heat_pump").refused
    assert judge(VALVE, "mode", "heat_pump") == Ruling()
    assert "Legionella" in judge(PLAIN, "mode", "off").note
    assert "Legionella" in judge(PLAIN, "power", False).note
    assert judge(PLAIN, "power", True) == Ruling()


def test_pasteurising_needs_a_valve_and_enough_heat():
    """A cycle above 60 °C asks with a valve, is refused without or where too cool."""
    cool = Device(id="x", name="x", setpoint_max_c=55, mixing_valve=True)
    assert "mixing valve" in judge(PLAIN, "pasteurise_until", SOON).refused
    assert "60 °C" in judge(cool, "pasteurise_until", SOON).refused
    assert judge(VALVE, "pasteurise_until", SOON).ask
    assert judge(PLAIN, "pasteurise_until", False) == Ruling()


def test_a_boost_asks_because_it_heats_above_the_target():
    """Boosting scalds where the device can; ending it or a cool device does not."""
    cool = Device(id="x", name="x", setpoint_max_c=54)
    assert judge(PLAIN, "boost_until", SOON).ask
    assert judge(cool, "boost_until", SOON) == Ruling()
    assert judge(PLAIN, "boost_until", False) == Ruling()
    assert judge(PLAIN, "away_until", SOON) == Ruling()


def test_withdrawing_is_never_judged():
    """Null takes a wish back, whatever the key."""
    keys = ("target_temperature_c", "mode", "power", "pasteurise_until")
    assert {judge(PLAIN, key, None) for key in keys} == {Ruling()}


def test_a_reported_time_may_be_spelled_in_any_way():
    """Z, another zone or fractions are the same time; what is no time stays."""
    assert told("away_until", "2026-03-10T14:00:00.5Z") == "2026-03-10T14:00:00+00:00"
    assert told("away_until", "2026-03-10T15:00:00+01:00") == (
        "2026-03-10T14:00:00+00:00"
    )
    kept = (False, None, "later", "2026-03-10T14:00:00", "0001-01-01T00:00:00+14:00")
    for value in kept:
        assert told("away_until", value) is value
    assert told("mode", "2026-03-10T14:00:00Z") == "2026-03-10T14:00:00Z"


def test_a_timed_wish_is_over_at_its_end():
    """At its end and later it is over; ``false`` and other keys never are."""
    there = datetime(2026, 3, 10, 15, tzinfo=timezone(timedelta(hours=1)))
    assert end_of("boost_until", SOON) == there.astimezone(UTC)
    assert not over("boost_until", SOON, NOW)
    assert over("boost_until", SOON, NOW + timedelta(hours=2))
    assert not over("boost_until", False, NOW)
    assert not over("mode", "eco", NOW)
