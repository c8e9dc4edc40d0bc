"""HTTP for devices, behind the real guard of the whole application."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask.testing import FlaskClient

from data.records import Device
from services.access import DEVICE_PERMISSIONS
from settings import Settings
from tests.conftest import ADMIN, NOW, OPERATOR, Clock, open_stores
from tests.portal import Portal, open_portal

SEND, SAY, DESIRED = (
    f"/api/v1/device/{name}" for name in ("telemetry", "messages", "desired")
)
READING = {"ts": "2026-03-10T11:59:00Z", "temperature_c": 55.5}


class Heater:
    """A device that speaks HTTP with its secret."""

    def __init__(self, site: Portal, device_id: str) -> None:
        self.id = device_id
        self.client: FlaskClient = site.app.server.test_client()
        self.secret = site.services.credentials.issue(ADMIN, device_id)

    @property
    def basic(self) -> dict[str, str]:
        """The header it shows."""
        shown = b64encode(f"{self.id}:{self.secret}".encode()).decode()
        return {"Authorization": f"Basic {shown}"}

    def send(self, *rows: Any, key: str | None = None) -> Any:
        """The answer to a batch."""
        headers = self.basic | ({"Idempotency-Key": key} if key else {})
        body = {"readings": list(rows)}
        return self.client.post(SEND, json=body, headers=headers)

    def say(self, *messages: Any) -> Any:
        """The answer to messages."""
        body = {"messages": [told(message) for message in messages]}
        return self.client.post(SAY, json=body, headers=self.basic)

    def ask(self) -> Any:
        """What is wished of it."""
        answer = self.client.get(DESIRED, headers=self.basic)
        assert answer.status_code == 200, answer.text
        return answer.get_json()


def told(message: Any) -> Any:
    """A message as it is sent: the topic apart from its payload."""
    if not isinstance(message, dict) or "topic" not in message:
        return message
    payload = {name: value for name, value in message.items() if name != "topic"}
    return {"topic": message["topic"], "payload": payload}


@contextmanager
def opened(home: Any, clock: Clock, **changes: Any) -> Iterator[Portal]:
    """The application on stores of its own."""
    settings = Settings(home_dir=home, secret_key="k7!" + "Zq3xW9vB" * 5, **changes)
    with (
        contextmanager(open_stores)(settings, clock) as stores,
        open_portal(stores) as portal,
    ):
        yield portal


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """The application, and clocks that tests move."""
    with opened(tmp_path_factory.mktemp("door"), Clock()) as portal:
        yield portal


@pytest.fixture
def heater(site: Portal, request: pytest.FixtureRequest) -> Heater:
    """A heater of this test's own with a fresh secret."""
    device_id = f"t-{abs(hash(request.node.nodeid)) % 10**9}"
    site.stores.add(
        Device(id=device_id, name=device_id, setpoint_min_c=40, setpoint_max_c=65)
    )
    return Heater(site, device_id)


def test_readings_go_in_without_naming_the_device(site: Portal, heater: Heater) -> None:
    """Good rows are taken, a bad one is refused with its place and reason."""
    early = {"ts": "1999-01-01T00:00:00Z", "temperature_c": 1}
    answer = heater.send(READING, {**READING, "device_id": heater.id}, early)
    receipt = answer.get_json()

    assert answer.status_code == 200, answer.text
    assert (receipt["read"], receipt["taken"], receipt["duplicates"]) == (3, 1, 1)
    assert [row["row"] for row in receipt["rejected"]] == [2]
    latest = site.stores.metrics.latest([heater.id])[heater.id]
    assert latest.values["temperature_c"].value == 55.5


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({"readings": []}, 400, "no reading"),
        ({"readings": [{**READING, "colour": 1}]}, 400, "unknown field"),
        ({"readings": [{**READING, "device_id": "wh-1"}]}, 400, "another device"),
        ({"readings": [READING], "device_id": "wh-1"}, 422, "device_id"),
        ({"readings": "x"}, 422, "readings"),
        ({"readings": [{}] * 10_001}, 413, "at most 10000"),
    ],
)
def test_a_batch_that_cannot_be_read_is_refused_whole(
    heater: Heater, body: Any, status: int, words: str
) -> None:
    """The answer names what is wrong; nothing is taken."""
    answer = heater.client.post(SEND, json=body, headers=heater.basic)

    assert answer.status_code == status, answer.text
    assert words in answer.get_json()["detail"]


def test_a_body_over_the_limit_is_refused(heater: Heater) -> None:
    """One megabyte is the most, for devices as for everybody."""
    big = b'{"readings": [' + b" " * 1_000_000 + b"]}"
    answer = heater.client.post(
        SEND, data=big, headers=heater.basic, content_type="application/json"
    )

    assert answer.status_code == 413


