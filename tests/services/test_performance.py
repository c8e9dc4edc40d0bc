"""The service behind the Performance tab, on real stores."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from data.judgement_store import WindowResult
from data.model_records import Threshold
from services.errors import Forbidden, InvalidInput, NotFound
from services.exports import csv_bytes
from services.monitoring import limits
from services.monitoring.pairing import pair_edges, paired
from services.monitoring.panels import is_worse
from services.performance_views import PerformanceQuery, PerformanceView, Point
from settings import Settings
from tests.conftest import NOW, OPERATOR, VIEWER
from tests.services.monitoring.world import (
    CHURN,
    MONDAY,
    PRICE,
    WEEK,
    World,
    churn_rows,
    fill,
    open_world,
    with_labels,
)

UTC = ZoneInfo("UTC")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Churn and price with their weeks; see ``fill``."""
    home = tmp_path_factory.mktemp("performance")
    with open_world(Settings(home_dir=home, secret_key="k7!" + "Zq3xW9vB" * 5)) as made:
        fill(made)
        yield made


@pytest.fixture
def fresh(tmp_path, settings: Settings) -> Iterator[World]:
    """Stores without a model."""
    with open_world(settings) as made:
        yield made


def view(world: World, model: str = "churn", **asked: str) -> PerformanceView:
    """The tab as a viewer in UTC sees it."""
    return world.performance.view(VIEWER, PerformanceQuery(model, **asked), UTC)


def filled(shown: PerformanceView) -> list:
    """The windows that hold predictions."""
    return [window for window in shown.windows if window.rows]


def test_the_last_year_is_shown_week_by_week(world: World):
    """54 weeks from Monday to Monday, with rows, labels and coverage of each."""
    shown = view(world)
    assert shown.problem is None
    assert shown.metric == "accuracy"
    assert shown.window == "week"
    assert shown.windows[0].start <= NOW - timedelta(days=365)
    assert shown.windows[-1].end >= NOW
    assert [w.start for w in filled(shown)] == [MONDAY + i * WEEK for i in range(9)]
    assert [w.rows for w in filled(shown)] == [700] * 9
    assert [w.labelled for w in filled(shown)] == [700] * 7 + [210, 0]
    assert filled(shown)[7].coverage == pytest.approx(0.3)
    assert shown.reference_hash == "9f2c61d4a7b0"


def test_an_empty_window_says_that_nothing_came(world: World):
    """A week without predictions has no value, no gap, and the reason."""
    empty = view(world).windows[0]
    assert empty.rows == 0
    for point in (empty.realised, empty.estimated, empty.gap):
        assert point == Point(None, reason="no predictions")


def test_only_the_week_of_the_drift_is_outside(world: World):
    """The concept drifted in week 6 alone: its gap leaves the band, no other does."""
    outside = [w.outside for w in filled(view(world))]
    assert outside == [False] * 6 + [True, False, False]


def test_the_newest_labelled_week_is_picked_and_described(world: World):
    """The sentence has the numbers of the newest labelled week, then the estimate."""
    shown = view(world)
    newest = filled(shown)[7]
    assert shown.picked == newest.start
    assert shown.sentence.startswith(
        f"Accuracy {newest.realised.value:.3f} ({newest.realised.low:.3f} to "
        f"{newest.realised.high:.3f}) on 210 labelled of 700 predictions in the week "
        f"from 23 Feb 2026; estimated {newest.estimated.value:.3f}; reference "
        f"{shown.reference.value:.3f}."
    )
    last = filled(shown)[8].estimated.value
    assert f"Since then estimated {last:.3f}" in shown.sentence
    assert shown.state == "fine"


def test_a_range_that_ends_with_the_drift_asks_to_look(world: World):
    """When the newest gap lies outside, the state is look and the sentence says why."""
    shown = view(world, text_from="2026-01-05", text_to="2026-02-23")
    assert shown.state == "look"
    assert "lower than the inputs explain" in shown.sentence
    assert "the relation of inputs and label has changed" in shown.sentence


