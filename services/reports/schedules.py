"""Reports that are made by themselves: kept, and asked for when they are due."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from data.report_records import ReportRun, Schedule
from data.report_schedule_store import ScheduleNameTakenError, ScheduleStore
from data.report_store import ReportStore
from data.session import Transaction
from services.access import Principal, Role, requires
from services.audit import Audit
from services.errors import Conflict, NotFound, ServiceError, TooMany
from services.reports import cron, request, schedule_spec
from services.reports.runs import AGAIN_S, MOST_WAITING
from services.units import Preferences

MOST_OF_ONE = 100
PLAIN = Preferences()


class Taken(Exception):
    """Somebody else has claimed the period, or the schedule has changed meanwhile."""


@dataclass(frozen=True)
class ScheduleView:
    """A schedule, the newest run of it, and whether the caller may change it."""

    schedule: Schedule
    last: ReportRun | None
    when: str
    zone: str


class Schedules:
    """Keeps schedules and asks for their reports."""

    def __init__(
        self,
        store: ScheduleStore,
        runs: ReportStore,
        audit: Audit,
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._runs = runs
        self._audit = audit
        self._clock = clock

    def list(self, caller: Principal) -> tuple[ScheduleView, ...]:
        """The caller's own schedules; an Admin's are everybody's."""
        requires(caller, "report.schedule")
        found = self._store.all(None if caller.role >= Role.ADMIN else caller.username)
        last = self._runs.last_of([schedule.id for schedule in found])
        return tuple(_view(schedule, last.get(schedule.id)) for schedule in found)

    def get(self, caller: Principal, schedule_id: int) -> Schedule:
        """A schedule the caller may see and change.

        Raises:
            NotFound: there is none.
        """
        requires(caller, "report.schedule")
        schedule = self._store.get(schedule_id)
        foreign = schedule is not None and schedule.owner != caller.username
        if schedule is None or (foreign and caller.role < Role.ADMIN):
            raise NotFound("There is no such schedule.")
        return schedule

    def add(
        self, caller: Principal, raw: Mapping[str, object], prefs: Preferences = PLAIN
    ) -> Schedule:
        """Store a new schedule of the caller's.

        Args:
            caller: needs ``report.schedule`` and what the template's numbers need.
            raw: see ``schedule_spec.FIELDS``; ``from`` and ``to`` are counted from the
                time it is due, as ``now-1w/w`` and ``now/w`` for the week before.
            prefs: the caller's units and zone.

        Raises:
            InvalidInput: a field is not possible.
            Conflict: another schedule has this name, or there are too many.
        """
        requires(caller, "report.schedule")
        now = self._clock()
        name, enabled, spec = schedule_spec.checked(caller, raw, now, prefs)
        if len(self._store.all(caller.username)) >= MOST_OF_ONE:
            raise Conflict(f"You have {MOST_OF_ONE} schedules; remove one first.")
        schedule = Schedule(
            name=name, enabled=enabled, spec=spec, owner=caller.username, revision=1,
            updated_by=caller.username, updated_at=now,
            next_at=_next(spec, now) if enabled else None,
        )  # fmt: skip
        try:
            with self._store.transaction() as tx:
                schedule = replace(schedule, id=self._store.add(tx, schedule))
                self._said(tx, caller, "schedule.add", schedule)
        except ScheduleNameTakenError:
            raise _taken(name) from None
        return schedule

    def change(
        self,
        caller: Principal,
        schedule_id: int,
        raw: Mapping[str, object],
        revision: int,
        prefs: Preferences = PLAIN,
    ) -> Schedule:
        """Replace what a schedule says; its owner stays.

        Raises:
            NotFound: there is no such schedule.
            InvalidInput: a field is not possible.
            Conflict: it has changed since ``revision``, or the name is taken.
        """
        held = self.get(caller, schedule_id)
        now = self._clock()
        name, enabled, spec = schedule_spec.checked(caller, raw, now, prefs)
        changed = replace(held, name=name, enabled=enabled, spec=spec)
        return self._replace(caller, changed, revision, "schedule.change")

    def enable(self, caller: Principal, schedule_id: int, on: bool) -> Schedule:
        """Switch a schedule on or off; what it missed while off is not made up.

        Raises:
            NotFound: there is no such schedule.
            Conflict: somebody else has changed it meanwhile.
        """
        held = self.get(caller, schedule_id)
        what = "schedule.enable" if on else "schedule.disable"
        return self._replace(caller, replace(held, enabled=on), held.revision, what)

    def remove(self, caller: Principal, schedule_id: int) -> None:
        """Remove a schedule; the reports it made stay.

        Raises:
            NotFound: there is no such schedule.
        """
        held = self.get(caller, schedule_id)
        with self._store.transaction() as tx:
            self._store.remove(tx, held.id)
            self._said(tx, caller, "schedule.remove", held)

    def run_now(self, caller: Principal, schedule_id: int) -> tuple[ReportRun, ...]:
        """Make, and mail, what the schedule would make if it were due now.

        Raises:
            NotFound: there is no such schedule.
            TooMany: ten of its owner's reports wait already.
        """
        held = self.get(caller, schedule_id)
        now = self._clock()
        period = f"asked {secrets.token_hex(8)}"
        runs = _runs(held, now, now, period, skipped=0)
        with self._store.transaction() as tx:
            if self._runs.waiting_of(tx, held.owner) >= MOST_WAITING:
                raise TooMany(f"{MOST_WAITING} reports wait already.", AGAIN_S)
            for run in runs:
                self._runs.add_period(tx, run)
            self._said(tx, caller, "schedule.run", held)
        return runs

    def step(self) -> int:
        """Ask for the reports that are due, each period once; how many runs.

        Of the periods missed while no worker ran only the latest is made up. Claim and
        runs are one transaction, so that neither a crash nor a second worker can ask
        twice or not at all.
        """
        asked = 0
        for schedule in self._store.due(self._clock()):
            try:
                asked += self._ask(schedule)
            except Taken:
                continue
        return asked

    def _ask(self, schedule: Schedule) -> int:
        now = self._clock()
        if schedule.next_at is None:
            return 0
        text, zone = str(schedule.spec["cron"]), _zone(schedule.spec)
        due, skipped = cron.missed(text, zone, schedule.next_at, now)
        runs = _runs(schedule, due, now, due.isoformat(), skipped)
        with self._store.transaction() as tx:
            if not self._store.claim(tx, schedule, cron.next_after(text, zone, now)):
                raise Taken
            return sum(self._runs.add_period(tx, run) for run in runs)

    def _replace(
        self, caller: Principal, changed: Schedule, revision: int, action: str
    ) -> Schedule:
        now = self._clock()
        stored = replace(
            changed, revision=revision + 1, updated_by=caller.username,
            updated_at=now,
            next_at=_next(changed.spec, now) if changed.enabled else None,
        )  # fmt: skip
        try:
            with self._store.transaction() as tx:
                if not self._store.replace(tx, stored, revision):
                    raise Conflict(
                        f"Somebody else has changed {changed.name}; look again."
                    )
                self._said(tx, caller, action, stored)
        except ScheduleNameTakenError:
            raise _taken(changed.name) from None
        return stored

    def _said(
        self, tx: Transaction, caller: Principal, action: str, schedule: Schedule
    ) -> None:
        detail = {"id": schedule.id, "cron": schedule.spec["cron"]}
        self._audit.record(tx, caller, action, schedule.name, detail)


