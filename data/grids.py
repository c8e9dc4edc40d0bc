"""Frozen bins of a reference: what every stored histogram of a model is counted in.

A numeric column has up to 250 bins between the quantiles k/250 of the reference, with
open tails; a value that fills more than a bin has one of its own, and a column of few
distinct values has a bin for each, and one on either side of them. A categorical
column has a bin per category. Three special bins follow. Counts on one grid add up
exactly, so any window is a sum of days.

250 and not 256: the deciles of the reference are then edges of the grid.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[Any]
"""Whole numbers; 64 bits where they count, 32 where they name a bin."""

FINE_BINS = 250
COARSE_BINS = 10
SPECIAL_BINS = 3
MOST_CATEGORIES = 500
"""Categories with a bin of their own; rarer ones of the reference share ``other``."""
MOST_KNOWN = 20_000
"""Reference categories remembered, to tell a rare one from an unseen one."""
NUMERIC_SPECIALS = ("missing", "neg_inf", "pos_inf")
CATEGORY_SPECIALS = ("other", "unseen", "missing")
LARGEST = 8e307
"""Numbers of a reference beyond this are taken as this: their differences overflow."""
GRID_VERSION = 1
"""Part of every grid's id: raised when the same reference would give other bins."""


@dataclass(frozen=True)
class NumericGrid:
    """Bins of one numeric column.

    edges: inner edges, rising; a value belongs to bin ``number of edges <= value``.
    positions: the reference's mean in each bin, of an empty one its edge. sd: the
    reference's population standard deviation within 0.1 % to 99.9 %; low, high: those
    two quantiles. coarse: index of the first fine bin of each decile; of every bin
    where they are few.
    """

    edges: Floats
    positions: Floats
    mean: float
    sd: float
    low: float
    high: float
    coarse: Ints

    @property
    def bins(self) -> int:
        """Regular bins, tails included."""
        return len(self.edges) + 1

    @property
    def size(self) -> int:
        """All bins: regular ones, then missing, -inf, +inf."""
        return self.bins + SPECIAL_BINS

    @cached_property
    def coarse_of(self) -> Ints:
        """The decile of each bin; each special bin is its own, after them."""
        regular = np.searchsorted(self.coarse, np.arange(self.bins), side="right") - 1
        own = len(self.coarse) + np.arange(SPECIAL_BINS)
        return np.concatenate([regular, own]).astype(np.int64)

    def to_json(self) -> dict[str, Any]:
        """As plain lists."""
        return {
            "kind": "numeric",
            "edges": self.edges.tolist(),
            "positions": [
                p if np.isfinite(p) else None for p in self.positions.tolist()
            ],
            "mean": self.mean,
            "sd": self.sd,
            "low": self.low,
            "high": self.high,
            "coarse": self.coarse.tolist(),
        }


@dataclass(frozen=True)
class CategoryGrid:
    """Bins of one categorical column: its categories by falling share.

    known: categories of the reference without a bin of their own. full: whether
    ``known`` could not hold them all, so that unseen ones cannot be told.
    """

    categories: tuple[str, ...]
    known: frozenset[str] = frozenset()
    full: bool = False

    @property
    def bins(self) -> int:
        """Regular bins: one for each category."""
        return len(self.categories)

    @property
    def size(self) -> int:
        """All bins: categories, then other, unseen, missing."""
        return self.bins + SPECIAL_BINS

    @cached_property
    def coarse_of(self) -> Ints:
        """The 30 largest categories, the rest together, then the special bins."""
        most = min(self.bins, 30)
        rest = np.minimum(np.arange(self.bins), most)
        own = most + 1 + np.arange(SPECIAL_BINS)
        return np.concatenate([rest, own]).astype(np.int64)

    def to_json(self) -> dict[str, Any]:
        """As plain lists."""
        return {
            "kind": "categorical",
            "categories": list(self.categories),
            "known": sorted(self.known),
            "full": self.full,
        }


ColumnGrid = NumericGrid | CategoryGrid


