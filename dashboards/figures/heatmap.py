"""The heat map of the Drift tab: features by windows, and the strip above it.

Colour is how many times its no-drift expectation a value is, on a logarithmic
scale from once to ``MOST`` times. Grey is what cannot be compared. The sign in a
cell says what was found, so that colour never stands alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape
from typing import Any

from dashboards import drift_words as words
from dashboards import text
from dashboards.figures.distributions import lean_layout
from dashboards.figures.theme import Figure, axis, colour
from services.drift_views import DriftCell, DriftView, FeatureRow
from services.units import Preferences

ROW_PX = 24
STRIP_PX = 54
TICK_PX = 24
MOST = 16
FINE = 4
"""Steps of the colour scale for each doubling: whole numbers are short."""
_TOP = FINE * int(math.log2(MOST))
_GREY = -FINE
_STEP = FINE / (_TOP + FINE)
"""Where on the colour scale grey ends."""
MOST_TICKS = 9
PLAIN = "fine"
"""The state that is not written into a cell: the hover falls back to it."""
ROUGH_P = 0.1
"""A p-value from here on is written with two decimals."""
LEAST_PX = 132
"""The least height of the map: a hover text needs it and is cut at its edges."""

SIGNS: Mapping[str, str] = {
    "drift": "◆",
    "watch": "◇",
    "missing": "M",
    "unseen": "U",
    "few": "/",
}
SCALES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "dark": ("#48515c", ("#1a222c", "#20394f", "#2f78ad", "#7cc3ee", "#f4fbff")),
    "light": ("#c9d0d8", ("#f1f5f8", "#d3e5f0", "#74b0d6", "#1b679c", "#06304f")),
}
"""Theme -> grey, and the colours from once to ``MOST`` times the expectation."""
_INVERSE_FROM: Mapping[str, int] = {"dark": 9, "light": 11}
"""The strength from which a sign is drawn in the colour of the surface."""
_VERDICT: Mapping[str, tuple[str, str]] = {
    "good": ("circle", "good"),
    "info": ("circle-open-dot", "accent"),
    "watch": ("triangle-up", "watch"),
    "high": ("diamond", "bad"),
    "bad": ("square", "bad"),
    "unknown": ("circle-open", "text-soft"),
    "paused": ("line-ew-open", "text-soft"),
}
"""Kind of a verdict's chip -> shape and colour of its mark."""


def strength(cell: DriftCell) -> int | None:
    """The place on the colour scale: 4 log2(value / expectation), from 0 to 16.

    ``-4`` is grey: the value or its expectation is not known, or the rows are too
    few; ``None`` where there are no rows.
    """
    if cell.state == "none":
        return None
    if cell.state == "few" or cell.value is None or not cell.expected:
        return _GREY
    times = cell.value / cell.expected
    return round(min(max(FINE * math.log2(max(times, 1.0)), 0), _TOP))


def heat_map(view: DriftView, rows: Sequence[FeatureRow], prefs: Preferences) -> Figure:
    """The map of some features, without labels: the page has them beside it."""
    names = words.columns(view, prefs)
    theme = prefs.theme
    trace = {
        "type": "heatmap",
        "x": names,
        "y": [escape(row.name, quote=False) for row in rows],
        "z": [[strength(c) for c in row.cells] for row in rows],
        "customdata": [[_facts(c) for c in row.cells] for row in rows],
        "hovertemplate": _hover(view.measure),
        "hovertemplatefallback": words.STATE_WORDS[PLAIN],
        "zmin": _GREY,
        "zmax": _TOP,
        "colorscale": _scale(theme),
        "showscale": False,
        "xgap": 1,
        "ygap": 1,
    }
    height = len(rows) * ROW_PX
    below = max(LEAST_PX - height, 0)
    layout = _layout(theme, height + below, names, (len(rows) - 0.5, -0.5))
    layout["margin"]["b"] = below
    layout["shapes"] = _picked(view, rows, theme)
    return {"data": [trace, _signs(rows, trace, theme)], "layout": layout}


def _signs(
    rows: Sequence[FeatureRow], cells: Mapping[str, Any], theme: str
) -> dict[str, Any]:
    """The signs of cells as points: texts of the map itself are drawn for every cell,
    empty ones too, and take longer than all the rest (55 of 77 ms)."""
    found = [
        (x, y, SIGNS[cell.state], strength or 0)
        for y, row, strengths in zip(cells["y"], rows, cells["z"], strict=True)
        for x, cell, strength in zip(cells["x"], row.cells, strengths, strict=True)
        if cell.state in SIGNS
    ]
    plain, inverse = colour(theme, "text"), colour(theme, "surface")
    turn = _INVERSE_FROM[theme]
    return {
        "type": "scatter",
        "mode": "text",
        "x": [x for x, _, _, _ in found],
        "y": [y for _, y, _, _ in found],
        "text": [sign for _, _, sign, _ in found],
        "textfont": {
            "size": 11,
            "color": [inverse if s >= turn else plain for _, _, _, s in found],
        },
        "hoverinfo": "skip",
        "cliponaxis": False,
    }


