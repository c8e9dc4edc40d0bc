"""Counting rows: every histogram and cell is that of a count by hand, and adds up."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.counts import Cells, Counts, cells_of, counts_of
from data.grids import Grid
from data.model_records import Columns, Feature, ModelSpec
from data.outcomes import DELAY_BINS
from data.profiles import Profiler, profile_reference
from data.reference_grid import reference_grid
from tests.data.brute import brier, class_cells, confusion, histogram
from tests.data.watched import ANIMAL, CHURN, PRICE

NOTHING = float("nan")


def binary_rows(seed: int, rows: int) -> pa.Table:
    """Canonical rows of ``CHURN`` with every kind of odd value among them."""
    rng = np.random.default_rng(seed)
    age = rng.normal(size=rows)
    age[rng.random(rows) < 0.1] = np.inf
    age[rng.random(rows) < 0.1] = -np.inf
    missing = rng.random(rows) < 0.15
    plan = rng.choice(["basic", "plus", "rare", None], rows, p=(0.5, 0.3, 0.1, 0.1))
    score = rng.random(rows)
    score[:2] = (0.0, 1.0)
    return pa.table(
        {
            "f0": pa.array(age, pa.float64(), mask=missing),
            "f1": pa.array(plan.tolist(), pa.string()),
            "s0": pa.array(score, pa.float64(), mask=rng.random(rows) < 0.1),
            "g0": pa.array(rng.choice(["north", "south"], rows).tolist()),
            "prediction": rng.choice(["stays", "leaves", "other"], rows),
            "label": pa.array(
                rng.choice(["stays", "leaves", "new", None], rows).tolist(), pa.string()
            ),
        }
    )  # fmt: skip


def counted(
    spec: ModelSpec, grid: Grid, table: pa.Table, bucket: np.ndarray, buckets: int,
    segment: str = "", batch: int = 10**9,
) -> tuple[Counts, Cells]:  # fmt: skip
    """The profile of a table, counted in batches."""
    profiler = Profiler(spec, grid, buckets)
    for start in range(0, table.num_rows, batch):
        profiler.add(table.slice(start, batch), bucket[start : start + batch])
    return (
        counts_of(grid, profiler.histograms(), buckets, segment),
        cells_of(spec, grid, profiler.outcomes(), buckets, segment),
    )


def test_histograms_are_those_of_a_count_by_hand() -> None:
    """In every bucket and segment each column's bins hold what a loop finds there."""
    table = binary_rows(1, 400)
    grid = reference_grid(CHURN, binary_rows(2, 400))
    bucket = np.random.default_rng(3).integers(0, 3, 400)
    where = np.array(table["g0"].to_pylist())

    for segment, inside in (("", where != ""), ("g0=north", where == "north")):
        counts, _ = counted(CHURN, grid, table, bucket, 3, segment)
        for number in range(3):
            rows = table.filter(pa.array(inside & (bucket == number)))
            for name in ("f0", "f1", "s0", "prediction"):
                expected = histogram(grid.columns[name], rows[name].to_pylist())
                assert counts.columns[name][number].tolist() == expected, name
            labelled = rows["label"].drop_null().to_pylist()
            expected = histogram(grid.columns["label"], labelled)
            assert counts.columns["label"][number].tolist() == expected


def test_binary_cells_are_those_of_a_count_by_hand() -> None:
    """Confusion, score cells and losses, with classes nobody declared among them."""
    table = binary_rows(4, 500)
    grid = reference_grid(CHURN, binary_rows(5, 500))
    _, cells = counted(CHURN, grid, table, np.zeros(500, dtype=int), 1)
    given, labels = (table[n].to_pylist() for n in ("prediction", "label"))
    scores = table["s0"].to_pylist()
    lost, logarithms, scored = brier(CHURN, [(s,) for s in scores], labels)
    totals = {name: value[0] for name, value in cells.totals("binary").items()}

    assert cells.confusion(CHURN)[0].tolist() == confusion(CHURN, given, labels)
    expected = class_cells(CHURN, grid, "leaves", given, labels, scores)
    assert cells.of_class(0)[0].tolist() == expected
    assert totals["rows"] == 500
    assert totals["labelled"] == 500 - table["label"].null_count
    assert totals["scored"] == scored
    assert totals["brier"] == pytest.approx(lost, rel=1e-12)
    assert totals["log_loss"] == pytest.approx(logarithms, rel=1e-12)


