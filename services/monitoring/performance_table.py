"""The chart of the Performance tab as a table: one row for each window."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from services.exports import Cell, Table, file_name
from services.performance_views import PerformanceView, PerformanceWindow, Point

COLUMNS = (
    "window_start",
    "window_end",
    "rows",
    "labelled",
    "coverage",
    "realised",
    "realised_low",
    "realised_high",
    "estimated",
    "estimated_low",
    "estimated_high",
    "weighted",
    "weighted_low",
    "weighted_high",
    "gap",
    "gap_low",
    "gap_high",
    "gap_outside",
    "threshold",
    "threshold_side",
)


def table(view: PerformanceView, zone: ZoneInfo) -> Table:
    """What the chart draws, numbers unrounded, times in the reader's zone."""
    name = file_name(
        "performance",
        view.query.model,
        f"version-{view.version}",
        view.metric,
        f"{view.start:%Y%m%d}",
        f"{view.end:%Y%m%d}",
    )
    rows = [_row(view, window, zone) for window in view.windows]
    return Table(name, ("metric", "version", "segment", *COLUMNS), rows)


def _row(
    view: PerformanceView, window: PerformanceWindow, zone: ZoneInfo
) -> list[Cell]:
    limit = view.threshold
    return [
        view.metric,
        view.version,
        view.query.segment,
        _local(window.start, zone),
        _local(window.end, zone),
        window.rows,
        window.labelled,
        window.coverage,
        *_point(window.realised),
        *_point(window.estimated),
        *_point(window.weighted),
        *_point(window.gap),
        window.outside,
        limit.value,
        None if limit.value is None else limit.side,
    ]


def _point(point: Point) -> tuple[Cell, Cell, Cell]:
    return point.value, point.low, point.high


def _local(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment.astimezone(zone)
