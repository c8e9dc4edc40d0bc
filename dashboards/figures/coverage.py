"""The strip that says how many predictions of each window have their label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dashboards.figures.theme import colour, faded
from dashboards.figures.timeseries import compact
from dashboards.performance_words import labelled
from services.performance_views import PerformanceWindow


def coverage_bars(
    windows: Sequence[PerformanceWindow],
    across: Mapping[str, Any],
    panel: str,
    keys: Sequence[str],
    theme: str,
) -> list[dict[str, Any]]:
    """The share that has its label, on a track of what full coverage would be.

    Args:
        windows: in the order of time; one without predictions has no track.
        across: the x and the width of the bars.
        panel: the y axis.
        keys: what a click on a window tells.
        theme: ``dark`` or ``light``.
    """
    track = {
        "type": "bar",
        "yaxis": panel,
        **across,
        "y": [1 if w.rows else None for w in windows],
        "marker": {"color": colour(theme, "line")},
        "hoverinfo": "skip",
        "showlegend": False,
    }
    tint = faded(colour(theme, "series-1"), 0.75)
    grey = faded(colour(theme, "text-soft"), 0.5)
    bars = {
        "type": "bar",
        "name": "Labels arrived",
        "showlegend": False,
        "yaxis": panel,
        **across,
        "y": compact([w.coverage for w in windows], 3),
        "customdata": list(keys),
        "text": [_words(window) for window in windows],
        "textposition": "none",
        "hovertemplate": "%{text}<extra></extra>",
        "marker": {
            "color": [grey if w.realised.value is None else tint for w in windows],
            "line": {"width": 1, "color": colour(theme, "surface")},
        },
    }
    return [track, bars]


def provisional_marks(
    values: Sequence[float | None],
    at: Mapping[str, Any],
    keys: Sequence[str],
    theme: str,
) -> dict[str, Any]:
    """Hollow points over the values that rest on few labels.

    Args:
        values: such a value, or ``None`` for every other window.
        at: the x of the windows.
        keys: what a click on a window tells.
        theme: ``dark`` or ``light``.
    """
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "Provisional: few labels",
        "legendrank": 2,
        "yaxis": "y",
        **at,
        "y": list(values),
        "customdata": list(keys),
        "marker": {
            "size": 8,
            "color": colour(theme, "surface"),
            "line": {"color": colour(theme, "series-1"), "width": 2},
        },
        "hoverinfo": "skip",
    }


def _words(window: PerformanceWindow) -> str:
    reason = window.realised.reason
    return labelled(window) + (f": {reason}" if reason else "")
