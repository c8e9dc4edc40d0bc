"""Models fed through the door and flushed, on stores that a module's tests share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sqlalchemy import Engine, create_engine, text

from data.audit_store import AuditStore
from data.counts import Cells, Counts
from data.engine import Reader
from data.flush import Flusher
from data.grids import Grid
from data.hot_store import HotStore
from data.inference_flush import InferenceFlusher
from data.inference_lake import InferenceLake
from data.judgement_store import JudgementStore
from data.model_records import Columns, Feature, Model, ModelSpec
from data.model_store import ModelStore
from data.session import open_engine
from services.access import SYSTEM
from services.audit import Audit
from services.deliveries import Receipt
from services.inferences import Inferences, ReferenceReceipt
from services.monitoring.judging import Judging
from services.monitoring.loss_estimates import LossEstimates
from services.monitoring.scope import Scopes
from settings import Settings
from tests.conftest import NOW, Clock
from tests.template import make_stores

DAY = timedelta(days=1)
MONDAY = datetime(2026, 2, 2, tzinfo=UTC)
"""Five weeks before ``NOW``."""
CHURN = ModelSpec(
    name="churn",
    kind="binary",
    features=(Feature("age", "numeric"), Feature("plan", "categorical")),
    columns=Columns(label="left", scores={"leaves": "p"}),
    classes=("stays", "leaves"),
    positive="leaves",
    segments=("region",),
)
ANIMAL = ModelSpec(
    name="animal",
    kind="multiclass",
    features=(Feature("weight", "numeric"),),
    columns=Columns(
        label="truth", scores={"cat": "p_cat", "dog": "p_dog", "hen": "p_hen"}
    ),
    classes=("cat", "dog", "hen"),
)
PRICE = ModelSpec(
    name="price",
    kind="regression",
    features=(Feature("area", "numeric"),),
    columns=Columns(label="paid"),
)


def stamps(start: datetime, rows: int, days: float = 1.0) -> pd.DatetimeIndex:
    """Times spread evenly over some days."""
    step = pd.Timedelta(days=days) / max(rows, 1)
    first = pd.Timestamp(start.replace(tzinfo=None))
    return pd.DatetimeIndex(first + step * np.arange(rows)).astype("datetime64[us]")


def churn(
    seed: int, rows: int, start: datetime = MONDAY, days: float = 1.0, **columns: Any
) -> pd.DataFrame:
    """Rows of ``CHURN`` in the sender's columns, with labels."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=rows)
    score = 1 / (1 + np.exp(-2 * x))
    names = np.array(["stays", "leaves"])
    frame = {
        "prediction_id": [f"{seed}-{i}" for i in range(rows)],
        "ts": stamps(start, rows, days),
        "prediction": names[(score > 0.5).astype(int)],
        "age": x,
        "plan": rng.choice(["basic", "plus"], rows),
        "p": score,
        "region": rng.choice(["north", "south"], rows),
        "left": names[(rng.random(rows) < score).astype(int)],
    }
    return pd.DataFrame({**frame, **columns})


def animals(seed: int, rows: int, **columns: Any) -> pd.DataFrame:
    """Rows of ``ANIMAL`` in the sender's columns, with labels."""
    rng = np.random.default_rng(seed)
    names = np.array(ANIMAL.classes)
    scores = rng.dirichlet((1, 1, 1), rows)
    frame = {
        "prediction_id": [f"{seed}-{i}" for i in range(rows)],
        "ts": stamps(MONDAY, rows),
        "prediction": names[scores.argmax(axis=1)],
        "weight": rng.gamma(2, 3, rows),
        **{f"p_{name}": scores[:, i] for i, name in enumerate(names)},
        "truth": rng.choice(names, rows),
    }
    return pd.DataFrame({**frame, **columns})


def prices(seed: int, rows: int, **columns: Any) -> pd.DataFrame:
    """Rows of ``PRICE`` in the sender's columns, with labels."""
    rng = np.random.default_rng(seed)
    area = rng.normal(100, 20, rows)
    frame = {
        "prediction_id": [f"{seed}-{i}" for i in range(rows)],
        "ts": stamps(MONDAY, rows),
        "prediction": area,
        "area": area,
        "paid": area + rng.normal(0, 10, rows),
    }
    return pd.DataFrame({**frame, **columns})


def table(frame: pd.DataFrame) -> pa.Table:
    """A frame as a sender's table."""
    return pa.Table.from_pandas(frame, preserve_index=False)


