"""The fleet and the devices over REST, behind the real guard and on real stores."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from data.records import Device, Event
from settings import Settings
from tests.conftest import NOW, SYSTEM, VIEWER, Clock, open_stores, readings
from tests.identity import PASSWORD
from tests.portal import Portal, open_portal

API = "/api/v1"


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """The application with three sample heaters and one that reports."""
    home = tmp_path_factory.mktemp("fleet")
    key = "k7!" + "Zq3xW9vB" * 5
    settings = Settings(home_dir=home, secret_key=key, max_page=100)
    with (
        contextmanager(open_stores)(settings, Clock()) as stores,
        open_portal(stores) as opened,
    ):
        stores.add(Device(id="wh-9", name="Attic", building="North"))
        start = NOW - timedelta(hours=24)
        frame = readings("wh-9", start, 1440, power_w=1000.0, mode="eco", heating=True)
        frame["temperature_c"] = [55 + i % 9 / 10 for i in range(1440)]
        stores.telemetry.accept(SYSTEM, frame)
        yield opened


class Program:
    """A program with a bearer token."""

    def __init__(self, portal: Portal, name: str) -> None:
        self._client: FlaskClient = portal.app.server.test_client()
        answer = self._client.post(
            f"{API}/auth/login", json={"username": name, "password": PASSWORD}
        )
        token = answer.get_json()["access_token"]
        self._headers = {"Authorization": f"Bearer {token}"}

    def ask(self, method: str, path: str, status: int = 200, **kwargs: Any) -> Any:
        """The JSON of an answer with the status expected."""
        answer = self._client.open(
            f"{API}{path}", method=method, headers=self._headers, **kwargs
        )
        assert answer.status_code == status, answer.text
        if status >= 400:
            assert answer.mimetype == "application/problem+json"
        return answer.get_json()


@pytest.fixture(scope="module")
def vera(portal: Portal) -> Program:
    """A viewer's program."""
    return Program(portal, "vera")


@pytest.fixture(scope="module")
def ada(portal: Portal) -> Program:
    """An administrator's program."""
    return Program(portal, "ada")


def collected(program: Program, path: str, limit: int) -> list[Any]:
    """Every item of a list, page by page."""
    items, cursor, mark = [], "", "&" if "?" in path else "?"
    while True:
        page = program.ask("GET", f"{path}{mark}limit={limit}{cursor}")
        assert len(page["items"]) <= limit
        items += page["items"]
        if page["next_cursor"] is None:
            return items
        cursor = f"&cursor={page['next_cursor']}"


def test_the_fleet_says_what_the_tab_says(portal: Portal, vera: Program) -> None:
    """Energy, temperature and status over REST are those of the services."""
    answer = vera.ask("GET", "/fleet?q=attic")
    (heater,) = answer["items"]
    device = portal.stores.devices.get(VIEWER, "wh-9")
    used = portal.stores.metrics.usage([device], NOW - timedelta(hours=24), NOW)

    assert heater["energy_kwh"] == used["wh-9"].energy_kwh
    assert heater["status"] == "heating"
    assert heater["connectivity"] == "online"
    assert heater["temperature_ts"] == "2026-03-10T11:59:00Z"
    assert len(heater["hourly_temperature_c"]) == 24
    assert answer["counts"]["all"] == len(collected(vera, "/fleet", 100))


def test_pages_of_the_fleet_hold_every_heater_once(vera: Program) -> None:
    """Following the cursor gives each heater once, in the order of one page."""
    whole = [h["device_id"] for h in vera.ask("GET", "/fleet?sort=-name")["items"]]
    paged = [h["device_id"] for h in collected(vera, "/fleet?sort=-name", 1)]

    assert paged == whole
    assert len(set(paged)) == len(paged)


@pytest.mark.parametrize(
    "query",
    [
        "state=odd",
        "sort=odd",
        "limit=101",
        "cursor=%ff",
        "cursor=W10",
        "cursor=WzAsIDUwXQ",
        "cursor=WyJ4IiwgNV0",
    ],
)
def test_wrong_questions_are_refused_with_a_problem(vera: Program, query: str) -> None:
    """An unknown state or sort, too long a page and a made-up cursor are a 400."""
    problem = vera.ask("GET", f"/fleet?{query}", 400)

    assert query.partition("=")[0] in problem["detail"]


def test_a_device_is_registered_read_changed_and_removed(ada: Program) -> None:
    """The whole life of a device over REST, each change under its version."""
    sent = {
        "id": "wh-new",
        "name": "New",
        "capacity_l": 150,
        "modes": ["eco"],
        "installed_on": "2025-02-03",
        "bands": {"temperature_c": {"low": 0, "high": 90, "alarm_high": 75}},
    }
    made = ada.ask("POST", "/devices", 201, json=sent)
    assert (made["life_cycle"], made["version"]) == ("pending", 1)
    assert ada.ask("GET", "/devices/wh-new") == made

    changed = ada.ask(
        "PATCH", "/devices/wh-new", json={"version": 1, "room": "K2", "modes": []}
    )
    assert (changed["room"], changed["modes"], changed["version"]) == ("K2", [], 2)
    assert changed["capacity_l"] == 150
    assert changed["bands"] == made["bands"]

    removed = {"version": 2, "life_cycle": "removed"}
    ada.ask("PATCH", "/devices/wh-new", json=removed)
    ada.ask("GET", "/devices/wh-new", 404)
    assert "wh-new" not in {d["id"] for d in collected(ada, "/devices", 2)}


