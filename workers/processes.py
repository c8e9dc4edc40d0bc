"""Web and worker as two processes on one machine: one Ctrl-C ends both."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import FrameType

from settings import Settings

ROOT = Path(__file__).parent.parent
STOP_WITHIN_S = 10.0
READY_WITHIN_S = 60.0
POLL_S = 0.2


def environment(settings: Settings) -> dict[str, str]:
    """The settings as the variables a child process reads them from."""
    own = {
        f"IOTSPHERE_{name.upper()}": _text(value)
        for name, value in settings
        if value is not None
    }
    return {**os.environ, **own}


def _text(value: object) -> str:
    secret = getattr(value, "get_secret_value", None)
    return str(secret() if secret is not None else value)


def web_command(settings: Settings) -> list[str]:
    """The command line of the web server."""
    return [
        sys.executable, "-m", "gunicorn", "app:wsgi()",
        "--bind", f"{settings.host}:{settings.port}",
        "--workers", str(settings.web_workers),
        "--worker-class", "gthread", "--threads", str(settings.web_threads),
        "--graceful-timeout", str(int(STOP_WITHIN_S) - 2), "--log-level", "warning",
    ]  # fmt: skip


def worker_command() -> list[str]:
    """The command line of the worker."""
    return [sys.executable, str(ROOT / "cli.py"), "worker"]


def start(
    settings: Settings, commands: list[list[str]]
) -> list[subprocess.Popen[bytes]]:
    """Start processes in groups of their own, so that Ctrl-C reaches only us."""
    return [
        subprocess.Popen(  # noqa: S603 - our own programs
            command, cwd=ROOT, env=environment(settings), start_new_session=True
        )
        for command in commands
    ]


def wait_ready(settings: Settings, processes: list[subprocess.Popen[bytes]]) -> str:
    """Wait until the web server answers; else why it does not, for people."""
    address = f"http://{settings.host}:{settings.port}/api/v1/health"
    deadline = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline:
        if any(process.poll() is not None for process in processes):
            return "a process ended while starting; its reason stands above"
        try:
            with urllib.request.urlopen(address, timeout=2):
                return ""
        except (urllib.error.URLError, OSError):
            time.sleep(POLL_S)
    return f"the web server did not answer within {READY_WITHIN_S:g} s"


def supervise(processes: list[subprocess.Popen[bytes]]) -> int:
    """Wait until one process ends or we are told to stop, then end them all."""
    asked = False

    def ask(_number: int, _frame: FrameType | None) -> None:
        nonlocal asked
        asked = True

    signal.signal(signal.SIGTERM, ask)
    signal.signal(signal.SIGINT, ask)
    while not asked and all(process.poll() is None for process in processes):
        time.sleep(POLL_S)
    statuses = [process.poll() for process in processes]
    stop(processes)
    failed = [status for status in statuses if status is not None]
    return 0 if asked else (failed[0] or 1)


def stop(processes: list[subprocess.Popen[bytes]]) -> None:
    """Ask the processes to end, and end those that do not."""
    for process in processes:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
    for process in processes:
        try:
            process.wait(timeout=STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