def strip(view: DriftView, prefs: Preferences) -> Figure:
    """The verdict of each window as a shape, under the dates of the windows."""
    names = words.columns(view, prefs)
    theme = prefs.theme
    marks = [_VERDICT[words.verdict_of(w, ())[0]] for w in view.windows]
    trace = {
        "type": "scatter",
        "mode": "markers",
        "x": names,
        "y": [0] * len(names),
        "text": [words.verdict_of(window, ())[1] for window in view.windows],
        "hovertemplate": "<b>%{x}</b><br>%{text}<extra></extra>",
        "marker": {
            "size": 9,
            "symbol": [shape for shape, _ in marks],
            "color": [colour(theme, tint) for _, tint in marks],
            # The open shapes take their line from their colour.
            "line": {"width": 1.5, "color": colour(theme, "surface")},
        },
        "cliponaxis": False,
    }
    layout = _layout(theme, STRIP_PX, names, (-1, 1))
    ticks = _ticks(len(names))
    layout["margin"]["t"] = TICK_PX
    layout["xaxis"] |= {
        "showticklabels": True,
        "side": "top",
        "tickangle": 0,
        "tickvals": [names[i] for i in ticks],
        "ticktext": [_short(view.windows[i].start, view.window, prefs) for i in ticks],
    }
    layout["shapes"] = _column(words.picked(view), theme)
    return {"data": [trace], "layout": layout}


def _scale(theme: str) -> list[list[Any]]:
    grey, tints = SCALES[theme]
    width = 1 - _STEP
    steps = [
        [round(_STEP + width * i / (len(tints) - 1), 4), tint]
        for i, tint in enumerate(tints)
    ]
    half = round(_STEP / 2, 4)
    return [[0, grey], [half, grey], [half, tints[0]], *steps]


def _facts(cell: DriftCell) -> list[Any]:
    """What the hover says: numbers, as they are half the size of texts."""
    told: list[Any] = [
        _brief(cell.value, 3),
        _brief(cell.expected, 3),
        _brief(cell.p, 2 if cell.p and cell.p >= ROUGH_P else 4),
        _brief(None if cell.missing is None else cell.missing * 100, 1),
    ]
    if cell.state != PLAIN:
        told.append(words.SHORT_STATES[cell.state])
    return told


def _brief(value: float | None, decimals: int) -> float | int | str:
    if value is None:
        return text.NO_DATA
    short = round(value, decimals)
    return int(short) if short == int(short) else short


def _hover(measure: str) -> str:
    return (
        "<b>%{y}</b><br>%{x}<br>"
        f"{words.short_name(measure)} %{{customdata[0]}}, "
        "without drift %{customdata[1]}<br>"
        "adjusted p %{customdata[2]}<br>"
        "%{customdata[3]} % missing<br>"
        "%{customdata[4]}<extra></extra>"
    )


def _layout(
    theme: str, height: int, names: Sequence[str], rows: tuple[float, float]
) -> dict[str, Any]:
    bare: dict[str, Any] = {
        "showticklabels": False,
        "showgrid": False,
        "automargin": False,
    }
    bare |= {"fixedrange": True, "ticks": "", "showline": False}
    return lean_layout(
        theme,
        height=height,
        margin={"l": 0, "r": 0, "t": 0, "b": 0},
        hovermode="closest",
        xaxis=axis(theme, **bare, type="category", range=[-0.5, len(names) - 0.5]),
        yaxis=axis(theme, **bare, range=list(rows)),
    )


def _ticks(count: int) -> list[int]:
    every = max(math.ceil(count / MOST_TICKS), 1)
    return list(range(every // 2, max(count - every // 2, 1), every))


def _short(start: datetime, unit: str, prefs: Preferences) -> str:
    name = words.column(start, unit, prefs)
    if unit == "month":
        return name
    day, _, clock = name.partition(", ")
    return f"{day.rpartition(' ')[0]} {clock[:5]}".rstrip()


def _column(place: int | None, theme: str) -> list[dict[str, Any]]:
    if place is None:
        return []
    return [_box(place, (0, 1), "paper", colour(theme, "text-soft"), 1)]


def _picked(
    view: DriftView, rows: Sequence[FeatureRow], theme: str
) -> list[dict[str, Any]]:
    place = words.picked(view)
    if place is None:
        return []
    shapes = _column(place, theme)
    for i, row in enumerate(rows):
        if row.name == view.picked_feature:
            span = (i - 0.5, i + 0.5)
            shapes.append(_box(place, span, "y", colour(theme, "series-2"), 3))
    return shapes


def _box(
    place: int, rows: tuple[float, float], yref: str, tint: str, width: int
) -> dict[str, Any]:
    return {
        "type": "rect",
        "x0": place - 0.5,
        "x1": place + 0.5,
        "y0": rows[0],
        "y1": rows[1],
        "yref": yref,
        "line": {"color": tint, "width": width},
    }
