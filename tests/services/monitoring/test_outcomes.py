"""Realised, estimated and the gap, window by window, from counts in memory."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import binomtest
from sklearn.metrics import f1_score, log_loss, roc_auc_score

from data.model_records import Columns, Feature, ModelSpec
from services.monitoring.calibrators import learn
from services.monitoring.outcomes import OutcomeSeries, series
from services.monitoring.thresholds import suggested, suggested_calibration
from services.performance_views import HIGHER_IS_BETTER, METRICS
from services.stats.cells import Task
from services.stats.intervals import proportion
from services.stats.scoring import reliability
from tests.services.monitoring.world import (
    CHURN,
    PRICE,
    churn_rows,
    grid_and_reference,
    price_rows,
    profiled,
    with_labels,
)

WINE = ModelSpec(
    name="wine",
    kind="multiclass",
    features=(Feature("x", "numeric"),),
    columns=Columns(scores={"a": "pa", "b": "pb", "c": "pc"}),
    classes=("a", "b", "c"),
)


def wine_rows(rng: np.random.Generator, rows: int) -> pa.Table:
    """Three classes whose scores are right."""
    scores = rng.dirichlet((2, 2, 2), rows)
    draw = rng.random(rows)[:, None]
    label = (np.cumsum(scores, axis=1) < draw).sum(axis=1).clip(max=2)
    names = np.array(["a", "b", "c"])
    return pa.table(
        {
            "f0": scores[:, 0],
            **{f"s{k}": scores[:, k] for k in range(3)},
            "prediction": names[scores.argmax(axis=1)],
            "label": names[label],
        }
    )


def churn_series(tables: list[pa.Table], rows: int = 8000) -> OutcomeSeries:
    """The series of churn windows against a reference of so many rows."""
    grid, reference = grid_and_reference(
        CHURN, churn_rows(np.random.default_rng(1), rows)
    )
    return series(CHURN, grid, reference, profiled(CHURN, grid, tables))


def test_realised_values_are_those_of_the_rows():
    """Accuracy, F1, AUC and log loss of a window equal scikit-learn's on its rows."""
    table = churn_rows(np.random.default_rng(2), 3000)
    found = churn_series([table]).metrics
    label = table["label"].to_numpy(zero_copy_only=False) == "leaves"
    predicted = table["prediction"].to_numpy(zero_copy_only=False) == "leaves"
    score = table["s0"].to_numpy()
    accuracy = float((label == predicted).mean())
    assert found["accuracy"].realised[0].value == pytest.approx(accuracy, abs=1e-12)
    assert found["f1"].realised[0].value == pytest.approx(f1_score(label, predicted))
    assert found["log_loss"].realised[0].value == pytest.approx(log_loss(label, score))
    area = roc_auc_score(label, score)
    assert found["auc"].realised[0].value == pytest.approx(area, abs=5e-4)
    wilson = binomtest(int((label == predicted).sum()), 3000).proportion_ci(
        method="wilson"
    )
    assert found["accuracy"].realised[0].low == pytest.approx(wilson.low, abs=1e-9)


def test_covariate_shift_moves_estimate_and_realised_together():
    """When only the inputs change, the estimate follows and the gap holds 0."""
    rng = np.random.default_rng(3)
    table = churn_rows(rng, 30_000)
    score = table["s0"].to_numpy()
    sure = table.filter(pa.array(abs(score - 0.5) > 0.3)).slice(0, 6000)
    found = churn_series([table.slice(0, 6000), sure], rows=20_000).metrics["accuracy"]
    first, second = found.realised
    assert (second.value or 0) - (first.value or 0) > 0.08
    for realised, estimated, gap in zip(
        found.realised, found.estimated, found.gaps, strict=True
    ):
        assert abs((realised.value or 0) - (estimated.value or 0)) < 0.02
        assert gap.outside is False


def test_concept_drift_leaves_the_band():
    """A fifth of the labels turned round: the estimate stays, the gap is outside."""
    rng = np.random.default_rng(4)
    found = churn_series([churn_rows(rng, 1000), churn_rows(rng, 1000, 0.2)])
    accuracy = found.metrics["accuracy"]
    assert accuracy.gaps[0].outside is False
    assert accuracy.gaps[1].outside is True
    assert (accuracy.gaps[1].high or 0) < 0
    first, second = (e.value or 0 for e in accuracy.estimated)
    assert abs(first - second) < 0.03


