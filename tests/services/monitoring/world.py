"""Monitored models on real stores: rows, labels and references by formula."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import Engine

from data.counts import Cells, cells_of
from data.engine import Reader
from data.flush import Flusher
from data.grids import Grid
from data.hot_store import HotStore
from data.inference_flush import InferenceFlusher
from data.inference_lake import InferenceLake
from data.judgement_store import JudgementStore
from data.model_records import Columns, Feature, Model, ModelSpec, ReferenceRecord
from data.model_store import ModelStore
from data.profiles import Profiler
from data.reference_grid import reference_grid
from data.session import open_engine
from services.access import Principal
from services.monitoring.scope import Scopes
from services.performance import Performance
from settings import Settings
from tests.conftest import NOW, Clock
from tests.template import make_stores

MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
"""The first of nine weeks whose last holds ``NOW``."""
WEEK = timedelta(days=7)
CHURN = ModelSpec(
    name="churn",
    kind="binary",
    features=(Feature("age", "numeric"), Feature("plan", "categorical")),
    columns=Columns(scores={"leaves": "p"}),
    classes=("stays", "leaves"),
    positive="leaves",
    segments=("region",),
)
PRICE = ModelSpec(
    name="price", kind="regression", features=(Feature("area", "numeric"),)
)


def churn_rows(rng: np.random.Generator, rows: int, flipped: float = 0.0) -> pa.Table:
    """Rows with labels: scores are right, but for a share of labels turned round.

    In the south a fifth of the labels is a coin's.
    """
    x = rng.normal(size=rows)
    score = 1 / (1 + np.exp(-2 * x))
    region = rng.choice(["north", "south"], rows)
    chance = np.where(region == "south", 0.8 * score + 0.1, score)
    leaves = rng.random(rows) < chance
    leaves ^= rng.random(rows) < flipped
    names = np.array(["stays", "leaves"])
    return pa.table(
        {
            "f0": x,
            "f1": rng.choice(["basic", "plus"], rows),
            "s0": score,
            "g0": region,
            "prediction": names[(score > 0.5).astype(int)],
            "label": names[leaves.astype(int)],
        }
    )


def price_rows(rng: np.random.Generator, rows: int, off: float = 0.0) -> pa.Table:
    """Rows with labels whose errors have a standard deviation of 10."""
    x = rng.normal(100, 20, rows)
    label = x + rng.normal(0, 10, rows)
    return pa.table({"f0": x, "prediction": x + off, "label": label})


def with_labels(table: pa.Table, known: np.ndarray) -> pa.Table:
    """The rows with the labels of the others not there yet."""
    labels = pa.array(table["label"].to_numpy(zero_copy_only=False), mask=~known)
    return table.set_column(table.schema.get_field_index("label"), "label", labels)


def profiled(
    spec: ModelSpec, grid: Grid, tables: list[pa.Table], segment: str = ""
) -> Cells:
    """The cells of one window for each table, counted in memory."""
    profiler = Profiler(spec, grid, len(tables))
    for place, table in enumerate(tables):
        profiler.add(table, np.full(table.num_rows, place))
    return cells_of(spec, grid, profiler.outcomes(), len(tables), segment)


def grid_and_reference(spec: ModelSpec, table: pa.Table) -> tuple[Grid, Cells]:
    """The bins of a reference and its cells."""
    grid = reference_grid(spec, table)
    return grid, profiled(spec, grid, [table])


@dataclass
class Changes:
    """Changes models as the service of models does, and remembers who asked."""

    store: ModelStore
    clock: Clock
    made: list[tuple[str, ModelSpec]] = field(default_factory=list)

    def __call__(self, caller: Principal, spec: ModelSpec) -> None:
        """Replace a specification."""
        model = self.store.model(spec.name)
        assert model is not None
        with self.store.transaction() as tx:
            assert self.store.replace(tx, model, spec, self.clock())
        self.made.append((caller.username, spec))


def unestimated(_model: Model, _record: ReferenceRecord) -> None:
    """No row-level estimates."""


@dataclass
class World:
    """The service on real stores."""

    settings: Settings
    engine: Engine
    clock: Clock
    store: ModelStore
    judgements: JudgementStore
    lake: InferenceLake
    performance: Performance
    changes: Changes
    ids: dict[str, int] = field(default_factory=dict)
    files: int = 0

    def add(self, spec: ModelSpec) -> int:
        """Register a model and its version."""
        with self.store.transaction() as tx:
            self.ids[spec.name] = self.store.add(tx, spec, self.clock())
            self.store.put_version(tx, self.ids[spec.name], spec.version, self.clock())
        return self.ids[spec.name]

    def refer(self, spec: ModelSpec, table: pa.Table) -> Grid:
        """Pin the reference of the champion."""
        grid, model_id = reference_grid(spec, table), self.ids[spec.name]
        path = self._write(table)
        rows, labelled = table.num_rows, table.num_rows - table["label"].null_count
        record = ReferenceRecord(
            0, model_id, spec.version, grid.id, "9f2c61d4a7b0", rows, labelled,
            "training", path, grid.to_json(), {}, self.clock(), "ada",
        )  # fmt: skip
        with self.store.transaction() as tx:
            self.store.add_reference(tx, record)
            self.store.stage(
                tx, model_id, "reference", spec.version, path, rows, self.clock()
            )
        return grid

    def send(
        self, spec: ModelSpec, start: datetime, table: pa.Table, version: str = "1"
    ) -> None:
        """Send the rows of one week, spread evenly, with the labels that are known."""
        rows = table.num_rows
        step = np.timedelta64(int(WEEK.total_seconds() * 1e6 / rows), "us")
        stamps = (
            np.datetime64(start.replace(tzinfo=None), "us") + np.arange(rows) * step
        )
        ids = [f"{start:%m%d}-{i}" for i in range(rows)]
        sent = table.drop(["label"])
        for name, values in (
            ("prediction_id", pa.array(ids)),
            ("ts", pa.array(stamps)),
            ("version", pa.array([version] * rows)),
        ):
            sent = sent.append_column(name, values)
        labels = pa.table(
            {
                "prediction_id": ids,
                "label": table["label"],
                "known_at": pa.array(stamps + np.timedelta64(1, "D")),
            }
        )
        labels = labels.filter(labels["label"].is_valid())
        with self.store.transaction() as tx:
            self.store.put_version(tx, self.ids[spec.name], version, self.clock())
            for kind, found in (("inferences", sent), ("labels", labels)):
                if found.num_rows:
                    self.store.stage(
                        tx, self.ids[spec.name], kind, version, self._write(found),
                        found.num_rows, self.clock(),
                    )  # fmt: skip

    def flush(self) -> None:
        """Move all that waits into the lake."""
        flusher = Flusher(self.settings, HotStore(self.engine))
        try:
            waiting = InferenceFlusher(
                self.settings, self.store, flusher.connection, unestimated
            )
            while waiting.pending():
                waiting.flush()
        finally:
            flusher.close()

    def _write(self, table: pa.Table) -> str:
        self.files += 1
        path = self.settings.staging_dir / f"{self.files}.parquet"
        pq.write_table(table, path)
        return str(path)


@contextmanager
def open_world(settings: Settings) -> Iterator[World]:
    """Empty stores and the service on them."""
    make_stores(settings)
    settings.staging_dir.mkdir(parents=True, exist_ok=True)
    engine, clock = open_engine(settings.operational_url), Clock(NOW)
    reader = Reader(settings)
    store, judgements = ModelStore(engine), JudgementStore(engine)
    lake = InferenceLake(reader)
    scopes = Scopes(store, settings, clock)
    changes = Changes(store, clock)
    performance = Performance(scopes, store, judgements, lake, changes)
    world = World(
        settings, engine, clock, store, judgements, lake, performance, changes
    )
    try:
        yield world
    finally:
        reader.close()
        engine.dispose()


def fill(world: World) -> None:
    """Churn over nine weeks: drift of the concept in week 6, labels late from week 7.

    The challenger predicted the weeks 4 and 5 too, and was right more often.
    """
    rng = np.random.default_rng(4)
    world.add(CHURN)
    world.refer(CHURN, churn_rows(rng, 8000))
    for week in range(9):
        table = churn_rows(rng, 700, flipped=0.3 if week == 6 else 0.0)
        known = np.ones(700, dtype=bool)
        if week >= 7:
            known = np.arange(700) < (210 if week == 7 else 0)
        start = MONDAY + week * WEEK
        world.send(CHURN, start, with_labels(table, known))
        if week in (4, 5):
            world.send(CHURN, start, better(rng, table), version="2")
    world.add(PRICE)
    world.refer(PRICE, price_rows(rng, 4000))
    for week in range(3):
        off = 8.0 if week == 2 else 0.0
        world.send(PRICE, MONDAY + week * WEEK, price_rows(rng, 500, off))
    world.flush()


def better(rng: np.random.Generator, table: pa.Table) -> pa.Table:
    """The same rows with every third prediction replaced by the label."""
    right = table["label"].to_numpy(zero_copy_only=False)
    given = table["prediction"].to_numpy(zero_copy_only=False)
    found = np.where(rng.random(table.num_rows) < 1 / 3, right, given)
    place = table.schema.get_field_index("prediction")
    return table.set_column(place, "prediction", pa.array(found))
