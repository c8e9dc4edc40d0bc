"""Estimated performance of a classifier without labels (CBPE), with honest bands.

Each row of score bin s is of the class with the calibrated chance c(s). A row that was
predicted as the class therefore adds c to the true and 1 - c to the false positives,
any other row c to the false and 1 - c to the true negatives. The measures follow from
these expected counts. That holds while the chance of the class at a given score is
what it was on the reference: under covariate shift, not under concept drift.
Source: J. Białek et al., Estimating Model Performance Under Covariate Shift Without
Labels, 2024 (arXiv 2401.08348).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from services.stats.calibration import Calibration
from services.stats.cells import NO, YES, Task
from services.stats.estimated import Estimated, banded, unestimated
from services.stats.intervals import Array, binned_auc
from services.stats.scoring import losses

MEASURES = ("accuracy", "precision", "recall", "f1", "auc", "log_loss", "brier")
UNKNOWN = "no row has a score the reference has labels for"
NOT_CALIBRATED = "the reference has no labelled scores"


@dataclass(frozen=True, eq=False)
class _Part:
    """One class's value and how one more yes label in a cell would change it.

    slope: (S, 2) derivative of the value by the label (0 or 1) of one row, per
        [score bin][predicted].
    """

    value: float
    slope: Array


@dataclass(frozen=True, eq=False)
class _Expected:
    """Rows of one class with a known chance, per [score bin][predicted]."""

    rows: Array
    chance: Array
    scores: Array
    calibration: Calibration

    @property
    def yes(self) -> Array:
        """Expected rows of the class."""
        return self.rows * self.chance

    @property
    def no(self) -> Array:
        """Expected rows that are not of the class."""
        return self.rows * (1 - self.chance)


def estimate(
    tasks: Sequence[Task],
    calibrations: Sequence[Calibration | None],
    excess: Mapping[str, float] | None = None,
) -> dict[str, Estimated]:
    """The estimated measures of ``MEASURES`` for a window.

    Args:
        tasks: the window's cells; one task (binary, of the positive class) or one per
            class. To compare with realised values, pass ``task.only_labelled()``.
        calibrations: of the same tasks, from the reference.
        excess: of ``loss_excess``; what bins cannot say of the losses.

    Several classes: accuracy is the expected share of rows whose predicted class is
    right; the others are means over the classes for which they can be told, with the
    mean of their errors, which is never too small.
    """
    rows = max((int(task.rows.sum()) for task in tasks), default=0)
    if not tasks or any(calibration is None for calibration in calibrations):
        return dict.fromkeys(MEASURES, unestimated(rows, NOT_CALIBRATED))
    pairs = zip(tasks, calibrations, strict=True)
    expected = [_expected(task, c) for task, c in pairs if c is not None]
    found = {"accuracy": _accuracy(expected)}
    for name, part in _PARTS.items():
        found[name] = _macro(expected, part, name)
    for name in ("log_loss", "brier"):
        found[name] = _loss(expected, name, (excess or {}).get(name, 0.0))
    return {name: found[name] for name in MEASURES}


def loss_excess(
    reference: Sequence[Task], sums: Mapping[str, float]
) -> dict[str, float]:
    """What labelled reference rows lose beyond what their bins' mean scores say.

    Within a bin the mean of ``-ln p`` is not ``-ln`` of the mean; the difference is
    measured once, on the reference, and added to every estimate.
    """
    scored = sums.get("scored", 0)
    if not scored:
        return {}
    found = {}
    for name in ("log_loss", "brier"):
        told = 0.0
        for task in reference:
            absent, present = losses(task.scores(), name)
            told += float(task.positives @ present)
            if name == "brier" or len(reference) == 1:
                told += float(task.negatives @ absent)
        found[name] = (sums[name] - told) / scored
    return found


def _expected(task: Task, calibration: Calibration) -> _Expected:
    chance = calibration.chances()
    known = np.isfinite(chance)
    rows = np.where(known, task.rows, 0).astype(np.float64)
    return _Expected(rows, np.where(known, chance, 0.0), task.scores(), calibration)


def _accuracy(expected: Sequence[_Expected]) -> Estimated:
    single = len(expected) == 1
    total = sum(
        float(e.rows.sum() if single else e.rows[:, YES].sum()) for e in expected
    )
    if total <= 0:
        return unestimated(0, UNKNOWN)
    value = sampling = reference = 0.0
    for one in expected:
        slope = np.zeros(one.rows.shape)
        slope[:, YES] = 1 / total
        right = one.yes[:, YES].sum()
        if single:
            slope[:, NO] = -1 / total
            right += one.no[:, NO].sum()
        value += float(right) / total
        sampling += _sampling(one, slope)
        reference += _reference(one, slope)
    # A row is predicted as one class, so the classes' errors are independent.
    return banded(
        value, math.sqrt(sampling), math.sqrt(reference), int(total), most=1.0
    )


def _macro(
    expected: Sequence[_Expected], part: Callable[[_Expected], _Part | None], name: str
) -> Estimated:
    rows = int(max(one.rows.sum() for one in expected))
    if rows == 0:
        return unestimated(0, UNKNOWN)
    told = [(one, found) for one in expected if (found := part(one)) is not None]
    if not told:
        return unestimated(rows, _REASONS[name])
    value = float(np.mean([found.value for _, found in told]))
    sampling = [math.sqrt(_sampling(one, found.slope)) for one, found in told]
    reference = [math.sqrt(_reference(one, found.slope)) for one, found in told]
    return banded(
        value, float(np.mean(sampling)), float(np.mean(reference)), rows, most=1.0
    )


def _precision(one: _Expected) -> _Part | None:
    predicted = one.rows[:, YES].sum()
    if predicted <= 0:
        return None
    slope = np.zeros(one.rows.shape)
    slope[:, YES] = 1 / predicted
    return _Part(float(one.yes[:, YES].sum() / predicted), slope)


def _recall(one: _Expected) -> _Part | None:
    hits, positives = one.yes[:, YES].sum(), one.yes.sum()
    if positives <= 0:
        return None
    slope = np.full(one.rows.shape, -hits / positives**2)
    slope[:, YES] += 1 / positives
    return _Part(float(hits / positives), slope)


def _f1(one: _Expected) -> _Part | None:
    hits = one.yes[:, YES].sum()
    size = one.rows[:, YES].sum() + one.yes.sum()
    if size <= 0:
        return None
    slope = np.full(one.rows.shape, -2 * hits / size**2)
    slope[:, YES] += 2 / size
    return _Part(float(2 * hits / size), slope)


def _auc(one: _Expected) -> _Part | None:
    """U / (P N): turning one row into a positive one changes U, P and N."""
    bins = len(one.scores)
    yes, no = one.yes[:bins].sum(axis=1), one.no[:bins].sum(axis=1)
    area = binned_auc(no, yes)
    if area is None:
        return None
    p, n = yes.sum(), no.sum()
    below = np.cumsum(no) - no / 2
    above = p - np.cumsum(yes) + yes / 2
    of_bin = (below - above) / (p * n) - area.value * (n - p) / (p * n)
    slope = np.zeros(one.rows.shape)
    slope[:bins] = of_bin[:, None]
    return _Part(area.value, slope)


_PARTS: dict[str, Callable[[_Expected], _Part | None]] = {
    "precision": _precision,
    "recall": _recall,
    "f1": _f1,
    "auc": _auc,
}
_REASONS = {
    "precision": "the class is never predicted",
    "recall": "no row is expected to be of the class",
    "f1": "the class is neither predicted nor expected",
    "auc": "all rows are expected to be of one class",
}


def _loss(expected: Sequence[_Expected], name: str, excess: float) -> Estimated:
    """Expected mean loss of the rows with a finite score.

    Of several classes, only the true one's score enters a row's log loss.
    """
    bins = len(expected[0].scores)
    rows = float(max(one.rows[:bins].sum() for one in expected))
    if rows <= 0:
        return unestimated(0, UNKNOWN)
    value, sampling, reference = excess, 0.0, 0.0
    for one in expected:
        absent, present = losses(one.scores, name)
        if name == "log_loss" and len(expected) > 1:
            absent = np.zeros(bins)
        yes, no = one.yes[:bins].sum(axis=1), one.no[:bins].sum(axis=1)
        value += float(yes @ present + no @ absent) / rows
        slope = np.zeros(one.rows.shape)
        slope[:bins] = ((present - absent) / rows)[:, None]
        sampling += math.sqrt(_sampling(one, slope))
        reference += math.sqrt(_reference(one, slope))
    return banded(max(value, 0.0), sampling, reference, int(rows))


def _sampling(one: _Expected, slope: Array) -> float:
    """Variance because this window's labels are drawn: n c (1 - c) slope²."""
    return float((one.rows * one.chance * (1 - one.chance) * slope**2).sum())


def _reference(one: _Expected, slope: Array) -> float:
    """Variance because each block's chance was learnt from its reference rows."""
    block = np.array(one.calibration.block)
    weight = np.array(one.calibration.weight)
    kept = block >= 0
    lean = np.bincount(
        block[kept], weights=(one.rows * slope)[kept], minlength=len(weight)
    )
    chance = np.zeros(len(weight))
    chance[block[kept]] = one.chance[kept]
    # Half a row of each kind, so that a block without an error is not certain.
    chance = (chance * weight + 0.5) / (weight + 1)
    return float((lean**2 * chance * (1 - chance) / np.maximum(weight, 1)).sum())
