"""The Details tab through the door: address, units, unknown heaters."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from settings import Settings
from tests.callbacks.test_fleet import TABS
from tests.conftest import NOW, SYSTEM, Clock, open_stores, readings
from tests.portal import Portal, call, open_portal

BODY, UNIT = "details-body.children", "shell-temperature.value"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """The application with the real tabs; wh-1 has reported once."""
    home = tmp_path_factory.mktemp("details")
    settings = Settings(home_dir=home, secret_key="k7!" + "Zq3xW9vB" * 5)
    with (
        contextmanager(open_stores)(settings, Clock()) as stores,
        open_portal(stores, TABS) as portal,
    ):
        ts = NOW - timedelta(minutes=1)
        frame = readings("wh-1", ts, 1, temperature_c=50.0)
        stores.telemetry.accept(SYSTEM, frame)
        yield portal


def drawn(site: Portal, search: str = "", device_id: str = "wh-1") -> str:
    """The text of the answer that draws the body."""
    values = {"details-device.data": device_id, "shell-location.search": search}
    answer = call(site, site.browser("vera"), BODY, values, ["shell-location.search"])
    assert answer.status_code == 200, answer.text
    return answer.get_data(as_text=True)


def test_one_reading_is_drawn_with_its_age(site: Portal) -> None:
    """The only reading of a heater stands on the page, with how old it is."""
    text = drawn(site)

    assert "50.0\\u00a0" in text or "50.0\u00a0" in text
    assert "1 min ago" in text


@pytest.mark.parametrize(
    ("search", "says"),
    [
        ("?category=gossip", "category must be one of"),
        ("?page=0", "page must be 1 or more"),
        ("?page=x", "page must be a whole number"),
        ("?category=alert", "No event of this kind"),
        ("?page=99", "Events (0)"),
    ],
)
def test_the_address_decides_the_event_log(
    site: Portal, search: str, says: str
) -> None:
    """Category and page come from the address; a wrong one is named in place."""
    assert says in drawn(site, search)


def test_an_unknown_heater_is_named(site: Portal) -> None:
    """A device that does not exist gives a message instead of the tab."""
    text = drawn(site, device_id="wh-404")

    assert "There is no device" in text
    assert "Identity" not in text


def test_the_unit_switch_goes_the_way_of_the_menu(site: Portal) -> None:
    """Choosing °F sets the menu's control, which saves it; the same unit does not."""
    client = site.browser("vera")
    values = {"details-unit.value": "F", "shell-temperature.value": "C"}
    changed = call(site, client, UNIT, values, ["details-unit.value"])
    assert changed.get_json()["response"]["shell-temperature"] == {"value": "F"}

    values["shell-temperature.value"] = "F"
    assert call(site, client, UNIT, values, ["details-unit.value"]).status_code == 204
