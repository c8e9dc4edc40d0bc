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
from benchmarks.drift_data import labelled
from data.flush import Flusher
from data.grids import Grid
from data.hot_store import HotStore
from data.inference_flush import InferenceFlusher
from data.model_records import Columns, Feature, Model, ModelSpec
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


def spec(name: str, segments: tuple[str, ...] = ("g0",)) -> ModelSpec:
    """A binary model with 25 features; its sender's columns are the canonical ones."""
    numeric = [Feature(f"f{i}", "numeric") for i in range(NUMERIC)]
    text = [Feature(f"f{NUMERIC + i}", "categorical") for i in range(CATEGORICAL)]
    return ModelSpec(
        name, "binary", (*numeric, *text),
        columns=Columns(scores={"1": "s0"}, label="label"),
        classes=("0", "1"), positive="1", segments=segments,
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
    """Labelled rows in three places; ``share`` is how far drift has gone."""
    made = labelled(rng, rows, share)
    places = rng.integers(0, len(PLACES), rows, dtype=np.int32)
    where = pa.DictionaryArray.from_arrays(places, pa.array(PLACES))
    return pa.table({**made, "g0": where})


def add_model(stores: Stores, name: str, rows: int) -> Model:
    """Register a model and store the counts of a year of its rows."""
    services, address = stores.services, stores.settings.operational_url
    model, _ = services.models.apply(SYSTEM, spec(name))
    rng = np.random.default_rng(7)
    known = table(rng, REFERENCE_ROWS, np.zeros(REFERENCE_ROWS))
    services.inferences.set_reference(SYSTEM, name, [known], source="benchmark")
    store = ModelStore(open_engine(address))
    flusher = Flusher(stores.settings, HotStore(open_engine(address)))
    connection = flusher.connection
    moving = InferenceFlusher(stores.settings, store, connection, lambda *_: None)
    while moving.pending():
        moving.flush()
    record = store.reference(model.id, model.spec.version)
    assert record is not None
    grid = Grid.from_json(record.grid)
    target = Target(model.id, model.spec, model.spec.version, record, grid)
    days = np.datetime64(SINCE.replace(tzinfo=None), "D") + np.arange(7 * WEEKS)
    starts = days.astype("datetime64[us]")
    count_batches(connection, target, "day", starts, _batches(rng, rows))
    flusher.maintain(NOW)
    flusher.close()
    return model


def _batches(rng: np.random.Generator, rows: int) -> Iterator[pa.Table]:
    """The year's rows by time: every fourth column drifts a little further."""
    step = timedelta(weeks=WEEKS) / rows
    first = np.datetime64(SINCE.replace(tzinfo=None), "us")
    for begin in range(0, rows, PORTION):
        number = np.arange(begin, min(begin + PORTION, rows))
        made = table(rng, len(number), number / rows)
        ts = first + (number * (step / timedelta(microseconds=1))).astype("m8[us]")
        yield made.append_column("ts", pa.array(ts))
