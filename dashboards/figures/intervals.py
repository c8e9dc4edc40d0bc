"""Points with intervals: the threshold as a line, and a difference over time."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from dashboards import text
from dashboards.figures.theme import (
    Figure,
    base_layout,
    colour,
    time_axis,
    time_points,
    wall_time,
)
from dashboards.performance_words import with_interval
from services.performance_views import (
    PairedView,
    PerformanceWindow,
    Point,
    ThresholdView,
)
from services.units import Preferences

PAIRED_HEIGHT = 240


def bounded(point: Point) -> bool:
    """Whether a point has both ends of its interval."""
    return point.value is not None and None not in {point.low, point.high}


def lonely(points: Sequence[Point]) -> bool:
    """Whether a value stands between two gaps, where a line would not show it."""
    known = [False, *(p.value is not None for p in points), False]
    return any(
        here and not before and not after
        for before, here, after in zip(known, known[1:], known[2:], strict=False)
    )


def outlines(
    windows: Sequence[PerformanceWindow],
    points: Sequence[Point],
    zone: ZoneInfo,
    digits: int,
) -> tuple[list[str | None], list[float | None]]:
    """One closed outline for each run of windows that have an interval.

    Args:
        windows: in the order of time.
        points: one for each window.
        zone: the reader's zone.
        digits: decimals kept.

    Returns:
        x and y for ``fill: toself``; ``None`` parts the runs. Each run is half a
        window longer at both ends, so that a window alone is seen as well.
    """
    x: list[str | None] = []
    y: list[float | None] = []
    edges = zip(windows, points, strict=True)
    for known, run in groupby(edges, lambda pair: bounded(pair[1])):
        if not known:
            continue
        held = list(run)
        half = (held[0][0].end - held[0][0].start) / 2
        starts = [window.start for window, _ in held]
        moments = [starts[0] - half, *starts, starts[-1] + half]
        walls = [wall_time(moment, zone)[:16] for moment in moments]
        ends = [held[0][1], *(point for _, point in held), held[-1][1]]
        low = [round(point.low or 0.0, digits) for point in ends]
        high = [round(point.high or 0.0, digits) for point in ends]
        gap = [None] if x else []
        x += [*gap, *walls, *reversed(walls)]
        y += [*gap, *high, *reversed(low)]
    return x, y


def threshold_shape(
    threshold: ThresholdView, digits: int, theme: str
) -> dict[str, Any]:
    """The threshold across the chart; it stays, unseen, where none is set.

    A rectangle without height: dragging a line near its end would tilt it.
    """
    tint = colour(theme, "bad")
    value = threshold.value
    return {
        "type": "rect",
        "xref": "paper",
        "x0": 0,
        "x1": 1,
        "yref": "y",
        "y0": value if value is not None else 0,
        "y1": value if value is not None else 0,
        "visible": value is not None,
        "line": {"color": tint, "width": 2},
        "label": {
            "text": threshold_words(threshold.side, value, digits),
            "textposition": "middle left",
            "yanchor": "top" if threshold.side == "below" else "bottom",
            "font": {"size": 11, "color": tint},
        },
    }


def threshold_words(side: str, value: float | None, digits: int) -> str:
    """``alert below 0.800``."""
    return "" if value is None else f"alert {side} {text.number(value, digits)}"


def paired_figure(paired: PairedView, digits: int, prefs: Preferences) -> Figure:
    """Challenger minus champion in each window, with intervals and a zero line."""
    points, tint = paired.difference, colour(prefs.theme, "series-1")
    rise = [(p.high or 0) - (p.value or 0) if bounded(p) else None for p in points]
    fall = [(p.value or 0) - (p.low or 0) if bounded(p) else None for p in points]
    trace = {
        "type": "scatter",
        "mode": "lines+markers",
        "name": f"{paired.challenger} minus {paired.champion}",
        **time_points(list(paired.starts), prefs.zone),
        "y": [None if p.value is None else round(p.value, digits + 1) for p in points],
        "text": [with_interval(p, digits, sign=True) for p in points],
        "hovertemplate": "%{text}<extra></extra>",
        "line": {"color": tint, "width": 1.6},
        "marker": {"size": 6},
        "error_y": {
            "type": "data",
            "symmetric": False,
            "array": [v if v is None else round(v, digits + 1) for v in rise],
            "arrayminus": [v if v is None else round(v, digits + 1) for v in fall],
            "thickness": 1.2,
            "width": 3,
        },
    }
    layout = base_layout(
        prefs.theme,
        PAIRED_HEIGHT,
        dragmode=False,
        showlegend=False,
        yaxis={
            "fixedrange": True,
            "nticks": 5,
            "zeroline": True,
            "zerolinecolor": colour(prefs.theme, "edge"),
        },
    )
    layout["xaxis"] = time_axis(prefs.theme, fixedrange=True, hoverformat="%-d %b %Y")
    return {"data": [trace], "layout": layout}
