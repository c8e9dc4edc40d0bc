"""The shipped broker's rules: one device cannot reach another's topics."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from settings import Settings
from tests.mosquitto import Broker, broker
from tests.mqtt_device import MqttDevice, until
from workers.mqtt_connection import Connection, NotConnected

NOT_AUTHORISED = 135
DEVICE_WRITES = ("birth", "telemetry", "status", "reported", "cmd/ack")
DEVICE_READS = ("desired", "cmd")


@pytest.fixture(scope="module")
def at_broker() -> Iterator[Broker]:
    """A broker with us and two devices."""
    with broker(["iotsphere", "wh-1", "wh-2"]) as running:
        yield running


@pytest.mark.parametrize("place", DEVICE_WRITES)
def test_a_device_writes_its_own_topics_only(at_broker: Broker, place: str) -> None:
    """Its own are taken; another's, and those made for it, are refused."""
    with MqttDevice("wh-2", at_broker.port) as device:
        assert device.say(f"iot/v1/wh-2/{place}", {}) < 128
        assert device.say(f"iot/v1/wh-1/{place}", {}) == NOT_AUTHORISED


@pytest.mark.parametrize(
    "topic",
    ["iot/v1/wh-2/cmd", "iot/v1/wh-2/desired", "iot/v1/wh-1/cmd", "iot/v1/x",
     "v1/devices/wh-1/telemetry", "$SYS/x", "other"],
)  # fmt: skip
def test_a_device_writes_nothing_else(at_broker: Broker, topic: str) -> None:
    """No command to itself or others, no other device's ThingsBoard topic."""
    with MqttDevice("wh-2", at_broker.port) as device:
        assert device.say(topic, {}) == NOT_AUTHORISED


def test_a_device_hears_its_own_commands_only(at_broker: Broker) -> None:
    """Whatever it subscribes to, only what is meant for it arrives."""
    with (
        MqttDevice("wh-1", at_broker.port) as other,
        MqttDevice("wh-2", at_broker.port) as device,
        MqttDevice("iotsphere", at_broker.port) as we,
    ):
        for topic in ("#", "iot/v1/#", "iot/v1/+/desired", "iot/v1/wh-1/cmd"):
            device.hear(topic)
        other.hear("iot/v1/wh-1/cmd")
        for place in DEVICE_WRITES:
            other.say(f"iot/v1/wh-1/{place}", {}, retain=True)
        for place in DEVICE_READS:
            we.say(f"iot/v1/wh-1/{place}", {}, retain=place == "desired")
            we.say(f"iot/v1/wh-2/{place}", {})
        until(lambda: other.heard and len(device.topics()) == 2)

    assert device.topics() == {"iot/v1/wh-2/desired", "iot/v1/wh-2/cmd"}


def test_we_hear_everything_and_write_what_is_for_devices(at_broker: Broker) -> None:
    """The user iotsphere cannot speak as a device."""
    with MqttDevice("iotsphere", at_broker.port) as we:
        for place in DEVICE_READS:
            assert we.say(f"iot/v1/wh-1/{place}", {}) < 128
        for place in DEVICE_WRITES:
            assert we.say(f"iot/v1/wh-1/{place}", {}) == NOT_AUTHORISED


@pytest.mark.parametrize(
    ("user", "password"), [("wh-1", "wrong"), ("nobody", "correct horse"), ("", None)]
)
def test_strangers_stay_out(at_broker: Broker, user: str, password: str | None) -> None:
    """A wrong password, an unknown name and no name at all are refused."""
    with MqttDevice(user, at_broker.port, password) as stranger:
        assert stranger.refused == "Not authorized"


