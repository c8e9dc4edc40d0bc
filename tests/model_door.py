"""The register of models and the door for its rows on real stores."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from data.inference_lake import InferenceLake
from data.judgement_store import JudgedWindow, JudgementStore, ModelFacts
from data.model_store import ModelStore
from data.session import open_engine
from services.inferences import Inferences
from services.model_files import FileOptions
from services.model_imports import ModelImport, ModelImports
from services.model_spec import read_yaml
from services.models import Models
from tests.conftest import ADMIN, Stores

MONDAY = datetime.fromisoformat("2026-03-09T00:00:00+00:00")
WEEK = timedelta(days=7)
YAML = """name: churn
kind: binary
owner: Risk team
tags: [retail]
classes: ['0', '1']
columns: {id: pid, timestamp: at, prediction: pred, label: left, scores: {'1': p}}
segments: [region]
features:
- {name: age, type: numeric}
- {name: plan, type: categorical}
"""
HEADER = "pid,at,pred,p,age,plan,region,left"


def line(number: int, **changes: object) -> str:
    """One good row of a CSV file, unless changed."""
    cells: dict[str, object] = {
        "pid": f"id-{number}", "at": f"2026-03-09T10:{number % 60:02d}:00Z", "pred": 1,
        "p": 0.7, "age": 30 + number, "plan": "basic", "region": "north", "left": 0,
    }  # fmt: skip
    return ",".join(str(value) for value in {**cells, **changes}.values())


@dataclass
class ModelDoor:
    """The services of the register, the stores under them and a folder for files."""

    stores: Stores
    engine: Engine
    store: ModelStore
    judgements: JudgementStore
    lake: InferenceLake
    models: Models
    inferences: Inferences
    imports: ModelImports
    folder: Path

    def apply(self, text: str = YAML, **changes: str) -> None:
        """Register a model, with lines of its file changed."""
        for old, new in changes.items():
            text = text.replace(f"{old}: ", f"{old}: {new} #", 1)
        self.models.apply(ADMIN, read_yaml(text))

    def judged(self, name: str, weeks: int = 3, **changes: Any) -> list[JudgedWindow]:
        """Store verdicts of the newest weeks and the facts that go with them."""
        model = self.store.model(name)
        assert model is not None
        version = changes.pop("version", model.spec.version)
        lag = changes.pop("lag", 6.0)
        end = changes.pop("end", MONDAY)
        values: dict[str, Any] = {
            "kind": "fine", "state": "fine", "severity": "none",
            "sentence": "All fine.", "harmful": [], "metric": "auc", "value": 0.83,
            "rows": 412, "coverage": 0.9, **changes,
        }  # fmt: skip
        starts = [end - WEEK * back for back in reversed(range(weeks))]
        found = [
            JudgedWindow(model.id, version, start, start + WEEK, **values)
            for start in starts
        ]
        last = starts[-1] + timedelta(days=1)
        facts = ModelFacts(model.id, version, 412 * weeks, starts[0], last, lag, 1)
        with self.store.transaction() as tx:
            self.judgements.put_windows(tx, found)
            self.judgements.put_facts(tx, facts)
        return found

    def file(self, name: str, content: str | bytes) -> Path:
        """A file with this content."""
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def run(
        self, *paths: Path, kind: str = "inferences", **options: Any
    ) -> ModelImport:
        """Import files into the model churn."""
        return self.imports.run(
            ADMIN, kind, "churn", paths, FileOptions(**options),
            rejects_path=self.folder / "rejects.csv", progress=lambda *_: None,
        )  # fmt: skip


@pytest.fixture
def door(stores: Stores, tmp_path: Path) -> Iterator[ModelDoor]:
    """The services on empty stores."""
    engine = open_engine(stores.settings.operational_url)
    store, judgements = ModelStore(engine), JudgementStore(engine)
    lake = InferenceLake(stores.reader)
    models = Models(store, judgements, lake, stores.audit, stores.clock)
    inferences = Inferences(store, stores.audit, stores.settings, stores.clock)
    folder = tmp_path / "files"
    folder.mkdir()
    yield ModelDoor(
        stores, engine, store, judgements, lake, models, inferences,
        ModelImports(models, inferences, stores.clock), folder,
    )  # fmt: skip
    engine.dispose()
