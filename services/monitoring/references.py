"""Reference counts other than the pinned ones: the windows before, a year before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np

from data.counts import Counts
from data.grids import Grid
from data.inference_lake import InferenceLake
from services.monitoring.scope import Scope, window_start

BEFORE = 4
YEAR = timedelta(days=364)
"""52 weeks: weekdays line up."""
NEIGHBOURS = (-2, -1, 0, 1, 2)
"""Weeks around the same time a year before."""


def reference_counts(
    mode: str, scope: Scope, grid: Grid, windows: Counts, lake: InferenceLake
) -> Counts:
    """One reference for each window; empty where there is no history.

    Args:
        mode: ``rolling`` or ``season``.
        scope: the windows.
        grid: the bins of its pinned reference, which all is counted on.
        windows: their counts.
        lake: holds the windows before.
    """
    at = scope.model.id, scope.version, grid, scope.segment
    if mode == "rolling":
        edges = edges_before(scope.window, scope.edges[0], BEFORE)
        return rolling(lake.counts(*at, edges, scope.grain), windows)
    years = season_edges(scope.window, scope.edges)
    every = sorted({edge for edges in years for edge in edges})
    return season(lake.counts(*at, every, scope.grain), every, years)


def season(
    counts: Counts, every: Sequence[datetime], years: Sequence[Sequence[datetime]]
) -> Counts:
    """The sum over neighbouring weeks, window by window.

    Args:
        counts: of the stretches between any two of the edges.
        every: all edges, rising.
        years: the edges of the windows, once for each neighbour.
    """
    place = {edge: i for i, edge in enumerate(every)}
    first = np.array([[place[e] for e in edges[:-1]] for edges in years])
    last = np.array([[place[e] for e in edges[1:]] for edges in years])
    columns = {}
    for name, found in counts.columns.items():
        total = np.concatenate([np.zeros_like(found[:1]), np.cumsum(found, axis=0)])
        columns[name] = (total[last] - total[first]).sum(axis=0)
    return Counts(first.shape[1], columns)


def rolling(before: Counts, windows: Counts) -> Counts:
    """The sum of the four windows before each window.

    Args:
        before: the four windows before the first one.
        windows: the windows.
    """
    columns = {}
    for name, counts in windows.columns.items():
        all_of = np.concatenate([before.columns[name], counts])
        total = np.cumsum(all_of, axis=0)
        total = np.concatenate([np.zeros_like(total[:1]), total])
        ends = np.arange(BEFORE, BEFORE + len(counts))
        columns[name] = total[ends] - total[ends - BEFORE]
    return Counts(windows.windows, columns)


def edges_before(window: str, first: datetime, count: int) -> tuple[datetime, ...]:
    """The edges of the ``count`` windows that end where the first one begins."""
    edges = [first]
    for _ in range(count):
        edges.append(window_start(window, edges[-1] - timedelta(seconds=1)))
    return tuple(reversed(edges))


def season_edges(
    window: str, edges: Sequence[datetime]
) -> tuple[tuple[datetime, ...], ...]:
    """The same windows a year before, and those of two weeks before and after.

    Months are compared with the same month alone.
    """
    if window == "month":
        return (tuple(edge.replace(year=edge.year - 1) for edge in edges),)
    return tuple(
        tuple(edge - YEAR + timedelta(weeks=weeks) for edge in edges)
        for weeks in NEIGHBOURS
    )
