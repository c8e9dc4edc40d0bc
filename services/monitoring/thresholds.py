"""Limits a reference suggests: what its own performance does by chance alone."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy.special import ndtr

from services.performance_views import HIGHER_IS_BETTER
from services.stats.estimated import BAND
from services.stats.intervals import Array, Measured
from services.stats.scoring import ReliabilityPoint


def side_of(metric: str) -> str:
    """``below`` for metrics that are better when higher, else ``above``."""
    return "below" if metric in HIGHER_IS_BETTER else "above"


def suggested(
    metric: str, reference: Measured, labelled: int, rows: int
) -> float | None:
    """The limit that a window of ``rows`` labelled rows breaks by chance once in 700.

    The reference's value minus (where lower is better, plus) three standard errors of
    a window of so many rows; errors shrink with the root of the rows.

    Args:
        metric: whose value it is.
        reference: the realised value of the reference.
        labelled: the reference's labelled rows.
        rows: labelled rows of the window.
    """
    error = reference.standard_error
    if reference.value is None or error is None or rows <= 0 or labelled <= 0:
        return None
    reach = BAND * error * math.sqrt(labelled / rows)
    if side_of(metric) == "above":
        return reference.value + reach
    least = -math.inf if metric == "r2" else 0.0
    return max(reference.value - reach, least)


def suggested_calibration(
    curves: Sequence[Sequence[ReliabilityPoint]], rows: int
) -> float | None:
    """The limit of the calibration error, which is above 0 by chance alone.

    The observed share of a group of k rows with mean score p lies ``d`` (the
    reference's own distance) from p with a standard error ``s = sqrt(p (1 - p) / k)``.
    So its absolute distance is a folded normal: mean ``s sqrt(2/pi) exp(-d²/2s²) +
    d (1 - 2 Phi(-d/s))``, variance ``d² + s²`` less the mean squared. Groups add up
    with their shares of the rows; the limit is the mean plus three standard errors.
    Source: F. C. Leone et al., Technometrics 3 (1961) 543 (folded normal).

    Args:
        curves: the reference's reliability, of each task.
        rows: labelled rows of the window.
    """
    limits = []
    for points in curves:
        if not points or rows <= 0:
            return None
        share = np.array([p.rows for p in points], dtype=np.float64)
        share /= share.sum()
        score = np.clip([p.mean_score for p in points], 0.001, 0.999)
        distance = np.abs([p.observed - p.mean_score for p in points])
        error = np.sqrt(score * (1 - score) / (rows * share))
        mean, variance = _folded(distance, error)
        limits.append(float(share @ mean + BAND * math.sqrt(share**2 @ variance)))
    return min(float(np.mean(limits)), 1.0) if limits else None


def _folded(distance: Array, error: Array) -> tuple[Array, Array]:
    ratio = distance / error
    chance = error * math.sqrt(2 / math.pi) * np.exp(-(ratio**2) / 2)
    mean = chance + distance * (1 - 2 * ndtr(-ratio))
    return mean, distance**2 + error**2 - mean**2
