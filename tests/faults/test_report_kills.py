"""Killed at any step of report → store → mail: each period is there exactly once."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from data.outbox_store import OutboxStore
from data.report_store import ReportStore
from data.session import open_engine
from tests.faults.report_victim import RECIPIENTS, prepare, settings, work

ROOT = Path(__file__).parents[2]
KILLS = 36 if "IOTSPHERE_KILLS" in os.environ else 6
CALLS = ("pwrite64", "fsync,fdatasync", "rename,renameat,renameat2", "write")
"""Rows and journal, every sync, the file's name, the file's bytes."""
DEEPEST = {CALLS[0]: 48, CALLS[1]: 10, CALLS[2]: 1, CALLS[3]: 1}
"""About how many of each one run of the victim makes."""


def run_and_kill(home: Path, week: int, call: str, number: int) -> bool:
    """Let the victim work until its n-th call; whether it was killed there."""
    assert shutil.which("strace"), "strace is needed: run `make test`"
    log = home / "strace.log"
    run = subprocess.run(
        [
            "strace", "-f", "-qq", "-o", str(log), "-e", f"trace={call}",
            "-e", f"inject={call}:signal=KILL:when={number}",
            sys.executable, "-m", "tests.faults.report_victim", str(home), str(week),
        ],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert "Traceback" not in run.stderr, run.stderr
    return "killed by SIGKILL" in log.read_text(errors="replace")


def check(home: Path, weeks: int) -> None:
    """Every period of the weeks: one done run, its whole file, one mail each."""
    engine = open_engine(settings(home).operational_url)
    runs = ReportStore(engine).page(10 * weeks)
    outbox = OutboxStore(engine)
    periods = [run.period for run in runs]
    assert len(set(periods)) == len(periods), "a period was made twice"
    owed = weeks - sum(int(str(run.query["skipped"])) for run in runs)
    assert len(runs) == owed, "a period is lost"
    for run in runs:
        assert run.state == "done", (run.state, run.reason)
        content = (home / "reports" / f"{run.id}.csv").read_bytes()
        assert len(content) == run.size_bytes
        assert hashlib.sha256(content).hexdigest() == run.sha256
        mails = [parcel.target for parcel in outbox.of_report(run.id)]
        assert sorted(mails) == sorted(RECIPIENTS), "a mail is lost or doubled"
    engine.dispose()


@pytest.mark.faults
@pytest.mark.timeout(3600)
def test_each_period_is_made_and_mailed_exactly_once(tmp_path: Path) -> None:
    """After kills at writes, syncs and renames nothing is lost, doubled or torn."""
    chance = random.Random(5)
    prepare(tmp_path)
    killed = 0
    for week in range(1, KILLS + 1):
        call = CALLS[week % len(CALLS)]
        number = chance.randint(1, DEEPEST[call])
        killed += run_and_kill(tmp_path, week, call, number)
        if week % 2 == 0:  # a run that kills its worker three times is given up
            work(tmp_path, week)

    work(tmp_path, KILLS + 1)
    work(tmp_path, KILLS + 1)

    check(tmp_path, KILLS + 1)
    assert killed >= KILLS // 2
    print(f"{killed} of {KILLS} runs were killed; every period exactly once")
