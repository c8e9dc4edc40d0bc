"""A monitored model on real stores: twelve weeks, of which the last four shift."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa

from benchmarks import cause_rows as causes
from data.audit_store import AuditStore
from data.engine import Reader
from data.flush import Flusher
from data.hot_store import HotStore
from data.inference_flush import InferenceFlusher
from data.inference_lake import InferenceLake
from data.judgement_store import JudgementStore
from data.model_records import ModelSpec
from data.model_store import ModelStore
from data.session import open_engine
from services.access import SYSTEM
from services.audit import Audit
from services.drift import Drift
from services.inferences import Inferences
from services.monitoring.scope import Scopes
from settings import Settings
from tests.conftest import Clock
from tests.template import make_stores

NOW = datetime(2026, 3, 30, 0, 0, tzinfo=UTC)
"""A Monday: the twelve weeks before it are whole."""
WEEKS, PER_WEEK, REFERENCE = 12, 700, 4_000
START = NOW - timedelta(weeks=WEEKS)
SPEC = replace(causes.spec_of("binary"), segments=("place",))


@dataclass
class Watched:
    """The stores and services of a model."""

    settings: Settings
    store: ModelStore
    judgements: JudgementStore
    lake: InferenceLake
    scopes: Scopes
    inferences: Inferences
    drift: Drift

    def register(self, spec: ModelSpec) -> int:
        """Register a model; its id."""
        with self.store.transaction() as tx:
            key = self.store.add(tx, spec, NOW)
            self.store.put_version(tx, key, spec.version, NOW)
        return key

    def send(self, spec: ModelSpec, rows: causes.Rows, times: list[datetime]) -> None:
        """Log predictions with their labels."""
        table = named(spec, rows)
        ids = pa.array(
            [f"{spec.name}-{t.timestamp()}-{i}" for i, t in enumerate(times)]
        )
        table = table.append_column("prediction_id", ids)
        table = table.append_column("ts", pa.array(times, pa.timestamp("us", "UTC")))
        labels = table.select(["prediction_id", "label"])
        self.inferences.accept(
            SYSTEM, spec.name, [table.drop_columns(["label"])], source="test"
        )
        self.inferences.accept_labels(SYSTEM, spec.name, [labels], source="test")

    def flush(self) -> None:
        """Move what waits into the lake."""
        hot = HotStore(open_engine(self.settings.operational_url))
        flusher = Flusher(self.settings, hot)
        try:
            moving = InferenceFlusher(
                self.settings, self.store, flusher.connection, lambda *_: None
            )
            while moving.pending():
                moving.flush()
        finally:
            flusher.close()


def named(spec: ModelSpec, rows: causes.Rows) -> pa.Table:
    """The rows in the sender's own columns."""
    table = causes.table_of(spec, rows)
    names = {f"f{i}": f.name for i, f in enumerate(spec.features)}
    names |= {f"s{i}": spec.columns.scores[c] for i, c in enumerate(spec.scored)}
    return table.rename_columns([names.get(n, n) for n in table.column_names])


def times(start: datetime, rows: int, days: float = 7) -> list[datetime]:
    """Times spread evenly over days."""
    return [start + timedelta(days=days) * (i / rows) for i in range(rows)]


@contextmanager
def opened(home: Path, now: datetime = NOW) -> Iterator[Watched]:
    """Empty stores in a folder."""
    settings = Settings(home_dir=home / "var", secret_key="k7!" + "Zq3xW9vB" * 5)
    make_stores(settings)
    engine, clock = open_engine(settings.operational_url), Clock(now)
    reader = Reader(settings)
    store, judgements = ModelStore(engine), JudgementStore(engine)
    lake, scopes = InferenceLake(reader), Scopes(store, settings, clock)
    audit = Audit(AuditStore(engine), clock)
    yield Watched(
        settings=settings,
        store=store,
        judgements=judgements,
        lake=lake,
        scopes=scopes,
        inferences=Inferences(store, audit, settings, clock),
        drift=Drift(scopes, judgements, lake, clock),
    )
    reader.close()
    engine.dispose()


def fill(watched: Watched, spec: ModelSpec = SPEC) -> None:
    """Register the model, set its reference and log the twelve weeks."""
    random = np.random.default_rng(5)
    watched.register(spec)
    known = causes.fine(random, spec.kind, REFERENCE)
    watched.inferences.set_reference(
        SYSTEM, spec.name, [named(spec, known)], source="training"
    )
    for week in range(WEEKS):
        make = causes.harmful if week >= WEEKS - 4 else causes.fine
        start = START + timedelta(weeks=week)
        watched.send(spec, make(random, spec.kind, PER_WEEK), times(start, PER_WEEK))
    watched.flush()
