"""The small charts of the Drift tab: reliability, gap, and multivariate results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from dashboards.figures.distributions import REFERENCE, WINDOW
from dashboards.figures.theme import (
    Figure,
    axis,
    base_layout,
    colour,
    faded,
    time_axis,
    time_points,
    values,
)
from services.drift_views import ConceptPanel, MultivariatePanel, MultivariatePoint
from services.performance_views import METRIC_WORDS
from services.units import Preferences

RELIABILITY_PX = 300
SERIES_PX = 220
EDGE = 0.08
"""Free part of an axis above and below what is drawn."""
LEAST_REACH = 0.02
"""Smallest reach of an axis as a part of its values."""

Numbers = Sequence[float | None]


def reliability(panel: ConceptPanel, theme: str) -> Figure:
    """Observed share of the label by score, in the reference and in the window."""
    groups = panel.groups
    scores = values([g[0] for g in groups], 4)
    seen = values([g[2] for g in groups], 4)
    highs = [_reach(g[4], g[2]) for g in groups]
    lows = [_reach(g[2], g[3]) for g in groups]
    traces = [
        _line("Score = share", {"x": [0, 1]}, [0, 1],
              colour(theme, "text-soft"), "5px,4px"),
        _line("Reference", {"x": scores}, values([g[1] for g in groups], 4),
              colour(theme, REFERENCE), "solid", symbol="square-open"),
        _line("Window", {"x": scores}, seen,
              colour(theme, WINDOW), "solid", symbol="circle")
        | {
            "error_y": {
                "type": "data",
                "symmetric": False,
                "array": highs,
                "arrayminus": lows,
                "thickness": 1,
                "width": 3,
            },
            "customdata": [g[5] for g in groups],
            "hovertemplate": "score %{x:.3f}<br>observed %{y:.3f}<br>"
            "%{customdata} rows with a label<extra>window</extra>",
        },
    ]  # fmt: skip
    layout = _layout(theme, RELIABILITY_PX)
    layout["hovermode"] = "closest"
    layout["xaxis"] = axis(
        theme, fixedrange=True, title={"text": "Mean score of the group"}
    )
    layout["yaxis"] = axis(
        theme, fixedrange=True, title={"text": "Observed share"}, rangemode="tozero"
    )
    return {"data": traces, "layout": layout}


def gap(panel: ConceptPanel, prefs: Preferences) -> Figure:
    """Realised minus estimated by window, with its band around it and the zero."""
    starts = [point[0] for point in panel.gap]
    drawn = _banded(
        starts,
        [p[1] for p in panel.gap],
        ([p[2] for p in panel.gap], [p[3] for p in panel.gap]),
        "Realised minus estimated",
        prefs,
    )
    name = METRIC_WORDS.get(panel.metric, panel.metric)
    layout = _time_layout(prefs.theme, f"{name}, difference")
    layout["height"] = RELIABILITY_PX
    layout["shapes"] = [_zero(prefs.theme)]
    return {"data": drawn, "layout": layout}


def classifier(panel: MultivariatePanel, prefs: Preferences) -> Figure:
    """AUC of the domain classifier by window, and its limit."""
    theme = prefs.theme
    x = time_points([p.start for p in panel.points], prefs.zone)
    traces = [
        _line("Limit", x, values([p.auc_limit for p in panel.points], 4),
              colour(theme, "bad"), "5px,4px"),
        _line("AUC", x, values([p.auc for p in panel.points], 4),
              colour(theme, WINDOW), "solid", symbol="circle"),
    ]  # fmt: skip
    layout = _time_layout(theme, "AUC")
    return {"data": traces, "layout": layout}


def reconstruction(panel: MultivariatePanel, prefs: Preferences) -> Figure:
    """PCA reconstruction error by window, with the band of the reference."""
    found = panel.points
    drawn = _banded(
        [p.start for p in found],
        [p.reconstruction for p in found],
        ([p.reconstruction_low for p in found], [p.reconstruction_high for p in found]),
        "Reconstruction error",
        prefs,
    )
    layout = _time_layout(prefs.theme, "Mean error")
    # Bars pull an automatic axis down to 0, where the band would be a thin stripe.
    reach = [
        v for p in found for v in (p.reconstruction, *_band_of(p)) if v is not None
    ]
    if reach:
        edge = EDGE * max(max(reach) - min(reach), LEAST_REACH * abs(max(reach)))
        layout["yaxis"]["range"] = [
            round(min(reach) - edge, 4),
            round(max(reach) + edge, 4),
        ]
    return {"data": drawn, "layout": layout}


def _band_of(point: MultivariatePoint) -> tuple[float | None, float | None]:
    return point.reconstruction_low, point.reconstruction_high


def _reach(high: float | None, low: float | None) -> float:
    return 0.0 if high is None or low is None else round(max(high - low, 0.0), 4)


def _line(
    name: str, x: Mapping[str, Any], y: Numbers, tint: str, dash: str, symbol: str = ""
) -> dict[str, Any]:
    trace: dict[str, Any] = {
        "type": "scatter",
        "mode": "lines+markers" if symbol else "lines",
        "name": name,
        **x,
        "y": list(y),
        "line": {"color": tint, "width": 1.6, "dash": dash},
        "connectgaps": False,
        "hovertemplate": "%{y:.3f}",
    }
    if symbol:
        trace["marker"] = {"size": 6, "symbol": symbol}
    return trace


def _banded(
    starts: Sequence[datetime],
    middle: Numbers,
    bounds: tuple[Numbers, Numbers],
    name: str,
    prefs: Preferences,
) -> list[dict[str, Any]]:
    """A line and its band; the band is bars, which end where the numbers end."""
    x = time_points(starts, prefs.zone)
    tint = colour(prefs.theme, REFERENCE)
    low, high = (values(bound, 4) for bound in bounds)
    heights = [
        None if a is None or b is None else round(b - a, 4)
        for a, b in zip(low, high, strict=True)
    ]
    band = {
        "type": "bar",
        "name": "Band",
        **x,
        "base": low,
        "y": heights,
        "marker": {"color": faded(tint, 0.25)},
        "customdata": [_span(a, b) for a, b in zip(low, high, strict=True)],
        "hovertemplate": "%{customdata}",
    }
    line = _line(
        name,
        x,
        values(middle, 4),
        colour(prefs.theme, WINDOW),
        "solid",
        symbol="circle",
    )
    return [band, line]


def _span(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{low:.3f} to {high:.3f}"


def _layout(theme: str, height: int) -> dict[str, Any]:
    return base_layout(
        theme, height=height, dragmode=False, bargap=0, margin={"t": 26, "r": 12}
    )


def _time_layout(theme: str, title: str) -> dict[str, Any]:
    layout = _layout(theme, SERIES_PX)
    layout["xaxis"] = time_axis(theme, fixedrange=True, hoverformat="%-d %b %Y, %H:%M")
    layout["yaxis"] = axis(theme, fixedrange=True, nticks=5, title={"text": title})
    return layout


def _zero(theme: str) -> dict[str, Any]:
    return {
        "type": "line",
        "xref": "paper",
        "x0": 0,
        "x1": 1,
        "y0": 0,
        "y1": 0,
        "line": {"color": colour(theme, "edge"), "width": 1.5},
    }
