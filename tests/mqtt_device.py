"""A device at the other end of the broker, for tests: a real client, no mock."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

from tests.mosquitto import PASSWORD

WITHIN_S = 20.0


def until(fact: Callable[[], Any], within_s: float = WITHIN_S) -> Any:
    """Wait until something holds, and give it."""
    deadline = time.monotonic() + within_s
    while not (found := fact()):
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.02)
    return found


class MqttDevice:
    """Signs in under its id, hears its topics and says what it is told to say."""

    def __init__(
        self,
        device_id: str,
        port: int,
        password: str | None = PASSWORD,
        tls: tuple[Path, Path, Path] | None = None,
        will: bool = False,
    ) -> None:
        self.id = device_id
        self.heard: list[tuple[str, bytes, bool]] = []
        self.confirmed: dict[int, int] = {}
        self.refused = ""
        self.obeys = False
        self._seq = 0
        self.client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id=device_id, protocol=paho.MQTTv5
        )
        if password is not None:
            self.client.username_pw_set(device_id, password)
        if tls is not None:
            self.client.tls_set(*map(str, tls))
        if will:
            gone = json.dumps({"online": False, "session": 1})
            self.client.will_set(self.own("status"), gone, qos=1, retain=True)
        self.client.on_message = self._on_message
        self.client.on_publish = self._on_publish
        self.client.on_connect_fail = self._on_fail
        self.client.on_connect = self._on_connect
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()

    def __enter__(self) -> MqttDevice:
        until(lambda: self.client.is_connected() or self.refused)
        return self

    def __exit__(self, *_exc: object) -> None:
        self.client.disconnect()
        self.client.loop_stop()

    def own(self, place: str) -> str:
        """One of its own topics."""
        return f"iot/v1/{self.id}/{place}"

    def say(self, topic: str, body: object, *, retain: bool = False) -> int:
        """Publish and wait for the broker's answer; its reason code."""
        payload = body if isinstance(body, bytes) else json.dumps(body)
        mid = self.client.publish(topic, payload, qos=1, retain=retain).mid
        until(lambda: mid in self.confirmed)
        return self.confirmed[mid]

    def send(self, topic: str, body: object) -> None:
        """Publish without waiting."""
        self.client.publish(topic, json.dumps(body), qos=1)

    def hear(self, topic: str) -> None:
        """Subscribe."""
        self.client.subscribe(topic, qos=1)

    def obey(self) -> None:
        """From now on take every command and report that it is done."""
        self.obeys = True
        self.hear(self.own("cmd"))

    def topics(self) -> set[str]:
        """Where what it has heard was published."""
        return {topic for topic, _payload, _retained in self.heard}

    def _on_message(self, _client: Any, _data: Any, message: Any) -> None:
        self.heard.append((message.topic, message.payload, bool(message.retain)))
        if not self.obeys or not message.topic.endswith("/cmd"):
            return
        told = json.loads(message.payload)
        self.send(self.own("cmd/ack"), {"id": told["id"], "state": "accepted"})
        self._seq += 1
        self.send(
            self.own("reported"),
            {"version": told["version"], "session": 1, "seq": self._seq,
             "state": {told["key"]: told["value"]}},
        )  # fmt: skip

    def _on_publish(
        self, _client: Any, _data: Any, mid: int, code: Any, _told: Any
    ) -> None:
        self.confirmed[mid] = code.value

    def _on_fail(self, _client: Any, _data: Any) -> None:
        self.refused = "no connection"

    def _on_connect(
        self, _client: Any, _data: Any, _flags: Any, code: Any, _told: Any
    ) -> None:
        if code.is_failure:
            self.refused = str(code)
