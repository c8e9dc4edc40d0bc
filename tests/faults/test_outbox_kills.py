"""SIGKILL between claim, send and commit: nothing is lost, a repeat is recognised."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from data.migrate import upgrade
from data.outbox_store import OutboxStore
from data.report_records import Parcel, Route
from data.route_store import RouteStore
from data.session import open_engine
from services.outgoing import delivery_id
from tests.faults.outbox_victim import LEASE, now, settings
from tests.post_office import HookServer, Sink, hook_server, mail_sink
from workers.outbox import AT_ONCE

ROOT = Path(__file__).parents[2]
KILLS = int(os.environ.get("IOTSPHERE_KILLS", "20"))
AT_A_TIME = sum(AT_ONCE.values())
TOLD = {
    "kind": "activated", "severity": "high", "subject_name": "B", "rule": "R",
    "message": "m", "metric": "t", "value": 1.0,
    "raised_at": "2026-03-10T12:00:00+00:00",
    "at": "2026-03-10T12:00:00+00:00", "alert_id": 1,
}  # fmt: skip


@dataclass
class Rig:
    """The outbox, and the servers that get what is in it."""

    home: Path
    outbox: OutboxStore
    route_id: int
    sink: Sink
    hooks: HookServer
    put: int = 0

    def add(self, mails: int, hooks: int, *, digest: bool = False) -> list[Parcel]:
        """Put parcels, as an evaluation does."""
        made = []
        with self.outbox.transaction() as tx:
            for number in range(mails + hooks):
                self.put += 1
                kind = "mail" if number < mails else "webhook"
                parcel = Parcel(
                    key=f"alert:{self.put}:1", kind=kind,
                    target=f"{kind}{self.put % 5}@b.example",
                    subject="s", body={**TOLD, "digest": digest}, made_at=now(),
                    next_at=now(), route_id=self.route_id,
                )  # fmt: skip
                self.outbox.put(tx, parcel)
                made.append(parcel)
        return made

    def start(self, step: str = "none") -> subprocess.Popen[str]:
        """Start the victim."""
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.outbox_victim", str(self.home),
             str(self.sink.port), str(self.hooks.port), step],
            cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "ready", process.stderr.read()
        return process

    def drain(self) -> None:
        """Let a worker that nobody kills send everything."""
        process = self.start()
        deadline = time.monotonic() + 120
        while self.open() and time.monotonic() < deadline:
            time.sleep(0.05)
        kill(process)
        assert self.open() == 0

    def open(self) -> int:
        """How many parcels are not done with."""
        counts = self.outbox.counts()
        return counts.get("waiting", 0) + counts.get("sending", 0)

    def arrived(self) -> Counter[str]:
        """The ids of what arrived, and how often each did."""
        ids = [str(m["Message-ID"]).strip("<>").partition("@")[0]
               for m in self.sink.mails]  # fmt: skip
        ids += [hook.headers["x-iotsphere-delivery"] for hook in self.hooks.got]
        return Counter(ids)


def kill(process: subprocess.Popen[str]) -> None:
    """End the victim without warning; it had no error of its own."""
    process.send_signal(signal.SIGKILL)
    _out, error = process.communicate(timeout=30)
    assert "Traceback" not in error, error


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    """Stores and servers."""
    with mail_sink() as sink, hook_server() as hooks:
        engine = open_engine(settings(tmp_path, 1, 1).operational_url)
        upgrade(engine)
        url = f"http://127.0.0.1:{hooks.port}/in"
        spec = {"targets": [url], "salt": "ab"}
        routes = RouteStore(engine)
        with routes.transaction() as tx:
            route_id = routes.add(
                tx, Route("Hook", "webhook", True, spec, 1, "ada", now())
            )
        yield Rig(tmp_path, OutboxStore(engine), route_id, sink, hooks)
        engine.dispose()


@pytest.mark.faults
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("kind", "digest"), [("mail", False), ("webhook", True)])
@pytest.mark.parametrize(
    ("step", "times"), [("claimed", 1), ("sent", 2), ("written", 1)]
)
def test_a_kill_at_each_step_loses_nothing(
    rig: Rig, step: str, times: int, kind: str, digest: bool
) -> None:
    """Killed after sending it comes twice under one id; elsewhere exactly once."""
    mails, hooks = (1, 0) if kind == "mail" else (0, 1)
    made = rig.add(mails, hooks, digest=digest)
    victim = rig.start(step)
    assert victim.wait(timeout=30) == -signal.SIGKILL
    victim.communicate()
    time.sleep(LEASE.total_seconds())
    rig.drain()

    assert rig.arrived() == {delivery_id(made): times}
    assert [p.state for p in rig.outbox.page()] == ["sent"]


@pytest.mark.faults
@pytest.mark.timeout(3600)
def test_kills_at_random_moments_lose_nothing(rig: Rig) -> None:
    """Every parcel arrives; what comes again has its id, no more than was under way."""
    chance = random.Random(5)
    wanted = set()
    for _ in range(KILLS):
        wanted |= {delivery_id([p]) for p in rig.add(6, 6)}
        process = rig.start()
        time.sleep(chance.uniform(0.0, 0.25))
        kill(process)
    time.sleep(LEASE.total_seconds())
    rig.drain()
    arrived = rig.arrived()
    repeats = sum(arrived.values()) - len(arrived)

    assert set(arrived) == wanted
    assert repeats <= KILLS * AT_A_TIME
    print(f"{KILLS} kills, {len(wanted)} parcels, {repeats} came twice")
