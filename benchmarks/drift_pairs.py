"""File to stored day-grain histograms as a whole process, in turn with bare DuckDB."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import bootstrap
from benchmarks import drift_bare, drift_data
from benchmarks.monitoring_store import spec
from benchmarks.result import Result
from data.engine import connect
from data.inference_tables import create_shared
from services.model_spec import write_yaml
from settings import Settings

REFERENCE_ROWS, ROWS = 100_000, 1_000_000
PAIRS = 3
ROOT = Path(__file__).parents[1]
PROGRAM = str(ROOT / "benchmarks" / "cost.py")


@dataclass(frozen=True)
class Cost:
    """What a process took, its start included."""

    wall_s: float
    cpu_s: float
    peak_mib: float


def run() -> list[Result]:
    """Both programs in turn on the same files, and the import that keeps the rows."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        files = [folder / "reference.parquet", folder / "production.parquet"]
        drift_data.write(files[0], REFERENCE_ROWS, 7, drifting=False)
        drift_data.write(files[1], ROWS, 8, drifting=True)
        pairs = [_pair(folder / str(number), files) for number in range(PAIRS)]
        return [*_against(pairs), *_imported(folder, files, pairs)]


def _against(pairs: list[tuple[Cost, Cost]]) -> list[Result]:
    bare, ours = zip(*pairs, strict=True)
    wall = median(o.wall_s / b.wall_s for b, o in pairs)
    cpu = median(o.cpu_s / b.cpu_s for b, o in pairs)
    name = "file to stored day histograms"
    return [
        Result(
            "drift", f"{name}, against bare DuckDB", wall, "x", bar=1.5,
            baseline=median(b.wall_s for b in bare),
        ),
        Result(
            "drift", f"{name}, processor time", cpu, "x",
            baseline=median(b.cpu_s for b in bare),
        ),
        Result(
            "drift", f"{name}, peak memory", max(o.peak_mib for o in ours), "MiB",
            bar=450, baseline=max(b.peak_mib for b in bare),
        ),
    ]  # fmt: skip


def _pair(home: Path, files: list[Path]) -> tuple[Cost, Cost]:
    """The bare program, then ours, whose lake is there as in an installed product."""
    connection = connect(Settings(home_dir=home, demo=True), read_only=False)
    create_shared(connection)
    connection.close()
    reference, production = map(str, files)
    bare = cost([drift_bare.__file__, reference, production])
    ours = cost(["-m", "benchmarks.drift_build", reference, production, str(home)])
    return bare, ours


def _imported(
    folder: Path, files: list[Path], pairs: list[tuple[Cost, Cost]]
) -> list[Result]:
    """``cli.py import inferences``: checked, staged, rows and counts in the lake."""
    settings = Settings(home_dir=folder / "whole", demo=True)
    bootstrap.migrate(settings)
    model = folder / "model.yaml"
    model.write_text(write_yaml(spec("bench", segments=())))
    home = {"IOTSPHERE_HOME_DIR": str(settings.home_dir), "IOTSPHERE_DEMO": "true"}
    cost(["cli.py", "model", "apply", str(model)], home)
    cost(["cli.py", "reference", "set", "--model", "bench", str(files[0])], home)
    taken = cost(["cli.py", "import", "inferences", "--model", "bench", str(files[1])],
                 home)  # fmt: skip
    bare = median(b.wall_s for b, _ in pairs)
    rows = f"cli import of {ROWS:,} rows with labels"
    return [
        Result("drift", rows, taken.wall_s, "s", baseline=bare),
        Result("drift", f"{rows}, peak memory", taken.peak_mib, "MiB"),
    ]


def cost(arguments: list[str], more: dict[str, str] | None = None) -> Cost:
    """Run a Python program to its end."""
    found = subprocess.run(
        [sys.executable, PROGRAM, *arguments], cwd=ROOT, check=True,
        env={**os.environ, **(more or {})}, stdout=subprocess.PIPE,
    )  # fmt: skip
    return Cost(**json.loads(found.stdout))
