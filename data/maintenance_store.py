"""The maintenance log: what was done to a device, by whom, and what is due next."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime
from typing import Any

from sqlalchemy import Engine, and_, func, insert, or_, select

from data.session import Transaction, reading, unit_of_work
from data.talk_tables import maintenance

MAINTENANCE_KINDS: tuple[str, ...] = (
    "inspection",
    "descaling",
    "anode",
    "element",
    "valve",
    "filter",
    "other",
)


@dataclass(frozen=True)
class Service:
    """One entry: something done to a device; ``next_on`` is when it is due again."""

    device_id: str
    done_on: date
    kind: str
    note: str
    by: str
    recorded_at: datetime
    next_on: date | None = None
    id: int = 0


class MaintenanceStore:
    """Reads and writes of the maintenance log."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def transaction(self) -> AbstractContextManager[Transaction]:
        """One write transaction."""
        return unit_of_work(self._engine)

    def add(self, tx: Transaction, entry: Service) -> int:
        """Insert an entry; its id."""
        row = {k: v for k, v in asdict(entry).items() if k != "id"}
        key = tx.execute(insert(maintenance).values(row)).inserted_primary_key
        assert key is not None  # noqa: S101 - both databases return it
        return int(key[0])

    def page(
        self, device_id: str, before: tuple[date, int] | None, limit: int
    ) -> list[Service]:
        """Entries of a device, newest work first, older than ``before``."""
        table = maintenance.c
        query = _query().where(table.device_id == device_id)
        if before is not None:
            day, last = before
            same_day = and_(table.done_on == day, table.id < last)
            query = query.where(or_(table.done_on < day, same_day))
        query = query.order_by(table.done_on.desc(), table.id.desc()).limit(limit)
        with reading(self._engine) as connection:
            return [Service(**row._mapping) for row in connection.execute(query)]

    def newest(self, device_id: str) -> list[Service]:
        """The newest entry of each kind of a device."""
        table = maintenance.c
        rank = func.row_number().over(
            partition_by=table.kind, order_by=(table.done_on.desc(), table.id.desc())
        )
        ranked = (
            _query(rank.label("rank")).where(table.device_id == device_id).subquery()
        )
        names = [ranked.c[field.name] for field in fields(Service)]
        query = select(*names).where(ranked.c.rank == 1)
        with reading(self._engine) as connection:
            return [Service(**row._mapping) for row in connection.execute(query)]


def _query(*more: Any) -> Any:
    names = [maintenance.c[field.name] for field in fields(Service)]
    return select(*names, *more)
