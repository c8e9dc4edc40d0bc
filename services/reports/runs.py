"""Reports that people ask for: made at once or by the worker, listed, downloaded."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from threading import BoundedSemaphore

from data.report_files import ReportFiles
from data.report_records import ReportRun
from data.report_schedule_store import ScheduleStore
from data.report_store import ReportStore
from services.access import Principal, Role, requires
from services.audit import Audit
from services.errors import Busy, Conflict, NotFound, TooMany
from services.reports import request
from services.reports.compose import TEMPLATES, Composer
from services.reports.compose_parts import Progress, Template
from services.reports.csv_files import csv_stream, zip_bytes
from services.reports.document import Document
from services.reports.pdf import render_pdf
from services.units import Preferences

MOST_WAITING = 10
"""Runs of one user that are not made yet."""
AGAIN_S = 60
AT_ONCE_WAIT_S = 30.0
"""How long a report that is made at once waits for the one before it."""
REMOVED, EXPIRED = "removed", "expired"
"""The step of a run whose file was removed: by a person, or by its age."""
PLAIN = Preferences()


@dataclass(frozen=True)
class ReportFile:
    """A made report on its way out; ``parts`` may be read once."""

    name: str
    media_type: str
    parts: Iterator[bytes]


@dataclass(frozen=True)
class RunsView:
    """The newest runs. ``titles`` by template, ``schedules``: names of own ones."""

    now: datetime
    runs: tuple[ReportRun, ...]
    more: bool
    titles: Mapping[str, str]
    schedules: Mapping[int, str]


@dataclass(frozen=True)
class StoredFile:
    """A report that lies on disk."""

    name: str
    media_type: str
    path: Path
    run: ReportRun


def file_parts(
    document: Document, kind: str, progress: Progress | None = None
) -> Iterator[bytes]:
    """A document as the bytes of a file of this format, piece by piece."""
    if kind == "csv":
        yield from csv_stream(document)
    elif kind == "zip":
        yield zip_bytes(document)
    else:
        yield render_pdf(document, progress)


def may_make(caller: Principal, template: Template) -> bool:
    """Whether somebody may make, and read, reports of a template."""
    return all(caller.may(permission) for permission in template.permissions)


class Reports:
    """Asks for reports and gives out what was made."""

    def __init__(
        self,
        store: ReportStore,
        schedules: ScheduleStore,
        files: ReportFiles,
        composer: Composer,
        audit: Audit,
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._schedules = schedules
        self._files = files
        self._composer = composer
        self._audit = audit
        self._clock = clock
        self._turn = BoundedSemaphore(1)

    def now(self) -> datetime:
        """The present, by the clock of reports."""
        return self._clock()

    def templates(self, caller: Principal) -> tuple[Template, ...]:
        """The templates the caller may make."""
        requires(caller, "report.run")
        return tuple(t for t in TEMPLATES.values() if may_make(caller, t))

    def ask(
        self, caller: Principal, raw: Mapping[str, object], prefs: Preferences = PLAIN
    ) -> ReportRun:
        """Let the worker make a report.

        Args:
            caller: needs ``report.run`` and what the template's numbers need.
            raw: see ``request.FIELDS``.
            prefs: the caller's units and zone.

        Raises:
            InvalidInput: the request is not possible.
            TooMany: ten of the caller's reports wait already.
        """
        requires(caller, "report.run")
        now = self._clock()
        asked = request.parse(raw, now, prefs)
        self._composer.check(caller, asked.query)
        run = ReportRun(
            id=secrets.token_hex(16),
            template=asked.query.template,
            format=asked.format,
            query=request.stored(asked.query),
            asked_by=caller.username,
            asked_at=now,
        )
        with self._store.transaction() as tx:
            if self._store.waiting_of(tx, caller.username) >= MOST_WAITING:
                raise TooMany(
                    f"{MOST_WAITING} of your reports are not made yet; wait for one of "
                    "them, or remove one.",
                    AGAIN_S,
                )
            self._store.add(tx, run)
            detail = {k: run.query[k] for k in ("from", "to")} | {"format": run.format}
            self._audit.record(tx, caller, "report.ask", run.template, detail)
        return run

    def preview(
        self, caller: Principal, raw: Mapping[str, object], prefs: Preferences = PLAIN
    ) -> Document:
        """The report as it would be made now, for the screen.

        Raises:
            InvalidInput: the request is not possible.
            Busy: another report is being made.
        """
        requires(caller, "report.run")
        asked = request.parse(raw, self._clock(), prefs)
        self._composer.check(caller, asked.query)
        if not self._turn.acquire(timeout=AT_ONCE_WAIT_S):
            raise Busy("Another report is being made; try again in a moment.")
        try:
            return self._composer.compose(caller, asked.query, self._clock())
        finally:
            self._turn.release()

    def export(
        self,
        caller: Principal,
        raw: Mapping[str, object],
        prefs: Preferences = PLAIN,
        progress: Progress | None = None,
    ) -> ReportFile:
        """Make a report at once; nothing of it is kept.

        Raises:
            InvalidInput: the request is not possible.
            Busy: another report is being made.
        """
        requires(caller, "report.run")
        now = self._clock()
        asked = request.parse(raw, now, prefs)
        self._composer.check(caller, asked.query)
        if not self._turn.acquire(timeout=AT_ONCE_WAIT_S):
            raise Busy("Another report is being made; try again in a moment.")
        try:
            document = self._composer.compose(caller, asked.query, now, progress)
            parts = file_parts(document, asked.format, progress)
            if asked.format != "csv":
                # Made here, so that what goes wrong is said before the file begins.
                parts = iter(list(parts))
        finally:
            self._turn.release()
        name = request.file_name(asked.query, asked.format)
        return ReportFile(name, request.MEDIA[asked.format], parts)

    def list(
        self,
        caller: Principal,
        limit: int = 50,
        before: tuple[datetime, str] | None = None,
    ) -> tuple[ReportRun, ...]:
        """The newest runs the caller may see: own ones, and those of own schedules."""
        requires(caller, "report.run")
        seen_by = None
        if caller.role < Role.ADMIN:
            own = [s.id for s in self._schedules.all(caller.username)]
            seen_by = (caller.username, own)
        return tuple(self._store.page(limit, before, seen_by, hidden_step=REMOVED))

    def view(self, caller: Principal, limit: int = 50) -> RunsView:
        """The newest runs the caller may see, as the tab shows them."""
        found = self.list(caller, limit + 1)
        own = None if caller.role >= Role.ADMIN else caller.username
        return RunsView(
            now=self._clock(),
            runs=found[:limit],
            more=len(found) > limit,
            titles={key: template.title for key, template in TEMPLATES.items()},
            schedules={s.id: s.name for s in self._schedules.all(own)},
        )

    def get(self, caller: Principal, run_id: str) -> ReportRun:
        """A run the caller may see.

        Raises:
            NotFound: there is none.
        """
        requires(caller, "report.run")
        run = self._store.get(run_id)
        if run is None or not self._seen(caller, run):
            raise NotFound("There is no such report.")
        return run

    def file(self, caller: Principal, run_id: str) -> StoredFile:
        """The file of a run; what its numbers need is asked again.

        Raises:
            NotFound: no such run, or its file is gone.
            Conflict: it is not made.
            Forbidden: the caller may not read this template's numbers any more.
        """
        run = self.get(caller, run_id)
        for permission in TEMPLATES[run.template].permissions:
            requires(caller, permission)
        if run.state != "done" or run.file_name is None:
            raise Conflict(f"This report is {run.state}, there is no file of it.")
        path = self._files.path(run.id, run.format)
        if run.removed_at is not None or not path.is_file():
            raise NotFound("The file of this report was removed.")
        return StoredFile(run.file_name, request.MEDIA[run.format], path, run)

    def remove(self, caller: Principal, run_id: str) -> None:
        """Remove a run and its file; one that is not made yet is not made.

        Raises:
            NotFound: there is none that the caller may see.
        """
        run = self.get(caller, run_id)
        with self._store.transaction() as tx:
            # The record of a schedule's period stays: else it would be made again.
            self._store.remove(tx, run.id, self._clock(), REMOVED)
            self._audit.record(
                tx, caller, "report.remove", run.template, {"id": run.id}
            )
        self._files.remove(run.id, run.format)

    def _seen(self, caller: Principal, run: ReportRun) -> bool:
        if run.step == REMOVED and run.removed_at is not None:
            return False
        if caller.role >= Role.ADMIN or run.asked_by == caller.username:
            return True
        if run.schedule_id is None:
            return False
        schedule = self._schedules.get(run.schedule_id)
        return schedule is not None and schedule.owner == caller.username