def test_multiclass_cells_are_those_of_a_count_by_hand() -> None:
    """Every class has its own score cells; the Brier loss is summed over classes."""
    rng = np.random.default_rng(6)
    scores = rng.dirichlet((1, 1, 1), 300)
    names = np.array(ANIMAL.classes)
    table = pa.table(
        {
            "f0": rng.normal(size=300),
            **{f"s{i}": scores[:, i] for i in range(3)},
            "prediction": rng.choice([*names, "cow"], 300),
            "label": pa.array(rng.choice([*names, "cow", None], 300).tolist()),
        }
    )
    grid = reference_grid(ANIMAL, table)
    _, cells = counted(ANIMAL, grid, table, np.zeros(300, dtype=int), 1)
    given, labels = (table[n].to_pylist() for n in ("prediction", "label"))
    lost, logarithms, scored = brier(ANIMAL, scores.tolist(), labels)
    totals = {name: value[0] for name, value in cells.totals("multiclass").items()}

    assert cells.confusion(ANIMAL)[0].tolist() == confusion(ANIMAL, given, labels)
    for place, name in enumerate(names):
        own = scores[:, place].tolist()
        expected = class_cells(ANIMAL, grid, name, given, labels, own)
        assert cells.of_class(place)[0].tolist() == expected
    assert totals["scored"] == scored
    assert totals["brier"] == pytest.approx(lost, rel=1e-12)
    assert totals["log_loss"] == pytest.approx(logarithms, rel=1e-12)


def test_regression_sums_are_those_of_numpy() -> None:
    """Errors to the fourth power, of labelled rows alone, in each bucket."""
    rng = np.random.default_rng(7)
    given, label = rng.normal(100, 20, 400), rng.normal(100, 20, 400)
    unlabelled, bucket = rng.random(400) < 0.3, rng.integers(0, 2, 400)
    table = pa.table(
        {
            "f0": rng.normal(size=400),
            "prediction": given,
            "label": pa.array(label, mask=unlabelled),
        }
    )
    grid = reference_grid(PRICE, table)
    _, cells = counted(PRICE, grid, table, bucket, 2)
    totals = cells.totals("regression")

    for number in range(2):
        known = (bucket == number) & ~unlabelled
        error = (given - label)[known]
        assert totals["rows"][number] == (bucket == number).sum()
        assert totals["labelled"][number] == known.sum()
        for name, expected in (
            ("error", error.sum()),
            ("abs_error", np.abs(error).sum()),
            ("squared_error", (error**2).sum()),
            ("fourth_error", (error**4).sum()),
            ("label", label[known].sum()),
            ("label_squared", (label[known] ** 2).sum()),
        ):
            assert totals[name][number] == pytest.approx(expected, rel=1e-9), name


def test_local_loss_is_counted_by_decile_of_a_feature() -> None:
    """Labelled rows and their losses stand at the feature's decile, or apart."""
    table = binary_rows(8, 600)
    grid = reference_grid(CHURN, binary_rows(9, 600))
    _, cells = counted(CHURN, grid, table, np.zeros(600, dtype=int), 1)
    column = grid.columns["f0"]
    rows = np.zeros(int(column.coarse_of[-1]) + 1)
    losses = np.zeros_like(rows)
    for one in table.to_pylist():
        if one["label"] is not None:
            place = column.coarse_of[histogram(column, [one["f0"]]).index(1)]
            known = [
                n if n in CHURN.classes else "?"
                for n in (one["label"], one["prediction"])
            ]
            rows[place] += 1
            losses[place] += known[0] != known[1]

    assert cells.cells["local:f0"][0].tolist() == rows.tolist()
    assert cells.sums["local:f0"][0].tolist() == losses.tolist()


