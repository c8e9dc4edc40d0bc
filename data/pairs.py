"""Paired losses of two versions that answered the same questions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import duckdb
import numpy as np

from data.inference_tables import OUTCOMES, labels_table, rows_table
from data.model_records import Model
from data.recount import name_days


def recount_pairs(
    connection: duckdb.DuckDBPyConnection,
    model: Model,
    days: Mapping[str, Sequence[np.datetime64]],
) -> None:
    """Count anew, on the touched days, what two versions lost on the same labels.

    A pair is two versions with one prediction id. Stored as the task ``pair:<b>`` of
    version a < b: rows, sum and sum of squares of loss(a) - loss(b), where the loss is
    0 or 1 for a class and the absolute error for a number.
    """
    touched = sorted({day for found in days.values() for day in found})
    table = f"lake.{rows_table(model.id)}"
    several = connection.execute(
        f"SELECT count(DISTINCT version) > 1 FROM {table}"
    ).fetchone()
    if not touched or several is None or not several[0]:
        return
    touched = _days_of_first(connection, table, touched)
    name_days(connection, touched)
    values = [
        model.id,
        touched[0].item(),
        (touched[-1] + np.timedelta64(1, "D")).item(),
    ]
    among = "date_trunc('day', {}) IN (SELECT day FROM recounted)"
    connection.execute(
        f"""DELETE FROM lake.{OUTCOMES} WHERE model_id = $1 AND task LIKE 'pair:%'
            AND ts >= $2 AND ts < $3 AND {among.format("ts")}""",
        values,
    )
    loss = "({0}.prediction <> l.label)::DOUBLE"
    if model.spec.kind == "regression":
        loss = "abs({0}.prediction - l.label)"
    connection.execute(
        f"""INSERT INTO lake.{OUTCOMES}
            SELECT $1, v, '', 'day', 'pair:' || w, '', day, ''::BLOB, ''::BLOB,
                   [count(*)::DOUBLE, sum(d), sum(d * d)]
            FROM (
                SELECT a.version AS v, b.version AS w, date_trunc('day', a.ts) AS day,
                       {loss.format("a")} - {loss.format("b")} AS d
                FROM {table} AS a
                JOIN {table} AS b ON a.prediction_id = b.prediction_id
                    AND a.version < b.version
                JOIN (SELECT prediction_id, arg_max(label, seq) AS label
                      FROM lake.{labels_table(model.id)} GROUP BY prediction_id) AS l
                    ON a.prediction_id = l.prediction_id
                WHERE a.ts >= $2 AND a.ts < $3 AND {among.format("a.ts")})
            GROUP BY v, w, day ORDER BY day""",
        values,
    )


def _days_of_first(
    connection: duckdb.DuckDBPyConnection, table: str, touched: list[np.datetime64]
) -> list[np.datetime64]:
    """The days and those of version a whose pair's b lies on one of them.

    A pair counts on the day of a; a challenger may have answered on another one.
    """
    name_days(connection, touched)
    found = connection.execute(
        f"""SELECT DISTINCT date_trunc('day', a.ts)
            FROM {table} AS a JOIN {table} AS b ON a.prediction_id = b.prediction_id
                AND a.version < b.version
            WHERE b.ts >= $1 AND b.ts < $2
                AND date_trunc('day', b.ts) IN (SELECT day FROM recounted)""",
        [touched[0].item(), (touched[-1] + np.timedelta64(1, "D")).item()],
    ).fetchall()
    return sorted({*touched, *(np.datetime64(day, "D") for (day,) in found)})
