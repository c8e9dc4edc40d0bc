"""The thresholds in force: read, held against windows, and changed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from data.model_records import ModelSpec, Threshold
from services.errors import InvalidInput
from services.monitoring.thresholds import side_of
from services.performance_views import METRICS, PerformanceWindow, ThresholdView

SIDES = ("below", "above")
SHARES = frozenset(
    {"accuracy", "precision", "recall", "f1", "auc", "calibration_error"}
)
"""Metrics between 0 and 1."""


def in_force(spec: ModelSpec, metric: str) -> tuple[str, float | None]:
    """The side and the limit of a metric; the limit is ``None`` where none is set.

    Where a metric has both, it is the one on its bad side.
    """
    natural = side_of(metric)
    other = SIDES[1 - SIDES.index(natural)]
    own = next((t for t in spec.thresholds if t.metric == metric), None)
    for side in (natural, other):
        value = getattr(own, side, None)
        if value is not None:
            return side, float(value)
    return natural, None


def threshold_view(
    metric: str,
    side: str,
    value: float | None,
    windows: Sequence[PerformanceWindow],
    suggested: float | None,
) -> ThresholdView:
    """What a limit would have done in windows: how often it broke, out of how many."""
    view = ThresholdView(metric, side, value, 0, 0, suggested)
    judged = [w.judged for w in windows if w.judged is not None]
    broken = sum(view.broken_by(v) for v in judged)
    return replace(view, fired=broken, judged=len(judged))


def changed(
    spec: ModelSpec, metric: str, side: str, value: float | None
) -> tuple[Threshold, ...]:
    """The thresholds of a model with one metric's limit set, or removed with ``None``.

    A metric has one limit, so a limit on the other side goes; only a bias, which is
    bad on both sides, keeps it. A change to what is there already is none.
    """
    own = next((t for t in spec.thresholds if t.metric == metric), Threshold(metric))
    kept = own if metric == "bias" or value is None else Threshold(metric)
    below = value if side == "below" else kept.below
    above = value if side == "above" else kept.above
    new = Threshold(metric, below, above)
    if own not in spec.thresholds:
        found = (*spec.thresholds, new)
    else:
        found = tuple(new if t.metric == metric else t for t in spec.thresholds)
    return tuple(t for t in found if t.below is not None or t.above is not None)


def check(kind: str, metric: str, side: str, value: float | None) -> None:
    """Refuse a limit that cannot be meant.

    Raises:
        InvalidInput: a metric the kind of model has not, a side that is none, or a
            number that the metric cannot have.
    """
    check_metric(kind, metric)
    if side not in SIDES:
        raise InvalidInput(f"side must be one of {', '.join(SIDES)}.")
    if value is None:
        return
    if not math.isfinite(value):
        raise InvalidInput("value must be a finite number.")
    if metric in SHARES and not 0 <= value <= 1:
        raise InvalidInput(f"value must be between 0 and 1 for {metric}.")
    if metric == "r2" and value > 1:
        raise InvalidInput("value must not be above 1 for r2.")
    if metric not in {"r2", "bias"} and value < 0:
        raise InvalidInput(f"value must not be negative for {metric}.")


def check_metric(kind: str, metric: str) -> str:
    """The metric asked for, or the kind's first one when none is.

    Raises:
        InvalidInput: the kind of model has no such metric.
    """
    if metric and metric not in METRICS[kind]:
        known = ", ".join(METRICS[kind])
        raise InvalidInput(f"metric must be one of {known} for a {kind} model.")
    return metric or METRICS[kind][0]
