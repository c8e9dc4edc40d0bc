"""Performance cells: predictions against labels, as counts and sums that add up.

Tasks of a classification: ``all`` counts the confusion, ``class:<i>`` the score bins
of one class against being predicted and being true. Tasks of every model:
``local:<column>`` counts labelled rows and sums their loss by decile of one feature;
``delay`` counts labels by their age in days. A regression has sums in ``all``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from data.binning import Bins, as_floats
from data.grids import Grid, Ints
from data.model_records import LABEL, ModelSpec

Floats = npt.NDArray[Any]
CLASS_SUMS = ("rows", "labelled", "brier", "log_loss", "scored")
NUMBER_SUMS = (
    "rows",
    "labelled",
    "error",
    "abs_error",
    "squared_error",
    "fourth_error",
    "label",
    "label_squared",
    "estimated_abs",
    "estimated_squared",
    "estimated_rows",
    "labelled_estimated_abs",
    "labelled_estimated_squared",
    "labelled_estimated_rows",
)
"""Names of the sums of the task ``all``, in their stored order: append only."""
NOT, IS, UNLABELLED = 0, 1, 2
DELAY_BINS = 181
"""Label ages of 0 to 179 days, and more."""
SMALLEST = 1e-15
"""Probabilities are kept this far from 0 and 1 in a logarithm."""
DAY_S = 86_400.0


def sum_names(kind: str) -> tuple[str, ...]:
    """The names of the sums of the task ``all``."""
    return NUMBER_SUMS if kind == "regression" else CLASS_SUMS


def class_shape(size: int) -> tuple[int, int, int]:
    """Score bins × predicted as the class × label: not it, it, not there yet."""
    return size, 2, 3


def confusion_shape(spec: ModelSpec) -> tuple[int, int]:
    """Predicted × true; after the classes: one nobody declared, then unlabelled."""
    return len(spec.classes) + 1, len(spec.classes) + 2


class Outcomes:
    """Adds up the cells of all tasks over batches, for every split into segments."""

    def __init__(self, spec: ModelSpec, grid: Grid, buckets: int) -> None:
        self._spec = spec
        self._grid = grid
        self._buckets = buckets
        self._cells: dict[tuple[str, str], tuple[int, Ints]] = {}
        self._sums: dict[tuple[str, str], tuple[int, Floats]] = {}

    def add(
        self,
        batch: pa.Table | pa.RecordBatch,
        bins: Mapping[str, Bins],
        column: str,
        place: Ints,
        width: int,
        bucket: Ints,
    ) -> None:
        """Add a batch to the split by one segment column (empty: all rows)."""
        if self._spec.kind == "regression":
            loss = self._numbers(batch, column, place, width)
        else:
            loss = self._classes(batch, bins, column, place, width)
        if column:
            return
        self._local(bins, loss, bucket)
        if "delay_s" in batch.schema.names:
            self._delays(as_floats(batch["delay_s"]), bucket)

    def _classes(
        self,
        batch: pa.Table | pa.RecordBatch,
        bins: Mapping[str, Bins],
        column: str,
        place: Ints,
        width: int,
    ) -> Floats:
        """Count the cells of a classification; the loss of each row, NaN unlabelled."""
        count = len(self._spec.classes)
        predicted = np.minimum(bins["prediction"], count)
        labelled, true = _true(batch, bins, count)
        shape = confusion_shape(self._spec)
        true_cell = np.where(labelled, true, count + 1)
        cells = predicted * shape[1] + true_cell
        self._count("all", column, place, width, cells, shape[0] * shape[1])
        scores = self._scores(batch)
        for number, name in enumerate(self._spec.tasks):
            own = self._spec.classes.index(name)
            state = np.where(labelled, (true == own).astype(np.int64), UNLABELLED)
            found, size = self._score_bins(bins, name, len(place))
            cells = (found * 2 + (predicted == own)) * 3 + state
            self._count(f"class:{number}", column, place, width, cells, size * 6)
        rows = np.ones(len(place))
        brier, log_loss, scored = _losses(self._spec, scores, true, labelled)
        sums = (rows, labelled.astype(float), brier, log_loss, scored)
        self._sum("all", column, place, width, sums)
        return np.where(labelled, (predicted != true).astype(float), np.nan)

    def _score_bins(
        self, bins: Mapping[str, Bins], name: str, rows: int
    ) -> tuple[Bins, int]:
        scored = self._spec.scored
        if name in scored and (key := f"s{scored.index(name)}") in bins:
            return bins[key], self._grid.columns[key].size
        return np.ones(rows, dtype=np.int32), 4  # no scores: all are missing

    def _scores(self, batch: pa.Table | pa.RecordBatch) -> dict[str, Floats]:
        names = set(batch.schema.names)
        return {
            name: as_floats(batch[f"s{place}"])
            for place, name in enumerate(self._spec.scored)
            if f"s{place}" in names
        }

    def _numbers(
        self, batch: pa.Table | pa.RecordBatch, column: str, place: Ints, width: int
    ) -> Floats:
        """Sum the errors of a regression; the loss of each row, NaN unlabelled."""
        prediction = as_floats(batch["prediction"])
        names = set(batch.schema.names)
        nothing = np.full(len(place), np.nan)
        label = as_floats(batch[LABEL]) if LABEL in names else nothing
        error = prediction - label
        known = np.isfinite(error)
        e = np.where(known, error, 0.0)
        y = np.where(known, label, 0.0)
        guessed = [
            as_floats(batch[n]) if n in names else nothing
            for n in ("estimated_abs", "estimated_squared")
        ]
        guess = _guesses(guessed, np.ones(len(place), dtype=bool))
        one, k = np.ones(len(place)), known.astype(float)
        real = (one, k, e, abs(e), e**2, e**4, y, y**2)
        sums = (*real, *guess, *_guesses(guessed, known))
        self._sum("all", column, place, width, sums)
        return np.where(known, abs(e), np.nan)

    def _local(self, bins: Mapping[str, Bins], loss: Floats, bucket: Ints) -> None:
        known = np.isfinite(loss)
        if not known.any():
            return
        for name, found in bins.items():
            if not name.startswith("f"):
                continue
            coarse = self._grid.columns[name].coarse_of
            size = int(coarse[-1]) + 1
            cells = coarse[found[known]]
            task, place = f"local:{name}", bucket[known]
            self._count(task, "", place, 1, cells, size)
            flat = np.bincount(place * size + cells, loss[known], self._buckets * size)
            known_sums = self._sums.get((task, ""))
            self._sums[task, ""] = (
                1,
                flat if known_sums is None else (known_sums[1] + flat),
            )

    def _delays(self, delay_s: Floats, bucket: Ints) -> None:
        known = np.isfinite(delay_s)
        days = np.clip(delay_s[known] // DAY_S, 0, DELAY_BINS - 1).astype(np.int64)
        self._count("delay", "", bucket[known], 1, days, DELAY_BINS)

    def _count(
        self, task: str, column: str, place: Ints, width: int, cells: Ints, size: int
    ) -> None:
        length = self._buckets * width * size
        new = np.bincount(place * size + cells, minlength=length)
        if known := self._cells.get((task, column)):
            new = new + known[1]
        self._cells[task, column] = width, new

    def _sum(
        self,
        task: str,
        column: str,
        place: Ints,
        width: int,
        sums: Sequence[Floats],
    ) -> None:
        length = self._buckets * width
        new = np.stack([np.bincount(place, s, length) for s in sums], axis=1).ravel()
        if known := self._sums.get((task, column)):
            new = new + known[1]
        self._sums[task, column] = width, new

    def rows(self) -> Iterator[tuple[str, str, int, int, Ints, Ints, Floats]]:
        """Task, segment column, bucket, segment place, cells, counts, sums."""
        for task, column in sorted({*self._cells, *self._sums}):
            width = (self._cells.get((task, column)) or self._sums[task, column])[0]
            shape = (self._buckets, width, -1)
            no_cells = np.zeros((self._buckets, width, 0), dtype=np.int64)
            cells = (
                self._cells[task, column][1].reshape(shape)
                if (task, column) in self._cells
                else no_cells
            )
            sums = (
                self._sums[task, column][1].reshape(shape)
                if (task, column) in self._sums
                else no_cells.astype(float)
            )
            filled = cells.any(axis=2) | sums.any(axis=2)
            for bucket, place in np.argwhere(filled):
                row = cells[bucket, place]
                used = np.flatnonzero(row)
                found = (used, row[used], sums[bucket, place])
                yield task, column, int(bucket), int(place), *found


def _true(
    batch: pa.Table | pa.RecordBatch, bins: Mapping[str, Bins], classes: int
) -> tuple[npt.NDArray[np.bool_], Ints]:
    """Which rows are labelled, and the class of each; unlabelled ones get any."""
    if LABEL not in batch.schema.names:
        nothing = np.zeros(batch.num_rows, dtype=np.int64)
        return nothing.astype(bool), nothing
    labelled = np.asarray(batch[LABEL].is_valid())
    return labelled, np.minimum(bins[LABEL], classes).astype(np.int64)


def _guesses(
    guessed: Sequence[Floats], among: npt.NDArray[np.bool_]
) -> tuple[Floats, Floats, Floats]:
    """Estimated losses, absolute and squared, of some rows, and which have them."""
    has = among & np.isfinite(guessed[0]) & np.isfinite(guessed[1])
    absolute, squared = (np.where(has, g, 0.0) for g in guessed)
    return absolute, squared, has.astype(float)


def _losses(
    spec: ModelSpec,
    scores: Mapping[str, Floats],
    true: Ints,
    labelled: npt.NDArray[np.bool_],
) -> tuple[Floats, Floats, Floats]:
    """Brier and log loss of each row that has label and scores, 0 elsewhere.

    Brier (1950) as the mean squared error of the positive class's probability for a
    binary model, summed over the classes for others.
    """
    if not scores:
        nothing = np.zeros(len(true))
        return nothing, nothing, nothing
    valid = labelled & np.all([np.isfinite(s) for s in scores.values()], axis=0)
    brier, chosen = np.zeros(len(true)), np.zeros(len(true))
    for name, score in scores.items():
        is_class = true == spec.classes.index(name)
        given = np.where(valid, score, 0.0)
        brier += (given - is_class) ** 2
        chosen += np.where(is_class, given, 0.0)
        if spec.kind == "binary":
            chosen += np.where(is_class, 0.0, 1.0 - given)
    log_loss = -np.log(np.clip(chosen, SMALLEST, 1.0))
    keep = valid.astype(float)
    return brier * keep, log_loss * keep, keep
