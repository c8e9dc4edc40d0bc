"""The audit log: rows are only ever added, in one order for all processes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, Select, func, insert, select

from data.session import Transaction, reading
from data.tables import audit

CHAIN_LOCK = 7_340_114
"""PostgreSQL advisory lock: one writer at a time knows which row is the last."""
BATCH_ROWS = 1_000


@dataclass(frozen=True)
class AuditRow:
    """One line of the log and its place in the chain."""

    id: int
    at: datetime
    actor: str
    action: str
    subject: str
    detail: Mapping[str, Any]
    previous_hash: str
    hash: str


class AuditStore:
    """Appends to and reads the audit log."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def last(self, tx: Transaction) -> tuple[int, str] | None:
        """Id and hash of the last row; until ``tx`` ends nobody adds another."""
        if tx.dialect.name == "postgresql":
            tx.execute(select(func.pg_advisory_xact_lock(CHAIN_LOCK)))
        query = select(audit.c.id, audit.c.hash).order_by(audit.c.id.desc()).limit(1)
        row = tx.execute(query).one_or_none()
        return None if row is None else (row.id, row.hash)

    def append(self, tx: Transaction, row: AuditRow) -> None:
        """Add the row that follows ``last``."""
        tx.execute(insert(audit).values(asdict(row)))

    def walk(self) -> Iterator[AuditRow]:
        """Every row from the first on, as of one moment."""
        query = select(audit).order_by(audit.c.id)
        with reading(self._engine) as connection:
            result = connection.execution_options(yield_per=BATCH_ROWS).execute(query)
            for row in result:
                yield _audit_row(row)

    def page(
        self,
        limit: int,
        before: int | None = None,
        actor: str | None = None,
        action: str | None = None,
    ) -> list[AuditRow]:
        """The newest rows first, below id ``before``; filters match exactly."""
        query: Select[Any] = select(audit).order_by(audit.c.id.desc()).limit(limit)
        if before is not None:
            query = query.where(audit.c.id < before)
        if actor:
            query = query.where(audit.c.actor == actor)
        if action:
            query = query.where(audit.c.action == action)
        with reading(self._engine) as connection:
            return [_audit_row(row) for row in connection.execute(query)]


def _audit_row(row: Any) -> AuditRow:
    return AuditRow(**row._mapping)
