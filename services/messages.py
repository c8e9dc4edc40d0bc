"""What a device's message says: a pure function of its topic and its bytes.

Topics are ``iot/v1/<id>/birth|telemetry|status|reported|cmd/ack`` and, for devices
made for ThingsBoard, ``v1/devices/<id>/telemetry``. ThingsBoard itself writes ``me``
for the id and takes the device from its sign-in; a broker in between does not pass on
who signed in, so the id must stand in the topic (where the firmware cannot be
changed, Mosquitto's ``mount_point`` or a bridge's topic map puts it there).

Whoever may publish on a device's topic is that device; the broker's access list sees
to it. The body is not believed when it names another one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from data.records import DEVICE_ID_PATTERN, MODES
from data.talk_records import WISH_KEYS
from services import message_rows
from services.batches import MILLISECONDS_FROM
from services.courier_desk import MOST_REASON, Answer, Presence, Report
from services.message_rows import Readings, Refusal

MOST_BYTES = 65_536
MOST_BIRTH_BYTES = 8_192
DEEPEST = 32
MOST_TEXT = 200
MOST_COUNT = 2**53 - 1
"""Whole numbers above this are not exact in every sender's language."""
HOTTEST_C = 1_000.0
REPORTED = (*WISH_KEYS, "firmware")


@dataclass(frozen=True)
class Rejected:
    """A message that can never be taken, and why."""

    reason: str


Parsed = Readings | Answer | Report | Presence | Rejected

_device_id = re.compile(DEVICE_ID_PATTERN.removesuffix("$") + r"\Z").match


def read(topic: str, payload: bytes, now: datetime) -> Parsed:
    """What the message says. Never raises, whatever the bytes are."""
    try:
        device_id, reader = _address(topic)
        return reader(device_id, _body(payload), now)
    except Refusal as refusal:
        return Rejected(str(refusal))


def _address(topic: str) -> tuple[str, Callable[[str, Any, datetime], Parsed]]:
    parts = topic.split("/", 3)
    if len(parts) == 4:
        reader = READERS.get((parts[0], parts[1], parts[3]))
        if reader is not None and _device_id(parts[2]):
            return parts[2], reader
        if parts[:2] == ["v1", "devices"] and parts[3] == "telemetry":
            raise Refusal("the topic names no device")
    raise Refusal("nothing is expected on this topic")


def _body(payload: bytes) -> Any:
    if len(payload) > MOST_BYTES:
        raise Refusal(f"larger than {MOST_BYTES} bytes")
    if b"\\u0000" in payload:
        # PostgreSQL takes no NUL in a text, and no device means one.
        raise Refusal("there is a NUL character in it")
    try:
        body = orjson.loads(payload)
    except orjson.JSONDecodeError:
        raise Refusal("it is not JSON in UTF-8") from None
    if payload.count(b"[") + payload.count(b"{") > DEEPEST and not _shallow(body):
        raise Refusal(f"nested deeper than {DEEPEST}")
    return body


def _shallow(body: object) -> bool:
    level: list[Any] = [body]
    for _depth in range(DEEPEST):
        level = [
            child
            for node in level
            for child in (node.values() if isinstance(node, dict) else node)
            if isinstance(child, dict | list)
        ]
        if not level:
            return True
    return False


def _object(body: Any, device_id: str) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise Refusal("it is not an object")
    if body.get("device_id", device_id) != device_id:
        raise Refusal("device_id is not the one of the topic")
    return body


def _count(body: dict[str, Any], name: str, unsaid: int | None = None) -> int:
    value = body.get(name)
    if value is None and unsaid is not None:
        return unsaid
    if value.__class__ is not int or not 0 <= value <= MOST_COUNT:
        raise Refusal(f"{name} is not a whole number from 0 to 2^53")
    return int(value)


def _birth(device_id: str, body: Any, now: datetime) -> Presence:
    body = _object(body, device_id)
    told = body.get("capabilities", {})
    if not isinstance(told, dict):
        raise Refusal("capabilities is not an object")
    if len(orjson.dumps(told)) > MOST_BIRTH_BYTES:
        raise Refusal(f"capabilities are larger than {MOST_BIRTH_BYTES} bytes")
    return Presence(device_id, True, now, _count(body, "session"), told)


def _status(device_id: str, body: Any, now: datetime) -> Presence:
    body = _object(body, device_id)
    online = body.get("online")
    if not isinstance(online, bool):
        raise Refusal("online is not true or false")
    return Presence(device_id, online, now, _count(body, "session", 0))


def _answer(device_id: str, body: Any, now: datetime) -> Answer:  # noqa: ARG001
    body = _object(body, device_id)
    state, reason = body.get("state"), body.get("reason") or ""
    if state not in ("accepted", "refused"):
        raise Refusal("state is not accepted or refused")
    if not isinstance(reason, str):
        raise Refusal("reason is not text")
    number = _count(body, "id")
    return Answer(device_id, number, state == "accepted", reason[:MOST_REASON])


def _report(device_id: str, body: Any, now: datetime) -> Report:
    body = _object(body, device_id)
    given = body.get("state")
    if not isinstance(given, dict):
        raise Refusal("state is not an object")
    state = {
        key: _reported(key, given[key])
        for key in REPORTED
        if given.get(key) is not None or (key in given and key.endswith("_until"))
    }
    if given and not state:
        raise Refusal(f"state has none of {', '.join(REPORTED)}")
    return Report(
        device_id,
        state,
        now if body.get("ts") is None else _moment(body["ts"], "ts"),
        version=_count(body, "version", -1),
        session=_count(body, "session", 0),
        seq=_count(body, "seq", -1),
    )


def _reported(key: str, value: Any) -> object:
    """A reported value in the form that wishes have, so that the two compare."""
    if key.endswith("_until"):
        if value is None or value is False:
            return False
        if not isinstance(value, str):
            raise Refusal(f"{key} is not a time or false")
        return _moment(value, key).replace(microsecond=0).isoformat()
    if key == "target_temperature_c":
        if value.__class__ not in (int, float) or abs(value) > HOTTEST_C:
            raise Refusal(f"{key} is not a number of °C")
        return float(value)
    if key == "power":
        if not isinstance(value, bool):
            raise Refusal("power is not true or false")
        return value
    if not isinstance(value, str) or len(value) > MOST_TEXT:
        raise Refusal(f"{key} is not text of at most {MOST_TEXT} characters")
    if key == "mode" and value not in MODES:
        raise Refusal(f"mode is not one of {', '.join(MODES)}")
    return value


def _moment(value: object, name: str) -> datetime:
    """An ISO time, UTC unless it says otherwise, or a number since 1970."""
    try:
        if isinstance(value, str):
            when = datetime.fromisoformat(value.strip())
            aware = when.replace(tzinfo=UTC) if when.tzinfo is None else when
            return aware.astimezone(UTC)
        if isinstance(value, int | float) and not isinstance(value, bool):
            seconds = value / 1_000 if abs(value) >= MILLISECONDS_FROM else value
            return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        raise Refusal(f"{name} is not a time") from None
    raise Refusal(f"{name} is not a time")


READERS: dict[tuple[str, str, str], Callable[[str, Any, datetime], Parsed]] = {
    ("iot", "v1", "birth"): _birth,
    ("iot", "v1", "telemetry"): message_rows.own,
    ("iot", "v1", "status"): _status,
    ("iot", "v1", "reported"): _report,
    ("iot", "v1", "cmd/ack"): _answer,
    ("v1", "devices", "telemetry"): message_rows.thingsboard,
}
