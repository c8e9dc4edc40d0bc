"""Performance estimated without labels: how near, how honest, what it costs."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from benchmarks.cause_rows import (
    Rows,
    fine,
    inputs_of,
    labels_of,
    spec_of,
    table_of,
    told,
)
from benchmarks.census import census, folder
from benchmarks.result import Result, median_ms
from data.counts import Cells, cells_of
from data.grids import Grid
from data.model_records import KINDS, ModelSpec
from data.profiles import Profiler
from data.reference_grid import reference_grid
from services.monitoring.calibrators import learn
from services.monitoring.outcomes import series
from services.performance_views import METRICS
from services.stats.dle import LossEstimator
from services.stats.multivariate import domain_drift

REFERENCE_ROWS, WINDOW_ROWS = 10_000, 1_000
WINDOWS, SEEDS = 10, 5
SHIFT = 0.5
COLUMNS, SAMPLE = 20, 3_000
BANDED: dict[str, tuple[str, ...]] = {
    "binary": ("accuracy", "precision", "recall", "f1", "auc", "brier", "log_loss"),
    "multiclass": ("accuracy", "precision", "recall", "f1", "auc"),
    "regression": ("mae", "rmse"),
}
LEAST_IN_BAND = 97.0
"""Bands are three standard errors wide on either side; learning is not free of them."""


def run() -> list[Result]:
    """Errors on real rows, honesty of the bands, and time."""
    return [*_census(), *(_bands(kind) for kind in KINDS), *_costs()]


def _census() -> list[Result]:
    found = folder()
    if found is None:
        return []
    judged = census(found)
    errors = judged.errors()
    name = "census, 42 windows"
    return [
        Result("estimation", f"{name}: accuracy, mean error", errors["accuracy"], "",
               bar=0.0051),
        Result("estimation", f"{name}: AUC, mean error", errors["auc"], "", bar=0.0040),
        Result("estimation", f"{name}: accuracy outside its band", judged.outside(), "",
               bar=2),
        Result("estimation", f"{name}: verdicts above low", judged.alerts(), "", bar=2),
    ]  # fmt: skip


def _bands(kind: str) -> Result:
    """How often labels land in the band of an estimate when only inputs move."""
    inside = []
    for seed in range(SEEDS):
        spec, grid, reference, windows = _world(kind, seed)
        metrics = series(spec, grid, reference, windows, None, BANDED[kind]).metrics
        inside += [
            estimated.low <= real.value <= estimated.high
            for found in metrics.values()
            for real, estimated in zip(found.realised, found.estimated, strict=True)
            if real.value is not None
            and estimated.low is not None
            and estimated.high is not None
        ]
    name = f"{kind}: labels inside the estimate's band, inputs drift"
    share = 100 * float(np.mean(inside))
    return Result("estimation", name, share, "%", bar=LEAST_IN_BAND, at_least=True)


def _world(kind: str, seed: int) -> tuple[ModelSpec, Grid, Cells, Cells]:
    """A reference, and windows of which every second one is harder for the model."""
    random = np.random.default_rng(seed)
    spec = spec_of(kind)
    known = fine(random, kind, REFERENCE_ROWS)
    base = table_of(spec, known)
    grid = reference_grid(spec, base)
    learnt = _estimator(known) if kind == "regression" else None
    first, rest = Profiler(spec, grid, 1), Profiler(spec, grid, WINDOWS)
    first.add(_told(base, known, learnt), np.zeros(REFERENCE_ROWS, dtype=np.int64))
    for place in range(WINDOWS):
        rows = (_harder if place % 2 else fine)(random, kind, WINDOW_ROWS)
        table = _told(table_of(spec, rows), rows, learnt)
        rest.add(table, np.full(WINDOW_ROWS, place))
    reference = cells_of(spec, grid, first.outcomes(), 1)
    return spec, grid, reference, cells_of(spec, grid, rest.outcomes(), WINDOWS)


def _harder(random: np.random.Generator, kind: str, n: int) -> Rows:
    """Inputs that moved half a standard deviation to where the model errs more."""
    x, place = inputs_of(random, n)
    x[:, 1] -= SHIFT
    return Rows(x, place, told(x, place, kind), labels_of(random, x, place, kind))


def _frame(rows: Rows) -> pd.DataFrame:
    return pd.DataFrame(rows.x, columns=[f"f{i}" for i in range(5)]).assign(
        place=rows.place, prediction=rows.score[:, 0]
    )


def _estimator(rows: Rows) -> LossEstimator:
    return LossEstimator.fit(_frame(rows), rows.score[:, 0] - rows.label)


def _told(table: pa.Table, rows: Rows, learnt: LossEstimator | None) -> pa.Table:
    """The rows with their estimated losses, as the flusher adds them."""
    if learnt is None:
        return table
    for name, values in zip(
        ("estimated_abs", "estimated_squared"),
        learnt.estimate(_frame(rows)),
        strict=True,
    ):
        table = table.append_column(name, pa.array(values))
    return table


def _costs() -> list[Result]:
    """What an estimate takes; learning is done once for each reference."""
    spec, grid, reference, windows = _world("binary", 0)
    year = _repeated(windows)
    known = learn(spec, grid, reference)
    rows = fine(np.random.default_rng(1), "regression", 2 * REFERENCE_ROWS)
    one, other = _mixed(np.random.default_rng(2)), _mixed(np.random.default_rng(3))

    def metrics() -> object:
        return series(spec, grid, reference, year, known, METRICS["binary"])

    return [
        Result("estimation", "all metrics of 50 windows, binary",
               median_ms(metrics, 7, 1), "ms"),
        Result("estimation", "learning a calibration, 10,000 rows",
               median_ms(lambda: learn(spec, grid, reference), 7, 1), "ms"),
        Result("estimation", "learning losses of a regression, 20,000 rows",
               median_ms(lambda: _estimator(rows), 3, 1), "ms", bar=3_000),
        Result("estimation", "domain classifier, 25 columns, 3,000 rows a side",
               median_ms(lambda: domain_drift(one, other), 3, 1), "ms", bar=1_500),
    ]  # fmt: skip


def _repeated(windows: Cells) -> Cells:
    """The same windows five times over."""

    def five(parts: dict[str, npt.NDArray[np.float64]]) -> dict[str, np.ndarray]:
        return {name: np.tile(found, (5, 1)) for name, found in parts.items()}

    cells, sums = five(dict(windows.cells)), five(dict(windows.sums))
    return Cells(5 * windows.windows, cells, sums)


def _mixed(random: np.random.Generator) -> pd.DataFrame:
    """Twenty numeric and five categorical columns."""
    numbers = random.normal(size=(SAMPLE, COLUMNS))
    frame = pd.DataFrame(numbers, columns=[f"x{k}" for k in range(COLUMNS)])
    for k in range(5):
        frame[f"c{k}"] = random.choice(list("abcdefg")[: 3 + k], size=SAMPLE)
    return frame
