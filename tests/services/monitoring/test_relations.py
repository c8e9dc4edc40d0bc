"""Whether scores still mean what they meant: how often chance alone says no."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from data.counts import cells_of, counts_of
from data.grids import Grid
from data.model_records import Columns, Feature, ModelSpec
from data.profiles import Profiler
from data.reference_grid import reference_grid
from services.monitoring.calibrators import learn
from services.monitoring.relations import Relations, relations
from services.monitoring.verdict import RELIABILITY, SMALL_P

CLASSES = ("a", "b", "c")
SPEC = ModelSpec(
    name="confident",
    kind="multiclass",
    features=(Feature("x", "numeric"),),
    columns=Columns(scores={c: c for c in CLASSES}, label="label"),
    classes=CLASSES,
)
WINDOWS, ROWS, REFERENCE = 400, 300, 4_000


def rows(rng: np.random.Generator, count: int, wrong: float = 0.0) -> pa.Table:
    """Rows whose scores are true and mostly near 0 or 1.

    wrong: the share of rows whose label is drawn without the scores.
    """
    logit = 8 * rng.normal(size=(count, 3)) + [1.5, 0.0, -2.0]
    score = np.exp(logit - logit.max(axis=1, keepdims=True))
    score /= score.sum(axis=1, keepdims=True)
    label = (rng.random((count, 1)) > score.cumsum(axis=1)).sum(axis=1).clip(0, 2)
    label = np.where(rng.random(count) < wrong, rng.integers(0, 3, count), label)
    names = np.array(CLASSES)
    columns = {f"s{k}": score[:, k] for k in range(3)}
    return pa.table(
        {
            "f0": rng.normal(size=count),
            **columns,
            "prediction": names[score.argmax(axis=1)],
            "label": names[label],
        }
    )


def counted(grid: Grid, table: pa.Table, windows: int) -> Profiler:
    """The rows in windows of equal size."""
    profiler = Profiler(SPEC, grid, windows)
    each = table.num_rows // windows
    profiler.add(table, np.arange(table.num_rows) // each)
    return profiler


def related(seed: int, wrong: float = 0.0, windows: int = WINDOWS) -> Relations:
    """The relations of windows against a reference without drift."""
    rng = np.random.default_rng(seed)
    base = rows(rng, REFERENCE)
    grid = reference_grid(SPEC, base)
    known = counted(grid, base, 1)
    reference = cells_of(SPEC, grid, known.outcomes(), 1)
    now = counted(grid, rows(rng, windows * ROWS, wrong), windows)
    cells = cells_of(SPEC, grid, now.outcomes(), windows)
    counts = counts_of(grid, known.histograms(), 1)
    calibrator = learn(SPEC, grid, reference)
    return relations(SPEC, grid, reference, cells, counts, calibrator)


def test_confident_scores_are_not_called_broken_by_chance() -> None:
    """Of 2,000 windows without drift at most 4 look broken; one in 1,000 is meant."""
    found = [related(seed) for seed in range(5)]
    p = np.concatenate([one.reliability_p for one in found])
    size = np.concatenate([one.reliability for one in found])

    assert len(p) == 5 * WINDOWS
    assert np.isfinite(p).all()
    assert ((p < SMALL_P) & (size >= RELIABILITY)).sum() <= 4


def test_confident_scores_that_are_wrong_are_found() -> None:
    """A sixth of wrong labels under sure scores shows in nearly every window."""
    found = related(11, wrong=0.25, windows=50)
    broken = (found.reliability_p < SMALL_P) & (found.reliability >= RELIABILITY)

    assert broken.mean() >= 0.9
