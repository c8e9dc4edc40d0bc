"""Rows counted into the cells that are stored of a classifier."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.stats.cells import SPECIAL_BINS, Task
from services.stats.intervals import Array, Counts


@dataclass(frozen=True, eq=False)
class Grid:
    """Score bins of one task: inner edges and the reference's mean scores."""

    edges: Array
    positions: Array

    @classmethod
    def of(cls, scores: Array, bins: int = 250) -> Grid:
        """Quantile bins of reference scores, and the three special bins."""
        edges = np.unique(np.quantile(scores, np.arange(1, bins) / bins))
        at = np.searchsorted(edges, scores, side="right")
        rows = np.bincount(at, minlength=len(edges) + 1)
        sums = np.bincount(at, weights=scores, minlength=len(edges) + 1)
        means = np.divide(sums, rows, out=np.full(len(sums), np.nan), where=rows > 0)
        return cls(edges, np.concatenate([means, np.full(SPECIAL_BINS, np.nan)]))

    def bins(self, scores: Array) -> Counts:
        """The bin of each score; missing and infinite ones have their own."""
        at = np.searchsorted(self.edges, scores, side="right")
        last = len(self.positions)
        at = np.where(np.isnan(scores), last - 3, at)
        at = np.where(scores == -np.inf, last - 2, at)
        return np.where(scores == np.inf, last - 1, at)

    def count(
        self, scores: Array, predicted: NDArray[np.bool_], labels: Counts
    ) -> Task:
        """The cells of rows; labels are 0, 1 or 2 (none yet)."""
        cells = np.zeros((len(self.positions), 2, 3), dtype=np.int64)
        np.add.at(cells, (self.bins(scores), predicted.astype(int), labels), 1)
        return Task(cells, self.positions)


def confused(predicted: Counts, labels: Counts, classes: int = 2) -> Counts:
    """(C + 1, C + 2) counts; C stands for undeclared, label C + 1 for none yet."""
    found = np.zeros((classes + 1, classes + 2), dtype=np.int64)
    np.add.at(found, (predicted, labels), 1)
    return found


def logistic(values: Array) -> Array:
    """The logistic function."""
    return 1 / (1 + np.exp(-values))
