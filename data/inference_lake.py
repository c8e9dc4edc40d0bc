"""Reads of monitored models: counts merged into windows, raw rows for those who ask."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import duckdb
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from data.counts import Cells, Counts, cell_sizes
from data.engine import Reader
from data.grids import Grid
from data.inference_tables import (
    CHANGES,
    FLOORS,
    HISTOGRAMS,
    OUTCOMES,
    labels_table,
    row_types,
    rows_table,
)
from data.kept import MOST, Kept
from data.lake import naive
from data.merging import merged, summed, unpacked
from data.model_records import ModelSpec
from data.outcomes import DELAY_BINS

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Change:
    """Days of a version whose counts have changed, in the order they did."""

    seq: int
    model_id: int
    version: str
    first: datetime
    last: datetime


class InferenceLake:
    """The questions the services ask of predictions, labels and their counts."""

    def __init__(self, reader: Reader, kept: int = MOST) -> None:
        self._reader = reader
        self._tables: set[str] = set()
        self._kept = Kept(kept)

    def counts(
        self,
        model_id: int,
        version: str,
        grid: Grid,
        segment: str,
        edges: Sequence[datetime],
        grain: str,
    ) -> Counts:
        """Histograms of all columns, merged into ``len(edges) - 1`` windows.

        Args:
            model_id: the model.
            version: its version.
            grid: the bins; counts on another grid are left out.
            segment: canonical, as ``g0=north``; empty for all rows.
            edges: rising; window i is ``[edges[i], edges[i + 1])``.
            grain: ``day`` or ``hour``, which every edge must be a whole number of.
        """
        key = (model_id, version, grid.id, grain, segment)
        table = self._stored(HISTOGRAMS, "col", key, edges)
        sizes = {name: column.size for name, column in grid.columns.items()}
        return Counts(len(edges) - 1, merged(table, "col", sizes, edges))

    def cells(
        self,
        spec: ModelSpec,
        model_id: int,
        version: str,
        grid: Grid,
        segment: str,
        edges: Sequence[datetime],
        grain: str,
    ) -> Cells:
        """Performance cells of all tasks, merged into windows; see ``counts``."""
        key = (model_id, version, grid.id, grain, segment)
        return _cells(self._stored(OUTCOMES, "task", key, edges), spec, grid, edges)

    def segment_cells(
        self,
        spec: ModelSpec,
        model_id: int,
        version: str,
        grid: Grid,
        segments: Sequence[str],
        edges: Sequence[datetime],
        grain: str,
    ) -> dict[str, Cells]:
        """The cells of several segments, read at once; see ``counts``."""
        keys = (model_id, version, grid.id, grain, *segments)
        table = self._stored(OUTCOMES, "task", keys, edges)
        return {
            segment: _cells(
                table.filter(pc.equal(table["segment"], segment)), spec, grid, edges
            )
            for segment in segments
        }

    def reference_counts(
        self, model_id: int, version: str, grid: Grid, segment: str
    ) -> Counts:
        """The reference's histograms as one window."""
        return self.counts(model_id, version, grid, segment, EVER, "all")

    def reference_cells(
        self, spec: ModelSpec, model_id: int, version: str, grid: Grid, segment: str
    ) -> Cells:
        """The reference's performance cells as one window."""
        return self.cells(spec, model_id, version, grid, segment, EVER, "all")

    def pairs(
        self, model_id: int, version: str, other: str, edges: Sequence[datetime]
    ) -> Floats:
        """Rows, sum and sum of squares of loss(version) - loss(other) by window.

        Over predictions that both made and that have a label; shape (windows, 3).
        """
        first, second = sorted((version, other))
        key = (model_id, first, "", "day", "")
        table = self._stored(OUTCOMES, "task", key, edges)
        task = f"pair:{second}"
        found = summed(table, {task: 3}, edges)[task]
        return found * (1, -1, 1) if first != version else found

    def opponents(
        self, model_id: int, version: str, start: datetime, end: datetime
    ) -> frozenset[str]:
        """Versions with labelled predictions in ``[start, end)`` that this one made."""
        query = f"""SELECT DISTINCT version, task[6:] FROM lake.{OUTCOMES}
            WHERE model_id = $1 AND grid = '' AND grain = 'day' AND sums[1] > 0
            AND ts >= $2 AND ts < $3"""
        values = [model_id, naive(start), naive(end)]
        with self._cursor(OUTCOMES) as cursor:
            rows = cursor.execute(query, values).fetchall() if cursor else []
        return frozenset(v for pair in rows if version in pair for v in pair) - {
            version
        }

    def span(self, model_id: int, version: str) -> tuple[datetime, datetime] | None:
        """The first and the last day that has rows; ``None`` where there are none."""
        query = f"""SELECT min(ts), max(ts) FROM lake.{HISTOGRAMS}
            WHERE model_id = $1 AND version = $2 AND grain = 'day'
            AND col = 'prediction'"""
        with self._cursor(HISTOGRAMS) as cursor:
            if cursor is None:
                return None
            row = cursor.execute(query, [model_id, version]).fetchone()
        if row is None or row[0] is None:
            return None
        return row[0].replace(tzinfo=UTC), row[1].replace(tzinfo=UTC)

    def sample(
        self,
        spec: ModelSpec,
        model_id: int,
        version: str,
        start: datetime,
        end: datetime,
        rows: int,
    ) -> pd.DataFrame:
        """Raw rows in canonical columns with ``label``: at most ``rows``, repeatably.

        Where there are more, those whose id has the smallest hash.
        """
        names = ", ".join(f"r.{n}" for n in row_types(spec) if n != "version")
        query = f"""
            SELECT {names}, l.label FROM (
                SELECT * FROM lake.{rows_table(model_id)}
                WHERE version = $1 AND ts >= $2 AND ts < $3
                ORDER BY hash(prediction_id), prediction_id LIMIT {int(rows)}) AS r
            LEFT JOIN (SELECT prediction_id, arg_max(label, seq) AS label
                FROM lake.{labels_table(model_id)} GROUP BY prediction_id) AS l
            USING (prediction_id) ORDER BY r.ts, r.prediction_id"""
        with self._cursor(rows_table(model_id)) as cursor:
            if cursor is None:
                return pd.DataFrame(columns=[*row_types(spec), "label"])
            found = cursor.execute(query, [version, naive(start), naive(end)])
            frame: pd.DataFrame = found.df()
        return frame

    def changes(self, above: int) -> list[Change]:
        """What has changed since a change that was seen, oldest first."""
        query = f"""SELECT seq, model_id, version, first_ts, last_ts
            FROM lake.{CHANGES} WHERE seq > $1 ORDER BY seq"""
        with self._cursor(CHANGES) as cursor:
            rows = cursor.execute(query, [above]).fetchall() if cursor else []
        return [
            Change(s, m, v, a.replace(tzinfo=UTC), b.replace(tzinfo=UTC))
            for s, m, v, a, b in rows
        ]

    def totals(
        self, model_id: int, version: str
    ) -> tuple[int, datetime | None, datetime | None]:
        """Stored rows of a version, and the times of the first and the last one."""
        query = f"""SELECT count(*), min(ts), max(ts) FROM lake.{rows_table(model_id)}
            WHERE version = $1"""
        with self._cursor(rows_table(model_id)) as cursor:
            row = cursor.execute(query, [version]).fetchone() if cursor else None
        if row is None or row[1] is None:
            return 0, None, None
        return row[0], row[1].replace(tzinfo=UTC), row[2].replace(tzinfo=UTC)

    def waiting_labels(self, model_id: int) -> int:
        """Labels whose prediction has not come (yet)."""
        query = f"""SELECT count(DISTINCT prediction_id) FROM (
            SELECT prediction_id FROM lake.{labels_table(model_id)} ANTI JOIN
            lake.{rows_table(model_id)} USING (prediction_id))"""
        with self._cursor(rows_table(model_id)) as cursor:
            row = cursor.execute(query).fetchone() if cursor else None
        return int(row[0]) if row else 0

    def label_lag_days(self, model_id: int, version: str) -> float | None:
        """Median age in days of a label when it came, over all labelled rows."""
        query = f"""SELECT bins, counts FROM lake.{OUTCOMES}
            WHERE model_id = $1 AND version = $2 AND task = 'delay' AND grain = 'day'"""
        with self._cursor(OUTCOMES) as cursor:
            rows = (
                cursor.execute(query, [model_id, version]).fetchall() if cursor else []
            )
        total = np.zeros(DELAY_BINS)
        for row in rows:
            bins, counts = unpacked(*row)
            total[bins] += counts
        if not total.any():
            return None
        half = np.searchsorted(np.cumsum(total), total.sum() / 2)
        return float(half)

    def floor(self, model_id: int) -> datetime | None:
        """The time before which raw rows were dropped, if any were."""
        query = f"SELECT max(floor) FROM lake.{FLOORS} WHERE model_id = $1"
        with self._cursor(FLOORS) as cursor:
            row = cursor.execute(query, [model_id]).fetchone() if cursor else None
        return row[0].replace(tzinfo=UTC) if row and row[0] else None

    @contextmanager
    def _cursor(self, table: str) -> Iterator[duckdb.DuckDBPyConnection | None]:
        """A cursor, or ``None`` where nothing was ever written for the table."""
        with self._reader.cursor() as cursor:
            if table not in self._tables:  # tables come, and never go
                found = cursor.execute("SHOW TABLES FROM lake").fetchall()
                self._tables = {name for (name,) in found}
            yield cursor if table in self._tables else None

    def _stored(
        self, table: str, name: str, key: tuple[object, ...], edges: Sequence[datetime]
    ) -> pa.Table:
        """Rows of a count table; ``key``: model, version, grid, grain, segments."""
        names = f"{name}, segment, ts, bins, counts"
        names += ", sums" if table == OUTCOMES else ""
        among = ", ".join(f"${7 + place}" for place in range(len(key) - 4))
        query = f"""SELECT {names} FROM lake.{table}
            WHERE model_id = $1 AND version = $2 AND grid = $3 AND grain = $4
            AND ts >= $5 AND ts < $6 AND segment IN ({among})"""
        values = [*key[:4], naive(edges[0]), naive(edges[-1]), *key[4:]]
        with self._cursor(table) as cursor:
            if cursor is None:
                empty: list[str] = []
                return pa.table({name: empty, "segment": pa.array(empty, pa.string())})
            asked = table, *values
            snapshot = cursor.execute("FROM lake.current_snapshot()").fetchall()
            found = self._kept.get(asked, snapshot)
            if found is None:
                found = cursor.execute(query, values).to_arrow_table()
                self._kept.put(asked, snapshot, found)
        return found


def _cells(
    table: pa.Table, spec: ModelSpec, grid: Grid, edges: Sequence[datetime]
) -> Cells:
    sizes = cell_sizes(spec, grid)
    cells = {task: size for task, (size, _) in sizes.items()}
    sums = {task: size for task, (_, size) in sizes.items() if size}
    return Cells(
        len(edges) - 1,
        merged(table, "task", cells, edges),
        summed(table, sums, edges),
    )


EVER = (datetime(1970, 1, 1, tzinfo=UTC), datetime(1970, 1, 2, tzinfo=UTC))
"""The one bucket of a reference."""
