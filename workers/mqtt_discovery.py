"""Tells Home Assistant, at the same broker, which heaters there are."""

from __future__ import annotations

import time

from data.device_store import DeviceStore
from services import home_assistant
from workers.mqtt_connection import Connection

LOOK_EVERY_S = 10.0
MOST_AT_ONCE = 50


class Discovery:
    """Keeps one retained document for each heater fresh."""

    def __init__(self, store: DeviceStore) -> None:
        self._store = store
        self._seen: object = None
        self._next = 0.0
        self._told: dict[str, bytes] = {}
        self._due: dict[str, bytes] = {}

    def forget(self) -> None:
        """Start on a new connection: everything is told anew."""
        self._seen, self._next = None, 0.0
        self._told, self._due = {}, {}

    def step(self, connection: Connection) -> None:
        """Publish what has changed, a few documents at a time."""
        now = time.monotonic()
        if now >= self._next:
            self._next = now + LOOK_EVERY_S
            self._look()
        for device_id in list(self._due)[:MOST_AT_ONCE]:
            document = self._due.pop(device_id)
            connection.publish(home_assistant.topic(device_id), document, retain=True)
            self._told[device_id] = document

    def _look(self) -> None:
        version = self._store.version()
        if version == self._seen:
            return
        self._seen = version
        known = {device.id: device for device in self._store.all()}
        for device_id in self._store.intervals():
            device = known.get(device_id)
            document = home_assistant.document(device) if device else b""
            if self._told.get(device_id) != document:
                self._due[device_id] = document
