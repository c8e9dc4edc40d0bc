"""Stored counts: any row survives its bytes, and rows add up to windows exactly."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from data.merging import merged, packed, summed, unpacked

START = datetime(2026, 3, 2, tzinfo=UTC)
DAY = timedelta(days=1)
SIZES = {"few": 3, "many": 260}
ROWS = st.lists(
    st.tuples(
        st.sampled_from([*SIZES, "unknown"]),
        st.integers(0, 9),
        st.integers(0, 2**32),
        st.sampled_from([0.0, 0.02, 0.5, 0.9, 1.0]),
    ),
    max_size=12,
)


def stored(names: list[str], days: list[int], dense: list[np.ndarray]) -> pa.Table:
    """Rows as a count table holds them."""
    filled = [np.flatnonzero(counts) for counts in dense]
    bins, counts = packed(
        (places, row[places]) for places, row in zip(filled, dense, strict=True)
    )
    times = [START.replace(tzinfo=None) + day * DAY for day in days]
    return pa.table(
        {
            "name": pa.array(names, pa.string()),
            "ts": pa.array(times, pa.timestamp("us")),
            "bins": bins,
            "counts": counts,
        }
    )


@settings(max_examples=200, deadline=None)
@given(ROWS)
def test_rows_add_up_to_windows(rows: list[tuple[str, int, int, float]]) -> None:
    """Empty, sparse and full rows in any order are the sums of their days' windows."""
    dense = [
        np.random.default_rng(seed).integers(1, 2**32, SIZES.get(name, 5))
        * (np.random.default_rng(seed + 1).random(SIZES.get(name, 5)) < share)
        for name, _, seed, share in rows
    ]
    edges = [START, START + 3 * DAY, START + 4 * DAY, START + 10 * DAY]
    expected = {name: np.zeros((3, size), np.int64) for name, size in SIZES.items()}
    for (name, day, _, _), counts in zip(rows, dense, strict=True):
        if name in SIZES:
            expected[name][(day >= 3) + (day >= 4)] += counts

    table = stored([r[0] for r in rows], [r[1] for r in rows], dense)
    found = merged(table, "name", SIZES, edges)

    for name in SIZES:
        assert found[name].dtype == np.int64
        assert (found[name] == expected[name]).all()


def test_a_portion_of_a_table_adds_up_alone() -> None:
    """A slice of stored rows counts its own rows and no others."""
    dense = [np.arange(1, 4) * (k + 1) for k in range(4)]
    table = stored(["few"] * 4, [0, 1, 2, 3], dense).slice(1, 2)

    found = merged(table, "name", {"few": 3}, [START, START + 9 * DAY])

    assert found["few"].tolist() == [[5, 10, 15]]


def test_the_shorter_form_is_stored() -> None:
    """Full rows lose their list of bins, sparse ones keep it; both can be read back."""
    full, sparse = np.arange(250), np.array([3, 249])
    bins, counts = packed([(full, full + 1), (sparse, np.array([7, 2**31]))])

    assert [len(b) for b in bins.to_pylist()] == [0, 8]
    assert [len(c) for c in counts.to_pylist()] == [1000, 8]
    places, found = unpacked(bins[1].as_py(), counts[1].as_py())
    assert (places.tolist(), found.tolist()) == ([3, 249], [7, 2**31])
    places, found = unpacked(bins[0].as_py(), counts[0].as_py())
    assert (places == full).all() and (found == full + 1).all()


def test_sums_of_tasks_add_up_by_window() -> None:
    """Sums are added within a window; an older row has the first ones alone."""
    days = [START.replace(tzinfo=None) + k * DAY for k in (0, 1, 5, 5)]
    table = pa.table(
        {
            "task": ["all", "all", "all", "local:f0"],
            "ts": pa.array(days, pa.timestamp("us")),
            "sums": [[1.0, 2.0], [10.0, 20.0], [5.0], [3.0]],
        }
    )

    found = summed(
        table, {"all": 2, "local:f0": 1}, [START, START + 2 * DAY, START + 7 * DAY]
    )

    assert found["all"].tolist() == [[11.0, 22.0], [5.0, 0.0]]
    assert found["local:f0"].tolist() == [[0.0], [3.0]]
