"""Drift of monitored models: building, asking, alarms, outliers, causes, pages."""

from __future__ import annotations

from statistics import fmean

import numpy as np
import pyarrow as pa

from benchmarks import causes, drift_pairs, drift_views, false_alarms, model_pages
from benchmarks.monitoring_store import opened
from benchmarks.result import Result
from data.counts import Counts, counts_of
from data.model_records import Feature, ModelSpec
from data.profiles import Profiler
from data.reference_grid import reference_grid
from services.drift_views import MEASURES
from services.monitoring.scores import scored

SEEDS = 20
ROWS = 10_000
OUTLIER = 1e6
MISSING = 0.4


def run() -> list[Result]:
    """Every promise about drift."""
    results = drift_pairs.run()
    with opened() as stores:
        results += drift_views.run(stores)
        results += model_pages.run(stores)
    return [*results, *alarms(), *robust(), *causes.run()]


def alarms() -> list[Result]:
    """False alarms and power over simulated years: means over seeds."""
    found = {}
    for shift, start in false_alarms.CASES:
        years = [false_alarms.run(seed, shift, start) for seed in range(SEEDS)]
        found[shift, start] = {k: fmean(y[k] for y in years) for k in years[0]}
    nothing, strong = found[0, 0], found[0.3, 0]
    return [
        Result("drift", "false alarms of 1,300, nothing drifts", nothing["false"], "",
               bar=10),
        Result("drift", "found of 260 at 0.2 sd", found[0.2, 0]["hits"], "", bar=245,
               at_least=True),
        Result("drift", "found of 260 at 0.3 sd", strong["hits"], "", bar=260,
               at_least=True),
        Result("drift", "false of 1,040 at 0.3 sd", strong["false"], "", bar=20),
        Result("drift", "lasting 0.1 sd found within 4 weeks, from the first week",
               100 * found[0.1, 0]["found"], "%", bar=95, at_least=True),
        Result("drift", "lasting 0.1 sd found within 4 weeks, from mid-year",
               100 * found[0.1, 26]["found"], "%", bar=95, at_least=True),
        Result("drift", "false of 1,170 around the lasting 0.1 sd",
               found[0.1, 26]["false"], "", bar=20),
    ]  # fmt: skip


def robust() -> list[Result]:
    """What one outlier changes, in any measure, and whether lost values are named."""
    rng = np.random.default_rng(0)
    reference, window = rng.normal(0, 1, ROWS), rng.normal(0.5, 1, ROWS)
    spoilt = np.r_[window, OUTLIER]
    lost = np.where(rng.random(ROWS) < MISSING, np.nan, rng.normal(0, 1, ROWS))
    changed = []
    for measure in MEASURES:
        before, _ = _score(reference, window, measure)
        after, _ = _score(reference, spoilt, measure)
        other, _ = _score(np.r_[reference, OUTLIER], window, measure)
        changed += [abs(after / before - 1), abs(other / before - 1)]
    _, state = _score(reference, lost, "psi")
    name = "change of any score by one outlier, on either side"
    return [
        Result("drift", name, 100 * max(changed), "%", bar=1),
        Result("drift", "40 % missing is called missing", float(state == "missing"),
               "", bar=1, at_least=True),
    ]  # fmt: skip


def _score(
    reference: np.ndarray, window: np.ndarray, measure: str
) -> tuple[float, str]:
    """Value and state of a column, the whole way from its rows."""
    spec = ModelSpec("one", "regression", (Feature("x", "numeric"),))
    base = _table(reference)
    grid = reference_grid(spec, base)

    def counts(table: pa.Table) -> Counts:
        profiler = Profiler(spec, grid, 1)
        profiler.add(table, np.zeros(len(table), dtype=np.int64))
        return counts_of(grid, profiler.histograms(), 1)

    found = scored(grid, counts(base), counts(_table(window)), ["f0"], measure)
    return float(found.value[0, 0]), str(found.state[0, 0])


def _table(values: np.ndarray) -> pa.Table:
    return pa.table({"f0": values, "prediction": np.zeros(len(values))})
