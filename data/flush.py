"""The one writer of the lake: hot rows and staged files become sorted Parquet.

One lake transaction holds the readings, the roll-ups of every bucket they touch
and the watermark. Its Parquet files are synced before it commits; hot rows are
deleted after it. Killed anywhere, the next flush resumes from the watermark.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO

import duckdb
import pyarrow as pa

from data.engine import connect
from data.hot_store import READING_TYPES, HotStore, Pending, Staged
from data.partials import column_types, gaps_table
from data.rollup import ROLLUPS, refold
from settings import Settings

HOT_KEPT = timedelta(minutes=10)
"""Rows stay hot this long after they came, so that live pages need no lake."""
HOT_ROWS_AT_ONCE = 100_000
STAGED_ROWS_AT_ONCE = 2_000_000
"""What one flush of bulk files takes on: it folds them in memory."""
ONE_AT_A_TIME = "max_compacted_files => 1"
OLD_FILES_KEPT = timedelta(hours=1)
LAKE_TYPES = {
    "string": "VARCHAR",
    "timestamp[us]": "TIMESTAMP",
    "double": "DOUBLE",
    "bool": "BOOLEAN",
    "int64": "BIGINT",
}


class AnotherWriter(Exception):
    """Another process holds the lake's writer lock."""


@dataclass(frozen=True)
class FlushReport:
    """What one flush moved: new readings, and rows that were there already."""

    rows: int
    duplicates: int
    buckets: int


class WriterLock:
    """The lock file that lets exactly one process write the lake."""

    def __init__(self, home_dir: Path) -> None:
        self._path = home_dir / "lake.lock"
        self._file: IO[str] | None = None

    def acquire(self) -> None:
        """Take the lock, or raise ``AnotherWriter`` naming the holder."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        handle = self._path.open("a+")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            handle.seek(0)
            holder = handle.read().strip() or "unknown"
            handle.close()
            raise AnotherWriter(
                f"process {holder} writes this lake already ({self._path}); "
                "only one worker may"
            ) from error
        handle.truncate(0)
        handle.write(str(os.getpid()))
        handle.flush()
        self._file = handle

    def release(self) -> None:
        """Give the lock back."""
        if self._file is not None:
            self._file.close()
            self._file = None


def create_lake(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the lake's tables where they are missing."""
    connection.execute("CALL lake.set_option('parquet_compression', 'zstd')")
    types = {n: LAKE_TYPES[str(t)] for n, t in READING_TYPES.items()}
    _create(connection, "telemetry", types, "year(ts), month(ts), day(ts)")
    for name in ROLLUPS:
        _create(connection, name, column_types(), "year(ts), month(ts)")
    run = connection.execute
    run("CREATE TABLE IF NOT EXISTS lake.watermark(hot_id BIGINT, staged_id BIGINT)")
    # One row, rewritten by each flush: kept in the catalog, not in a file each.
    run(
        "CALL lake.set_option('data_inlining_row_limit', 10, table_name => 'watermark')"
    )
    if run("FROM lake.watermark").fetchone() is None:
        run("INSERT INTO lake.watermark VALUES (0, 0)")


def _create(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    types: Mapping[str, str],
    partition: str,
) -> None:
    known = {row[0] for row in connection.execute("SHOW TABLES FROM lake").fetchall()}
    if name in known:
        return
    listed = ", ".join(f"{column} {kind}" for column, kind in types.items())
    connection.execute("BEGIN")
    connection.execute(f"CREATE TABLE lake.{name} ({listed})")
    connection.execute(f"ALTER TABLE lake.{name} SET PARTITIONED BY ({partition})")
    connection.execute(f"ALTER TABLE lake.{name} SET SORTED BY (device_id, ts)")
    connection.execute("COMMIT")


