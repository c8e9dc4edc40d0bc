"""The worker at a real broker that runs the shipped configuration."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from threading import Event, Thread

import pytest
from sqlalchemy.exc import OperationalError

import bootstrap
from data.hot_store import HotStore
from data.link_store import LinkStore
from data.records import Device
from data.session import open_engine
from services.ingest import Ingest
from settings import Settings
from tests.conftest import NOW, OPERATOR, SYSTEM, Stores
from tests.mosquitto import Broker, broker
from tests.mqtt_device import MqttDevice, until
from workers import mqtt, mqtt_sender
from workers.mqtt import MqttLoop
from workers.mqtt_connection import Connection
from workers.mqtt_sender import Sender
from workers.processes import environment

ROOT = Path(__file__).parents[2]
DEVICES = ("wh-1", "wh-2", "wh-3")


@pytest.fixture
def at_broker() -> Iterator[Broker]:
    """A broker that knows us and three devices."""
    with broker(["iotsphere", *DEVICES]) as running:
        yield running


def ours(settings: Settings, at: Broker) -> Settings:
    """The settings that lead to the broker."""
    return settings.model_copy(
        update={
            "mqtt_host": "127.0.0.1",
            "mqtt_port": at.port,
            "mqtt_username": "iotsphere",
            "mqtt_password_file": at.password_file,
        }
    )


def ingest_of(stores: Stores) -> Ingest:
    """The service on stores that are open."""
    return Ingest(
        stores.telemetry,
        stores.courier,
        stores.links,
        stores.device_store,
        stores.controls,
        stores.clock,
    )


@contextmanager
def working(
    stores: Stores, at: Broker, ingest: Ingest | None = None, *, waits: bool = True
) -> Iterator[MqttLoop]:
    """The worker's part, running in a thread; see ``working_loop``."""
    sender = Sender(stores.courier, stores.shadows, stores.clock)
    loop = MqttLoop(
        ours(stores.settings, at),
        ingest or ingest_of(stores),
        sender,
        stores.links,
        stores.clock,
    )
    with working_loop(stores, loop, waits=waits):
        yield loop


@contextmanager
def working_loop(
    stores: Stores, loop: MqttLoop, *, waits: bool = True
) -> Iterator[None]:
    """A loop that runs in a thread, and is connected where that is awaited."""
    stop = Event()
    thread = Thread(target=loop.run, args=(stop,), daemon=True)
    thread.start()
    try:
        until(lambda: not waits or told(stores).get("connected"))
        yield
    finally:
        stop.set()
        thread.join(timeout=20)
    assert not thread.is_alive()


def reading(minute: int) -> dict[str, object]:
    """One reading of a minute before noon."""
    return {"ts": (NOW - timedelta(minutes=minute)).isoformat(), "power_w": 3.0}


def rows(stores: Stores, device_id: str = "wh-1") -> int:
    """How many readings of a device are stored."""
    start = NOW - timedelta(days=30)
    return stores.hot.rows(device_id, start, NOW + timedelta(days=1)).num_rows


def told(stores: Stores) -> dict[str, object]:
    """What the part says of itself."""
    return stores.links.statuses().get("mqtt", (NOW, {}))[1]


