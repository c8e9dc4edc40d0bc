"""What the worker has concluded about models: judged windows, facts, raw-row scores."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Engine, Select, Table, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from data.model_tables import (
    model_facts,
    model_weeks,
    window_results,
)
from data.session import Transaction, reading, unit_of_work


@dataclass(frozen=True)
class JudgedWindow:
    """The verdict of one window of a model version, as the Models tab lists it."""

    model_id: int
    version: str
    start: datetime
    end: datetime
    kind: str
    state: str
    severity: str
    sentence: str
    harmful: Sequence[str]
    metric: str | None
    value: float | None
    rows: int
    coverage: float | None


@dataclass(frozen=True)
class ModelFacts:
    """What is known of a version's data; ``judged_seq``: the last change judged."""

    model_id: int
    version: str
    rows: int
    first_data: datetime | None
    last_data: datetime | None
    label_lag_days: float | None
    judged_seq: int


@dataclass(frozen=True)
class WindowResult:
    """A score that needs raw rows, kept so that it outlives them.

    kind: ``domain``, ``pca`` or ``weighted``.
    """

    start: datetime
    end: datetime
    kind: str
    value: Mapping[str, Any]


MEASURES = "measures"
"""Kind of the results that hold what alert rules measure of a window; they come from
counts, not from raw rows, and are kept by ``put_measures``."""
WINDOW = tuple(model_weeks.c[f.name] for f in fields(JudgedWindow))
"""The columns of a judged window, in the order of its fields."""


