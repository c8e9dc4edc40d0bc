"""Browser values become typed values, or an error with a reason."""

from __future__ import annotations

import pytest

from callbacks.parsing import dates_search, parse_units
from services.errors import InvalidInput
from services.units import Preferences

DAYS = [
    (
        "?x=1&from=now-7d&to=now",
        "2026-11-01",
        "2026-11-04",
        "?x=1&from=2026-11-01T00:00:00Z&to=2026-11-05T00:00:00Z",
    ),
    (
        "",
        "2026-11-01",
        "2026-11-01",
        "?from=2026-11-01T00:00:00Z&to=2026-11-02T00:00:00Z",
    ),
]


@pytest.mark.parametrize(("search", "first", "last", "written"), DAYS)
def test_days_become_instants(search, first, last, written):
    """Both days are included, and every other key is kept."""
    assert dates_search(search, first, last, Preferences()) == written


def test_a_day_of_a_clock_change_has_25_hours():
    """Days are local days, whatever their length."""
    berlin = Preferences(time_zone="Europe/Berlin")
    written = dates_search("", "2026-10-25", "2026-10-25", berlin)
    assert written == "?from=2026-10-24T22:00:00Z&to=2026-10-25T23:00:00Z"


@pytest.mark.parametrize(
    ("first", "last"),
    [(None, "2026-11-01"), ("x", "2026-11-01"), ("2026-11-02", "2026-11-01")],
)
def test_days_that_make_no_range_are_refused(first, last):
    """A missing, unreadable or reversed day is an error for the user."""
    with pytest.raises(InvalidInput):
        dates_search("", first, last, Preferences())


def test_units_are_parsed():
    """The menu's values become preferences."""
    assert parse_units({"temperature_unit": "F"}).temperature_unit == "F"
