"""Generated data of the drift measurements: 20 numeric and 5 categorical columns.

Normal, gamma, lognormal, uniform and bimodal numbers, categories of 3 to 20 levels;
every fourth numeric and every second categorical column drifts over ten weeks.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.drift_bare import NUMERIC, START, WEEKS

LEVELS = (3, 5, 8, 12, 20)
PORTION = 250_000


def columns(
    rng: np.random.Generator, rows: int, share: np.ndarray
) -> dict[str, np.ndarray | pa.Array]:
    """The 25 features; ``share``, shape (rows,), is how far drift has gone: 0 to 1."""
    made: dict[str, np.ndarray | pa.Array] = {}
    kinds: tuple[Callable[[], np.ndarray], ...] = (
        lambda: rng.normal(0, 1, rows),
        lambda: rng.gamma(2, 1, rows),
        lambda: rng.lognormal(0, 1, rows),
        lambda: rng.uniform(0, 1, rows),
        lambda: rng.normal(0, 1, rows) + 4 * (rng.random(rows) < 0.4),
    )
    for place in range(NUMERIC):
        values = kinds[place % len(kinds)]()
        if place % 4 == 0:
            values = values + 0.5 * share
        made[f"f{place}"] = values
    for place, levels in enumerate(LEVELS):
        weights = np.arange(levels, 0, -1, dtype=float)
        edges = np.cumsum(weights / weights.sum())
        draw = rng.random(rows)
        if place % 2 == 0:
            draw = draw ** (1 + 0.5 * share)
        codes = np.minimum(np.searchsorted(edges, draw), levels - 1).astype(np.int32)
        names = pa.array([f"v{i}" for i in range(levels)])
        made[f"f{NUMERIC + place}"] = pa.DictionaryArray.from_arrays(codes, names)
    return made


def labelled(
    rng: np.random.Generator, rows: int, share: np.ndarray
) -> dict[str, np.ndarray | pa.Array]:
    """The features with a score, a prediction and a label drawn by the score."""
    made = columns(rng, rows, share)
    score = 1 / (1 + np.exp(-np.asarray(made["f0"]) + 0.5))
    classes = pa.array(["0", "1"])

    def named(found: np.ndarray) -> pa.Array:
        return pa.DictionaryArray.from_arrays(found.astype(np.int32), classes)

    label = named(rng.random(rows) < score)
    return {**made, "s0": score, "prediction": named(score > 0.5), "label": label}


def table(rows: int, seed: int, *, drifting: bool) -> pa.Table:
    """Labelled rows with id, version and time, evenly over ten weeks."""
    rng = np.random.default_rng(seed)
    share = np.arange(rows) / rows if drifting else np.zeros(rows)
    step = np.timedelta64(WEEKS * 7 * 86_400_000_000 // rows, "us")
    times = np.datetime64(START, "us") + np.arange(rows) * step
    return pa.table(
        {
            "prediction_id": np.arange(rows).astype(str),
            "ts": pa.array(times, pa.timestamp("us")),
            "version": np.full(rows, "1"),
            **labelled(rng, rows, share),
        }
    )


def write(path: Path, rows: int, seed: int, *, drifting: bool) -> Path:
    """Write the rows as one Parquet file."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(
            table(rows, seed, drifting=drifting), path, row_group_size=PORTION
        )
    return path
