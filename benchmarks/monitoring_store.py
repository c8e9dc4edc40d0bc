"""Stores of monitored models for measurements: a year of counts without raw rows.

A view reads counts alone, so only those are stored: rows are made in portions, counted
by the code that counts what users send, and forgotten.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa

import bootstrap
from benchmarks.drift_bare import CATEGORICAL, NUMERIC
from benchmarks.drift_data import columns
from data.flush import Flusher
from data.grids import Grid
from data.hot_store import HotStore
from data.inference_flush import InferenceFlusher
from data.model_records import Columns, Feature, ModelSpec
from data.model_store import ModelStore
from data.recount import Target, count_batches
from data.session import open_engine
from services.access import SYSTEM
from services.monitoring.scope import window_start
from settings import Settings

WEEKS = 52
REFERENCE_ROWS = 100_000
PORTION = 100_000
PLACES = ("north", "south", "west")
NOW = window_start("week", datetime.now(UTC))
"""The begin of this week: the weeks before it are whole."""
SINCE = NOW - timedelta(weeks=WEEKS)


@dataclass(frozen=True)
class Stores:
    """The product's services on stores of their own."""

    settings: Settings
    services: bootstrap.Services


def spec(name: str) -> ModelSpec:
    """A binary model with 25 features and three segments."""
    numeric = [Feature(f"x{i}", "numeric") for i in range(NUMERIC)]
    text = [Feature(f"c{i}", "categorical") for i in range(CATEGORICAL)]
    return ModelSpec(
        name, "binary", (*numeric, *text),
        columns=Columns(scores={"yes": "score"}, label="label"),
        classes=("no", "yes"), positive="yes", segments=("place",),
    )  # fmt: skip


@contextmanager
def opened() -> Iterator[Stores]:
    """Empty stores that are deleted in the end."""
    with TemporaryDirectory() as folder:
        settings = Settings(home_dir=Path(folder) / "var", demo=True)
        bootstrap.migrate(settings)
        services = bootstrap.build(settings, lambda: NOW)
        yield Stores(settings, services)
        services.close()


def table(rng: np.random.Generator, rows: int, share: np.ndarray) -> pa.Table:
    """Labelled rows in canonical columns; ``share`` is how far drift has gone."""
    made = columns(rng, rows, share)
    score = 1 / (1 + np.exp(-np.asarray(made["f0"]) + 0.5))
    classes = pa.array(["no", "yes"])
    return pa.table(
        {
            **made,
            "prediction": pa.DictionaryArray.from_arrays(_yes(score > 0.5), classes),
            "s0": score,
            "label": pa.DictionaryArray.from_arrays(
                _yes(rng.random(rows) < score), classes
            ),
            "g0": pa.DictionaryArray.from_arrays(
                rng.integers(0, len(PLACES), rows, dtype=np.int32), pa.array(PLACES)
            ),
        }
    )


def _yes(found: np.ndarray) -> pa.Array:
    return pa.array(found.astype(np.int32))


def add_model(stores: Stores, name: str, rows: int) -> int:
    """Register a model and store the counts of a year of its rows; its id."""
    model, _ = stores.services.models.apply(SYSTEM, spec(name))
    rng = np.random.default_rng(7)
    known = table(rng, REFERENCE_ROWS, np.zeros(REFERENCE_ROWS))
    stores.services.inferences.set_reference(
        SYSTEM, name, [_named(known)], source="benchmark"
    )
    store = ModelStore(open_engine(stores.settings.operational_url))
    flusher = Flusher(
        stores.settings, HotStore(open_engine(stores.settings.operational_url))
    )
    moving = InferenceFlusher(
        stores.settings, store, flusher.connection, lambda *_: None
    )
    while moving.pending():
        moving.flush()
    record = store.reference(model.id, model.spec.version)
    assert record is not None
    target = Target(
        model.id, model.spec, model.spec.version, record, Grid.from_json(record.grid)
    )
    days = np.datetime64(SINCE.replace(tzinfo=None), "D") + np.arange(7 * WEEKS)
    starts = days.astype("datetime64[us]")
    count_batches(flusher.connection, target, "day", starts, _batches(rng, rows))
    flusher.maintain(NOW)
    flusher.close()
    return model.id


def _named(canonical: pa.Table) -> pa.Table:
    """The rows in the sender's own columns."""
    own = {f"f{i}": f"x{i}" for i in range(NUMERIC)}
    own |= {f"f{NUMERIC + i}": f"c{i}" for i in range(CATEGORICAL)}
    own |= {"s0": "score", "g0": "place"}
    return canonical.rename_columns([own.get(n, n) for n in canonical.column_names])


def _batches(rng: np.random.Generator, rows: int) -> Iterator[pa.Table]:
    """The year's rows by time: every fourth column drifts a little further."""
    step = timedelta(weeks=WEEKS) / rows
    first = np.datetime64(SINCE.replace(tzinfo=None), "us")
    for begin in range(0, rows, PORTION):
        number = np.arange(begin, min(begin + PORTION, rows))
        made = table(rng, len(number), number / rows)
        ts = first + (number * (step / timedelta(microseconds=1))).astype("m8[us]")
        yield made.append_column("ts", pa.array(ts))
