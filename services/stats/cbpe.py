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

import numpy as np

from services.stats.calibration import Calibration
from services.stats.cells import NO, YES, Task
from services.stats.estimated import Estimated, banded, unestimated
from services.stats.expected import (
    Expected,
    Part,
    auc,
    expect,
    f1,
    over,
    precision,
    recall,
)
from services.stats.intervals import Array, Counts
from services.stats.scoring import losses

MEASURES = ("accuracy", "precision", "recall", "f1", "auc", "log_loss", "brier")
UNKNOWN = "no row has a score the reference has labels for"
NOT_CALIBRATED = "the reference has no labelled scores"


def estimate(
    tasks: Sequence[Task],
    calibrations: Sequence[Calibration | None],
    excess: Mapping[str, float] | None = None,
) -> dict[str, Estimated]:
    """The estimated measures of ``MEASURES`` for a window; see ``estimate_windows``.

    Args:
        tasks: the window's cells; one task (binary, of the positive class) or one per
            class. To compare with realised values, pass ``task.only_labelled()``.
        calibrations: of the same tasks, from the reference.
        excess: of ``loss_excess``; what bins cannot say of the losses.
    """
    if not tasks:
        return dict.fromkeys(MEASURES, unestimated(0, NOT_CALIBRATED))
    rows: list[Array | Counts] = [task.rows[None] for task in tasks]
    scores = [task.scores() for task in tasks]
    return estimate_windows(rows, scores, calibrations, excess)[0]


def estimate_windows(
    rows: Sequence[Array | Counts],
    scores: Sequence[Array],
    calibrations: Sequence[Calibration | None],
    excess: Mapping[str, float] | None = None,
) -> list[dict[str, Estimated]]:
    """The estimated measures of ``MEASURES`` for many windows at once.

    Args:
        rows: per task (W, S, 2) rows by [window][score bin][predicted].
        scores: per task (S - 3,) the score each bin stands for.
        calibrations: of the same tasks, from the reference.
        excess: of ``loss_excess``; what bins cannot say of the losses.

    Several classes: accuracy is the expected share of rows whose predicted class is
    right; the others are means over the classes for which they can be told, with the
    mean of their errors, which is never too small.
    """
    if any(calibration is None for calibration in calibrations):
        sizes = np.max([r.sum(axis=(1, 2)) for r in rows], axis=0)
        return [
            dict.fromkeys(MEASURES, unestimated(int(n), NOT_CALIBRATED)) for n in sizes
        ]
    expected = [
        expect(r, s, c)
        for r, s, c in zip(rows, scores, calibrations, strict=True)
        if c is not None
    ]
    found = {"accuracy": _accuracy(expected)}
    for name, part in _PARTS.items():
        found[name] = _macro(expected, part, name)
    for name in ("log_loss", "brier"):
        found[name] = _loss(expected, name, (excess or {}).get(name, 0.0))
    return [
        {name: found[name][window] for name in MEASURES}
        for window in range(len(rows[0]))
    ]


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


def _accuracy(expected: Sequence[Expected]) -> list[Estimated]:
    single = len(expected) == 1
    totals = [e.rows if single else e.rows[:, :, YES : YES + 1] for e in expected]
    total = np.sum([rows.sum(axis=(1, 2)) for rows in totals], axis=0)
    each = over(1.0, total)
    value, sampling, reference = (np.zeros(len(total)) for _ in range(3))
    for one in expected:
        slope = np.zeros(one.rows.shape)
        slope[:, :, YES] = each[:, None]
        right = one.yes[:, :, YES].sum(axis=1)
        if single:
            slope[:, :, NO] = -each[:, None]
            right = right + one.no[:, :, NO].sum(axis=1)
        value += right * each
        sampling += one.sampling(slope)
        reference += one.reference(slope)
    # A row is predicted as one class, so the classes' errors are independent.
    errors = np.sqrt(sampling), np.sqrt(reference)
    return _listed(value, *errors, total, UNKNOWN, most=1.0)


def _listed(
    value: Array,
    sampling: Array,
    reference: Array,
    rows: Array,
    reason: str,
    most: float = math.inf,
) -> list[Estimated]:
    """One estimate for each window; ``reason`` where its value is NaN."""
    return [
        banded(float(v), float(s), float(r), int(n), most=most)
        if math.isfinite(v)
        else unestimated(int(n), reason if n > 0 else UNKNOWN)
        for v, s, r, n in zip(value, sampling, reference, rows, strict=True)
    ]


def _macro(
    expected: Sequence[Expected], part: Callable[[Expected], Part], name: str
) -> list[Estimated]:
    rows = np.max([one.rows.sum(axis=(1, 2)) for one in expected], axis=0)
    parts = [part(one) for one in expected]
    values = np.array([found.value for found in parts])
    told = np.isfinite(values)
    share = over(1.0, told.sum(axis=0).astype(np.float64))
    value = np.where(told, values, 0.0).sum(axis=0) * share
    sampling, reference = np.zeros(len(rows)), np.zeros(len(rows))
    for known, one, found in zip(told, expected, parts, strict=True):
        sampling += np.where(known, np.sqrt(one.sampling(found.slope)), 0.0)
        reference += np.where(known, np.sqrt(one.reference(found.slope)), 0.0)
    errors = sampling * share, reference * share
    return _listed(value, *errors, rows, _REASONS[name], most=1.0)


_PARTS: dict[str, Callable[[Expected], Part]] = {
    "precision": precision,
    "recall": recall,
    "f1": f1,
    "auc": auc,
}
_REASONS = {
    "precision": "the class is never predicted",
    "recall": "no row is expected to be of the class",
    "f1": "the class is neither predicted nor expected",
    "auc": "all rows are expected to be of one class",
}


def _loss(expected: Sequence[Expected], name: str, excess: float) -> list[Estimated]:
    """Expected mean loss of the rows with a finite score.

    Of several classes, only the true one's score enters a row's log loss.
    """
    scored = [one.rows[:, : len(one.scores)].sum(axis=(1, 2)) for one in expected]
    rows = np.max(scored, axis=0)
    each = over(1.0, rows)
    value = np.full(len(rows), excess)
    sampling, reference = np.zeros(len(rows)), np.zeros(len(rows))
    for one in expected:
        bins = len(one.scores)
        absent, present = losses(one.scores, name)
        if name == "log_loss" and len(expected) > 1:
            absent = np.zeros(bins)
        yes, no = one.yes[:, :bins].sum(axis=2), one.no[:, :bins].sum(axis=2)
        value = value + (yes @ present + no @ absent) * each
        slope = np.zeros(one.rows.shape)
        slope[:, :bins] = (present - absent)[None, :, None] * each[:, None, None]
        sampling += np.sqrt(one.sampling(slope))
        reference += np.sqrt(one.reference(slope))
    value = np.where(np.isfinite(each), np.maximum(value, 0.0), np.nan)
    return _listed(value, sampling, reference, rows, UNKNOWN)
