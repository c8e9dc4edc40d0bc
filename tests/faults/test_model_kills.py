"""SIGKILL at random moments: no acknowledged prediction is lost or counted twice."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pytest

import bootstrap
from data.inference_lake import InferenceLake
from services.access import SYSTEM
from services.model_spec import read_document
from services.monitoring.scope import window_edges
from tests.faults.model_victim import ROWS, START, delivery
from tests.faults.victim import NOW, settings

ROOT = Path(__file__).parents[2]
KILLS = int(os.environ.get("IOTSPHERE_KILLS", "20")) // 4
CHURN = {
    "name": "churn",
    "kind": "binary",
    "features": [{"name": "age", "type": "numeric"}],
    "columns": {"label": "left"},
    "classes": ["0", "1"],
}


def promised(home: Path) -> list[int]:
    """The numbers of the deliveries that were acknowledged."""
    file = home / "acked"
    return [int(n) for n in file.read_text().split()] if file.exists() else []


def run_and_kill(home: Path, seconds: float) -> None:
    """Start the victim, let it work, and kill it without warning."""
    following = max(promised(home), default=-1) + 1
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.model_victim", str(home), str(following)],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "ready", process.stderr.read()
        time.sleep(seconds)
    finally:
        process.send_signal(signal.SIGKILL)
        _out, error = process.communicate(timeout=30)
    assert "Traceback" not in error, error


@pytest.mark.faults
@pytest.mark.timeout(3600)
def test_kills_lose_and_double_no_prediction(tmp_path: Path) -> None:
    """After many SIGKILLs every acknowledged prediction and label counts once."""
    chance = random.Random(7)
    bootstrap.migrate(settings(tmp_path))
    services = bootstrap.build(settings(tmp_path), clock=lambda: NOW)
    services.models.apply(SYSTEM, read_document(CHURN))
    reference = [delivery(number) for number in range(5)]
    services.inferences.set_reference(
        SYSTEM, "churn", [pa.concat_tables(reference)], source="test"
    )
    services.close()

    for _kill in range(KILLS):
        run_and_kill(tmp_path, chance.uniform(0.05, 1.5))

    loop = bootstrap.build_flush_loop(settings(tmp_path), clock=lambda: NOW)
    loop.drain()
    loop.close()
    services = bootstrap.build(settings(tmp_path), clock=lambda: NOW)
    scopes = services.drift._scopes
    model = services.models.get(SYSTEM, "churn")
    scope = scopes.of(model, "", "month", "", (START, NOW), NOW)
    lake: InferenceLake = services.drift._lake
    stored, _first, _last = lake.totals(model.id, "1")
    at = model.id, "1", scope.grid, "", window_edges("month", START, NOW), "day"
    counted = int(lake.counts(*at).rows("f0").sum())
    cells = lake.cells(model.spec, *at)
    labelled = int(cells.totals("binary")["labelled"].sum())
    services.close()

    # A delivery that was taken but not yet promised may be there as well.
    least = len(promised(tmp_path)) * ROWS
    assert least > 0
    assert stored % ROWS == 0
    assert least <= stored <= least + KILLS * ROWS
    assert counted == stored
    assert labelled == stored