def test_a_repeat_under_its_key_gets_the_same_receipt(
    site: Portal, heater: Heater
) -> None:
    """The same key and batch is answered from memory; another batch is a conflict."""
    first = heater.send(READING, key="k-1")
    again = heater.send(READING, key="k-1")
    other = heater.send({**READING, "temperature_c": 1.0}, key="k-1")
    new = heater.send(READING, key="k-2")

    assert first.get_json()["taken"] == 1
    assert again.get_json() == first.get_json()
    assert other.status_code == 409
    assert new.get_json()["duplicates"] == 1
    neighbour = Heater(site, "wh-2")
    assert neighbour.send({**READING, "temperature_c": 3.0}, key="k-1").json["taken"]


def test_a_key_is_forgotten_after_a_week(tmp_path: Any) -> None:
    """Eight days later the same key takes another batch."""
    clock = Clock()
    with opened(tmp_path, clock) as site:
        heater = Heater(site, "wh-1")
        heater.send(READING, key="k")
        clock.forward(days=8)
        heater.send(READING, key="other")

        assert heater.send({**READING, "temperature_c": 9.0}, key="k").json["read"]


@pytest.mark.parametrize("key", ["", "x" * 121, "a\tb"])
def test_a_key_has_a_form(heater: Heater, key: str) -> None:
    """An empty, long or unprintable key is refused, not cut."""
    headers = {**heater.basic, "Idempotency-Key": key}
    answer = heater.client.post(SEND, json={"readings": [READING]}, headers=headers)

    assert answer.status_code in {400, 422}


def test_a_wish_is_fetched_answered_and_applied(site: Portal, heater: Heater) -> None:
    """The whole life of a command over HTTP; each poll until the answer tells again."""
    (command,) = site.stores.controls.ask(
        OPERATOR, heater.id, {"target_temperature_c": 50.0}
    )
    wish = heater.ask()
    assert wish["state"] == {"target_temperature_c": 50.0}
    assert [(c["id"], c["key"], c["value"]) for c in wish["commands"]] == [
        (command.id, "target_temperature_c", 50.0)
    ]
    assert standing(site, heater) == ("pending", "sent")
    assert len(heater.ask()["commands"]) == 1

    heater.say({"topic": "cmd/ack", "id": command.id, "state": "accepted"})
    assert standing(site, heater) == ("pending", "accepted")
    assert heater.ask()["commands"] == []

    report = {
        "topic": "reported", "version": wish["version"], "session": 1, "seq": 1,
        "state": {"target_temperature_c": 50.0},
    }  # fmt: skip
    assert heater.say(report).get_json() == {"read": 1, "stale": 0}
    assert standing(site, heater) == ("applied", "applied")
    assert heater.say(report).get_json() == {"read": 1, "stale": 1}


def standing(site: Portal, heater: Heater) -> tuple[str, str]:
    """Where the wish for a target stands, and its command."""
    found = site.stores.controls.standings(ADMIN, heater.id)
    one = next(s for s in found if s.key == "target_temperature_c")
    assert one.command is not None
    return one.state, one.command.state


def test_a_refusal_reaches_the_person_who_asked(site: Portal, heater: Heater) -> None:
    """The device's reason stands at the command."""
    (command,) = site.stores.controls.ask(
        OPERATOR, heater.id, {"target_temperature_c": 51.0}
    )
    heater.ask()
    said = {"topic": "cmd/ack", "id": command.id, "state": "refused", "reason": "lock"}
    heater.say(said)

    assert standing(site, heater) == ("refused", "refused")
    assert site.stores.commands.newest(heater.id)[0].reason == "lock"


def test_a_polling_heater_is_left_to_its_polls(site: Portal, heater: Heater) -> None:
    """It is never online for the broker, so no command is published into the void."""
    heater.say({"topic": "birth", "session": 4, "capabilities": {"modes": ["eco"]}})
    heater.say({"topic": "status", "online": True, "session": 4})
    site.stores.controls.ask(OPERATOR, heater.id, {"target_temperature_c": 50.0})
    link = site.stores.links.links([heater.id])[heater.id]

    assert (link.online, link.session) == (False, 4)
    assert link.birth == {"modes": ["eco"]}
    assert heater.id not in {c.device_id for c in site.stores.courier.outgoing()}
    heater.ask()
    site.stores.clock.forward(seconds=20)
    site.stores.courier.look_at_clock()
    assert standing(site, heater) == ("pending", "queued")
    assert len(heater.ask()["commands"]) == 1
    site.stores.clock.now = NOW


@pytest.mark.parametrize(
    "message",
    [
        {}, {"topic": "cmd"}, {"topic": "status"}, {"topic": "reported"}, [], 1,
        {"topic": "telemetry", "ts": 1}, {"topic": "reported", "state": {}, "seq": -2},
        {"topic": "reported", "state": {"power": 3}}, {"topic": "birth"},
        {"topic": "reported", "state": {}, "ts": "yesterday"},
        {"topic": "birth", "session": 2**80},
        {"topic": "birth", "session": 1, "capabilities": {"a": "\x00"}},
        {"topic": "birth", "session": 1, "capabilities": {"a": "\ud800"}},
        {"topic": "status", "online": True, "device_id": "wh-1"},
        {"topic": "cmd/ack", "id": 1, "state": "maybe"},
    ],
)  # fmt: skip
def test_messages_of_no_known_form_are_refused(
    site: Portal, heater: Heater, message: Any
) -> None:
    """One bad message refuses the request and is named; nothing is taken."""
    good = {"topic": "birth", "session": 9, "capabilities": {}}

    assert heater.say(good, message).status_code in {400, 422}
    assert site.stores.links.links([heater.id]) == {}