def _runs(
    schedule: Schedule, due: datetime, now: datetime, period: str, skipped: int
) -> tuple[ReportRun, ...]:
    """The runs of one period; a spec that has become impossible is a failed one."""
    spec = {k: v for k, v in schedule.spec.items() if k in request.FIELDS}
    runs = []
    for kind in schedule_spec.formats(schedule.spec["formats"]):
        run = ReportRun(
            id=secrets.token_hex(16), template=str(spec["template"]), format=kind,
            query=spec, asked_by=schedule.owner, asked_at=now,
            schedule_id=schedule.id, period=period,
        )  # fmt: skip
        try:
            query = request.parse(spec, due, PLAIN).query
            told = {**request.stored(query), "skipped": skipped}
            runs.append(replace(run, query=told))
        except ServiceError as error:
            runs.append(replace(run, state="failed", ended_at=now, reason=str(error)))
    return tuple(runs)


def _next(spec: Mapping[str, object], now: datetime) -> datetime | None:
    return cron.next_after(str(spec["cron"]), _zone(spec), now)


def _zone(spec: Mapping[str, object]) -> ZoneInfo:
    return ZoneInfo(str(spec["time_zone"]))


def _view(schedule: Schedule, last: ReportRun | None) -> ScheduleView:
    when, zone = cron.words(str(schedule.spec["cron"])), str(schedule.spec["time_zone"])
    return ScheduleView(schedule, last, when, zone)


def _taken(name: str) -> Conflict:
    return Conflict(f"There is a schedule named {name} already.")
