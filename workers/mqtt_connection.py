"""One connection to the broker, driven by whoever owns it: no thread of its own.

What has been read waits in ``received`` until it is acknowledged. A lost connection
is never mended here: its unacknowledged messages come again on the next one.
"""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from settings import Settings

TOPICS = (
    # A birth says that its device is there, and its status may say that it has gone
    # since: retained messages come in this order, so the status has the last word.
    "iot/v1/+/birth",
    "iot/v1/+/status",
    "iot/v1/+/telemetry",
    "iot/v1/+/reported",
    "iot/v1/+/cmd/ack",
    "v1/devices/+/telemetry",
    "iot/v1/+/wish/+",
)
SESSION_S = 7 * 86_400
"""The broker keeps what comes for us this long while we are away."""
KEEPALIVE_S = 60
MOST_UNACKNOWLEDGED = 65_535
MOST_UNDERWAY = 200
"""Messages of ours that may wait for the broker's acknowledgement at once."""
ANSWER_WITHIN_S = 10.0


class NotConnected(Exception):
    """The broker cannot be reached, or will not have us; the message says why."""


class Incoming(NamedTuple):
    """A message as it came; ``number`` is what its acknowledgement names."""

    topic: str
    payload: bytes
    number: int
    qos: int


class Connection:
    """A session of ours at the broker, resumed.

    Args:
        settings: where the broker is, and who we are there.
        topics: what we hear.
        session_s: how long the broker keeps what comes while we are away; 0 = each
            connection starts afresh.
    """

    def __init__(
        self,
        settings: Settings,
        topics: Sequence[str] = TOPICS,
        session_s: int = SESSION_S,
    ) -> None:
        self.received: list[Incoming] = []
        self.confirmed: list[tuple[int, int]] = []
        """Our messages the broker has answered: number and reason code."""
        self.window = MOST_UNDERWAY
        self.subscribed = False
        """Whether what devices send from now on reaches us, or waits for us."""
        self._settings = settings
        self._topics = topics
        self._session_s = session_s
        self._connected = False
        self._problem = ""
        self._client = self._made()

    @property
    def alive(self) -> bool:
        """Whether it can still be used."""
        return self._connected

    @property
    def problem(self) -> str:
        """Why it ended."""
        return self._problem or "the connection was lost"

    def open(self) -> None:
        """Connect and resume our session; refused subscriptions end it later.

        Raises:
            NotConnected: it did not come about; the message says why.
        """
        options = _properties(PacketTypes.CONNECT)
        options.SessionExpiryInterval = self._session_s
        options.ReceiveMaximum = MOST_UNACKNOWLEDGED
        try:
            self._client.connect(
                self._settings.mqtt_host or "",
                self._settings.mqtt_port,
                keepalive=KEEPALIVE_S,
                clean_start=self._session_s == 0,
                properties=options,
            )
        except (OSError, ssl.SSLError, ValueError) as error:
            raise NotConnected(str(error) or type(error).__name__) from error
        deadline = time.monotonic() + ANSWER_WITHIN_S
        while not self._connected and not self._problem:
            if time.monotonic() > deadline:
                self._problem = f"no answer within {ANSWER_WITHIN_S:g} s"
            self.pump(0.1, 1)
        if not self._connected:
            self.close()
            raise NotConnected(self._problem)

    def pump(self, timeout_s: float, most: int) -> None:
        """Write what waits and read up to ``most`` messages, waiting for the first."""
        client = self._client
        sock = client.socket()
        if sock is None:
            self._connected = False
            return
        # What TLS has decrypted already no select sees.
        if not (isinstance(sock, ssl.SSLSocket) and sock.pending()):
            writes = [sock] if client.want_write() else []
            readable, writable, _ = select.select([sock], writes, [], timeout_s)
            if writable:
                client.loop_write()
            if not readable:
                client.loop_misc()
                return
        goal = len(self.received) + most
        while len(self.received) < goal:
            before = len(self.received)
            if client.loop_read() != MQTTErrorCode.MQTT_ERR_SUCCESS:
                break
            if len(self.received) == before:
                break  # nothing whole is left, or it was no message
        client.loop_misc()

    def acknowledge(self, messages: Iterable[Incoming]) -> None:
        """Tell the broker that these are ours now."""
        with self._together():
            for message in messages:
                if message.qos > 0 and self._connected:
                    self._client.ack(message.number, message.qos)

    def publish(
        self, topic: str, payload: bytes, *, retain: bool, expires_s: int | None = None
    ) -> int:
        """Send a message that the broker confirms; its number in ``confirmed``."""
        options = _properties(PacketTypes.PUBLISH)
        if expires_s is not None:
            options.MessageExpiryInterval = expires_s
        return self._client.publish(topic, payload, 1, retain, options).mid

    def close(self) -> None:
        """Leave; the broker keeps our session."""
        with contextlib.suppress(OSError, ValueError):
            self._client.disconnect()
            self._client.loop_write()
        self._connected = False

    @contextlib.contextmanager
    def _together(self) -> Iterator[None]:
        """Let small packets leave in few segments, where the system can hold them."""
        sock = self._client.socket()
        _hold(sock, 1)
        yield
        self._client.loop_write()
        if self._client.socket() is sock:
            _hold(sock, 0)

    def _made(self) -> paho.Client:
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._settings.mqtt_client_id,
            protocol=paho.MQTTv5,
            manual_ack=True,
        )
        client.max_inflight_messages_set(MOST_UNDERWAY)
        if self._settings.mqtt_username is not None:
            client.username_pw_set(self._settings.mqtt_username, self._password())
        if self._settings.mqtt_ca_file is not None:
            client.tls_set(
                str(self._settings.mqtt_ca_file),
                certfile=_path(self._settings.mqtt_cert_file),
                keyfile=_path(self._settings.mqtt_key_file),
            )
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_publish = self._on_publish
        client.on_socket_open = _send_at_once
        # With this set, packets wait for loop_write instead of each leaving alone.
        client.on_socket_register_write = _nothing
        return client

    def _password(self) -> str | None:
        file = self._settings.mqtt_password_file
        if file is None:
            return None
        return file.read_text("utf-8").splitlines()[0]

    def _on_connect(
        self, client: paho.Client, _data: Any, flags: Any, code: Any, told: Any
    ) -> None:
        if code.is_failure:
            self._problem = f"the broker refuses us: {code}"
            return
        # Not only when the subscriptions are confirmed: that comes behind all the
        # messages that have waited for us.
        self._connected = True
        self.subscribed = bool(flags.session_present)
        self.window = min(MOST_UNDERWAY, getattr(told, "ReceiveMaximum", MOST_UNDERWAY))
        fresh = SubscribeOptions(
            qos=1, retainHandling=SubscribeOptions.RETAIN_SEND_IF_NEW_SUB
        )
        client.subscribe([(topic, fresh) for topic in self._topics])

    def _on_subscribe(
        self, _client: paho.Client, _data: Any, _mid: int, codes: Any, _told: Any
    ) -> None:
        answers = zip(self._topics, codes, strict=True)
        refused = [topic for topic, code in answers if code.is_failure]
        if refused:
            self._problem = f"the broker does not let us hear {', '.join(refused)}"
            self._connected = False
        self.subscribed = not refused

    def _on_disconnect(
        self, _client: paho.Client, _data: Any, _flags: Any, code: Any, _told: Any
    ) -> None:
        self._connected = False
        self._problem = self._problem or f"the connection ended: {code}"

    def _on_message(self, _client: paho.Client, _data: Any, message: Any) -> None:
        # Not the message itself: it drags along a hundred objects for options that
        # nobody set, which makes the collector of garbage the slowest part.
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = "(not UTF-8)"
        incoming = Incoming(topic, message.payload, message.mid, message.qos)
        self.received.append(incoming)

    def _on_publish(
        self, _client: paho.Client, _data: Any, mid: int, code: Any, _told: Any
    ) -> None:
        self.confirmed.append((mid, code.value))


def _properties(packet: int) -> Any:
    """Options of one kind of packet; the library gives them no types."""
    return Properties(packet)  # type: ignore[no-untyped-call]


def _send_at_once(_client: paho.Client, _data: Any, sock: Any) -> None:
    """Commands are small: they do not wait for company."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _hold(sock: Any, on: int) -> None:
    """Hold packets back until a segment is full, on systems that can; or let go."""
    cork = getattr(socket, "TCP_CORK", None)
    if sock is not None and cork is not None:
        sock.setsockopt(socket.IPPROTO_TCP, cork, on)


def _nothing(_client: paho.Client, _data: Any, _sock: Any) -> None:
    """Whoever pumps asks ``want_write`` itself."""


def _path(path: Any) -> str | None:
    return None if path is None else str(path)
