"""Wishes over REST: by role, all or nothing, versioned, confirmed, listed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from data.records import Device
from settings import Settings
from tests.api.test_fleet import API, Program, collected
from tests.conftest import NOW, Clock, open_stores
from tests.portal import Portal, open_portal

TARGET = "target_temperature_c"


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """The application with three sample heaters."""
    home = tmp_path_factory.mktemp("commands")
    key = "k7!" + "Zq3xW9vB" * 5
    settings = Settings(home_dir=home, secret_key=key, max_page=100)
    with (
        contextmanager(open_stores)(settings, Clock()) as stores,
        open_portal(stores) as opened,
    ):
        yield opened


@pytest.fixture
def heater(portal: Portal, request: pytest.FixtureRequest) -> str:
    """A heater of the test's own; the path to it."""
    device_id = f"h-{abs(hash(request.node.name)) % 10**12}"
    device = Device(
        id=device_id, name="Boiler room", modes=("off", "eco"),
        setpoint_min_c=40, setpoint_max_c=65,
    )  # fmt: skip
    portal.stores.add(device)
    return f"/devices/{device_id}"


@pytest.fixture(scope="module")
def vera(portal: Portal) -> Program:
    """A viewer's program."""
    return Program(portal, "vera")


@pytest.fixture(scope="module")
def otto(portal: Portal) -> Program:
    """An operator's program."""
    return Program(portal, "otto")


@pytest.fixture(scope="module")
def ada(portal: Portal) -> Program:
    """An administrator's program."""
    return Program(portal, "ada")


def asked(**wishes: Any) -> dict[str, Any]:
    """A body of wishes."""
    return {"json": {"wishes": wishes}}


def test_wishes_are_taken_and_can_be_followed(
    otto: Program, vera: Program, heater: str
) -> None:
    """202 with queued commands; a viewer reads them, the shadow shows them wished."""
    end = (NOW + timedelta(days=2)).isoformat()
    taken = otto.ask(
        "POST", f"{heater}/commands", 202,
        **asked(target_temperature_c=52, mode="eco", power=True, away_until=end),
    )  # fmt: skip
    assert taken["version"] == 1
    assert {c["key"]: c["value"] for c in taken["items"]} == {
        TARGET: 52.0, "mode": "eco", "power": True, "away_until": end
    }  # fmt: skip
    assert {c["state"] for c in taken["items"]} == {"queued"}
    assert {c["asked_by"] for c in taken["items"]} == {"otto"}
    assert taken["items"][0]["asked_at"] == "2026-03-10T12:00:00Z"

    listed = vera.ask("GET", f"{heater}/commands")["items"]
    assert listed == taken["items"][::-1]
    shadow = vera.ask("GET", f"{heater}/shadow")
    assert shadow["reported"] == {}
    assert shadow["delta"] == shadow["desired"] == {
        TARGET: 52.0, "mode": "eco", "power": True, "away_until": end
    }  # fmt: skip


@pytest.mark.parametrize(
    ("who", "read", "write"),
    [("vera", 200, 403), ("otto", 200, 202), ("ada", 200, 202)],
)
def test_who_may_wish(
    portal: Portal, heater: str, who: str, read: int, write: int
) -> None:
    """Viewers read the log and are refused every wish, by both routes."""
    program = Program(portal, who)
    program.ask("POST", f"{heater}/commands", write, **asked(mode="eco"))
    merged = {"json": {"desired": {"mode": "off"}}}
    program.ask("PATCH", f"{heater}/shadow", 403 if write == 403 else 200, **merged)
    program.ask("GET", f"{heater}/commands")


def test_strangers_get_nothing(portal: Portal, heater: str) -> None:
    """Without a session each of these routes answers 401."""
    client = portal.app.server.test_client()
    for method, path in (
        ("GET", "commands"),
        ("POST", "commands"),
        ("PATCH", "shadow"),
    ):
        answer = client.open(f"{API}{heater}/{path}", method=method, json={})
        assert answer.status_code == 401


def test_desired_state_is_merged_and_null_deletes(otto: Program, heater: str) -> None:
    """Other keys stay; null takes a wish back; the answer is the shadow."""
    path = f"{heater}/shadow"
    otto.ask("PATCH", path, json={"desired": {TARGET: 52, "mode": "eco"}})
    shadow = otto.ask("PATCH", path, json={"desired": {"mode": None, "power": False}})

    assert shadow["desired"] == {TARGET: 52.0, "power": False}
    assert shadow["version"] == 2
    states = {c["key"]: c["state"] for c in collected(otto, f"{heater}/commands", 2)}
    assert states == {TARGET: "queued", "mode": "superseded", "power": "queued"}


