"""One feature in one window: both distributions on one axis, and every measure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt

from data.grids import CategoryGrid, ColumnGrid, Ints, NumericGrid
from services import drift_words as words
from services.drift_views import MEASURES, CategoryRow, FeatureDetail, MeasureRow
from services.monitoring.scores import Scores
from services.monitoring.sizes import chi_square_by_row, positions, sized
from services.stats.measures import merge_bins, shares
from services.stats.significance import chi_square_p_value, ks_p_value, psi_p_value

Floats = npt.NDArray[np.float64]

MOST_BARS = 40
MOST_CATEGORIES = 40
TAIL = 0.02
"""An outermost bin with at most this share of the reference is beyond the plot."""
LEVELS = tuple(round(0.05 * step, 2) for step in range(1, 20))
FEW_VALUES = 50
"""Up to so many bins a quantile is one of the values, not between two."""


@dataclass(frozen=True, eq=False)
class Picked:
    """The cell that is shown: its counts, all bins, and its place in the scores."""

    name: str
    grid: ColumnGrid
    reference: Ints
    counts: Ints
    scores: Scores
    feature: int
    window: int
    start: datetime
    end: datetime
    reference_words: str
    harm: float | None


def detail(picked: Picked) -> FeatureDetail:
    """Everything that is shown of a cell."""
    grid, scores = picked.grid, picked.scores
    numeric = isinstance(grid, NumericGrid)
    f, w = picked.feature, picked.window
    bars = _bars(grid, picked) if isinstance(grid, NumericGrid) else _NO_BARS
    rows = measure_rows(grid, picked.reference, picked.counts)
    missing, infinite, unseen = specials(grid, picked.reference, picked.counts)
    detectable = scores.detectable[f, w]
    return FeatureDetail(
        feature=picked.name,
        type="numeric" if numeric else "categorical",
        start=picked.start,
        end=picked.end,
        reference_words=picked.reference_words,
        reference_rows=int(picked.reference.sum()),
        rows=int(picked.counts.sum()),
        edges=bars.edges,
        reference_shares=bars.reference,
        shares=bars.current,
        below=bars.below,
        above=bars.above,
        quantiles=_quantiles(grid, picked) if isinstance(grid, NumericGrid) else (),
        categories=_categories(grid, picked) if isinstance(grid, CategoryGrid) else (),
        missing=missing,
        infinite=infinite,
        unseen=unseen,
        measures=rows,
        detectable_shift=float(detectable) if np.isfinite(detectable) else None,
        harm=picked.harm,
        state=str(scores.state[f, w]),
        sentence=words.cell_sentence(picked.name, scores, f, w),
        formula=words.formula(scores.measure, numeric=numeric),
    )


@dataclass(frozen=True)
class Bars:
    """Shares by bar, and what lies outside, as (reference, current)."""

    edges: tuple[float, ...]
    reference: tuple[float, ...]
    current: tuple[float, ...]
    below: tuple[float, float]
    above: tuple[float, float]


_NO_BARS = Bars((), (), (), (0.0, 0.0), (0.0, 0.0))


def _bars(grid: NumericGrid, picked: Picked) -> Bars:
    """At most 40 bars of about equal width, each some whole fine bins."""
    r, c = picked.reference[: grid.bins], picked.counts[: grid.bins]
    p, q = np.nan_to_num(shares(r)), np.nan_to_num(shares(c))
    bounds = _bounds(grid)
    first = int(grid.bins > 1 and p[0] <= TAIL)
    last = grid.bins - int(grid.bins > 2 and p[-1] <= TAIL)
    inner = bounds[first : last + 1]
    places = np.arange(len(inner))
    if len(inner) - 1 > MOST_BARS:
        wanted = np.linspace(inner[0], inner[-1], MOST_BARS + 1)
        middles = (inner[1:] + inner[:-1]) / 2
        places = np.unique(np.searchsorted(middles, wanted))
    starts = places[:-1]
    return Bars(
        edges=tuple(float(e) for e in inner[places]),
        reference=_told(merge_bins(p[first:last], starts)),
        current=_told(merge_bins(q[first:last], starts)),
        below=(float(p[:first].sum()), float(q[:first].sum())),
        above=(float(p[last:].sum()), float(q[last:].sum())),
    )


def _bounds(grid: NumericGrid) -> Floats:
    """Left and right end of every regular bin; open tails end at the usual range."""
    edges = grid.edges
    if not len(edges):
        return np.array([grid.low - 0.5, grid.high + 0.5])
    gap = float(np.median(np.diff(edges))) if len(edges) > 1 else 0.0
    gap = gap or abs(float(edges[0]) - grid.low) or 1.0
    low = min(grid.low, float(edges[0]) - 1e-12 * abs(float(edges[0])))
    low = low if low < edges[0] else float(edges[0]) - gap
    high = grid.high if grid.high > edges[-1] else float(edges[-1]) + gap
    return np.concatenate([[low], edges, [high]])


def _quantiles(
    grid: NumericGrid, picked: Picked
) -> tuple[tuple[float, float, float], ...]:
    """Level, reference value and current value, from the bins."""
    r, c = picked.reference[: grid.bins], picked.counts[: grid.bins]
    if not r.sum() or not c.sum():
        return ()
    before, now = (_values(grid, shares(counts)) for counts in (r, c))
    return tuple(zip(LEVELS, before, now, strict=True))


def _values(grid: NumericGrid, p: Floats) -> list[float]:
    below = np.cumsum(p)
    if grid.bins < FEW_VALUES:
        place = np.searchsorted(below, np.array(LEVELS) - 1e-12)
        return [float(v) for v in positions(grid)[np.minimum(place, grid.bins - 1)]]
    found = np.interp(LEVELS, np.concatenate([[0.0], below]), _bounds(grid))
    return [float(v) for v in found]


def _categories(grid: CategoryGrid, picked: Picked) -> tuple[CategoryRow, ...]:
    """The largest categories on either side; the rest together as other ones."""
    p = np.nan_to_num(shares(picked.reference))
    q = np.nan_to_num(shares(picked.counts))
    order = np.argsort(-np.maximum(p, q)[: grid.bins], kind="stable")[:MOST_CATEGORIES]
    shown = sorted((int(i) for i in order), key=lambda i: (-p[i], i))
    rows = [
        CategoryRow(grid.categories[i], float(p[i]), float(q[i]), "known")
        for i in shown
    ]
    listed = p[shown].sum(), q[shown].sum()
    other = (
        float(max(p[: grid.bins + 1].sum() - listed[0], 0.0)),
        float(max(q[: grid.bins + 1].sum() - listed[1], 0.0)),
    )
    tail = [("other categories", *other, "other")]
    for kind, place in (("unseen", grid.bins + 1), ("missing", grid.bins + 2)):
        tail.append((kind, float(p[place]), float(q[place]), kind))
    rows += [CategoryRow(n, a, b, kind) for n, a, b, kind in tail if max(a, b) > 1e-12]
    return tuple(rows)


def measure_rows(
    grid: ColumnGrid, reference: Ints, counts: Ints
) -> tuple[MeasureRow, ...]:
    """Every measure of the cell with its mean by chance, and a p where one is known.

    Args:
        grid: the bins.
        reference: counts of all bins.
        counts: the same of the window.
    """
    end = grid.bins if isinstance(grid, NumericGrid) else grid.size - 1
    r, c = reference[:end], counts[np.newaxis, :end]
    n, m = r.sum(), c.sum(axis=1)
    starts = np.unique(grid.coarse_of[:end], return_index=True)[1]
    coarse = np.asarray(merge_bins(r, starts)), np.asarray(merge_bins(c, starts))
    rows = []
    for measure in MEASURES:
        found = sized(grid, r, c, measure)
        p: Floats | None = None
        if measure == "psi":
            p = psi_p_value(found.value, len(starts), n, m)
        elif measure == "ks":
            p = ks_p_value(found.value, n, m)
        elif measure == "chi_square":
            p = chi_square_p_value(*chi_square_by_row(*coarse))
        numbers = [_known(v) for v in (found.value, found.expected, p)]
        rows.append(MeasureRow(measure, *numbers))
    return tuple(rows)


def specials(
    grid: ColumnGrid, reference: Ints, counts: Ints
) -> tuple[tuple[float, float], tuple[float, float], tuple[float, float]]:
    """Shares of missing, infinite and unseen rows as (reference, current)."""
    p, q = np.nan_to_num(shares(reference)), np.nan_to_num(shares(counts))

    def both(first: int, last: int) -> tuple[float, float]:
        return float(p[first:last].sum()), float(q[first:last].sum())

    size = grid.size
    if isinstance(grid, NumericGrid):
        return both(size - 3, size - 2), both(size - 2, size), (0.0, 0.0)
    return both(size - 1, size), (0.0, 0.0), both(size - 2, size - 1)


def _known(value: Floats | None) -> float | None:
    if value is None or not np.isfinite(value[0]):
        return None
    return float(value[0])


def _told(values: npt.NDArray[np.generic]) -> tuple[float, ...]:
    return tuple(np.asarray(values, dtype=np.float64).tolist())
