"""Files to import, and the importer on real stores."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from services.imports import ImportOptions, ImportPlan, ImportResult, Imports
from tests.conftest import ADMIN, Stores

START, END = datetime(2000, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)


@dataclass
class Desk:
    """Writes files into the test's folder and imports them."""

    stores: Stores
    folder: Path

    def __post_init__(self) -> None:
        self.imports = Imports(self.stores.telemetry, self.stores.clock)
        self.rejects = self.folder / "out" / "rejects.csv"
        self.heard: list[tuple[str, int, int]] = []

    def file(self, name: str, content: str | bytes, encoding: str = "utf-8") -> Path:
        """A file of the test."""
        path = self.folder / name
        raw = content if isinstance(content, bytes) else content.encode(encoding)
        path.write_bytes(raw)
        return path

    def plan(self, *paths: Path, **options: object) -> ImportPlan:
        """What would be done with the files."""
        return self.imports.plan(ADMIN, paths, ImportOptions(**options))

    def run(self, *paths: Path, **options: object) -> ImportResult:
        """Import the files."""
        plan = self.plan(*paths, **options)
        return self.imports.run(
            ADMIN, plan, self.rejects, lambda *said: self.heard.append(said)
        )

    def stored(self, device_id: str) -> pd.DataFrame:
        """All readings of a device, from the lake and what waits for it."""
        self.stores.flush()
        return self.stores.lake.readings(device_id, START, END, 1_000_000)

    def refused(self) -> list[dict[str, str]]:
        """The rows of the rejects file."""
        with self.rejects.open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))


@pytest.fixture
def desk(stores: Stores, tmp_path: Path) -> Desk:
    """An empty store and a folder for files."""
    folder = tmp_path / "files"
    folder.mkdir()
    return Desk(stores, folder)
