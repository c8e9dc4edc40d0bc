"""What is kept of a classifier per version, window and segment: counted cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from services.stats.intervals import Array, Counts

SPECIAL_BINS = 3
"""The last bins of every task: score missing, minus infinity, plus infinity."""
NO, YES, UNLABELLED = 0, 1, 2
"""The label of a cell: not the class, the class, not labelled yet."""
NO_LABELS = "no labels yet"
NO_SCORES = "no labelled row has a score"


@dataclass(frozen=True, eq=False)
class Task:
    """One class against the rest, counted by score.

    cells: (S, 2, 3) rows by score bin (rising, then ``SPECIAL_BINS``), whether the
        class was predicted (no, yes) and its label (no, yes, not labelled yet).
        Sums of days are simple additions.
    positions: (S,) mean score of the reference in each bin; NaN in the special bins.
    """

    cells: Counts | Array
    positions: Array

    def __post_init__(self) -> None:
        """Refuse shapes that do not belong together.

        Raises:
            ValueError: ``cells`` is not (S, 2, 3) or ``positions`` is not (S,).
        """
        bins = len(self.positions)
        if bins <= SPECIAL_BINS or self.cells.shape != (bins, 2, 3):
            raise ValueError(
                f"cells {self.cells.shape} do not fit {bins} score bins: expected "
                f"({bins}, 2, 3) with more than {SPECIAL_BINS} bins"
            )

    @property
    def scored(self) -> slice:
        """The bins whose rows have a finite score."""
        return slice(0, len(self.positions) - SPECIAL_BINS)

    @property
    def negatives(self) -> Array | Counts:
        """(S - 3,) labelled rows that are not the class, by score bin."""
        rows: Array | Counts = self.cells[self.scored, :, NO].sum(axis=1)
        return rows

    @property
    def positives(self) -> Array | Counts:
        """(S - 3,) labelled rows that are the class, by score bin."""
        rows: Array | Counts = self.cells[self.scored, :, YES].sum(axis=1)
        return rows

    @property
    def rows(self) -> Array | Counts:
        """(S, 2) rows by score bin and prediction, labelled or not."""
        rows: Array | Counts = self.cells.sum(axis=2)
        return rows

    def only_labelled(self) -> Task:
        """The same task without the rows that have no label yet."""
        cells = self.cells.copy()
        cells[:, :, UNLABELLED] = 0
        return Task(cells, self.positions)

    def scores(self) -> Array:
        """(S - 3,) the score each bin stands for, holes filled from neighbours."""
        found = self.positions[self.scored]
        known = np.isfinite(found)
        if known.all() or not known.any():
            return found
        places = np.arange(len(found))
        filled: Array = np.interp(places, places[known], found[known])
        return filled


def equal_groups(rows: Array | Counts, groups: int = 10) -> Counts:
    """The group (0..groups-1) of each bin, so that groups hold about equal rows.

    Args:
        rows: (S,) rows per bin, in rising order of the score.
        groups: how many groups to form at most.

    A bin is never split, so a bin of many equal scores makes a large group.

    >>> equal_groups(np.array([5, 5, 5, 5]), 2).tolist()
    [0, 0, 1, 1]
    """
    total = float(rows.sum())
    if total <= 0:
        return np.zeros(len(rows), dtype=np.int64)
    middle = (np.cumsum(rows) - rows / 2) / total
    group: Counts = np.minimum(middle * groups, groups - 1).astype(np.int64)
    return group


def scored_rows(tasks: Sequence[Task]) -> int:
    """Labelled rows with a finite score, in the task that has most of them."""
    counts = [int(task.negatives.sum() + task.positives.sum()) for task in tasks]
    return max(counts, default=0)
