"""Colours of both themes and the small layout every figure starts from.

``assets/theme.css`` has the same tokens; a test compares them and checks the
contrasts. Figures are plain dicts without Plotly's default template, which
alone would add 6.5 kB to each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

Figure = dict[str, Any]
"""A Plotly figure as JSON: ``data``, ``layout``."""

FONT = (
    "Inter, 'Inter Variable', system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif"
)

TOKENS: Mapping[str, Mapping[str, str]] = {
    "dark": {
        "ground": "#0f1318",
        "surface": "#171c23",
        "raised": "#1f262f",
        "line": "#2e3742",
        "edge": "#6d7a8a",
        "text": "#e9edf2",
        "text-soft": "#aab5c2",
        "accent": "#5ab8e8",
        "on-accent": "#08212e",
        "good": "#4cc38a",
        "watch": "#e6b450",
        "bad": "#f47d84",
        "series-1": "#5ab8e8",
        "series-2": "#f0a35e",
        "series-3": "#b09df7",
        "series-4": "#4cc38a",
        "series-5": "#e6b450",
        "series-6": "#f08fc0",
    },
    "light": {
        "ground": "#f4f6f8",
        "surface": "#ffffff",
        "raised": "#edf0f4",
        "line": "#d5dbe2",
        "edge": "#76828f",
        "text": "#17202b",
        "text-soft": "#4b5866",
        "accent": "#0a6796",
        "on-accent": "#ffffff",
        "good": "#17754a",
        "watch": "#845700",
        "bad": "#b3262f",
        "series-1": "#0a6796",
        "series-2": "#b0560f",
        "series-3": "#6549c0",
        "series-4": "#17754a",
        "series-5": "#845700",
        "series-6": "#a8357a",
    },
}
"""Theme -> token -> colour. ``edge`` outlines controls; ``line`` only separates."""

METRIC_SERIES: Mapping[str, str] = {
    "temperature_c": "series-1",
    "target_temperature_c": "text-soft",
    "inlet_temperature_c": "series-4",
    "outlet_temperature_c": "series-2",
    "ambient_temperature_c": "series-5",
    "pressure_bar": "series-3",
    "flow_lpm": "series-4",
    "power_w": "series-2",
    "energy_kwh": "series-2",
    "voltage_v": "series-6",
}
"""One colour per quantity on every chart."""


def colour(theme: str, token: str) -> str:
    """The colour of a token in a theme."""
    return TOKENS[theme][token]


def faded(hex_colour: str, alpha: float) -> str:
    """A colour with transparency, for bands and fills."""
    red, green, blue = (int(hex_colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{alpha:g})"


def metric_colour(theme: str, metric: str) -> str:
    """The line colour of a metric."""
    return colour(theme, METRIC_SERIES[metric])


def axis(theme: str, **changes: Any) -> dict[str, Any]:
    """A quiet axis: faint grid, no zero line, room made for its labels."""
    base = {
        "gridcolor": colour(theme, "line"),
        "linecolor": colour(theme, "line"),
        "zeroline": False,
        "automargin": True,
        "tickfont": {"size": 12, "color": colour(theme, "text-soft")},
        "title": {"font": {"size": 12, "color": colour(theme, "text-soft")}},
    }
    return merged(base, changes)


def time_axis(theme: str, **changes: Any) -> dict[str, Any]:
    """A time axis with a crosshair that charts of one page can share."""
    base = {
        "type": "date",
        "showspikes": True,
        "spikemode": "across",
        "spikethickness": 1,
        "spikedash": "dot",
        "spikecolor": colour(theme, "text-soft"),
        "showgrid": False,
    }
    return axis(theme, **merged(base, changes))


def base_layout(theme: str, height: int = 260, **changes: Any) -> dict[str, Any]:
    """The layout every figure starts from; ``changes`` are merged into it."""
    base: dict[str, Any] = {
        "height": height,
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": FONT, "size": 12, "color": colour(theme, "text")},
        "colorway": [colour(theme, f"series-{i}") for i in range(1, 7)],
        "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
        "hovermode": "x unified",
        "hoverlabel": {
            "bgcolor": colour(theme, "raised"),
            "bordercolor": colour(theme, "line"),
            "font": {"family": FONT, "size": 12, "color": colour(theme, "text")},
        },
        "legend": {
            "orientation": "h",
            "x": 0,
            "y": 1.02,
            "yanchor": "bottom",
            "font": {"color": colour(theme, "text-soft")},
        },
        "dragmode": "zoom",
        "uirevision": "kept",
        "xaxis": axis(theme),
        "yaxis": axis(theme),
    }
    return merged(base, changes)


def merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """``base`` with ``changes`` laid over it, dict by dict."""
    result = dict(base)
    for key, value in changes.items():
        if isinstance(value, Mapping) and isinstance(result.get(key), Mapping):
            result[key] = merged(result[key], value)
        else:
            result[key] = value
    return result


def time_points(moments: Any, zone: ZoneInfo) -> dict[str, Any]:
    """The x of a time series in local wall time, as small as it can be.

    Evenly spaced times become ``x0`` and ``dx`` (a fifth of the JSON), unless a
    change of daylight saving lies between them; others become strings.

    Args:
        moments: naive UTC ``datetime64`` values (a column of a frame) or a list
            of aware datetimes.
        zone: the reader's time zone.
    """
    utc = pd.DatetimeIndex(moments)
    utc = utc.tz_localize("UTC") if utc.tz is None else utc.tz_convert("UTC")
    local = utc.tz_convert(zone).tz_localize(None).to_numpy("datetime64[s]")
    if len(local) > 2:
        steps = np.diff(local).astype("int64")
        if (steps == steps[0]).all() and steps[0] > 0:
            return {"x0": str(local[0]), "dx": int(steps[0]) * 1000}
    whole = len(local) and not (local.astype("int64") % 60).any()
    return {"x": np.datetime_as_string(local, unit="m" if whole else "s").tolist()}


def wall_time(moment: datetime, zone: ZoneInfo) -> str:
    """One aware time as the local wall time a Plotly axis takes."""
    return moment.astimezone(zone).strftime("%Y-%m-%dT%H:%M:%S")


def values(numbers: Sequence[float | None] | Any, decimals: int) -> list[float | None]:
    """Rounded numbers with ``None`` for a gap, as the figure's JSON carries them."""
    array = np.round(np.asarray(numbers, dtype="float64"), decimals)
    return [None if np.isnan(v) else float(v) for v in array]
