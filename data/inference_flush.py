"""The lake's writer for monitored models: staged rows, labels, references, counts.

One lake transaction per model holds its new rows, the counts of every day they touch
and the watermark. Killed anywhere, the next flush resumes from the watermark; a
prediction that is stored already, under the same id and version, is dropped.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import structlog

from data import recount
from data.flush import sync_files
from data.grids import Grid
from data.inference_intake import Days, days_of, joined, take_labels, take_rows
from data.inference_tables import (
    CHANGES,
    FLOORS,
    HISTOGRAMS,
    MARK,
    OUTCOMES,
    create_shared,
    ensure_model,
    labels_table,
    rows_table,
)
from data.model_records import Model, ReferenceRecord
from data.model_store import ModelStore, StagedBatch
from data.pairs import recount_pairs
from data.recount import Estimate, Target
from settings import Settings

Estimates = Callable[[Model, ReferenceRecord], Estimate | None]
ROWS_AT_ONCE = 2_000_000
PROFILE = "model_id = $1 AND version = $2 AND grid = $3 AND grain = 'all'"
"""Counts of a reference, by the target's key."""
log = structlog.get_logger()


@dataclass(frozen=True)
class MovedRows:
    """What one flush moved, and how many rows were there already."""

    rows: int
    duplicates: int
    days: int


