"""Performance window by window: realised, estimated without labels, and the gap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from data.counts import Cells
from data.grids import Floats, Grid, Ints
from data.model_records import ModelSpec
from services.monitoring.calibrators import Calibrator, learn
from services.monitoring.measured import Cut, cut_of
from services.monitoring.thresholds import suggested, suggested_calibration
from services.performance_views import METRICS
from services.stats.estimated import Estimated, Gap
from services.stats.intervals import Measured
from services.stats.scoring import reliability


@dataclass(frozen=True)
class MetricSeries:
    """One metric over the windows; every tuple has one entry for each window.

    reference: the reference's own realised value. gaps: realised minus estimated, both
    on the labelled rows. suggested: the limit a window of so many labelled rows (or
    rows, while none is labelled) breaks by chance once in 700.
    """

    metric: str
    reference: Measured
    realised: tuple[Measured, ...]
    estimated: tuple[Estimated, ...]
    gaps: tuple[Gap, ...]
    suggested: tuple[float | None, ...]


@dataclass(frozen=True, eq=False)
class OutcomeSeries:
    """The metrics of a model over windows.

    rows, labelled: shape (windows,). coverage: labelled / rows, 0 without rows.
    """

    rows: Ints
    labelled: Ints
    coverage: Floats
    metrics: Mapping[str, MetricSeries]


def series(
    spec: ModelSpec,
    grid: Grid,
    reference: Cells,
    windows: Cells,
    calibrator: Calibrator | None = None,
    metrics: Sequence[str] | None = None,
) -> OutcomeSeries:
    """Realised and estimated performance, and their gap, of every window.

    Args:
        spec: the model.
        grid: the bins of its reference.
        reference: the reference's cells (one window).
        windows: the cells of the windows.
        calibrator: of ``calibrators.learn`` for this reference; learnt when absent.
        metrics: which ones; all of the model's kind when absent.
    """
    names = METRICS[spec.kind] if metrics is None else tuple(metrics)
    known = learn(spec, grid, reference) if calibrator is None else calibrator
    own = cut_of(spec, grid, reference, known)
    cut = cut_of(spec, grid, windows, known)
    found = cut.windows(names)
    rows, labelled = cut.total("rows"), cut.total("labelled")
    sizes = np.where(labelled > 0, labelled, rows)
    made = {}
    for name in names:
        base = own.realised(0, name)
        made[name] = MetricSeries(
            metric=name,
            reference=base,
            realised=tuple(w[name].realised for w in found),
            estimated=tuple(w[name].estimated for w in found),
            gaps=tuple(w[name].gap for w in found),
            suggested=_limits(own, name, base, sizes),
        )
    coverage = np.divide(labelled, rows, out=np.zeros(len(rows)), where=rows > 0)
    return OutcomeSeries(rows, labelled, coverage, made)


def _limits(
    reference: Cut, metric: str, base: Measured, sizes: Ints
) -> tuple[float | None, ...]:
    """The suggested threshold of a metric for windows of so many rows."""
    if metric == "calibration_error":
        curves = [reliability(task) for task in reference.tasks(0)]
        return tuple(suggested_calibration(curves, int(rows)) for rows in sizes)
    labelled = int(reference.total("labelled")[0])
    return tuple(suggested(metric, base, labelled, int(rows)) for rows in sizes)
