"""Readings over a real broker, all on this machine: sent, stored, acknowledged.

The broker runs the shipped configuration, the worker's part is a process of its own,
and so is the sender, which sends one reading a message at QoS 1 for ``HEATERS``
heaters in turn. All three share the machine's cores.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import bootstrap
from benchmarks.result import Result
from data.hot_store import HotStore
from data.link_store import LinkStore
from data.records import Device
from data.session import open_engine
from services.access import SYSTEM
from settings import Settings
from tests.mosquitto import PASSWORD, Broker, broker
from workers.processes import environment

HEATERS = 50
LIVE = 30_000
QUEUED = 60_000
WITHIN_S = 300.0
ROOT = Path(__file__).parents[1]


def run(live: int = LIVE, queued: int = QUEUED) -> list[Result]:
    """Measure the stream and the catch-up."""
    with tempfile.TemporaryDirectory() as folder, broker(["iotsphere", "many"]) as at:
        with (at.folder / "acl").open("a") as acl:
            acl.write("\nuser many\ntopic write iot/v1/+/telemetry\n")
        at.stop()
        at.start()
        settings = Settings(
            home_dir=Path(folder) / "var", secret_key="k7!" + "Zq3xW9vB" * 5,
            mqtt_host="127.0.0.1", mqtt_port=at.port, mqtt_username="iotsphere",
            mqtt_password_file=at.password_file,
        )  # fmt: skip
        bootstrap.migrate(settings)
        services = bootstrap.build(settings)
        for number in range(HEATERS):
            device = Device(id=f"h{number}", name=f"Heater {number}")
            services.devices.register(SYSTEM, device)
        services.close()
        return [_stream(settings, at, live), _catch_up(settings, at, queued)]


def _stream(settings: Settings, at: Broker, count: int) -> Result:
    with _Worker(settings):
        sender = _send(at, count, days_ago=2)
        begun = time.perf_counter()
        _wait_stored(settings, count)
        rate = count / (time.perf_counter() - begun)
        sender.wait()
    return Result(
        "mqtt", "readings sent, stored and acknowledged", rate, "rows/s",
        bar=5_000, at_least=True,
    )  # fmt: skip


def _catch_up(settings: Settings, at: Broker, count: int) -> Result:
    before = _stored(settings)
    _send(at, count, days_ago=4).wait()
    begun = time.perf_counter()
    with _Worker(settings):
        _wait_stored(settings, before + count)
        taken_s = time.perf_counter() - begun
    return Result(
        "mqtt", f"{count} messages caught up after an absence", taken_s, "s", bar=60
    )


class _Worker:
    """The worker's part that talks MQTT, connected."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._since = datetime.now(UTC)

    def __enter__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.workers.mqtt_victim"], cwd=ROOT,
            env=environment(self._settings), stdout=subprocess.PIPE,
        )  # fmt: skip
        links = LinkStore(open_engine(self._settings.operational_url))
        deadline = time.monotonic() + WITHIN_S
        while time.monotonic() < deadline and self._process.poll() is None:
            at, facts = links.statuses().get("mqtt", (self._since, {}))
            if at > self._since and facts.get("connected"):
                return
            time.sleep(0.02)
        self.__exit__()
        raise TimeoutError("the worker did not connect")

    def __exit__(self, *_exc: object) -> None:
        self._process.kill()
        self._process.wait()


def _stored(settings: Settings) -> int:
    engine = open_engine(settings.operational_url)
    try:
        return HotStore(engine).pending(0).rows
    finally:
        engine.dispose()


def _wait_stored(settings: Settings, count: int) -> None:
    deadline = time.monotonic() + WITHIN_S
    while (stored := _stored(settings)) < count:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{stored} of {count} were stored")
        time.sleep(0.1)


def _send(at: Broker, count: int, days_ago: int) -> subprocess.Popen[bytes]:
    """Let a sender of ``count`` readings begin; it has made them before."""
    first = datetime.now(UTC) - timedelta(days=days_ago)
    sender = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.mqtt_sender", str(at.port), PASSWORD,
         str(count), str(HEATERS), first.isoformat()],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert sender.stdin is not None and sender.stdout is not None
    sender.stdout.readline()
    sender.stdin.close()
    return sender
