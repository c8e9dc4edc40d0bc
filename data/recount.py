"""Counting anew the days of a model that changed, from its rows in the lake.

A day depends on its own rows and their labels alone. It is counted whole or not at
all; nothing is ever incremented. Runs inside the flusher's transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from data.grids import Grid
from data.inference_tables import (
    HISTOGRAMS,
    OUTCOMES,
    labels_table,
    row_types,
    rows_table,
)
from data.merging import packed
from data.model_records import ModelSpec, ReferenceRecord
from data.profiles import HistogramRow, OutcomeRow, Profiler

BATCH_ROWS = 50_000
CELLS_AT_ONCE = 16_000_000
"""Counters held at once: 128 MB. More days than fit are counted in portions."""
HOURS_KEPT = timedelta(days=14)
"""The newest days of a model are counted by the hour as well."""
DAY = np.timedelta64(1, "D")
Estimate = Callable[[pa.RecordBatch], dict[str, npt.NDArray[np.float64]] | None]
"""Row-level estimates of a regression's loss, where its reference allows them."""


@dataclass(frozen=True)
class Target:
    """Whose days are counted: a version and the reference it is judged by."""

    model_id: int
    spec: ModelSpec
    version: str
    record: ReferenceRecord
    grid: Grid
    estimate: Estimate | None = None

    @property
    def key(self) -> tuple[int, str, str]:
        """Model, version and grid as the count tables hold them."""
        return self.model_id, self.version, self.record.grid_id


def recount(
    connection: duckdb.DuckDBPyConnection, target: Target, days: Sequence[np.datetime64]
) -> None:
    """Count days of a version anew, and their hours where they are new enough.

    Args:
        connection: inside the flusher's transaction.
        target: the version.
        days: the days whose rows or labels have changed, rising.
    """
    if not days:
        return
    _drop(connection, target, days)
    for portion in _portions(target.grid, days):
        _count(connection, target, portion, "day")
    newest = _newest(connection, target)
    if newest is None:
        return
    recent = [day for day in days if day > np.datetime64(newest - HOURS_KEPT, "D")]
    for portion in _portions(target.grid, recent, width=24):
        _count(connection, target, portion, "hour")


def profile(
    connection: duckdb.DuckDBPyConnection, target: Target, batches: pa.RecordBatchReader
) -> None:
    """Count a reference as one bucket."""
    profiler = Profiler(target.spec, target.grid, 1)
    with closing(_ahead(batches)) as read:
        for batch in read:
            found = _with_estimates(batch, target.estimate)
            profiler.add(found, np.zeros(batch.num_rows, dtype=np.int64))
    start = [np.datetime64("1970-01-01", "us")]
    store(connection, target, "all", start, profiler.histograms(), profiler.outcomes())