def test_the_picked_week_fills_tiles_confusion_and_calibration(world: World):
    """Asking for a week shows all metrics, the confusion and the reliability of it."""
    start = MONDAY + 2 * WEEK
    shown = view(world, at=start.isoformat())
    assert shown.picked == start
    assert [tile.metric for tile in shown.tiles] == list(shown.metrics)
    assert shown.tiles[0].realised == filled(shown)[2].realised
    assert shown.tiles[0].reference == shown.reference
    assert shown.confusion is not None
    assert shown.confusion.classes == ("stays", "leaves")
    assert sum(map(sum, shown.confusion.counts)) == 700
    right = shown.confusion.counts[0][0] + shown.confusion.counts[1][1]
    assert right / 700 == pytest.approx(filled(shown)[2].realised.value)
    (calibration,) = shown.calibration
    assert calibration.task == "leaves"
    assert sum(p.rows for p in calibration.window) == 700
    assert sum(p.rows for p in calibration.reference) == 8000


def test_a_week_that_is_no_time_is_refused(world: World):
    """``at`` must be a time; one that begins no window falls back to the newest."""
    with pytest.raises(InvalidInput, match="at is not a time"):
        view(world, at="yesterday")
    assert view(world, at="2020-01-01T00:00Z").picked == MONDAY + 7 * WEEK


def test_the_worse_segment_is_marked(world: World):
    """South, where labels are noisier, is marked worse; north is not."""
    rows = {row.segment: row for row in view(world).segment_rows}
    assert set(rows) == {"region=north", "region=south"}
    assert rows["region=south"].worse
    assert not rows["region=north"].worse
    assert sum(row.rows for row in rows.values()) == 6300
    assert sum(row.labelled for row in rows.values()) == 5110


def test_one_segment_is_held_against_its_own_reference(world: World):
    """Choosing a segment shows its rows, its own reference and the whole table."""
    whole, south = view(world), view(world, segment="region=south")
    rows = {row.segment: row for row in whole.segment_rows}
    assert sum(w.rows for w in south.windows) == rows["region=south"].rows
    assert (south.reference.value or 1) < (whole.reference.value or 0)
    assert south.segment_rows == whole.segment_rows
    assert [w.outside for w in filled(south)][:6] == [False] * 6


def test_the_challenger_is_compared_pair_by_pair(world: World):
    """Version 2 is right more often on the two weeks both predicted, for certain."""
    shown = view(world, against="2")
    assert shown.challengers == ("2",)
    assert shown.paired is not None
    assert shown.paired.rows == 1400
    assert (shown.paired.overall.low or 0) > 0
    assert shown.paired.sentence.startswith("Version 2 is better: accuracy higher by")
    told = [p.value is not None for p in shown.paired.difference]
    assert sum(told) == 2
    assert view(world).paired is None
    with pytest.raises(NotFound, match="no version 9"):
        view(world, against="9")


def test_a_challenger_seen_from_the_other_side_is_worse():
    """Swapping the versions turns the difference and the verdict round."""
    sums = np.array([[400.0, 40.0, 60.0], [10.0, 1.0, 1.0]])
    edges = [MONDAY, MONDAY + WEEK, MONDAY + 2 * WEEK]
    one = paired("binary", "1", "2", sums, edges)
    other = paired("binary", "2", "1", sums * (1, -1, 1), edges)
    assert one is not None
    assert other is not None
    assert one.overall.value == pytest.approx(41 / 410)
    assert other.overall.value == pytest.approx(-41 / 410)
    assert other.sentence.startswith("Version 2 is better")
    assert one.difference[1].value is None
    number = paired("regression", "1", "2", sums, edges)
    assert number is not None
    assert number.overall.value == pytest.approx(-41 / 410)
    assert number.sentence.startswith("Version 2 is better: mean absolute error lower")
    level = paired("binary", "1", "2", np.array([[400.0, 1.0, 300.0]]), edges[:2])
    assert level is not None
    assert level.sentence.startswith("Not certain which is better")
    assert paired("binary", "1", "2", np.zeros((2, 3)), edges) is None


def test_pairs_of_hours_are_summed_by_the_day():
    """Pairs are kept by the day: hours are widened to whole days, weeks are not."""
    hours = [MONDAY + timedelta(hours=20 + i) for i in range(10)]
    days = pair_edges(hours, "hour")
    assert days == tuple(MONDAY + timedelta(days=i) for i in range(3))
    assert pair_edges(hours, "week") == tuple(hours)


