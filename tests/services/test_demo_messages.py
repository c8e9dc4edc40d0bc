"""What simulated heaters say over a broker is what they say within the process."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pandas as pd
import pytest

from data.records import METRICS
from data.talk_records import Command
from services import messages
from services.access import SYSTEM
from services.courier_desk import Answer, Heard, Presence, Report
from services.demo_messages import MOST_ROWS, heard, readings, said
from services.message_rows import Readings
from tests.conftest import NOW, Stores
from tests.conftest import readings as frame_of
from tests.services.test_demo import demo_fleet
from workers.mqtt_sender import command_payload

ONE = "heater-001"


@pytest.mark.parametrize(
    "message",
    [
        Answer(ONE, 7, accepted=True),
        Answer(ONE, 7, accepted=False, reason="the panel is locked"),
        Report(ONE, {"power": True, "mode": "eco"}, NOW, 5, 1_700_000_000, 3),
        Report(ONE, {"away_until": False, "firmware": "1.2"}, NOW, -1, 4, 0),
        Presence(ONE, online=False, at=NOW, session=4),
        Presence(ONE, online=True, at=NOW, session=4),
    ],
)
def test_what_is_said_is_read_as_it_was_meant(message: Heard) -> None:
    """The parser for real devices gives back the very record."""
    (one,) = said(message)

    assert messages.read(one.topic, one.payload, NOW) == message
    assert one.retain == isinstance(message, Presence)


def test_a_birth_is_followed_by_its_status() -> None:
    """Both are kept by the broker, where an older status would have the last word."""
    born = Presence(ONE, online=True, at=NOW, session=4, birth={"modes": ["eco"]})
    birth, status = said(born)

    assert messages.read(birth.topic, birth.payload, NOW) == born
    assert messages.read(status.topic, status.payload, NOW) == replace(born, birth=None)
    assert (birth.retain, status.retain) == (True, True)


def test_a_command_is_heard_as_it_was_sent_and_not_after_its_time() -> None:
    """Number, version, key and value arrive; what is over or no command does not."""
    until = NOW + timedelta(hours=1)
    sent = Command(ONE, "power", False, 9, "queued", "x", NOW, until, id=3)
    topic, payload = f"iot/v1/{ONE}/cmd", command_payload(sent)

    found = heard(topic, payload, NOW)
    assert found == replace(sent, state="sent", asked_by="")
    assert heard(topic, payload, until) is None
    for junk in (b"", b"[]", b"{}", b"3", payload.replace(b'"id":3', b'"id":"x"')):
        assert heard(topic, junk, NOW) is None


def test_readings_arrive_as_they_were_measured(stores: Stores) -> None:
    """Each value of each reading, and nothing for what was not measured."""
    seen = []
    fleet = demo_fleet(stores)
    fleet.create(SYSTEM, days=0.1, heaters=2)
    fleet.carry = lambda frame: seen.append(frame) or True
    stores.clock.forward(seconds=5)
    fleet.advance(SYSTEM, stores.clock())
    (frame,) = seen
    for one, row in zip(readings(frame), frame.to_dict("records"), strict=True):
        read = messages.read(one.topic, one.payload, NOW)
        assert isinstance(read, Readings)
        (told,) = read.rows
        assert told.pop("ts") == row.pop("ts").isoformat() + "+00:00"
        measured = pd.Series(row, dtype=object).dropna().to_dict()
        assert told == measured


def test_many_readings_are_several_messages() -> None:
    """None holds more than the parser takes, and no reading is left out."""
    values = dict.fromkeys(METRICS, 1234.5678)
    frame = frame_of(ONE, NOW, 250, mode="performance", heating=True, **values)
    parts = [messages.read(one.topic, one.payload, NOW) for one in readings(frame)]

    found = [len(part.rows) for part in parts if isinstance(part, Readings)]
    assert found == [MOST_ROWS, MOST_ROWS, 250 - 2 * MOST_ROWS]
