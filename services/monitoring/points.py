"""Series of a metric as the points of a chart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Protocol

from data.judgement_store import WindowResult
from services.monitoring.outcomes import MetricSeries, OutcomeSeries
from services.performance_views import PerformanceWindow, Point
from services.stats.estimated import BAND

LEAST_ROWS = 30
"""A window with fewer labels (for an estimate: predictions) is not judged."""
NO_ROWS = "no predictions"
NOT_WEIGHTED = "not made yet: once for each whole window of the model, over all rows"


class Interval(Protocol):
    """A value with its interval, or why there is none."""

    @property
    def value(self) -> float | None:
        """The value."""

    @property
    def low(self) -> float | None:
        """Lower end."""

    @property
    def high(self) -> float | None:
        """Upper end."""

    @property
    def reason(self) -> str | None:
        """Why there is no value."""


def point(found: Interval) -> Point:
    """A measured or estimated number as it is drawn."""
    return Point(found.value, found.low, found.high, found.reason)


def realised_point(found: Interval, labelled: int, rows: int) -> Point:
    """A realised value or gap; none where there are too few labels to judge."""
    if not rows or 0 < labelled < LEAST_ROWS:
        return few(labelled, "label") if rows else Point(None, reason=NO_ROWS)
    return point(found)


def estimated_point(found: Interval, rows: int) -> Point:
    """An estimate; none where there are too few predictions to judge."""
    return few(rows, "prediction") if rows < LEAST_ROWS else point(found)


def few(rows: int, what: str) -> Point:
    """No value, because there are too few of something."""
    if not rows:
        return Point(None, reason=NO_ROWS)
    words = f"{rows} {what}" + ("" if rows == 1 else "s")
    return Point(None, reason=f"{words}, {LEAST_ROWS} are needed")


def performance_windows(
    found: OutcomeSeries,
    metric: str,
    edges: Sequence[datetime],
    weighted: Mapping[datetime, Point],
) -> tuple[PerformanceWindow, ...]:
    """The windows of a chart of one metric.

    Args:
        found: with the metric among its own.
        metric: which one.
        edges: the windows' bounds, one more than there are windows.
        weighted: estimates from re-weighted reference rows, by start of the window.
    """
    return tuple(
        _window(found, found.metrics[metric], place, edges, weighted)
        for place in range(len(edges) - 1)
    )


def _window(
    found: OutcomeSeries,
    shown: MetricSeries,
    place: int,
    edges: Sequence[datetime],
    weighted: Mapping[datetime, Point],
) -> PerformanceWindow:
    rows, labelled = int(found.rows[place]), int(found.labelled[place])
    start, gap = edges[place], shown.gaps[place]
    return PerformanceWindow(
        start=start,
        end=edges[place + 1],
        rows=rows,
        labelled=labelled,
        coverage=float(found.coverage[place]),
        realised=realised_point(shown.realised[place], labelled, rows),
        estimated=estimated_point(shown.estimated[place], rows),
        weighted=weighted.get(start) or Point(None, reason=NOT_WEIGHTED),
        gap=realised_point(gap, labelled, rows),
        outside=labelled >= LEAST_ROWS and gap.outside is True,
    )


def weighted_points(
    results: Sequence[WindowResult], metric: str, edges: Sequence[datetime]
) -> dict[datetime, Point]:
    """The density-ratio weighted estimates that belong to these very windows."""
    ends = dict(pairwise(edges))
    found = {}
    for result in results:
        if result.kind != "weighted" or ends.get(result.start) != result.end:
            continue
        known = (result.value.get("metrics") or {}).get(metric)
        if known is None:
            reason = result.value.get("reason")
            found[result.start] = Point(None, reason=reason or NOT_WEIGHTED)
            continue
        value, error = float(known[0]), float(known[1])
        reach = BAND * error
        found[result.start] = Point(value, value - reach, value + reach)
    return found
