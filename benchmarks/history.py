"""A heater's past out of ten million readings: query, figure, drawn charts."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import cycle
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import numpy as np
import orjson
import pandas as pd
from selenium import webdriver

import bootstrap
from benchmarks import browser
from benchmarks.result import Result, median_ms
from dashboards.figures.history_chart import figure
from data.engine import connect
from data.flush import Flusher
from data.hot_store import HotStore
from data.records import Band, Device
from data.session import open_engine
from services.access import SYSTEM
from services.metrics import gap_s
from services.units import Preferences
from settings import Settings

DEVICES, DAYS, INTERVAL_S = 240, 30, 60
AT_ONCE = 20
ZONE = ZoneInfo("UTC")
PRESETS = ("now-24h", "now-7d", "now-14d", "now-30d")
BARE = """
    SELECT time_bucket(INTERVAL '1 hour', ts) AS bucket, count(*),
           min(temperature_c), avg(temperature_c), max(temperature_c),
           arg_max(target_temperature_c, ts), min(pressure_bar), avg(pressure_bar),
           max(pressure_bar), avg(flow_lpm), max(flow_lpm), max(energy_kwh)
    FROM read_parquet($files) WHERE device_id = $device AND ts >= $start AND ts < $end
    GROUP BY bucket ORDER BY bucket"""
SWITCH = """
const done = arguments[arguments.length - 1];
const started = performance.now();
document.querySelector(".tab-link[href*='/history']").click();
const look = () => document.querySelectorAll("#history-chart .subplot.xy4 path").length
  ? requestAnimationFrame(() => done(performance.now() - started))
  : requestAnimationFrame(look);
look();
"""


def run() -> list[Result]:
    """Build a lake of ten million readings and ask it about single heaters."""
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(home_dir=Path(folder) / "var", demo=True)
        bootstrap.migrate(settings)
        services = bootstrap.build(settings, lambda: now)
        fill(settings, services, now)
        results = [*_queries(settings, services, now), *_sizes(services)]
        results += _switches(settings, services)
        services.close()
    return results


def fill(settings: Settings, services: bootstrap.Services, now: datetime) -> None:
    """Put the readings of every heater through the door and into the lake."""
    bands = {"temperature_c": Band(10, 90, 50, 65, 40, 75)}
    for number in range(DEVICES):
        device = Device(id=_id(number), name=f"Heater {number:03d}", bands=bands)
        services.devices.register(SYSTEM, device)
    gaps = {_id(number): gap_s(INTERVAL_S) for number in range(DEVICES)}
    flusher = Flusher(settings, HotStore(open_engine(settings.operational_url)))
    for first in range(0, DEVICES, AT_ONCE):
        frames = [_readings(n, now) for n in range(first, first + AT_ONCE)]
        services.telemetry.accept_bulk(SYSTEM, pd.concat(frames, ignore_index=True))
        while flusher.pending().files:
            flusher.flush(now, gaps)
    flusher.maintain(now)
    flusher.close()


def _id(number: int) -> str:
    return f"wh-{number:03d}"


def _readings(number: int, now: datetime) -> pd.DataFrame:
    rng = np.random.default_rng(number)
    rows = DAYS * 86_400 // INTERVAL_S
    k = np.arange(rows)
    heating = (k + 7 * number) % 90 < 25
    first = pd.Timestamp(now).tz_localize(None) - pd.Timedelta(days=DAYS)
    times = first + pd.to_timedelta(k * INTERVAL_S, unit="s")
    return pd.DataFrame(
        {
            "device_id": _id(number),
            "ts": times.astype("datetime64[us]"),
            "temperature_c": np.round(
                55 + 3 * np.sin(k / 14) + rng.normal(0, 0.2, rows), 2
            ),
            "target_temperature_c": 57.0,
            "pressure_bar": np.round(
                3.2 + 0.2 * np.sin(k / 300) + rng.normal(0, 0.02, rows), 3
            ),
            "flow_lpm": np.where(
                rng.random(rows) < 0.03, np.round(rng.uniform(3, 10, rows), 2), 0.0
            ),
            "power_w": np.where(heating, 3000.0, 0.0),
            "energy_kwh": np.round(np.cumsum(heating) * 0.05, 3),
            "heating": heating,
            "mode": "eco",
        }
    )


def _queries(
    settings: Settings, services: bootstrap.Services, now: datetime
) -> list[Result]:
    devices = cycle(_id(number) for number in range(0, DEVICES, 7))

    def view(start: str) -> Callable[[], object]:
        return lambda: services.history.view(SYSTEM, next(devices), start, "now", ZONE)

    bare = _bare_ms(settings, now)
    found = [
        Result(
            "history", f"view of {start[4:]}, one heater", median_ms(view(start)), "ms"
        )
        for start in PRESETS[:-1]
    ]
    month = median_ms(view(PRESETS[-1]), times=25)
    found.append(
        Result("history", "view of 30d, one heater", month, "ms", bar=60, baseline=bare)
    )
    ratio = month / bare
    found.append(Result("history", "30d against bare DuckDB", ratio, "x", bar=1.5))
    return found


def _bare_ms(settings: Settings, now: datetime) -> float:
    """The engine alone over the same readings' files, same buckets: ms."""
    lake = connect(settings, read_only=True)
    listed = lake.execute("FROM ducklake_list_files('lake', 'telemetry')").fetchall()
    files = [row[0] for row in listed]
    lake.close()
    engine = duckdb.connect(config={"threads": str(settings.engine_threads)})
    devices = cycle(_id(number) for number in range(0, DEVICES, 7))
    end = now.replace(tzinfo=None)

    def ask() -> object:
        values = {
            "files": files,
            "device": next(devices),
            "start": end - timedelta(days=DAYS),
            "end": end,
        }
        return engine.execute(BARE, values).df()

    taken = median_ms(ask, times=25)
    engine.close()
    return taken


def _sizes(services: bootstrap.Services) -> list[Result]:
    found = []
    for name, zone in (("UTC", "UTC"), ("local time", "Europe/Berlin")):
        prefs = Preferences(time_zone=zone)
        view = services.history.view(
            SYSTEM, _id(3), "now-30d", "now", prefs.zone, compare=True
        )
        size = len(orjson.dumps(figure(view, prefs))) / 1_000
        title = f"figure of 30d as JSON, {name}"
        found.append(Result("history", title, size, "kB", bar=60))
    return found


def _switches(settings: Settings, services: bootstrap.Services) -> list[Result]:
    """From the click on the tab to the frame with the last chart, in Chromium."""
    if not browser.installed():
        return []
    with browser.opened(settings, services) as (driver, address):
        taken = [_switch_ms(driver, address, number) for number in range(9)]
    # The first one loads the chart library's modules; the others are the switch.
    return [
        Result(
            "history",
            "tab switch to drawn charts of 30d",
            float(np.median(taken[1:])),
            "ms",
            bar=600,
        )
    ]


def _switch_ms(driver: webdriver.Chrome, address: str, number: int) -> float:
    path = f"/heaters/{_id(number)}/operations?from=now-30d&to=now"
    driver.get(address + path)
    browser.appeared(driver, "#operations-body .panel")
    browser.appeared(driver, ".tab-link[href*='/history']")
    return float(driver.execute_async_script(SWITCH))