def test_late_labels_fake_no_gap():
    """Where labels come first for sure rows, the gap compares those rows alone."""
    table = churn_rows(np.random.default_rng(5), 4000)
    known = abs(table["s0"].to_numpy() - 0.5) > 0.35
    found = churn_series([with_labels(table, known)], rows=20_000)
    accuracy = found.metrics["accuracy"]
    realised, estimated = accuracy.realised[0].value, accuracy.estimated[0].value
    assert realised is not None
    assert estimated is not None
    assert realised - estimated > 0.08
    assert accuracy.gaps[0].outside is False
    assert abs(accuracy.gaps[0].value or 0) < 0.02
    assert found.labelled[0] == known.sum()
    assert found.coverage[0] == pytest.approx(known.mean())


def test_stable_windows_rarely_leave_the_band():
    """Of 60 windows without drift, at most one has any gap outside its band."""
    rng = np.random.default_rng(6)
    tables = [
        with_labels(churn_rows(rng, 500), rng.random(500) < 0.6) for _ in range(60)
    ]
    found = churn_series(tables)
    outside = [
        any(m.gaps[i].outside for m in found.metrics.values()) for i in range(60)
    ]
    assert sum(outside) <= 1


def test_stable_windows_rarely_break_the_suggested_threshold():
    """Of 60 windows without drift, each metric breaks its suggestion at most once."""
    rng = np.random.default_rng(7)
    found = churn_series([churn_rows(rng, 500) for _ in range(60)])
    for name, metric in found.metrics.items():
        broken = 0
        for realised, limit in zip(metric.realised, metric.suggested, strict=True):
            assert realised.value is not None
            assert limit is not None
            lower = realised.value < limit
            broken += lower if name in HIGHER_IS_BETTER else realised.value > limit
        assert broken <= 1, name


def test_no_labels_leave_the_estimate():
    """Without a label realised values and gaps say so; the estimate stands."""
    table = churn_rows(np.random.default_rng(8), 500)
    found = churn_series([with_labels(table, np.zeros(500, dtype=bool))])
    for name in ("accuracy", "precision", "recall", "f1", "auc", "log_loss", "brier"):
        metric = found.metrics[name]
        assert metric.realised[0].value is None
        assert metric.realised[0].reason
        assert metric.gaps[0].outside is None
        assert metric.estimated[0].value is not None
    assert found.coverage[0] == 0


def test_a_window_without_rows_tells_nothing():
    """An empty window has no value, no estimate and no coverage, and a reason."""
    table = churn_rows(np.random.default_rng(9), 300)
    found = churn_series([table, table.slice(0, 0)])
    accuracy = found.metrics["accuracy"]
    assert found.rows.tolist() == [300, 0]
    assert found.coverage[1] == 0
    assert accuracy.realised[1].value is None
    assert accuracy.estimated[1].value is None
    assert accuracy.suggested[1] is None


def test_one_class_has_no_auc():
    """Labels of one class: AUC says why it cannot be told, accuracy can."""
    table = churn_rows(np.random.default_rng(10), 800)
    stays = np.asarray(table["label"].to_numpy(zero_copy_only=False) == "stays")
    found = churn_series([table.filter(pa.array(stays))]).metrics
    assert found["auc"].realised[0].value is None
    assert "one class" in (found["auc"].realised[0].reason or "")
    assert found["accuracy"].realised[0].value is not None


def test_missing_scores_the_reference_lacks_give_no_gap():
    """A third of the scores is NaN, none in the reference: the gap cannot be told."""
    table = churn_rows(np.random.default_rng(11), 900)
    score = table["s0"].to_numpy().copy()
    score[::3] = math.nan
    place = table.schema.get_field_index("s0")
    found = churn_series([table.set_column(place, "s0", pa.array(score))]).metrics
    assert found["accuracy"].realised[0].rows == 900
    assert found["accuracy"].gaps[0].value is None
    assert "33%" in (found["accuracy"].gaps[0].reason or "")
    assert found["auc"].gaps[0].outside is False


def test_a_model_without_scores_has_no_estimate():
    """Without scores only labels tell; the reason names the scores."""
    spec = replace(CHURN, columns=Columns())
    table = churn_rows(np.random.default_rng(12), 600).drop(["s0"])
    grid, reference = grid_and_reference(spec, table)
    found = series(spec, grid, reference, profiled(spec, grid, [table])).metrics
    assert found["accuracy"].realised[0].value is not None
    assert found["accuracy"].estimated[0].value is None
    assert "no scores" in (found["accuracy"].estimated[0].reason or "")
    assert found["auc"].realised[0].value is None


