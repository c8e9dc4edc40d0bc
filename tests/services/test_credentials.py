"""Secrets of devices: issued once, void when replaced, good for HTTP and broker."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from data.records import Device
from services.access import DEVICE_PERMISSIONS, PERMISSIONS, Principal
from services.credentials import Credentials, fits, hashed
from services.errors import Conflict, Forbidden, NotFound, Unauthorized
from tests.conftest import ADMIN, NOW, OPERATOR, VIEWER, Stores


@pytest.fixture
def credentials(stores: Stores, heater: Device) -> Credentials:
    """The service, with one active heater ``wh-1`` registered."""
    return Credentials(
        stores.devices, stores.device_store, stores.links, stores.audit, stores.clock
    )


def refused(credentials: Credentials, device_id: str, secret: str) -> str:
    """What is said to a device that is not let in."""
    with pytest.raises(Unauthorized) as error:
        credentials.check(device_id, secret)
    return str(error.value)


def test_a_secret_opens_for_its_own_device(credentials: Credentials) -> None:
    """The device is known by it, and holds the device permissions and no other."""
    caller = credentials.check("wh-1", credentials.issue(ADMIN, "wh-1"))

    assert caller.device_id == "wh-1"
    assert {name for name in PERMISSIONS if caller.may(name)} == set()
    assert all(caller.may(name) for name in DEVICE_PERMISSIONS)


def test_nobody_but_a_device_holds_its_permission() -> None:
    """Not even an admin speaks for a heater by role."""
    assert not any(who.may("device.self") for who in (VIEWER, OPERATOR, ADMIN))


def test_all_refusals_say_the_same(credentials: Credentials, stores: Stores) -> None:
    """Unknown, wrong, void, revoked and out of use cannot be told apart."""
    stores.add(Device(id="wh-2", name="Two"), Device(id="wh-3", name="Three"))
    old = credentials.issue(ADMIN, "wh-1")
    credentials.issue(ADMIN, "wh-1")
    gone, off = credentials.issue(ADMIN, "wh-2"), credentials.issue(ADMIN, "wh-3")
    credentials.revoke(ADMIN, "wh-2")
    stores.devices.set_life_cycle(ADMIN, "wh-3", "inactive")
    tried = [
        ("wh-1", "wrong"), ("wh-1", ""), ("wh-1", old), ("wh-2", gone), ("wh-3", off),
        ("nobody", old), ("", ""), ("a:b/../c", "x"), ("wh-1", "\ud800" * 9_999),
    ]  # fmt: skip

    assert len({refused(credentials, *pair) for pair in tried}) == 1


def test_only_an_admin_gives_and_takes(credentials: Credentials) -> None:
    """Others are refused, and so is a device itself."""
    device = Principal("device wh-1", ADMIN.role, device_id="wh-1")
    for who in (VIEWER, OPERATOR, device):
        with pytest.raises(Forbidden):
            credentials.issue(who, "wh-1")
        with pytest.raises(Forbidden):
            credentials.revoke(who, "wh-1")
        with pytest.raises(Forbidden):
            credentials.password_file(who)


def test_a_device_out_of_use_gets_none(
    credentials: Credentials, stores: Stores
) -> None:
    """Inactive, removed and unknown devices are refused with the reason."""
    stores.add(Device(id="off", name="Off", life_cycle="inactive"))
    stores.add(Device(id="gone", name="Gone", life_cycle="removed"))
    with pytest.raises(Conflict, match="activate it first"):
        credentials.issue(ADMIN, "off")
    for device_id in ("gone", "nobody"):
        with pytest.raises(NotFound):
            credentials.issue(ADMIN, device_id)
    with pytest.raises(NotFound, match="has no credential"):
        credentials.revoke(ADMIN, "wh-1")


def test_the_secret_stands_nowhere(credentials: Credentials, stores: Stores) -> None:
    """Neither database nor audit nor event log holds it; the audit says who did it."""
    secret = credentials.issue(ADMIN, "wh-1")
    credentials.revoke(ADMIN, "wh-1")
    secrets = [secret, credentials.issue(ADMIN, "wh-1")]
    bytes_kept = b"".join(
        file.read_bytes() for file in stores.settings.home_dir.rglob("*.db*")
    )
    actions = [line.action for line in stores.audit.lines(ADMIN, limit=3)]

    assert bytes_kept
    assert not any(one.encode() in bytes_kept for one in secrets)
    assert actions == [
        "device.credential_issued",
        "device.credential_revoked",
        "device.credential_issued",
    ]


def test_use_is_noted_once_a_minute(credentials: Credentials, stores: Stores) -> None:
    """What an admin reads is at most a minute old, and polls cost no write."""
    secret = credentials.issue(ADMIN, "wh-1")
    for _ in range(3):
        credentials.check("wh-1", secret)
        stores.clock.forward(seconds=25)
    view = credentials.view(ADMIN, "wh-1")
    assert view is not None
    assert view.used_at == NOW

    credentials.check("wh-1", secret)
    later = credentials.view(ADMIN, "wh-1")
    assert later is not None
    assert later.used_at == stores.clock()


def test_hashes_are_salted_and_of_mosquittos_form() -> None:
    """Two hashes of one secret differ, both fit it and nothing else."""
    one, other = hashed("s" * 43), hashed("s" * 43)

    assert one != other
    assert one.startswith("$7$101$")
    assert fits(one, "s" * 43)
    assert not fits(one, "s" * 42)


def test_the_password_file_has_the_devices_in_use(
    credentials: Credentials, stores: Stores
) -> None:
    """A deactivated device is left out, its secret kept for its return."""
    stores.add(Device(id="wh-2", name="Two", life_cycle="pending"))
    credentials.issue(ADMIN, "wh-1")
    credentials.issue(ADMIN, "wh-2")
    stores.devices.set_life_cycle(ADMIN, "wh-1", "inactive")
    assert [line.split(":")[0] for line in lines(credentials)] == ["wh-2"]

    stores.devices.set_life_cycle(ADMIN, "wh-1", "active")
    assert [line.split(":")[0] for line in lines(credentials)] == ["wh-1", "wh-2"]


def lines(credentials: Credentials) -> list[str]:
    """The password file's lines."""
    return credentials.password_file(ADMIN).splitlines()


