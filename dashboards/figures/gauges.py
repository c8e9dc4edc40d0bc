"""A gauge on a straight scale: value, target, normal band and alarm limits.

A straight scale reads faster than a dial, compares between devices (the same
quantity has the same scale) and stays legible at 390 px. In the figure
``data[0].x[0]`` is the value and ``data[1].x[0]`` the target, so a live tick
changes two numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dash import html
from dash.development.base_component import Component

from dashboards import parts, text
from dashboards.figures.theme import (
    Figure,
    axis,
    base_layout,
    colour,
    faded,
    metric_colour,
)
from data.records import Band
from services.units import QUANTITIES, Preferences, convert

HEIGHT = 58
_TRACK = (0.36, 0.86)
_CHARACTER = 0.036
"""Share of the scale one character of a tick label takes on a card of 240 px."""

TRENDS = {"up": ("arrow-up-right", "rising"), "down": ("arrow-down-right", "falling")}
_STEADY = ("arrow-right", "steady")


@dataclass(frozen=True)
class Gauge:
    """What one gauge shows, in stored units; ``None`` = not known.

    ``trend`` is ``up``, ``down``, ``steady`` or ``None``.
    """

    metric: str
    value: float | None
    measured_at: datetime | None
    band: Band
    target: float | None = None
    trend: str | None = None


def verdict(value: float | None, band: Band) -> tuple[str, str]:
    """Chip kind and word of a value against its band: three verdicts, not two."""
    if value is None:
        return "unknown", "No data"
    if _outside(value, band.alarm_low, band.alarm_high):
        low = band.alarm_low is not None and value < band.alarm_low
        return "bad", "Below limit" if low else "Above limit"
    if band.normal_low is None and band.normal_high is None:
        return "unknown", "No normal band stated"
    if _outside(value, band.normal_low, band.normal_high):
        low = band.normal_low is not None and value < band.normal_low
        return "watch", "Low" if low else "High"
    return "good", "Normal"


def bullet(gauge: Gauge, prefs: Preferences) -> Figure:
    """The figure of a gauge in the reader's units."""
    low = _shown(gauge.metric, gauge.band.low, prefs)
    high = _shown(gauge.metric, gauge.band.high, prefs)
    value = text.converted(gauge.metric, gauge.value, prefs)
    bar = {
        "type": "bar",
        "orientation": "h",
        "x": [None if value is None else min(max(value, low), high) - low],
        "base": low,
        "y": [0.61],
        "width": 0.2,
        "marker": {"color": metric_colour(prefs.theme, gauge.metric)},
        "hoverinfo": "skip",
    }
    ticks = _ticks(gauge, prefs)
    layout = base_layout(
        prefs.theme,
        height=HEIGHT,
        margin={"l": 22, "r": 22, "t": 0, "b": 0},
        showlegend=False,
        dragmode=False,
        hovermode=False,
        shapes=_zones(gauge, prefs),
        xaxis=axis(
            prefs.theme,
            range=[low, high],
            tickvals=ticks,
            ticktext=[_plain(gauge.metric, t) for t in ticks],
            showgrid=False,
            fixedrange=True,
            automargin=False,
            ticklabeloverflow="allow",
            tickangle=0,
            position=0.36,
            anchor="free",
        ),
        yaxis={"range": [0, 1], "visible": False, "fixedrange": True},
    )
    return {"data": [bar, _target_mark(gauge, prefs)], "layout": layout}


def gauge_card(gauge: Gauge, prefs: Preferences, now: datetime, part: str) -> Component:
    """A gauge with its number, verdict, trend, age and limits in words.

    Args:
        gauge: what to show.
        prefs: the reader's units and zone.
        now: the time of the view, for the age.
        part: id of the graph.
    """
    kind, word = verdict(gauge.value, gauge.band)
    unit_text = text.unit_of(gauge.metric, prefs)
    decimals = QUANTITIES[gauge.metric].decimals
    number = text.number(text.converted(gauge.metric, gauge.value, prefs), decimals)
    head = html.Div(
        [
            html.Span(number, className="gauge-number"),
            html.Span(unit_text, className="gauge-unit"),
            _trend(gauge.trend),
            parts.chip(kind, word),
        ],
        className="gauge-head",
    )
    limits = limits_sentence(gauge, prefs)
    spoken = f"{text.label(gauge.metric)}: {number} {unit_text}, {word}."
    picture = html.Div(
        parts.graph(part, bullet(gauge, prefs), staticPlot=True),
        role="img",
        **parts.aria(label=f"{spoken} {limits}"),
    )
    return parts.card(
        text.label(gauge.metric),
        head,
        picture,
        html.Div(limits, className="gauge-foot"),
        actions=parts.moment(gauge.measured_at, now, prefs),
        class_name="gauge",
    )


