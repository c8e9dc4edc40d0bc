"""Realised performance of classifiers against scikit-learn and known coverage."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics

from services.stats import classification, scoring
from services.stats.cells import SPECIAL_BINS, Task
from services.stats.intervals import Measured, binned_auc, paired_difference, proportion
from tests.services.stats.counting import Grid, confused, logistic

NAMES = ("precision", "recall", "f1")


@pytest.fixture(scope="module")
def binary() -> dict[str, np.ndarray]:
    """Scores, predictions and labels of 6,000 rows."""
    rng = np.random.default_rng(5)
    scores = rng.beta(2, 3, 6000)
    labels = (rng.random(6000) < logistic(6 * scores - 3)).astype(np.int64)
    return {"scores": scores, "predicted": scores > 0.45, "labels": labels}


@pytest.fixture(scope="module")
def several() -> dict[str, np.ndarray]:
    """Scores of three classes, the highest of which is predicted."""
    rng = np.random.default_rng(6)
    logits = rng.normal(size=(6000, 3))
    scores = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = np.argmax(logits + 1.5 * rng.normal(size=logits.shape), axis=1)
    return {"scores": scores, "predicted": scores.argmax(axis=1), "labels": labels}


def task_of(rows: dict[str, np.ndarray]) -> Task:
    """The cells of binary rows on their own grid; few scores have a bin each."""
    distinct = np.unique(rows["scores"])
    grid = Grid.of(distinct if len(distinct) < 200 else rows["scores"])
    return grid.count(rows["scores"], rows["predicted"], rows["labels"])


def tasks_of(rows: dict[str, np.ndarray]) -> list[Task]:
    """One task per class."""
    return [
        Grid.of(score).count(score, rows["predicted"] == k, (rows["labels"] == k) * 1)
        for k, score in enumerate(rows["scores"].T)
    ]


@pytest.mark.parametrize("name", NAMES)
def test_binary_measures_equal_scikit_learn(
    binary: dict[str, np.ndarray], name: str
) -> None:
    """Precision, recall and F1 of the positive class are scikit-learn's."""
    counts = confused(binary["predicted"].astype(int), binary["labels"])
    expected = getattr(metrics, f"{name}_score")(binary["labels"], binary["predicted"])

    assert getattr(classification, name)(counts, 1).value == pytest.approx(expected)


@pytest.mark.parametrize("name", NAMES)
def test_macro_measures_equal_scikit_learn(
    several: dict[str, np.ndarray], name: str
) -> None:
    """Without a positive class the plain mean over the classes is taken."""
    counts = confused(several["predicted"], several["labels"], 3)
    expected = getattr(metrics, f"{name}_score")(
        several["labels"], several["predicted"], average="macro"
    )

    assert getattr(classification, name)(counts).value == pytest.approx(expected)


def test_accuracy_leaves_unlabelled_rows_out(several: dict[str, np.ndarray]) -> None:
    """Rows without a label change neither the accuracy nor its rows."""
    counts = confused(several["predicted"], several["labels"], 3)
    expected = metrics.accuracy_score(several["labels"], several["predicted"])
    counts[:, -1] += 1000

    found = classification.accuracy(counts)

    assert (found.value, found.rows) == (pytest.approx(expected), 6000)


def test_an_undeclared_class_is_never_right() -> None:
    """A row predicted as, and labelled with, undeclared classes counts as wrong."""
    counts = confused(np.array([0, 1, 2]), np.array([0, 1, 2]))

    assert classification.accuracy(counts).value == pytest.approx(2 / 3)


def test_auc_of_fine_bins_is_within_a_thousandth(binary: dict[str, np.ndarray]) -> None:
    """250 score bins lose less than 0.001 of the AUC of the rows."""
    expected = metrics.roc_auc_score(binary["labels"], binary["scores"])

    found = classification.auc([task_of(binary)])

    assert found.value == pytest.approx(expected, abs=1e-3)


def test_auc_of_scores_on_the_bins_is_exact(binary: dict[str, np.ndarray]) -> None:
    """Scores that are bin positions lose nothing, ties counting one half."""
    rows = binary | {"scores": np.round(binary["scores"], 1)}
    expected = metrics.roc_auc_score(rows["labels"], rows["scores"])

    found = classification.auc([task_of(rows)])

    assert found.value == pytest.approx(expected, abs=1e-12)


def test_macro_auc_is_one_against_the_rest(several: dict[str, np.ndarray]) -> None:
    """Of several classes the plain mean of their AUCs is taken."""
    expected = metrics.roc_auc_score(
        several["labels"], several["scores"], multi_class="ovr", average="macro"
    )

    found = classification.auc(tasks_of(several))

    assert found.value == pytest.approx(expected, abs=1e-3)


def test_auc_error_is_delongs(binary: dict[str, np.ndarray]) -> None:
    """The binned standard error equals the one of DeLong's row-wise placements."""
    scores = np.round(binary["scores"], 2)
    task = task_of(binary | {"scores": scores})
    positive, negative = (scores[binary["labels"] == k] for k in (1, 0))
    wins = (positive[:, None] > negative) + 0.5 * (positive[:, None] == negative)
    expected = np.sqrt(
        wins.mean(axis=1).var(ddof=1) / len(positive)
        + wins.mean(axis=0).var(ddof=1) / len(negative)
    )

    found = binned_auc(task.negatives, task.positives)

    assert found is not None
    assert found.standard_error == pytest.approx(expected, rel=1e-9)


