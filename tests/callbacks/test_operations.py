"""The Operations tab through the door: page, ticks, their size and their time."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pandas as pd
import pytest

from app import create_app
from bootstrap import build
from callbacks.water_heater.operations import parse_seen
from dashboards import text
from dashboards.registry import heater_tab
from data.records import Band, Device
from services.errors import InvalidInput
from services.units import Preferences
from tests.conftest import NOW, SYSTEM, Stores, readings
from tests.identity import open_identity
from tests.portal import Portal, call

TAB = heater_tab("operations", "Operations", "device.read")
DEVICE = Device(
    id="wh-1",
    name="Boiler room",
    type="electric",
    rated_power_w=3000,
    reporting_interval_s=5,
    bands={"temperature_c": Band(0, 90, 45, 67, 35, 73)},
)
TICK = "operations-seen.data"
BUDGET_BYTES = 2_000


@pytest.fixture
def portal(stores: Stores) -> Iterator[Portal]:
    """The application with the Operations tab and one heater."""
    stores.add(DEVICE)
    with open_identity(stores.settings, stores.clock) as identity:
        built = build(stores.settings, stores.clock)
        services = dataclasses.replace(built, accounts=identity.accounts)
        yield Portal(create_app(stores.settings, services, (TAB,)), identity, stores)
        built.close()


def busy(start: Any, minutes: int, step_s: int = 5) -> pd.DataFrame:
    """Readings of a heater whose every value moves."""
    frame = readings(
        "wh-1", start, minutes, step_s,
        target_temperature_c=60.0, mode="electric", heating=True,
    )  # fmt: skip
    n = pd.Series(range(len(frame)))
    frame["temperature_c"] = 55 + n % 7 / 10
    frame["pressure_bar"] = 3.4 + n % 5 / 100
    frame["flow_lpm"] = 4 + n % 3 / 10
    frame["power_w"] = 2950.0 + n % 11
    return frame


def opened(portal: Portal, client: Any) -> tuple[str, dict[str, Any]]:
    """The body of the page, and what its store holds."""
    answer = call(
        portal, client, "operations-body.children",
        {"operations-device.data": "wh-1", "shell-location.search": ""},
    )  # fmt: skip
    assert answer.status_code == 200, answer.text
    found = store_in(answer.json["response"]["operations-body"]["children"])
    assert found is not None
    return json.dumps(answer.json, ensure_ascii=False), found


def store_in(node: Any) -> dict[str, Any] | None:
    """The data of the page's memory, wherever it stands in the body."""
    if isinstance(node, dict):
        if node.get("id") == "operations-seen":
            return node["data"]
        node = list(node.values())
    if isinstance(node, list):
        for child in node:
            found = store_in(child)
            if found is not None:
                return found
    return None


def tick(portal: Portal, client: Any, seen: object, device: str = "wh-1") -> Any:
    """One tick of the page."""
    return call(
        portal, client, TICK,
        {
            "operations-tick.n_intervals": 1,
            "operations-device.data": device,
            "operations-seen.data": seen,
        },
        changed=["operations-tick.n_intervals"],
    )  # fmt: skip


def test_page_opens_with_values_chart_and_totals(portal: Portal) -> None:
    """The tab shows state, gauges, chart, health and totals of the heater."""
    portal.stores.telemetry.accept(SYSTEM, busy(NOW - timedelta(minutes=30), 30))
    body, seen = opened(portal, portal.browser("vera"))
    for words in (
        "Online",
        "Heating",
        "Electric",
        text.quantity("target_temperature_c", 60.0, Preferences()),
        "Use and service",
    ):
        assert words in body
    assert seen["last"][0] == (NOW - timedelta(seconds=5)).timestamp()


def test_silent_heater_has_a_page(portal: Portal) -> None:
    """A heater that never reported gets a whole page without one invented value."""
    body, seen = opened(portal, portal.browser("vera"))
    assert "Never seen" in body
    assert "No readings in the last 2 hours" in body
    assert seen["last"] == [None, None, None]


def test_unknown_heater_is_an_error_state(portal: Portal) -> None:
    """A heater that does not exist is said to, in place of the page."""
    answer = call(
        portal, portal.browser("vera"), "operations-body.children",
        {"operations-device.data": "nobody"},
    )  # fmt: skip
    assert "There is no device" in answer.text


def test_tick_appends_what_is_new_and_nothing_twice(portal: Portal) -> None:
    """A reading is appended by the next tick and by no later one."""
    stores, client = portal.stores, portal.browser("vera")
    stores.telemetry.accept(SYSTEM, busy(NOW - timedelta(minutes=30), 30))
    _, seen = opened(portal, client)
    stores.clock.forward(seconds=20)
    stores.telemetry.accept(SYSTEM, busy(NOW, 1).iloc[:3])
    answer = tick(portal, client, seen).json["response"]
    added = answer["operations-chart"]["extendData"]
    assert added[1] == [0, 1, 2, 3]
    assert added[0]["x"][0] == [
        "2026-03-10T12:00:00", "2026-03-10T12:00:05", "2026-03-10T12:00:10",
    ]  # fmt: skip
    again = tick(portal, client, answer["operations-seen"]["data"]).json["response"]
    assert again["operations-chart"]["extendData"][1] == [3]
    assert "figure" not in again["operations-chart"]