@contextmanager
def broker(folder: Path, passwords: str) -> Iterator[int]:
    """Mosquitto with a password file; its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    file = folder / "passwords"
    file.write_text(passwords)
    file.chmod(0o600)
    config = folder / "mosquitto.conf"
    config.write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous false\npassword_file {file}\n"
        f"user {Path('/proc/self').owner()}\n"
    )
    command = [shutil.which("mosquitto") or "/usr/sbin/mosquitto", "-c", str(config)]
    running = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        yield port
    finally:
        running.terminate()
        running.wait(10)


def connack(port: int, user: str, secret: str) -> int:
    """The broker's answer to an MQTT 3.1.1 CONNECT: 0 = let in, 5 = refused."""

    def text(value: str) -> bytes:
        return len(value).to_bytes(2, "big") + value.encode()

    body = text("MQTT") + bytes([4, 0xC2, 0, 60]) + text("c-" + user)
    body += text(user) + text(secret)
    deadline = time.monotonic() + 10
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), 5) as line:
                line.sendall(bytes([0x10, len(body)]) + body)
                return line.recv(4)[3]
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


@pytest.mark.skipif(
    not (shutil.which("mosquitto") or Path("/usr/sbin/mosquitto").exists()),
    reason="mosquitto is not installed",
)
def test_the_broker_takes_the_same_secret(
    credentials: Credentials, tmp_path: Path
) -> None:
    """Mosquitto reads the file and lets in who shows the secret, and nobody else."""
    secret = credentials.issue(ADMIN, "wh-1")
    with broker(tmp_path, credentials.password_file(ADMIN)) as port:
        assert connack(port, "wh-1", secret) == 0
        assert connack(port, "wh-1", secret[:-1]) == 5
        assert connack(port, "wh-2", secret) == 5


def test_a_pending_device_may_get_ready(
    credentials: Credentials, stores: Stores
) -> None:
    """A device that is set up before it is active already shows its secret."""
    stores.add(replace(Device(id="new", name="New"), life_cycle="pending"))

    assert credentials.check("new", credentials.issue(ADMIN, "new")).device_id == "new"
