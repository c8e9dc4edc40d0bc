"""Killed between evaluation, alert and outbox: no alert is lost, none is doubled."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import select

import bootstrap
from data.alert_tables import alert_events, alert_watches, alerts, outbox
from data.records import Device
from data.session import open_engine, reading
from services.access import SYSTEM
from services.alert_rule_reading import read_rule
from services.notify_routes import RouteDraft
from tests.faults.alert_victim import DEVICES, judge, minute
from tests.faults.victim import settings
from tests.services.alert_world import HOT

ROOT = Path(__file__).parents[2]
KILLS = int(os.environ.get("IOTSPHERE_KILLS", "4"))
CALLS = ("pwrite64", "fsync,fdatasync", "pwrite64,fsync,fdatasync")
EACH = 12
"""Minutes that a run may live before it ends by itself."""


def prepared(home: Path) -> Path:
    """Stores with three tanks, two rules and a route for every alert."""
    bootstrap.migrate(settings(home))
    services = bootstrap.build(settings(home), clock=lambda: minute(0))
    for device_id in DEVICES:
        services.devices.register(SYSTEM, Device(id=device_id, name=device_id))
    for key, for_s in (("hot", 60), ("warm", 0)):
        spec = read_rule(HOT | {"key": key, "for_s": for_s, "off_delay_s": 0})
        services.rules.save(SYSTEM, spec)
    services.notifications.routes.save(
        SYSTEM, RouteDraft("all", "mail", {"targets": ["a@example.org"]})
    )
    bootstrap.build_flush_loop(settings(home), clock=lambda: minute(0)).close()
    services.close()
    return home


def lived(home: Path) -> int:
    """The minute that comes next."""
    file = home / "minutes"
    whole = file.read_text().split("\n")[:-1] if file.exists() else []
    return int(whole[-1]) + 1 if whole else 0


def run_and_kill(home: Path, call: str, number: int) -> bool:
    """Let the victim live until its n-th call of some kind; whether it was killed."""
    assert shutil.which("strace"), "strace is needed: run `make test`"
    first = lived(home)
    injected = ["-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={number}"]
    around = ["strace", "-f", "-qq", "-o", str(home / "strace"), *injected]
    victim = ["-m", "tests.faults.alert_victim", str(home), str(first)]
    done = subprocess.run(
        [*around, sys.executable, *victim, str(first + EACH)],
        cwd=ROOT, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode != 0


def told(home: Path) -> dict[str, list[tuple[object, ...]]]:
    """Everything that was raised, noted and put into the outbox."""
    engine = open_engine(settings(home).operational_url)
    columns = {
        "alerts": [alerts.c.rule_key, alerts.c.subject, alerts.c.started_at,
                   alerts.c.active, alerts.c.activations, alerts.c.open_key],
        "events": [alert_events.c.alert_id, alert_events.c.kind, alert_events.c.at],
        "outbox": [outbox.c.key, outbox.c.kind, outbox.c.target],
        "watches": [alert_watches.c.rule_id, alert_watches.c.subject,
                    alert_watches.c.met, alert_watches.c.alert_id],
    }  # fmt: skip
    with reading(engine) as connection:
        found = {
            name: [tuple(row) for row in connection.execute(select(*chosen))]
            for name, chosen in columns.items()
        }
    engine.dispose()
    return {name: sorted(rows, key=repr) for name, rows in found.items()}


@pytest.mark.faults
@pytest.mark.timeout(3600)
def test_kills_lose_and_double_no_alert(tmp_path: Path) -> None:
    """After many SIGKILLs alerts, history and outbox are those of an unhurt worker."""
    chance = random.Random(5)
    hurt, killed = prepared(tmp_path / "hurt"), 0
    while killed < KILLS:
        killed += run_and_kill(hurt, chance.choice(CALLS), chance.randint(1, 60))
    last = lived(hurt) + 3
    judge(hurt, lived(hurt), last)
    unhurt = prepared(tmp_path / "unhurt")
    judge(unhurt, 0, last)

    assert told(hurt) == told(unhurt)
    assert len(told(unhurt)["outbox"]) > 0
    print(f"{killed} kills over {last} minutes, {len(told(hurt)['events'])} events")
