"""Data-quality breaks of a feature: values lost, new, stuck, or in another unit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from data.counts import Counts
from data.grids import ColumnGrid, Grid, Ints, NumericGrid
from services.monitoring.scores import LEAST_ROWS, Scores
from services.monitoring.sizes import positions
from services.stats.measures import shares

Floats = npt.NDArray[np.float64]

UNITS: Mapping[str, tuple[float, float]] = {
    "°C as °F (× 1.8 + 32)": (1.8, 32.0),
    "°F as °C": (1 / 1.8, -32 / 1.8),
    "× 1000": (1000.0, 0.0),
    "÷ 1000": (0.001, 0.0),
    "× 100": (100.0, 0.0),
    "÷ 100": (0.01, 0.0),
    "× 10": (10.0, 0.0),
    "÷ 10": (0.1, 0.0),
    "× 1.8": (1.8, 0.0),
    "÷ 1.8": (1 / 1.8, 0.0),
    "× 2.54": (2.54, 0.0),
    "÷ 2.54": (1 / 2.54, 0.0),
    "× 60": (60.0, 0.0),
    "÷ 60": (1 / 60, 0.0),
    "× 3.6": (3.6, 0.0),
    "÷ 3.6": (1 / 3.6, 0.0),
    "× 14.5": (14.504, 0.0),
    "÷ 14.5": (1 / 14.504, 0.0),
    "× 3.79": (3.785, 0.0),
    "÷ 3.79": (1 / 3.785, 0.0),
}
"""Mistakes of units that happen: value = factor × old value + offset."""
STUCK, SPREAD = 0.995, 0.5
"""One bin with nearly all rows where the reference's fullest has at most half."""
TAIL = 0.5
"""Share of rows beyond the reference's outermost bins that is out of its range."""
RARE = 0.05
"""Share of an outermost bin up to which it is a tail."""
APART, FITS = 0.3, 0.1
"""A unit is told where the KS distance to the reference is at least ``APART`` and a
conversion leaves at most ``FITS`` of it, besides chance."""
LARGE = 10.0
"""A smaller factor is no unit where values lie around 0: they vary more or less."""


@dataclass(frozen=True)
class Break:
    """One feature's break in one window: which, and the share of rows it affects.

    what: ``missing``, ``infinite``, ``unseen``, ``stuck``, ``unit`` or ``range``; or
    ``waiting``, which is no break before its window is over.
    """

    column: str
    what: str
    share: float
    words: str


def breaks(
    grid: Grid,
    reference: Counts,
    windows: Counts,
    scores: Scores,
    finished: int | None = None,
) -> list[list[Break]]:
    """The breaks of every window, largest share first.

    Args:
        grid: the bins.
        reference: the pinned reference (one window).
        windows: the windows that ``scores`` scored, against that reference.
        scores: of the features.
        finished: how many windows are over, all when absent. A week that is a day old
            has one weekday: in a window that goes on a feature is "waiting" and not
            "stuck", unless it was stuck in the window before.
    """
    over = windows.windows if finished is None else finished
    found: list[list[Break]] = [[] for _ in range(windows.windows)]
    for place, name in enumerate(scores.columns):
        column = grid.columns[name]
        base, counts = reference.columns[name][0], windows.columns[name]
        stuck = -2
        for window in np.flatnonzero(windows.rows(name) >= LEAST_ROWS):
            one = _special(scores, place, int(window))
            if one is None and scores.state[place, window] in {"drift", "watch"}:
                one = _shape(name, column, base, counts[window])
            if one is not None and one.what == "stuck":
                if window >= over and stuck != window - 1:
                    one = replace(one, what="waiting")
                stuck = int(window)
            if one is not None:
                found[window].append(one)
    for listed in found:
        listed.sort(key=lambda b: -b.share)
    return found


def _special(scores: Scores, place: int, window: int) -> Break | None:
    """Missing, infinite or unseen values beyond chance."""
    name = scores.columns[place]
    state = scores.state[place, window]
    rise = float(scores.missing_rise[place, window])
    infinite = float(scores.infinite_rise[place, window])
    if state == "missing" and infinite > rise:
        share = scores.infinite[place, window]
        return Break(name, "infinite", infinite, f"{share:.0%} infinite values")
    if state == "missing":
        share = scores.missing[place, window]
        before = share - rise
        said = f"{share:.0%} missing values ({before:.0%} in the reference)"
        return Break(name, "missing", rise, said)
    if state == "unseen":
        rise = float(scores.unseen_rise[place, window])
        share = scores.unseen[place, window]
        said = f"{share:.0%} categories the reference never had"
        return Break(name, "unseen", rise, said)
    return None


def _shape(name: str, grid: ColumnGrid, base: Ints, counts: Ints) -> Break | None:
    """Stuck at one value, or another unit, of the rows with a value."""
    end = grid.bins if isinstance(grid, NumericGrid) else grid.size - 1
    rows = int(counts[:end].sum())
    if rows < LEAST_ROWS or base[:end].sum() == 0:
        return None
    p, q = shares(base[:end]), shares(counts[:end])
    if isinstance(grid, NumericGrid):
        return _numbers(name, grid, p, q, rows)
    most = int(q.argmax())
    if q[most] >= STUCK and p.max() <= SPREAD and most < grid.bins:
        said = f"{q[most]:.0%} of rows as {grid.categories[most]!r}"
        return Break(name, "stuck", float(q[most]), said)
    return None


def _numbers(
    name: str, grid: NumericGrid, p: Floats, q: Floats, rows: int
) -> Break | None:
    unit = unit_of(grid, p, q, rows)
    if unit is not None:
        return Break(name, "unit", 1.0, f"values as if in another unit ({unit})")
    most, last = int(q.argmax()), len(q) - 1
    outside = most in {0, last} and p[most] < RARE
    if q[most] >= STUCK and p.max() <= SPREAD and not outside:
        return Break(
            name, "stuck", float(q[most]), f"one value in {q[most]:.0%} of rows"
        )
    if last and outside and q[most] >= TAIL:
        where = "above" if most else "below"
        said = f"{q[most]:.0%} of rows {where} the reference's usual range"
        return Break(name, "range", float(q[most]), said)
    return None


def unit_of(grid: NumericGrid, p: Floats, q: Floats, rows: int) -> str | None:
    """The conversion that turns the reference's shares into the window's, if one does.

    Args:
        grid: the bins.
        p: shares of the reference, (bins,).
        q: shares of the window, (bins,).
        rows: rows of the window.
    """
    apart = _gap(p, q)
    if apart < APART or grid.bins < 3:
        return None
    places = positions(grid)
    away = abs(float(np.interp(0.5, np.cumsum(p), places))) > grid.sd
    chance = 1.4 / np.sqrt(rows)
    best, left = None, FITS * apart + chance
    for words, (factor, offset) in UNITS.items():
        if not (away or offset or factor >= LARGE or factor <= 1 / LARGE):
            continue
        bins = np.searchsorted(grid.edges, places * factor + offset, side="right")
        told = np.bincount(bins, p, len(p)).astype(np.float64)
        gap = _gap(told, q)
        if gap < left - 0.02 or (best is None and gap < left):
            best, left = words, gap
    return best


def _gap(p: Floats, q: Floats) -> float:
    return float(np.abs(np.cumsum(p - q)).max())
