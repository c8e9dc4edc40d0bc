"""Drift views out of stored counts: any question, what it costs, what it takes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import cycle
from statistics import median
from zoneinfo import ZoneInfo

import numpy as np

from benchmarks.monitoring_store import (
    NOW,
    PLACES,
    SINCE,
    WEEKS,
    Stores,
    add_model,
    spec,
)
from benchmarks.result import Result
from data.engine import Reader, connect
from data.grids import Grid
from data.inference_lake import InferenceLake
from data.kept import Kept
from data.model_records import Model
from data.model_store import ModelStore
from data.session import open_engine
from services.access import SYSTEM
from services.drift_views import MEASURES, DriftQuery
from services.monitoring.scope import window_edges
from services.monitoring.scores import scored
from services.performance_views import PerformanceQuery

ROWS, MORE_ROWS = 1_000_000, 10_000_000
SMALL, LARGE = "drift-1m", "drift-10m"
TIMES = 36
UTC = ZoneInfo("UTC")
SEGMENTS = ("", *(f"g0={place}" for place in PLACES))


def run(stores: Stores) -> list[Result]:
    """Questions to a year of a million rows, and of ten million."""
    small = add_model(stores, SMALL, ROWS)
    results = [*_questions(stores, small), _size(stores, small)]
    add_model(stores, LARGE, MORE_ROWS)
    return [*results, *_views(stores)]


def times_ms(calls: Iterable[Callable[[], object]]) -> list[float]:
    """How long each call takes, in milliseconds."""
    taken = []
    for call in calls:
        begun = time.perf_counter()
        call()
        taken.append((time.perf_counter() - begun) * 1_000)
    return taken


def _questions(stores: Stores, model: Model) -> list[Result]:
    """Counts from the lake and their scores, another measure and segment each time."""
    reader = Reader(stores.settings)
    lake = InferenceLake(reader)
    store = ModelStore(open_engine(stores.settings.operational_url))
    record = store.reference(model.id, "1")
    assert record is not None
    grid = Grid.from_json(record.grid)
    names = tuple(f"f{i}" for i in range(len(spec("").features)))

    def ask(measure: str, segment: str, window: str) -> Callable[[], object]:
        edges = window_edges(window, SINCE, NOW)
        at = model.id, "1", grid, segment

        def answer() -> object:
            lake._kept = Kept()  # each question is a new one
            counts = lake.counts(*at, edges, "day")
            return scored(grid, references[segment], counts, names, measure)

        return answer

    references = {s: lake.reference_counts(model.id, "1", grid, s) for s in SEGMENTS}
    pairs = zip(cycle(SEGMENTS), cycle(MEASURES), range(TIMES), strict=False)
    asked = [(measure, segment) for segment, measure, _ in pairs]
    results = []
    for window, bar in (("week", 100.0), ("month", 100.0), ("day", None)):
        times_ms(ask(m, s, window) for m, s in asked[:3])
        taken = times_ms(ask(m, s, window) for m, s in asked)
        name = f"25 features x {WEEKS} weeks by {window}, any measure and segment"
        results += [
            Result("drift", f"{name}, median", median(taken), "ms", bar=bar),
            Result("drift", f"{name}, p95", float(np.quantile(taken, 0.95)), "ms",
                   bar=bar),
        ]  # fmt: skip
    reader.close()
    return results


def _size(stores: Stores, model: Model) -> Result:
    """Bytes of the files that hold the model's histograms, by week."""
    lake = connect(stores.settings, read_only=True)
    row = lake.execute(
        """SELECT sum(data_file_size_bytes) FROM ducklake_list_files('lake',
            'histograms') WHERE data_file LIKE $1""",
        [f"%model_id={model.id}/%"],
    ).fetchone()
    lake.close()
    assert row is not None
    kept = float(row[0]) / WEEKS / 1_000
    name = "a model-week of day histograms, all rows and three segments"
    return Result("drift", name, kept, "kB", bar=350)


def _views(stores: Stores) -> list[Result]:
    """The Drift and Performance services' whole answers, of few and of many rows."""
    drift, performance = stores.services.drift, stores.services.performance

    def view(name: str, number: int) -> Callable[[], object]:
        measure = list(MEASURES)[number % len(MEASURES)]
        query = replace(DriftQuery(name), measure=measure)
        return lambda: drift.view(SYSTEM, query, UTC)

    pairs = [(view(SMALL, n), view(LARGE, n)) for n in range(TIMES)]
    times_ms(call for pair in pairs[:2] for call in pair)
    taken = times_ms(call for pair in pairs for call in pair)
    few, many = taken[::2], taken[1::2]
    ratio = median(b / a for a, b in zip(few, many, strict=True))
    asked = PerformanceQuery(SMALL)
    page = times_ms([lambda: performance.view(SYSTEM, asked, UTC)] * (TIMES // 2))
    return [
        Result("drift", "whole Drift view of 52 weeks", median(few), "ms"),
        Result("drift", "Drift view, 10 M rows against 1 M (counts alone are read)",
               ratio, "x", bar=1.2, baseline=median(few)),
        Result("drift", "whole Performance view of 52 weeks", median(page[2:]), "ms"),
    ]  # fmt: skip
