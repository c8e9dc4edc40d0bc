"""The metrics of one window out of its cells: realised, estimated, and the gap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from data.counts import Cells
from data.grids import Floats, Grid, Ints
from data.model_records import ModelSpec
from services.monitoring.calibrators import Calibrator, positions, tasks_at
from services.stats import cbpe, classification, dle, regression, scoring
from services.stats.cells import UNLABELLED, Task
from services.stats.estimated import Estimated, Gap, gap, unestimated
from services.stats.intervals import Measured

NO_SCORES = "the model gives no scores"
NEEDS_LABELS = "cannot be told without labels"
MOST_UNKNOWN = 0.01
"""A gap is told while at most this share of the labelled rows has no usable score:
those are in the realised value but not in the estimate."""
LEAST_COVERED = 0.9
OF_ALL_ROWS = frozenset({"accuracy", "precision", "recall", "f1"})
"""Metrics whose realised value counts rows without a score too."""


class Outcome(NamedTuple):
    """One metric in one window; the gap is that of the labelled rows alone."""

    realised: Measured
    estimated: Estimated
    gap: Gap


@dataclass(frozen=True, eq=False)
class Cut:
    """Cells by window, with what is needed to measure them; see ``cut_of``."""

    spec: ModelSpec
    cells: Cells
    calibrator: Calibrator
    places: tuple[Floats, ...]
    confusion: Ints
    totals: Mapping[str, Floats]

    def total(self, name: str) -> Ints:
        """A sum of whole rows by window, shape (windows,)."""
        return np.rint(self.totals[name]).astype(np.int64)

    def tasks(self, place: int) -> tuple[Task, ...]:
        """The tasks of a classifier in one window."""
        return tasks_at(self.cells, self.places, place)

    def sums(self, place: int) -> dict[str, float]:
        """The named sums of one window."""
        return {name: float(found[place]) for name, found in self.totals.items()}

    def realised(self, place: int, metric: str) -> Measured:
        """A metric of one window from its labels."""
        if self.spec.kind == "regression":
            return _REGRESSION[metric](self.sums(place))
        return self._class_metric(place, metric, self.tasks(place))

    def windows(self, metrics: Sequence[str]) -> list[dict[str, Outcome]]:
        """All of ``metrics`` in every window."""
        places = range(self.cells.windows)
        if self.spec.kind == "regression":
            return [{m: self._number(place, m) for m in metrics} for place in places]
        rows = [self.cells.of_class(n) for n in range(len(self.places))]
        estimated = self._estimated([found.sum(axis=3) for found in rows])
        held = estimated
        if (self.totals["labelled"] < self.totals["rows"]).any():
            # Of the labelled rows alone: late labels fake no gap.
            held = self._estimated([r[..., :UNLABELLED].sum(axis=3) for r in rows])
        return [
            {
                m: self._outcome(place, m, tasks, estimated[place], held[place])
                for m in metrics
            }
            for place in places
            for tasks in [self.tasks(place)]
        ]

    def _outcome(
        self,
        place: int,
        metric: str,
        tasks: Sequence[Task],
        estimated: Mapping[str, Estimated],
        held: Mapping[str, Estimated],
    ) -> Outcome:
        realised = self._class_metric(place, metric, tasks)
        without = estimated.get(metric) or unestimated(0, NEEDS_LABELS)
        labelled = int(self.totals["labelled"][place])
        distance = self._gap(metric, realised, held, tasks, labelled)
        return Outcome(realised, without, distance)

    def _class_metric(self, place: int, metric: str, tasks: Sequence[Task]) -> Measured:
        confusion = self.confusion[place]
        if metric == "accuracy":
            return classification.accuracy(confusion)
        if metric in _OF_A_CLASS:
            return _OF_A_CLASS[metric](confusion, self._positive())
        if metric == "auc":
            return classification.auc(tasks)
        if metric == "calibration_error":
            return scoring.calibration_error(tasks)
        return _LOSSES[metric](self.sums(place), tasks)

    def _positive(self) -> int | None:
        """The class of precision and recall; ``None``: the mean of all classes."""
        if self.spec.kind != "binary":
            return None
        return self.spec.classes.index(self.spec.tasks[0])

    def _estimated(self, rows: Sequence[Ints]) -> list[dict[str, Estimated]]:
        """The estimates of every window from rows (windows, bins, 2) of each task."""
        if not self.spec.scored:
            nothing = dict.fromkeys(cbpe.MEASURES, unestimated(0, NO_SCORES))
            return [nothing] * self.cells.windows
        known = self.calibrator
        scores = [
            Task(r[0][..., None].repeat(3, 2), p).scores()
            for r, p in zip(rows, self.places, strict=True)
        ]
        return cbpe.estimate_windows(rows, scores, known.calibrations, known.excess)

    def _gap(
        self,
        metric: str,
        realised: Measured,
        held: Mapping[str, Estimated],
        tasks: Sequence[Task],
        labelled: int,
    ) -> Gap:
        if metric not in held:
            return _no_gap(NEEDS_LABELS)
        share = self._unknown(tasks) if metric in OF_ALL_ROWS else 0.0
        if share > MOST_UNKNOWN and held[metric].value is not None:
            reason = f"{share:.0%} of the labelled rows have no usable score"
            return _no_gap(reason)
        return _distance(realised, held[metric], labelled)

    def _unknown(self, tasks: Sequence[Task]) -> float:
        """Share of the labelled rows whose score has no calibrated chance."""
        worst = 0.0
        for task, unknown in zip(tasks, self.calibrator.unknown, strict=True):
            if unknown is None:
                return 0.0
            rows = task.cells[:, :, :UNLABELLED].sum(axis=2)
            total = rows.sum()
            if total > 0:
                worst = max(worst, float(rows[unknown].sum() / total))
        return worst

    def _number(self, place: int, metric: str) -> Outcome:
        sums = self.sums(place)
        realised = _REGRESSION[metric](sums)
        if metric not in _ESTIMATED:
            return Outcome(
                realised, unestimated(0, NEEDS_LABELS), _no_gap(NEEDS_LABELS)
            )
        estimate, learnt = _ESTIMATED[metric], self.calibrator.sums
        held = _held_sums(sums)
        distance = (
            _no_gap(f"told from {LEAST_COVERED:.0%} of labels on")
            if held is None
            else _distance(realised, estimate(held, learnt), int(sums["labelled"]))
        )
        return Outcome(realised, estimate(sums, learnt), distance)


def _distance(realised: Measured, held: Estimated, labelled: int) -> Gap:
    """The gap of a window; a precision's own rows are not those it rests on."""
    return gap(replace(realised, rows=labelled), held)


