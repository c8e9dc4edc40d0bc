"""The Details tab's body, drawn from real views."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from dashboards.details_facts import days_words
from dashboards.water_heater import details as tab
from data.records import Band, Device, Event
from services.details import Details, ShadowRow, ShadowView
from services.health import Health
from services.units import Preferences
from tests.conftest import ADMIN, NOW, SYSTEM, VIEWER, Stores, readings

PREFS = Preferences()
US = Preferences(
    temperature_unit="F", volume_unit="gal", pressure_unit="psi",
    time_zone="America/New_York", theme="light",
)  # fmt: skip
FULL = Device(
    id="wh-7", name="Attic", manufacturer="Acme", model="X", serial="S-1",
    type="electric", capacity_l=200, rated_power_w=3000, building="North", floor="1",
    room="R2", latitude=50.1, longitude=8.2, installed_on=NOW.date() - timedelta(900),
    warranty_until=NOW.date() + timedelta(100), firmware="2.1", modes=("off", "eco"),
    setpoint_min_c=40, setpoint_max_c=65, mixing_valve=True, simulated=True,
    bands={"temperature_c": Band(0, 90, None, 65, 35, 75), "power_w": Band(0, 9)},
)  # fmt: skip


@pytest.fixture
def details(stores: Stores) -> Details:
    """The service the views come from."""
    health = Health(stores.metrics, stores.clock)
    return Details(
        stores.devices,
        stores.device_store,
        stores.shadows,
        stores.metrics,
        health,
        stores.clock,
    )


def drawn(view: Any, prefs: Preferences = PREFS, search: str = "") -> str:
    """The head and the body as JSON text."""
    return json.dumps(
        [tab.now(view, prefs), tab.body(view, prefs, search)],
        default=lambda c: c.to_plotly_json(),
        ensure_ascii=False,
    )


def test_what_nobody_has_said_is_not_stated(details: Details, stores: Stores) -> None:
    """A bare device without a reading shows words and no invented number."""
    stores.add(Device(id="bare", name="Bare"))
    text = drawn(details.of(VIEWER, "bare", PREFS.zone))

    assert text.count("not stated") >= 14
    for words in ("never reported", "No shadow yet", "No event yet", "Cannot tell"):
        assert words in text
    assert "0.00" not in text


@pytest.mark.parametrize("prefs", [PREFS, US])
def test_every_fact_is_shown_in_the_readers_units(
    details: Details, stores: Stores, prefs: Preferences
) -> None:
    """A full device shows every field it has; age and warranty are derived."""
    stores.add(FULL)
    frame = readings("wh-7", NOW - timedelta(hours=3), 180, power_w=1200.0, mode="eco")
    frame["temperature_c"] = [55 + i % 9 / 10 for i in range(180)]
    stores.telemetry.accept(SYSTEM, frame)
    text = drawn(details.of(VIEWER, "wh-7", prefs.zone), prefs)

    for words in (
        "Acme",
        "S-1",
        "North",
        "R2",
        "50.10000",
        "2.1",
        "Off, Eco",
        "Attic",
        "2 years 5 months ago",
        "3 months left",
        "Recorded",
        "simulated",
    ):
        assert words in text
    expected = ("149.0", "167.0") if prefs is US else ("65.0", "75.0")
    for number in expected:
        assert number in text
    assert "normal up to" in text
    assert "not stated" in text  # the band of power states no limit


def test_a_refused_value_stands_beside_the_last_good_one(
    details: Details, heater: Device, stores: Stores
) -> None:
    """The tile keeps the good value with its age and names the refused one."""
    start = NOW - timedelta(minutes=10)
    frame = readings(heater.id, start, 10, temperature_c=55.0)
    frame.loc[5:, "temperature_c"] = 888.8
    stores.telemetry.accept(SYSTEM, frame)
    text = drawn(details.of(VIEWER, heater.id, PREFS.zone))

    assert "55.0\u00a0°C" in text
    assert "last good value" in text
    assert "888.8\u00a0°C refused: sensor fault code" in text
    assert "Sensor fault code" in text


def test_the_shadow_names_what_is_not_reported_yet(
    details: Details, heater: Device
) -> None:
    """Desired keys that differ are marked, keys that agree are not."""
    rows = (
        ShadowRow("mode", "eco", NOW, "off", NOW, True),
        ShadowRow("target_temperature_c", 60.0, NOW, 60.0, NOW, False),
        ShadowRow("x", {"a": 1}, NOW, None, None, False),
    )
    view = details.of(VIEWER, heater.id, PREFS.zone)
    text = drawn(replace(view, shadow=ShadowView(4, NOW, rows)), US)

    assert text.count("Not reported yet") == 1
    assert text.count("As desired") == 1
    assert "140.0\u00a0°F" in text


def test_the_event_log_has_its_filter_and_pages_in_the_address(
    details: Details, heater: Device, stores: Stores
) -> None:
    """Categories and pages are links that keep the rest of the address."""
    events = [
        Event(heater.id, NOW - timedelta(minutes=i), "alert", "high", f"no {i}")
        for i in range(45)
    ]
    with stores.device_store.transaction() as tx:
        stores.device_store.add_events(tx, events)
    view = details.of(VIEWER, heater.id, PREFS.zone, category="alert", page=2)
    text = drawn(view, search="?category=alert&page=2&from=now-7d")

    assert "no 20" in text
    assert "no 19" not in text
    assert "category=alert&page=3&from=now-7d" in text
    assert '"/heaters/wh-1/details?category=user&from=now-7d"' in text


def test_only_an_administrator_gets_the_link_that_edits(
    details: Details, heater: Device
) -> None:
    """The link to the form is there for those whom the form lets in."""
    view = details.of(VIEWER, heater.id, PREFS.zone)

    assert "edit=" not in drawn(view)
    assert "edit=wh-1" in drawn(details.of(ADMIN, heater.id, PREFS.zone))


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (0, "0 days"),
        (1, "1 day"),
        (60, "60 days"),
        (100, "3 months"),
        (366, "1 year"),
        (-800, "2 years 2 months"),
    ],
)
def test_a_number_of_days_in_words(days: int, words: str) -> None:
    """Short spans are days, long ones years and months."""
    assert days_words(days) == words