def test_delays_are_counted_in_days_of_labelled_rows_alone() -> None:
    """A label an hour old is on day 0, one of 400 days in the last bin."""
    delays = [3_600.0, 86_400.0, 86_399.0, 400 * 86_400.0, None, NOTHING]
    table = pa.table(
        {
            "prediction": ["stays"] * 6,
            "label": ["stays"] * 4 + [None] * 2,
            "f0": [0.0] * 6,
            "f1": ["basic"] * 6,
            "g0": ["north"] * 6,
            "delay_s": pa.array(delays, pa.float64()),
        }
    )
    grid = reference_grid(CHURN, table)
    _, cells = counted(CHURN, grid, table, np.zeros(6, dtype=int), 1)
    expected = np.zeros(DELAY_BINS)
    expected[[0, 1, DELAY_BINS - 1]] = (2, 1, 1)

    assert cells.cells["delay"][0].tolist() == expected.tolist()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 90), st.integers(1, 40))
def test_counts_add_up_however_they_are_cut(seed: int, rows: int, batch: int) -> None:
    """Batches, buckets and segments: their counts sum to those of one look."""
    table = binary_rows(seed % 1_000, max(rows, 2))
    grid = reference_grid(CHURN, table)
    bucket = np.random.default_rng(seed).integers(0, 7, table.num_rows)
    whole, whole_cells = counted(CHURN, grid, table, bucket * 0, 1)
    days, day_cells = counted(CHURN, grid, table, bucket, 7, batch=batch)
    parts = [
        counted(CHURN, grid, table, bucket, 7, f"g0={value}", batch)
        for value in grid.segments["g0"]
    ]

    for name, found in days.columns.items():
        assert (found.sum(axis=0) == whole.columns[name][0]).all(), name
        split = sum(p[0].columns[name] for p in parts)
        assert (split == found).all(), name
    for task, found in day_cells.cells.items():
        assert (found.sum(axis=0) == whole_cells.cells[task][0]).all(), task
        if not task.startswith(("local:", "delay")):
            assert (sum(p[1].cells[task] for p in parts) == found).all(), task
    for task, sums in day_cells.sums.items():
        assert sums.sum(axis=0) == pytest.approx(whole_cells.sums[task][0], rel=1e-9)


def test_a_reference_is_counted_by_the_same_code() -> None:
    """One bucket of all its rows, in batches, is the profile of the reference."""
    table = binary_rows(10, 300)
    grid = reference_grid(CHURN, table)
    profiler = profile_reference(CHURN, grid, table.to_batches(max_chunksize=70))
    counts = counts_of(grid, profiler.histograms(), 1)
    expected, _ = counted(CHURN, grid, table, np.zeros(300, dtype=int), 1)

    for name, found in counts.columns.items():
        assert (found == expected.columns[name]).all(), name


@pytest.mark.parametrize("rows", [0, 1])
def test_no_row_and_one_row_are_counted(rows: int) -> None:
    """An empty batch counts nothing; a single row counts once in every column."""
    grid = reference_grid(CHURN, binary_rows(11, 50))
    table = binary_rows(12, 50).slice(7, rows)
    counts, cells = counted(CHURN, grid, table, np.zeros(rows, dtype=int), 1)

    assert all(counts.rows(n)[0] == rows for n in ("f0", "f1", "s0", "prediction"))
    assert cells.confusion(CHURN).sum() == rows


def test_columns_without_a_value_or_with_one_are_counted() -> None:
    """An all-null column is all missing; a constant one is one bin; one class one."""
    rows = 60
    table = pa.table(
        {
            "f0": pa.nulls(rows, pa.float64()),
            "f1": ["only"] * rows,
            "s0": [1.0] * rows,
            "g0": pa.nulls(rows, pa.string()),
            "prediction": ["leaves"] * rows,
            "label": ["leaves"] * rows,
        }
    )
    grid = reference_grid(CHURN, table)
    counts, cells = counted(CHURN, grid, table, np.zeros(rows, dtype=int), 1)

    assert counts.columns["f0"][0].tolist()[-3:] == [rows, 0, 0]
    assert counts.columns["f1"][0].tolist() == [rows, 0, 0, 0]
    assert counts.columns["s0"].max() == rows
    assert cells.confusion(CHURN)[0].tolist()[1] == [0, rows, 0, 0]
    assert grid.segments["g0"] == ()


LARGEST = 1.7976931348623157e308


