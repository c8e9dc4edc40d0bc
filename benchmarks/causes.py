"""Verdicts on windows whose cause is known: ``python -m benchmarks.causes``.

Synthetic models of three kinds; each cause is put into windows of several sizes and
goes the whole way from raw rows to the verdict. A cause with several right names (a
benign shift is fine, or an input shift that needs no look) is listed with all.
"""

from __future__ import annotations

import sys

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.cause_rows import CAUSES, Rows, fine, spec_of, table_of
from benchmarks.result import Result
from data.counts import cells_of, counts_of
from data.model_records import KINDS, ModelSpec
from data.profiles import Profiler
from data.reference_grid import reference_grid
from services.monitoring.evidence import Inputs, gather
from services.monitoring.verdict import Verdict, verdict

REFERENCE_ROWS = 10_000
SIZES = (500, 1_000, 2_000, 5_000)
FEW = 25
BAR = 0.95


def inputs(spec: ModelSpec, reference: Rows, windows: list[Rows]) -> Inputs:
    """Profile raw rows: the reference, and each window as a bucket."""
    base = table_of(spec, reference)
    grid = reference_grid(spec, base)
    known = Profiler(spec, grid, 1)
    known.add(base, np.zeros(len(base), dtype=np.int64))
    profiler = Profiler(spec, grid, len(windows))
    for place, rows in enumerate(windows):
        table = table_of(spec, rows)
        profiler.add(table, np.full(len(table), place))
    columns = tuple(f"f{i}" for i in range(len(spec.features)))
    return Inputs(
        spec, grid,
        counts_of(grid, known.histograms(), 1),
        counts_of(grid, profiler.histograms(), len(windows)),
        cells_of(spec, grid, known.outcomes(), 1),
        cells_of(spec, grid, profiler.outcomes(), len(windows)),
        columns, {"f0": 0.4, "f1": 0.25, "f2": 0.1, "f3": 0.1, "f4": 0.02, "f5": 0.1},
    )  # fmt: skip


def verdicts(
    kind: str, seed: int, sizes: tuple[int, ...]
) -> list[tuple[str, int, Verdict]]:
    """Cause, rows and verdict of every cause at every size."""
    random = np.random.default_rng(seed)
    spec = spec_of(kind)
    cases = [
        (cause, FEW if cause == "too few rows" else size)
        for cause in CAUSES
        for size in sizes
    ]
    windows = [CAUSES[cause][0](random, kind, size) for cause, size in cases]
    found = gather(inputs(spec, fine(random, kind, REFERENCE_ROWS), windows)).evidence
    return [(c, n, verdict(e)) for (c, n), e in zip(cases, found, strict=True)]


def is_right(cause: str, found: Verdict) -> bool:
    """Whether a verdict names the cause."""
    right = CAUSES[cause][1]
    return found.kind in right or f"{found.kind} {found.severity}" in right


def run(seeds: int = 10) -> list[Result]:
    """The share of right verdicts over the whole grid."""
    found = [
        is_right(cause, v)
        for kind in KINDS
        for seed in range(seeds)
        for cause, _, v in verdicts(kind, seed, SIZES)
    ]
    share = float(np.mean(found))
    return [Result("drift", "right verdicts", share, "", bar=BAR, at_least=True)]


def main(seeds: int = 10) -> int:
    """Print the confusion of causes and verdicts; 1 where the bar is missed."""
    names: list[str] = []
    counts: dict[tuple[str, str], int] = {}
    right, total = 0, 0
    for kind in KINDS:
        for seed in range(seeds):
            for cause, _, found in verdicts(kind, seed, SIZES):
                low = found.kind == "input_shift" and found.severity == "low"
                name = "input_shift low" if low else found.kind
                counts[cause, name] = counts.get((cause, name), 0) + 1
                right += is_right(cause, found)
                total += 1
                names += [] if name in names else [name]
    table = Table("Cause", *names)
    for cause in CAUSES:
        table.add_row(cause, *(str(counts.get((cause, n), 0)) for n in names))
    console = Console(width=140)
    console.print(table)
    console.print(f"{right} of {total} right: {right / total:.1%}")
    return 0 if right / total >= BAR else 1


if __name__ == "__main__":
    sys.exit(main())