def test_the_broker_keeps_what_the_promise_needs(at_broker: Broker) -> None:
    """More than the 1,000 messages that a broker keeps by default wait for us."""
    settings = Settings(
        secret_key="k7!" + "Zq3xW9vB" * 5, mqtt_host="127.0.0.1",
        mqtt_port=at_broker.port, mqtt_username="iotsphere",
        mqtt_password_file=at_broker.password_file, mqtt_client_id="queue",
    )  # fmt: skip
    first = Connection(settings)
    first.open()
    until(lambda: first.pump(0.1, 1) or first.subscribed)
    first.close()
    with MqttDevice("wh-1", at_broker.port) as device:
        for n in range(1_500):
            device.send(device.own("telemetry"), {"n": n})
        until(lambda: len(device.confirmed) == 1_500)

    again = Connection(settings)
    again.open()
    last = b'{"n": 1499}'
    until(lambda: again.pump(0.1, 50) or last in {m.payload for m in again.received})
    again.close()

    numbered = [m.payload for m in again.received if b"n" in m.payload]
    assert numbered == [b'{"n": %d}' % n for n in range(1_500)]


@pytest.fixture(scope="module")
def authority() -> Iterator[Path]:
    """A folder with an authority, the broker's certificate and three of users."""
    # Not in pytest's own folder: the broker's user may not look into that.
    folder = Path(tempfile.mkdtemp(prefix="iotsphere-tls-"))
    folder.chmod(0o755)

    def openssl(*arguments: str) -> None:
        subprocess.run(
            ["openssl", *arguments], cwd=folder, check=True, capture_output=True
        )

    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.crt", "-days", "2",
            "-subj", "/CN=Authority of the test")  # fmt: skip
    for file, name in (("broker", "127.0.0.1"), ("wh-1", "wh-1"), ("wh-2", "wh-2"),
                       ("iotsphere", "iotsphere")):  # fmt: skip
        (folder / "ext").write_text("subjectAltName=IP:127.0.0.1\n")
        openssl("req", *key, "-keyout", f"{file}.key", "-out", f"{file}.csr",
                "-subj", f"/CN={name}")  # fmt: skip
        openssl("x509", "-req", "-in", f"{file}.csr", "-CA", "ca.crt", "-CAkey",
                "ca.key", "-CAcreateserial", "-out", f"{file}.crt", "-days", "2",
                "-extfile", "ext")  # fmt: skip
    for file in folder.iterdir():
        file.chmod(0o644)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def at_tls_broker(authority: Path) -> Iterator[Broker]:
    """The broker as the commented part of its configuration says."""
    with broker([], tls=authority) as running:
        yield running


def certificate(authority: Path, name: str) -> tuple[Path, Path, Path]:
    """Authority, certificate and key of a user."""
    return (
        authority / "ca.crt",
        authority / f"{name}.crt",
        authority / f"{name}.key",
    )


def test_a_certificate_is_the_name(at_tls_broker: Broker, authority: Path) -> None:
    """A device with a certificate needs no password, and is no other device."""
    tls = certificate(authority, "wh-2")
    with MqttDevice("wh-1", at_tls_broker.port, "any", tls) as device:
        assert device.say("iot/v1/wh-2/telemetry", {}) < 128
        assert device.say("iot/v1/wh-1/telemetry", {}) == NOT_AUTHORISED


def test_our_certificate_opens_the_broker(
    at_tls_broker: Broker, authority: Path
) -> None:
    """The worker's connection comes up with a certificate, and not without."""
    ca, crt, key = certificate(authority, "iotsphere")
    settings = Settings(
        secret_key="k7!" + "Zq3xW9vB" * 5, mqtt_host="127.0.0.1",
        mqtt_port=at_tls_broker.port, mqtt_ca_file=ca, mqtt_cert_file=crt,
        mqtt_key_file=key,
    )  # fmt: skip
    connection = Connection(settings)
    connection.open()
    until(lambda: connection.pump(0.1, 1) or connection.subscribed)
    tls = certificate(authority, "wh-1")
    with MqttDevice("wh-1", at_tls_broker.port, None, tls) as device:
        for _ in range(300):
            device.send(device.own("telemetry"), {"a": "b" * 200})
        until(lambda: connection.pump(0.1, 500) or len(connection.received) == 300)
    connection.close()

    bare = settings.model_copy(update={"mqtt_cert_file": None, "mqtt_key_file": None})
    with pytest.raises(NotConnected):
        Connection(bare).open()
