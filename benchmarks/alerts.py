"""What a minute of alert rules costs: 200 rules, 1,000 heaters, 50 models."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any

import numpy as np
import pandas as pd

import bootstrap
from benchmarks.result import Result
from data.judgement_store import JudgedWindow, JudgementStore, ModelFacts
from data.model_records import Feature, ModelSpec
from data.model_store import ModelStore
from data.records import Band, Device
from data.session import open_engine
from services.access import SYSTEM
from services.alert_metrics import ALERT_METRICS, READING
from services.alert_rule_reading import read_rule
from settings import Settings

DEVICES, MODELS, RULES = 1_000, 50, 200
MINUTES = 20
BAR_MS = 1_000.0
REPLAYED, DAYS, REPLAY_BAR_S = 60, 90, 2.0
HOUR = 60.0
"""Minutes in which a value forgets what it was."""
WANDERING = {
    "temperature_c": (55.0, 5.0),
    "outlet_temperature_c": (52.0, 6.0),
    "inlet_temperature_c": (12.0, 2.0),
    "pressure_bar": (4.0, 0.6),
    "flow_lpm": (0.0, 4.0),
    "power_w": (900.0, 900.0),
    "voltage_v": (230.0, 4.0),
}
"""Mean and spread over the fleet."""
START = datetime(2026, 5, 1, tzinfo=UTC)


def run() -> list[Result]:
    """Live some minutes, each with a reading of every heater, and look at its end."""
    with tempfile.TemporaryDirectory(prefix="iotsphere-alerts-") as folder:
        now = [START]
        settings = Settings(home_dir=Path(folder), secret_key="k7!" + "Zq3xW9vB" * 5)
        bootstrap.migrate(settings)
        services = bootstrap.build(settings, clock=lambda: now[0])
        loop = bootstrap.build_flush_loop(settings, clock=lambda: now[0])
        _make(settings, services, now[0])
        fleet, took, used, turned = Fleet(), [], [], []
        for number in range(MINUTES):
            now[0] += timedelta(minutes=1)
            services.telemetry.accept_bulk(SYSTEM, fleet.minute(now[0]))
            loop.step()
            started, before = perf_counter(), process_time()
            count = services.evaluation.step(now[0])
            if number:
                took.append((perf_counter() - started) * 1_000)
                used.append((process_time() - before) * 1_000)
                turned.append(count)
        idle = _idle(services, now)
        loop.close()
        services.close()
    replayed = _replayed()
    return [
        Result("alerts", "a minute of 200 rules, median", median(took), "ms", BAR_MS),
        Result("alerts", "a minute of 200 rules, worst", max(took), "ms", BAR_MS),
        Result("alerts", "of the median, processor time", median(used), "ms"),
        Result("alerts", "alerts that turned in a minute", median(turned), ""),
        Result("alerts", "a look between, nothing new", idle, "ms"),
        Result("alerts", "replay, 60 heaters × 90 days", replayed, "s", REPLAY_BAR_S),
    ]


def _replayed() -> float:
    """Seconds of the slowest of some rules, replayed over a fleet's past."""
    with tempfile.TemporaryDirectory(prefix="iotsphere-alerts-") as folder:
        settings = Settings(home_dir=Path(folder), secret_key="k7!" + "Zq3xW9vB" * 5)
        bootstrap.migrate(settings)
        services = bootstrap.build(settings, clock=lambda: START)
        loop = bootstrap.build_flush_loop(settings, clock=lambda: START)
        chance, size = np.random.default_rng(2), DAYS * 96
        first = (START - timedelta(days=DAYS)).replace(tzinfo=None)
        stamps = pd.date_range(first, periods=size, freq="15min").astype(
            "datetime64[us]"
        )
        for i in range(REPLAYED):
            device = Device(
                id=f"wh-{i}", name=f"Heater {i}", reporting_interval_s=900,
                bands={"temperature_c": Band(0, 100, alarm_high=72)},
            )  # fmt: skip
            services.devices.register(SYSTEM, device)
            wave = np.sin(np.arange(size) / 15 + i)
            warm = 58 + 10 * wave + chance.normal(0, 3, size)
            frame = pd.DataFrame({"ts": stamps, "temperature_c": warm})
            frame.insert(0, "device_id", device.id)
            frame["flow_lpm"] = np.maximum(chance.normal(0, 3, size), 0)
            services.telemetry.accept_bulk(SYSTEM, frame)
        loop.drain()
        took = [_replay(services, name) for name in ("temperature_c", *MOMENTS)]
        loop.close()
        services.close()
    return max(took)