@dataclass(frozen=True)
class Grid:
    """The bins of all columns of a reference, and its segments' values.

    columns: canonical column -> bins. segments: canonical segment column -> the
    values that are counted apart.
    """

    columns: Mapping[str, ColumnGrid]
    segments: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @cached_property
    def id(self) -> str:
        """Twelve hex digits of what the bins are."""
        text = json.dumps([GRID_VERSION, self.to_json()], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def to_json(self) -> dict[str, Any]:
        """As plain data, for the operational database."""
        return {
            "columns": {name: grid.to_json() for name, grid in self.columns.items()},
            "segments": {name: list(v) for name, v in self.segments.items()},
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Grid:
        """What ``to_json`` gave."""
        return cls(
            {name: _column(column) for name, column in stored["columns"].items()},
            {name: tuple(v) for name, v in stored["segments"].items()},
        )


def _column(stored: Mapping[str, Any]) -> ColumnGrid:
    if stored["kind"] == "categorical":
        return CategoryGrid(
            tuple(stored["categories"]), frozenset(stored["known"]), stored["full"]
        )
    return NumericGrid(
        edges=np.array(stored["edges"], dtype=np.float64),
        positions=np.array(stored["positions"], dtype=np.float64),
        mean=stored["mean"],
        sd=stored["sd"],
        low=stored["low"],
        high=stored["high"],
        coarse=np.array(stored["coarse"], dtype=np.int64),
    )


def numeric_grid(values: Floats, bins: int = FINE_BINS) -> NumericGrid:
    """The bins of a numeric column from its reference values.

    Args:
        values: shape (n,); NaN and infinities are left out. Without a finite value
            there is one bin.
        bins: how many quantile bins at most.
    """
    finite = np.sort(values[np.isfinite(values)].astype(np.float64))
    finite = np.clip(finite, -LARGEST, LARGEST)
    if not len(finite):
        nothing = np.array([])
        return NumericGrid(
            nothing, np.array([np.nan]), 0.0, 0.0, 0.0, 0.0, np.zeros(1, np.int64)
        )
    edges = _edges(finite, bins)
    place = np.searchsorted(edges, finite, side="right")
    counts = np.bincount(place, minlength=len(edges) + 1)
    # An empty bin stands at its nearer edge: only values the reference lacks lie there.
    positions = np.r_[edges[:1], edges]
    filled = counts > 0
    positions[filled] = (
        np.bincount(place, finite)[filled[: place.max() + 1]] / (counts[filled])
    )
    low, high = np.quantile(finite, (0.001, 0.999))
    inner = finite[(finite >= low) & (finite <= high)]
    mean, sd = _moments(inner if len(inner) else finite)
    coarse = np.arange(len(edges) + 1)
    if len(coarse) > 2 * COARSE_BINS:
        deciles = np.quantile(finite, np.arange(1, COARSE_BINS) / COARSE_BINS)
        coarse = np.unique(np.r_[0, np.searchsorted(edges, deciles, side="left") + 1])
    return NumericGrid(
        edges=edges,
        positions=positions,
        mean=mean,
        sd=sd,
        low=float(low),
        high=float(high),
        coarse=coarse[coarse <= len(edges)].astype(np.int64),
    )


def _moments(values: Floats) -> tuple[float, float]:
    """Mean and population standard deviation, of numbers however large."""
    with np.errstate(over="ignore", invalid="ignore"):
        mean, sd = float(values.mean()), float(values.std())
    if np.isfinite([mean, sd]).all():
        return mean, sd
    scale = np.abs(values).max()
    return float((values / scale).mean() * scale), float((values / scale).std() * scale)


def _edges(finite: Floats, bins: int) -> Floats:
    """Inner edges from sorted finite values."""
    distinct = np.unique(finite)
    if len(distinct) <= bins:
        # A bin for each value, and one on each side for what the reference lacks.
        return np.unique(np.r_[distinct, np.nextafter(distinct[-1], np.inf)])
    quantiles = np.quantile(finite, np.arange(1, bins) / bins)
    edges, times = np.unique(quantiles, return_counts=True)
    # A value that spans several quantiles is a spike: it ends where the next begins.
    spikes = edges[times > 1]
    after = np.searchsorted(distinct, spikes, side="right")
    return np.unique(np.r_[edges, distinct[after[after < len(distinct)]]])


def category_grid(
    values: pa.Array | pa.ChunkedArray, always: Sequence[str] = ()
) -> CategoryGrid:
    """The bins of a categorical column from its reference values.

    Args:
        values: text; nulls are left out.
        always: categories that have a bin even where the reference has none of them.
    """
    counted = pc.value_counts(pc.drop_null(values))
    names = counted.field("values").to_pylist()
    counts = np.asarray(counted.field("counts"))
    order = sorted(range(len(names)), key=lambda i: (-counts[i], names[i]))
    ranked = [names[i] for i in order]
    own = [*always, *(n for n in ranked if n not in set(always))][:MOST_CATEGORIES]
    rest = [n for n in ranked if n not in set(own)]
    return CategoryGrid(
        tuple(own), frozenset(rest[:MOST_KNOWN]), len(rest) > MOST_KNOWN
    )
