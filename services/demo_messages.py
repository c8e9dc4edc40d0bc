"""What simulated heaters say and hear over a broker: the other end of ``messages``."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

import orjson
import pandas as pd

from data.talk_records import Command
from services.courier_desk import Answer, Heard, Report

MOST_ROWS = 100
"""Readings in one message, which holds 64 KiB."""


class Said(NamedTuple):
    """A message on its way to the broker."""

    topic: str
    payload: bytes
    retain: bool


def said(message: Heard) -> list[Said]:
    """What a heater publishes to say this; a birth is followed by its status."""
    base = f"iot/v1/{message.device_id}"
    if isinstance(message, Answer):
        state = "accepted" if message.accepted else "refused"
        told = {"id": message.command_id, "state": state, "reason": message.reason}
        return [Said(f"{base}/cmd/ack", orjson.dumps(told), retain=False)]
    if isinstance(message, Report):
        return [Said(f"{base}/reported", _report(message), retain=False)]
    status = {"online": message.online, "session": message.session}
    here = Said(f"{base}/status", orjson.dumps(status), retain=True)
    if message.birth is None:
        return [here]
    birth = {"session": message.session, "capabilities": message.birth}
    return [Said(f"{base}/birth", orjson.dumps(birth), retain=True), here]


def _report(message: Report) -> bytes:
    told: dict[str, object] = {
        "session": message.session,
        "seq": message.seq,
        "ts": message.at.isoformat(),
        "state": message.state,
    }
    if message.version >= 0:
        told["version"] = message.version
    return orjson.dumps(told)


def heard(topic: str, payload: bytes, now: datetime) -> Command | None:
    """The command in a message of ours; ``None`` = none, or its time is up."""
    try:
        told = orjson.loads(payload)
        expires_at = datetime.fromisoformat(told["expires_at"])
        command = Command(
            device_id=topic.split("/")[2],
            key=str(told["key"]),
            value=told["value"],
            version=int(told["version"]),
            state="sent",
            asked_by="",
            asked_at=now,
            expires_at=expires_at,
            id=int(told["id"]),
        )
    except (ValueError, KeyError, TypeError, IndexError):
        return None
    return command if expires_at > now else None


def readings(frame: pd.DataFrame) -> list[Said]:
    """Telemetry of a frame of ``READING_COLUMNS``, in few messages for each heater."""
    found: list[Said] = []
    for device_id, own in frame.groupby("device_id", sort=False):
        rows = list(_rows(own.drop(columns="device_id")))
        for first in range(0, len(rows), MOST_ROWS):
            part = rows[first : first + MOST_ROWS]
            payload = orjson.dumps(part[0] if len(part) == 1 else part)
            found.append(Said(f"iot/v1/{device_id}/telemetry", payload, retain=False))
    return found


def _rows(own: pd.DataFrame) -> Iterator[dict[str, object]]:
    """One object for each reading, without what was not measured."""
    for row in own.to_dict("records"):
        when = row.pop("ts").tz_localize(UTC)
        values = {str(name): v for name, v in row.items() if not pd.isna(v)}
        yield {"ts": when.isoformat(), **values}
