"""What one batch of messages from devices changes: shadows, commands and links.

Works on records read in a transaction and says which to store; see ``courier``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from data.records import Event, Shadow, same
from data.shadow_store import merged
from data.talk_records import LATE_STATES, Command, Link
from services.controls import LATE, wished
from services.wishes import told, words_of

MOST_REASON = 200


@dataclass(frozen=True)
class Answer:
    """What a device says to a command: taken or not, and why not."""

    device_id: str
    command_id: int
    accepted: bool
    reason: str = ""


@dataclass(frozen=True)
class Report:
    """State a device says it is in.

    ``version`` is the newest version of wishes it has acted on, -1 = not said;
    ``session`` and ``seq`` are its own order of its messages, ``seq`` -1 = not said;
    ``at`` is when it says it was so.
    """

    device_id: str
    state: dict[str, object]
    at: datetime
    version: int = -1
    session: int = 0
    seq: int = -1


@dataclass(frozen=True)
class Presence:
    """A device came or went: its birth, its status, or its last will.

    ``birth`` is what it says it can do, ``None`` where it only says whether it is
    there. The will of an earlier session says nothing of the present one.
    """

    device_id: str
    online: bool
    at: datetime
    session: int = 0
    birth: dict[str, object] | None = None


Heard = Answer | Report | Presence


class Desk:
    """Takes messages one by one and keeps what they change."""

    def __init__(
        self,
        now: datetime,
        shadows: dict[str, Shadow],
        newest: dict[tuple[str, str], Command],
        links: dict[str, Link],
    ) -> None:
        self.now = now
        self.shadows = shadows
        self.newest = newest
        self.links = links
        self.changed: dict[int, Command] = {}
        self.moved: set[str] = set()
        self.relinked: set[str] = set()
        self.events: list[Event] = []
        self.stale = 0

    def take(self, said: Heard) -> None:
        """Take one message."""
        if isinstance(said, Answer):
            self._answer(said)
        elif isinstance(said, Report):
            self._report(said)
        else:
            self._presence(said)

    def end(self, command: Command, state: str, reason: str = "") -> None:
        """End a command, and say so in the event log."""
        self._keep(replace(command, state=state, reason=reason, ended_at=self.now))
        words = f"{words_of(command.key, command.value)}: {state.replace('_', ' ')}"
        severity = "info" if state == "applied" else "medium"
        said = f"{words} ({reason})" if reason else words
        self.events.append(Event(command.device_id, self.now, "status", severity, said))

    def withdraw(self, command: Command) -> None:
        """Take back a wish that nobody waits for any more, if it is still the same."""
        shadow = self.shadows[command.device_id]
        if command.version != self._wish_of(shadow, command.key):
            return
        self.shadows[command.device_id] = wished(shadow, {command.key: None}, self.now)
        self.moved.add(command.device_id)

    def _wish_of(self, shadow: Shadow, key: str) -> int | None:
        """The version of the wish that stands for a key; ``None`` = none stands."""
        newest = self.newest.get((shadow.device_id, key))
        if key not in shadow.desired or newest is None:
            return None
        return newest.version

    def _keep(self, command: Command) -> None:
        self.changed[command.id] = command
        at = command.device_id, command.key
        if at in self.newest and self.newest[at].id == command.id:
            self.newest[at] = command

    def _answer(self, said: Answer) -> None:
        held = [c for c in self.newest.values() if c.id == said.command_id]
        if not held or held[0].device_id != said.device_id or not held[0].open:
            return  # replaced or ended meanwhile, or not its own
        (command,) = held
        if said.accepted:
            if command.state != "accepted":
                self._keep(replace(command, state="accepted", accepted_at=self.now))
            return
        reason = said.reason[:MOST_REASON] or "the device gave no reason"
        self.end(command, "refused", reason)
        self.withdraw(command)

    def _report(self, said: Report) -> None:
        link = self.links.get(said.device_id)
        ordered = said.seq >= 0
        if ordered and link and (said.session, said.seq) <= (link.session, link.seq):
            self.stale += 1
            return
        if ordered:
            base = link or Link(said.device_id, online=True, status_at=self.now)
            self._relink(replace(base, session=said.session, seq=said.seq))
        shadow = self.shadows[said.device_id]
        state = {key: told(key, value) for key, value in said.state.items()}
        # A device that counts its messages need not have a clock that can be trusted,
        # and ours may have been set back since its last report.
        known = [shadow.reported_at[key] for key in state if key in shadow.reported_at]
        at = max([self.now, *known]) if ordered else min(said.at, self.now)
        taken = {key for key in state if shadow.reported_at.get(key, at) <= at}
        if taken:
            self.shadows[said.device_id] = merged(shadow, state, at)
            self.moved.add(said.device_id)
        for key in taken:
            command = self.newest.get((said.device_id, key))
            if command is not None:
                self._settle(command, said.version, state[key])

    def _settle(self, command: Command, version: int, value: object) -> None:
        """Applied is what the device has reported under the wish's version."""
        if version < command.version or not same(value, command.value):
            return
        if command.open:
            self.end(command, "applied")
        elif command.state in LATE_STATES:
            self.end(command, "applied", LATE)

    def _presence(self, said: Presence) -> None:
        link = self.links.get(said.device_id)
        if link is not None and said.session < link.session:
            self.stale += 1
            return
        base = link or Link(said.device_id, online=False, status_at=self.now)
        was = link.online if link else None
        after = replace(base, online=said.online, session=said.session)
        if said.session > base.session:
            after = replace(after, seq=-1)
        if was != said.online:
            after = replace(after, status_at=self.now)
            words = "Came online" if said.online else "Went offline"
            self.events.append(Event(said.device_id, self.now, "status", "info", words))
        if said.birth is not None:
            after = replace(after, birth=said.birth, birth_at=self.now)
        self._relink(after)

    def _relink(self, link: Link) -> None:
        self.links[link.device_id] = link
        self.relinked.add(link.device_id)
