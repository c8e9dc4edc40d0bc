"""Faults on the way from the broker to the disk: no reading lost, none doubled.

The number of injections of each kind is small here and large in ``make faults``.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import time
from pathlib import Path

import pytest

from tests.faults.mqtt_rig import Rig, cutter, rig

MORE = int(os.environ.get("IOTSPHERE_MQTT_FAULTS", "1"))
"""How many times as many injections as in ``make test``."""
pytestmark = [pytest.mark.faults, pytest.mark.timeout(7_200)]


@pytest.fixture
def chance() -> random.Random:
    """Repeatable."""
    return random.Random(4)


def told(kind: str, count: int, stored: int) -> None:
    """Say what was counted."""
    print(f"{kind}: {count} injections, {stored} readings, 0 lost, 0 doubled")


def injected(log: Path, call: str, fault: str, number: int) -> list[str]:
    """strace that does something to the worker at its n-th call of some kind."""
    assert shutil.which("strace"), "strace is needed: run `make test`"
    what = f"inject={call}:{fault}:when={number}"
    told = ["-o", str(log), "-e", f"trace={call}", "-e", what]
    return ["strace", "-f", "-qq", *told]


def hits(logs: Path) -> int:
    """In how many runs strace has done it: some end before their n-th call."""
    texts = [log.read_text(errors="replace") for log in logs.glob("strace-*")]
    return sum("(INJECTED)" in text or "killed by SIGKILL" in text for text in texts)


def test_killed_at_random(tmp_path: Path, chance: random.Random) -> None:
    """A worker that dies at any moment has acknowledged nothing that is not stored."""
    count = 2 * MORE
    with rig(tmp_path) as one:
        for _ in range(count):
            one.send(400)
            time.sleep(chance.uniform(0.0, 0.5))
            one.kill()
            one.start()
        told("killed at random", count, one.check())


@pytest.mark.parametrize(
    ("kind", "call", "fault"),
    [
        ("killed at a sync", "fsync,fdatasync", "signal=KILL"),
        ("killed at a write", "pwrite64", "signal=KILL"),
        ("disk full", "pwrite64", "error=ENOSPC"),
        ("disk fails at a sync", "fsync,fdatasync", "error=EIO"),
    ],
)
def test_hit_at_the_nth_call(
    tmp_path: Path, chance: random.Random, kind: str, call: str, fault: str
) -> None:
    """Whatever call it dies or fails at, the batch before it was whole or not there."""
    with rig(tmp_path) as one:
        one.kill()
        for run in range(2 * MORE):
            log = tmp_path / f"strace-{run}"
            one.send(200)
            one.start(injected(log, call, fault, chance.randint(1, 12)))
            one.send(200)
            time.sleep(chance.uniform(1.0, 2.0))
            one.kill()
        assert hits(tmp_path) > 0
        told(kind, hits(tmp_path), one.check())


def test_broker_killed(tmp_path: Path, chance: random.Random) -> None:
    """What it took a second before its death comes, also to a worker that was away.

    What it took later may be gone with it: its acknowledgement is no promise of ours.
    """
    count = MORE
    with rig(tmp_path, durable=True) as one:
        for round_ in range(count):
            if round_ % 2:
                one.kill()
            one.send(100)
            one.settle()
            time.sleep(1.0)
            safe = set(one.taken)
            one.send(20)
            time.sleep(chance.uniform(0.0, 0.3))
            one.broker.stop(signal.SIGKILL)
            one.taken = safe
            one.broker.start()
            if one.worker is None:
                one.start()
        told("broker killed", count, one.check())


def test_broker_away(tmp_path: Path) -> None:
    """While it is away the worker waits; then it goes on by itself."""
    away_s = 60 if MORE > 1 else 4
    with rig(tmp_path) as one:
        one.send(200)
        one.settle()
        one.broker.stop()
        time.sleep(away_s)
        one.broker.start()
        one.send(200)
        told(f"broker away {away_s} s", 1, one.check())


def test_connection_cut_in_the_middle_of_a_packet(
    tmp_path: Path, chance: random.Random
) -> None:
    """Half a packet is nothing: the message comes again, and counts once."""
    count = 3 * MORE
    cuts: list[int] = []

    def next_cut() -> int:
        cuts.append(chance.randint(200, 20_000))
        return cuts[-1]

    with rig(tmp_path) as one, cutter(one.broker.port, next_cut) as port:
        one.kill()
        one.port = port
        one.start()
        while len(cuts) < count:
            one.send(100)
            time.sleep(0.2)
        one.kill()
        one.port = one.broker.port
        told("connection cut", len(cuts), one.check())


def test_doubled_and_out_of_order(tmp_path: Path, chance: random.Random) -> None:
    """Each message one to five times, shuffled: each reading once."""
    count = MORE
    with rig(tmp_path) as one:
        for _ in range(count):
            first = one._next
            one._next += 300
            numbers = [
                number
                for number in range(first, one._next)
                for _ in range(chance.randint(1, 5))
            ]
            chance.shuffle(numbers)
            for number in numbers:
                one.publish(number)
        told("doubled and shuffled", count, one.check())


def test_database_locked(tmp_path: Path) -> None:
    """A database that is locked for long is waited for; nothing is acknowledged."""
    locked_s, count = (30.0, 2) if MORE > 1 else (7.0, 1)
    with rig(tmp_path) as one:
        for _ in range(count):
            one.send(100)
            one.settle()
            time.sleep(1.0)
            _lock(one, locked_s)
        told(f"database locked {locked_s:g} s", count, one.check())


def _lock(one: Rig, seconds: float) -> None:
    database = sqlite3.connect(one.home / "iotsphere.db", timeout=30)
    database.isolation_level = None
    database.execute("BEGIN IMMEDIATE")
    before = len(one.stored())
    one.send(200)
    time.sleep(seconds)
    assert len(one.stored()) == before
    database.execute("ROLLBACK")
    database.close()


def test_clock_jumps(tmp_path: Path) -> None:
    """A server's clock that is set forward and back an hour loses no reading."""
    count = 3 * MORE
    with rig(tmp_path) as one:
        one.kill()
        one.clock = "jump"
        one.start()
        for _ in range(count):
            one.send(100)
            time.sleep(1.0)
        one.clock = "steady"
        told("clock jumps", count, one.check())
