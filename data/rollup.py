"""The stored roll-ups: every bucket that new readings touch is folded anew."""

from __future__ import annotations

from datetime import datetime

import duckdb

from data.partials import bucket_sql, columns, fold, from_readings

ROLLUPS = {"rollup_15m": 900, "rollup_1h": 3_600}
"""Table and bucket width in seconds."""


def refold(connection: duckdb.DuckDBPyConnection) -> int:
    """Fold anew the buckets that the temporary table ``incoming`` touches.

    Runs inside the flusher's transaction, after the readings went in. A bucket
    depends on its own readings alone, so late rows need no neighbours.

    Returns:
        How many 15-minute buckets were folded.
    """
    count, lo, hi = _touch(connection, ROLLUPS["rollup_15m"])
    # Nothing stored yet means nothing but the incoming rows can be in a bucket.
    source, values = "incoming", []
    if _drop_stale(connection, "rollup_15m", lo, hi):
        source = f"""(SELECT * FROM lake.telemetry WHERE ts >= $1 AND ts < $2
            AND (device_id, {bucket_sql(900, "ts")}) IN (FROM touched))"""
        values = [lo, hi]
    _store(connection, "rollup_15m", from_readings(source), values)

    _hours, lo, hi = _touch(connection, ROLLUPS["rollup_1h"])
    _drop_stale(connection, "rollup_1h", lo, hi)
    source = f"""SELECT * FROM lake.rollup_15m WHERE ts >= $1 AND ts < $2
        AND (device_id, {bucket_sql(3_600, "ts")}) IN (FROM touched)"""
    _store(connection, "rollup_1h", source, [lo, hi])
    connection.execute("DROP TABLE touched")
    return count


def _touch(
    connection: duckdb.DuckDBPyConnection, seconds: int
) -> tuple[int, datetime, datetime]:
    """Make the table of touched buckets; their count and the time they span."""
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE touched AS SELECT DISTINCT device_id, "
        f"{bucket_sql(seconds, 'ts')} AS ts FROM incoming"
    )
    row = connection.execute(
        f"SELECT count(*), min(ts), max(ts) + INTERVAL '{seconds} seconds' FROM touched"
    ).fetchone()
    if row is None or row[1] is None:
        raise ValueError("nothing came in, so there is nothing to fold")
    return row[0], row[1], row[2]


def _drop_stale(
    connection: duckdb.DuckDBPyConnection, table: str, lo: datetime, hi: datetime
) -> bool:
    """Delete the touched buckets that are stored; whether there were any."""
    row = connection.execute(
        f"DELETE FROM lake.{table} WHERE ts >= $1 AND ts < $2 "
        "AND (device_id, ts) IN (FROM touched)",
        [lo, hi],
    ).fetchone()
    return row is not None and row[0] > 0


def _store(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    partials: str,
    values: list[datetime],
) -> None:
    names = ", ".join(columns())
    folded = fold(partials, bucket_sql(ROLLUPS[table]), across=False)
    connection.execute(
        f"INSERT INTO lake.{table} SELECT {names} FROM ({folded}) "
        "ORDER BY device_id, ts",
        values,
    )
