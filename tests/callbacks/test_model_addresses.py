"""What a choice of windows writes into the address of a monitoring tab."""

from __future__ import annotations

import pytest

from callbacks.model_addresses import model_known, window_changes
from services.errors import InvalidInput, NotFound

DATES = "?model=churn&from=2026-11-02T00:00:00Z&to=2026-11-{}T00:00:00Z"


@pytest.mark.parametrize(
    ("window", "search", "start"),
    [
        ("hour", "?model=churn", "now-7d"),
        ("hour", "?model=churn&from=now-1y&to=now", "now-7d"),
        ("hour", DATES.format("25"), "now-7d"),
        ("hour", "?from=2026-11-02&to=2026-11-03T00:00:00Z", "now-7d"),
        ("day", "?model=churn&from=now-7d&to=now", "now-13w"),
    ],
)
def test_short_windows_get_a_range(window: str, search: str, start: str) -> None:
    """A range of more windows than are answered, or a relative one, gives way."""
    found = window_changes(window, search)

    assert found == {"window": window, "at": None, "from": start, "to": "now"}


@pytest.mark.parametrize(("window", "day"), [("hour", "09"), ("day", "25")])
def test_chosen_dates_that_fit_are_kept(window: str, day: str) -> None:
    """Somebody who looks at one week hour by hour stays in that week."""
    assert window_changes(window, DATES.format(day)) == {"window": window, "at": None}


def test_long_windows_get_the_year_back() -> None:
    """Only the range that a short window brought goes with it."""
    brought = window_changes("week", "?window=hour&from=now-7d&to=now")

    assert brought == {"window": "week", "at": None, "from": None, "to": None}
    assert "from" not in window_changes(None, "?window=day&from=now-4w&to=now")


def test_only_a_missing_model_has_no_way_back() -> None:
    """A refused question or version may be left out; a model that is not there not."""
    assert not model_known(NotFound("There is no model x."), "?model=x")
    assert model_known(NotFound("churn has no version 9."), "?model=churn&version=9")
    assert model_known(InvalidInput("measure"), "?model=churn")