def test_an_unlabelled_reference_gives_no_estimate():
    """A reference without labels: no estimate, no suggestion, each with a reason."""
    rng = np.random.default_rng(13)
    bare = with_labels(churn_rows(rng, 900), np.zeros(900, dtype=bool))
    grid, reference = grid_and_reference(CHURN, bare)
    window = profiled(CHURN, grid, [churn_rows(rng, 500)])
    found = series(CHURN, grid, reference, window).metrics["accuracy"]
    assert found.reference.value is None
    assert found.estimated[0].value is None
    assert "labelled" in (found.estimated[0].reason or "")
    assert found.suggested[0] is None
    assert found.realised[0].value is not None


def test_several_classes_are_estimated():
    """Of three classes all metrics are told, and the estimate is near the labels'."""
    rng = np.random.default_rng(14)
    grid, reference = grid_and_reference(WINE, wine_rows(rng, 12_000))
    window = profiled(WINE, grid, [wine_rows(rng, 4000)])
    found = series(WINE, grid, reference, window)
    assert tuple(found.metrics) == METRICS["multiclass"]
    for name in ("accuracy", "precision", "recall", "f1", "auc"):
        metric = found.metrics[name]
        distance = (metric.realised[0].value or 0) - (metric.estimated[0].value or 1)
        assert abs(distance) < 0.03, name
        assert metric.gaps[0].outside is False


def test_regression_is_measured_and_its_errors_estimated():
    """MAE, RMSE, R² and bias come from the labels; MAE and RMSE from estimates too."""
    rng = np.random.default_rng(15)

    def rows(count: int, off: float = 0.0) -> pa.Table:
        table = price_rows(rng, count, off)
        expected = 10 * math.sqrt(2 / math.pi)
        for name, value in (("abs", expected), ("squared", 100.0)):
            table = table.append_column(f"estimated_{name}", pa.array([value] * count))
        return table

    grid, reference = grid_and_reference(PRICE, rows(5000))
    window = profiled(PRICE, grid, [rows(1500), rows(1500, off=6.0)])
    found = series(PRICE, grid, reference, window).metrics
    assert found["bias"].realised[1].value == pytest.approx(6.0, abs=0.8)
    assert found["mae"].estimated[1].value == pytest.approx(7.98, abs=0.01)
    assert [gap.outside for gap in found["mae"].gaps] == [False, True]
    assert [gap.outside for gap in found["rmse"].gaps] == [False, True]
    assert found["r2"].estimated[0].reason == "cannot be told without labels"
    assert found["r2"].realised[0].value == pytest.approx(0.8, abs=0.03)


def test_a_learnt_calibrator_changes_nothing():
    """Passing the calibrator, or one metric alone, gives the very same numbers."""
    rng = np.random.default_rng(16)
    grid, reference = grid_and_reference(CHURN, churn_rows(rng, 3000))
    window = profiled(CHURN, grid, [churn_rows(rng, 400)])
    whole = series(CHURN, grid, reference, window)
    known = learn(CHURN, grid, reference)
    one = series(CHURN, grid, reference, window, known, ("f1",))
    assert tuple(one.metrics) == ("f1",)
    assert one.metrics["f1"] == whole.metrics["f1"]


def test_suggestion_is_three_standard_errors_of_the_window():
    """At 900 labels around 0.9 the suggestion is 0.9 - 3 sqrt(0.09 / 900) = 0.87."""
    found = suggested("accuracy", proportion(9000, 10_000), 10_000, 900)
    assert found == pytest.approx(0.87, abs=1e-3)
    above = suggested("brier", proportion(1000, 10_000), 10_000, 900)
    assert above == pytest.approx(0.13, abs=1e-3)
    assert suggested("accuracy", proportion(9000, 10_000), 10_000, 0) is None


def test_calibration_error_is_allowed_what_chance_makes():
    """The suggestion for few rows lies above the mean error chance alone makes."""
    cells = np.zeros((13, 2, 3), dtype=np.int64)
    cells[:10, 1, 0] = cells[:10, 1, 1] = 500
    task = Task(cells, np.r_[np.full(10, 0.5), [np.nan] * 3])
    few = suggested_calibration([reliability(task)], 400)
    # Ten groups of 40 rows at 0.5: each is off by 0.079 sqrt(2/pi) = 0.063 by chance.
    assert few == pytest.approx(0.063 + 3 * 0.0477 / math.sqrt(10), abs=2e-3)
    many = suggested_calibration([reliability(task)], 40_000)
    assert many is not None
    assert many < 0.02