def _portions(
    grid: Grid, days: Sequence[np.datetime64], width: int = 1
) -> Iterator[Sequence[np.datetime64]]:
    """Days in portions whose counters fit in memory."""
    splits = 1 + sum(len(values) + 1 for values in grid.segments.values())
    cells = sum(column.size for column in grid.columns.values()) * splits * width
    most = max(1, CELLS_AT_ONCE // max(cells, 1))
    for first in range(0, len(days), most):
        yield days[first : first + most]


def _drop(
    connection: duckdb.DuckDBPyConnection, target: Target, days: Sequence[np.datetime64]
) -> None:
    """Delete the stored counts of the days, those on the bins of older references too.

    Pairs of versions have no bins; they are counted apart.
    """
    name_days(connection, days)
    clause = """model_id = $1 AND version = $2 AND grid <> '' AND grain <> 'all'
        AND ts >= $3 AND ts < $4"""
    values = [target.model_id, target.version, days[0].item(), (days[-1] + DAY).item()]
    for table in (HISTOGRAMS, OUTCOMES):
        found = connection.execute(
            f"SELECT 1 FROM lake.{table} WHERE {clause} LIMIT 1", values
        ).fetchone()
        if found is not None:
            connection.execute(
                f"DELETE FROM lake.{table} WHERE {clause} "
                "AND date_trunc('day', ts) IN (SELECT day FROM recounted)",
                values,
            )


def name_days(
    connection: duckdb.DuckDBPyConnection, days: Sequence[np.datetime64]
) -> None:
    """Make the relation ``recounted(day)`` of the days."""
    found = pa.array(np.array(days, dtype="datetime64[D]"))
    connection.register("recounted", pa.table({"day": found}))


def _newest(connection: duckdb.DuckDBPyConnection, target: Target) -> datetime | None:
    row = connection.execute(
        f"SELECT max(ts) FROM lake.{rows_table(target.model_id)} WHERE version = $1",
        [target.version],
    ).fetchone()
    return None if row is None else row[0]


def _count(
    connection: duckdb.DuckDBPyConnection,
    target: Target,
    days: Sequence[np.datetime64],
    grain: str,
) -> None:
    if not days:
        return
    starts = np.array(days, dtype="datetime64[us]")
    if grain == "hour":
        hours = np.arange(24) * np.timedelta64(3_600_000_000, "us")
        starts = (starts[:, None] + hours).ravel()
    count_batches(connection, target, grain, starts, rows(connection, target, days))


def count_batches(
    connection: duckdb.DuckDBPyConnection,
    target: Target,
    grain: str,
    starts: npt.NDArray[np.datetime64],
    batches: Iterable[pa.RecordBatch],
) -> None:
    """Count rows into the buckets that begin at ``starts``, and store the counts."""
    profiler = Profiler(target.spec, target.grid, len(starts))
    with closing(_ahead(batches)) as read:
        for batch in read:
            stamps = batch["ts"].to_numpy(zero_copy_only=False)
            bucket = np.searchsorted(starts, stamps, side="right") - 1
            profiler.add(_with_estimates(batch, target.estimate), bucket)
    found = profiler.histograms(), profiler.outcomes()
    store(connection, target, grain, list(starts), *found)


def _ahead(
    batches: Iterable[pa.RecordBatch],
) -> Generator[pa.RecordBatch]:
    """The batches, each read while the one before it is counted.

    Close it: then nothing reads on when counting fails.
    """
    source = iter(batches)
    with ThreadPoolExecutor(1) as reader:
        coming = reader.submit(next, source, None)
        while (batch := coming.result()) is not None:
            coming = reader.submit(next, source, None)
            yield batch


def rows(
    connection: duckdb.DuckDBPyConnection, target: Target, days: Sequence[np.datetime64]
) -> pa.RecordBatchReader:
    """The rows of the days with their labels, batch by batch."""
    table, labels = rows_table(target.model_id), labels_table(target.model_id)
    names = [n for n in row_types(target.spec) if n not in ("prediction_id", "version")]
    shown = ", ".join(f"r.{name}" for name in names)
    name_days(connection, days)
    days_in_a_row = (days[-1] - days[0]) // DAY + 1 == len(days)
    among = (
        ""
        if days_in_a_row
        else ("AND date_trunc('day', r.ts) IN (SELECT day FROM recounted)")
    )
    source, more = f"lake.{table} AS r", ""
    if connection.execute(f"SELECT 1 FROM lake.{labels} LIMIT 1").fetchone():
        more = """, l.label AS label,
            CASE WHEN l.known_at IS NOT NULL THEN
            greatest(epoch(l.known_at - r.ts), 0) END AS delay_s"""
        source += f""" LEFT JOIN (SELECT prediction_id, arg_max(label, seq) AS label,
            min(known_at) AS known_at FROM lake.{labels} GROUP BY prediction_id) AS l
            USING (prediction_id)"""
    query = f"""SELECT {shown}{more} FROM {source}
        WHERE r.version = $1 AND r.ts >= $2 AND r.ts < $3 {among}"""
    values = [target.version, days[0].item(), (days[-1] + DAY).item()]
    return connection.execute(query, values).to_arrow_reader(BATCH_ROWS)


def _with_estimates(batch: pa.RecordBatch, estimate: Estimate | None) -> pa.RecordBatch:
    found = estimate(batch) if estimate is not None else None
    for name, values in (found or {}).items():
        batch = batch.append_column(name, pa.array(values))
    return batch


def store(
    connection: duckdb.DuckDBPyConnection,
    target: Target,
    grain: str,
    starts: Sequence[np.datetime64],
    histograms: Iterator[HistogramRow],
    outcomes: Iterator[OutcomeRow],
) -> None:
    """Write what was counted; ``starts`` are the buckets' times."""
    model_id, version, grid = target.key
    fixed = f"{int(model_id)}, $1, $2, $3"
    counted = list(histograms)
    if counted:
        bins, counts = packed((r.bins, r.counts) for r in counted)
        table = pa.table(
            {
                "col": [r.column for r in counted],
                "segment": [r.segment for r in counted],
                "ts": pa.array([starts[r.bucket] for r in counted], pa.timestamp("us")),
                "n": [r.rows for r in counted],
                "bins": bins,
                "counts": counts,
            }
        )
        connection.register("counted", table)
        connection.execute(
            f"INSERT INTO lake.{HISTOGRAMS} SELECT {fixed}, * FROM counted "
            "ORDER BY segment, col, ts",
            [version, grid, grain],
        )
    judged = list(outcomes)
    if judged:
        bins, counts = packed((r.cells, r.counts) for r in judged)
        table = pa.table(
            {
                "task": [r.task for r in judged],
                "segment": [r.segment for r in judged],
                "ts": pa.array([starts[r.bucket] for r in judged], pa.timestamp("us")),
                "bins": bins,
                "counts": counts,
                "sums": pa.array([r.sums for r in judged], pa.list_(pa.float64())),
            }
        )
        connection.register("counted", table)
        connection.execute(
            f"INSERT INTO lake.{OUTCOMES} SELECT {fixed}, * FROM counted "
            "ORDER BY segment, task, ts",
            [version, grid, grain],
        )
