"""Messages of devices are stored, or listed with the reason why they are not."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from sqlalchemy.exc import OperationalError

from data.records import Device
from services.ingest import Ingest, Taken
from tests.conftest import NOW, OPERATOR, Stores

AT = "2026-03-10T11:59:00+00:00"
OURS = "iot/v1/wh-1/telemetry"


@pytest.fixture
def ingest(stores: Stores, heater: Device) -> Ingest:
    """The service on the test's stores, with one heater registered."""
    return build(stores)


def build(stores: Stores) -> Ingest:
    """The service on stores that are open."""
    return Ingest(
        stores.telemetry,
        stores.courier,
        stores.links,
        stores.device_store,
        stores.controls,
        stores.clock,
    )


def message(topic: str, body: object) -> tuple[str, bytes]:
    """A message as the broker hands it over."""
    return topic, json.dumps(body).encode()


def reading(minute: int, **values: object) -> dict[str, object]:
    """One reading of a minute before noon."""
    return {"ts": (NOW - timedelta(minutes=minute)).isoformat(), **values}


def test_every_kind_is_counted_and_stored(stores: Stores, ingest: Ingest) -> None:
    """A batch of all kinds leaves rows, a link, a shadow and its counts."""
    taken = ingest.take(
        [
            message("iot/v1/wh-1/birth", {"session": 1, "capabilities": {"a": 1}}),
            message(OURS, reading(2, power_w=3.0, rssi=-3)),
            message(OURS, [reading(1, power_w=4.0), reading(1, power_w=4.0)]),
            message("iot/v1/wh-1/reported", {"seq": 0, "session": 1, "state": {}}),
            message("iot/v1/wh-1/reported", {"seq": 0, "session": 1, "state": {}}),
            message("iot/v1/wh-1/cmd/ack", {"id": 1, "state": "accepted"}),
            message("v1/devices/wh-1/telemetry", {"power_w": 900.0}),
        ]
    )

    assert taken == Taken(
        messages=7, readings=3, duplicates=1, answers=1, reports=2, presences=1,
        stale=1, unknown=taken.unknown,
    )  # fmt: skip
    assert taken.unknown == {"rssi": 1}
    assert stores.links.links(["wh-1"])["wh-1"].birth == {"a": 1}
    rows = stores.lake.readings("wh-1", NOW - timedelta(hours=1), NOW, 10)
    assert rows["power_w"].tolist() == [3.0, 4.0]


@pytest.mark.parametrize(
    ("topic", "body", "reason"),
    [
        (OURS, {"ts": "1970-01-01", "power_w": 1}, "ts is before"),
        (OURS, {"ts": "2100-01-01", "power_w": 1}, "ts is more than 10 minutes"),
        (OURS, {"power_w": 1}, "ts is missing"),
        (OURS, {"ts": AT, "rssi": 1}, "the row has no value"),
        (OURS, {"ts": AT, "mode": "x"}, "mode is not one of"),
        (OURS, {"ts": AT, "power_w": "1"}, "reading 0: power_w is not a number"),
        (OURS, {"ts": AT, "power_w": 2**70}, ""),
        ("iot/v1/wh-2/telemetry", {"ts": AT, "power_w": 1}, "wh-2 is not registered"),
        ("iot/v1/wh-2/status", {"online": True}, "device wh-2 is not registered"),
        ("iot/v1/wh-3/status", {"online": True}, "device wh-3 is inactive"),
        ("iot/v1/wh-3/telemetry", {"ts": AT, "power_w": 1}, "wh-3 is inactive"),
        ("a\ud800\x00b", {}, "nothing is expected on this topic"),
    ],
)
def test_what_cannot_be_taken_is_listed(
    stores: Stores, ingest: Ingest, topic: str, body: object, reason: str
) -> None:
    """The reason and the payload of a rejected message are kept for people."""
    stores.add(Device(id="wh-3", name="Old", life_cycle="inactive"))

    taken = ingest.take([message(topic, body)])

    listed = stores.links.rejects()
    if not reason:
        assert (taken.readings, listed) == (1, [])
        return
    assert taken.rejected == 1
    assert reason in listed[0].reason
    assert json.loads(listed[0].payload) == body