def test_losses_equal_scikit_learn(binary: dict[str, np.ndarray]) -> None:
    """Log loss and Brier score are the row-level sums over scored rows."""
    scores, labels = binary["scores"], binary["labels"]
    log_loss = metrics.log_loss(labels, scores)
    brier = metrics.brier_score_loss(labels, scores)
    sums = {"scored": 6000, "log_loss": log_loss * 6000, "brier": brier * 6000}
    tasks = [task_of(binary)]

    found = scoring.log_loss(sums, tasks), scoring.brier(sums, tasks)

    assert [one.value for one in found] == pytest.approx([log_loss, brier])
    rowwise = np.std((scores - labels) ** 2) / np.sqrt(6000)
    assert found[1].standard_error == pytest.approx(rowwise, rel=0.01)


def test_calibration_error_is_the_definition(binary: dict[str, np.ndarray]) -> None:
    """It is the row-weighted mean distance of score and share over ten equal groups."""
    scores, labels = binary["scores"], binary["labels"]
    order = np.array_split(np.argsort(scores), 10)
    expected = np.mean([abs(scores[g].mean() - labels[g].mean()) for g in order])

    found = scoring.calibration_error([task_of(binary)])

    assert found.value == pytest.approx(expected, abs=1e-9)


def test_reliability_holds_all_rows(binary: dict[str, np.ndarray]) -> None:
    """The ten points share the rows, and their shares add up to the positives."""
    points = scoring.reliability(task_of(binary))

    assert len(points) == 10
    assert sum(point.rows for point in points) == 6000
    positives = sum(point.observed * point.rows for point in points)
    assert positives == pytest.approx(binary["labels"].sum())
    assert all(point.low < point.observed < point.high for point in points)


@pytest.mark.parametrize("name", ("accuracy", *NAMES, "macro f1"))
def test_intervals_hold_the_truth(name: str) -> None:
    """About 95 of 100 intervals of small windows hold the value of all rows."""
    rng = np.random.default_rng(8)
    shares = np.array([0.45, 0.15, 0.10, 0.30])  # [predicted][label] of 0 and 1

    def measured(counts: np.ndarray) -> Measured:
        table = np.zeros((3, 4), dtype=np.int64)
        table[:2, :2] = counts.reshape(2, 2)
        if name == "macro f1":
            return classification.f1(table)
        if name == "accuracy":
            return classification.accuracy(table)
        return getattr(classification, name)(table, 1)

    truth = measured((shares * 10_000).round().astype(int)).value
    found = [measured(rng.multinomial(80, shares)) for _ in range(600)]
    held = np.mean([one.low <= truth <= one.high for one in found])

    assert 0.93 <= held <= 0.985


def test_what_cannot_be_told_has_a_reason() -> None:
    """No labels, one class, no scores: no value and a reason, never 0."""
    nothing = np.zeros((3, 4), dtype=np.int64)
    nothing[1, 3] = 50
    empty = Task(np.zeros((9, 2, 3), dtype=np.int64), np.full(9, np.nan))
    one_class = empty.cells.copy()
    one_class[:4, 1, 1] = 7
    missing = empty.cells.copy()
    missing[9 - SPECIAL_BINS, 1, 1] = 7
    found = [
        classification.accuracy(nothing),
        classification.precision(nothing),
        classification.recall(nothing, 1),
        classification.f1(nothing, 1),
        classification.auc([empty]),
        classification.auc([Task(one_class, empty.positions)]),
        classification.auc([Task(missing, empty.positions)]),
        scoring.log_loss({"scored": 0, "labelled": 5}, [empty]),
        scoring.calibration_error([empty]),
    ]

    assert [one.value for one in found] == [None] * len(found)
    assert all(one.reason for one in found)
    assert found[5].reason == classification.ONE_CLASS
    assert scoring.reliability(empty) == ()


def test_a_class_never_predicted_has_no_precision() -> None:
    """Precision cannot be told, while recall is a true 0."""
    counts = confused(np.array([0, 0, 0]), np.array([0, 1, 1]))

    assert classification.precision(counts, 1).value is None
    assert classification.recall(counts, 1).value == 0.0


def test_extreme_shares_keep_an_interval() -> None:
    """Ten of ten right, or a perfect AUC of few rows, is not certain."""
    share = proportion(10, 10)
    area = binned_auc(np.array([5, 0]), np.array([0, 5]))

    assert (share.high, round(share.low, 3)) == (1.0, 0.722)
    assert area is not None
    assert (area.value, area.standard_error > 0.05) == (1.0, True)


def test_pairing_shortens_the_interval() -> None:
    """Differences row by row tell two like models apart that separate means do not."""
    rng = np.random.default_rng(3)
    first = rng.normal(1.0, 1.0, 2000)
    second = first + rng.normal(0.02, 0.1, 2000)
    d = second - first

    found = paired_difference(d.sum(), (d**2).sum(), len(d))

    assert found.value == pytest.approx(d.mean())
    assert found.low > 0
    assert found.standard_error < 0.1 * np.sqrt(2 / 2000)


def test_confusion_table_shares() -> None:
    """Shares of a true class add up to 1; a class without rows has none."""
    counts = confused(np.array([0, 0, 1, 1, 1]), np.array([0, 1, 1, 1, 3]))

    table = classification.confusion_table(counts)

    assert table.of_true[:, 0].tolist() == [1.0, 0.0, 0.0]
    assert table.of_true[:, 1].sum() == pytest.approx(1.0)
    assert np.isnan(table.of_true[:, 2]).all()
    assert table.of_predicted[1].tolist() == [0.0, 1.0, 0.0]
    assert table.unlabelled.tolist() == [0, 1, 0]


def test_shapes_that_do_not_fit_are_refused() -> None:
    """Cells and positions of different bins raise an error that names both."""
    with pytest.raises(ValueError, match="10 score bins"):
        Task(np.zeros((9, 2, 3), dtype=np.int64), np.zeros(10))
