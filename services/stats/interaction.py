"""Pairs of columns whose joint distribution changed more than each column did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2

from services.stats.intervals import Array, Counts

LEVELS = 5
"""Groups of a column's values: reference fifths, or its most frequent categories."""
STEPS = 30
"""Rounds of raking; the shares settle in far fewer."""
FEWEST = 1.0
"""Cells in which fewer rows of both sides together are expected are left out."""


@dataclass(frozen=True)
class PairChange:
    """How the relation of two columns changed between the reference and a window.

    p_value: of "their relation is what it was", already multiplied by the number of
        pairs looked at.
    excess: how far the statistic lies above what chance gives, in standard deviations.
    reference_correlation, window_correlation: Spearman's rank correlation; None where
        a column is categorical or does not vary.
    """

    first: str
    second: str
    p_value: float
    excess: float
    reference_correlation: float | None
    window_correlation: float | None


def changed_pairs(
    reference: Array,
    window: Array,
    names: Sequence[str],
    categorical: Sequence[bool],
    most: int = 3,
) -> tuple[PairChange, ...]:
    """The pairs whose relation changed most, largest first.

    Args:
        reference: (n, d) encoded rows; see ``encoding``.
        window: (m, d) encoded rows.
        names: of the d columns.
        categorical: per column whether it holds category codes.
        most: how many pairs to return.

    Per pair the reference's joint shares are raked (iterative proportional fitting)
    to the window's margins: p' is what the window would look like had each column
    moved alone. Pearson's statistic of the window's shares q against p',
    ``nm/(n+m) sum (q-p')²/((mq+np')/(n+m))``, is near chi-square with
    ``(a-1)(b-1)`` degrees for a and b levels. Missing is a level of its own.
    Source: W. E. Deming and F. F. Stephan, Annals of Mathematical Statistics 11
    (1940) 427.
    """
    if len(names) < 2 or len(reference) == 0 or len(window) == 0:
        return ()
    levels = _levels(reference, window, categorical)
    before, after = _joint(levels[0]), _joint(levels[1])
    statistic, degrees = _statistic(before, after, len(reference), len(window))
    excess = (statistic - degrees) / np.sqrt(2 * np.maximum(degrees, 1))
    first, second = np.triu_indices(len(names), 1)
    order = np.argsort(-excess[first, second], kind="stable")[:most]
    found = []
    for i, j in zip(first[order], second[order], strict=True):
        if degrees[i, j] == 0:
            continue
        plain = not (categorical[i] or categorical[j])
        p_value = float(chi2.sf(statistic[i, j], degrees[i, j])) * len(first)
        found.append(
            PairChange(
                names[i],
                names[j],
                min(p_value, 1.0),
                float(excess[i, j]),
                _spearman(reference[:, i], reference[:, j]) if plain else None,
                _spearman(window[:, i], window[:, j]) if plain else None,
            )
        )
    return tuple(found)


def _levels(
    reference: Array, window: Array, categorical: Sequence[bool]
) -> tuple[Counts, Counts]:
    """Level numbers 0..LEVELS of both sides, LEVELS for missing."""
    found = []
    edges = [
        _edges(reference[:, place], named) for place, named in enumerate(categorical)
    ]
    for rows in (reference, window):
        level = np.full(rows.shape, LEVELS, dtype=np.int64)
        for place, edge in enumerate(edges):
            known = np.isfinite(rows[:, place])
            level[known, place] = np.searchsorted(edge, rows[known, place], "right")
        found.append(level)
    return found[0], found[1]


def _edges(values: Array, categorical: bool) -> Array:
    if categorical:  # codes fall with the frequency: 0, 1, 2, 3, all others
        return np.arange(1, LEVELS, dtype=np.float64)
    known = values[np.isfinite(values)]
    if len(known) == 0:
        return np.empty(0)
    return np.unique(np.quantile(known, np.arange(1, LEVELS) / LEVELS))


def _joint(level: Counts) -> Array:
    """(d, d, L, L) shares of rows by the levels of two columns."""
    rows, columns = level.shape
    size = LEVELS + 1
    marks = np.zeros((rows, columns * size), dtype=np.float32)
    at = level + np.arange(columns) * size
    np.put_along_axis(marks, at, np.float32(1), axis=1)
    both = (marks.T @ marks).astype(np.float64) / rows
    joint: Array = both.reshape(columns, size, columns, size).transpose(0, 2, 1, 3)
    return joint


def _statistic(before: Array, after: Array, n: int, m: int) -> tuple[Array, Array]:
    """(d, d) Pearson's statistic and its degrees of freedom."""
    rows, columns = after.sum(axis=3), after.sum(axis=2)
    # Half a row spread over the cells lets raking reach levels new to a side.
    raked = before + 0.5 / n / before.shape[-1] ** 2
    for _ in range(STEPS):
        raked = raked * _ratio(rows, raked.sum(axis=3))[:, :, :, None]
        raked = raked * _ratio(columns, raked.sum(axis=2))[:, :, None, :]
    pooled = (m * after + n * raked) / (n + m)
    kept = pooled * (n + m) >= FEWEST
    terms = np.divide(
        (after - raked) ** 2, pooled, out=np.zeros_like(pooled), where=kept
    )
    used_rows = (rows > 0) & (before.sum(axis=3) > 0)
    used_columns = (columns > 0) & (before.sum(axis=2) > 0)
    degrees = (used_rows.sum(axis=2) - 1).clip(0) * (used_columns.sum(axis=2) - 1).clip(
        0
    )
    return terms.sum(axis=(2, 3)) * n * m / (n + m), degrees.astype(np.float64)


def _ratio(wanted: Array, found: Array) -> Array:
    return np.divide(wanted, found, out=np.zeros_like(wanted), where=found > 0)


def _spearman(first: Array, second: Array) -> float | None:
    both = np.isfinite(first) & np.isfinite(second)
    if both.sum() < 3:
        return None
    ranks = [_ranks(values[both]) for values in (first, second)]
    if min(rank.std() for rank in ranks) == 0:
        return None
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])


def _ranks(values: Array) -> Array:
    """Ranks with ties at their mean."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    middle = np.cumsum(counts) - (counts - 1) / 2
    rank: Array = middle[place]
    return rank
