"""Changes of a metric for the worse, with how certain they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from services.monitoring.outcomes import MetricSeries


@dataclass(frozen=True)
class Change:
    """A change for the worse and how many standard errors it is; ``None`` = untold."""

    size: float | None = None
    z: float | None = None


def change_of(size: float, error: float) -> Change:
    """A change of a size with its standard error."""
    return Change(size, size / error if error > 0 else None)


def realised_change(main: MetricSeries, w: int, sign: float) -> Change:
    """The change for the worse of a metric from labels, against the reference.

    Args:
        main: the metric.
        w: the window.
        sign: 1 where more is worse, else -1.
    """
    one, base = main.realised[w], main.reference
    if one.value is None or base.value is None:
        return Change()
    error = np.hypot(one.standard_error or 0.0, base.standard_error or 0.0)
    return change_of(sign * (one.value - base.value), float(error))


def gap_change(main: MetricSeries | None, w: int, sign: float) -> Change:
    """The same against the estimate for the same rows."""
    if main is None or main.gaps[w].value is None:
        return Change()
    one = main.gaps[w]
    return change_of(sign * (one.value or 0.0), one.standard_error or 0.0)
