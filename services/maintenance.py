"""The maintenance log of heaters: what was done, and what is due next."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from data.device_store import DeviceStore
from data.maintenance_store import MAINTENANCE_KINDS, MaintenanceStore, Service
from data.records import Event
from services.access import Principal, requires
from services.audit import Audit
from services.devices import Devices
from services.errors import InvalidInput

NOTE_LENGTH = 1_000
BY_LENGTH = 64
EARLIEST = date(1950, 1, 1)
LATEST_NEXT = timedelta(days=365 * 30)
PAGE = 20


@dataclass(frozen=True)
class Entry:
    """What somebody says was done; ``by`` empty = the one who writes it."""

    kind: str
    done_on: date
    note: str = ""
    by: str = ""
    next_on: date | None = None


@dataclass(frozen=True)
class Due:
    """A kind of work that is due again; ``days`` is negative when overdue."""

    kind: str
    on: date
    days: int


@dataclass(frozen=True)
class MaintenanceView:
    """The newest entries of a heater and what is due, soonest first."""

    today: date
    entries: tuple[Service, ...]
    more: bool
    due: tuple[Due, ...]
    may_write: bool


class Maintenance:
    """Reads and writes the log."""

    def __init__(
        self,
        devices: Devices,
        device_store: DeviceStore,
        store: MaintenanceStore,
        audit: Audit,
        clock: Callable[[], datetime],
    ) -> None:
        self._devices = devices
        self._events = device_store
        self._store = store
        self._audit = audit
        self._clock = clock

    def of(
        self,
        caller: Principal,
        device_id: str,
        zone: ZoneInfo,
        *,
        before: tuple[date, int] | None = None,
        limit: int = PAGE,
    ) -> MaintenanceView:
        """The log of a heater, newest work first.

        Args:
            caller: needs ``device.read``.
            device_id: the heater.
            zone: the reader's time zone, for what is called today.
            before: day and id of an entry: only older ones are meant.
            limit: most entries.

        Raises:
            NotFound: no device has this id.
        """
        requires(caller, "device.read")
        self._devices.get(caller, device_id)
        found = self._store.page(device_id, before, limit + 1)
        today = self._clock().astimezone(zone).date()
        return MaintenanceView(
            today=today,
            entries=tuple(found[:limit]),
            more=len(found) > limit,
            due=due(self._store.newest(device_id), today),
            may_write=caller.may("device.care"),
        )

    def add(self, caller: Principal, device_id: str, entry: Entry) -> Service:
        """Write an entry, with an event and an audit line.

        Raises:
            NotFound: no device has this id.
            InvalidInput: a field is not possible; the message names it.
        """
        requires(caller, "device.care")
        self._devices.get(caller, device_id)
        now = self._clock()
        _check(entry, now)
        made = Service(
            device_id=device_id,
            done_on=entry.done_on,
            kind=entry.kind,
            note=entry.note.strip(),
            by=entry.by.strip() or caller.username,
            recorded_at=now,
            next_on=entry.next_on,
        )
        said = f"Maintenance: {entry.kind} done on {entry.done_on}"
        said += f" by {made.by}" + (f": {made.note}" if made.note else "")
        with self._store.transaction() as tx:
            made = replace(made, id=self._store.add(tx, made))
            event = Event(
                device_id, now, "maintenance", "info", said[:300], caller.username
            )
            self._events.add_events(tx, [event])
            detail = {"kind": made.kind, "done_on": str(made.done_on), "id": made.id}
            self._audit.record(tx, caller, "device.maintenance", device_id, detail)
        return made


def due(newest: list[Service], today: date) -> tuple[Due, ...]:
    """What is due, soonest first; the newest entry of a kind decides."""
    found = [
        Due(entry.kind, entry.next_on, (entry.next_on - today).days)
        for entry in newest
        if entry.next_on is not None
    ]
    return tuple(sorted(found, key=lambda item: item.on))


def _check(entry: Entry, now: datetime) -> None:
    if entry.kind not in MAINTENANCE_KINDS:
        raise InvalidInput(f"kind must be one of {', '.join(MAINTENANCE_KINDS)}.")
    # East of us it may be tomorrow already.
    if not EARLIEST <= entry.done_on <= (now + timedelta(hours=14)).date():
        raise InvalidInput("done_on must be a day from 1950 on and not in the future.")
    if len(entry.note.strip()) > NOTE_LENGTH:
        raise InvalidInput(f"note is longer than {NOTE_LENGTH} characters.")
    if len(entry.by.strip()) > BY_LENGTH:
        raise InvalidInput(f"by is longer than {BY_LENGTH} characters.")
    if entry.next_on is None:
        return
    if not entry.done_on < entry.next_on <= now.date() + LATEST_NEXT:
        raise InvalidInput(
            "next_on must lie after done_on, at most 30 years from today."
        )