class JudgementStore:
    """Reads and writes conclusions; all can be made anew from the lake."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def windows(
        self, model_id: int, version: str, since: datetime | None = None
    ) -> list[JudgedWindow]:
        """The judged windows of a version, oldest first."""
        table = model_weeks.c
        query = select(*WINDOW).where(
            table.model_id == model_id, table.version == version
        )
        if since is not None:
            query = query.where(table.start >= since)
        with reading(self._engine) as connection:
            rows = connection.execute(query.order_by(table.start))
            return [JudgedWindow(*row) for row in rows]

    def windows_of(
        self, keys: Sequence[tuple[int, str]], since: datetime
    ) -> dict[tuple[int, str], list[JudgedWindow]]:
        """The judged windows of several versions, oldest first."""
        table = model_weeks.c
        wanted = set(keys)
        query = (
            select(*WINDOW)
            .where(table.model_id.in_([k[0] for k in keys]), table.start >= since)
            .order_by(table.start)
        )
        found: dict[tuple[int, str], list[JudgedWindow]] = {k: [] for k in keys}
        with reading(self._engine) as connection:
            for row in connection.execute(query):
                if (key := (row[0], row[1])) in wanted:
                    found[key].append(JudgedWindow(*row))
        return found

    def newest(self) -> dict[tuple[int, str], tuple[datetime, str, str]]:
        """Start, state and severity of the newest judged window of every version."""
        table = model_weeks.c
        query = _newest(table.model_id, table.version, table.start).add_columns(
            table.state, table.severity
        )
        with reading(self._engine) as connection:
            rows = connection.execute(query).fetchall()
        return {(r[0], r[1]): (r[2], r[3], r[4]) for r in rows}

    def newest_spans(self) -> dict[tuple[int, str], tuple[datetime, datetime]]:
        """Start and end of the newest judged window of every version."""
        table = model_weeks.c
        query = _newest(table.model_id, table.version, table.start, table.end)
        with reading(self._engine) as connection:
            rows = connection.execute(query).fetchall()
        return {(r[0], r[1]): (r[2], r[3]) for r in rows}

    def put_windows(self, tx: Transaction, windows: Iterable[JudgedWindow]) -> None:
        """Keep verdicts, instead of those of the same windows."""
        self._put(tx, model_weeks, [asdict(w) for w in windows])

    def forget_windows(self, tx: Transaction, model_id: int, version: str) -> None:
        """Drop the verdicts of a version: it is to be judged anew."""
        tx.execute(
            delete(model_weeks).where(
                model_weeks.c.model_id == model_id, model_weeks.c.version == version
            )
        )

    def facts(self, model_id: int | None = None) -> list[ModelFacts]:
        """The facts of every version, of one model or all."""
        query = select(model_facts)
        if model_id is not None:
            query = query.where(model_facts.c.model_id == model_id)
        with reading(self._engine) as connection:
            return [ModelFacts(**row._mapping) for row in connection.execute(query)]

    def put_facts(self, tx: Transaction, facts: ModelFacts) -> None:
        """Replace the facts of a version."""
        self._put(tx, model_facts, [asdict(facts)])

    def window_results(
        self,
        model_id: int,
        version: str,
        grid_id: str,
        start: datetime,
        end: datetime,
    ) -> list[WindowResult]:
        """The raw-row scores of windows that begin in ``[start, end)``."""
        table = window_results.c
        query = (
            select(table.start, table.end, table.kind, table.value)
            .where(
                table.model_id == model_id,
                table.version == version,
                table.grid_id == grid_id,
                table.start >= start,
                table.start < end,
                table.kind != MEASURES,
            )
            .order_by(table.start)
        )
        with reading(self._engine) as connection:
            return [WindowResult(**row._mapping) for row in connection.execute(query)]

    def forget_results(
        self,
        tx: Transaction,
        model_id: int,
        version: str,
        start: datetime,
        end: datetime,
    ) -> None:
        """Drop the raw-row scores of windows that begin in ``[start, end)``."""
        table = window_results.c
        tx.execute(
            delete(window_results).where(
                table.model_id == model_id,
                table.version == version,
                table.start >= start,
                table.start < end,
            )
        )

    def put_measures(
        self,
        tx: Transaction,
        model_id: int,
        version: str,
        grid_id: str,
        found: Mapping[tuple[datetime, datetime], Mapping[str, float]],
    ) -> None:
        """Keep what rules measure of windows (start, end), instead of what was kept."""
        key = {"model_id": model_id, "version": version, "grid_id": grid_id}
        key["kind"] = MEASURES
        rows = [
            {**key, "start": start, "end": end, "value": dict(value)}
            for (start, end), value in found.items()
        ]
        self._put(tx, window_results, rows)

    def put_results(
        self,
        model_id: int,
        version: str,
        grid_id: str,
        results: Iterable[WindowResult],
    ) -> None:
        """Keep raw-row scores, instead of those of the same windows."""
        key = {"model_id": model_id, "version": version, "grid_id": grid_id}
        with unit_of_work(self._engine) as tx:
            rows = [{**key, **asdict(result)} for result in results]
            self._put(tx, window_results, rows)

    def _put(self, tx: Transaction, table: Table, rows: list[dict[str, Any]]) -> None:
        if not rows:
            return
        dialect = sqlite if tx.dialect.name == "sqlite" else postgresql
        statement = dialect.insert(table)
        names = [column.name for column in table.columns]
        primary = [column.name for column in table.primary_key]
        new = {n: statement.excluded[n] for n in names if n not in primary}
        tx.execute(
            statement.on_conflict_do_update(index_elements=primary, set_=new), rows
        )


def _newest(*columns: ColumnElement[Any]) -> Select[Any]:
    """Columns of the newest judged window of every version whose facts are stored.

    One look into the key for each version: the newest of a group would read all rows.
    """
    version, other = model_facts.c, model_weeks.alias()
    last = (
        select(func.max(other.c.start))
        .where(other.c.model_id == version.model_id, other.c.version == version.version)
        .scalar_subquery()
    )
    return select(*columns).join_from(
        model_facts,
        model_weeks,
        (model_weeks.c.model_id == version.model_id)
        & (model_weeks.c.version == version.version)
        & (model_weeks.c.start == last),
    )
