"""Takes messages of devices: everything it returns for is committed to disk.

Whoever carries the messages acknowledges them only after ``take`` has returned. All of
it may come twice: a reading counts once, what a device says of itself is in its own
order, and a rejected message that is sent again is at worst listed twice.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from data.device_store import DeviceStore
from data.link_store import PAYLOAD_KEPT, LinkStore
from data.session import store_unavailable
from data.talk_records import RejectedMessage
from services import home_assistant
from services.access import SYSTEM
from services.batches import Scalar, frame_of
from services.controls import Controls
from services.courier import Courier
from services.courier_desk import Answer, Heard, Presence
from services.errors import ServiceError
from services.message_rows import Readings
from services.messages import Rejected, read
from services.telemetry import Telemetry

WISH = re.compile(r"iot/v1/([A-Za-z0-9_-]{1,64})/wish/([a-z]{1,16})")
"""Where Home Assistant writes; the broker's rights keep devices away from it."""
MOST_ROWS = 5_000
"""Readings in one transaction."""
log = structlog.get_logger()

Message = tuple[str, bytes]


@dataclass
class Taken:
    """What became of messages, by kind; readings are counted one by one.

    ``rejected`` counts messages of which at least a part cannot be taken, and
    ``unknown`` the names of values that nobody here knows.
    """

    messages: int = 0
    readings: int = 0
    duplicates: int = 0
    flagged: int = 0
    answers: int = 0
    reports: int = 0
    presences: int = 0
    wishes: int = 0
    stale: int = 0
    rejected: int = 0
    unknown: Counter[str] = field(default_factory=Counter)

    def add(self, other: Taken) -> None:
        """Count another batch's with these."""
        for name, value in vars(other).items():
            if name != "unknown":
                setattr(self, name, getattr(self, name) + value)
        self.unknown.update(other.unknown)


@dataclass
class _Sorted:
    """Messages by what they say; ``refused`` is by a message's place."""

    rows: list[dict[str, Scalar]] = field(default_factory=list)
    owners: list[int] = field(default_factory=list)
    heard: list[tuple[int, Heard]] = field(default_factory=list)
    wishes: list[tuple[int, str, str]] = field(default_factory=list)
    refused: dict[int, str] = field(default_factory=dict)


class Ingest:
    """Reads messages and stores what they say, or why they cannot be taken."""

    def __init__(
        self,
        telemetry: Telemetry,
        courier: Courier,
        links: LinkStore,
        devices: DeviceStore,
        controls: Controls,
        clock: Callable[[], datetime],
    ) -> None:
        self._telemetry = telemetry
        self._courier = courier
        self._links = links
        self._devices = devices
        self._controls = controls
        self._clock = clock

    def take(self, messages: Sequence[Message]) -> Taken:
        """Store messages of devices; when this returns they are on disk.

        Raises:
            OperationalError: the database cannot be written now. Nothing may be
                acknowledged; the same messages may be given again.
        """
        try:
            return self._take(messages)
        except Exception as error:
            if store_unavailable(error) or not messages:
                raise
            if len(messages) == 1:
                # One message must not hold back the queue behind it for ever.
                log.exception("message cannot be stored", topic=messages[0][0])
                return self._give_up(messages[0], type(error).__name__)
        half = len(messages) // 2
        taken = self.take(messages[:half])
        taken.add(self.take(messages[half:]))
        return taken

    def _take(self, messages: Sequence[Message]) -> Taken:
        now = self._clock()
        taken = Taken(messages=len(messages))
        sorted_ = _sort(messages, now, taken)
        for first in range(0, len(sorted_.rows), MOST_ROWS):
            self._store(sorted_, first, taken)
        for wish in sorted_.wishes:
            self._ask(wish, messages, sorted_)
        taken.wishes = len(sorted_.wishes)
        heard = self._of_known(sorted_)
        taken.rejected = len(sorted_.refused)
        refused = [
            _refused(messages[place], reason, now)
            for place, reason in sorted_.refused.items()
        ]
        if heard or refused:
            with self._devices.transaction() as tx:
                taken.stale = self._courier.heard(tx, heard)
                self._links.reject(tx, refused)
        _count(heard, taken)
        return taken

    def _store(self, sorted_: _Sorted, first: int, taken: Taken) -> None:
        """Store readings; those that cannot be taken reject their message."""
        frame = frame_of(sorted_.rows[first : first + MOST_ROWS], MOST_ROWS)
        receipt = self._telemetry.accept(SYSTEM, frame)
        taken.readings += receipt.taken
        taken.duplicates += receipt.duplicates
        taken.flagged += receipt.flagged
        for rejection in receipt.rejected:
            owner = sorted_.owners[first + rejection.row]
            sorted_.refused.setdefault(owner, rejection.reason)

    def _ask(
        self, wish: tuple[int, str, str], messages: Sequence[Message], sorted_: _Sorted
    ) -> None:
        """Wish what Home Assistant wishes, under the rules for everybody."""
        place, device_id, part = wish
        try:
            wished = home_assistant.wish(part, messages[place][1])
            self._controls.ask(home_assistant.CALLER, device_id, wished)
        except ServiceError as error:
            sorted_.refused[place] = str(error)

    def _of_known(self, sorted_: _Sorted) -> list[Heard]:
        """What registered devices said; the others' messages are rejected."""
        if not sorted_.heard:
            return []
        ids = sorted({said.device_id for _place, said in sorted_.heard})
        life_cycles = self._devices.life_cycles(ids)
        known = []
        for place, said in sorted_.heard:
            life_cycle = life_cycles.get(said.device_id, "not registered")
            if life_cycle in {"pending", "active"}:
                known.append(said)
            else:
                reason = f"device {said.device_id} is {life_cycle}"
                sorted_.refused.setdefault(place, reason)
        return known

    def _give_up(self, message: Message, problem: str) -> Taken:
        reason = f"it cannot be stored: {problem}"
        with self._devices.transaction() as tx:
            self._links.reject(tx, [_refused(message, reason, self._clock())])
        return Taken(messages=1, rejected=1)


def _sort(messages: Sequence[Message], now: datetime, taken: Taken) -> _Sorted:
    found = _Sorted()
    for place, (topic, payload) in enumerate(messages):
        wish = WISH.fullmatch(topic)
        if wish is not None:
            found.wishes.append((place, wish[1], wish[2]))
            continue
        parsed = read(topic, payload, now)
        if isinstance(parsed, Readings):
            found.rows += parsed.rows
            found.owners += [place] * len(parsed.rows)
            if parsed.unknown:
                taken.unknown.update(parsed.unknown)
            if parsed.refused:
                row, reason = parsed.refused[0]
                found.refused[place] = f"reading {row}: {reason}"
        elif isinstance(parsed, Rejected):
            found.refused[place] = parsed.reason
        else:
            found.heard.append((place, parsed))
    return found


def _count(heard: Sequence[Heard], taken: Taken) -> None:
    taken.answers = sum(isinstance(said, Answer) for said in heard)
    taken.presences = sum(isinstance(said, Presence) for said in heard)
    taken.reports = len(heard) - taken.answers - taken.presences


def _refused(message: Message, reason: str, now: datetime) -> RejectedMessage:
    topic, payload = message
    # A topic is written into a text column, which takes neither of these.
    shown = topic.encode("utf-8", "replace").decode().replace("\x00", "?")
    return RejectedMessage(now, shown, reason, payload[:PAYLOAD_KEPT], len(payload))
