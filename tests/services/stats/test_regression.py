"""Realised performance of regressions against scikit-learn and known coverage."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics

from services.stats import regression


def sums_of(predictions: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """The stored sums of rows."""
    error = predictions - labels
    return {
        "rows": len(labels),
        "labelled": len(labels),
        "error": error.sum(),
        "abs_error": np.abs(error).sum(),
        "squared_error": (error**2).sum(),
        "fourth_error": (error**4).sum(),
        "label": labels.sum(),
        "label_squared": (labels**2).sum(),
    }


def drawn(rng: np.random.Generator, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Predictions and labels with an R² of 0.8."""
    predictions = rng.normal(20, 2, rows)
    return predictions, predictions + rng.normal(0.3, 1, rows)


def test_measures_equal_scikit_learn() -> None:
    """MAE, RMSE and R² from sums are those of the rows, and the bias their mean."""
    predictions, labels = drawn(np.random.default_rng(1), 3000)
    sums = sums_of(predictions, labels)

    found = [regression.mae(sums), regression.rmse(sums), regression.r2(sums)]

    assert [one.value for one in found] == pytest.approx(
        [
            metrics.mean_absolute_error(labels, predictions),
            metrics.root_mean_squared_error(labels, predictions),
            metrics.r2_score(labels, predictions),
        ]
    )
    assert regression.bias(sums).value == pytest.approx((predictions - labels).mean())


@pytest.mark.parametrize("name", ["mae", "rmse", "r2", "bias"])
def test_intervals_hold_the_truth(name: str) -> None:
    """About 95 of 100 intervals of 150 rows hold the value of very many rows."""
    rng = np.random.default_rng(2)
    measure = getattr(regression, name)
    truth = measure(sums_of(*drawn(rng, 1_000_000))).value
    found = [measure(sums_of(*drawn(rng, 150))) for _ in range(600)]

    held = np.mean([one.low <= truth <= one.high for one in found])

    assert 0.925 <= held <= 0.985


def test_equal_labels_have_no_r2() -> None:
    """R² of labels that do not vary cannot be told, also when they are large."""
    labels = np.full(50, 123456.789)
    found = regression.r2(sums_of(labels + np.linspace(-1, 1, 50), labels))

    assert (found.value, found.reason) == (None, regression.SAME_LABEL)


def test_no_labels_is_a_reason() -> None:
    """Without labels every measure is told apart from 0."""
    sums = sums_of(np.empty(0), np.empty(0))
    found = [f(sums) for f in (regression.mae, regression.rmse, regression.r2)]
    found.append(regression.bias(sums))

    assert [one.value for one in found] == [None] * 4
    assert {one.reason for one in found} == {regression.NO_LABELS}


def test_one_row_has_no_interval() -> None:
    """A single labelled row has an error but no interval, and no R²."""
    sums = sums_of(np.array([3.0]), np.array([1.0]))

    assert regression.mae(sums).value == 2.0
    assert regression.mae(sums).high is None
    assert regression.rmse(sums).high is None
    assert regression.r2(sums).reason == regression.FEW


def test_a_harmful_model_has_a_negative_r2() -> None:
    """Predictions worse than the mean give a negative R² with an interval around."""
    rng = np.random.default_rng(4)
    labels = rng.normal(size=400)
    found = regression.r2(sums_of(labels + rng.normal(0, 2, 400), labels))

    assert found.low < found.value < found.high < -1
