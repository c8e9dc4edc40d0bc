"""Which window of the Performance tab is meant, and what limit its windows suggest."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from services.errors import InvalidInput
from services.monitoring.outcomes import MetricSeries
from services.monitoring.points import LEAST_ROWS
from services.performance_views import PerformanceWindow, provisional

NO_TIME = "at is not a time: write a window's start, as 2026-03-09T00:00Z."


def picked(at: str, windows: Sequence[PerformanceWindow]) -> int | None:
    """The place of the window asked for; else of the newest one with labels.

    Raises:
        InvalidInput: ``at`` is no time. A time that begins no window asks for none.
    """
    if at:
        try:
            start = datetime.fromisoformat(at)
        except ValueError:
            raise InvalidInput(NO_TIME) from None
        start = start if start.tzinfo else start.replace(tzinfo=UTC)
        asked = [i for i, w in enumerate(windows) if w.start == start]
        if asked:
            return asked[0]
    labelled = [i for i, w in enumerate(windows) if w.labelled]
    judged = [i for i in labelled if windows[i].labelled >= LEAST_ROWS]
    early = provisional(windows)
    settled = [i for i in judged if not early[i]]
    return max(settled or judged or labelled, default=None)


def newest(windows: Sequence[PerformanceWindow]) -> int:
    """The place of the newest window with predictions."""
    return max(i for i, w in enumerate(windows) if w.rows)


def suggested_limit(
    shown: MetricSeries, windows: Sequence[PerformanceWindow]
) -> float | None:
    """The limit for a window of the usual size: the one of median labels or rows."""
    sizes = [(w.labelled, i) for i, w in enumerate(windows) if w.labelled >= LEAST_ROWS]
    if not sizes:
        sizes = [(w.rows, i) for i, w in enumerate(windows) if w.rows >= LEAST_ROWS]
    if not sizes:
        return None
    return shown.suggested[sorted(sizes)[len(sizes) // 2][1]]
