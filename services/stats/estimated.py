"""An estimate with its band, and the gap between what came and what was expected."""

from __future__ import annotations

import math
from dataclasses import dataclass

from services.stats.intervals import Measured

BAND = 3.0
"""Half the band in standard errors: about 99.7 % of windows lie inside."""


@dataclass(frozen=True)
class Estimated:
    """A number expected without labels, and its band of three standard errors.

    sampling_error: what the labels of this window's rows may do by chance.
    reference_error: what the reference's own few rows leave open.
    standard_error: both together.
    """

    value: float | None
    low: float | None
    high: float | None
    rows: int
    standard_error: float | None = None
    sampling_error: float | None = None
    reference_error: float | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Gap:
    """Realised minus estimated: what the inputs do not explain.

    outside: whether the band excludes 0; None where it cannot be told.
    """

    value: float | None
    low: float | None
    high: float | None
    standard_error: float | None
    outside: bool | None
    reason: str | None = None


def unestimated(rows: int, reason: str) -> Estimated:
    """An estimate that cannot be made, and why."""
    return Estimated(None, None, None, rows, reason=reason)


def banded(
    value: float,
    sampling: float,
    reference: float,
    rows: int,
    *,
    least: float = 0.0,
    most: float = math.inf,
) -> Estimated:
    """``value`` with the band of both errors, cut to the range it can have.

    >>> banded(0.9, 0.03, 0.04, 100, most=1.0).low
    0.75
    """
    error = math.hypot(sampling, reference)
    low, high = max(value - BAND * error, least), min(value + BAND * error, most)
    return Estimated(value, low, high, rows, error, sampling, reference)


def gap(realised: Measured, estimated: Estimated) -> Gap:
    """Realised minus estimated, with the band of both errors.

    Best told on the same rows (``Task.only_labelled``). The labels' chance error is
    then the same in both numbers and counts once: the larger of what the realised
    value's interval and the estimate say of it, the latter for as many rows as have
    labels. Without drift of the concept the band holds 0 in about 99.7 % of windows.
    """
    if realised.value is None or estimated.value is None:
        reason = realised.reason if realised.value is None else estimated.reason
        return Gap(None, None, None, None, None, reason)
    rows = max(realised.rows, 1)
    sampling = (estimated.sampling_error or 0.0) * math.sqrt(
        max(estimated.rows / rows, 1.0)
    )
    sampling = max(sampling, realised.standard_error or 0.0)
    error = math.hypot(sampling, estimated.reference_error or 0.0)
    value = realised.value - estimated.value
    low, high = value - BAND * error, value + BAND * error
    return Gap(value, low, high, error, not low <= 0.0 <= high)
