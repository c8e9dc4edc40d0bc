"""Series of evenly spaced buckets as Plotly traces: small, and with real gaps.

Times are evenly spaced, so a series carries ``x0`` and ``dx`` and no list of times.
On the axis stands the reader's wall time; where the clocks change within the range
a series is cut in two, each half evenly spaced. A range from lowest to highest is
drawn as bars that touch: unlike a filled line they end where the readings end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from dashboards.figures.theme import values
from services.buckets import Numbers, Times

MOST_FILLS = 12
"""Runs without a gap that are drawn as filled lines; more of them as bars."""


@dataclass(frozen=True)
class Piece:
    """A run of buckets whose local times are evenly spaced."""

    part: slice
    x0: str
    dx: int


@dataclass(frozen=True)
class Look:
    """How a series looks."""

    name: str
    tint: str
    unit: str
    decimals: int
    dash: str = "solid"
    width: float = 1.6
    shape: str = "linear"


def pieces(times: Times, zone: ZoneInfo, days_later: int = 0) -> list[Piece]:
    """Where a grid of naive UTC times must be cut so that its wall times are even.

    Args:
        times: evenly spaced.
        zone: the reader's zone.
        days_later: moves the wall times on, to draw one range over a later one.
    """
    if not len(times):
        return []
    local = pd.DatetimeIndex(times).tz_localize("UTC").tz_convert(zone)
    wall = local.tz_localize(None).to_numpy("datetime64[s]").astype("int64")
    wall = wall + days_later * 86_400
    step = int((times[1] - times[0]) / np.timedelta64(1, "s")) if len(times) > 1 else 60
    cuts = [0, *(np.flatnonzero(np.diff(wall) != step) + 1).tolist(), len(wall)]
    return [
        Piece(slice(a, b), str(np.datetime64(int(wall[a]), "s")), step * 1000)
        for a, b in pairwise(cuts)
    ]


def compact(
    numbers: Numbers | Sequence[float | None], decimals: int
) -> list[float | None]:
    """Rounded numbers with ``None`` for a gap; whole ones without their ``.0``."""
    rounded = values(numbers, decimals)
    return [int(v) if v is not None and v.is_integer() else v for v in rounded]


def line(
    numbers: Numbers, cut: Sequence[Piece], panel: str, look: Look
) -> list[dict[str, Any]]:
    """A line that breaks at every gap; a value between two gaps gets a dot."""
    shared = {
        "type": "scatter",
        "name": look.name,
        "yaxis": panel,
        "legendgroup": look.name,
        "hovertemplate": f"%{{y:.{look.decimals}f}} {look.unit}",
    }
    drawn: list[dict[str, Any]] = [
        {
            **shared,
            "mode": "lines",
            "x0": piece.x0,
            "dx": piece.dx,
            "y": compact(numbers[piece.part], look.decimals),
            "line": {
                "color": look.tint,
                "width": look.width,
                "dash": look.dash,
                "shape": look.shape,
            },
        }
        for piece in cut
    ]
    dots = _alone(numbers, cut)
    if dots:
        drawn.append(
            {
                **shared,
                "mode": "markers",
                "x": [x for x, _ in dots],
                "y": [round(float(numbers[i]), look.decimals) for _, i in dots],
                "marker": {"size": 5, "color": look.tint},
                "hoverinfo": "skip",
                "hovertemplate": None,
            }
        )
    return drawn


def _alone(numbers: Numbers, cut: Sequence[Piece]) -> list[tuple[str, int]]:
    """Times and places of values without a neighbour: no line would show them."""
    known = np.isfinite(numbers)
    before, after = np.r_[False, known[:-1]], np.r_[known[1:], False]
    found = []
    for i in np.flatnonzero(known & ~before & ~after).tolist():
        piece = next(p for p in cut if p.part.start <= i < p.part.stop)
        found.append((_later(piece, i - piece.part.start), i))
    return found


def band(
    low: Numbers | None, high: Numbers, cut: Sequence[Piece], panel: str, look: Look
) -> list[dict[str, Any]]:
    """From lowest to highest of each bucket; ``low`` ``None`` stands on zero.

    A filled line is drawn fast but knows no gaps, so each run of buckets gets its
    own; a bucket alone, and all of them where runs are many, are drawn as bars.
    """
    runs = [run for piece in cut for run in _runs(high, piece)]
    if len(runs) > MOST_FILLS:
        return [_bars_of(low, high, piece, panel, look) for piece in cut]
    drawn = []
    for run in runs:
        if run.part.stop - run.part.start == 1:
            drawn.append(_bars_of(low, high, run, panel, look))
            continue
        if low is not None:
            drawn.append(_edge(low, run, panel, look, f"{look.name}, lowest"))
        top = _edge(high, run, panel, look, f"{look.name}, highest")
        fill = "tozeroy" if low is None else "tonexty"
        drawn.append({**top, "fill": fill, "fillcolor": look.tint})
    return drawn


def _runs(numbers: Numbers, piece: Piece) -> list[Piece]:
    """The runs of known values in a piece."""
    known = np.isfinite(numbers[piece.part])
    edges = np.flatnonzero(np.diff(np.r_[False, known, False]))
    first = piece.part.start
    return [
        Piece(slice(first + a, first + b), _later(piece, a), piece.dx)
        for a, b in edges.reshape(-1, 2).tolist()
    ]


def _later(piece: Piece, buckets: int) -> str:
    step = np.timedelta64(buckets * piece.dx, "ms")
    return str(np.datetime64(piece.x0, "ms") + step)[:19]


def _edge(
    numbers: Numbers, run: Piece, panel: str, look: Look, name: str
) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "yaxis": panel,
        "x0": run.x0,
        "dx": run.dx,
        "y": compact(numbers[run.part], look.decimals),
        "line": {"width": 0, "color": look.tint, "shape": "hvh"},
        "hovertemplate": f"%{{y:.{look.decimals}f}} {look.unit}",
    }


def _bars_of(
    low: Numbers | None, high: Numbers, piece: Piece, panel: str, look: Look
) -> dict[str, Any]:
    top = high[piece.part]
    trace: dict[str, Any] = {
        "type": "bar",
        "name": f"{look.name}, highest" if low is None else f"{look.name}, range",
        "yaxis": panel,
        "x0": piece.x0,
        "dx": piece.dx,
        "width": piece.dx,
        "y": compact(top, look.decimals),
        "marker": {"color": look.tint, "line": {"width": 0}},
        "hovertemplate": f"%{{y:.{look.decimals}f}} {look.unit}",
    }
    if low is None:
        return trace
    base = low[piece.part]
    words = f"%{{base:.{look.decimals}f}} to %{{y:.{look.decimals}f}} {look.unit}"
    return {
        **trace,
        "base": compact(base, look.decimals),
        "y": compact(top - base, look.decimals),
        "hovertemplate": words,
    }


def bars(
    spans: Sequence[tuple[str, str]],
    heights: Sequence[float | None],
    panel: str,
    look: Look,
    *,
    outlined: bool = False,
) -> dict[str, Any]:
    """One bar for each span of wall time, as wide as the span.

    Args:
        spans: first and last wall time of each bar.
        heights: ``None`` where nothing is known.
        panel: the y axis.
        look: name, colour, unit.
        outlined: only the outline, to be drawn over other bars.
    """
    lengths = [
        int((np.datetime64(b) - np.datetime64(a)) / np.timedelta64(1, "ms"))
        for a, b in spans
    ]
    marker: dict[str, Any] = {"color": look.tint, "line": {"width": 0}}
    if outlined:
        edge = {"color": look.tint, "width": 1.4}
        marker = {"color": "rgba(0,0,0,0)", "line": edge}
    return {
        "type": "bar",
        "name": look.name,
        "yaxis": panel,
        "x": [a for a, _ in spans],
        "y": compact(heights, look.decimals),
        "width": [round(length * 0.94) for length in lengths],
        "offset": [round(length * 0.03) for length in lengths],
        "marker": marker,
        "hovertemplate": f"%{{y:.{look.decimals}f}} {look.unit}",
    }