class Flusher:
    """Moves acknowledged readings into the lake; holds the writer lock."""

    def __init__(self, settings: Settings, hot: HotStore) -> None:
        self._settings = settings
        self._hot = hot
        self._lock = WriterLock(settings.home_dir)
        self._lock.acquire()
        self._connection = connect(settings, read_only=False)
        create_lake(self._connection)

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """The lake's one writing connection, for the other part of the flusher."""
        return self._connection

    def close(self) -> None:
        """Close the lake and give the writer lock back."""
        self._connection.close()
        self._lock.release()

    def pending(self) -> Pending:
        """What waits to be flushed."""
        return self._hot.pending(self._watermark()[0])

    def flush(self, now: datetime, gaps_s: Mapping[str, float]) -> FlushReport:
        """Move what waits, up to one bounded portion, and fold the roll-ups.

        Args:
            now: the time by which old hot rows are forgotten.
            gaps_s: the gap limit of every device.
        """
        mark, staged_mark = self._watermark()
        staged: list[Staged] = []
        for file in self._hot.staged(staged_mark):
            if staged and sum(f.rows for f in staged) + file.rows > STAGED_ROWS_AT_ONCE:
                break
            staged.append(file)
        rows, last = self._hot.above(mark, HOT_ROWS_AT_ONCE)
        last_staged = staged[-1].id if staged else staged_mark
        report = FlushReport(0, 0, 0)
        if staged or rows.num_rows:
            report = self._move(
                rows, [f.path for f in staged], gaps_s, (last, last_staged)
            )
        self._hot.forget(last, now - HOT_KEPT)
        for path in self._hot.unstage(last_staged):
            Path(path).unlink(missing_ok=True)
        return report

    def maintain(self, now: datetime) -> None:
        """Merge small files, sort them, and delete what no snapshot needs.

        Old files stay for an hour: a running query may still read them.
        """
        run = self._connection.execute
        tables = [row[0] for row in run("SHOW TABLES FROM lake").fetchall()]
        for table in tables:
            run(f"CALL ducklake_rewrite_data_files('lake', '{table}')")
            self._merge(table)
        started = now - OLD_FILES_KEPT
        sync_files(self._settings.lake_dir, tables, 0)
        run("CALL ducklake_expire_snapshots('lake', older_than => $1)", [started])
        run("CALL ducklake_cleanup_old_files('lake', older_than => $1)", [started])
        run("CALL ducklake_delete_orphaned_files('lake', older_than => $1)", [started])

    def _merge(self, table: str) -> None:
        """Merge one partition after another: all at once would not fit in memory."""
        call = f"CALL ducklake_merge_adjacent_files('lake', '{table}', {ONE_AT_A_TIME})"
        while self._connection.execute(call).fetchall():
            pass

    def _watermark(self) -> tuple[int, int]:
        row = self._connection.execute("FROM lake.watermark").fetchone()
        return (int(row[0]), int(row[1])) if row else (0, 0)

    def _move(
        self,
        rows: pa.Table,
        paths: list[str],
        gaps_s: Mapping[str, float],
        marks: tuple[int, int],
    ) -> FlushReport:
        run = self._connection.execute
        self._connection.register("gaps", gaps_table(gaps_s))
        started_ns = time.time_ns()
        run("BEGIN")
        try:
            taken = self._gather(rows, paths)
            kept = self._drop_known()
            buckets = 0
            if kept:
                names = ", ".join(READING_TYPES)
                run(
                    f"INSERT INTO lake.telemetry SELECT {names} FROM incoming "
                    "ORDER BY device_id, ts"
                )
                buckets = refold(self._connection)
            run("DROP TABLE IF EXISTS incoming")
            run("UPDATE lake.watermark SET hot_id = $1, staged_id = $2", list(marks))
            sync_files(self._settings.lake_dir, ("telemetry", *ROLLUPS), started_ns)
            run("COMMIT")
        except BaseException:
            run("ROLLBACK")
            raise
        return FlushReport(kept, taken - kept, buckets)

    def _gather(self, rows: pa.Table, paths: list[str]) -> int:
        """Put everything that came into the temporary table ``incoming``."""
        names = ", ".join(READING_TYPES)
        self._connection.register("arrived", rows)
        source = f"SELECT {names}, late, id AS came FROM arrived"
        values: list[object] = []
        if paths:
            source += (
                f" UNION ALL SELECT {names}, late, 0 AS came FROM read_parquet($1)"
            )
            values.append(paths)
        self._connection.execute(f"CREATE TEMP TABLE incoming AS {source}", values)
        return self._count()

    def _count(self) -> int:
        row = self._connection.execute("SELECT count(*) FROM incoming").fetchone()
        return int(row[0]) if row else 0

    def _drop_known(self) -> int:
        """Drop late rows that are in the lake, or came twice; what is left.

        A row that was newer than everything known of its device when it was
        accepted cannot be anywhere else, so only late rows are looked for.
        """
        run = self._connection.execute
        row = run("SELECT min(ts), max(ts) FROM incoming WHERE late").fetchone()
        if row is None or row[0] is None:
            return self._count()
        run(
            """DELETE FROM incoming WHERE late AND (device_id, ts) IN (
                 SELECT (device_id, ts) FROM lake.telemetry WHERE ts >= $1 AND ts <= $2)
            """,
            [row[0], row[1]],
        )
        run(
            """DELETE FROM incoming WHERE late AND rowid NOT IN (
                 SELECT arg_min(rowid, (late::INT, came, rowid)) FROM incoming
                 GROUP BY device_id, ts)"""
        )
        return self._count()


def sync_files(lake_dir: Path, tables: Iterable[str], since_ns: int) -> None:
    """Sync what a transaction wrote: the engine itself does not (strace)."""
    for table in tables:
        folder = lake_dir / "main" / table
        fresh = [
            file
            for file in folder.rglob("*.parquet")
            if file.stat().st_mtime_ns >= since_ns
        ]
        for path in {*fresh, *(file.parent for file in fresh)}:
            _sync(path)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