def test_one_bad_reading_rejects_its_message_alone(
    stores: Stores, ingest: Ingest
) -> None:
    """The other readings of the message, and the other messages, are stored."""
    taken = ingest.take(
        [
            message(OURS, [reading(5, power_w=1), reading(10**7, power_w=1)]),
            message(OURS, reading(4, power_w=1)),
        ]
    )

    assert (taken.readings, taken.rejected) == (2, 1)
    assert stores.links.rejects()[0].size > 0


def test_a_large_batch_is_stored_in_portions(stores: Stores, ingest: Ingest) -> None:
    """More readings than one transaction takes are all stored, places kept."""
    batches = [
        message(OURS, [reading(1 + n + 900 * m, power_w=1) for n in range(900)])
        for m in range(8)
    ]
    late = message(OURS, reading(10**7, power_w=1))

    taken = ingest.take([*batches, late])

    assert (taken.readings, taken.rejected) == (7_200, 1)
    assert stores.links.rejects()[0].payload == late[1]


def test_the_same_messages_twice_change_nothing(stores: Stores, ingest: Ingest) -> None:
    """What is delivered again is a duplicate, and late reports are stale."""
    messages = [
        message(OURS, reading(2, power_w=3.0)),
        message("iot/v1/wh-1/reported", {"seq": 4, "state": {"power": True}}),
    ]
    ingest.take(messages)
    shadow = stores.shadows.get("wh-1")

    again = ingest.take(messages)

    assert (again.readings, again.duplicates, again.stale) == (0, 1, 1)
    assert stores.shadows.get("wh-1") == shadow


def test_a_wish_becomes_applied(stores: Stores, ingest: Ingest) -> None:
    """An answer and a report in one batch bring a command to its end."""
    stores.controls.ask(OPERATOR, "wh-1", {"mode": "eco"})
    (command,) = stores.commands.newest("wh-1")

    ingest.take(
        [
            message("iot/v1/wh-1/cmd/ack", {"id": command.id, "state": "accepted"}),
            message(
                "iot/v1/wh-1/reported",
                {"version": command.version, "seq": 1, "state": {"mode": "eco"}},
            ),
        ]
    )

    assert stores.commands.newest("wh-1")[0].state == "applied"


def test_a_database_that_cannot_write_is_said(
    stores: Stores, ingest: Ingest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error comes through, so that nothing is acknowledged."""

    def full(*_args: object) -> None:
        raise OperationalError("INSERT", {}, OSError("disk full"))

    monkeypatch.setattr(stores.links, "reject", full)

    with pytest.raises(OperationalError):
        ingest.take([message("iot/v1/wh-1/birth", 1)])


def test_a_message_that_breaks_the_store_is_given_up(
    stores: Stores, ingest: Ingest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a batch that cannot be stored only the one that breaks it is lost, and
    listed."""
    accept = stores.telemetry.accept

    def breaks(caller: object, frame: object) -> object:
        if (frame["power_w"] == 666).any():
            raise ValueError("no such number")
        return accept(caller, frame)

    monkeypatch.setattr(stores.telemetry, "accept", breaks)

    taken = ingest.take(
        [message(OURS, reading(n, power_w=666 if n == 3 else n)) for n in range(1, 8)]
    )

    assert (taken.messages, taken.readings, taken.rejected) == (7, 6, 1)
    assert stores.links.rejects()[0].reason == "it cannot be stored: ValueError"


def test_nothing_is_nothing(ingest: Ingest) -> None:
    """An empty batch is taken without a transaction."""
    assert ingest.take([]) == Taken()


@pytest.mark.postgres
def test_the_same_on_postgresql(postgres_stores: Stores) -> None:
    """Readings, rejects and links are stored there too."""
    postgres_stores.add(Device(id="wh-1", name="Boiler room"))
    ingest = build(postgres_stores)

    taken = ingest.take(
        [
            message(OURS, reading(2, power_w=3.0)),
            message("iot/v1/wh-1/status", {"online": True, "session": 2**53 - 1}),
            message("a\ud800\x00b", {}),
        ]
    )

    assert (taken.readings, taken.presences, taken.rejected) == (1, 1, 1)
    assert postgres_stores.links.links(["wh-1"])["wh-1"].session == 2**53 - 1