def test_an_old_version_is_a_conflict_and_changes_nothing(ada: Program) -> None:
    """A change of what somebody else has changed since is refused with 409."""
    ada.ask("PATCH", "/devices/wh-2", json={"version": 1, "room": "first"})
    ada.ask("PATCH", "/devices/wh-2", 409, json={"version": 1, "room": "second"})
    life = {"version": 1, "life_cycle": "inactive"}
    ada.ask("PATCH", "/devices/wh-2", 409, json=life)

    held = ada.ask("GET", "/devices/wh-2")
    assert (held["room"], held["life_cycle"]) == ("first", "active")


def test_only_an_administrator_may_register_or_change(vera: Program) -> None:
    """A viewer reads devices and is refused every change, whatever its version."""
    vera.ask("GET", "/devices/wh-1")
    vera.ask("POST", "/devices", 403, json={"id": "wh-x", "name": "X"})
    vera.ask("PATCH", "/devices/wh-1", 403, json={"version": 77, "name": "X"})
    life = {"version": 77, "life_cycle": "removed"}
    vera.ask("PATCH", "/devices/wh-1", 403, json=life)
    vera.ask("GET", "/devices/wh-x", 404)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"id": "wh-1", "name": "taken"}, 409),
        ({"id": "a b", "name": "x"}, 422),
        ({"id": "wh-y"}, 422),
        ({"id": "wh-y", "name": "x", "colour": "red"}, 422),
        ({"id": "wh-y", "name": ""}, 400),
        ({"id": "wh-y", "name": "x", "life_cycle": "removed"}, 400),
        ({"id": "wh-y", "name": "x", "modes": ["turbo"]}, 400),
        ({"id": "wh-y", "name": "x", "setpoint_min_c": 70, "setpoint_max_c": 50}, 400),
        ({"id": "wh-y", "name": "x", "bands": {"colour": {"low": 0, "high": 1}}}, 400),
        ({"id": "wh-y", "name": "x", "bands": {"power_w": {"low": 2, "high": 1}}}, 400),
        ({"id": "wh-y", "name": "\u0007"}, 400),
    ],
)
def test_wrong_devices_are_refused(ada: Program, body: Any, status: int) -> None:
    """A wrong field is named by a problem document, and nothing is stored."""
    ada.ask("POST", "/devices", status, json=body)
    ada.ask("GET", "/devices/wh-y", 404)


def test_a_name_cannot_be_taken_away(ada: Program) -> None:
    """Facts can become unknown, the name cannot."""
    ada.ask("PATCH", "/devices/wh-3", 400, json={"version": 1, "name": None})
    both = {"version": 1, "name": "x", "life_cycle": "inactive"}
    ada.ask("PATCH", "/devices/wh-3", 400, json=both)


def test_devices_come_in_pages_by_id(vera: Program) -> None:
    """Following the cursor gives each device once, ordered by id."""
    ids = [device["id"] for device in collected(vera, "/devices", 1)]

    assert ids == sorted(set(ids))
    assert {"wh-1", "wh-9"} <= set(ids)


def test_events_come_in_pages_though_new_ones_arrive(
    portal: Portal, vera: Program
) -> None:
    """Following the cursor repeats no event when one arrives in between."""
    store = portal.stores.device_store

    def log(minutes: int, words: str) -> None:
        when = NOW - timedelta(minutes=minutes)
        with store.transaction() as tx:
            store.add_events(tx, [Event("wh-1", when, "alert", "high", words)])

    for minutes in range(5):
        log(minutes, f"e{minutes}")
    path = "/devices/wh-1/events?category=alert&limit=2"
    first = vera.ask("GET", path)
    log(-1, "new")
    second = vera.ask("GET", f"{path}&cursor={first['next_cursor']}")

    assert [e["message"] for e in first["items"]] == ["e0", "e1"]
    assert [e["message"] for e in second["items"]] == ["e2", "e3"]
    vera.ask("GET", "/devices/wh-1/events?category=odd", 400)
    vera.ask("GET", "/devices/nobody/events", 404)


def test_a_shadow_is_answered_with_its_delta(portal: Portal, vera: Program) -> None:
    """Reported keys with their times; without a shadow it is a 404."""
    vera.ask("GET", "/devices/wh-3/shadow", 404)
    store = portal.stores.shadows
    with store.transaction() as tx:
        store.put_reported(tx, "wh-3", {"mode": "eco"}, NOW)

    shadow = vera.ask("GET", "/devices/wh-3/shadow")

    assert (shadow["reported"], shadow["delta"]) == ({"mode": "eco"}, {})
    assert shadow["reported_at"] == {"mode": "2026-03-10T12:00:00Z"}


def test_strangers_get_nothing(portal: Portal) -> None:
    """Without a session every one of these routes answers 401."""
    client = portal.app.server.test_client()
    for path in ("/fleet", "/devices", "/devices/wh-1", "/devices/wh-1/events"):
        assert client.get(f"{API}{path}").status_code == 401
