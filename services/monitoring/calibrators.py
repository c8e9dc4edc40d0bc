"""What a labelled reference teaches about scores and errors, once per reference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from data.counts import Cells
from data.grids import SPECIAL_BINS, Floats, Grid, NumericGrid
from data.model_records import ModelSpec
from services.stats.calibration import Calibration, calibrate
from services.stats.cbpe import loss_excess
from services.stats.cells import Task

NO_SCORE_SIZE = 4
"""Score bins of a class without scores: see ``data/outcomes.py``."""


@dataclass(frozen=True, eq=False)
class Calibrator:
    """The chance of each class by score, and what bins cannot say of the losses.

    calibrations: one for each task; ``None`` where the reference has no labelled
    scores. excess: of ``cbpe.loss_excess``. sums: the reference's own.
    """

    calibrations: tuple[Calibration | None, ...]
    excess: Mapping[str, float]
    sums: Mapping[str, float]

    @cached_property
    def unknown(self) -> tuple[npt.NDArray[np.bool_] | None, ...]:
        """Per task (bins, 2): cells whose chance the reference does not tell."""
        return tuple(
            None if c is None else np.isnan(c.chances()) for c in self.calibrations
        )


def positions(spec: ModelSpec, grid: Grid) -> tuple[Floats, ...]:
    """The mean reference score of each bin, for every task: shape (bins,)."""
    return tuple(_positions(spec, grid, name) for name in spec.tasks)


def tasks_at(cells: Cells, places: tuple[Floats, ...], window: int) -> tuple[Task, ...]:
    """The tasks of one window.

    Args:
        cells: of any number of windows.
        places: what ``positions`` gave for the model's grid.
        window: which one.
    """
    return tuple(
        Task(cells.of_class(number)[window], place)
        for number, place in enumerate(places)
    )


def learn(spec: ModelSpec, grid: Grid, reference: Cells) -> Calibrator:
    """Learn from a reference (one window): of a classifier, calibrate every task.

    Classes of a multiclass model are calibrated apart for rows predicted as them: a
    score of 0.4 may or may not have won.
    """
    sums = {name: float(s[0]) for name, s in reference.totals(spec.kind).items()}
    if spec.kind == "regression":
        return Calibrator((), {}, sums)
    tasks = tasks_at(reference, positions(spec, grid), 0)
    several = spec.kind == "multiclass"
    found = tuple(calibrate(task, by_prediction=several) for task in tasks)
    return Calibrator(found, loss_excess(tasks, sums), sums)


def _positions(spec: ModelSpec, grid: Grid, name: str) -> Floats:
    special = np.full(SPECIAL_BINS, np.nan)
    key = f"s{spec.scored.index(name)}" if name in spec.scored else ""
    column = grid.columns.get(key)
    if not isinstance(column, NumericGrid):
        return np.full(NO_SCORE_SIZE, np.nan)
    return np.concatenate([column.positions, special])
