"""Expected rows of one class in many windows, and the measures made of them.

The parts of ``cbpe``: values, and how one more label of the class would change them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from services.stats.calibration import Calibration
from services.stats.cells import YES
from services.stats.intervals import Array, Counts, binned_auc


@dataclass(frozen=True, eq=False)
class Part:
    """One class's values and how one more yes label in a cell would change them.

    value: (W,) of each window; NaN where it cannot be told.
    slope: (W, S, 2) derivative of the value by the label (0 or 1) of one row, per
        [window][score bin][predicted].
    """

    value: Array
    slope: Array


@dataclass(frozen=True, eq=False)
class Expected:
    """Rows of one class with a known chance, per [window][score bin][predicted].

    rows: (W, S, 2). chance: (S, 2). scores: (S - 3,). drawn: (W, S, 2) variance of
    the yes labels of a cell. order: the cells with a chance, those that share a learnt
    one side by side; starts: (B,) where each such block begins. learnt: (B,) variance
    of the block's chance.
    """

    rows: Array
    chance: Array
    scores: Array
    drawn: Array
    order: Counts
    starts: Counts
    learnt: Array

    @property
    def yes(self) -> Array:
        """Expected rows of the class."""
        found: Array = self.rows * self.chance
        return found

    @property
    def no(self) -> Array:
        """Expected rows that are not of the class."""
        found: Array = self.rows * (1 - self.chance)
        return found

    def sampling(self, slope: Array) -> Array:
        """(W,) variance because a window's labels are drawn: n c (1 - c) slope²."""
        found: Array = (self.drawn * slope**2).sum(axis=(1, 2))
        return found

    def reference(self, slope: Array) -> Array:
        """(W,) variance because each block's chance was learnt from few rows."""
        cells = (self.rows * slope).reshape(len(slope), -1)[:, self.order]
        lean = np.add.reduceat(cells, self.starts, axis=1)
        found: Array = (lean**2 * self.learnt).sum(axis=1)
        return found


def expect(rows: Array | Counts, scores: Array, calibration: Calibration) -> Expected:
    """Rows (W, S, 2) and scores (S - 3,) of a task with its calibrated chances."""
    chance = calibration.chances()
    known = np.isfinite(chance)
    chance = np.where(known, chance, 0.0)
    found = np.where(known, rows, 0).astype(np.float64)
    block, weight = np.array(calibration.block).ravel(), np.array(calibration.weight)
    order = np.argsort(block, kind="stable")
    order = order[block[order] >= 0]
    number, starts = np.unique(block[order], return_index=True)
    size = weight[number]
    # Half a row of each kind, so that a block without an error is not certain.
    last = np.append(starts[1:], len(order)) - 1
    of_block = (chance.ravel()[order[last]] * size + 0.5) / (size + 1)
    learnt = of_block * (1 - of_block) / np.maximum(size, 1)
    drawn = found * chance * (1 - chance)
    return Expected(found, chance, scores, drawn, order, starts, learnt)


def over(tops: Array | float, bottoms: Array) -> Array:
    """``tops / bottoms``, NaN where the bottom is not above 0."""
    nothing = np.full(bottoms.shape, np.nan)
    found: Array = np.divide(tops, bottoms, out=nothing, where=bottoms > 0)
    return found


def precision(one: Expected) -> Part:
    """Expected hits over rows predicted as the class."""
    each = over(1.0, one.rows[:, :, YES].sum(axis=1))
    slope = np.zeros(one.rows.shape)
    slope[:, :, YES] = each[:, None]
    return Part(one.yes[:, :, YES].sum(axis=1) * each, slope)


def recall(one: Expected) -> Part:
    """Expected hits over expected rows of the class."""
    yes = one.yes
    hits, each = yes[:, :, YES].sum(axis=1), over(1.0, yes.sum(axis=(1, 2)))
    slope = np.repeat((-hits * each**2)[:, None, None], 2, axis=2)
    slope = np.repeat(slope, one.rows.shape[1], axis=1)
    slope[:, :, YES] += each[:, None]
    return Part(hits * each, slope)


def f1(one: Expected) -> Part:
    """Twice the expected hits over rows predicted as or expected to be of the class."""
    yes = one.yes
    hits = yes[:, :, YES].sum(axis=1)
    each = over(1.0, one.rows[:, :, YES].sum(axis=1) + yes.sum(axis=(1, 2)))
    slope = np.repeat((-2 * hits * each**2)[:, None, None], 2, axis=2)
    slope = np.repeat(slope, one.rows.shape[1], axis=1)
    slope[:, :, YES] += 2 * each[:, None]
    return Part(2 * hits * each, slope)


def auc(one: Expected) -> Part:
    """U / (P N): turning one row into a positive one changes U, P and N."""
    bins = len(one.scores)
    yes, no = one.yes[:, :bins].sum(axis=2), one.no[:, :bins].sum(axis=2)
    areas = [binned_auc(n, y) for n, y in zip(no, yes, strict=True)]
    value = np.array([np.nan if area is None else area.value for area in areas])
    p, n = yes.sum(axis=1), no.sum(axis=1)
    each = over(1.0, p * n)[:, None]
    below = np.cumsum(no, axis=1) - no / 2
    above = p[:, None] - np.cumsum(yes, axis=1) + yes / 2
    of_bin = ((below - above) - (value * (n - p))[:, None]) * each
    slope = np.zeros(one.rows.shape)
    slope[:, :bins] = of_bin[:, :, None]
    return Part(value, slope)
