"""Bulk commands: one job for many devices, and the stage of each device in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, fields
from datetime import datetime

from sqlalchemy import Engine, insert, select, update

from data.session import Transaction, reading, unit_of_work
from data.talk_tables import bulk_jobs, bulk_targets


@dataclass(frozen=True)
class Job:
    """One wish for many devices.

    state: ``running``, ``done`` or ``stopped``. stage: 1 to 3. stop_share: it stops
    when a larger share of a stage is refused or timed out. filter: the query string
    that found the devices.
    """

    key: str
    value: object
    filter: str
    asked_by: str
    asked_at: datetime
    state: str
    stage: int
    stop_share: float
    reason: str = ""
    ended_at: datetime | None = None
    id: int = 0


@dataclass(frozen=True)
class Target:
    """A device of a job; with a ``reason`` it is not asked, and that is why."""

    job_id: int
    device_id: str
    stage: int
    reason: str = ""


JOB_COLUMNS = tuple(bulk_jobs.c[field.name] for field in fields(Job))
TARGET_COLUMNS = tuple(bulk_targets.c[field.name] for field in fields(Target))


class BulkStore:
    """Reads and writes of bulk jobs."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def transaction(self) -> AbstractContextManager[Transaction]:
        """One write transaction."""
        return unit_of_work(self._engine)

    def add(
        self, tx: Transaction, job: Job, targets: Sequence[tuple[str, int, str]]
    ) -> int:
        """Insert a job with its targets (device, stage, reason); its id."""
        row = {k: v for k, v in asdict(job).items() if k != "id"}
        key = tx.execute(insert(bulk_jobs).values(row)).inserted_primary_key
        assert key is not None  # noqa: S101 - both databases return it
        rows = [
            {"job_id": key[0], "device_id": d, "stage": s, "reason": r}
            for d, s, r in targets
        ]
        tx.execute(insert(bulk_targets), rows)
        return int(key[0])

    def get(self, job_id: int) -> Job | None:
        """A job, or ``None``."""
        found = self._jobs(bulk_jobs.c.id == job_id)
        return found[0] if found else None

    def running(self) -> list[Job]:
        """The jobs that go on, oldest first."""
        return self._jobs(bulk_jobs.c.state == "running")

    def any_running(self, tx: Transaction) -> bool:
        """Whether a job goes on, as the transaction sees it."""
        query = select(bulk_jobs.c.id).where(bulk_jobs.c.state == "running").limit(1)
        return tx.scalar(query) is not None

    def recent(self, limit: int) -> list[Job]:
        """The newest jobs first."""
        query = select(*JOB_COLUMNS).order_by(bulk_jobs.c.id.desc()).limit(limit)
        with reading(self._engine) as connection:
            return [Job(**row._mapping) for row in connection.execute(query)]

    def runs(self, tx: Transaction, job_id: int, stage: int) -> bool:
        """Whether a job is still in a stage; it stays so until the transaction ends."""
        query = select(bulk_jobs.c.state, bulk_jobs.c.stage)
        row = tx.execute(
            query.where(bulk_jobs.c.id == job_id).with_for_update()
        ).one_or_none()
        return row is not None and row.state == "running" and row.stage == stage

    def move(self, tx: Transaction, job_id: int, stage: int) -> None:
        """Go on to a stage."""
        self._change(tx, job_id, {"stage": stage})

    def end(
        self, tx: Transaction, job_id: int, state: str, reason: str, at: datetime
    ) -> bool:
        """End a job; false when it has ended already."""
        values = {"state": state, "reason": reason, "ended_at": at}
        return self._change(tx, job_id, values)

    def _change(self, tx: Transaction, job_id: int, values: dict[str, object]) -> bool:
        table = bulk_jobs.c
        result = tx.execution_options(preserve_rowcount=True).execute(
            update(bulk_jobs)
            .where(table.id == job_id, table.state == "running")
            .values(values)
        )
        return result.rowcount == 1

    def targets(self, job_id: int) -> list[Target]:
        """The devices of a job, by stage and id."""
        table = bulk_targets.c
        query = select(*TARGET_COLUMNS).where(table.job_id == job_id)
        with reading(self._engine) as connection:
            rows = connection.execute(query.order_by(table.stage, table.device_id))
            return [Target(**row._mapping) for row in rows]

    def leave_out(self, tx: Transaction, targets: Iterable[Target]) -> None:
        """Store why devices are not asked."""
        table = bulk_targets.c
        for target in targets:
            tx.execute(
                update(bulk_targets)
                .where(
                    table.job_id == target.job_id, table.device_id == target.device_id
                )
                .values(reason=target.reason)
            )

    def _jobs(self, chosen: object) -> list[Job]:
        query = select(*JOB_COLUMNS).where(chosen).order_by(bulk_jobs.c.id)  # type: ignore[arg-type]
        with reading(self._engine) as connection:
            return [Job(**row._mapping) for row in connection.execute(query)]
