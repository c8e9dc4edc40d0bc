"""Reads of stored counts: any windows are exact sums, any question has its answer."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest

from data.inference_lake import InferenceLake
from data.model_records import ModelSpec
from tests.conftest import NOW, Stores
from tests.data.brute import confusion, histogram
from tests.data.watched import (
    ANIMAL,
    DAY,
    MONDAY,
    PRICE,
    Watched,
    animals,
    churn,
    prices,
    stamps,
    watched,
    watched_sqlite,
)

__all__ = ["watched", "watched_sqlite"]
HOUR = timedelta(hours=1)
WEEK = [MONDAY + i * DAY for i in range(8)]
NAMES = {"f0": "age", "f1": "plan", "s0": "p", "prediction": "prediction"}


@pytest.fixture(scope="module")
def week(watched: Watched) -> tuple[ModelSpec, pd.DataFrame]:
    """Five weeks of rows whose last day is yesterday, a third of the labels missing."""
    spec = watched.register()
    frame = churn(1, 4_000, NOW - 35 * DAY, 34.9)
    frame["left"] = frame["left"].where(np.arange(4_000) % 3 > 0, None)
    watched.refer(spec, churn(2, 1_500))
    watched.send(spec, frame)
    watched.flush()
    return spec, frame


def inside(frame: pd.DataFrame, start: datetime, end: datetime) -> pd.DataFrame:
    """The rows of a window."""
    first, last = (pd.Timestamp(m).tz_localize(None) for m in (start, end))
    return frame[(frame["ts"] >= first) & (frame["ts"] < last)]


def given(frame: pd.DataFrame, name: str) -> list[Any]:
    """A column as Python values, missing ones as None."""
    return [None if pd.isna(v) else v for v in frame[name].tolist()]


@pytest.mark.parametrize("segment", ["", "region=north"])
def test_stored_windows_are_those_of_a_count_by_hand(
    watched: Watched, week: tuple[ModelSpec, pd.DataFrame], segment: str
) -> None:
    """Windows of uneven length hold in every bin what a loop over the rows finds."""
    spec, frame = week
    grid = watched.grid(spec)
    edges = (MONDAY, MONDAY + DAY, MONDAY + 4 * DAY, MONDAY + 20 * DAY)
    key = "g0=north" if segment else ""
    counts = watched.counts(spec, *edges, segment=key)
    cells = watched.cells(spec, *edges, segment=key)
    rows = frame[frame["region"] == "north"] if segment else frame

    for place, (start, end) in enumerate(pairwise(edges)):
        part = inside(rows, start, end)
        for column, name in NAMES.items():
            expected = histogram(grid.columns[column], given(part, name))
            assert counts.columns[column][place].tolist() == expected, name
        expected = confusion(spec, given(part, "prediction"), given(part, "left"))
        assert cells.confusion(spec)[place].tolist() == expected


def test_days_add_up_to_weeks_and_hours_to_days(
    watched: Watched, week: tuple[ModelSpec, pd.DataFrame]
) -> None:
    """Day + day is the week counted at once, in every bin and cell; so are hours."""
    spec, _ = week
    last = NOW.replace(hour=0) - 5 * DAY
    cases = (
        (WEEK, "day", "day"),
        ([last + i * HOUR for i in range(97)], "hour", "day"),
    )
    for edges, fine, coarse in cases:
        ends = edges[0], edges[-1]
        parts = watched.counts(spec, *edges, grain=fine)
        whole = watched.counts(spec, *ends, grain=coarse)
        assert whole.rows("f0")[0] > 100
        for name, found in whole.columns.items():
            assert (parts.columns[name].sum(axis=0) == found[0]).all(), name
        part_cells = watched.cells(spec, *edges, grain=fine)
        whole_cells = watched.cells(spec, *ends, grain=coarse)
        for task, found in whole_cells.cells.items():
            assert (part_cells.cells[task].sum(axis=0) == found[0]).all(), task
        for task, sums in whole_cells.sums.items():
            added = part_cells.sums[task].sum(axis=0)
            assert added == pytest.approx(sums[0], rel=1e-12), task


def test_segments_add_up_to_all_rows(
    watched: Watched, week: tuple[ModelSpec, pd.DataFrame]
) -> None:
    """North and south together are everything, in every bin of every day."""
    spec, _ = week
    parts = [watched.counts(spec, *WEEK, segment=f"g0={v}") for v in ("north", "south")]
    cells = [watched.cells(spec, *WEEK, segment=f"g0={v}") for v in ("north", "south")]
    whole, all_cells = watched.counts(spec, *WEEK), watched.cells(spec, *WEEK)

    for name, found in whole.columns.items():
        assert (sum(p.columns[name] for p in parts) == found).all(), name
    for task in ("all", "class:0"):
        assert (sum(c.cells[task] for c in cells) == all_cells.cells[task]).all()


def test_the_newest_fourteen_days_have_hours(
    watched: Watched, week: tuple[ModelSpec, pd.DataFrame]
) -> None:
    """Hours are kept of the newest days alone; older days have none."""
    spec, frame = week
    newest = frame["ts"].max().floor("D").tz_localize("UTC").to_pydatetime()
    kept = watched.counts(spec, newest - 13 * DAY, newest - 12 * DAY, grain="hour")
    gone = watched.counts(spec, newest - 15 * DAY, newest - 14 * DAY, grain="hour")

    assert kept.rows("f0")[0] == len(
        inside(frame, newest - 13 * DAY, newest - 12 * DAY)
    )
    assert gone.rows("f0")[0] == 0


def test_a_reference_is_counted_whole(watched_sqlite: Watched) -> None:
    """Its histograms and its cells are those of a loop over its rows."""
    spec = watched_sqlite.register()
    frame = churn(3, 300)
    watched_sqlite.refer(spec, frame)
    watched_sqlite.flush()
    grid, model_id = watched_sqlite.grid(spec), watched_sqlite.model(spec).id
    counts = watched_sqlite.lake.reference_counts(model_id, "1", grid, "")
    cells = watched_sqlite.lake.reference_cells(spec, model_id, "1", grid, "g0=south")
    south = frame[frame["region"] == "south"]

    for column, name in NAMES.items():
        expected = histogram(grid.columns[column], given(frame, name))
        assert counts.columns[column][0].tolist() == expected
    expected = confusion(spec, given(south, "prediction"), given(south, "left"))
    assert cells.confusion(spec)[0].tolist() == expected


@pytest.mark.parametrize(
    ("base", "frame"),
    [(ANIMAL, animals(4, 400)), (PRICE, prices(4, 400))],
    ids=["multiclass", "regression"],
)
def test_other_kinds_are_stored_as_they_are_counted(
    watched_sqlite: Watched, base: ModelSpec, frame: pd.DataFrame
) -> None:
    """Confusion of several classes; sums of a regression, its estimates among them."""
    spec = watched_sqlite.register(base)
    watched_sqlite.refer(spec, frame)
    watched_sqlite.send(spec, frame)
    watched_sqlite.flush()
    cells = watched_sqlite.cells(spec, MONDAY, MONDAY + DAY)
    if base is ANIMAL:
        expected = confusion(
            spec, frame["prediction"].tolist(), frame["truth"].tolist()
        )
        assert cells.confusion(spec)[0].tolist() == expected
        return
    totals = {n: float(v[0]) for n, v in cells.totals("regression").items()}
    error = frame["prediction"] - frame["paid"]

    assert totals["labelled"] == totals["estimated_rows"] == 400
    assert totals["abs_error"] == pytest.approx(error.abs().sum())
    assert totals["squared_error"] == pytest.approx((error**2).sum())
    assert totals["estimated_abs"] == pytest.approx(error.abs().sum(), rel=0.2)


def paired(spec: ModelSpec, first: pd.DataFrame, second: pd.DataFrame) -> list[float]:
    """Rows, sum and sum of squares of the difference of two versions' losses."""
    both = first.merge(second, on="prediction_id", suffixes=("", "_b"))
    both = both[both["left"].notna()]
    if spec.kind == "regression":
        gap = (both["prediction"] - both["left"]).abs()
        gap -= (both["prediction_b"] - both["left"]).abs()
    else:
        gap = (both["prediction"] != both["left"]).astype(float)
        gap -= (both["prediction_b"] != both["left"]).astype(float)
    return [len(gap), gap.sum(), (gap**2).sum()]


