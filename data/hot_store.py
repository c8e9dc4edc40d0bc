"""The hot table: acknowledged readings that are not in the lake yet.

A row here is committed and synced before its sender hears yes. The flusher
copies rows to the lake in the order of their ids and forgets them afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
from sqlalchemy import Connection, Engine, Select, delete, func, insert, select, text
from sqlalchemy.dialects import postgresql, sqlite

from data.records import METRICS
from data.session import HOT_LOCK, reading, unit_of_work
from data.tables import device_latest, hot_readings, staged_files

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
READING_TYPES: dict[str, pa.DataType] = {
    "device_id": pa.string(),
    "ts": pa.timestamp("us"),
    **dict.fromkeys(METRICS, pa.float64()),
    "mode": pa.string(),
    "heating": pa.bool_(),
    "error_code": pa.string(),
    "quality": pa.int64(),
    "received_at": pa.timestamp("us"),
}
"""Columns of a reading in the lake; times are naive UTC there."""
HOT_TYPES = {"id": pa.int64(), **READING_TYPES, "late": pa.bool_()}


def to_us(moment: datetime) -> int:
    """Microseconds since 1970 of an aware time."""
    return (moment - EPOCH) // timedelta(microseconds=1)


def from_us(microseconds: int) -> datetime:
    """The aware UTC time of microseconds since 1970."""
    return EPOCH + timedelta(microseconds=microseconds)


@dataclass
class DeviceState:
    """What accepting the next reading of a device needs to know of the last ones."""

    ts_us: int
    received_us: int
    quality: int = 0
    good: dict[str, list[Any]] = field(default_factory=dict)
    flagged: dict[str, list[Any]] = field(default_factory=dict)
    checks: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Staged:
    """A bulk file that waits for the flusher."""

    id: int
    path: str
    rows: int


@dataclass(frozen=True)
class Pending:
    """How much waits for the flusher."""

    rows: int
    oldest_received_us: int | None
    files: int
    file_rows: int


class Batch:
    """One open transaction that takes readings: all of it is committed, or none."""

    def __init__(self, connection: Connection, states: dict[str, DeviceState]) -> None:
        self._connection = connection
        self.states = states

    def insert(self, rows: Sequence[Mapping[Any, Any]]) -> int:
        """Insert readings, passing over keys that are hot already; how many went in."""
        if not rows:
            return 0
        dialect = sqlite if self._connection.dialect.name == "sqlite" else postgresql
        statement = dialect.insert(hot_readings).on_conflict_do_nothing(
            index_elements=["device_id", "ts_us"]
        )
        result = self._connection.execution_options(preserve_rowcount=True).execute(
            statement, list(rows)
        )
        return result.rowcount

    def stage(self, path: str, rows: int, at: datetime) -> None:
        """Record a staged file, which must be on disk already."""
        self._connection.execute(
            insert(staged_files).values(path=path, rows=rows, staged_at=at)
        )

    def save(self, states: Mapping[str, DeviceState]) -> None:
        """Replace the latest state of devices."""
        if not states:
            return
        names = ("ts_us", "received_us", "quality", "good", "flagged", "checks")
        rows = [
            {"device_id": device_id} | {name: getattr(state, name) for name in names}
            for device_id, state in states.items()
        ]
        dialect = sqlite if self._connection.dialect.name == "sqlite" else postgresql
        statement = dialect.insert(device_latest)
        new = {name: statement.excluded[name] for name in names}
        self._connection.execute(
            statement.on_conflict_do_update(index_elements=["device_id"], set_=new),
            rows,
        )


class HotStore:
    """Reads and writes of the hot table, its staged files and the latest states."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @contextmanager
    def batch(self, device_ids: Sequence[str]) -> Iterator[Batch]:
        """A transaction that takes readings of the devices named."""
        with unit_of_work(self._engine) as connection:
            if connection.dialect.name == "postgresql":
                # The flusher takes this lock alone to fix the last id: ids become
                # visible out of order, and it must not pass one still to come.
                connection.execute(
                    text("SELECT pg_advisory_xact_lock_shared(:k)"), {"k": HOT_LOCK}
                )
            yield Batch(connection, self._states(connection, device_ids))

    def _states(
        self, connection: Connection, device_ids: Sequence[str]
    ) -> dict[str, DeviceState]:
        query = (
            select(device_latest)
            .where(device_latest.c.device_id.in_(list(device_ids)))
            .with_for_update()
        )
        return {row.device_id: _state(row) for row in connection.execute(query)}

    def states(self, device_ids: Sequence[str] | None = None) -> dict[str, DeviceState]:
        """The latest state of the devices named, or of all."""
        query = select(device_latest)
        if device_ids is not None:
            query = query.where(device_latest.c.device_id.in_(list(device_ids)))
        with reading(self._engine) as connection:
            return {row.device_id: _state(row) for row in connection.execute(query)}

    def rows(
        self, device_id: str | None, start: datetime, end: datetime, above: int = 0
    ) -> pa.Table:
        """Hot readings in ``[start, end)`` with ids above one, of a device or all."""
        table = hot_readings.c
        query = select(hot_readings).where(
            table.id > above, table.ts_us >= to_us(start), table.ts_us < to_us(end)
        )
        if device_id is not None:
            query = query.where(table.device_id == device_id)
        return self._arrow(query)

    def recent(
        self, device_id: str, start: datetime, end: datetime, names: Sequence[str]
    ) -> pa.Table:
        """``ts``, ``quality`` and some metrics, for pages that ask often."""
        table = hot_readings.c
        columns = [table.ts_us.label("ts"), *(table[n] for n in ("quality", *names))]
        query = select(*columns).where(
            table.device_id == device_id,
            table.ts_us >= to_us(start),
            table.ts_us < to_us(end),
        )
        with reading(self._engine) as connection:
            fetched = connection.execute(query).fetchall()
        values = zip(*fetched, strict=True) if fetched else [()] * len(columns)
        found = zip(("ts", "quality", *names), values, strict=True)
        return pa.table({n: pa.array(v, type=READING_TYPES[n]) for n, v in found})

    def above(self, mark: int, limit: int) -> tuple[pa.Table, int]:
        """Up to ``limit`` rows with ids above ``mark``, and the last id among them."""
        with unit_of_work(self._engine) as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(
                    text("SELECT pg_advisory_xact_lock(:k)"), {"k": HOT_LOCK}
                )
            last = connection.scalar(select(func.max(hot_readings.c.id))) or mark
        query = (
            select(hot_readings)
            .where(hot_readings.c.id > mark, hot_readings.c.id <= last)
            .order_by(hot_readings.c.id)
            .limit(limit)
        )
        table = self._arrow(query)
        return table, table["id"][-1].as_py() if table.num_rows else mark

    def forget(self, upto_id: int, received_before: datetime) -> None:
        """Delete rows that are in the lake and old enough for every live page."""
        with unit_of_work(self._engine) as connection:
            connection.execute(
                delete(hot_readings).where(
                    hot_readings.c.id <= upto_id,
                    hot_readings.c.received_us < to_us(received_before),
                )
            )

    def staged(self, above_id: int) -> list[Staged]:
        """The staged files with ids above ``above_id``, in order."""
        query = (
            select(staged_files)
            .where(staged_files.c.id > above_id)
            .order_by(staged_files.c.id)
        )
        with reading(self._engine) as connection:
            return [Staged(r.id, r.path, r.rows) for r in connection.execute(query)]

    def unstage(self, upto_id: int) -> list[str]:
        """Forget staged files up to an id; the paths that may now be deleted."""
        chosen = staged_files.c.id <= upto_id
        with unit_of_work(self._engine) as connection:
            paths = list(connection.scalars(select(staged_files.c.path).where(chosen)))
            connection.execute(delete(staged_files).where(chosen))
        return paths

    def pending(self, above_id: int) -> Pending:
        """What waits for the flusher above the lake's watermark."""
        count = select(func.count(), func.min(hot_readings.c.received_us)).where(
            hot_readings.c.id > above_id
        )
        with reading(self._engine) as connection:
            rows, oldest = connection.execute(count).one()
            files, file_rows = connection.execute(
                select(func.count(), func.coalesce(func.sum(staged_files.c.rows), 0))
            ).one()
        return Pending(rows, oldest, files, int(file_rows))

    def _arrow(self, query: Select[Any]) -> pa.Table:
        with reading(self._engine) as connection:
            fetched = connection.execute(query).fetchall()
        names = [column.name for column in hot_readings.columns]
        values = zip(*fetched, strict=True) if fetched else [()] * len(names)
        columns = dict(zip(names, values, strict=True))
        columns["ts"] = columns.pop("ts_us")
        columns["received_at"] = columns.pop("received_us")
        return pa.table({n: pa.array(columns[n], type=t) for n, t in HOT_TYPES.items()})


def _state(row: Any) -> DeviceState:
    return DeviceState(
        row.ts_us, row.received_us, row.quality, row.good, row.flagged, row.checks
    )