MOMENTS = ("offline_min", "safe_hour_days", "no_still_hour_h", "flagged_share")


def _replay(services: bootstrap.Services, metric: str) -> float:
    rule = _rule(0) | {"source": "device", "metric": metric, "threshold": 66.0}
    started = perf_counter()
    services.rules.preview(SYSTEM, read_rule(rule), DAYS)
    return perf_counter() - started


def _idle(services: bootstrap.Services, now: list[datetime]) -> float:
    took = []
    for _ in range(10):
        now[0] += timedelta(seconds=1)
        started = perf_counter()
        services.evaluation.step(now[0])
        took.append((perf_counter() - started) * 1_000)
    return median(took)


class Fleet:
    """Heaters whose values wander: a few rules are met, and let go, each minute."""

    def __init__(self) -> None:
        self._chance = np.random.default_rng(1)
        self._at = self._chance.normal(0, 1, (len(WANDERING), DEVICES))

    def minute(self, now: datetime) -> pd.DataFrame:
        """A reading of every heater."""
        kept = np.exp(-1 / HOUR)
        shock = self._chance.normal(0, np.sqrt(1 - kept**2), self._at.shape)
        self._at = kept * self._at + shock
        values = {
            name: np.maximum(mean + spread * self._at[i], 0)
            for i, (name, (mean, spread)) in enumerate(WANDERING.items())
        }
        ids = [f"wh-{i:04}" for i in range(DEVICES)]
        stamp = now.replace(tzinfo=None)
        return pd.DataFrame({"device_id": ids, "ts": stamp, "mode": "eco", **values})


def _make(settings: Settings, services: bootstrap.Services, now: datetime) -> None:
    bands = {
        "temperature_c": Band(0, 100, 45, 65, 40, 72),
        "pressure_bar": Band(0, 10, 2, 5, 1.5, 6),
    }
    engine = open_engine(settings.operational_url)
    for i in range(DEVICES):
        device = Device(
            id=f"wh-{i:04}", name=f"Heater {i}", type="electric",
            building=f"B{i % 20}", bands=bands, mixing_valve=i % 3 == 0,
        )  # fmt: skip
        services.devices.register(SYSTEM, device)
    store, judgements = ModelStore(engine), JudgementStore(engine)
    with store.transaction() as tx:
        for i in range(MODELS):
            spec = ModelSpec(
                name=f"model-{i}", kind="binary", classes=("a", "b"),
                features=(Feature("x", "numeric"),),
            )  # fmt: skip
            model = store.add(tx, spec, now)
            _conclude(judgements, tx, model, now)
    engine.dispose()
    for i in range(RULES):
        services.rules.save(SYSTEM, read_rule(_rule(i)))


def _conclude(judgements: JudgementStore, tx: Any, model: int, now: datetime) -> None:
    weeks = [now - timedelta(days=7 * n) for n in range(52, 0, -1)]
    judgements.put_windows(
        tx,
        [
            JudgedWindow(
                model, "1", w, w + timedelta(days=7), "fine", "fine", "none", "Fine.",
                [], "accuracy", 0.9, 1_000, 0.8,
            )
            for w in weeks
        ],
    )  # fmt: skip
    spans = {
        (w, w + timedelta(days=7)): {"accuracy": 0.9, "drift_psi": 0.1} for w in weeks
    }
    judgements.put_measures(tx, model, "1", "grid", spans)
    facts = ModelFacts(model, "1", 52_000, weeks[0], now, 3.0, 1)
    judgements.put_facts(tx, facts)


def _rule(number: int) -> dict[str, Any]:
    """Three rules of four on readings, at thresholds that a few heaters pass."""
    reading = ["temperature_c", "pressure_bar", "power_w", "voltage_v", "flow_lpm"]
    moment = [m.key for m in ALERT_METRICS.values() if m.grain != READING]
    name = reading[number % 5] if number % 4 else moment[number // 4 % len(moment)]
    threshold = {
        "temperature_c": 68.0, "pressure_bar": 5.6, "power_w": 3_300.0,
        "voltage_v": 240.0, "flow_lpm": 10.0,
    }.get(name, 1e6)  # fmt: skip
    return {
        "key": f"rule-{number}",
        "name": f"Rule {number}",
        "source": ALERT_METRICS[name].source,
        "metric": name,
        "operator": ">",
        "threshold": threshold + number / 100,
        "for_s": 60 * (number % 5),
        "off_delay_s": 60,
        "severity": "medium",
        "message": "{name}: {value}",
        "action": "Look.",
    }
