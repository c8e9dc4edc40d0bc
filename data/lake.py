"""Reads of the lake and the hot table as one: named queries, nothing else.

The watermark is read first, then the hot rows above it, then the lake in one
snapshot. What was flushed in between is in both, and a key that is in the lake drops
out of the hot rows; the other order could miss it. For the same reason a watermark
read seconds ago is as right as a new one: it only leaves more to drop.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from data.engine import Reader
from data.hot_store import READING_TYPES, HotStore
from data.partials import (
    STEP_COLUMNS,
    bucket_sql,
    columns,
    fold,
    from_readings,
    gaps_table,
    link,
)
from data.records import METRICS

TIERS: tuple[tuple[int, str, timedelta], ...] = (
    (3_600, "lake.rollup_1h", timedelta(days=2)),
    (900, "lake.rollup_15m", timedelta(days=1)),
)
"""Bucket seconds, table, and how far back the step into the first bucket is sought."""
RAW_LOOKBACK = timedelta(hours=3)
KEY = ("device_id", "ts")
MARK_KEPT_S = 5.0
READING_NAMES = ", ".join(READING_TYPES)


def naive(moment: datetime) -> datetime:
    """The naive UTC time the lake stores."""
    return moment.astimezone(UTC).replace(tzinfo=None)


def floor(moment: datetime, bucket_s: int) -> datetime:
    """The start of the bucket ``moment`` lies in, counted from 1970."""
    return moment - timedelta(seconds=moment.timestamp() % bucket_s)


class Lake:
    """The questions the services ask of the facts."""

    def __init__(self, reader: Reader, hot: HotStore) -> None:
        self._reader = reader
        self._hot = hot
        self._known_mark = 0, -MARK_KEPT_S

    def folded(
        self,
        gaps_s: Mapping[str, float],
        start: datetime,
        end: datetime,
        bucket_s: int,
        metrics: Sequence[str] = METRICS,
        *,
        only: Collection[str] | None = None,
    ) -> pd.DataFrame:
        """Partials of the devices in ``gaps_s`` in buckets of ``[start, end)``.

        ``start`` is floored to the bucket. Buckets without a reading are absent.
        The frame has the columns of ``partials.columns(metrics)``, ordered by
        device and time, ``ts`` naive UTC. With ``only`` it has the key and those:
        what is not asked for is not read, so a narrow question is a fast one.
        """
        tier_s, table, lookback = next(
            (tier for tier in TIERS if bucket_s % tier[0] == 0),
            (0, "", RAW_LOOKBACK),
        )
        first = floor(start, bucket_s)
        since = floor(first - lookback, tier_s or bucket_s)
        one = next(iter(gaps_s)) if len(gaps_s) == 1 else None
        hot = self._hot.rows(one, since, end, self._mark())
        values = {"since": naive(since), "first": naive(first), "end": naive(end)}
        with self._reader.cursor() as cursor:
            cursor.register("gaps", gaps_table(gaps_s))
            source = _source(cursor, hot, (tier_s, table), metrics, values, one)
            steps = only is None or not STEP_COLUMNS.isdisjoint(only)
            bucket = bucket_sql(bucket_s)
            if tier_s == bucket_s:
                folded = link(source) if steps else source
            else:
                folded = fold(source, bucket, metrics, across=True, steps=steps)
            names = [n for n in columns(metrics) if only is None or n in {*only, *KEY}]
            query = f"SELECT {', '.join(names)} FROM ({folded}) "
            query += "WHERE ts >= $first ORDER BY device_id, ts"
            return _frame(cursor.execute(query, values))

    def readings(
        self, device_id: str, start: datetime, end: datetime, limit: int
    ) -> pd.DataFrame:
        """The stored readings of a device in ``[start, end)``, oldest first."""
        hot = self._hot.rows(device_id, start, end, self._mark())
        values = {
            "start": naive(start),
            "end": naive(end),
            "device": device_id,
            "limit": limit,
        }
        with self._reader.cursor() as cursor:
            cursor.register("fresh", hot)
            return _frame(
                cursor.execute(
                    f"""
                WITH slice AS (SELECT {READING_NAMES} FROM lake.telemetry
                    WHERE device_id = $device AND ts >= $start AND ts < $end)
                SELECT * FROM (
                    FROM slice UNION ALL
                    SELECT {READING_NAMES} FROM fresh ANTI JOIN slice
                        USING (device_id, ts))
                ORDER BY ts LIMIT $limit""",
                    values,
                )
            )

    def flagged(self, device_id: str, start: datetime, end: datetime) -> pd.DataFrame:
        """The readings in ``[start, end)`` with a value not to be trusted, by time."""
        hot = self._hot.rows(device_id, start, end, self._mark())
        values = {"start": naive(start), "end": naive(end), "device": device_id}
        names = ", ".join(("ts", "quality", *METRICS))
        with self._reader.cursor() as cursor:
            cursor.register("fresh", hot)
            query = f"""
                WITH slice AS (SELECT {names} FROM lake.telemetry
                    WHERE device_id = $device AND ts >= $start AND ts < $end)
                SELECT * FROM (
                    FROM slice UNION ALL
                    SELECT {names} FROM fresh ANTI JOIN slice USING (ts))
                WHERE quality <> 0 ORDER BY ts"""
            return _frame(cursor.execute(query, values))

    def span(self, device_id: str) -> tuple[datetime, datetime] | None:
        """The times of a device's first and last reading, or ``None``."""
        hot = self._hot.rows(device_id, datetime(1971, 1, 1, tzinfo=UTC), FAR)
        times = [t.as_py() for t in hot["ts"]] if hot.num_rows else []
        with self._reader.cursor() as cursor:
            row = cursor.execute(
                "SELECT min(first_ts), max(last_ts) FROM lake.rollup_1h "
                "WHERE device_id = $device",
                {"device": device_id},
            ).fetchone()
        times += [t for t in row or () if t is not None]
        if not times:
            return None
        return min(times).replace(tzinfo=UTC), max(times).replace(tzinfo=UTC)

    def watermark(self) -> int:
        """The id of the newest hot row that is in the lake, 0 for none."""
        with self._reader.cursor() as cursor:
            row = cursor.execute("SELECT max(hot_id) FROM lake.watermark").fetchone()
        return int(row[0]) if row and row[0] is not None else 0

    def _mark(self) -> int:
        """A watermark that is at most a few seconds old."""
        mark, read_at = self._known_mark
        if time.monotonic() - read_at > MARK_KEPT_S:
            mark = self.watermark()
            self._known_mark = mark, time.monotonic()
        return mark

    def version(self) -> int:
        """The lake's snapshot number: what a cache of its answers is keyed by."""
        with self._reader.cursor() as cursor:
            row = cursor.execute(
                "SELECT id FROM ducklake_current_snapshot('lake')"
            ).fetchone()
        return int(row[0]) if row else 0


