"""How good the scores of a classifier are: log loss, Brier, calibration."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from services.stats.cells import (
    NO,
    NO_LABELS,
    NO_SCORES,
    YES,
    Task,
    equal_groups,
    scored_rows,
)
from services.stats.intervals import Array, Counts, Measured, around, proportion, untold

GROUPS = 10
"""Groups of score bins the calibration error is measured over."""


def log_loss(sums: Mapping[str, float], tasks: Sequence[Task] = ()) -> Measured:
    """Mean of ``-ln(score of the true class)`` over labelled rows with scores.

    Args:
        sums: ``log_loss`` and ``scored``, the row-level sums.
        tasks: the cells, from which the spread and so the interval comes.
    """
    return _mean_loss(sums, "log_loss", tasks)


def brier(sums: Mapping[str, float], tasks: Sequence[Task] = ()) -> Measured:
    """Mean squared distance of scores and labels (0 or 1), summed over the tasks.

    Args:
        sums: ``brier`` and ``scored``, the row-level sums.
        tasks: the cells, from which the spread and so the interval comes.

    Source: G. W. Brier, Monthly Weather Review 78 (1950) 1.
    """
    return _mean_loss(sums, "brier", tasks)


def calibration_error(tasks: Sequence[Task], groups: int = GROUPS) -> Measured:
    """Expected calibration error: mean |observed share - mean score|.

    The bins are merged into groups of about equal rows, and each group weighs as
    much as it has rows; several tasks are averaged. Some error is expected by chance:
    the interval reaches down to 0 where it could be nothing else.
    Source: Naeini, Cooper and Hauskrecht, AAAI 2015.
    """
    rows = scored_rows(tasks)
    if rows == 0:
        return untold(0, NO_SCORES)
    values, variances = [], []
    for task in tasks:
        points = reliability(task, groups)
        weights = np.array([point.rows for point in points]) / max(rows, 1)
        gaps = np.array([abs(point.observed - point.mean_score) for point in points])
        noise = np.array([point.standard_error for point in points])
        values.append(float(weights @ gaps))
        variances.append(float(weights**2 @ noise**2))
    error = float(np.mean(np.sqrt(variances)))
    return around(float(np.mean(values)), error, rows, least=0.0, most=1.0)


@dataclass(frozen=True)
class ReliabilityPoint:
    """A group of scores: what was promised and what came.

    mean_score: mean score of its rows.
    observed: share of its labelled rows that are the class; Wilson's interval.
    """

    mean_score: float
    observed: float
    low: float
    high: float
    rows: int

    @property
    def standard_error(self) -> float:
        """Of ``observed`` if the scores are right."""
        share = min(max(self.mean_score, 0.0), 1.0)
        return math.sqrt(share * (1 - share) / self.rows)


def reliability(task: Task, groups: int = GROUPS) -> tuple[ReliabilityPoint, ...]:
    """The reliability curve: observed share by mean score, over equal groups.

    Empty when no labelled row has a score.
    """
    negatives, positives = task.negatives, task.positives
    rows, scores = negatives + positives, task.scores()
    group = equal_groups(rows, groups)
    points = []
    for number in range(groups):
        own = (group == number) & (rows > 0) & np.isfinite(scores)
        count = int(rows[own].sum())
        if count == 0:
            continue
        share = proportion(float(positives[own].sum()), count)
        mean_score = float(rows[own] @ scores[own] / count)
        points.append(
            ReliabilityPoint(
                mean_score,
                share.value or 0.0,
                share.low or 0.0,
                1.0 if share.high is None else share.high,
                count,
            )
        )
    return tuple(points)


def _mean_loss(sums: Mapping[str, float], name: str, tasks: Sequence[Task]) -> Measured:
    rows = int(sums.get("scored", 0))
    if rows == 0:
        reason = NO_SCORES if sums.get("labelled", 0) else NO_LABELS
        return untold(0, reason)
    value = sums[name] / rows
    if not tasks:
        return Measured(value, None, None, rows)
    error = _loss_error(name, tasks) / math.sqrt(rows)
    return around(value, error, rows, least=0.0)


def losses(scores: Array, name: str) -> tuple[Array, Array]:
    """The loss of each score when the label is no, and when it is yes."""
    bounded = np.clip(scores, 1e-15, 1 - 1e-15)
    if name == "log_loss":
        return -np.log1p(-bounded), -np.log(bounded)
    return bounded**2, (1 - bounded) ** 2


def _loss_error(name: str, tasks: Sequence[Task]) -> float:
    """Standard deviation of one row's loss, from the cells.

    The log loss of several classes is that of the true one, so the tasks' yes cells
    together hold each row once. The Brier terms of a row depend on each other: their
    deviations are added, which is never too small.
    """
    deviations, values, weights = [], [], []
    for task in tasks:
        absent, present = losses(task.scores(), name)
        if name == "log_loss" and len(tasks) > 1:
            values.append(present)
            weights.append(task.cells[task.scored, :, YES].sum(axis=1))
            continue
        value = np.concatenate([absent, present])
        weight = np.concatenate(
            [
                task.cells[task.scored, :, NO].sum(axis=1),
                task.cells[task.scored, :, YES].sum(axis=1),
            ]
        )
        deviations.append(_deviation(value, weight))
    if values:
        return _deviation(np.concatenate(values), np.concatenate(weights))
    return float(sum(deviations))


def _deviation(values: Array, weights: Array | Counts) -> float:
    kept = weights > 0
    if not kept.any():
        return 0.0
    values, weights = values[kept], weights[kept]
    middle = float(np.average(values, weights=weights))
    return math.sqrt(float(np.average((values - middle) ** 2, weights=weights)))
