"""Reports that were asked for: claimed with a lease, done in one transaction."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import AbstractContextManager
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, and_, func, insert, or_, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite

from data.report_records import ReportRun
from data.report_tables import report_runs
from data.session import Transaction, reading, unit_of_work

COLUMNS = tuple(report_runs.c[field.name] for field in fields(ReportRun))
RUN = report_runs.c
UNFINISHED = ("waiting", "running")


class ReportStore:
    """Reads and writes of report runs."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def transaction(self) -> AbstractContextManager[Transaction]:
        """One write transaction."""
        return unit_of_work(self._engine)

    def add(self, tx: Transaction, run: ReportRun) -> None:
        """Store a new run."""
        tx.execute(insert(report_runs).values(asdict(run)))

    def add_period(self, tx: Transaction, run: ReportRun) -> bool:
        """Store the run of a schedule's period; false when it has one already."""
        dialect = sqlite if tx.dialect.name == "sqlite" else postgresql
        statement = dialect.insert(report_runs).values(asdict(run))
        result = tx.execution_options(preserve_rowcount=True).execute(
            statement.on_conflict_do_nothing(
                index_elements=["schedule_id", "period", "format"]
            )
        )
        return result.rowcount == 1

    def waiting_of(self, tx: Transaction, username: str) -> int:
        """How many runs somebody has asked for that are not made yet."""
        query = select(func.count()).where(
            RUN.asked_by == username,
            RUN.state.in_(UNFINISHED),
            RUN.removed_at.is_(None),
        )
        return int(tx.scalar(query) or 0)

    def get(self, run_id: str) -> ReportRun | None:
        """A run, or ``None``."""
        query = select(*COLUMNS).where(RUN.id == run_id)
        with reading(self._engine) as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else _run(row)

    def page(
        self,
        limit: int,
        before: tuple[datetime, str] | None = None,
        seen_by: tuple[str, Collection[int]] | None = None,
        hidden_step: str = "",
    ) -> list[ReportRun]:
        """The newest runs first.

        Args:
            limit: how many.
            before: when the last one of the page before was asked for, and its id.
            seen_by: a user and the schedules that user may see; ``None`` = everybody's.
            hidden_step: removed runs whose step is this are left out.
        """
        query = select(*COLUMNS).order_by(RUN.asked_at.desc(), RUN.id.desc())
        query = query.where(or_(RUN.removed_at.is_(None), RUN.step != hidden_step))
        if before is not None:
            query = query.where(tuple_(RUN.asked_at, RUN.id) < tuple_(*before))
        if seen_by is not None:
            name, schedules = seen_by
            query = query.where(
                or_(RUN.asked_by == name, RUN.schedule_id.in_(schedules))
            )
        with reading(self._engine) as connection:
            return [_run(row) for row in connection.execute(query.limit(limit))]

    def last_of(self, schedule_ids: Collection[int]) -> dict[int, ReportRun]:
        """The newest run of each of these schedules that has one."""
        newest = (
            select(RUN.schedule_id, func.max(RUN.asked_at).label("at"))
            .where(RUN.schedule_id.in_(schedule_ids))
            .group_by(RUN.schedule_id)
            .subquery()
        )
        query = select(*COLUMNS).join(
            newest,
            and_(RUN.schedule_id == newest.c.schedule_id, RUN.asked_at == newest.c.at),
        )
        with reading(self._engine) as connection:
            found = [_run(row) for row in connection.execute(query.order_by(RUN.id))]
        return {run.schedule_id: run for run in found if run.schedule_id is not None}

    def claim(self, now: datetime, until: datetime) -> ReportRun | None:
        """Take the run that waits longest, or one whose worker died; ``None`` = none.

        ``tries`` grows with each claim: what an earlier one still does is refused.
        """
        free = or_(
            RUN.state == "waiting",
            and_(RUN.state == "running", RUN.lease_until <= now),
        )
        oldest = (
            select(RUN.id)
            .where(free, RUN.removed_at.is_(None))
            .order_by(RUN.asked_at, RUN.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        with self.transaction() as tx:
            run_id = tx.scalar(oldest)
            if run_id is None:
                return None
            tx.execute(
                update(report_runs)
                .where(RUN.id == run_id)
                .values(
                    state="running",
                    tries=RUN.tries + 1,
                    started_at=now,
                    lease_until=until,
                    progress=0.0,
                    step="Begins",
                )
            )
            row = tx.execute(select(*COLUMNS).where(RUN.id == run_id)).one()
        return _run(row)

    def renew(self, run: ReportRun, until: datetime) -> bool:
        """Keep the lease; false when the run is no longer this claim's."""
        with self.transaction() as tx:
            return self._change(tx, run, {"lease_until": until})

    def progress(self, run: ReportRun, share: float, step: str) -> bool:
        """Say how far it is; false when the run is no longer this claim's."""
        with self.transaction() as tx:
            return self._change(tx, run, {"progress": share, "step": step[:120]})

    def end(self, tx: Transaction, run: ReportRun) -> bool:
        """Store how a claimed run ended; false when it is no longer this claim's."""
        told = (
            "state", "progress", "step", "ended_at", "file_name",
            "size_bytes", "sha256", "reason",
        )  # fmt: skip
        values = {name: getattr(run, name) for name in told}
        return self._change(tx, run, {**values, "lease_until": None})

    def _change(self, tx: Transaction, run: ReportRun, values: dict[str, Any]) -> bool:
        result = tx.execution_options(preserve_rowcount=True).execute(
            update(report_runs)
            .where(RUN.id == run.id, RUN.state == "running", RUN.tries == run.tries)
            .values(values)
        )
        return result.rowcount == 1

    def release(self, run: ReportRun) -> bool:
        """Give a claimed run back, as when the worker is asked to stop."""
        given = {
            "state": "waiting", "lease_until": None, "tries": run.tries - 1, "step": ""
        }  # fmt: skip
        with self.transaction() as tx:
            return self._change(tx, run, given)

    def remove(self, tx: Transaction, run_id: str, at: datetime, step: str) -> bool:
        """Mark a run's file as gone; an unfinished run is not made any more."""
        tx.execute(
            update(report_runs)
            .where(RUN.id == run_id, RUN.state.in_(UNFINISHED))
            .values(state="failed", reason="Cancelled.", ended_at=at)
        )
        result = tx.execution_options(preserve_rowcount=True).execute(
            update(report_runs)
            .where(RUN.id == run_id, RUN.removed_at.is_(None))
            .values(removed_at=at, step=step, lease_until=None)
        )
        return result.rowcount == 1

    def ended_before(self, when: datetime, limit: int = 100) -> list[ReportRun]:
        """Runs that ended before a time and still have their file, oldest first."""
        query = (
            select(*COLUMNS)
            .where(RUN.ended_at < when, RUN.removed_at.is_(None))
            .order_by(RUN.ended_at)
            .limit(limit)
        )
        with reading(self._engine) as connection:
            return [_run(row) for row in connection.execute(query)]


def _run(row: Any) -> ReportRun:
    return ReportRun(**row._mapping)