def test_pairs_are_the_rows_both_versions_answered(watched: Watched) -> None:
    """By day: how many, and by how much the one lost more than the other."""
    spec = watched.register()
    one = churn(5, 200, days=2)
    two = churn(6, 150, days=1.5).drop(columns="left")
    two["prediction_id"], two["ts"] = one["prediction_id"][:150], one["ts"][:150]
    watched.send(spec, one)
    watched.send(spec, two, version="2")
    watched.flush()
    model_id = watched.model(spec).id
    found = watched.lake.pairs(model_id, "1", "2", WEEK[:3])
    turned = watched.lake.pairs(model_id, "2", "1", WEEK[:3])

    for place in range(2):
        day = inside(one, WEEK[place], WEEK[place + 1])
        assert found[place].tolist() == paired(spec, day, two)
    assert turned.tolist() == (found * (1, -1, 1)).tolist()
    assert found[:, 0].tolist() == [100, 50]


def test_a_challenger_that_answers_another_day_is_paired(
    watched_sqlite: Watched,
) -> None:
    """A pair counts on the day of the first version, whenever the other one came."""
    spec = watched_sqlite.register()
    one = churn(7, 60)
    two = one.drop(columns="left").assign(ts=stamps(MONDAY + 3 * DAY, 60))
    watched_sqlite.send(spec, one)
    watched_sqlite.flush()
    watched_sqlite.send(spec, two, version="2")
    watched_sqlite.flush()
    found = watched_sqlite.lake.pairs(watched_sqlite.model(spec).id, "1", "2", WEEK)

    assert found[:, 0].tolist() == [60, 0, 0, 0, 0, 0, 0]


