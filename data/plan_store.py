"""Weekly set-point plans: one for each device, claimed when an entry is due."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, select, update
from sqlalchemy.dialects import postgresql, sqlite

from data.session import Transaction, reading, unit_of_work
from data.talk_tables import setpoint_plans


@dataclass(frozen=True)
class PlanEntry:
    """Days of the week (0 = Monday), local time ``HH:MM``, what is wished then."""

    days: tuple[int, ...]
    time: str
    target_temperature_c: float
    mode: str | None = None


@dataclass(frozen=True)
class Plan:
    """The plan of a device; ``next_at`` is its next entry, ``None`` = none to come."""

    device_id: str
    version: int
    enabled: bool
    zone: str
    entries: tuple[PlanEntry, ...]
    set_by: str
    set_at: datetime
    next_at: datetime | None


class PlanStore:
    """Reads and writes of plans."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def transaction(self) -> AbstractContextManager[Transaction]:
        """One write transaction."""
        return unit_of_work(self._engine)

    def get(self, device_id: str) -> Plan | None:
        """The plan of a device, or ``None``."""
        query = select(setpoint_plans).where(setpoint_plans.c.device_id == device_id)
        with reading(self._engine) as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else _plan(row)

    def held(self, tx: Transaction, device_id: str) -> Plan | None:
        """The plan, for a transaction that changes it."""
        query = (
            select(setpoint_plans)
            .where(setpoint_plans.c.device_id == device_id)
            .with_for_update()
        )
        row = tx.execute(query).one_or_none()
        return None if row is None else _plan(row)

    def save(self, tx: Transaction, plan: Plan) -> None:
        """Store a plan, new or changed."""
        row = {f.name: getattr(plan, f.name) for f in fields(Plan)}
        row["entries"] = [_stored(entry) for entry in plan.entries]
        dialect = sqlite if tx.dialect.name == "sqlite" else postgresql
        statement = dialect.insert(setpoint_plans).values(row)
        tx.execute(
            statement.on_conflict_do_update(
                index_elements=["device_id"],
                set_={k: v for k, v in row.items() if k != "device_id"},
            )
        )

    def due(self, now: datetime, limit: int = 100) -> Sequence[Plan]:
        """Plans whose next entry has come, longest waiting first."""
        table = setpoint_plans.c
        query = (
            select(setpoint_plans)
            .where(table.enabled.is_(True), table.next_at <= now)
            .order_by(table.next_at, table.device_id)
            .limit(limit)
        )
        with reading(self._engine) as connection:
            return [_plan(row) for row in connection.execute(query)]

    def claim(self, tx: Transaction, plan: Plan, next_at: datetime | None) -> bool:
        """Move on to the next entry, unless somebody else has or the plan changed."""
        table = setpoint_plans.c
        result = tx.execution_options(preserve_rowcount=True).execute(
            update(setpoint_plans)
            .where(
                table.device_id == plan.device_id,
                table.version == plan.version,
                table.next_at == plan.next_at,
            )
            .values(next_at=next_at)
        )
        return result.rowcount == 1


def _stored(entry: PlanEntry) -> dict[str, Any]:
    return {**asdict(entry), "days": list(entry.days)}


def _plan(row: Any) -> Plan:
    values = dict(row._mapping)
    values["entries"] = tuple(
        PlanEntry(**{**entry, "days": tuple(entry["days"])})
        for entry in values["entries"]
    )
    return Plan(**values)
