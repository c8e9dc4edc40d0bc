"""Realised performance of a classifier from its counted cells and sums."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from services.stats.cells import NO_LABELS, NO_SCORES, Task, scored_rows
from services.stats.intervals import (
    Array,
    Counts,
    Measured,
    around,
    binned_auc,
    proportion,
    untold,
)

ONE_CLASS = "the labelled rows are all of one class"


def labelled_counts(confusion: Counts) -> Counts:
    """(C + 1, C + 1) labelled rows by predicted and true class, undeclared last."""
    return confusion[:, :-1]


def accuracy(confusion: Counts) -> Measured:
    """Share of labelled rows whose class was predicted, with Wilson's interval.

    Args:
        confusion: (C + 1, C + 2) rows by [predicted][true]; see the module of cells.
            A class nobody declared never counts as predicted rightly.

    >>> accuracy(np.array([[8, 1, 0, 5], [1, 10, 0, 0], [0, 0, 0, 0]])).value
    0.9
    """
    counts = labelled_counts(confusion)
    right = int(np.trace(counts[:-1, :-1]))
    return proportion(right, int(counts.sum()), NO_LABELS)


def precision(confusion: Counts, positive: int | None = None) -> Measured:
    """Of the rows predicted as a class, the share that are of it.

    Args:
        confusion: (C + 1, C + 2) rows by [predicted][true].
        positive: the class; None averages over the declared classes (macro) for
            which it can be told, each with the same weight.
    """
    if positive is not None:
        hits, predicted, _ = _parts(confusion, positive)
        return proportion(hits, predicted, _absent(confusion, "never predicted"))
    return _macro(confusion, "precision")


def recall(confusion: Counts, positive: int | None = None) -> Measured:
    """Of the rows of a class, the share that were predicted as it.

    Args:
        confusion: (C + 1, C + 2) rows by [predicted][true].
        positive: the class; None averages over the declared classes.
    """
    if positive is not None:
        hits, _, true = _parts(confusion, positive)
        return proportion(hits, true, _absent(confusion, "never the label"))
    return _macro(confusion, "recall")


def f1(confusion: Counts, positive: int | None = None) -> Measured:
    """Harmonic mean of precision and recall, ``2 TP / (2 TP + FP + FN)``.

    Args:
        confusion: (C + 1, C + 2) rows by [predicted][true].
        positive: the class; None averages over the declared classes.

    For one class ``F1 = 2 J / (1 + J)`` with the proportion ``J = TP / (TP+FP+FN)``;
    the function is rising, so Wilson's interval of J carries over.
    """
    if positive is None:
        return _macro(confusion, "f1")
    hits, predicted, true = _parts(confusion, positive)
    reason = _absent(confusion, "neither predicted nor the label")
    share = proportion(hits, predicted + true - hits, reason)
    if share.value is None or share.low is None or share.high is None:
        return share
    value, low, high = (2 * j / (1 + j) for j in (share.value, share.low, share.high))
    return Measured(value, low, high, share.rows)


def auc(tasks: Sequence[Task]) -> Measured:
    """Area under the ROC curve from the labelled rows per score bin.

    Args:
        tasks: one task (binary) or one per class; the latter gives the plain mean of
            one class against the rest over the classes for which it can be told.

    Rows of one bin are ties and count one half; rows without a finite score are left
    out. The classes share their rows, so the error of a mean is taken as the mean of
    the errors, which is never too small.
    """
    rows = scored_rows(tasks)
    if rows == 0:
        return untold(0, NO_SCORES)
    found = [binned_auc(task.negatives, task.positives) for task in tasks]
    told = [one for one in found if one is not None]
    if not told:
        return untold(rows, ONE_CLASS)
    value = float(np.mean([one.value for one in told]))
    error = float(np.mean([one.standard_error for one in told]))
    return around(value, error, rows, least=0.0, most=1.0)


@dataclass(frozen=True, eq=False)
class ConfusionTable:
    """Labelled rows by [predicted][true] class, undeclared classes last.

    of_true: share of each true class's rows (columns add up to 1; NaN when empty).
    of_predicted: share of each predicted class's rows (rows add up to 1).
    unlabelled: (C + 1,) rows by predicted class that have no label yet.
    """

    counts: Counts
    of_true: Array
    of_predicted: Array
    unlabelled: Counts


def confusion_table(confusion: Counts) -> ConfusionTable:
    """The confusion counts with both kinds of shares."""
    counts = labelled_counts(confusion)
    true, predicted = counts.sum(axis=0), counts.sum(axis=1)[:, None]
    nothing = np.full(counts.shape, np.nan)
    of_true = np.divide(counts, true, out=nothing.copy(), where=true > 0)
    of_predicted = np.divide(counts, predicted, out=nothing, where=predicted > 0)
    return ConfusionTable(counts, of_true, of_predicted, confusion[:, -1])


def _parts(confusion: Counts, k: int) -> tuple[int, int, int]:
    counts = labelled_counts(confusion)
    return int(counts[k, k]), int(counts[k].sum()), int(counts[:, k].sum())


def _absent(confusion: Counts, how: str) -> str:
    if labelled_counts(confusion).sum() == 0:
        return NO_LABELS
    return f"the class is {how} among the labelled rows"


def _macro(confusion: Counts, measure: str) -> Measured:
    """The mean over declared classes; its error by the delta method.

    Each labelled row in cell [i][j] adds its influence on the mean; the variance is
    the sum of squared influences, on counts with four rows spread over the cells so
    that a table without an error still has one.
    """
    counts = labelled_counts(confusion).astype(np.float64)
    rows = int(counts.sum())
    if rows == 0:
        return untold(0, NO_LABELS)
    told = np.flatnonzero(_denominators(counts, measure)[:-1] > 0)
    if len(told) == 0:
        return untold(rows, "no labelled row is of a declared class")
    value = np.mean(_values(counts, measure)[told])
    smooth = counts + 4 / counts.size
    tops, bottoms = np.diag(smooth), _denominators(smooth, measure)
    influence = np.zeros(counts.shape)
    for k in told:
        scale = 2.0 if measure == "f1" else 1.0
        if measure in {"precision", "f1"}:
            influence[k, :] -= scale * tops[k] / bottoms[k] ** 2
        if measure in {"recall", "f1"}:
            influence[:, k] -= scale * tops[k] / bottoms[k] ** 2
        influence[k, k] += scale / bottoms[k]
    error = math.sqrt(float((smooth * influence**2).sum())) / len(told)
    return around(float(value), error, rows, least=0.0, most=1.0)


def _denominators(counts: Array, measure: str) -> Array:
    predicted, true = counts.sum(axis=1), counts.sum(axis=0)
    if measure == "precision":
        return np.asarray(predicted)
    return np.asarray(true if measure == "recall" else predicted + true)


def _values(counts: Array, measure: str) -> Array:
    tops = np.diag(counts) * (2.0 if measure == "f1" else 1.0)
    bottoms = _denominators(counts, measure)
    value: Array = tops / np.where(bottoms > 0, bottoms, 1.0)
    return value
