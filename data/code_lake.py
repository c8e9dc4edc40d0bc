"""The error codes that the readings of a device carry: counted, first and last."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from data.engine import Reader
from data.hot_store import HotStore
from data.lake import naive


@dataclass(frozen=True)
class CodeCount:
    """One code in a range: how often it came up, in how many readings, when."""

    code: str
    times: int
    readings: int
    first: datetime
    last: datetime


class CodeLake:
    """Reads codes of the lake and the hot table as one."""

    def __init__(self, reader: Reader, hot: HotStore) -> None:
        self._reader = reader
        self._hot = hot

    def counts(self, device_id: str, start: datetime, end: datetime) -> list[CodeCount]:
        """The codes of ``[start, end)``, newest first.

        A code comes up when the reading before has none or another.
        """
        with self._reader.cursor() as cursor:
            row = cursor.execute("SELECT max(hot_id) FROM lake.watermark").fetchone()
        mark = int(row[0]) if row and row[0] is not None else 0
        hot = self._hot.rows(device_id, start, end, mark)
        values = {"start": naive(start), "end": naive(end), "device": device_id}
        with self._reader.cursor() as cursor:
            cursor.register("fresh", hot)
            rows = cursor.execute(QUERY, values).fetchall()
        return [
            CodeCount(code, times, n, _utc(first), _utc(last))
            for code, times, n, first, last in rows
        ]


QUERY = """
    WITH slice AS (SELECT ts, trim(error_code) AS code FROM lake.telemetry
            WHERE device_id = $device AND ts >= $start AND ts < $end),
        both_ AS (FROM slice UNION ALL
            SELECT ts, trim(error_code) AS code FROM fresh ANTI JOIN slice USING (ts)),
        stepped AS (SELECT ts, code, lag(code) OVER (ORDER BY ts) AS code_before
            FROM both_)
    SELECT code, count(*) FILTER (code_before IS DISTINCT FROM code), count(*),
           min(ts), max(ts)
    FROM stepped WHERE code IS NOT NULL AND code <> ''
    GROUP BY code ORDER BY max(ts) DESC, code LIMIT 50"""


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC)