def test_the_number_of_messages_is_limited(heater: Heater) -> None:
    """None and more than a hundred are refused."""
    assert heater.say().status_code == 422
    assert heater.say(*[{"topic": "status", "online": True}] * 101).status_code == 422


def test_another_devices_command_cannot_be_answered(
    site: Portal, heater: Heater
) -> None:
    """An id that is somebody else's changes nothing."""
    (command,) = site.stores.controls.ask(
        OPERATOR, "wh-1", {"target_temperature_c": 50.0}
    )
    heater.say({"topic": "cmd/ack", "id": command.id, "state": "refused"})

    assert site.stores.commands.newest("wh-1")[0].state == "queued"


@pytest.mark.parametrize(
    "header",
    [
        "Basic", "Basic ", "Basic !!!", "Basic " + b64encode(b"\xff\xfe:x").decode(),
        "Basic " + b64encode(b"wh-1").decode(), "Basic " + b64encode(b":").decode(),
        "Basic " + b64encode(b"wh-1:wrong").decode(),
        "Basic " + b64encode(b"nobody:wrong").decode(),
        "Digest username=wh-1", "Bearer x",
    ],
)  # fmt: skip
def test_wrong_credentials_are_a_401(site: Portal, header: str) -> None:
    """Malformed, unknown or wrong: an unknown id sounds like a wrong secret."""
    client = site.app.server.test_client()
    answer = client.get(DESIRED, headers={"Authorization": header})

    assert answer.status_code == 401
    if header.startswith("Basic"):
        assert answer.get_json()["detail"] == "The device's credentials are not right."


def test_a_secret_opens_its_own_routes_only(site: Portal, heater: Heater) -> None:
    """Every other route of the application refuses a good device secret."""
    for rule in site.app.server.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or "<" in rule.rule:
            continue
        if not rule.rule.startswith("/api/v1/") or rule.rule in PUBLIC:
            continue
        answer = heater.client.get(rule.rule, headers=heater.basic)
        own = rule.rule.startswith("/api/v1/device/")
        assert answer.status_code == (200 if own else 401), rule.rule


PUBLIC = {"/api/v1/health", "/api/v1/ready"}


@pytest.mark.parametrize("who", ["vera", "otto", "ada"])
def test_no_person_speaks_for_a_device(site: Portal, who: str) -> None:
    """A signed-in person, an admin too, is refused at the devices' door."""
    browser = site.browser(who)
    token = browser.get_cookie("csrf_access_token")
    headers = {"X-CSRF-TOKEN": token.value if token else ""}
    answers = [
        browser.get(DESIRED),
        browser.post(SEND, json={"readings": [READING]}, headers=headers),
        browser.post(
            SAY,
            json={"messages": [{"topic": "status", "payload": {"online": True}}]},
            headers=headers,
        ),
    ]

    assert [a.status_code for a in answers] == [403, 403, 403]
    assert all(name in answers[0].text for name in DEVICE_PERMISSIONS)


def test_session_and_secret_together_are_refused(site: Portal, heater: Heater) -> None:
    """A request says in one way who it is."""
    assert site.browser("ada").get(DESIRED, headers=heater.basic).status_code == 400


def test_an_old_or_revoked_secret_is_a_401_at_once(
    site: Portal, heater: Heater
) -> None:
    """Rotation, revocation and deactivation count from the next request on."""
    old = heater.basic
    heater.secret = site.services.credentials.issue(ADMIN, heater.id)
    assert heater.client.get(DESIRED, headers=old).status_code == 401
    assert heater.client.get(DESIRED, headers=heater.basic).status_code == 200
    site.stores.devices.set_life_cycle(ADMIN, heater.id, "inactive")
    assert heater.client.get(DESIRED, headers=heater.basic).status_code == 401
    site.stores.devices.set_life_cycle(ADMIN, heater.id, "active")
    site.services.credentials.revoke(ADMIN, heater.id)
    assert heater.client.get(DESIRED, headers=heater.basic).status_code == 401


def test_a_guesser_is_slowed_and_the_device_is_not(tmp_path: Any) -> None:
    """Failures count by address, good requests by device: neither hits the other."""
    with opened(tmp_path, Clock(), api_per_minute=3) as site:
        heater, other = Heater(site, "wh-1"), Heater(site, "wh-2")
        wrong = {"Authorization": "Basic " + b64encode(b"wh-1:x").decode()}
        failed = [heater.client.get(DESIRED, headers=wrong) for _ in range(5)]
        assert [a.status_code for a in failed] == [401, 401, 401, 429, 429]
        good = [heater.client.get(DESIRED, headers=heater.basic) for _ in range(4)]
        assert [a.status_code for a in good] == [200, 200, 200, 429]
        assert other.client.get(DESIRED, headers=other.basic).status_code == 200
