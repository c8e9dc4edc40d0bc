"""From the command to the first page, the first time and later."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from benchmarks.result import Result
from tests.postgres import free_port

ROOT = Path(__file__).parents[1]
GIVE_UP_S = 180.0


def run() -> list[Result]:
    """Start the program twice on one home folder and time both."""
    with tempfile.TemporaryDirectory() as folder:
        first = _seconds_to_first_page(Path(folder))
        later = _seconds_to_first_page(Path(folder))
    return [
        Result("start", "first start, demo fleet made", first, "s", bar=60),
        Result("start", "later start", later, "s", bar=8),
    ]


def _seconds_to_first_page(home: Path) -> float:
    port = free_port()
    env = {
        **os.environ,
        "IOTSPHERE_HOME_DIR": str(home / "var"),
        "IOTSPHERE_PORT": str(port),
    }
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "app.py"], cwd=ROOT, env=env, stdout=subprocess.DEVNULL
    )
    try:
        while time.perf_counter() - started < GIVE_UP_S:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/login") as page:
                    page.read()
                    return time.perf_counter() - started
            except OSError:
                if process.poll() is not None:
                    raise RuntimeError("the program ended while starting") from None
                time.sleep(0.05)
        raise RuntimeError("no page within the time allowed")
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=30)
