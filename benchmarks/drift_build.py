"""Our side of the same work: file to stored day-grain histograms, one process.

Run: ``python -m benchmarks.drift_build REF PROD HOME``.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import numpy as np

from benchmarks.drift_data import CATEGORICAL, NUMERIC, START, WEEKS
from data.engine import connect
from data.inference_tables import create_shared
from data.model_records import Feature, ModelSpec, ReferenceRecord
from data.recount import BATCH_ROWS, Target, count_batches
from data.reference_grid import reference_grid
from settings import Settings


def spec() -> ModelSpec:
    """The 25 features, without outcomes: what the baseline counts."""
    numeric = [Feature(f"x{i}", "numeric") for i in range(NUMERIC)]
    text = [Feature(f"c{i}", "categorical") for i in range(CATEGORICAL)]
    return ModelSpec("bench", "binary", (*numeric, *text), classes=("0", "1"))


def main(reference: str, production: str, home: str) -> None:
    """Make the grid, count every day, store the counts in the lake."""
    settings = Settings(home_dir=Path(home), demo=True)
    connection = connect(settings, read_only=False)
    create_shared(connection)
    model = spec()
    columns = [f"f{i}" for i in range(len(model.features))]
    names = ", ".join(["prediction", *columns])
    files = duckdb.connect(config={"threads": "2"})
    query = f"SELECT {names} FROM read_parquet($1)"
    grid = reference_grid(model, files.execute(query, [reference]).to_arrow_table())
    now = datetime.now(UTC)
    record = ReferenceRecord(
        1, 1, "1", grid.id, "", 0, 0, "", reference, {}, {}, now, "bench"
    )
    starts = START.astype("datetime64[D]") + np.arange(WEEKS * 7)
    query = f"SELECT ts, {names} FROM read_parquet($1)"
    batches = files.execute(query, [production]).to_arrow_reader(BATCH_ROWS)
    target = Target(1, model, "1", record, grid)
    count_batches(connection, target, "day", starts.astype("datetime64[us]"), batches)
    connection.close()


if __name__ == "__main__":
    main(*sys.argv[1:4])
