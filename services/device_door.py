"""What a device may do by its own secret: send readings and messages, fetch wishes.

For heaters without a broker: they ask over HTTP now and then. Such a heater counts as
there only while it asks: its link is never put online by this door, since the courier
would then hand its commands to the broker, where nobody listens. Its commands wait as
queued until it fetches them, and are told again when it has not answered.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from data.batch_store import BatchStore, Kept
from data.command_store import CommandStore
from data.link_store import LinkStore
from data.shadow_store import ShadowStore
from data.talk_records import Command, Link
from services.access import SYSTEM, Principal, requires
from services.batches import Scalar, frame_of
from services.courier import Courier
from services.courier_desk import Answer, Heard, Presence, Report
from services.errors import Conflict, Forbidden, InvalidInput
from services.messages import Rejected, read
from services.telemetry import Receipt, Telemetry

KEPT_FOR = timedelta(days=7)
LONGEST_KEY = 120


@dataclass(frozen=True)
class DesiredView:
    """What is wished of a device, and the commands that were just handed over."""

    version: int
    state: Mapping[str, object]
    commands: tuple[Command, ...]


class DeviceDoor:
    """Takes what one device says of itself, and tells it what is wished."""

    def __init__(
        self,
        telemetry: Telemetry,
        courier: Courier,
        shadows: ShadowStore,
        commands: CommandStore,
        links: LinkStore,
        batches: BatchStore,
        clock: Callable[[], datetime],
    ) -> None:
        self._telemetry = telemetry
        self._courier = courier
        self._shadows = shadows
        self._commands = commands
        self._links = links
        self._batches = batches
        self._clock = clock

    def readings(
        self,
        caller: Principal,
        rows: Sequence[Mapping[str, Scalar]],
        most: int,
        key: str | None = None,
    ) -> dict[str, Any]:
        """Take the device's readings; the receipt as plain data.

        The receipt is kept after the readings are on disk, not in the same
        transaction. Whoever repeats a batch because the answer was lost in between
        gets a receipt that counts its readings as duplicates; none is taken twice.

        Args:
            caller: needs ``device.self``.
            rows: readings as ``frame_of`` takes them; ``device_id`` may be left out.
            most: rows of one batch at most.
            key: repeats of the batch under this key get the same receipt for a week.

        Raises:
            InvalidInput: no row, an unknown field, another device's id, a bad key.
            Conflict: the key was used for another batch.
        """
        device_id = _own(caller)
        if key is None:
            return self._taken(device_id, rows, most)
        if not (0 < len(key) <= LONGEST_KEY and key.isascii() and key.isprintable()):
            raise InvalidInput(
                f"Idempotency-Key must be 1 to {LONGEST_KEY} plain characters."
            )
        digest = _digest(rows)
        held = self._batches.get(caller.username, key)
        if held is None:
            now = self._clock()
            made = Kept(digest, self._taken(device_id, rows, most), now)
            self._batches.put(caller.username, key, made, now - KEPT_FOR)
            # Of two at once the first one's receipt is the one that stands.
            held = self._batches.get(caller.username, key) or made
        if held.digest != digest:
            raise Conflict("This Idempotency-Key was used for other readings.")
        return dict(held.receipt)

    def _taken(
        self, device_id: str, rows: Sequence[Mapping[str, Scalar]], most: int
    ) -> dict[str, Any]:
        for place, row in enumerate(rows[:most]):
            if row.get("device_id", device_id) != device_id:
                raise InvalidInput(
                    f"Reading {place} names another device; this secret is "
                    f"{device_id}'s."
                )
        own = [{**row, "device_id": device_id} for row in rows]
        return _plain(self._telemetry.accept(SYSTEM, frame_of(own, most)))

    def say(self, caller: Principal, said: Sequence[tuple[str, object]]) -> int:
        """Take the device's messages in their order; how many reports were too old.

        Args:
            caller: needs ``device.self``.
            said: the end of MQTT's topic and the payload, of each message.

        Raises:
            InvalidInput: one of them cannot be read; none is taken.
        """
        device_id, now = _own(caller), self._clock()
        heard = [_heard(device_id, place, *one, now) for place, one in enumerate(said)]
        with self._shadows.transaction() as tx:
            link = self._links.held(tx, [device_id]).get(device_id)
            if link is None:
                link = Link(device_id, online=False, status_at=now)
                self._links.save(tx, [link])
            return self._courier.heard(tx, [_unmoved(one, link) for one in heard])

    def desired(self, caller: Principal) -> DesiredView:
        """What is wished of the device; its open commands count as handed over."""
        device_id, now = _own(caller), self._clock()
        held = self._shadows.get(device_id)
        handed = [
            command
            for command in self._commands.newest(device_id)
            if command.state in {"queued", "sent"} and command.expires_at > now
        ]
        if handed:
            self._courier.handed_over(handed)
        if held is None:
            return DesiredView(0, {}, ())
        return DesiredView(held.wish_version, held.desired, tuple(handed))


def _heard(
    device_id: str, place: int, topic: str, payload: object, now: datetime
) -> Heard:
    written = json.dumps(payload).encode()
    parsed = read(f"iot/v1/{device_id}/{topic}", written, now)
    if isinstance(parsed, Answer | Report | Presence):
        return parsed
    why = parsed.reason if isinstance(parsed, Rejected) else "readings go elsewhere"
    raise InvalidInput(f"Message {place} cannot be taken: {why}.")


def _unmoved(said: Heard, link: Link) -> Heard:
    """A message that leaves the link as the broker knows it: online or not."""
    if isinstance(said, Presence):
        return replace(said, online=link.online)
    return said


def _own(caller: Principal) -> str:
    requires(caller, "device.self")
    if caller.device_id is None:
        raise Forbidden("This needs a device's own secret.")
    return caller.device_id


def _digest(rows: Sequence[Mapping[str, Scalar]]) -> str:
    written = json.dumps(rows, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(written.encode()).hexdigest()


def _plain(receipt: Receipt) -> dict[str, Any]:
    found = asdict(receipt)
    for name in ("first_ts", "last_ts"):
        found[name] = found[name].isoformat() if found[name] else None
    return found
