"""Readings in a device's message: our own form, and ThingsBoard's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import NoneType

from data.records import METRICS
from services.batches import MILLISECONDS_FROM, Scalar

MOST_ROWS = 1_000
"""Readings in one message."""
MOST_NAME = 40

Object = Mapping[str, object]


class Refusal(Exception):
    """Why a message, or one of its readings, can never be taken."""


@dataclass(frozen=True)
class Readings:
    """Readings of one device as ``batches.frame_of`` takes them.

    ``refused`` are places in the message with the reason; ``unknown`` are names of
    values that were left out because nobody here knows them.
    """

    device_id: str
    rows: list[dict[str, Scalar]]
    refused: list[tuple[int, str]] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)


Kind = tuple[frozenset[type], str]
_NUMBER: Kind = (frozenset({int, float, NoneType}), "a number")
_TEXT: Kind = (frozenset({str, NoneType}), "text")
KINDS: dict[str, Kind] = {
    **dict.fromkeys(METRICS, _NUMBER),
    "mode": _TEXT,
    "heating": (frozenset({bool, NoneType}), "true or false"),
    "error_code": (frozenset({str, int, NoneType}), "text"),
    "ts": (frozenset({str, int, float}), "a time"),
}
"""What each field of a reading may be. A number in quotes is no number: whoever
sends it sends text, and might as well send a comma in it."""


def own(device_id: str, body: object, now: datetime) -> Readings:  # noqa: ARG001
    """Our form: an object or a list of objects with ``ts`` and values.

    Raises:
        Refusal: it is neither.
    """
    found = Readings(device_id, [])
    for place, item in enumerate(_items(body)):
        try:
            _take(found, _object(item), None)
        except Refusal as refusal:
            found.refused.append((place, str(refusal)))
    return found


def thingsboard(device_id: str, body: object, now: datetime) -> Readings:
    """ThingsBoard's form: ``{"ts": ms, "values": {…}}``, or the values alone = now.

    Raises:
        Refusal: it is neither, nor a list of these.
    """
    found = Readings(device_id, [])
    for place, item in enumerate(_items(body)):
        try:
            given = _object(item)
            ts = _milliseconds(given.get("ts"), now)
            values = given.get("values", given)
            _take(found, _object(values), ts)
        except Refusal as refusal:
            found.refused.append((place, str(refusal)))
    return found


def _items(body: object) -> list[object]:
    items = body if isinstance(body, list) else [body]
    if not items:
        raise Refusal("there is no reading in it")
    if len(items) > MOST_ROWS:
        raise Refusal(f"more than {MOST_ROWS} readings in one message")
    return items


def _object(item: object) -> Object:
    if not isinstance(item, dict):
        raise Refusal("a reading is not an object")
    return item


def _take(found: Readings, given: Object, ts: Scalar) -> None:
    """Add one reading; what is not known here is named and left out."""
    row: dict[str, Scalar] = {"device_id": found.device_id}
    for name, value in given.items():
        kind = KINDS.get(name)
        if kind is not None:
            if value.__class__ not in kind[0]:
                raise Refusal(f"{name} is not {kind[1]}")
            row[name] = value  # type: ignore[assignment]  # its class was looked at
        elif name != "device_id":
            found.unknown.append(name[:MOST_NAME])
        elif value != found.device_id:
            raise Refusal("device_id is not the one of the topic")
    if ts is not None:
        row["ts"] = ts
    found.rows.append(row)


def _milliseconds(ts: object, now: datetime) -> Scalar:
    if ts is None:
        return now.isoformat()
    if isinstance(ts, bool) or not isinstance(ts, int | float):
        raise Refusal("ts is not a number of milliseconds")
    # What is large enough is read as milliseconds anyway.
    return ts if abs(ts) >= MILLISECONDS_FROM else ts / 1_000
