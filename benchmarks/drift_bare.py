"""The baseline: bare DuckDB, weekly histograms of all columns and their PSI.

One process reads both files, counts 34 fixed bins (or all levels) of 25 columns for
every week, and turns them into 275 PSI values. Run: ``python drift_bare.py REF PROD``.
"""

from __future__ import annotations

import sys

import duckdb

NUMERIC, CATEGORICAL = 20, 5
START, WEEKS = "2026-01-05", 10
BINS = 32


def main(reference: str, production: str) -> int:
    """Count and score; gives how many scores there are."""
    con = duckdb.connect(config={"threads": "2", "memory_limit": "4GB"})
    cuts = ", ".join(
        f"min(f{i}) AS lo{i}, (max(f{i}) - min(f{i})) / {BINS} AS w{i}"
        for i in range(NUMERIC)
    )
    row = con.execute(f"SELECT {cuts} FROM read_parquet('{reference}')").fetchone()
    assert row is not None
    parts = []
    for path, week in (
        (reference, "-1"),
        (production, f"date_diff('day', TIMESTAMP '{START}', ts) // 7"),
    ):
        for i in range(NUMERIC + CATEGORICAL):
            key = f"f{i}::VARCHAR"
            if i < NUMERIC:
                lo, width = row[2 * i], row[2 * i + 1]
                key = f"floor((f{i} - {lo}) / {width})::INT"
            parts.append(
                f"SELECT {i} AS f, {week} AS week, ({key})::VARCHAR AS bin, "
                f"count(*) AS n FROM read_parquet('{path}') GROUP BY ALL"
            )
    con.execute(f"CREATE TABLE h AS {' UNION ALL '.join(parts)}")
    con.execute(
        f"""UPDATE h SET bin = greatest(least(bin::INT, {BINS}), -1)::VARCHAR
            WHERE f < {NUMERIC}"""
    )
    scores = con.execute(
        """WITH s AS (SELECT f, week, bin, sum(n) AS n FROM h GROUP BY ALL),
        t AS (SELECT *, n / sum(n) OVER (PARTITION BY f, week) AS share FROM s),
        w AS (SELECT DISTINCT week FROM t WHERE week >= 0)
        SELECT f, week, sum((q - p) * ln(q / p)) FROM (
            SELECT r.f, w.week, greatest(r.share, 1e-4) AS p,
                   greatest(coalesce(c.share, 0), 1e-4) AS q
            FROM t AS r CROSS JOIN w
            LEFT JOIN t AS c ON c.f = r.f AND c.week = w.week AND c.bin = r.bin
            WHERE r.week = -1) GROUP BY ALL"""
    ).fetchall()
    return len(scores)


if __name__ == "__main__":
    found = main(sys.argv[1], sys.argv[2])
    assert found == (NUMERIC + CATEGORICAL) * WEEKS, found