def test_a_sample_is_repeatable_and_has_its_labels(
    watched: Watched, week: tuple[ModelSpec, pd.DataFrame]
) -> None:
    """So many rows of a half-open window, the same every time, newest label beside."""
    spec, frame = week
    model_id = watched.model(spec).id
    ask = (spec, model_id, "1", MONDAY, MONDAY + 2 * DAY)
    part = inside(frame, MONDAY, MONDAY + 2 * DAY)
    few, again = (watched.lake.sample(*ask, 40) for _ in range(2))
    whole = watched.lake.sample(*ask, 10_000)

    assert len(few) == 40
    pd.testing.assert_frame_equal(few, again)
    assert whole["prediction_id"].tolist() == part["prediction_id"].tolist()
    assert given(whole, "label") == given(part, "left")
    assert whole["f0"].tolist() == part["age"].tolist()
    assert set(few["prediction_id"]) < set(whole["prediction_id"])


def test_totals_span_and_lag(
    watched: Watched, week: tuple[ModelSpec, pd.DataFrame]
) -> None:
    """Rows, first and last time, first and last day; labels beside rows have no age."""
    spec, frame = week
    model_id = watched.model(spec).id
    first, last = (frame["ts"].iloc[i].tz_localize("UTC") for i in (0, -1))

    assert watched.lake.totals(model_id, "1") == (len(frame), first, last)
    assert watched.lake.span(model_id, "1") == (first.floor("D"), last.floor("D"))
    assert watched.lake.label_lag_days(model_id, "1") == 0
    assert watched.lake.floor(model_id) is None


def test_the_lag_is_the_median_age_of_labels_that_came(watched_sqlite: Watched) -> None:
    """Rows without a label do not count as labelled at once."""
    spec = watched_sqlite.register()
    frame = churn(8, 100).drop(columns="left")
    watched_sqlite.refer(spec, churn(9, 200))
    watched_sqlite.send(spec, frame)
    ages = pd.to_timedelta([2.5] * 9 + [10.5] * 11, unit="D")
    known = frame["ts"][:20] + ages
    watched_sqlite.label(
        spec, frame["prediction_id"][:20], ["stays"] * 20, known_at=known
    )
    watched_sqlite.flush()

    assert watched_sqlite.lake.label_lag_days(watched_sqlite.model(spec).id, "1") == 10


def test_nothing_stored_is_nothing_answered(watched: Watched) -> None:
    """A model without rows and a version nobody sent have zeroes, not errors."""
    spec = watched.register()
    watched.refer(spec, churn(10, 200))
    model_id = watched.model(spec).id

    for ready in (False, True):
        assert watched.counts(spec, *WEEK).rows("f0").tolist() == [0] * 7
        assert watched.cells(spec, *WEEK).confusion(spec).sum() == 0
        assert watched.lake.pairs(model_id, "1", "2", WEEK).tolist() == [[0.0] * 3] * 7
        assert watched.lake.sample(spec, model_id, "1", *WEEK[:2], 5).empty
        assert watched.lake.totals(model_id, "1") == (0, None, None)
        assert watched.lake.span(model_id, "1") is None
        assert watched.lake.label_lag_days(model_id, "1") is None
        assert watched.lake.waiting_labels(model_id) == 0
        if not ready:
            watched.flush()


def test_a_lake_without_models_answers_too(stores: Stores) -> None:
    """Before the first flush no table of models exists: every answer is empty."""
    lake = InferenceLake(stores.reader)

    assert lake.changes(0) == []
    assert lake.span(1, "1") is None
    assert lake.totals(1, "1") == (0, None, None)
    assert lake.floor(1) is None
    assert lake.waiting_labels(1) == 0


def test_changes_are_told_in_order(watched: Watched) -> None:
    """Each flush notes the days it touched, once, after what was seen before."""
    spec = watched.register()
    model_id = watched.model(spec).id
    before = max((c.seq for c in watched.lake.changes(0)), default=0)
    watched.send(spec, churn(11, 10, MONDAY + DAY))
    watched.flush()
    watched.send(spec, churn(12, 30, MONDAY, 3))
    watched.flush()
    found = watched.lake.changes(before)

    assert [(c.model_id, c.first, c.last) for c in found] == [
        (model_id, MONDAY + DAY, MONDAY + DAY),
        (model_id, MONDAY, MONDAY + 2 * DAY),
    ]
    assert watched.lake.changes(found[-1].seq) == []


def test_segments_may_be_called_anything(watched: Watched) -> None:
    """Quotes, signs and NUL in a segment's value are no part of any question."""
    values = ["it's", 'a "b"', "50 %", "a\\b", "g0=x;--", "\u00fc\U0001f4a7", "a\0b"]
    spec = watched.register()
    frame = churn(13, 140)
    frame["region"] = values * 20
    watched.refer(spec, frame)
    watched.send(spec, frame)
    watched.flush()
    named = watched.grid(spec).segments["g0"]

    assert set(named) == {value.replace("\0", "\ufffd") for value in values}
    assert [watched.rows(spec, segment=f"g0={name}") for name in named] == [20] * 7