def test_a_threshold_is_counted_over_the_past_year(world: World):
    """A limit of 0.65 would have fired in the week of the drift alone, of nine."""
    query = PerformanceQuery("churn", text_from="2026-02-23", text_to="2026-03-02")
    found = world.performance.preview_threshold(OPERATOR, query, "below", 0.65, UTC)
    assert (found.fired, found.judged, found.value) == (1, 9, 0.65)
    assert found.suggested == view(world).threshold.suggested
    with pytest.raises(InvalidInput, match="between 0 and 1"):
        world.performance.preview_threshold(OPERATOR, query, "below", 65.0, UTC)
    with pytest.raises(InvalidInput, match="side"):
        world.performance.preview_threshold(OPERATOR, query, "under", 0.65, UTC)


def test_thresholds_are_set_shown_and_removed(fresh: World):
    """An operator sets a limit, the tab shows it and counts; a viewer may not."""
    rng = np.random.default_rng(8)
    fresh.add(CHURN)
    fresh.refer(CHURN, churn_rows(rng, 2000))
    fresh.send(CHURN, MONDAY, churn_rows(rng, 400))
    fresh.flush()
    service = fresh.performance
    with pytest.raises(Forbidden):
        service.set_threshold(VIEWER, "churn", "accuracy", "below", 0.9)
    service.set_threshold(OPERATOR, "churn", "accuracy", "below", 0.9)
    assert service.thresholds(VIEWER, "churn") == (Threshold("accuracy", 0.9),)
    shown = view(fresh)
    assert (shown.threshold.value, shown.threshold.fired) == (0.9, 1)
    assert shown.state == "look"
    assert "below the threshold of 0.900" in shown.sentence
    service.set_threshold(OPERATOR, "churn", "accuracy", "below", 0.9)
    service.set_threshold(OPERATOR, "churn", "accuracy", "below", None)
    assert service.thresholds(VIEWER, "churn") == ()
    assert [who for who, _ in fresh.changes.made] == ["operator", "operator"]


def test_impossible_thresholds_are_refused(world: World):
    """A metric of another kind, no metric, NaN and an unknown model are refused."""
    service = world.performance
    for metric, value in (("mae", 1.0), ("", 0.5), ("accuracy", float("nan"))):
        with pytest.raises(InvalidInput):
            service.set_threshold(OPERATOR, "churn", metric, "below", value)
    with pytest.raises(NotFound):
        service.set_threshold(OPERATOR, "nobody", "accuracy", "below", 0.5)
    assert world.changes.made == []


def test_a_metric_has_one_limit_but_a_bias_two():
    """A limit on the other side replaces the first; of a bias both are kept."""
    spec = replace(PRICE, thresholds=(Threshold("mae", above=9.0),))
    assert limits.changed(spec, "mae", "below", 2.0) == (Threshold("mae", below=2.0),)
    two = limits.changed(spec, "bias", "below", -1.0)
    both = limits.changed(replace(spec, thresholds=two), "bias", "above", 1.0)
    assert both[1] == Threshold("bias", -1.0, 1.0)
    assert limits.changed(spec, "rmse", "above", None) == spec.thresholds


def test_the_export_is_what_the_chart_draws(world: World):
    """One row for each window, with the very numbers of the view."""
    query = PerformanceQuery("churn", metric="auc", text_from="2026-01-05")
    table = world.performance.export(VIEWER, query, UTC)
    shown = world.performance.chart(VIEWER, query, UTC)
    rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
    assert len(rows) == len(shown.windows)
    for row, window in zip(rows, shown.windows, strict=True):
        assert row["window_start"] == window.start
        assert row["realised"] == window.realised.value
        assert row["estimated_low"] == window.estimated.low
        assert row["gap_high"] == window.gap.high
        assert (row["rows"], row["labelled"]) == (window.rows, window.labelled)
    assert table.name.startswith("performance_churn_version-1_auc_")
    assert len(csv_bytes(table).splitlines()) == len(rows) + 1


