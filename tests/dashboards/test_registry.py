"""The map of the application and its router."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.registry import (
    TABS,
    built_dashboards,
    heater_tab,
    is_page,
    match,
    monitoring_tab,
    siblings,
)

FLEET = heater_tab("fleet", "Fleet", "fleet.read", "/heaters")
DETAILS = heater_tab("details", "Details", "device.read")
HISTORY = heater_tab("history", "History", "device.read")
SOME = (FLEET, DETAILS, HISTORY)
MODELS = monitoring_tab("models", "Models", "model.read")
DRIFT = monitoring_tab("drift", "Drift", "model.read", per_model=True)


def test_list_and_device_pages_are_found():
    """The router tells the page and the device from the path."""
    assert match("/heaters", SOME) == (FLEET, None)
    assert match("/heaters/WH-1042/details", SOME) == (DETAILS, "WH-1042")


@pytest.mark.parametrize(
    "path",
    [
        None,
        "",
        "/",
        "/heaters/",
        "/heaters/a/predictions",
        "/heaters/a b/details",
        "/heaters/../details",
        "/heaters/a/details/",
        "/heaters/a/details\n",
        f"/heaters/{'a' * 65}/details",
        "/heaters/%2e%2e/details",
    ],
)
def test_other_paths_lead_nowhere(path):
    """What is not exactly an address of a page is no page."""
    assert match(path, SOME) is None


@given(st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True))
def test_every_device_id_has_an_address(device_id):
    """The address of a tab leads back to the tab and the same device."""
    assert match(HISTORY.address(device_id), SOME) == (HISTORY, device_id)


def test_tabs_beside_a_device_tab_are_its_own():
    """The list is not shown among the tabs of one device."""
    assert siblings(DETAILS, SOME) == [DETAILS, HISTORY]


def test_dashboards_without_a_built_page_are_not_offered():
    """The rail offers only dashboards that have a page."""
    assert [d.key for d, _ in built_dashboards(SOME)] == ["heaters"]
    assert built_dashboards((DETAILS,)) == []


def test_a_monitoring_tab_is_found_without_a_device():
    """Its path names no model; the tab says whether its query does."""
    assert match("/monitoring/drift", (MODELS, DRIFT)) == (DRIFT, None)
    assert (DRIFT.layout, DRIFT.callbacks) == (
        "dashboards.monitoring.drift",
        "callbacks.monitoring.drift",
    )
    assert (MODELS.per_model, DRIFT.per_model, DETAILS.per_model) == (
        False,
        True,
        False,
    )


def test_monitoring_tabs_stand_beside_each_other():
    """The list and the tabs about one model share one row of links and the rail."""
    every = (*SOME, MODELS, DRIFT)
    assert siblings(MODELS, every) == siblings(DRIFT, every) == [MODELS, DRIFT]
    assert [first for _, first in built_dashboards(every)] == [FLEET, MODELS]


def test_only_the_areas_of_tabs_are_pages():
    """The frame answers in the areas of its tabs and nowhere else."""
    assert is_page("/", SOME)
    assert is_page("/heaters/x/nothing", SOME)
    assert not is_page("/api/v1/nothing", SOME)
    assert not is_page("/robots.txt", SOME)


def test_tab_keys_are_unique():
    """No two tabs share a key, which is the first word of their ids."""
    assert len({tab.key for tab in TABS}) == len(TABS)
