"""A private Mosquitto for one test: loopback, own folder, own port, shipped rules.

The broker runs the very configuration that is shipped, with its paths, port and the
names of its TLS files put in.
"""

from __future__ import annotations

import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.postgres import free_port

SHIPPED = Path(__file__).parents[1] / "deploy" / "mosquitto"
START_TIMEOUT_S = 15.0
PASSWORD = "correct horse"


@dataclass
class Broker:
    """A broker that runs, and how to reach it."""

    folder: Path
    port: int
    process: subprocess.Popen | None = field(default=None, repr=False)

    @property
    def password_file(self) -> Path:
        """The password of every user, as the settings take it."""
        return self.folder / "password"

    def start(self) -> None:
        """Start it, and wait until it listens."""
        log = (self.folder / "log").open("ab")
        self.process = subprocess.Popen(
            [_program("mosquitto"), "-c", self.folder / "mosquitto.conf", "-v"],
            stdout=log, stderr=log,
        )  # fmt: skip
        log.close()
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline and self.process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise RuntimeError(f"Mosquitto did not start: {self.log()[-2000:]}")

    def stop(self, how: int = signal.SIGTERM) -> None:
        """Stop it, or kill it."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(timeout=START_TIMEOUT_S)
        self.process = None

    def log(self) -> str:
        """What it has said."""
        return (self.folder / "log").read_text(errors="replace")


@contextmanager
def broker(
    users: Sequence[str], tls: Path | None = None, *, demo: bool = False
) -> Iterator[Broker]:
    """Start a broker that knows these users; all have the same password.

    Args:
        users: their names.
        tls: folder with ``ca.crt``, ``broker.crt`` and ``broker.key``: the listener
            asks for certificates then, as the commented part of the file says.
        demo: the rules for simulated heaters count, which are commented out.
    """
    folder = Path(tempfile.mkdtemp(prefix="iotsphere-mqtt-"))
    running = Broker(folder, free_port())
    try:
        running.password_file.write_text(PASSWORD + "\n")
        rules = (SHIPPED / "acl").read_text()
        if demo:
            rules = re.sub(r"^#(user|topic) ", r"\1 ", rules, flags=re.M)
        (folder / "acl").write_text(rules)
        _passwords(folder / "passwords", users)
        (folder / "mosquitto.conf").write_text(_configured(folder, running.port, tls))
        _hand_over(folder)
        running.start()
        yield running
    finally:
        running.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _configured(folder: Path, port: int, tls: Path | None) -> str:
    """The shipped configuration with this broker's own paths and port."""
    shipped = (SHIPPED / "mosquitto.conf").read_text()
    text = shipped.replace("/var/lib/mosquitto/", f"{folder}/")
    if tls is not None:
        text = text.replace("listener 1883 127.0.0.1\n", "")
        for name in ("listener", "cafile", "certfile", "keyfile", "tls_version",
                     "require_certificate", "use_identity_as_username"):  # fmt: skip
            text = re.sub(rf"^#{name} ", f"{name} ", text, flags=re.M)
        text = text.replace("/etc/mosquitto/tls/", f"{tls}/")
        text = text.replace("listener 8883\n", f"listener {port} 127.0.0.1\n")
    text = text.replace("listener 1883 ", f"listener {port} ")
    return text.replace("/etc/mosquitto/", f"{folder}/")


def _passwords(file: Path, users: Sequence[str]) -> None:
    file.write_text("".join(f"{user}:{PASSWORD}\n" for user in users))
    if users:
        subprocess.run([_program("mosquitto_passwd"), "-U", file], check=True)


def _hand_over(folder: Path) -> None:
    """Started as root, Mosquitto becomes the user of its name."""
    folder.chmod(0o755)
    if os.geteuid() != 0:
        return
    group = pwd.getpwnam("mosquitto").pw_gid
    for path in (folder, *folder.iterdir()):
        shutil.chown(path, "mosquitto", group)


def _program(name: str) -> str:
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if found is None:
        raise RuntimeError(f"{name} is not installed: run `make test`")
    return found