FAR = datetime(2200, 1, 1, tzinfo=UTC)


def _source(
    cursor: duckdb.DuckDBPyConnection,
    hot: pa.Table,
    tier: tuple[int, str],
    metrics: Sequence[str],
    values: dict[str, datetime],
    one: str | None,
) -> str:
    """SQL of the partials the query folds.

    Those of a roll-up, one for each of its buckets, folded anew where readings are
    fresh; or else the readings themselves.
    """
    tier_s, table = tier
    # Before the window functions run, else one page would fold the whole fleet.
    mine = "AND device_id IN (SELECT device_id FROM gaps)"
    if one is not None:
        mine = "AND device_id = $device"
        values["device"] = one  # type: ignore[assignment]
    if not tier_s:
        cursor.register("fresh", hot)
        return from_readings(
            f"""(WITH slice AS (SELECT {READING_NAMES} FROM lake.telemetry
                    WHERE ts >= $since AND ts < $end {mine})
                FROM slice UNION ALL SELECT {READING_NAMES} FROM fresh
                    ANTI JOIN slice USING (device_id, ts))""",
            metrics,
        )
    names = ", ".join(columns(metrics))
    stored = f"SELECT {names} FROM {table} WHERE ts >= $since AND ts < $end {mine}"
    if hot.num_rows == 0:
        return stored
    cursor.register("fresh", hot)
    lo, hi = pc.min(hot["ts"]).as_py(), pc.max(hot["ts"]).as_py()
    step = timedelta(seconds=tier_s)
    values["lo"] = naive(floor(lo.replace(tzinfo=UTC), tier_s))
    values["hi"] = naive(floor(hi.replace(tzinfo=UTC), tier_s) + step)
    touched = f"""(SELECT DISTINCT device_id, {bucket_sql(tier_s, "ts")} AS ts
        FROM fresh)"""
    slice_ = f"""(SELECT {READING_NAMES} FROM lake.telemetry AS t
        WHERE ts >= $lo AND ts < $hi {mine} AND (device_id,
            {bucket_sql(tier_s, "t.ts")}) IN {touched})"""
    raw = from_readings(
        f"""(FROM {slice_} UNION ALL SELECT {READING_NAMES} FROM fresh
            ANTI JOIN {slice_} AS s USING (device_id, ts))""",
        metrics,
    )
    raw = fold(raw, bucket_sql(tier_s), metrics, across=False)
    return f"""{stored} AND (device_id, ts) NOT IN {touched}
        UNION ALL SELECT {names} FROM ({raw})"""


def _frame(result: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    frame: pd.DataFrame = result.df()
    return frame