def _no_gap(reason: str) -> Gap:
    return Gap(None, None, None, None, None, reason)


def _held_sums(sums: Mapping[str, float]) -> dict[str, float] | None:
    """A regression's sums with the estimates of its labelled rows alone.

    Where those were not summed apart, the estimates of all rows while nearly all have
    their label; ``None`` where they do not.
    """
    apart = {name: sums.get(f"labelled_{name}") for name in _ESTIMATES}
    if all(value is not None for value in apart.values()):
        return {**sums, **{n: v for n, v in apart.items() if v is not None}}
    covered = sums["labelled"] >= LEAST_COVERED * sums["rows"]
    return dict(sums) if covered else None


def cut_of(spec: ModelSpec, grid: Grid, cells: Cells, calibrator: Calibrator) -> Cut:
    """Cells made ready to be measured.

    Args:
        spec: the model.
        grid: the bins of its reference.
        cells: of any number of windows.
        calibrator: learnt on the same reference.
    """
    of_classes = spec.kind != "regression"
    return Cut(
        spec,
        cells,
        calibrator,
        positions(spec, grid) if of_classes else (),
        cells.confusion(spec) if of_classes else np.zeros((0, 0, 0), np.int64),
        cells.totals(spec.kind),
    )


_OF_A_CLASS = {
    "precision": classification.precision,
    "recall": classification.recall,
    "f1": classification.f1,
}
_LOSSES = {"log_loss": scoring.log_loss, "brier": scoring.brier}
_REGRESSION = {
    "mae": regression.mae,
    "rmse": regression.rmse,
    "r2": regression.r2,
    "bias": regression.bias,
}
_ESTIMATED = {"mae": dle.estimated_mae, "rmse": dle.estimated_rmse}
_ESTIMATES = ("estimated_abs", "estimated_squared", "estimated_rows")