def test_weighted_estimates_are_those_of_the_worker(world: World):
    """A stored estimate appears in its own week, with three standard errors."""
    grid = world.store.reference(world.ids["churn"], "1")
    assert grid is not None
    start = MONDAY + WEEK
    value = {"metrics": {"accuracy": [0.7, 0.01]}, "reason": None}
    results = [
        WindowResult(start, start + WEEK, "weighted", value),
        WindowResult(MONDAY, MONDAY + timedelta(days=1), "weighted", value),
    ]
    key = world.ids["churn"], "1", grid.grid_id
    world.judgements.put_results(*key, results)
    windows = filled(view(world))
    assert windows[1].weighted == Point(0.7, 0.7 - 3 * 0.01, 0.7 + 3 * 0.01)
    assert windows[0].weighted.value is None


def test_a_regression_has_its_metrics_and_no_confusion(world: World):
    """MAE rises with the bias of week 2; there is neither confusion nor calibration."""
    shown = view(world, "price", metric="bias")
    assert [tile.metric for tile in shown.tiles] == ["mae", "rmse", "r2", "bias"]
    assert filled(shown)[2].realised.value == pytest.approx(8.0, abs=1.5)
    assert shown.confusion is None
    assert shown.calibration == ()
    assert shown.segment_rows == ()
    assert shown.threshold.side == "above"
    with pytest.raises(InvalidInput, match="metric must be one of mae"):
        view(world, "price", metric="auc")


def test_what_is_not_there_says_what_to_do(fresh: World):
    """No reference, no rows, and a range without rows each name the next step."""
    fresh.add(CHURN)
    bare = view(fresh)
    assert bare.problem is not None
    assert "python cli.py reference set --model churn FILE" in bare.problem
    assert bare.windows == ()
    assert bare.state == "cannot_tell"
    rng = np.random.default_rng(9)
    fresh.refer(CHURN, churn_rows(rng, 1000))
    fresh.flush()
    assert "import inferences --model churn" in (view(fresh).problem or "")
    fresh.send(CHURN, MONDAY, churn_rows(rng, 100))
    fresh.flush()
    other = view(fresh, text_from="2025-06-01", text_to="2025-07-01")
    assert "5 Jan 2026 to 11 Jan 2026" in (other.problem or "")
    with pytest.raises(NotFound):
        view(fresh, "nobody")


def test_few_labels_are_not_judged(fresh: World):
    """With 12 labels of 400 the week is judged by its estimate, and says so."""
    rng = np.random.default_rng(10)
    fresh.add(replace(CHURN, archived=True))
    fresh.refer(CHURN, churn_rows(rng, 2000))
    few = with_labels(churn_rows(rng, 400), np.arange(400) < 12)
    fresh.send(CHURN, MONDAY, few)
    fresh.flush()
    (week,) = filled(view(fresh))
    assert week.realised == Point(None, reason="12 labels, 30 are needed")
    assert week.judged == week.estimated.value
    assert not week.outside
    assert any("archived" in note for note in view(fresh).notes)


def test_worse_means_wholly_on_the_bad_side():
    """The interval must lie beyond the value; a bias is bad on both sides."""
    low = Point(0.7, 0.68, 0.72)
    assert is_worse("accuracy", low, 0.73)
    assert not is_worse("accuracy", low, 0.71)
    assert is_worse("mae", low, 0.6)
    assert not is_worse("mae", low, 0.73)
    assert is_worse("bias", Point(-3.0, -4.0, -2.0), 1.0)
    assert not is_worse("bias", Point(0.5, 0.0, 0.9), -1.0)
    assert not is_worse("auc", Point(None), 0.5)


def test_dates_are_the_readers(world: World):
    """In New York a week from Monday UTC begins on Sunday evening."""
    zone = ZoneInfo("America/New_York")
    query = PerformanceQuery("churn")
    shown = world.performance.chart(VIEWER, query, zone)
    assert "week from 22 Feb 2026" in shown.sentence
    table = world.performance.export(VIEWER, query, zone)
    first = next(iter(table.rows))[3]
    assert isinstance(first, datetime)
    assert first.hour in {19, 20}
