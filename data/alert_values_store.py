"""The values that alert rules judge: of all subjects at once, never one by one."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa
from sqlalchemy import ColumnElement, Engine, func, select

from data.engine import Reader
from data.hot_store import HOT_TYPES, to_us
from data.judgement_store import MEASURES
from data.lake import naive
from data.model_tables import model_facts, model_weeks, window_results
from data.records import METRICS
from data.session import reading
from data.tables import device_latest, hot_readings

NEEDED: tuple[str, ...] = ("flow_lpm", "power_w", "voltage_v")
"""Metrics that say whether a heater is on, draws water and heats."""
OVERLAP = 500
"""On PostgreSQL a lower id may be committed after a higher one: so many are read
again, which changes nothing."""


@dataclass(frozen=True)
class LatestRow:
    """What is known of a device now; times in microseconds."""

    device_id: str
    ts_us: int
    good: dict[str, list[Any]]
    received_us: int = 0


@dataclass(frozen=True)
class ModelNow:
    """The newest judged windows of a version, oldest first, and its facts.

    windows: start, end, kind, state, severity, sentence, rows, coverage, measures.
    """

    model_id: int
    version: str
    last_data: datetime | None
    label_lag_days: float | None
    judged_seq: int
    windows: tuple[dict[str, Any], ...]


class AlertValuesStore:
    """Bulk reads of the hot table, the lake and the verdicts."""

    def __init__(self, engine: Engine, reader: Reader) -> None:
        self._engine = engine
        self._reader = reader

    def newest_id(self) -> int:
        """The id of the newest hot reading, 0 for none."""
        with reading(self._engine) as connection:
            return int(connection.scalar(select(func.max(hot_readings.c.id))) or 0)

    def fresh(self, above: int) -> pa.Table:
        """The hot readings with ids above one, and a few before it again."""
        if self._engine.dialect.name != "sqlite":
            above -= OVERLAP
        return self._hot(METRICS, hot_readings.c.id > above)

    def since(self, start: datetime, metrics: Collection[str]) -> pa.Table:
        """All readings from ``start`` on, in the lake or hot; in no order, some twice.

        The hot ones are read first: what is flushed meanwhile is in both.
        """
        hot = self._hot(metrics, hot_readings.c.ts_us >= to_us(start))
        stored = self._stored(metrics, "ts >= $start", {"start": naive(start)})
        return pa.concat_tables([stored, hot])

    def between(
        self,
        device_ids: Sequence[str],
        start: datetime,
        end: datetime,
        metrics: Collection[str],
    ) -> pa.Table:
        """The readings of some devices in ``[start, end]``; in no order, some twice."""
        table = hot_readings.c
        hot = self._hot(
            metrics,
            table.device_id.in_(list(device_ids)),
            table.ts_us >= to_us(start),
            table.ts_us <= to_us(end),
        )
        where = "ts >= $start AND ts <= $end AND list_contains($ids, device_id)"
        values = {"start": naive(start), "end": naive(end), "ids": list(device_ids)}
        return pa.concat_tables([self._stored(metrics, where, values), hot])

    def _stored(
        self, metrics: Collection[str], where: str, values: dict[str, Any]
    ) -> pa.Table:
        schema = _schema(metrics)
        query = f"SELECT {', '.join(schema.names)} FROM lake.telemetry WHERE {where}"
        with self._reader.cursor() as cursor:
            found: pa.Table = cursor.execute(query, values).to_arrow_table()
        return found.cast(schema)

    def _hot(self, metrics: Collection[str], *chosen: ColumnElement[bool]) -> pa.Table:
        schema, table = _schema(metrics), hot_readings.c
        columns = [table[{"ts": "ts_us"}.get(n, n)] for n in schema.names]
        with reading(self._engine) as connection:
            fetched = connection.execute(select(*columns).where(*chosen)).fetchall()
        values = zip(*fetched, strict=True) if fetched else [()] * len(columns)
        arrays = [pa.array(v, type=f.type) for v, f in zip(values, schema, strict=True)]
        return pa.table(arrays, schema=schema)

    def latest(self, received_from_us: int = 0) -> list[LatestRow]:
        """The newest states that came since some time, or of every device."""
        table = device_latest.c
        query = select(
            table.device_id, table.ts_us, table.good, table.received_us
        ).where(table.received_us >= received_from_us)
        with reading(self._engine) as connection:
            return [LatestRow(*row) for row in connection.execute(query)]

    def models(self, since: datetime) -> list[ModelNow]:
        """What was concluded of every version; its windows that end after ``since``."""
        weeks, measures = model_weeks.c, window_results.alias()
        names = (
            "start", "end", "kind", "state", "severity", "sentence", "rows",
            "coverage",
        )  # fmt: skip
        query = (
            select(weeks.model_id, weeks.version, *(weeks[n] for n in names))
            .add_columns(measures.c.value.label("measures"))
            .outerjoin_from(
                model_weeks,
                measures,
                (measures.c.model_id == weeks.model_id)
                & (measures.c.version == weeks.version)
                & (measures.c.start == weeks.start)
                & (measures.c.kind == MEASURES),
            )
            .where(weeks.end > since)
            .order_by(weeks.start)
        )
        windows: dict[tuple[int, str], list[dict[str, Any]]] = {}
        with reading(self._engine) as connection:
            for row in connection.execute(query):
                one = dict(row._mapping)
                key = one.pop("model_id"), one.pop("version")
                windows.setdefault(key, []).append(one)
            facts = connection.execute(select(model_facts)).fetchall()
        return [
            ModelNow(
                f.model_id, f.version, f.last_data, f.label_lag_days, f.judged_seq,
                tuple(windows.get((f.model_id, f.version), ())),
            )
            for f in facts
        ]  # fmt: skip

    def concluded_at(self) -> tuple[int, int, int]:
        """Changes with every conclusion about models: what a cache is keyed by."""
        query = select(
            func.count(), func.coalesce(func.max(model_facts.c.judged_seq), 0)
        ).select_from(model_facts)
        weeks = select(func.count()).select_from(model_weeks)
        with reading(self._engine) as connection:
            count, seq = connection.execute(query).one()
            return int(count), int(seq), int(connection.scalar(weeks) or 0)


def _schema(metrics: Collection[str]) -> pa.Schema:
    """The columns of readings with these metrics, known ones only."""
    named = [m for m in METRICS if m in {*metrics, *NEEDED}]
    names = ("device_id", "ts", *named, "mode", "heating", "quality")
    return pa.schema([(name, HOT_TYPES[name]) for name in names])
