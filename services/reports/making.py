"""The worker's part: a run is taken, made, written, and done with its mails at once."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from data.account_store import AccountStore
from data.outbox_store import OutboxStore
from data.report_files import ReportFiles
from data.report_records import Parcel, ReportRun
from data.report_schedule_store import ScheduleStore
from data.report_store import ReportStore
from data.session import store_unavailable
from services.access import SYSTEM, Principal, Role
from services.errors import Forbidden, ServiceError
from services.mail import Attachment
from services.reports import mailing, request
from services.reports.compose import Composer
from services.reports.runs import EXPIRED, file_parts

LEASE = timedelta(seconds=60)
MOST_TRIES = 3
PROGRESS_EVERY_S = 0.5
COMPOSED, DRAWN = 0.7, 0.95
"""Share of a run that is done when its numbers, and when its pages are there."""
FAULT = "This report could not be made, and the fault is ours. It has been noted."
log = structlog.get_logger(__name__)


class Lost(Exception):
    """The run was removed, or belongs to somebody else meanwhile."""


class Stopped(Exception):
    """The worker is asked to stop: the run waits for the next one."""


class ReportMaker:
    """Makes what waits, one run for each call."""

    def __init__(
        self,
        store: ReportStore,
        schedules: ScheduleStore,
        outbox: OutboxStore,
        accounts: AccountStore,
        files: ReportFiles,
        composer: Composer,
        retention: timedelta,
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._schedules = schedules
        self._outbox = outbox
        self._accounts = accounts
        self._files = files
        self._composer = composer
        self._retention = retention
        self._clock = clock

    def take(self) -> ReportRun | None:
        """Claim the next run for this process; ``None`` = nothing waits."""
        now = self._clock()
        return self._store.claim(now, now + LEASE)

    def renew(self, run: ReportRun) -> bool:
        """Keep a claimed run; false when it is no longer ours."""
        return self._store.renew(run, self._clock() + LEASE)

    def make(self, run: ReportRun, stopping: Callable[[], bool] = lambda: False) -> str:
        """Make a claimed run; the state it is left in.

        A file is whole on disk before the run is done; the run is done and its mails
        are in the outbox in one transaction. Killed in between, it is made again.
        """
        if run.tries > MOST_TRIES:
            return self._failed(
                run, f"The worker ended {MOST_TRIES} times while making it."
            )
        try:
            return self._made(run, stopping)
        except Lost:
            known = self._store.get(run.id)
            if known is None or known.removed_at is not None:
                self._files.remove(run.id, run.format)
            return "failed"
        except Stopped:
            self._store.release(run)
            return "waiting"
        except ServiceError as error:
            return self._failed(run, str(error))
        except Exception as error:
            if store_unavailable(error):
                raise  # it is taken again when its lease has ended
            log.exception("report failed", run=run.id)
            return self._failed(run, FAULT)

    def attachment(self, run_id: str) -> Attachment | None:
        """The file of a run, for the mail that carries it; ``None`` = it is gone."""
        run = self._store.get(run_id)
        if run is None or run.file_name is None or run.removed_at is not None:
            return None
        path = self._files.path(run.id, run.format)
        return Attachment(path, run.file_name, request.MEDIA[run.format])

    def expire(self) -> int:
        """Remove the files of runs that are too old; how many."""
        old = self._store.ended_before(self._clock() - self._retention)
        for run in old:
            # The file first: killed in between, the run is found again.
            self._files.remove(run.id, run.format)
            with self._store.transaction() as tx:
                self._store.remove(tx, run.id, self._clock(), EXPIRED)
        return len(old)

    def _made(self, run: ReportRun, stopping: Callable[[], bool]) -> str:
        told = _Told(self._store, run, stopping)
        query = request.restored(run.query)
        clock = run.started_at or self._clock()
        document = self._composer.compose(
            self._asker(run), query, clock, told.part(0.0, COMPOSED)
        )
        parts = file_parts(document, run.format, told.part(COMPOSED, DRAWN))
        staged = self._files.stage(run.id, run.format, parts)
        done = replace(
            run,
            state="done",
            progress=1.0,
            step="",
            ended_at=self._clock(),
            file_name=request.file_name(query, run.format),
            size_bytes=staged.size,
            sha256=staged.sha256,
            reason="",
        )
        with self._store.transaction() as tx:
            if not self._store.end(tx, done):
                raise Lost
            # Inside, so that a claim that was lost cannot put its file here.
            self._files.publish(staged)
            for parcel in self._parcels(done, document.title):
                self._outbox.put(tx, parcel)
        return "done"

    def _parcels(self, run: ReportRun, title: str) -> list[Parcel]:
        if run.schedule_id is None:
            return []
        schedule = self._schedules.get(run.schedule_id)
        if schedule is None:
            return []
        return mailing.parcels(run, schedule, title, self._clock())

    def _failed(self, run: ReportRun, reason: str) -> str:
        failed = replace(
            run, state="failed", step="", ended_at=self._clock(), reason=reason[:1000]
        )

        with self._store.transaction() as tx:
            if self._store.end(tx, failed):
                self._files.remove(run.id, run.format)
        return "failed"

    def _asker(self, run: ReportRun) -> Principal:
        """The one who asked, with the role of today."""
        if run.asked_by == SYSTEM.username:
            return SYSTEM
        user = self._accounts.user(run.asked_by)
        if user is None or user.disabled:
            raise Forbidden(
                f"{run.asked_by} asked for it and may not sign in any more."
            )
        return Principal(user.username, Role[user.role.upper()], user.id)


class _Told:
    """Writes progress now and then, and learns that the run is not wanted any more."""

    def __init__(
        self, store: ReportStore, run: ReportRun, stopping: Callable[[], bool]
    ) -> None:
        self._store = store
        self._run = run
        self._stopping = stopping
        self._written = time.monotonic()

    def part(self, first: float, last: float) -> Callable[[float, str], None]:
        """Progress of a part of the work as progress of all of it."""

        def told(share: float, step: str) -> None:
            if self._stopping():
                raise Stopped
            if time.monotonic() - self._written < PROGRESS_EVERY_S:
                return
            done = first + (last - first) * min(max(share, 0.0), 1.0)
            if not self._store.progress(self._run, done, step):
                raise Lost
            self._written = time.monotonic()

        return told
