"""What goes to devices over MQTT: commands, and the wishes that stand."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta

import orjson
import structlog

from data.shadow_store import ShadowStore
from data.talk_records import Command
from services.courier import Courier
from workers.mqtt_connection import Connection

LOOK_EVERY_S = 0.1
CLOCK_EVERY_S = 1.0
WISHES_EVERY_S = 0.5
OVERLAP = timedelta(seconds=10)
"""A change is stamped before it is committed, and may wait that long for it."""
REST_S = 5.0
"""A command that nobody took is offered again after this."""
NOBODY, FAILED = 16, 128
"""Reason codes of MQTT 5: nobody hears this topic; from the second on, refused."""
log = structlog.get_logger()


class Sender:
    """Hands commands over and keeps the retained wishes of every device fresh."""

    def __init__(
        self,
        courier: Courier,
        shadows: ShadowStore,
        clock: Callable[[], datetime],
    ) -> None:
        self._courier = courier
        self._shadows = shadows
        self._clock = clock
        self._next = dict.fromkeys(("look", "clock", "wishes"), 0.0)
        self._resting: dict[int, float] = {}
        self.forget()

    def forget(self) -> None:
        """Start on a new connection: nothing is under way, every wish is told anew."""
        self._commands: dict[int, Command] = {}
        self._wishes: dict[int, tuple[str, int]] = {}
        self._published: dict[str, int] = {}
        self._due: dict[str, int] = {}
        self._looked: datetime | None = None

    def look_at_clock(self) -> None:
        """End commands whose time is up, broker or not."""
        if self._is_time("clock", CLOCK_EVERY_S):
            self._courier.look_at_clock()

    def step(self, connection: Connection) -> None:
        """Send what is due, and take the broker's confirmations."""
        self._settle(connection)
        self.look_at_clock()
        if not self._is_time("look", LOOK_EVERY_S):
            return
        self._send_commands(connection)
        if self._is_time("wishes", WISHES_EVERY_S):
            self._look_for_wishes()
        self._send_wishes(connection)

    def _is_time(self, name: str, every_s: float) -> bool:
        now = time.monotonic()
        if now < self._next[name]:
            return False
        self._next[name] = now + every_s
        return True

    def _room(self, connection: Connection) -> int:
        return connection.window - len(self._commands) - len(self._wishes)

    def _settle(self, connection: Connection) -> None:
        """Only what the broker has confirmed was handed over."""
        answers, connection.confirmed = connection.confirmed, []
        handed: list[Command] = []
        for mid, code in answers:
            command, wish = self._commands.pop(mid, None), self._wishes.pop(mid, None)
            if command is not None and code >= NOBODY:
                self._resting[command.id] = time.monotonic() + REST_S
            elif command is not None:
                handed.append(command)
            if wish is not None and code < FAILED:
                self._published[wish[0]] = wish[1]
            if code >= FAILED:
                device = command.device_id if command else wish[0] if wish else ""
                log.error("broker refuses a message", device=device, code=code)
        if handed:
            self._courier.handed_over(handed)

    def _send_commands(self, connection: Connection) -> None:
        now = time.monotonic()
        self._resting = {i: t for i, t in self._resting.items() if t > now}
        busy = {command.id for command in self._commands.values()} | set(self._resting)
        for command in self._courier.outgoing():
            if command.id in busy or self._room(connection) <= 0:
                continue
            left = (command.expires_at - self._clock()).total_seconds()
            mid = connection.publish(
                f"iot/v1/{command.device_id}/cmd",
                command_payload(command),
                retain=False,
                expires_s=max(1, int(left)),
            )
            self._commands[mid] = command

    def _look_for_wishes(self) -> None:
        now = self._clock()
        since = None if self._looked is None else self._looked - OVERLAP
        for device_id, version in self._shadows.wish_versions(since).items():
            known = self._published.get(device_id, 0)
            if version > known:
                self._due[device_id] = version
        self._looked = now

    def _send_wishes(self, connection: Connection) -> None:
        room = self._room(connection)
        busy = {device_id for device_id, _version in self._wishes.values()}
        chosen = [device_id for device_id in self._due if device_id not in busy][:room]
        if not chosen or room <= 0:
            return
        for device_id, shadow in self._shadows.some(chosen).items():
            mid = connection.publish(
                f"iot/v1/{device_id}/desired",
                orjson.dumps(
                    {"version": shadow.wish_version, "state": dict(shadow.desired)}
                ),
                retain=True,
            )
            self._wishes[mid] = device_id, shadow.wish_version
        for device_id in chosen:
            del self._due[device_id]


def command_payload(command: Command) -> bytes:
    """A command as its device reads it."""
    return orjson.dumps(
        {
            "id": command.id,
            "version": command.version,
            "key": command.key,
            "value": command.value,
            "expires_at": command.expires_at.isoformat(),
        }
    )
