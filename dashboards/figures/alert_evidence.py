"""What a rule saw when it fired: the value, the limits, the moment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from dashboards.figures.theme import (
    Figure,
    axis,
    base_layout,
    colour,
    faded,
    time_axis,
    wall_time,
)
from services.alert_views import Evidence
from services.units import Preferences

HEIGHT = 400
DECIMALS = 4
GAP_STEPS = 4
FEW_POINTS = 3
SHORTEST, LONGEST = timedelta(minutes=30), timedelta(hours=24)

Points = Sequence[tuple[datetime, float | None]]


def figure(
    evidence: Evidence,
    started_at: datetime,
    raised_at: datetime,
    title: str,
    convert: Callable[[float | None], float | None],
    prefs: Preferences,
) -> Figure:
    """The value over time; gaps are gaps.

    Args:
        evidence: what the rule kept.
        started_at: when the condition began to hold; from then on the ground is tinted.
        raised_at: when it had held long enough; marked.
        title: name and unit of the value.
        convert: a stored value in the reader's unit.
        prefs: the reader's zone and theme.
    """
    theme, zone = prefs.theme, prefs.zone
    tint, bad = colour(theme, "series-1"), colour(theme, "bad")
    points = with_gaps(evidence.points)
    values = [_rounded(convert(value)) for _, value in points]
    line = {
        "type": "scatter",
        "mode": "lines+markers" if len(values) <= 60 else "lines",
        "x": [wall_time(at, zone) for at, _ in points],
        "y": values,
        "connectgaps": False,
        "line": {"color": tint, "width": 2},
        "marker": {"size": 9 if len(values) <= FEW_POINTS else 4},
        "hovertemplate": "%{y}<extra></extra>",
    }
    limits = [
        value
        for value in map(convert, (evidence.threshold, evidence.low, evidence.high))
        if value is not None
    ]
    shapes = [_limit(value, bad) for value in limits]
    fired = wall_time(raised_at, zone)
    shapes.append(_held(wall_time(started_at, zone), fired, faded(bad, 0.12)))
    shapes.append(_moment(fired, bad))
    known = [v for v in (*values, *limits) if v is not None]
    low, high = min(known, default=0.0), max(known, default=1.0)
    room = (high - low) * 0.12 or max(abs(high) * 0.05, 0.5)
    layout = base_layout(
        theme,
        HEIGHT,
        showlegend=False,
        margin={"t": 26, "r": 12},
        shapes=shapes,
        xaxis=time_axis(theme, range=_window(points, started_at, raised_at, zone)),
        yaxis=axis(
            theme, title={"text": title}, range=[low - room, high + room], nticks=6
        ),
    )
    return {"data": [line], "layout": layout}


def _window(
    points: Points, started_at: datetime, raised_at: datetime, zone: ZoneInfo
) -> list[str]:
    """The time shown: all points and the moment, and never only a few seconds."""
    times = [*(at for at, _ in points), raised_at]
    start, end = min(*times, max(started_at, raised_at - LONGEST)), max(times)
    room = max((end - start) * 0.04, (SHORTEST - (end - start)) / 2)
    return [wall_time(at, zone) for at in (start - room, end + room)]


def with_gaps(points: Points) -> Points:
    """The points with a hole wherever they are much farther apart than usual."""
    if len(points) < 3:
        return points
    steps = [b - a for (a, _), (b, _) in pairwise(points)]
    usual = sorted(steps)[len(steps) // 2]
    drawn: list[tuple[datetime, float | None]] = [points[0]]
    for (at, _), step, point in zip(points, steps, points[1:], strict=False):
        if step > GAP_STEPS * usual:
            drawn.append((at + step / 2, None))
        drawn.append(point)
    return drawn


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, DECIMALS)


def _limit(value: float, tint: str) -> dict[str, Any]:
    return {
        "type": "line",
        "xref": "paper",
        "x0": 0,
        "x1": 1,
        "y0": value,
        "y1": value,
        "line": {"color": tint, "width": 1.2, "dash": "5px,4px"},
        "label": {
            "text": f"limit {value:g}",
            "textposition": "start",
            "yanchor": "bottom",
            "font": {"size": 11, "color": tint},
        },
    }


def _held(start: str, end: str, tint: str) -> dict[str, Any]:
    return {
        "type": "rect",
        "yref": "paper",
        "x0": start,
        "x1": end,
        "y0": 0,
        "y1": 1,
        "layer": "below",
        "fillcolor": tint,
        "line": {"width": 0},
    }


def _moment(at: str, tint: str) -> dict[str, Any]:
    return {
        "type": "line",
        "yref": "paper",
        "x0": at,
        "x1": at,
        "y0": 0,
        "y1": 1,
        "line": {"color": tint, "width": 2},
        "label": {
            "text": "fired",
            "textposition": "end",
            "textangle": 0,
            "yanchor": "bottom",
            "font": {"size": 11, "color": tint},
        },
    }
