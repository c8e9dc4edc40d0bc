"""Calibration, confusion and segments: what lies behind one value of a metric."""

from __future__ import annotations

import numpy as np

from data.counts import Cells
from data.grids import Grid
from data.model_records import ModelSpec
from services.monitoring.calibrators import positions, tasks_at
from services.monitoring.outcomes import OutcomeSeries
from services.monitoring.points import estimated_point, point, realised_point
from services.performance_views import (
    HIGHER_IS_BETTER,
    CalibrationPoint,
    CalibrationView,
    ConfusionView,
    MetricTile,
    Point,
    SegmentRow,
)
from services.stats.cells import Task
from services.stats.scoring import calibration_error, reliability

OTHER = "other classes"


def calibrations(
    spec: ModelSpec, grid: Grid, window: Cells, reference: Cells
) -> tuple[CalibrationView, ...]:
    """Reliability of each scored class in one window and in the reference."""
    places = positions(spec, grid)
    now, before = (tasks_at(cells, places, 0) for cells in (window, reference))
    return tuple(
        CalibrationView(name, _curve(a), _curve(b), point(calibration_error([a])))
        for name, a, b in zip(spec.tasks, now, before, strict=True)
        if name in spec.scored
    )


def _curve(task: Task) -> tuple[CalibrationPoint, ...]:
    return tuple(
        CalibrationPoint(p.mean_score, p.observed, p.low, p.high, p.rows)
        for p in reliability(task)
    )


def confusion(spec: ModelSpec, window: Cells) -> ConfusionView:
    """Predicted against true in one window; undeclared classes where there are any."""
    counts = window.confusion(spec)[0]
    table = counts[:, :-1]
    declared = len(spec.classes)
    shown = declared + int(table[declared].any() or table[:, declared].any())
    return ConfusionView(
        classes=(*spec.classes, OTHER)[:shown],
        counts=tuple(tuple(int(n) for n in row[:shown]) for row in table[:shown]),
        unlabelled=int(counts[:, -1].sum()),
    )


def tiles(found: OutcomeSeries) -> tuple[MetricTile, ...]:
    """Every metric of one window beside the reference's value."""
    rows, labelled = int(found.rows[0]), int(found.labelled[0])
    return tuple(
        MetricTile(
            metric=name,
            realised=realised_point(shown.realised[0], labelled, rows),
            estimated=estimated_point(shown.estimated[0], rows),
            reference=point(shown.reference),
        )
        for name, shown in found.metrics.items()
    )


def segment_row(
    words: str, metric: str, found: OutcomeSeries, whole: float | None
) -> SegmentRow:
    """A metric in one segment over the whole range.

    Args:
        words: the segment as ``column=value``.
        metric: which one.
        found: its series, of one window.
        whole: the realised value of all rows.
    """
    rows, labelled = int(found.rows[0]), int(found.labelled[0])
    shown = found.metrics[metric]
    realised = realised_point(shown.realised[0], labelled, rows)
    worse = is_worse(metric, realised, whole)
    return SegmentRow(
        words,
        rows,
        labelled,
        realised,
        estimated_point(shown.estimated[0], rows),
        worse,
    )


def is_worse(metric: str, found: Point, whole: float | None) -> bool:
    """Whether an interval lies wholly on the bad side of a value.

    A bias is bad on both sides: its interval must lie farther from 0 than the value.
    """
    if whole is None or found.low is None or found.high is None:
        return False
    if metric == "bias":
        return found.low > abs(whole) or found.high < -abs(whole)
    return found.high < whole if metric in HIGHER_IS_BETTER else found.low > whole


def one_window(cells: Cells, place: int) -> Cells:
    """The cells of one window alone."""
    cut = slice(place, place + 1)
    return Cells(
        1,
        {task: found[cut] for task, found in cells.cells.items()},
        {task: found[cut] for task, found in cells.sums.items()},
    )


def merged(cells: Cells) -> Cells:
    """All windows as one: counts only ever add up."""
    return Cells(
        1,
        {t: np.asarray(f.sum(axis=0))[None] for t, f in cells.cells.items()},
        {t: np.asarray(f.sum(axis=0))[None] for t, f in cells.sums.items()},
    )
