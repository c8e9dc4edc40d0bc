"""A world in which everything goes wrong, and what must hold in it all the same.

One heater, two people, a device that misbehaves in every way, a clock that jumps,
and services that are killed and started anew on the same database. What the server
may show is worked out from what it has heard, by other means than its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from sqlalchemy import Engine, event

from data import migrate
from data.audit_store import AuditStore
from data.command_store import CommandStore
from data.device_store import DeviceStore
from data.link_store import LinkStore
from data.records import Device, same
from data.session import open_engine
from data.shadow_store import ShadowStore
from data.talk_records import Command
from services.access import Principal, Role
from services.audit import Audit
from services.controls import Controls, Standing
from services.courier import Courier
from services.courier_desk import Answer, Heard, Presence, Report
from services.devices import Devices
from services.errors import Conflict
from services.metrics import Metrics

TARGET, MODE, AWAY = "target_temperature_c", "mode", "away_until"
KEYS = (TARGET, MODE, AWAY)
PEOPLE = Principal("operator", Role.OPERATOR), Principal("admin", Role.ADMIN)
VIEWER = Principal("viewer", Role.VIEWER)
TARGETS_C = (45.0, 50.0, 52.0)
MODES = ("eco", "electric")
AWAY_H = (1, 30)
JUMPS_S = (1, 1, 5, 5, 16, 16, 61, 61, 3_700, 90_000)
LIMIT_S = 90_000
"""Longer than any command may stay open: a day, and the minute after."""

STRANGER = "wh-0"
"""A device that nobody has registered."""

GONE_STATES = ("refused", "timed_out", "expired", "withdrawn", "none")
"""Shown like this, nothing is wished."""


@dataclass
class Base:
    """A database for many worlds, each with a device of its own."""

    engine: Engine
    worlds: int = 0


@contextmanager
def base() -> Iterator[Base]:
    """A SQLite file in memory where there is such a folder: nobody pulls the plug."""
    fast = Path("/dev/shm")  # noqa: S108 - a file of our own in a folder of our own
    with TemporaryDirectory(dir=fast if fast.is_dir() else None) as folder:
        engine = open_engine(f"sqlite:///{folder}/truth.db")
        event.listen(engine, "connect", _unsynced)
        migrate.upgrade(engine)
        yield Base(engine)
        engine.dispose()


def _unsynced(connection: object, _record: object) -> None:
    connection.execute("PRAGMA synchronous=OFF")  # type: ignore[attr-defined]


@dataclass
class Gadget:
    """The heater as it is: what it is set to, what it was told, how it counts."""

    state: dict[str, object]
    session: int = 1
    seq: int = -1
    version: int = -1
    inbox: list[Command] = field(default_factory=list)
    before: dict[str, object] = field(default_factory=dict)


@dataclass
class Memory:
    """What the server has heard, noted by the test beside it."""

    reported: dict[str, object] = field(default_factory=dict)
    newest: tuple[int, int] = (0, -1)
    said: dict[str, list[tuple[int, object]]] = field(default_factory=dict)
    refused: set[int] = field(default_factory=set)

    def hear(self, message: Heard) -> None:
        """Note a message as it arrives."""
        if isinstance(message, Answer):
            if not message.accepted and message.device_id != STRANGER:
                self.refused.add(message.command_id)
        elif isinstance(message, Presence):
            if message.session > self.newest[0]:
                self.newest = message.session, -1
        elif (message.session, message.seq) > self.newest:
            self.newest = message.session, message.seq
            self.reported.update(message.state)
            for key, value in message.state.items():
                self.said.setdefault(key, []).append((message.version, value))


class World:
    """All that can happen, as methods; ``wrong`` and ``stuck`` say what must not."""

    def __init__(self, held: Base) -> None:
        held.worlds += 1
        self.id = f"wh-{held.worlds}"
        self._engine = held.engine
        self.now = datetime(2026, 3, 10, 12, tzinfo=UTC)
        self.device = Gadget({TARGET: 50.0, MODE: "eco", AWAY: False})
        self.memory = Memory()
        self.wire: list[Heard] = []
        self.wishes: dict[str, object] = {}
        self.restart_services()
        with self._store.transaction() as tx:
            one = Device(id=self.id, name="Truth", setpoint_max_c=60)
            self._store.add(tx, [one], self.clock())
        self.presence(online=True, reborn=True)
        self.deliver([0], keep=False)

    def clock(self) -> datetime:
        """The present of this world."""
        return self.now

    # -- what people do

    def wish(self, who: int, key: str, value: object, version_back: int | None) -> None:
        """Ask for something, with the version seen now, an older one, or none."""
        shadow = self._shadows.get(self.id)
        seen = shadow.version if shadow else 0
        version = None if version_back is None else max(0, seen - version_back)
        if key == AWAY and isinstance(value, int) and value is not False:
            value = (self.clock() + timedelta(hours=value)).isoformat()
        wish = {key: value}
        try:
            self.controls.ask(
                PEOPLE[who], self.id, wish, version=version, confirmed=True
            )
        except Conflict:
            return
        self.wishes[key] = value

    # -- the transport

    def carry(self, *, lost: bool, twice: bool, noted: bool) -> None:
        """Hand over what is due: it may be lost, doubled, or not noted as sent."""
        sent = [c for c in self.courier.outgoing() if c.device_id == self.id]
        if noted:
            self.courier.handed_over(sent)
        if not lost:
            self.device.inbox += sent * (2 if twice else 1)

    def deliver(self, picks: list[int], *, keep: bool) -> None:
        """Bring messages to the server in any order; kept ones come again later."""
        batch = [self.wire[pick % len(self.wire)] for pick in picks if self.wire]
        for message in batch:
            self.memory.hear(message)
        self.courier.listen(batch)
        if not keep:
            self.wire = [m for m in self.wire if not any(m is b for b in batch)]

    def serve(self, *, heard: bool) -> None:
        """For once all goes well, but for what the device says, which may wait."""
        self.carry(lost=False, twice=False, noted=True)
        while self.device.inbox:
            self.act(0, refuse=False, silent=False, partly=False)
        if heard:
            self.deliver(list(range(len(self.wire))), keep=False)

    def lose(self) -> None:
        """All that is on the way is lost, both ways."""
        self.wire, self.device.inbox = [], []

    # -- the device

    def act(self, pick: int, *, refuse: bool, silent: bool, partly: bool) -> None:
        """Take one command of the inbox, whichever; obey or refuse, perhaps mutely."""
        if not self.device.inbox:
            return
        command = self.device.inbox.pop(pick % len(self.device.inbox))
        if refuse:
            self.wire.append(Answer(self.id, command.id, accepted=False, reason="no"))
            return
        self.wire.append(Answer(self.id, command.id, accepted=True))
        self.device.before[command.key] = self.device.state[command.key]
        self.device.state[command.key] = command.value
        self.device.version = max(self.device.version, command.version)
        if not silent:
            self.report(keys=(command.key,) if partly else KEYS)

    def report(self, keys: tuple[str, ...] = KEYS, *, versioned: bool = True) -> None:
        """Say the state, or a part of it, under the next number."""
        self.device.seq += 1
        state = {key: self.device.state[key] for key in keys}
        version = self.device.version if versioned else -1
        self.wire.append(
            Report(
                self.id, state, self.clock(), version,
                self.device.session, self.device.seq,
            )
        )  # fmt: skip

    def revert(self, key: str) -> None:
        """Go back to the value before, and say so."""
        old = self.device.before.get(key, self.device.state[key])
        self.device.state[key] = old
        self.report()

    def turn_knob(self, key: str, value: object) -> None:
        """Somebody sets the heater itself; it says so now, or with its next report."""
        self.device.state[key] = value

    def presence(self, *, online: bool, reborn: bool) -> None:
        """Come, go, or start anew, having forgotten what it was told."""
        if reborn:
            self.device.session += 1
            self.device.seq = self.device.version = -1
            self.device.inbox = []
        birth: dict[str, object] | None = {"modes": list(MODES)} if reborn else None
        self.wire.append(
            Presence(self.id, online, self.clock(), self.device.session, birth)
        )

    def lie(self, command_back: int) -> None:
        """A stranger refuses a command; the device one that may be long ended."""
        every = self.commands()
        if every:
            made = every[command_back % len(every)].id
            self.wire.append(Answer(STRANGER, every[0].id, accepted=False))
            self.wire.append(Answer(self.id, made, accepted=command_back == 1))

    # -- the server

    def forward(self, seconds: int, *, look: bool) -> None:
        """Time goes by, with or without the worker looking at it."""
        self.now += timedelta(seconds=seconds)
        if look:
            self.courier.look_at_clock()

    def restart_services(self) -> None:
        """The processes are killed and started anew on the same database."""
        engine, clock = self._engine, self.clock
        self._store, self._shadows = DeviceStore(engine), ShadowStore(engine)
        self._commands = CommandStore(engine)
        links, audit = LinkStore(engine), Audit(AuditStore(engine), clock)
        # Registered facts come without measurements: those are not asked here.
        devices = Devices(self._store, Metrics.__new__(Metrics), audit, clock)
        self.controls = Controls(
            devices, self._store, self._shadows, self._commands, audit,
            expiry=timedelta(days=1), clock=clock,
        )  # fmt: skip
        self.courier = Courier(self._shadows, self._commands, links, self._store, clock)

    # -- what must hold

    def commands(self) -> list[Command]:
        """All commands of the heater, newest first."""
        return self._commands.page(self.id, limit=1_000)

    def wrong(self) -> list[str]:
        """All that is shown and is not so; empty = the screen tells the truth."""
        found: list[str] = []
        every = self.commands()
        for standing in self.controls.standings(VIEWER, self.id):
            of_key = [c for c in every if c.key == standing.key]
            if sum(command.open for command in of_key) > 1:
                found.append(f"{standing.key}: two open commands")
            for what, holds in self._claims(standing, of_key):
                if not holds:
                    found.append(f"{standing.key} {standing.state}: {what}")
        return found

    def _claims(
        self, shown: Standing, of_key: list[Command]
    ) -> Iterator[tuple[str, bool]]:
        key, state, command = shown.key, shown.state, shown.command
        told, wish = self.memory.reported.get(key), self._wish(shown, of_key)
        yield f"reported {shown.reported!r}, heard {told!r}", told == shown.reported
        yield "not the newest command", command == (of_key[0] if of_key else None)
        yield f"wished {shown.wished!r}, asked {wish!r}", wish == shown.wished
        if state in GONE_STATES:
            yield "a wish stands", shown.wished is None
        elif state == "differs":
            yield "nothing differs", not same(shown.wished, told)
        if command is None:
            return
        done = any(
            version >= command.version and same(value, command.value)
            for version, value in self.memory.said.get(key, [])
        )
        if state == "applied":
            yield "never reported so", done and same(told, command.value)
        yield "pending is not open", (state == "pending") is command.open
        yield "reported, and still pending", not (command.open and done)
        refused = command.id in self.memory.refused
        yield "never refused", refused or command.state != "refused"

    def _wish(self, shown: Standing, of_key: list[Command]) -> object:
        """What stands to be wished: the last thing asked, unless it came to an end."""
        wish = self.wishes.get(shown.key)
        if wish is None or not of_key or of_key[0].value is None:
            return None
        newest = of_key[0]
        if newest.state in ("refused", "timed_out", "expired"):
            return None
        if newest.reason == "reported late":
            return None
        if not newest.open and isinstance(wish, str) and shown.key == AWAY:
            return None if wish <= self.clock().isoformat() else wish
        return wish

    def stuck(self) -> list[str]:
        """Commands that are still open after all limits have passed."""
        for _ in range(2):
            self.forward(LIMIT_S, look=True)
        return [f"{c.key} {c.state}" for c in self.commands() if c.open]


def wander(world: World, random: Random) -> None:
    """Let one thing happen, by chance."""
    action: Callable[[], None] = random.choice(_actions(world, random))
    action()


def _actions(world: World, random: Random) -> list[Callable[[], None]]:
    pick = random.randrange
    key = random.choice(KEYS)
    value = random.choice(values(key))
    back = random.choice((None, None, 0, 1))
    return [
        lambda: world.wish(pick(2), key, value, back),
        lambda: world.wish(pick(2), key, random.choice((value, None)), None),
        lambda: world.carry(lost=pick(4) == 0, twice=pick(4) == 0, noted=pick(4) > 0),
        lambda: world.wish(pick(2), key, value, None),
        lambda: world.carry(lost=False, twice=False, noted=True),
        lambda: world.serve(heard=pick(3) > 0),
        lambda: world.serve(heard=pick(3) > 0),
        lambda: world.deliver([pick(8) for _ in range(4)], keep=pick(2) > 0),
        lambda: world.deliver([0], keep=False),
        lambda: world.deliver([0, 0, 0], keep=False),
        world.lose if pick(4) == 0 else world.report,
        lambda: world.act(
            pick(4), refuse=pick(4) == 0, silent=pick(2) > 0, partly=pick(2) > 0
        ),
        lambda: world.act(0, refuse=False, silent=False, partly=pick(2) > 0),
        lambda: world.report((key,), versioned=pick(3) > 0),
        lambda: world.revert(key),
        lambda: world.turn_knob(key, random.choice(device_values(key))),
        lambda: world.presence(online=True, reborn=pick(3) == 0),
        lambda: world.presence(online=pick(2) > 0, reborn=False),
        lambda: world.lie(pick(4)),
        lambda: world.forward(random.choice(JUMPS_S), look=pick(2) > 0),
        world.restart_services,
    ]


def values(key: str) -> tuple[object, ...]:
    """What people wish of a key; hours ahead for a time."""
    wished: dict[str, tuple[object, ...]] = {
        TARGET: TARGETS_C, MODE: MODES, AWAY: (*AWAY_H, False)
    }  # fmt: skip
    return wished[key]


def device_values(key: str) -> tuple[object, ...]:
    """What a key of the heater can be by itself."""
    return (False,) if key == AWAY else values(key)