def limits_sentence(gauge: Gauge, prefs: Preferences) -> str:
    """Target, normal band and alarm limits in words, in the reader's units."""
    band = gauge.band

    def at(stored: float) -> str:
        return _plain(gauge.metric, _shown(gauge.metric, stored, prefs))

    unit_text = text.NO_BREAK + text.unit_of(gauge.metric, prefs)
    words = []
    if gauge.target is not None:
        words.append(f"target {at(gauge.target)}{unit_text}")
    if band.normal_low is not None and band.normal_high is not None:
        words.append(f"normal {at(band.normal_low)} to {at(band.normal_high)}")
    limits = []
    if band.alarm_low is not None:
        limits.append(f"below {at(band.alarm_low)}")
    if band.alarm_high is not None:
        limits.append(f"above {at(band.alarm_high)}")
    if limits:
        words.append(f"alarm {' or '.join(limits)}{unit_text}")
    sentence = " · ".join(words) or "no limits stated for this device"
    return sentence[0].upper() + sentence[1:]


def _outside(value: float, low: float | None, high: float | None) -> bool:
    return (low is not None and value < low) or (high is not None and value > high)


def _shown(metric: str, stored: float, prefs: Preferences) -> float:
    what = QUANTITIES[metric]
    return round(convert(stored, what.kind, prefs), what.decimals)


def _rect(x0: float, x1: float, fill: str) -> dict[str, Any]:
    return {
        "type": "rect",
        "layer": "below",
        "x0": x0,
        "x1": x1,
        "y0": _TRACK[0],
        "y1": _TRACK[1],
        "fillcolor": fill,
        "line": {"width": 0},
    }


def _limit(x: float, theme: str) -> dict[str, Any]:
    return {
        "type": "line",
        "x0": x,
        "x1": x,
        "y0": _TRACK[0] - 0.06,
        "y1": _TRACK[1] + 0.06,
        "line": {"color": colour(theme, "bad"), "width": 2},
    }


def _zones(gauge: Gauge, prefs: Preferences) -> list[dict[str, Any]]:
    band, theme = gauge.band, prefs.theme

    def at(stored: float | None) -> float | None:
        return None if stored is None else _shown(gauge.metric, stored, prefs)

    low = _shown(gauge.metric, band.low, prefs)
    high = _shown(gauge.metric, band.high, prefs)
    zones = [_rect(low, high, colour(theme, "raised"))]
    if band.normal_low is not None or band.normal_high is not None:
        first, last = at(band.normal_low), at(band.normal_high)
        start = low if first is None else max(first, low)
        end = high if last is None else min(last, high)
        zones.append(_rect(start, end, faded(colour(theme, "good"), 0.28)))
    bad = faded(colour(theme, "bad"), 0.22)
    below, above = at(band.alarm_low), at(band.alarm_high)
    if below is not None and below > low:
        zones += [_rect(low, below, bad), _limit(below, theme)]
    if above is not None and above < high:
        zones += [_rect(above, high, bad), _limit(above, theme)]
    return zones


def _target_mark(gauge: Gauge, prefs: Preferences) -> dict[str, Any]:
    target = text.converted(gauge.metric, gauge.target, prefs)
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [target],
        "y": [0.61],
        "cliponaxis": False,
        "hoverinfo": "skip",
        "marker": {
            "symbol": "line-ns",
            "size": 20,
            "line": {"width": 3, "color": colour(prefs.theme, "text")},
        },
    }


def _ticks(gauge: Gauge, prefs: Preferences) -> list[float]:
    """The limits worth a label, the most telling first, none touching another."""
    band = gauge.band
    above = band.normal_high if band.alarm_high is None else band.alarm_high
    below = band.normal_low if band.alarm_low is None else band.alarm_low
    order = (band.low, band.high, above, below)
    shown = [_shown(gauge.metric, limit, prefs) for limit in order if limit is not None]
    longest = max(len(_plain(gauge.metric, limit)) for limit in shown)
    near = (longest * _CHARACTER + 0.02) * abs(shown[1] - shown[0])
    kept: list[float] = []
    for limit in shown:
        if all(abs(limit - other) >= near for other in kept):
            kept.append(limit)
    return sorted(kept)


def _plain(metric: str, value: float) -> str:
    """A limit without the zeros that say nothing: 6 and 1.5, not 6.00."""
    written = text.number(value, QUANTITIES[metric].decimals)
    return written.rstrip("0").rstrip(".") if "." in written else written


def _trend(trend: str | None) -> Component | None:
    if trend is None:
        return None
    name, word = TRENDS.get(trend, _STEADY)
    return html.Span(
        [parts.icon(name), parts.hidden(word)], className="trend", title=word
    )
