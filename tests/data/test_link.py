"""Linking stored buckets gives what folding them gives."""

from __future__ import annotations

import duckdb
import numpy as np
import pandas as pd
import pytest

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


@pytest.mark.parametrize("seed", range(4))
def test_link_is_fold_for_one_partial_in_each_bucket(seed: int) -> None:
    """Every column of every bucket is equal, with gaps, nulls and flags in between."""
    rng = np.random.default_rng(seed)
    rows = 600
    seconds = np.cumsum(rng.choice([60, 60, 60, 170, 200, 5_000], rows))
    frame = pd.DataFrame(
        {
            "device_id": rng.choice(["a", "b"], rows),
            "ts": pd.Timestamp("2026-03-01") + pd.to_timedelta(seconds, unit="s"),
            "quality": np.where(rng.random(rows) < 0.1, 1 << 3, 0),
            "mode": rng.choice(["eco", "off"], rows),
            "heating": rng.choice(np.array([True, False, None], dtype=object), rows),
            **{m: np.where(rng.random(rows) < 0.2, np.nan, rng.random(rows) * 9)
               for m in METRICS},
        }
    )  # fmt: skip
    with duckdb.connect() as connection:
        connection.register("readings", frame)
        connection.register("gaps", gaps_table({"a": 180.0, "b": 180.0}))
        folded = fold(from_readings("readings"), bucket_sql(900), across=False)
        connection.execute(f"CREATE TABLE stored AS {folded}")
        names = ", ".join(columns())
        ask = f"SELECT {names} FROM ({{}}) ORDER BY device_id, ts"  # noqa: S608
        source = f"SELECT {names} FROM stored"  # noqa: S608
        linked = connection.execute(ask.format(link(source))).df()
        across = fold(source, bucket_sql(900), across=True)
        expected = connection.execute(ask.format(across)).df()

    assert len(linked) > 100
    pd.testing.assert_frame_equal(linked, expected, check_exact=False, rtol=1e-12)
    assert linked["covered_s"].sum() > 0


def test_a_fold_without_steps_has_the_same_values() -> None:
    """Leaving the steps out changes none of the other columns."""
    frame = pd.DataFrame(
        {
            "device_id": "a",
            "ts": pd.date_range("2026-03-01", periods=100, freq="1min"),
            "quality": 0,
            "mode": "eco",
            "heating": True,
            **{metric: np.arange(100.0) for metric in METRICS},
        }
    )
    names = [name for name in columns() if name not in STEP_COLUMNS]
    with duckdb.connect() as connection:
        connection.register("readings", frame)
        connection.register("gaps", gaps_table({"a": 180.0}))
        found = []
        for steps in (True, False):
            source, bucket = from_readings("readings"), bucket_sql(600)
            folded = fold(source, bucket, across=True, steps=steps)
            query = f"SELECT {', '.join(names)} FROM ({folded}) ORDER BY ts"  # noqa: S608
            found.append(connection.execute(query).df())
    with_steps, without = found

    assert len(without) == 10
    pd.testing.assert_frame_equal(without, with_steps)
