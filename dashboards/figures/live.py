"""The live chart: temperature against target above, power below, two hours wide.

A tick appends to the traces in the order of ``services.live.CHARTED``. The time
axis fits itself to a last, invisible trace from two hours ago to now, so a tick
moves the axis as it appends points, and a reader's zoom stays as it is.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from dashboards import text
from dashboards.figures.gauges import HEIGHT as GAUGE_HEIGHT
from dashboards.figures.theme import (
    Figure,
    axis,
    base_layout,
    colour,
    faded,
    metric_colour,
    time_axis,
    wall_time,
)
from services.live import CHARTED, Line
from services.operations import CHART_WINDOW, ChartView
from services.units import QUANTITIES, Preferences

HEIGHT = 340
MOST_POINTS = 4_000
"""Oldest points beyond this many are dropped between two whole drawings."""
UPPER, LOWER = (0.40, 1.0), (0.0, 0.27)


def live_chart(view: ChartView, prefs: Preferences) -> Figure:
    """The whole chart; an empty one says so instead of showing bare axes."""
    theme = prefs.theme
    empty = not any(view.lines.values())
    layout = base_layout(
        theme,
        HEIGHT,
        margin={"l": 8, "r": 8, "t": 24, "b": 8},
        xaxis=time_axis(theme, anchor="y2"),
        yaxis=axis(
            theme,
            domain=UPPER,
            title={"text": text.unit_of("temperature_c", prefs)},
        ),
        yaxis2=axis(
            theme,
            domain=LOWER,
            rangemode="tozero",
            title={"text": text.unit_of("power_w", prefs)},
        ),
        shapes=_limits(view, prefs),
        annotations=[_nothing(theme)] if empty else [],
    )
    lines = [_trace(name, view, prefs) for name in CHARTED]
    return {"data": [*lines, _window_trace(view.now, prefs)], "layout": layout}


def extension(view: ChartView, prefs: Preferences) -> list[Any]:
    """``extendData`` that appends new points and moves the time axis on to now."""
    places = [i for i, name in enumerate(CHARTED) if view.lines.get(name)]
    xy = [_xy(CHARTED[i], view.lines[CHARTED[i]], prefs) for i in places]
    xy.append((_window(view.now, prefs), [0.0, 0.0]))
    most = [MOST_POINTS] * len(places) + [2]
    return [
        {"x": [x for x, _ in xy], "y": [y for _, y in xy]},
        [*places, len(CHARTED)],
        {"x": most, "y": most},
    ]


def summary(view: ChartView, prefs: Preferences) -> str:
    """What the chart says, in one sentence."""
    parts = []
    for name in CHARTED:
        values = [v for _, v in view.lines.get(name, ()) if v is not None]
        if values:
            low, high = (text.quantity(name, f(values), prefs) for f in (min, max))
            parts.append(f"{text.label(name).lower()} from {low} to {high}")
    if not parts:
        return "No readings in the last 2 hours."
    return f"In the last 2 hours: {', '.join(parts)}."


def _window(now: datetime, prefs: Preferences) -> list[str]:
    return [wall_time(t, prefs.zone) for t in (now - CHART_WINDOW, now)]


def _window_trace(now: datetime, prefs: Preferences) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": _window(now, prefs),
        "y": [0.0, 0.0],
        "yaxis": "y2",
        "line": {"width": 0},
        "hoverinfo": "skip",
        "showlegend": False,
    }


def _xy(
    name: str, points: Line, prefs: Preferences
) -> tuple[list[str], list[float | None]]:
    x = [wall_time(t, prefs.zone) for t, _ in points]
    return x, [text.converted(name, v, prefs) for _, v in points]


def _trace(name: str, view: ChartView, prefs: Preferences) -> dict[str, Any]:
    x, y = _xy(name, view.lines.get(name, ()), prefs)
    tint = metric_colour(prefs.theme, name)
    unit = text.unit_of(name, prefs)
    what = QUANTITIES[name]
    trace: dict[str, Any] = {
        "type": "scatter",
        "mode": "lines",
        "name": what.label,
        "x": x,
        "y": y,
        "line": {"color": tint, "width": 2},
        "connectgaps": False,
        "hovertemplate": f"%{{y:.{what.decimals}f}} {unit}",
    }
    if name == "target_temperature_c":
        trace["line"] = {"color": tint, "width": 1.5, "dash": "dash", "shape": "hv"}
    if name == "power_w":
        # Power is what the reading says of the time before it.
        trace["line"]["shape"] = "vh"
        trace |= {"yaxis": "y2", "fill": "tozeroy", "fillcolor": faded(tint, 0.18)}
    return trace


def _limits(view: ChartView, prefs: Preferences) -> list[dict[str, Any]]:
    """The alarm limits of the tank temperature, from the device's own band."""
    band = view.device.bands.get("temperature_c")
    if band is None:
        return []
    return [
        {
            "type": "line",
            "xref": "paper",
            "x0": 0,
            "x1": 1,
            "y0": text.converted("temperature_c", limit, prefs),
            "y1": text.converted("temperature_c", limit, prefs),
            "line": {"color": colour(prefs.theme, "bad"), "width": 1.5},
        }
        for limit in (band.alarm_low, band.alarm_high)
        if limit is not None
    ]


def _nothing(theme: str) -> dict[str, Any]:
    return {
        "text": "No readings in the last 2 hours",
        "xref": "paper",
        "yref": "paper",
        "x": 0.5,
        "y": 0.7,
        "showarrow": False,
        "font": {"size": 14, "color": colour(theme, "text-soft")},
    }


def score_bar(score: int | None, kind: str, theme: str) -> Figure:
    """The health score on the straight scale of the gauges, 0 to 100.

    Args:
        score: the score, or ``None``.
        kind: the colour token of the verdict.
        theme: ``dark`` or ``light``.
    """
    track = {
        "type": "rect",
        "layer": "below",
        "x0": 0,
        "x1": 100,
        "y0": 0.36,
        "y1": 0.86,
        "line": {"width": 0},
        "fillcolor": colour(theme, "raised"),
    }
    bar = {
        "type": "bar",
        "orientation": "h",
        "x": [score],
        "y": [0.61],
        "width": 0.2,
        "marker": {"color": colour(theme, kind)},
        "hoverinfo": "skip",
    }
    layout = base_layout(
        theme,
        height=GAUGE_HEIGHT,
        margin={"l": 22, "r": 22, "t": 0, "b": 0},
        showlegend=False,
        dragmode=False,
        hovermode=False,
        shapes=[track],
        xaxis=axis(
            theme,
            range=[0, 100],
            tickvals=[0, 50, 100],
            showgrid=False,
            fixedrange=True,
            automargin=False,
            position=0.36,
            anchor="free",
        ),
        yaxis={"range": [0, 1], "visible": False, "fixedrange": True},
    )
    return {"data": [bar], "layout": layout}