@pytest.mark.parametrize(
    "values",
    [[1.0, 2.0], [LARGEST, -LARGEST], [*map(float, range(400)), LARGEST, -LARGEST]],
)
def test_a_reference_of_odd_numbers_can_be_stored(values: list[float]) -> None:
    """Two values among nulls, and the largest floats there are, have finite bins."""
    rows = 500
    odd = pa.array([*values, *[None] * (rows - len(values))], pa.float64())
    table = pa.table({"f0": odd, "prediction": np.ones(rows), "label": np.ones(rows)})
    grid = reference_grid(PRICE, table)
    stored = json.dumps(grid.to_json(), allow_nan=False)
    counts, _ = counted(PRICE, grid, table, np.zeros(rows, dtype=int), 1)

    assert Grid.from_json(json.loads(stored)).id == grid.id
    assert counts.columns["f0"][0].tolist() == histogram(
        grid.columns["f0"], odd.to_pylist()
    )


def test_ten_thousand_categories_are_all_counted() -> None:
    """The 500 most frequent have a bin, the others share one, new ones another."""
    names = [f"c{i:05}" for i in range(10_000)]
    often = names[:500] * 3 + names
    spec = ModelSpec("m", "binary", (Feature("x", "categorical"),), classes=("0", "1"))
    reference = pa.table({"f0": often, "prediction": ["0"] * len(often)})
    grid = reference_grid(spec, reference)
    table = pa.table({"f0": [*names, *["new"] * 7], "prediction": ["0"] * 10_007})
    counts, _ = counted(spec, grid, table, np.zeros(10_007, dtype=int), 1)
    found = counts.columns["f0"][0]

    assert found[:500].tolist() == [1] * 500
    assert found[500:].tolist() == [9_500, 7, 0]


def test_a_segment_value_the_reference_lacks_counts_in_all_rows_alone() -> None:
    """Rows of an unknown or missing segment are in the total and in no segment."""
    grid = reference_grid(CHURN, binary_rows(13, 200))
    table = binary_rows(14, 90)
    where = pa.array(["north"] * 30 + ["west"] * 30 + [None] * 30)
    table = table.set_column(table.schema.get_field_index("g0"), "g0", where)
    rows = {
        segment: counted(CHURN, grid, table, np.zeros(90, dtype=int), 1, segment)[0]
        for segment in ("", "g0=north", "g0=south")
    }

    assert {s: int(c.rows("f0")[0]) for s, c in rows.items()} == {
        "": 90, "g0=north": 30, "g0=south": 0,
    }  # fmt: skip


def test_a_retired_or_later_feature_changes_no_other_count() -> None:
    """What a reference has no bins for is not counted; what rows lack is not either."""
    table, zeros = binary_rows(15, 80), np.zeros(80, dtype=int)
    grid = reference_grid(CHURN, table)
    longer = replace(CHURN, features=(*CHURN.features, Feature("new", "numeric")))
    retired = replace(
        CHURN, features=(CHURN.features[0], replace(CHURN.features[1], retired=True))
    )
    before, _ = counted(CHURN, grid, table, zeros, 1)
    wider = table.append_column("f2", pa.array(np.arange(80.0)))
    after, _ = counted(longer, grid, wider, zeros, 1)
    narrow, _ = counted(CHURN, grid, table.drop(["f1"]), zeros, 1)

    assert {n: c.tolist() for n, c in after.columns.items()} == {
        n: c.tolist() for n, c in before.columns.items()
    }
    assert narrow.rows("f1")[0] == 0
    assert narrow.columns["f0"].tolist() == before.columns["f0"].tolist()
    assert "f1" not in reference_grid(retired, table).columns


def test_a_model_without_scores_counts_its_classes_as_missing_scores() -> None:
    """Without scores every row lies in the missing bin; the confusion is the same."""
    spec = replace(CHURN, columns=Columns(label="left"))
    table = binary_rows(16, 120).drop(["s0"])
    grid = reference_grid(spec, table)
    _, cells = counted(spec, grid, table, np.zeros(120, dtype=int), 1)
    given, labels = (table[n].to_pylist() for n in ("prediction", "label"))

    assert cells.of_class(0)[0].sum(axis=(1, 2)).tolist() == [0, 120, 0, 0]
    assert cells.confusion(spec)[0].tolist() == confusion(spec, given, labels)
    assert cells.totals("binary")["scored"][0] == 0