@dataclass
class Watched:
    """The door, the flusher and the judge on real stores.

    Each test registers models of its own; their names are numbered.
    """

    settings: Settings
    engine: Engine
    clock: Clock
    store: ModelStore
    judgements: JudgementStore
    lake: InferenceLake
    inferences: Inferences
    judging: Judging
    flusher: Flusher
    waiting: InferenceFlusher
    numbers: Iterator[int] = field(default_factory=count)

    def register(self, spec: ModelSpec = CHURN, **changes: Any) -> ModelSpec:
        """A model under a name of its own."""
        spec = replace(spec, name=f"{spec.name}-{next(self.numbers)}", **changes)
        with self.store.transaction() as tx:
            model_id = self.store.add(tx, spec, self.clock())
            self.store.put_version(tx, model_id, spec.version, self.clock())
        return spec

    def change(self, spec: ModelSpec, **changes: Any) -> ModelSpec:
        """Replace the specification of a model."""
        new = replace(spec, **changes)
        with self.store.transaction() as tx:
            assert self.store.replace(tx, self.model(spec), new, self.clock())
        return new

    def model(self, spec: ModelSpec) -> Model:
        """The model as registered."""
        found = self.store.model(spec.name)
        assert found is not None
        return found

    def send(self, spec: ModelSpec, frame: pd.DataFrame, **options: Any) -> Receipt:
        """Send predictions, and labels where the frame has them."""
        options = {"source": "test", **options}
        return self.inferences.accept(SYSTEM, spec.name, [table(frame)], **options)

    def label(self, spec: ModelSpec, ids: Any, labels: Any, **columns: Any) -> Receipt:
        """Send labels."""
        sent = {"prediction_id": list(ids), "label": list(labels), **columns}
        found = [table(pd.DataFrame(sent))]
        return self.inferences.accept_labels(SYSTEM, spec.name, found, source="test")

    def refer(
        self, spec: ModelSpec, frame: pd.DataFrame, version: str = ""
    ) -> ReferenceReceipt:
        """Pin a reference."""
        return self.inferences.set_reference(
            SYSTEM, spec.name, [table(frame)], version=version, source="training"
        )

    def flush(self) -> int:
        """Move all that waits into the lake; how many rows were new."""
        moved = 0
        while self.waiting.pending():
            moved += self.waiting.flush().rows
        return moved

    def grid(self, spec: ModelSpec, version: str = "1") -> Grid:
        """The bins a version is judged by."""
        record = self.store.reference(self.model(spec).id, version)
        assert record is not None
        return Grid.from_json(record.grid)

    def counts(self, spec: ModelSpec, *edges: datetime, **options: Any) -> Counts:
        """Stored histograms between edges."""
        version = options.get("version", "1")
        return self.lake.counts(
            self.model(spec).id, version, self.grid(spec, version),
            options.get("segment", ""), edges, options.get("grain", "day"),
        )  # fmt: skip

    def cells(self, spec: ModelSpec, *edges: datetime, **options: Any) -> Cells:
        """Stored performance cells between edges."""
        version = options.get("version", "1")
        return self.lake.cells(
            spec, self.model(spec).id, version, self.grid(spec, version),
            options.get("segment", ""), edges, options.get("grain", "day"),
        )  # fmt: skip

    def rows(self, spec: ModelSpec, day: datetime = MONDAY, **options: Any) -> int:
        """Counted rows of one day."""
        counts = self.counts(spec, day, day + DAY, **options)
        return int(counts.rows("prediction")[0])

    def confusion(
        self, spec: ModelSpec, day: datetime = MONDAY, **options: Any
    ) -> list[list[int]]:
        """Predicted against true of one day: the last column is unlabelled."""
        cells = self.cells(spec, day, day + DAY, **options)
        found: list[list[int]] = cells.confusion(spec)[0].tolist()
        return found

    def everything(self, spec: ModelSpec, *edges: datetime) -> dict[str, Any]:
        """All stored counts of all columns and tasks, as plain lists."""
        counts, cells = self.counts(spec, *edges), self.cells(spec, *edges)
        parts = {**counts.columns, **cells.cells}
        parts |= {f"{task} sums": sums for task, sums in cells.sums.items()}
        return {name: found.tolist() for name, found in parts.items()}


@contextmanager
def open_watched(settings: Settings) -> Iterator[Watched]:
    """Empty stores with a flusher that stays open."""
    make_stores(settings)
    settings.staging_dir.mkdir(parents=True, exist_ok=True)
    engine, clock = open_engine(settings.operational_url), Clock(NOW)
    flusher, reader = Flusher(settings, HotStore(engine)), Reader(settings)
    store, judgements = ModelStore(engine), JudgementStore(engine)
    lake, scopes = InferenceLake(reader), Scopes(store, settings, clock)
    audit = Audit(AuditStore(engine), clock)
    try:
        yield Watched(
            settings=settings,
            engine=engine,
            clock=clock,
            store=store,
            judgements=judgements,
            lake=lake,
            inferences=Inferences(store, audit, settings, clock),
            judging=Judging(scopes, store, judgements, lake, clock),
            flusher=flusher,
            waiting=InferenceFlusher(
                settings, store, flusher.connection, LossEstimates().of
            ),
        )
    finally:
        flusher.close()
        reader.close()
        engine.dispose()


def plain_settings(folder: Path) -> Settings:
    """SQLite and files in a folder."""
    return Settings(home_dir=folder / "var", secret_key="k7!" + "Zq3xW9vB" * 5)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def watched(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Watched]:
    """Stores of one module, on either database."""
    settings = plain_settings(tmp_path_factory.mktemp("watched"))
    if request.param == "postgresql":
        server = request.getfixturevalue("postgres_server")
        settings = on_postgres(settings, server)
    with open_watched(settings) as found:
        yield found


@pytest.fixture(scope="module")
def watched_postgresql(
    postgres_server: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Watched]:
    """Stores of one module on PostgreSQL."""
    settings = plain_settings(tmp_path_factory.mktemp("watched"))
    with open_watched(on_postgres(settings, postgres_server)) as found:
        yield found


@pytest.fixture(scope="module")
def watched_sqlite(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Watched]:
    """Stores of one module on SQLite, for facts that no database can change."""
    with open_watched(plain_settings(tmp_path_factory.mktemp("watched"))) as found:
        yield found


def on_postgres(settings: Settings, server: str) -> Settings:
    """The settings with an empty database of this server, for lake and tables."""
    name = f"t{uuid4().hex}"
    admin = create_engine(f"postgresql+psycopg://postgres@{server}/postgres")
    with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    admin.dispose()
    url = f"postgresql+psycopg://postgres@{server}/{name}"
    catalog = url.replace("+psycopg", "")
    return settings.model_copy(update={"database_url": url, "lake_catalog": catalog})