def test_a_withdrawal_makes_no_command_and_answers_the_version(
    otto: Program, heater: str
) -> None:
    """Taking a wish back is a new version and an empty list of commands."""
    path = f"{heater}/commands"
    otto.ask("POST", path, 202, **asked(mode="eco"))

    assert otto.ask("POST", path, 202, **asked(mode=None)) == {
        "items": [],
        "version": 2,
    }


def test_a_stale_version_is_a_conflict(
    otto: Program, ada: Program, heater: str
) -> None:
    """Who has read before the last wish is told, and changes nothing."""
    path = f"{heater}/commands"
    ada.ask("POST", path, 202, **asked(mode="eco"))
    body = {"wishes": {"mode": "off"}, "version": 0}
    problem = otto.ask("POST", path, 409, json=body)
    assert "Somebody else has set" in problem["detail"]
    merged = {"desired": {"mode": "off"}, "version": 0}
    otto.ask("PATCH", f"{heater}/shadow", 409, json=merged)
    assert otto.ask("GET", f"{heater}/shadow")["desired"] == {"mode": "eco"}

    otto.ask("POST", path, 202, json={**body, "version": 1})


def test_a_dangerous_wish_needs_a_confirmation(otto: Program, heater: str) -> None:
    """428 with the rule's words; the same with confirmed is taken."""
    path = f"{heater}/commands"
    problem = otto.ask("POST", path, 428, **asked(target_temperature_c=58))
    assert "scalds" in problem["detail"]
    assert otto.ask("GET", path)["items"] == []
    merged = {"desired": {TARGET: 58}}
    otto.ask("PATCH", f"{heater}/shadow", 428, json=merged)

    otto.ask("PATCH", f"{heater}/shadow", 200, json={**merged, "confirmed": True})


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"wishes": {}}, 400),
        ({"wishes": []}, 422),
        ({"wishes": {"colour": "red"}}, 400),
        ({"wishes": {TARGET: 70}}, 400),
        ({"wishes": {TARGET: "52"}}, 400),
        ({"wishes": {TARGET: True}}, 400),
        ({"wishes": {TARGET: 10**400}}, 400),
        ({"wishes": {"mode": "gas"}}, 400),
        ({"wishes": {"mode": ["eco"]}}, 400),
        ({"wishes": {"power": 1}}, 400),
        ({"wishes": {"away_until": "2026-03-12T18:30"}}, 400),
        ({"wishes": {"away_until": True}}, 400),
        ({"wishes": {"mode": "eco"}, "version": "1"}, 422),
        ({"wishes": {"mode": "eco"}, "version": -1}, 422),
        ({"wishes": {"mode": "eco"}, "confirmed": "yes"}, 422),
        ({"wishes": {"mode": "eco"}, "more": 1}, 422),
        ({"wishes": {"mode": "eco", "power": 3}}, 400),
    ],
)
def test_wrong_wishes_are_refused(
    otto: Program, heater: str, body: Any, status: int
) -> None:
    """A problem document says what is wrong, and no part of it is wished."""
    otto.ask("POST", f"{heater}/commands", status, json=body)

    assert otto.ask("GET", f"{heater}/commands")["items"] == []


def test_a_device_that_is_not_there_or_not_active(
    otto: Program, ada: Program, heater: str
) -> None:
    """404 for no device, 409 for one that was taken out of use."""
    otto.ask("POST", "/devices/nobody/commands", 404, **asked(mode="eco"))
    otto.ask("PATCH", "/devices/nobody/shadow", 404, json={"desired": {"mode": "eco"}})
    otto.ask("GET", "/devices/nobody/commands", 404)
    ada.ask("PATCH", heater, json={"version": 1, "life_cycle": "inactive"})
    otto.ask("POST", f"{heater}/commands", 409, **asked(mode="eco"))


def test_commands_come_in_pages_newest_first(otto: Program, heater: str) -> None:
    """The cursor gives each command once; a made-up cursor or limit is a 400."""
    path = f"{heater}/commands"
    for target in range(41, 46):
        otto.ask("POST", path, 202, **asked(target_temperature_c=target))
    found = collected(otto, path, 2)

    assert [c["value"] for c in found] == [45.0, 44.0, 43.0, 42.0, 41.0]
    assert {c["reason"] for c in found[1:]} == {"replaced by a newer wish"}
    otto.ask("GET", f"{path}?cursor=odd", 400)
    otto.ask("GET", f"{path}?limit=101", 400)
