"""What goes to devices and what they answer: the life of a command after its birth.

Pure of any transport: a worker asks ``outgoing`` and says ``handed_over``; whoever
hears a device calls ``heard``. All of it may be said twice, and in any order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from data.command_store import CommandStore
from data.device_store import DeviceStore
from data.link_store import LinkStore
from data.session import Transaction
from data.shadow_store import ShadowStore
from data.talk_records import Command, Link
from services.controls import wished
from services.courier_desk import Desk, Heard
from services.wishes import over

RETRY_AFTER = timedelta(seconds=15)
"""A device that does not answer is told again after this long."""
MOST_TRIES = 4
ACCEPTED_FOR = timedelta(seconds=60)
"""A device that has taken a command reports it within this, or it is timed out."""
TIMED_OUT = "the device did not report it in time"
EXPIRED = "the device could not be reached in time"
SWEEP_EVERY = timedelta(seconds=10)
"""Between two looks for wishes that have ended by themselves."""


class Courier:
    """Moves commands along; shadows and links follow what devices say."""

    def __init__(
        self,
        shadows: ShadowStore,
        commands: CommandStore,
        links: LinkStore,
        device_store: DeviceStore,
        clock: Callable[[], datetime],
    ) -> None:
        self._shadows = shadows
        self._commands = commands
        self._links = links
        self._store = device_store
        self._clock = clock
        self._swept_at: datetime | None = None

    def outgoing(self) -> list[Command]:
        """The commands to hand over now: their devices are there, and were not told."""
        now = self._clock()
        waiting = self._commands.reachable(now - RETRY_AFTER)
        return [command for command in waiting if _due(command, now)]

    def handed_over(self, sent: Sequence[Command]) -> None:
        """The transport has taken these commands."""
        if not sent:
            return
        now = self._clock()
        with self._shadows.transaction() as tx:
            # Always devices first and commands second: who waits for whom has no ring.
            self._shadows.locked(tx, {command.device_id for command in sent}, now)
            held = self._commands.again(tx, [command.id for command in sent])
            self._commands.save(
                tx,
                [
                    replace(
                        command,
                        state="sent" if command.state == "queued" else command.state,
                        tries=command.tries + 1,
                        sent_at=now,
                    )
                    for command in held
                    if command.open
                ],
            )

    def heard(self, tx: Transaction, said: Sequence[Heard]) -> int:
        """Take what devices said, in its order; how many reports were too old."""
        if not said:
            return 0
        now = self._clock()
        ids = {one.device_id for one in said}
        desk = Desk(
            now,
            self._shadows.locked(tx, ids, now),
            {(c.device_id, c.key): c for c in self._commands.held(tx, ids)},
            self._links.held(tx, ids),
        )
        for one in said:
            desk.take(one)
        self._shadows.save(tx, [desk.shadows[i] for i in sorted(desk.moved)])
        self._commands.save(tx, desk.changed.values())
        self._links.save(tx, [desk.links[i] for i in sorted(desk.relinked)])
        self._store.add_events(tx, desk.events)
        return desk.stale

    def listen(self, said: Sequence[Heard]) -> int:
        """``heard`` in a transaction of its own."""
        with self._shadows.transaction() as tx:
            return self.heard(tx, said)

    def look_at_clock(self) -> int:
        """End commands and wishes whose time is up; how many commands moved."""
        now = self._clock()
        self._drop_over(now)
        waiting = self._commands.late(now, now - RETRY_AFTER, now - ACCEPTED_FOR)
        links = self._links.links(list({c.device_id for c in waiting}))
        late = [c for c in waiting if _ending(c, links.get(c.device_id), now)]
        if not late:
            return 0
        with self._shadows.transaction() as tx:
            return self._end(tx, late, now)

    def _drop_over(self, now: datetime) -> None:
        """Take back wishes that have ended by themselves: the device ends them too.

        Looked for now and then only: ``standings`` knows it without.
        """
        if self._swept_at and timedelta() <= now - self._swept_at < SWEEP_EVERY:
            return
        self._swept_at = now
        found = [i for i, desired in self._shadows.timed() if _over(desired, now)]
        if not found:
            return
        with self._shadows.transaction() as tx:
            held = self._shadows.locked(tx, found, now).values()
            over = [(shadow, _over(shadow.desired, now)) for shadow in held]
            self._shadows.save(
                tx, [wished(shadow, gone, now) for shadow, gone in over if gone]
            )

    def _end(self, tx: Transaction, late: Sequence[Command], now: datetime) -> int:
        devices = {command.device_id for command in late}
        shadows = self._shadows.locked(tx, devices, now)
        again = self._commands.again(tx, [command.id for command in late])
        held = [command for command in again if command.open]
        newest = {(c.device_id, c.key): c for c in self._commands.held(tx, devices)}
        links = self._links.held(tx, devices)
        desk = Desk(now, shadows, newest, {})
        for command in held:
            state = _ending(command, links.get(command.device_id), now)
            if state == "queued":
                desk.changed[command.id] = replace(command, state="queued", tries=0)
            elif state:
                reason = EXPIRED if state == "expired" else TIMED_OUT
                desk.end(command, state, reason)
                desk.withdraw(command)
        self._shadows.save(tx, [desk.shadows[i] for i in sorted(desk.moved)])
        self._commands.save(tx, desk.changed.values())
        self._store.add_events(tx, desk.events)
        return len(desk.changed)


def _over(desired: Mapping[str, object], now: datetime) -> dict[str, object]:
    """The wishes that have ended, in the form that takes them back."""
    return {key: None for key, value in desired.items() if over(key, value, now)}


def _there(link: Link | None) -> bool:
    return link is not None and link.online


def _due(command: Command, now: datetime) -> bool:
    """Whether to tell the device now: not yet, or again."""
    if command.expires_at <= now or command.state == "accepted":
        return False
    if command.state == "queued" or command.sent_at is None:
        return True
    return now - command.sent_at >= RETRY_AFTER and command.tries < MOST_TRIES


def _ending(command: Command, link: Link | None, now: datetime) -> str:
    """The state the clock alone moves an open command to; empty = none yet."""
    if now >= command.expires_at:
        return "expired" if command.state == "queued" else "timed_out"
    if command.state == "accepted" and command.accepted_at is not None:
        done = now - command.accepted_at >= ACCEPTED_FOR
    elif command.state == "sent" and command.sent_at is not None:
        done = now - command.sent_at >= RETRY_AFTER
        if done and not _there(link):
            return "queued"  # it may never have got it: told again when it is back
        done = done and command.tries >= MOST_TRIES
    else:
        return ""
    return "timed_out" if done else ""
