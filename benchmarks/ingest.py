"""Readings per second through the one door, and rows per minute of an import."""

from __future__ import annotations

import sqlite3
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from secrets import token_hex

import numpy as np
import pandas as pd

import bootstrap
from benchmarks.result import Result
from data.records import Device
from services.access import SYSTEM
from services.imports import ImportOptions
from settings import Settings

BATCH = 500
BATCHES = 60
DEVICES = 50
FILE_ROWS = 500_000


def run() -> list[Result]:
    """Measure both doors on stores of their own."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(home_dir=Path(folder) / "var", secret_key=token_hex())
        bootstrap.migrate(settings)
        services = bootstrap.build(settings)
        for number in range(DEVICES):
            device = Device(id=f"h{number}", name=f"Heater {number}")
            services.devices.register(SYSTEM, device)
        results = [
            _accept(services, Path(folder)),
            _import(services, Path(folder)),
        ]
        services.close()
    return results


def frame(rows: int, first: datetime, devices: int) -> pd.DataFrame:
    """Readings of several heaters, a minute apart, with every metric."""
    rng = np.random.default_rng(rows)
    number = np.arange(rows)
    times = pd.Timestamp(first).tz_localize(None) + pd.to_timedelta(
        number // devices, unit="min"
    )
    return pd.DataFrame(
        {
            "device_id": [f"h{n}" for n in number % devices],
            "ts": times.astype("datetime64[us]"),
            "temperature_c": np.round(55 + rng.normal(0, 2, rows), 1),
            "target_temperature_c": 55.0,
            "inlet_temperature_c": np.round(12 + rng.normal(0, 1, rows), 1),
            "outlet_temperature_c": np.round(50 + rng.normal(0, 2, rows), 1),
            "ambient_temperature_c": 20.0,
            "pressure_bar": np.round(3 + rng.normal(0, 0.1, rows), 2),
            "flow_lpm": np.where(rng.random(rows) < 0.05, 8.0, 0.0),
            "power_w": np.where(rng.random(rows) < 0.2, 3000.0, 0.0),
            "energy_kwh": np.round(number * 0.001, 3),
            "voltage_v": np.round(230 + rng.normal(0, 2, rows), 1),
            "mode": "eco",
            "heating": rng.random(rows) < 0.2,
        }
    )


def _accept(services: bootstrap.Services, folder: Path) -> Result:
    begin = datetime.now(UTC) - timedelta(days=1)
    readings = frame(BATCH * BATCHES, begin, DEVICES)
    started = time.perf_counter()
    for first in range(0, len(readings), BATCH):
        services.telemetry.accept(SYSTEM, readings.iloc[first : first + BATCH])
    rate = len(readings) / (time.perf_counter() - started)
    bare = _bare_commits(readings, folder / "bare.db")
    return Result(
        "ingest", "committed readings, batches of 500", rate, "rows/s",
        bar=5_000, baseline=bare, at_least=True,
    )  # fmt: skip


def _bare_commits(readings: pd.DataFrame, path: Path) -> float:
    """The same rows by sqlite3 alone, synced, without any check: rows/s."""
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    columns = ", ".join(readings.columns)
    connection.execute(f"CREATE TABLE r ({columns}, UNIQUE (device_id, ts))")
    rows = readings.assign(ts=readings["ts"].astype("int64")).to_numpy().tolist()
    places = ", ".join("?" * len(readings.columns))
    started = time.perf_counter()
    for first in range(0, len(rows), BATCH):
        with connection:
            connection.executemany(
                f"INSERT OR IGNORE INTO r VALUES ({places})",
                rows[first : first + BATCH],
            )
    rate = len(rows) / (time.perf_counter() - started)
    connection.close()
    return rate


def _import(services: bootstrap.Services, folder: Path) -> Result:
    begin = datetime.now(UTC) - timedelta(days=380)
    file = folder / "foreign.csv"
    readings = frame(FILE_ROWS, begin, 1).assign(device_id="imported")
    readings.to_csv(file, sep=";", decimal=",", index=False)
    started = time.perf_counter()
    plan = services.imports.plan(SYSTEM, [file], ImportOptions(tz="Europe/Berlin"))
    result = services.imports.run(
        SYSTEM, plan, folder / "rejects.csv", lambda *_told: None
    )
    minutes = (time.perf_counter() - started) / 60
    return Result(
        "ingest", "imported CSV rows, one core", result.rows_read / minutes,
        "rows/min", bar=500_000, at_least=True,
    )  # fmt: skip