class InferenceFlusher:
    """Moves what was sent for models into the lake, through the flusher's connection.

    Args:
        settings: the configuration.
        store: models and what waits for them.
        connection: the lake's one writing connection.
        estimates: gives the row-level estimator of a version, for regressions.
    """

    def __init__(
        self,
        settings: Settings,
        store: ModelStore,
        connection: duckdb.DuckDBPyConnection,
        estimates: Estimates,
    ) -> None:
        self._settings = settings
        self._store = store
        self._connection = connection
        self._estimates = estimates
        self._ensured: dict[int, int] = {}
        self._known_mark: int | None = None
        create_shared(connection)

    def pending(self) -> int:
        """Rows that wait."""
        return sum(b.rows for b in self._store.staged(self._mark()))

    def flush(self) -> MovedRows:
        """Move what waits for the first model that has something waiting."""
        mark = self._mark()
        batches = self._portion(self._store.staged(mark))
        moved = MovedRows(0, 0, 0)
        if batches:
            models = {m.id: m for m in self._store.models()}
            moved = self._move(models[batches[0].model_id], batches)
            mark = batches[-1].id
        # Files first: killed in between, the next flush still knows them.
        for path in self._store.moved(mark):
            Path(path).unlink(missing_ok=True)
        self._store.unstage(mark)
        return moved

    def retain(self, now: datetime, default_days: int | None) -> None:
        """Drop raw rows that are older than a model keeps; counts stay."""
        for model in self._store.models():
            kept = model.spec.retention_days or default_days
            if kept is None or rows_table(model.id) not in self._tables():
                continue
            today = now.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
            self._drop_before(model, today - timedelta(days=kept))

    def _tables(self) -> set[str]:
        run = self._connection.execute
        return {row[0] for row in run("SHOW TABLES FROM lake").fetchall()}

    def _drop_before(self, model: Model, floor: datetime) -> None:
        """Drop rows and their labels; days once dropped are never counted again."""
        run = self._connection.execute
        table, labels = rows_table(model.id), labels_table(model.id)
        floor = max(floor, self._floor(model) or floor)
        old = f"FROM lake.{table} WHERE ts < $1"
        if run(f"SELECT 1 {old} LIMIT 1", [floor]).fetchone() is None:
            return
        run("BEGIN")
        try:
            run(
                f"""DELETE FROM lake.{labels} WHERE prediction_id IN (
                    SELECT prediction_id {old} EXCEPT
                    SELECT prediction_id FROM lake.{table} WHERE ts >= $1)""",
                [floor],
            )
            run(f"DELETE {old}", [floor])
            run(f"DELETE FROM lake.{FLOORS} WHERE model_id = $1", [model.id])
            run(f"INSERT INTO lake.{FLOORS} VALUES ($1, $2)", [model.id, floor])
            run("COMMIT")
        except BaseException:
            run("ROLLBACK")
            raise

    def _floor(self, model: Model) -> datetime | None:
        """The time before which rows of a model were dropped."""
        row = self._connection.execute(
            f"SELECT max(floor) FROM lake.{FLOORS} WHERE model_id = $1", [model.id]
        ).fetchone()
        return row[0] if row else None

    def _portion(self, staged: Sequence[StagedBatch]) -> list[StagedBatch]:
        """The first batches of one model that fit together."""
        taken: list[StagedBatch] = []
        for batch in staged:
            rows = sum(b.rows for b in taken) + batch.rows
            if taken and (
                batch.model_id != taken[0].model_id
                or rows > ROWS_AT_ONCE
                or "reference" in (batch.kind, taken[0].kind)
            ):
                break
            taken.append(batch)
        return taken

    def _mark(self) -> int:
        """The last file that was moved; nobody else writes it."""
        if self._known_mark is None:
            row = self._connection.execute(f"FROM lake.{MARK}").fetchone()
            self._known_mark = int(row[0]) if row else 0
        return self._known_mark

    def _move(self, model: Model, batches: Sequence[StagedBatch]) -> MovedRows:
        run = self._connection.execute
        if self._ensured.get(model.id) != model.revision:
            ensure_model(self._connection, model.id, model.spec)
            self._ensured[model.id] = model.revision
        started_ns = time.time_ns()
        run("BEGIN")
        try:
            before, days = self._take_all(model, batches)
            days = self._above_floor(model, days)
            for version, touched in sorted(days.items()):
                self._recount(model, version, touched)
            recount_pairs(self._connection, model, days)
            self._note(model, days)
            run(f"UPDATE lake.{MARK} SET staged_id = $1", [batches[-1].id])
            tables = (rows_table(model.id), labels_table(model.id))
            sync_files(
                self._settings.lake_dir, (*tables, HISTOGRAMS, OUTCOMES), started_ns
            )
            self._known_mark = None
            run("COMMIT")
        except BaseException:
            run("ROLLBACK")
            raise
        sent = sum(b.rows for b in batches)
        return MovedRows(before, sent - before, sum(map(len, days.values())))

    def _take_all(
        self, model: Model, batches: Sequence[StagedBatch]
    ) -> tuple[int, Days]:
        """Insert what came; how many rows were new, and the days they touch."""
        taken, days = 0, Days()
        paths = {
            kind: [b.path for b in batches if b.kind == kind]
            for kind in ("inferences", "labels")
        }
        if paths["inferences"]:
            count, touched = take_rows(self._connection, model, paths["inferences"])
            taken, days = taken + count, joined(days, touched)
        if paths["labels"]:
            seq = {b.path: b.id for b in batches if b.kind == "labels"}
            count, touched = take_labels(self._connection, model, seq)
            taken, days = taken + count, joined(days, touched)
        for batch in batches:
            if batch.kind == "reference":
                days = joined(days, self._take_reference(model, batch.version))
                taken += batch.rows
        return taken, days

    def _take_reference(self, model: Model, version: str) -> Days:
        """Profile a new reference; the days of all versions judged by it."""
        record = self._store.reference(model.id, version)
        if record is None:
            return {}
        rows = self._connection.execute(
            f"""SELECT DISTINCT version, date_trunc('day', ts)
                FROM lake.{rows_table(model.id)} ORDER BY ALL"""
        ).fetchall()
        names = {version, *(v.version for v in self._store.versions(model.id))}
        judged = {
            name
            for name in names
            if self._store.reference_id(model.id, name) == record.id
        }
        for name in sorted(judged):
            target = self._target(model, name, record)
            # Other rows, or labels alone, may give the bins of an older reference.
            if self._forget_profile(target) or name == version:
                self._profile(target)
        return {name: found for name, found in days_of(rows).items() if name in judged}

    def _above_floor(self, model: Model, days: Days) -> Days:
        """The days whose raw rows are all still there."""
        dropped = self._floor(model)
        floor = np.datetime64(dropped or 0, "D")
        return {v: [d for d in found if d >= floor] for v, found in days.items()}

    def _recount(
        self, model: Model, version: str, days: Sequence[np.datetime64]
    ) -> None:
        record = self._store.reference(model.id, version)
        if record is not None and days:
            target = self._target(model, version, record)
            self._profile(target)
            recount.recount(self._connection, target, days)

    def _profile(self, target: Target) -> None:
        """Count the reference a version is judged by, unless that is done."""
        if self._is_profiled(target):
            return
        if not Path(target.record.path).exists():
            # Its bins are known, so days are counted; there is nothing to hold against.
            log.error("reference file missing", path=target.record.path)
            return
        with self._connection.cursor() as reader:
            batches = reader.execute(
                "SELECT * FROM read_parquet($1)", [target.record.path]
            ).to_arrow_reader(recount.BATCH_ROWS)
            recount.profile(self._connection, target, batches)

    def _is_profiled(self, target: Target) -> bool:
        query = f"SELECT 1 FROM lake.{HISTOGRAMS} WHERE {PROFILE} LIMIT 1"
        return self._connection.execute(query, [*target.key]).fetchone() is not None

    def _forget_profile(self, target: Target) -> bool:
        """Drop what was counted of a reference; whether there was something."""
        if not self._is_profiled(target):
            return False
        for table in (HISTOGRAMS, OUTCOMES):
            self._connection.execute(
                f"DELETE FROM lake.{table} WHERE {PROFILE}", [*target.key]
            )
        return True

    def _target(self, model: Model, version: str, record: ReferenceRecord) -> Target:
        return Target(
            model_id=model.id,
            spec=model.spec,
            version=version,
            record=record,
            grid=Grid.from_json(record.grid),
            estimate=self._estimates(model, record),
        )

    def _note(self, model: Model, days: Days) -> None:
        """Say what changed, for those who judge."""
        for version, touched in days.items():
            if touched:
                self._connection.execute(
                    f"""INSERT INTO lake.{CHANGES} SELECT
                        coalesce(max(seq), 0) + 1, $1, $2, $3, $4
                        FROM lake.{CHANGES}""",
                    [model.id, version, touched[0].item(), touched[-1].item()],
                )
