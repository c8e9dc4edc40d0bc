"""Schedules of reports: changed by people, claimed when they are due."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from data.report_records import Schedule
from data.report_tables import report_runs, report_schedules
from data.session import Transaction, reading, unit_of_work

COLUMNS = tuple(report_schedules.c[field.name] for field in fields(Schedule))
SCHEDULE = report_schedules.c


class ScheduleNameTakenError(Exception):
    """Another schedule has this name."""


class ScheduleStore:
    """Reads and writes of schedules."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def transaction(self) -> AbstractContextManager[Transaction]:
        """One write transaction."""
        return unit_of_work(self._engine)

    def all(self, owner: str | None = None) -> list[Schedule]:
        """The schedules by name; with ``owner`` those of one user."""
        query = select(*COLUMNS).order_by(SCHEDULE.name)
        if owner is not None:
            query = query.where(SCHEDULE.owner == owner)
        with reading(self._engine) as connection:
            return [_schedule(row) for row in connection.execute(query)]

    def get(self, schedule_id: int) -> Schedule | None:
        """A schedule, or ``None``."""
        query = select(*COLUMNS).where(SCHEDULE.id == schedule_id)
        with reading(self._engine) as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else _schedule(row)

    def add(self, tx: Transaction, schedule: Schedule) -> int:
        """Store a new schedule; its id.

        Raises:
            ScheduleNameTakenError: another one has its name.
        """
        values = {k: v for k, v in asdict(schedule).items() if k != "id"}
        try:
            key = tx.execute(insert(report_schedules).values(values))
        except IntegrityError as error:
            raise ScheduleNameTakenError from error
        assert key.inserted_primary_key is not None  # noqa: S101 - both return it
        return int(key.inserted_primary_key[0])

    def replace(self, tx: Transaction, schedule: Schedule, revision: int) -> bool:
        """Store a changed schedule; false when it is no longer at ``revision``.

        Raises:
            ScheduleNameTakenError: another one has its name.
        """
        values = {k: v for k, v in asdict(schedule).items() if k != "id"}
        try:
            result = tx.execution_options(preserve_rowcount=True).execute(
                update(report_schedules)
                .where(SCHEDULE.id == schedule.id, SCHEDULE.revision == revision)
                .values(values)
            )
        except IntegrityError as error:
            raise ScheduleNameTakenError from error
        return result.rowcount == 1

    def remove(self, tx: Transaction, schedule_id: int) -> None:
        """Delete a schedule; what it made stays with the one who owned it."""
        tx.execute(
            update(report_runs)
            .where(report_runs.c.schedule_id == schedule_id)
            .values(schedule_id=None)
        )
        tx.execute(delete(report_schedules).where(SCHEDULE.id == schedule_id))

    def due(self, now: datetime, limit: int = 100) -> list[Schedule]:
        """Schedules whose time has come, longest waiting first."""
        query = (
            select(*COLUMNS)
            .where(SCHEDULE.enabled.is_(True), SCHEDULE.next_at <= now)
            .order_by(SCHEDULE.next_at, SCHEDULE.id)
            .limit(limit)
        )
        with reading(self._engine) as connection:
            return [_schedule(row) for row in connection.execute(query)]

    def claim(
        self, tx: Transaction, schedule: Schedule, next_at: datetime | None
    ) -> bool:
        """Move on to the next time, unless somebody else has or it was changed."""
        result = tx.execution_options(preserve_rowcount=True).execute(
            update(report_schedules)
            .where(
                SCHEDULE.id == schedule.id,
                SCHEDULE.revision == schedule.revision,
                SCHEDULE.next_at == schedule.next_at,
            )
            .values(next_at=next_at)
        )
        return result.rowcount == 1


def _schedule(row: Any) -> Schedule:
    return Schedule(**row._mapping)
