"""Numbers, units and times as the reader sees them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards import text
from data.records import METRICS
from services.errors import InvalidInput
from services.units import QUANTITIES, Preferences, convert, to_celsius

METRIC = Preferences()
US = Preferences(temperature_unit="F", volume_unit="gal", pressure_unit="psi")
NOW = datetime(2026, 11, 23, 13, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("metric", "value", "metric_text", "us_text"),
    [
        ("temperature_c", 58.54, "58.5 °C", "137.4 °F"),
        ("pressure_bar", 3.0, "3.00 bar", "43.51 psi"),
        ("flow_lpm", 11.2, "11.2 L/min", "3.0 gal/min"),
        ("power_w", 3400, "3\u202f400 W", "3\u202f400 W"),
        ("capacity_l", 200, "200 L", "53 gal"),
    ],
)
def test_quantities_are_written_in_the_readers_units(
    metric, value, metric_text, us_text
):
    """A stored value is written with the unit the reader has chosen."""
    assert text.quantity(metric, value, METRIC).replace("\u00a0", " ") == metric_text
    assert text.quantity(metric, value, US).replace("\u00a0", " ") == us_text


@pytest.mark.parametrize("value", [None, float("nan"), float("inf")])
def test_no_value_is_a_dash(value):
    """A missing value is a dash and never a zero."""
    assert text.quantity("temperature_c", value, METRIC) == text.NO_DATA
    assert text.number(value) == text.NO_DATA
    assert text.share(value) == text.NO_DATA


def test_every_metric_has_a_name_and_a_unit():
    """Each telemetry metric can be labelled in both systems of units."""
    for metric in METRICS:
        assert text.titled(metric, US).startswith(QUANTITIES[metric].label)


@pytest.mark.parametrize(
    ("value", "written"),
    [(-0.04, "0.0"), (-2.5, "\N{MINUS SIGN}2.5"), (1234567, "1\u202f234\u202f567.0")],
)
def test_numbers_have_a_real_minus_and_no_negative_zero(value, written):
    """Minus is a minus sign, thousands are grouped, zero has no sign."""
    assert text.number(value) == written


@given(st.floats(-50, 150))
def test_a_typed_temperature_is_stored_as_it_was_shown(celsius):
    """Showing and typing back a temperature gives the same temperature."""
    shown = convert(celsius, "temperature", US)
    assert to_celsius(shown, US) == pytest.approx(celsius)


def test_a_difference_of_temperatures_has_no_offset():
    """Ten kelvin are eighteen degrees Fahrenheit, not fifty."""
    assert convert(10, "temperature_difference", US) == 18


def test_times_are_local_and_name_their_zone():
    """A time is written in the reader's zone with the zone's name."""
    berlin = Preferences(time_zone="Europe/Berlin")
    assert text.local_time(NOW, berlin) == "23 Nov 2026, 14:05 CET"
    assert text.local_time(NOW, METRIC, seconds=True) == "23 Nov 2026, 13:05:00 UTC"


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (0, "just now"),
        (45, "45 s ago"),
        (200, "3 min ago"),
        (7200, "2 h ago"),
        (86_400 * 3, "3 d ago"),
        (-3600, "in 60 min"),
    ],
)
def test_age_is_told_in_one_unit(seconds, written):
    """An age is told in its largest useful unit."""
    assert text.age(NOW - timedelta(seconds=seconds), NOW) == written


def test_what_was_never_seen_has_no_age():
    """Without a time the age is never."""
    assert text.age(None, NOW) == "never"


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (0, "0 s"),
        (59, "59 s"),
        (4320, "1 h 12 min"),
        (90_000, "1 d 1 h"),
        (3601, "1 h"),
    ],
)
def test_durations_have_two_units_at_most(seconds, written):
    """A duration is told in its two largest neighbouring units."""
    assert text.duration(seconds) == written


@pytest.mark.parametrize(
    "values",
    [{"theme": "pink"}, {"time_zone": "Mars/Base"}, {"temperature_unit": "K"}],
)
def test_preferences_that_do_not_exist_are_refused(values):
    """A preference outside its choices is an error with its name."""
    with pytest.raises(InvalidInput, match=next(iter(values))):
        Preferences.of(values)
