"""The charts of a report on the screen: the same lines, bars and cells as in print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape
from typing import Any
from zoneinfo import ZoneInfo

from dashboards.figures.theme import (
    Figure,
    axis,
    base_layout,
    colour,
    faded,
    time_axis,
    time_points,
)
from services.reports.document import (
    BarChart,
    Chart,
    HeatChart,
    Line,
    LineChart,
    series,
)
from services.units import Preferences

LINE_PX, BAR_PX = 260, 280
ROW_PX, HEAT_EDGE_PX = 22, 90
MOST_HEAT_PX = 900
DASHES: Mapping[str, str] = {"dashed": "5px,4px"}
HEAT: Mapping[str, tuple[str, str]] = {
    "dark": ("#1a222c", "#7cc3ee"),
    "light": ("#f1f5f8", "#1b679c"),
}


def figure(chart: Chart, prefs: Preferences) -> Figure:
    """The figure of a chart in the reader's theme; times in the zone given."""
    if isinstance(chart, LineChart):
        return _lines(chart, prefs)
    if isinstance(chart, BarChart):
        return _bars(chart, prefs)
    return _heat(chart, prefs)


def summary(chart: Chart) -> str:
    """The chart in one sentence, for those who do not see it."""
    if isinstance(chart, LineChart):
        values = [v for line in chart.lines for v in line.y if v is not None]
        named = ", ".join(line.name for line in chart.lines)
    elif isinstance(chart, BarChart):
        values = [v for _name, row in chart.series for v in row if v is not None]
        named = ", ".join(name for name, _row in chart.series)
    else:
        values = [v for row in chart.values for v in row if v is not None]
        named = f"{len(chart.rows)} rows by {len(chart.columns)} columns"
    if not values:
        return f"{chart.title}: no data."
    unit = f" {chart.unit}" if chart.unit else ""
    return f"{chart.title}: {named}; from {min(values):.4g} to {max(values):.4g}{unit}."


def _lines(chart: LineChart, prefs: Preferences) -> Figure:
    theme = prefs.theme
    timed = any(isinstance(x, datetime) for line in chart.lines for x in line.x[:1])
    traces: list[dict[str, Any]] = []
    for index, line in enumerate(chart.lines):
        tint = colour(theme, series(index))
        x = _x(line, prefs.zone)
        if line.low and line.high:
            traces += _band(line, x, tint)
        traces.append(_line(line, x, tint))
    layout = base_layout(theme, LINE_PX)
    layout["xaxis"] = time_axis(theme) if timed else axis(theme)
    layout["yaxis"] = axis(theme, title={"text": escape(chart.unit, quote=False)})
    layout["showlegend"] = len(chart.lines) > 1
    layout["shapes"] = [
        {
            "type": "line", "xref": "paper", "x0": 0, "x1": 1,
            "y0": limit.value, "y1": limit.value,
            "line": {"color": _tone(theme, limit.tone), "width": 1, "dash": "5px,4px"},
            "label": {
                "text": escape(limit.name, quote=False), "textposition": "end",
                "font": {"size": 10, "color": _tone(theme, limit.tone)},
            },
        }
        for limit in chart.limits
    ]  # fmt: skip
    return {"data": traces, "layout": layout}


def _x(line: Line, zone: ZoneInfo) -> dict[str, Any]:
    if line.x and isinstance(line.x[0], datetime):
        return time_points(list(line.x), zone)
    return {"x": list(line.x)}


def _line(line: Line, x: Mapping[str, Any], tint: str) -> dict[str, Any]:
    pen: dict[str, Any] = {"color": tint, "width": 1.8}
    if line.style in DASHES:
        pen["dash"] = DASHES[line.style]
    if line.style == "steps":
        pen["shape"] = "hv"
    alone = line.style == "dots" or len(line.x) == 1
    return {
        "type": "scatter",
        "mode": "markers" if alone else "lines",
        "name": escape(line.name, quote=False),
        **x,
        "y": list(line.y),
        "line": pen,
        "marker": {"color": tint, "size": 6},
        "connectgaps": False,
    }


def _band(line: Line, x: Mapping[str, Any], tint: str) -> list[dict[str, Any]]:
    edge = {
        "type": "scatter", "mode": "lines", **x, "line": {"width": 0, "color": tint},
        "hoverinfo": "skip", "showlegend": False, "connectgaps": False,
    }  # fmt: skip
    filled = {"fill": "tonexty", "fillcolor": faded(tint, 0.18)}
    return [{**edge, "y": list(line.low)}, {**edge, "y": list(line.high), **filled}]


def _bars(chart: BarChart, prefs: Preferences) -> Figure:
    theme = prefs.theme
    names = [escape(name, quote=False) for name in chart.categories]
    traces = [
        {
            "type": "bar", "name": escape(name, quote=False), "x": names,
            "y": list(values),
            "marker": {"color": colour(theme, chart.tint(index))},
        }
        for index, (name, values) in enumerate(chart.series)
    ]  # fmt: skip
    layout = base_layout(theme, BAR_PX)
    layout["barmode"] = "stack" if chart.stacked else "group"
    layout["xaxis"] = axis(theme, type="category", showgrid=False)
    layout["yaxis"] = axis(theme, title={"text": escape(chart.unit, quote=False)})
    layout["showlegend"] = len(chart.series) > 1
    return {"data": traces, "layout": layout}


def _heat(chart: HeatChart, prefs: Preferences) -> Figure:
    theme = prefs.theme
    low, high = HEAT[theme]
    rows = _unique([escape(name, quote=False) for name in chart.rows])
    columns = _unique([escape(name, quote=False) for name in chart.columns])
    trace = {
        "type": "heatmap", "x": columns, "y": rows,
        "z": [list(row) for row in chart.values],
        "colorscale": [[0, low], [1, high]], "xgap": 1, "ygap": 1,
        "colorbar": {"thickness": 10, "title": {"text": escape(chart.unit)}},
    }  # fmt: skip
    marks = {
        "type": "scatter", "mode": "markers",
        "x": [columns[c] for _r, c in sorted(chart.marked)],
        "y": [rows[r] for r, _c in sorted(chart.marked)],
        "marker": {"symbol": "diamond", "size": 7, "color": colour(theme, "bad")},
        "name": "Needs a look", "hoverinfo": "skip", "showlegend": False,
    }  # fmt: skip
    height = min(len(rows) * ROW_PX + HEAT_EDGE_PX, MOST_HEAT_PX)
    layout = base_layout(theme, height, hovermode="closest")
    layout["xaxis"] = axis(theme, type="category", showgrid=False)
    layout["yaxis"] = axis(theme, type="category", showgrid=False, autorange="reversed")
    return {"data": [trace, marks], "layout": layout}


def _unique(names: Sequence[str]) -> list[str]:
    """Names that are told apart: an axis would draw two equal ones as one."""
    seen: dict[str, int] = {}
    told = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        told.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return told


def _tone(theme: str, tone: str) -> str:
    return colour(theme, "text-soft" if tone == "plain" else tone)