def test_quiet_tick_moves_ages_alone(portal: Portal) -> None:
    """Without news only ages, the time axis and the page's memory are sent."""
    stores, client = portal.stores, portal.browser("vera")
    stores.telemetry.accept(SYSTEM, busy(NOW - timedelta(minutes=30), 30))
    _, seen = opened(portal, client)
    stores.clock.forward(seconds=20)
    answer = tick(portal, client, seen).json["response"]
    assert answer["operations-temperature-age"] == {"children": "25 s ago"}
    sent = {name for name in answer if not name.endswith(("-age", "-note"))}
    assert sent == {"operations-seen", "operations-chart"}


def test_value_is_stale_one_tick_after_its_limit(portal: Portal) -> None:
    """A value older than three minutes is greyed by the very next tick."""
    stores, client = portal.stores, portal.browser("vera")
    stores.telemetry.accept(SYSTEM, busy(NOW - timedelta(minutes=30), 30))
    _, seen = opened(portal, client)
    stores.clock.forward(seconds=174)
    fresh = tick(portal, client, seen).json["response"]
    assert "operations-temperature-box" not in fresh
    stores.clock.forward(seconds=2)
    stale = tick(portal, client, fresh["operations-seen"]["data"]).json["response"]
    assert stale["operations-temperature-box"] == {"className": "live-gauge stale"}
    assert "Stale" in json.dumps(stale["operations-temperature-verdict"])
    assert "Late" in json.dumps(stale["operations-machine-value"])


def test_flagged_value_is_not_shown_as_a_value(portal: Portal) -> None:
    """A sensor's fault code becomes words, with the last good value beside them."""
    stores, client = portal.stores, portal.browser("vera")
    stores.telemetry.accept(SYSTEM, busy(NOW - timedelta(minutes=30), 30))
    _, seen = opened(portal, client)
    stores.telemetry.accept(SYSTEM, busy(NOW, 1).iloc[:1].assign(temperature_c=888.8))
    answer = tick(portal, client, seen).json["response"]
    assert answer["operations-temperature-number"] == {"children": "\u2013"}
    said = answer["operations-temperature-age"]["children"]
    assert said.startswith("Flagged: sensor fault code; last good 55.")
    assert "888" not in json.dumps(answer)


def test_page_asleep_for_long_gets_its_chart_again(portal: Portal) -> None:
    """After readings have left the hot table the whole chart is sent."""
    stores, client = portal.stores, portal.browser("vera")
    stores.telemetry.accept(SYSTEM, busy(NOW - timedelta(minutes=30), 30))
    _, seen = opened(portal, client)
    stores.clock.forward(minutes=20)
    stores.telemetry.accept(SYSTEM, busy(NOW, 20))
    stores.flush()
    answer = tick(portal, client, seen).json["response"]["operations-chart"]
    assert "extendData" not in answer
    assert len(answer["figure"]["data"][0]["x"]) == 50 * 3


def test_first_reading_appears_on_an_empty_page(portal: Portal) -> None:
    """The chart of a heater that was silent is drawn by the tick after its first."""
    client = portal.browser("vera")
    _, seen = opened(portal, client)
    portal.stores.telemetry.accept(SYSTEM, busy(NOW, 1).iloc[:1])
    answer = tick(portal, client, seen).json["response"]
    assert answer["operations-chart"]["figure"]["layout"]["annotations"] == []
    assert answer["operations-temperature-number"] == {"children": "55.0"}


def test_removed_heater_ends_its_ticks(portal: Portal) -> None:
    """A tick for a heater that is gone is the page's last one."""
    client = portal.browser("vera")
    _, seen = opened(portal, client)
    answer = tick(portal, client, seen, device="nobody")
    assert answer.json["sideUpdate"]["operations-tick"] == {"max_intervals": 0}


@pytest.mark.parametrize(
    "kept",
    [
        None,
        [],
        {"at": 1, "drawn": 1, "last": [1], "shown": ""},
        {"at": "x", "drawn": 1, "last": [None] * 3, "shown": ""},
        {"at": 1, "drawn": 1e300, "last": [None] * 3, "shown": ""},
        {"at": True, "drawn": 1, "last": [None] * 3, "shown": ""},
        {"at": 1, "drawn": 1, "last": [None] * 3, "shown": 5},
    ],
)
def test_memory_of_a_page_is_checked(kept: object) -> None:
    """What a browser claims to have seen is refused when it is malformed."""
    with pytest.raises(InvalidInput):
        parse_seen(kept)


def test_numbers_are_refreshed_apart(portal: Portal) -> None:
    """Health and totals have a timer of their own."""
    client = portal.browser("vera")
    portal.stores.telemetry.accept(SYSTEM, busy(NOW - timedelta(minutes=30), 30))
    answer = call(
        portal, client, "operations-score.children",
        {"operations-device.data": "wh-1"},
        changed=["operations-numbers-tick.n_intervals"],
    )  # fmt: skip
    assert set(answer.json["response"]) == {
        "operations-score", "operations-reasons", "operations-numbers",
    }  # fmt: skip


def test_tick_is_small(portal: Portal) -> None:
    """The answer to a tick with news fits 2 kB."""
    stores, client = portal.stores, portal.browser("vera")
    stores.telemetry.accept(SYSTEM, busy(NOW - timedelta(minutes=30), 30))
    _, seen = opened(portal, client)
    feed = busy(NOW, 1)
    for i in range(12):
        stores.clock.forward(seconds=5)
        stores.telemetry.accept(SYSTEM, feed.iloc[i : i + 1])
        answer = tick(portal, client, seen)
        assert len(answer.get_data()) <= BUDGET_BYTES
        seen = answer.json["response"]["operations-seen"]["data"]
