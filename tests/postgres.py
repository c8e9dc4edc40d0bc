"""A private PostgreSQL cluster for one test run: loopback, own folder, own port."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

START_TIMEOUT_S = 30.0


def free_port() -> int:
    """A loopback port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _binaries() -> Path:
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not folders:
        raise RuntimeError("PostgreSQL is not installed: run `make test`")
    return folders[-1].parent


def _user() -> dict[str, object]:
    """PostgreSQL refuses to run as root: use its own user then."""
    if os.geteuid() != 0:
        return {}
    return {"user": "postgres", "group": pwd.getpwnam("postgres").pw_gid, "cwd": "/"}


@contextmanager
def cluster() -> Iterator[str]:
    """Start a cluster; the address of its ``postgres`` database without the driver."""
    folder = Path(tempfile.mkdtemp(prefix="iotsphere-pg-"))
    who = _user()
    if who:
        shutil.chown(folder, "postgres", who["group"])
    binaries, port = _binaries(), free_port()
    data = folder / "data"
    subprocess.run(
        [binaries / "initdb", "-D", data, "-U", "postgres", "-A", "trust",
         "-E", "UTF8"],
        check=True, capture_output=True, **who,
    )  # fmt: skip
    options = f"-h 127.0.0.1 -p {port} -k {folder} -F"
    log = (folder / "log").open("wb")
    server = subprocess.Popen(
        [binaries / "postgres", "-D", data, *options.split()],
        stdout=log, stderr=log, **who,
    )  # fmt: skip
    try:
        _wait(binaries, port, server, folder / "log")
        yield f"127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(timeout=START_TIMEOUT_S)
        log.close()
        shutil.rmtree(folder, ignore_errors=True)


def _wait(binaries: Path, port: int, server: subprocess.Popen, log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        ready = subprocess.run(
            [binaries / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)],
            check=False,
        )
        if ready.returncode == 0:
            return
        if server.poll() is not None:
            break
        time.sleep(0.1)
    raise RuntimeError(f"PostgreSQL did not start: {log.read_text()[-2000:]}")
