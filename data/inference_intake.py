"""Taking staged files of predictions and labels into the lake's tables.

Runs inside the flusher's transaction; says which days of which versions are touched.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import duckdb
import numpy as np

from data.inference_tables import label_types, labels_table, row_types, rows_table
from data.model_records import Model

Days = dict[str, list[np.datetime64]]
"""Version -> its touched days, rising."""
DAY = timedelta(days=1)
LABELS_A_FILE = 10_000_000
"""Labels are numbered by their file and their place in it: the last one counts."""


def take_rows(
    connection: duckdb.DuckDBPyConnection, model: Model, paths: list[str]
) -> tuple[int, Days]:
    """Insert predictions whose id and version are new.

    Looked for among the days of what came and the ones beside them: who sends again
    may send another time, but not that far away.

    Returns:
        How many rows went in, and their days.
    """
    run = connection.execute
    table, names = f"lake.{rows_table(model.id)}", ", ".join(row_types(model.spec))
    source = """read_parquet($1, union_by_name => true, filename => true,
        file_row_number => true)"""
    found = run(
        f"""SELECT count(*), count(DISTINCT (prediction_id, version)), min(ts), max(ts)
            FROM {source}""",
        [paths],
    ).fetchone()
    if found is None or not found[0]:
        return 0, {}
    total, distinct, first, last = found
    query = f"SELECT {_present(connection, model, source, paths)} FROM {source}"
    if distinct < total:
        # The order of ``paths`` is that in which they came: the first one stays.
        query += """ QUALIFY row_number() OVER (PARTITION BY prediction_id, version
            ORDER BY list_position($1, filename), file_row_number) = 1"""
    values: list[object] = [paths]
    lo, hi = _day_of(first) - DAY, _day_of(last) + 2 * DAY
    if run(
        f"SELECT 1 FROM {table} WHERE ts >= $1 AND ts < $2 LIMIT 1", [lo, hi]
    ).fetchone():
        stored = (
            f"SELECT prediction_id, version FROM {table} WHERE ts >= $2 AND ts < $3"
        )
        query = f"""SELECT {names} FROM ({query}) AS new
            ANTI JOIN ({stored}) AS old USING (prediction_id, version)"""
        values += [lo, hi]
    touched = f"""SELECT DISTINCT version, date_trunc('day', ts) FROM ({query})
        ORDER BY ALL"""
    days = days_of(run(touched, values).fetchall())
    # By name: a feature that was added later stands last in the table.
    insert = f"INSERT INTO {table} ({names}) {query} ORDER BY ts"
    count = run(insert, values).fetchone()
    return (int(count[0]) if count else 0), days


def _day_of(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def _present(
    connection: duckdb.DuckDBPyConnection, model: Model, source: str, paths: list[str]
) -> str:
    """The columns of the table from files; those written before one was added lack it.

    Added features are nothing there.
    """
    described = connection.execute(f"DESCRIBE SELECT * FROM {source}", [paths])
    there = {row[0] for row in described.fetchall()}
    return ", ".join(
        name if name in there else f"NULL::{kind} AS {name}"
        for name, kind in row_types(model.spec).items()
    )


def take_labels(
    connection: duckdb.DuckDBPyConnection, model: Model, files: Mapping[str, int]
) -> tuple[int, Days]:
    """Add labels; ``files`` maps each path to its number.

    Returns:
        How many labels went in, and the days of the predictions they speak of.
    """
    run = connection.execute
    names = ", ".join(n for n in label_types(model.spec) if n != "seq")
    count = 0
    for path, number in files.items():
        row = run(
            f"""INSERT INTO lake.{labels_table(model.id)} ({names}, seq)
                SELECT {names}, {int(number) * LABELS_A_FILE} + file_row_number
                FROM read_parquet($1, file_row_number => true)""",
            [[path]],
        ).fetchone()
        count += int(row[0]) if row else 0
    touched = f"""SELECT DISTINCT version, date_trunc('day', ts)
        FROM lake.{rows_table(model.id)} SEMI JOIN
        (SELECT prediction_id FROM read_parquet($1)) USING (prediction_id)
        ORDER BY ALL"""
    return count, days_of(run(touched, [list(files)]).fetchall())


def days_of(rows: Sequence[tuple[str, datetime]]) -> Days:
    """Rows of version and day, in order, as the days of each version."""
    found: Days = {}
    for version, day in rows:
        found.setdefault(version, []).append(np.datetime64(day, "D"))
    return found


def joined(days: Days, more: Days) -> Days:
    """The days of both."""
    return {
        version: sorted({*days.get(version, []), *more.get(version, [])})
        for version in {*days, *more}
    }
