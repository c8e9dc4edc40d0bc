"""Our side of the same work: file to stored day-grain histograms, one process.

Run: ``python -m benchmarks.drift_build REF PROD HOME``.
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import numpy as np

from benchmarks.drift_bare import CATEGORICAL, NUMERIC, START, WEEKS
from data.engine import connect
from data.grids import Grid
from data.inference_tables import create_shared
from data.model_records import Feature, ModelSpec, ReferenceRecord
from data.recount import BATCH_ROWS, Target, count_batches, profile
from data.reference_grid import reference_grid
from settings import Settings


def spec() -> ModelSpec:
    """The 25 features, without outcomes: what the baseline counts."""
    numeric = [Feature(f"x{i}", "numeric") for i in range(NUMERIC)]
    text = [Feature(f"c{i}", "categorical") for i in range(CATEGORICAL)]
    return ModelSpec("bench", "binary", (*numeric, *text), classes=("0", "1"))


def main(reference: str, production: str, home: str) -> None:
    """Make the grid, count the reference and every day, store both in the lake."""
    files = duckdb.connect(config={"threads": "2"})
    model = spec()
    names = ", ".join(["prediction", *(f"f{i}" for i in range(len(model.features)))])
    query = f"SELECT {names} FROM read_parquet($1)"
    with ThreadPoolExecutor(1) as other:
        read = other.submit(lambda: files.execute(query, [reference]).to_arrow_table())
        connection = connect(Settings(home_dir=Path(home), demo=True), read_only=False)
        create_shared(connection)
    known = read.result()
    grid = reference_grid(model, known)
    target = Target(1, model, "1", _record(grid, reference), grid)
    profile(connection, target, known.to_reader(BATCH_ROWS))
    del known
    starts = np.datetime64(START, "D") + np.arange(WEEKS * 7)
    query = f"SELECT ts, {names} FROM read_parquet($1)"
    batches = files.execute(query, [production]).to_arrow_reader(BATCH_ROWS)
    count_batches(connection, target, "day", starts.astype("datetime64[us]"), batches)
    connection.close()


def _record(grid: Grid, path: str) -> ReferenceRecord:
    now = datetime.now(UTC)
    return ReferenceRecord(1, 1, "1", grid.id, "", 0, 0, "", path, {}, {}, now, "bench")


if __name__ == "__main__":
    main(*sys.argv[1:4])
