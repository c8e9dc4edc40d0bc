"""Weekly set-point plans: saved under the safety rules, asked for when due."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from data.device_store import DeviceStore
from data.plan_store import Plan, PlanEntry, PlanStore
from data.records import Device, Event
from data.session import Transaction
from services.access import SYSTEM, Principal, requires
from services.audit import Audit
from services.controls import Controls
from services.devices import Devices
from services.errors import Conflict, InvalidInput, NeedsConfirmation, ServiceError
from services.plan_times import newest_until, next_after
from services.units import time_zones
from services.wishes import clean, judge

MOST_ENTRIES = 28
DAYS = tuple(range(7))
TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


class Taken(Exception):
    """Somebody else has claimed the entry, or the plan has changed meanwhile."""


@dataclass(frozen=True)
class PlanView:
    """The plan of a heater, ``None`` = it has none, and what comes next of it."""

    now: datetime
    device: Device
    plan: Plan | None
    next_entry: PlanEntry | None
    may_edit: bool


class Plans:
    """Keeps plans, and asks the devices when an entry is due."""

    def __init__(
        self,
        devices: Devices,
        device_store: DeviceStore,
        store: PlanStore,
        controls: Controls,
        audit: Audit,
        clock: Callable[[], datetime],
    ) -> None:
        self._devices = devices
        self._events = device_store
        self._store = store
        self._controls = controls
        self._audit = audit
        self._clock = clock

    def of(self, caller: Principal, device_id: str) -> PlanView:
        """The plan of a heater.

        Raises:
            NotFound: no device has this id.
        """
        requires(caller, "device.read")
        device = self._devices.get(caller, device_id)
        plan, now = self._store.get(device_id), self._clock()
        coming = None
        if plan is not None and plan.next_at is not None:
            found = newest_until(plan.entries, ZoneInfo(plan.zone), plan.next_at)
            coming = found[1] if found else None
        return PlanView(now, device, plan, coming, caller.may("device.care"))

    def save(
        self,
        caller: Principal,
        device_id: str,
        entries: Sequence[PlanEntry],
        zone: str,
        *,
        enabled: bool,
        version: int,
        confirmed: bool = False,
    ) -> Plan:
        """Replace the plan of a heater.

        Args:
            caller: needs ``device.care``.
            device_id: the heater.
            entries: what is wished when; none empties the plan.
            zone: IANA name of the zone of the times.
            enabled: whether the entries are asked for.
            version: the version that was read, 0 = there was none.
            confirmed: what the safety rules ask has been answered with yes.

        Raises:
            NotFound: no device has this id.
            InvalidInput: an entry is not possible, or the device refuses it.
            NeedsConfirmation: a safety rule asks first.
            Conflict: somebody else has changed the plan.
        """
        requires(caller, "device.care")
        device = self._devices.get(caller, device_id)
        now = self._clock()
        cleaned = checked(entries, zone, now)
        _safe(device, cleaned, confirmed=confirmed)
        coming = next_after(cleaned, ZoneInfo(zone), now) if enabled else None
        with self._store.transaction() as tx:
            held = self._store.held(tx, device_id)
            if (held.version if held else 0) != version:
                raise Conflict(
                    f"Somebody else has changed the plan of {device.name}; look again."
                )
            plan = Plan(
                device_id, version + 1, enabled, zone, cleaned,
                caller.username, now, coming[0] if coming else None,
            )  # fmt: skip
            self._store.save(tx, plan)
            words = f"{len(cleaned)} entries" if enabled else "switched off"
            self._say(tx, device_id, "info", f"Weekly plan: {words}", caller.username)
            detail = {"version": plan.version, "entries": len(cleaned), "on": enabled}
            self._audit.record(tx, caller, "device.plan", device_id, detail)
        return plan

    def step(self) -> int:
        """Ask for what is due, each entry once; how many plans were due.

        Of entries missed while nobody looked only the newest is asked for. Claim and
        wish are one transaction, so that neither a crash nor a second worker can ask
        twice or not at all.
        """
        due = self._store.due(self._clock())
        for plan in due:
            self._apply(plan)
        return len(due)

    def _apply(self, plan: Plan) -> None:
        now, zone = self._clock(), ZoneInfo(plan.zone)
        newest = newest_until(plan.entries, zone, now)
        coming = next_after(plan.entries, zone, now)
        next_at = coming[0] if coming else None

        def claim(tx: Transaction) -> None:
            if not self._store.claim(tx, plan, next_at):
                raise Taken

        try:
            if newest is None:
                with self._store.transaction() as tx:
                    claim(tx)
                return
            self._controls.ask(
                SYSTEM, plan.device_id, _wishes(newest[1]), confirmed=True, also=claim
            )
        except Taken:
            return
        except ServiceError as error:
            self._not_asked(plan, claim, str(error))

    def _not_asked(
        self, plan: Plan, claim: Callable[[Transaction], None], why: str
    ) -> None:
        """Move on all the same, and leave word: else it would be tried for ever."""
        try:
            with self._store.transaction() as tx:
                claim(tx)
                said = f"Weekly plan: entry not asked for: {why}"[:300]
                self._say(tx, plan.device_id, "medium", said, SYSTEM.username)
        except Taken:
            return

    def _say(
        self, tx: Transaction, device_id: str, severity: str, said: str, who: str
    ) -> None:
        event = Event(device_id, self._clock(), "user", severity, said, who)
        self._events.add_events(tx, [event])


def checked(
    entries: Sequence[PlanEntry], zone: str, now: datetime
) -> tuple[PlanEntry, ...]:
    """The entries in stored form, by time.

    Raises:
        InvalidInput: the zone, a day, time, target or mode does not exist, two
            entries fall on one time, or there are too many.
    """
    if zone not in time_zones():
        raise InvalidInput("zone must be an IANA name, as Europe/Berlin.")
    if len(entries) > MOST_ENTRIES:
        raise InvalidInput(f"A plan has at most {MOST_ENTRIES} entries.")
    found, taken = [], set()
    for number, entry in enumerate(entries, 1):
        days = tuple(sorted(set(entry.days)))
        if not days or not set(days) <= set(DAYS):
            raise InvalidInput(f"Entry {number}: choose at least one day, 0 to 6.")
        if not TIME.fullmatch(entry.time):
            raise InvalidInput(f"Entry {number}: the time must be written as 06:30.")
        for day in days:
            if (day, entry.time) in taken:
                raise InvalidInput(
                    f"Entry {number}: another has the same day and time."
                )
            taken.add((day, entry.time))
        target = clean({"target_temperature_c": entry.target_temperature_c}, now)
        if entry.mode is not None:
            clean({"mode": entry.mode}, now)
        found.append(replace(entry, days=days, **target))  # type: ignore[arg-type]
    return tuple(sorted(found, key=lambda e: (e.time, e.days)))


def _safe(device: Device, entries: Sequence[PlanEntry], *, confirmed: bool) -> None:
    rulings = [judge(device, k, v) for e in entries for k, v in _wishes(e).items()]
    refused = dict.fromkeys(r.refused for r in rulings if r.refused)
    if refused:
        raise InvalidInput(" ".join(refused))
    asked = dict.fromkeys(r.ask for r in rulings if r.ask)
    if asked and not confirmed:
        raise NeedsConfirmation(" ".join(asked))


def _wishes(entry: PlanEntry) -> dict[str, object]:
    wishes: dict[str, object] = {"target_temperature_c": entry.target_temperature_c}
    return wishes if entry.mode is None else {**wishes, "mode": entry.mode}