def test_a_reading_is_on_disk_before_the_broker_hears_of_it(
    stores: Stores,
    heater: Device,
    at_broker: Broker,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """When a message is acknowledged, another connection sees its row."""
    seen: list[tuple[int, int]] = []
    acknowledge = Connection.acknowledge

    def looks_first(self: Connection, batch: list[object]) -> None:
        seen.append((len(batch), rows(stores)))
        acknowledge(self, batch)

    monkeypatch.setattr(Connection, "acknowledge", looks_first)
    with (
        working(stores, at_broker),
        MqttDevice("wh-1", at_broker.port) as device,
    ):
        device.say(device.own("telemetry"), reading(1))
        until(lambda: seen)

    assert seen == [(1, 1)]


def test_a_message_that_cannot_be_taken_does_not_block_the_queue(
    stores: Stores, heater: Device, at_broker: Broker
) -> None:
    """It is listed and acknowledged: a new session of ours never sees it again."""
    with (
        working(stores, at_broker),
        MqttDevice("wh-1", at_broker.port) as device,
    ):
        device.say(device.own("telemetry"), b"\xff{")
        device.say("v1/devices/wh-1/telemetry", {"power_w": 2.0})
        until(stores.links.rejects)
        until(lambda: rows(stores) == 1)
    with working(stores, at_broker):
        pass

    assert [r.payload for r in stores.links.rejects()] == [b"\xff{"]


def test_a_wish_reaches_the_device_and_comes_back_applied(
    stores: Stores, heater: Device, at_broker: Broker
) -> None:
    """Birth, command, answer and report run over the broker to the end."""
    with (
        working(stores, at_broker),
        MqttDevice("wh-1", at_broker.port) as device,
    ):
        device.obey()
        device.hear(device.own("desired"))
        device.say(device.own("birth"), {"session": 1}, retain=True)
        until(lambda: stores.links.links(["wh-1"]))
        stores.controls.ask(OPERATOR, "wh-1", {"mode": "eco"})
        until(lambda: stores.commands.newest("wh-1")[0].state == "applied")
        wished = until(lambda: [h for h in device.heard if h[0].endswith("desired")])

    (command,) = stores.commands.newest("wh-1")
    assert command.tries == 1
    assert json.loads(wished[0][1]) == {
        "version": command.version,
        "state": {"mode": "eco"},
    }


def test_wishes_are_kept_for_a_device_that_comes_later(
    stores: Stores, heater: Device, at_broker: Broker
) -> None:
    """A wish of before the start is retained at the broker, a withdrawn one too."""
    stores.controls.ask(OPERATOR, "wh-1", {"mode": "eco"})
    with working(stores, at_broker), MqttDevice("wh-1", at_broker.port) as device:
        device.hear(device.own("desired"))
        until(lambda: device.heard)
        stores.controls.ask(OPERATOR, "wh-1", {"mode": None})
        until(lambda: json.loads(device.heard[-1][1])["state"] == {})

    assert stores.commands.newest("wh-1")[0].tries == 0


def test_a_device_that_does_not_listen_is_not_called_told(
    stores: Stores,
    heater: Device,
    at_broker: Broker,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A command that no subscriber took stays queued, however often it is offered."""
    monkeypatch.setattr(mqtt_sender, "REST_S", 0.2)
    with (
        working(stores, at_broker),
        MqttDevice("wh-1", at_broker.port) as device,
    ):
        device.say(device.own("status"), {"online": True, "session": 1})
        until(lambda: stores.links.links(["wh-1"]))
        stores.controls.ask(OPERATOR, "wh-1", {"mode": "eco"})
        until(lambda: at_broker.log().count("'iot/v1/wh-1/cmd'") >= 3)

    assert stores.commands.newest("wh-1")[0].state == "queued"


def test_a_device_that_is_killed_is_offline(
    stores: Stores, heater: Device, at_broker: Broker
) -> None:
    """Its last will says so, at once."""
    killed = subprocess.Popen(
        ["mosquitto_sub", "-V", "5", "-p", str(at_broker.port), "-u", "wh-1",
         "-P", "correct horse", "-t", "iot/v1/wh-1/cmd",
         "--will-topic", "iot/v1/wh-1/status", "--will-qos", "1", "--will-retain",
         "--will-payload", '{"online": false, "session": 1}'],
    )  # fmt: skip
    with working(stores, at_broker), MqttDevice("wh-1", at_broker.port) as device:
        device.say(device.own("birth"), {"session": 1}, retain=True)
        until(lambda: stores.links.links(["wh-1"]))
        until(lambda: "iot/v1/wh-1/cmd (QoS" in at_broker.log())
        assert stores.links.links(["wh-1"])["wh-1"].online
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        until(lambda: not stores.links.links(["wh-1"])["wh-1"].online)


def test_retained_births_do_not_wake_the_dead(
    stores: Stores, heater: Device, at_broker: Broker
) -> None:
    """A worker that comes for the first time hears the birth first, the will last."""
    with MqttDevice("wh-1", at_broker.port) as device:
        device.say(device.own("status"), {"online": False, "session": 1}, retain=True)
        device.say(device.own("birth"), {"session": 1}, retain=True)
    with working(stores, at_broker):
        until(lambda: stores.links.links(["wh-1"]))

    link = stores.links.links(["wh-1"])["wh-1"]
    assert (link.online, link.birth_at is not None) == (False, True)


class Failing(Ingest):
    """An ingest whose database is away for some batches."""

    def __init__(self, stores: Stores, times: int) -> None:
        super().__init__(
            stores.telemetry,
            stores.courier,
            stores.links,
            stores.device_store,
            stores.controls,
            stores.clock,
        )
        self.left = times
        self.asked = 0

    def take(self, messages: object) -> object:
        """Fail as a full disk does, as often as was said."""
        self.asked += 1
        if self.left:
            self.left -= 1
            raise OperationalError("INSERT", {}, OSError("disk full"))
        return super().take(messages)


@pytest.mark.parametrize("times", [2, 7])
def test_without_a_database_nothing_is_acknowledged(
    stores: Stores,
    heater: Device,
    at_broker: Broker,
    monkeypatch: pytest.MonkeyPatch,
    times: int,
) -> None:
    """The batch is tried again, then given back to the broker, and stored at last."""
    monkeypatch.setattr(mqtt, "TRIES_S", (0.01, 0.01, 0.01, 0.01))
    failing = Failing(stores, times)
    with (
        working(stores, at_broker, failing),
        MqttDevice("wh-1", at_broker.port) as device,
    ):
        device.say(device.own("telemetry"), reading(1))
        until(lambda: rows(stores) == 1)
        until(lambda: told(stores).get("stored") == 1)

    assert failing.asked == times + 1
    assert told(stores)["received"] == 1


def test_a_broker_that_restarts_is_found_again(
    stores: Stores, heater: Device, at_broker: Broker
) -> None:
    """What was sent while we were away waits for us, over the broker's restart."""
    with working(stores, at_broker):
        pass
    with MqttDevice("wh-1", at_broker.port) as device:
        for minute in range(1, 51):
            device.say(device.own("telemetry"), reading(minute))
    at_broker.stop()
    with working(stores, at_broker, waits=False):
        until(lambda: told(stores).get("problem"))
        assert told(stores)["connected"] is False
        at_broker.start()
        until(lambda: rows(stores) == 50)


def start_victim(settings: Settings, module: list[str]) -> subprocess.Popen:
    """A process with these settings."""
    return subprocess.Popen(
        [sys.executable, *module], cwd=ROOT, env=environment(settings), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def test_a_killed_worker_loses_and_doubles_nothing(
    settings: Settings, at_broker: Broker
) -> None:
    """SIGKILL three times amid 6,000 messages: each reading is there once."""
    settings = ours(settings, at_broker)
    bootstrap.migrate(settings)
    services = bootstrap.build(settings)
    for device_id in DEVICES:
        services.devices.register(SYSTEM, Device(id=device_id, name=device_id))
    hot = HotStore(open_engine(settings.operational_url))
    start = services.clock() - timedelta(days=2)

    def stored() -> list[tuple[str, object]]:
        found = hot.rows(None, start - timedelta(days=1), services.clock())
        return list(
            zip(found["device_id"].to_pylist(), found["ts"].to_pylist(), strict=True)
        )

    for part in range(4):
        victim = start_victim(settings, ["-m", "tests.workers.mqtt_victim"])
        try:
            assert victim.stdout is not None
            assert victim.stdout.readline() == "ready\n"
            if part == 0:
                until(lambda: connected(settings))
            for device_id in DEVICES:
                with MqttDevice(device_id, at_broker.port) as device:
                    for n in range(part * 500, part * 500 + 500):
                        ts = (start + timedelta(seconds=n)).isoformat()
                        body = {"ts": ts, "power_w": float(n)}
                        device.send(device.own("telemetry"), body)
                    if part < 3 and device_id == DEVICES[part]:
                        victim.kill()
                    until(lambda sent=device: len(sent.confirmed) == 500)
            if part == 3:
                until(lambda: len(stored()) == 6_000, 60)
        finally:
            victim.kill()
            victim.communicate(timeout=30)

    found = stored()
    assert len(found) == len(set(found)) == 6_000
    services.close()


def connected(settings: Settings) -> bool:
    """Whether the worker says that it is connected."""
    statuses = LinkStore(open_engine(settings.operational_url)).statuses()
    return bool(statuses.get("mqtt", (None, {}))[1].get("connected"))


def test_the_worker_command_talks_mqtt_and_is_alone(
    settings: Settings, at_broker: Broker
) -> None:
    """``cli.py worker`` stores what comes; a second one refuses to start."""
    settings = ours(settings, at_broker)
    bootstrap.migrate(settings)
    services = bootstrap.build(settings)
    services.devices.register(SYSTEM, Device(id="wh-1", name="Boiler room"))
    hot = HotStore(open_engine(settings.operational_url))
    worker = start_victim(settings, ["cli.py", "worker"])
    try:
        until(lambda: connected(settings), 60)
        with MqttDevice("wh-1", at_broker.port) as device:
            device.say("v1/devices/wh-1/telemetry", {"power_w": 3.0})
        until(lambda: "wh-1" in hot.states())
        second = start_victim(settings, ["cli.py", "worker"])
        said, _ = second.communicate(timeout=60)
        worker.terminate()
        worker.communicate(timeout=30)
    finally:
        worker.kill()
        services.close()

    assert second.returncode == 2, said
    assert worker.returncode == 0
