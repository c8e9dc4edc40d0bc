"""A broker, a worker that may be hit, and a sender that remembers what was taken."""

from __future__ import annotations

import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

import bootstrap
from data.records import Device
from services.access import SYSTEM
from tests.faults.mqtt_victim import settings
from tests.mosquitto import PASSWORD, Broker, broker
from tests.postgres import free_port

ROOT = Path(__file__).parents[2]
DEVICES = tuple(f"wh-{number}" for number in range(5))
PATIENCE_S = 90.0


class Rig:
    """Numbered readings on their way to the disk."""

    def __init__(self, home: Path, running: Broker) -> None:
        self.home = home
        self.broker = running
        self.port = running.port
        """Where the worker finds the broker: a test may stand in between."""
        self.clock = "steady"
        self.begin = datetime.now(UTC) - timedelta(days=30)
        self.taken: set[int] = set()
        """Numbers of readings that the broker has acknowledged."""
        self.worker: subprocess.Popen[str] | None = None
        self._next = 0
        self._underway: dict[int, int] = {}
        self._sender = self._connected()

    def start(self, around: Sequence[str] = ()) -> None:
        """Start the worker, ``around`` it a program that injects a fault."""
        command = [
            *around, sys.executable, "-m", "tests.faults.mqtt_victim", str(self.home),
            str(self.port), str(self.broker.password_file), self.clock,
        ]  # fmt: skip
        self.worker = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            text=True, start_new_session=True,
        )  # fmt: skip
        assert self.worker.stdout is not None
        self.worker.stdout.readline()  # "ready", or nothing where it was hit before

    def kill(self) -> None:
        """Kill the worker without warning, and whatever was put around it."""
        if self.worker is None:
            return
        if self.worker.poll() is None:
            subprocess.run(["pkill", "-KILL", "-s", str(self.worker.pid)], check=False)
        self.worker.wait(timeout=30)
        self.worker = None

    def send(self, count: int, copies: Callable[[int], int] = lambda _n: 1) -> None:
        """Send readings, each as often as ``copies`` says."""
        for _ in range(count):
            number, self._next = self._next, self._next + 1
            for _copy in range(copies(number)):
                self.publish(number)

    def publish(self, number: int) -> None:
        """Send one reading."""
        ts = self.begin + timedelta(seconds=number)
        payload = orjson.dumps({"ts": ts.isoformat(), "temperature_c": 50.0})
        topic = f"iot/v1/{DEVICES[number % len(DEVICES)]}/telemetry"
        told = self._sender.publish(topic, payload, qos=1)
        self._underway[told.mid] = number

    def settle(self) -> None:
        """Wait until the broker has taken all that was sent."""
        self._until(lambda: not self._underway, "the broker takes no more")

    def check(self) -> int:
        """Run the worker undisturbed until all is stored; how many readings that is.

        Raises:
            AssertionError: one is lost, or there is one that nobody sent.
        """
        self.settle()
        self.kill()
        self.start()
        self._until(lambda: self.taken <= self.stored(), "readings are lost")
        self.kill()
        sent = set(range(self._next))
        found = self.stored()
        assert found <= sent, "readings that nobody sent"
        return len(found)

    def stored(self) -> set[int]:
        """The numbers of the readings on disk; one that is doubled is an error."""
        with sqlite3.connect(self.home / "iotsphere.db", timeout=30) as database:
            rows = database.execute("SELECT device_id, ts_us FROM hot_readings")
            times = rows.fetchall()
        first = round(self.begin.timestamp() * 1e6)
        numbers = [round((ts - first) / 1e6) for _device, ts in times]
        assert len(numbers) == len(set(numbers)), "a reading is stored twice"
        return set(numbers)

    def _until(self, done: Callable[[], bool], problem: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not done():
            assert time.monotonic() < deadline, problem
            time.sleep(0.1)

    def _connected(self) -> paho.Client:
        client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id="sender", clean_session=False
        )
        client.username_pw_set("feeder", PASSWORD)
        client.max_inflight_messages_set(1_000)
        client.reconnect_delay_set(1, 1)
        client.on_publish = self._taken
        client.connect("127.0.0.1", self.broker.port)
        client.loop_start()
        return client

    def _taken(self, _client: object, _data: object, mid: int, *_told: object) -> None:
        for _ in range(100):  # the answer may come before publish has returned
            if mid in self._underway:
                self.taken.add(self._underway.pop(mid))
                return
            time.sleep(0.01)

    def close(self) -> None:
        """Stop everything."""
        self.kill()
        self._sender.loop_stop()
        self._sender.disconnect()


@contextmanager
def rig(home: Path, *, durable: bool = False) -> Iterator[Rig]:
    """A broker and an empty home with five devices.

    ``durable``: the broker writes each message to disk before it acknowledges it, as
    its configuration says how.
    """
    with broker(["iotsphere", "feeder"]) as running:
        rights = running.folder / "acl"
        rights.write_text(rights.read_text() + "\nuser feeder\ntopic write iot/#\n")
        if durable:
            file = running.folder / "mosquitto.conf"
            text = file.read_text().replace("changes false", "changes true")
            file.write_text(text.replace("autosave_interval 10", "autosave_interval 1"))
        running.stop()
        running.start()
        plan = settings(home, running.port, running.password_file)
        bootstrap.migrate(plan)
        services = bootstrap.build(plan)
        for device_id in DEVICES:
            services.devices.register(SYSTEM, Device(id=device_id, name=device_id))
        services.close()
        made = Rig(home, running)
        try:
            made.start()  # its session must exist before anything is sent
            time.sleep(1.0)
            yield made
        finally:
            made.close()


@contextmanager
def cutter(target: int, after_bytes: Callable[[], int]) -> Iterator[int]:
    """A port that leads to another one and cuts each connection after some bytes."""
    port, stop = free_port(), threading.Event()
    with socket.create_server(("127.0.0.1", port)) as server:
        server.settimeout(0.2)

        def serve() -> None:
            while not stop.is_set():
                try:
                    near, _address = server.accept()
                except TimeoutError:
                    continue
                _carry(near, target, after_bytes())

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield port
        stop.set()
        thread.join(timeout=10)


def _carry(near: socket.socket, target: int, most: int) -> None:
    """Carry bytes both ways until so many went to the worker, then cut."""
    with near, socket.create_connection(("127.0.0.1", target)) as far:

        def up() -> None:
            try:
                while data := near.recv(65_536):
                    far.sendall(data)
            except OSError:
                return

        threading.Thread(target=up, daemon=True).start()
        far.settimeout(2.0)
        left = most
        while left > 0:
            try:
                data = far.recv(min(4_096, left))
            except TimeoutError:
                break
            if not data:
                break
            near.sendall(data)
            left -= len(data)
        near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
