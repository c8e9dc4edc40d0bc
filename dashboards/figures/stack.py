"""Charts above each other with one time axis: shared zoom and one crosshair."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from dashboards.figures.theme import (
    Figure,
    axis,
    base_layout,
    colour,
    faded,
    time_axis,
    wall_time,
)
from services.buckets import Numbers

NEAR = 0.6
BELOW_PX = 48
"""Labels of the time axis and margins."""
HEADING_SHIFT_PX = 28
"""Titles begin over the numbers of the y axis: on a phone they need the room."""


@dataclass(frozen=True)
class Panel:
    """One chart of the stack: its share of the height, title and y range.

    ``scale`` says whether the y axis has numbers.
    """

    key: str
    share: float
    title: str
    low: float | None = None
    high: float | None = None
    scale: bool = True


def limit(
    y: float, panel: str, words: str, tint: str, *, above: bool
) -> dict[str, Any]:
    """A thin line across the range at a limit of the device, with its words."""
    return {
        "type": "line",
        "xref": "paper",
        "x0": 0,
        "x1": 1,
        "yref": panel,
        "y0": y,
        "y1": y,
        "layer": "above",
        "line": {"color": tint, "width": 1, "dash": "5px,4px"},
        "label": {
            "text": words,
            "textposition": "end",
            "yanchor": "bottom" if above else "top",
            "font": {"size": 10, "color": tint},
        },
    }


def room(
    series: Sequence[Numbers],
    near: Sequence[float | None],
    least: float,
) -> tuple[float, float]:
    """The y range for the data and the limits that are not too far from it.

    Args:
        series: everything drawn in the panel.
        near: limits; one further off than ``NEAR`` heights of the data is left out.
        least: the smallest height of the data to be taken serious.
    """
    known = np.concatenate(series) if series else np.array([])
    known = known[np.isfinite(known)]
    if not len(known):
        stated = [v for v in near if v is not None]
        return (min(stated), max(stated)) if len(stated) > 1 else (0.0, 1.0)
    low, high = float(known.min()), float(known.max())
    reach = max(high - low, least) * NEAR
    within = [v for v in near if v is not None and low - reach <= v <= high + reach]
    low, high = min([low, *within]), max([high, *within])
    edge = max(high - low, least) * 0.08
    return low - edge, high + edge


def stack(
    panels: Sequence[Panel],
    traces: Sequence[dict[str, Any]],
    start: datetime,
    end: datetime,
    zone: ZoneInfo,
    theme: str,
    *,
    height: int,
    heading_px: int = 22,
    gap_px: int = 22,
    shapes: Sequence[Mapping[str, Any]] = (),
    zoom: bool = True,
) -> Figure:
    """Panels above each other with one time axis, one zoom and one crosshair.

    Args:
        panels: from top to bottom; ``key`` is the y axis (``y``, ``y2`` ...).
        traces: their series, each with its ``yaxis``.
        start: left end of the time axis.
        end: right end.
        zone: zone of the axis.
        theme: ``dark`` or ``light``.
        height: pixels of the whole.
        heading_px: room above each panel for its title.
        gap_px: room between a panel and the next title.
        shapes: lines of limits.
        zoom: whether a drag zooms; on a touch screen it must scroll the page.
    """
    layout = base_layout(
        theme,
        height=height,
        hoversubplots="axis",
        # The crosshair is outlined in the colour of the ground, so it needs one.
        paper_bgcolor=colour(theme, "surface"),
        plot_bgcolor=colour(theme, "surface"),
        showlegend=False,
        dragmode="zoom" if zoom else False,
        barmode="overlay",
        bargap=0,
        margin={"l": 8, "r": 12, "t": 4, "b": 8},
        uirevision=f"{start.isoformat()} {end.isoformat()}",
        shapes=list(shapes),
        annotations=[],
    )
    drawn_px = height - BELOW_PX
    title, gap = heading_px / drawn_px, gap_px / drawn_px
    free = 1 - title * len(panels) - gap * (len(panels) - 1)
    whole = sum(panel.share for panel in panels)
    top = 1 + gap
    for panel in panels:
        top -= gap + title
        bottom = max(top - free * panel.share / whole, 0.0)
        layout["annotations"].append(_heading(panel.title, top, theme))
        name = "yaxis" + panel.key[1:]
        layout[name] = _y_axis(panel, bottom, top, theme)
        top = bottom
    layout["xaxis"] = time_axis(
        theme,
        anchor=panels[-1].key,
        range=[wall_time(start, zone), wall_time(end, zone)],
        autorange=False,
        showgrid=True,
        gridcolor=faded(colour(theme, "line"), 0.55),
        spikesnap="cursor",
        hoverformat="%a %-d %b %Y, %H:%M",
    )
    return {"data": list(traces), "layout": layout}


def _heading(title: str, top: float, theme: str) -> dict[str, Any]:
    return {
        "text": title,
        "xref": "paper",
        "yref": "paper",
        "x": 0,
        "xshift": -HEADING_SHIFT_PX,
        "y": top,
        "xanchor": "left",
        "yanchor": "bottom",
        "align": "left",
        "showarrow": False,
        "font": {"size": 12, "color": colour(theme, "text-soft")},
    }


def _y_axis(panel: Panel, bottom: float, top: float, theme: str) -> dict[str, Any]:
    made = axis(
        theme,
        domain=[round(bottom, 4), round(top, 4)],
        fixedrange=True,
        nticks=5,
        anchor="x",
    )
    if panel.low is not None and panel.high is not None:
        made["range"] = [round(panel.low, 4), round(panel.high, 4)]
    if not panel.scale:
        made |= {"showticklabels": False, "showgrid": False, "ticks": ""}
    return made
