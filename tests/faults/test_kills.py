"""SIGKILL at random moments: nothing acknowledged is lost, nothing is doubled."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

import bootstrap
from data.records import Device
from services.access import SYSTEM
from tests.faults.victim import NOW, batch, settings

ROOT = Path(__file__).parents[2]
KILLS = int(os.environ.get("IOTSPHERE_KILLS", "20"))
DEVICES = ("one", "two")


def acknowledged(home: Path, device_id: str) -> list[int]:
    """The numbers of the batches that were acknowledged."""
    file = home / f"{device_id}.acked"
    whole = file.read_text().splitlines() if file.exists() else []
    return [int(line) for line in whole]


def run_and_kill(home: Path, seconds: float) -> None:
    """Start the victim, let it work, and kill it without warning."""
    following = [str(max(acknowledged(home, d), default=-1) + 1) for d in DEVICES]
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.victim", str(home), *following],
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


def expected(device_id: str, numbers: list[int]) -> pd.DatetimeIndex:
    """The times of every reading of these batches."""
    parts = [
        pd.date_range(start.replace(tzinfo=None), periods=rows, freq="min")
        for start, rows in (batch(device_id, number) for number in numbers)
    ]
    return parts[0].append(parts[1:]).unique()


def check(home: Path) -> dict[str, int]:
    """Restart, and compare what is stored with what was promised; batches by device.

    Bulk files are shown once they are in the lake, so the flusher goes first.
    """
    loop = bootstrap.build_flush_loop(settings(home), clock=lambda: NOW)
    loop.drain()
    loop.close()
    services = bootstrap.build(settings(home), clock=lambda: NOW)
    begin = datetime(2026, 1, 1, tzinfo=NOW.tzinfo)
    counts = {}
    for device_id in DEVICES:
        numbers = acknowledged(home, device_id)
        counts[device_id] = len(numbers)
        device = services.devices.get(SYSTEM, device_id)
        lake = services.metrics._lake
        stored = lake.readings(device_id, begin, NOW, 10**8)["ts"]
        assert stored.is_unique, "a reading is stored twice"
        missing = expected(device_id, numbers).difference(pd.DatetimeIndex(stored))
        assert len(missing) == 0, f"{len(missing)} acknowledged readings are lost"
        folded = services.metrics.series([device], begin, NOW, 86_400, ("power_w",))
        assert int(folded["n"].sum()) == len(stored), "roll-ups differ from readings"
        assert int(folded["power_w_n"].sum()) == len(stored)
    services.close()
    return counts


@pytest.mark.faults
@pytest.mark.timeout(3600)
def test_kills_during_ingest_and_flush_lose_and_double_nothing(tmp_path: Path) -> None:
    """After each of many SIGKILLs every acknowledged reading is there exactly once."""
    chance = random.Random(20)
    bootstrap.migrate(settings(tmp_path))
    services = bootstrap.build(
        settings(tmp_path), clock=lambda: NOW - timedelta(days=9)
    )
    for device_id in DEVICES:
        services.devices.register(SYSTEM, Device(id=device_id, name=device_id))
    services.close()

    for kill in range(KILLS):
        run_and_kill(tmp_path, chance.uniform(0.02, 1.2))
        if kill % 10 == 9:
            check(tmp_path)

    counts = check(tmp_path)
    assert all(number > 0 for number in counts.values())
    print(f"{KILLS} kills, acknowledged batches: {counts}")
