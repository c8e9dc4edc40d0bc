"""The part of the worker that talks MQTT: takes messages, and hands commands over.

One thread does both, in turns. Messages are read in batches, stored, and acknowledged
after the commit; while the database is slow nothing is read, and the broker keeps
what waits: at most one batch is ever in memory.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from threading import Event

import structlog

from data.link_store import LinkStore
from data.session import store_unavailable
from services.ingest import Ingest, Taken
from settings import Settings
from workers.mqtt_connection import Connection, Incoming, NotConnected
from workers.mqtt_discovery import Discovery
from workers.mqtt_sender import Sender

BATCH = 1_000
FLUSH_AFTER_S = 0.25
WAIT_S = 0.05
STATUS_EVERY_S = 2.0
TRIES_S = (0.5, 1.0, 2.0, 4.0)
"""Rests between tries to store the same batch; then the broker gets it back."""
FIRST_REST_S, LONGEST_REST_S = 0.5, 30.0
NAMES_SHOWN, NAMES_KEPT = 10, 1_000
log = structlog.get_logger()


class MqttLoop:
    """Stays connected, stores what devices say and sends what is wished of them."""

    def __init__(
        self,
        settings: Settings,
        ingest: Ingest,
        sender: Sender,
        links: LinkStore,
        clock: Callable[[], datetime],
        discovery: Discovery | None = None,
    ) -> None:
        self._settings = settings
        self._ingest = ingest
        self._sender = sender
        self._discovery = discovery
        self._links = links
        self._clock = clock
        self._totals = Taken()
        self._received = 0
        self._waiting = 0
        self._full_batches = 0
        self._commit_ms = 0.0
        self._problem = "not connected yet"
        self._told_at = 0.0
        self._told_connected = False
        self._rest_s = FIRST_REST_S

    def run(self, stop: Event) -> None:
        """Work until ``stop`` is set; a broker that is away is waited for."""
        while not stop.is_set():
            connection = Connection(self._settings)
            try:
                connection.open()
                self._connected()
                self._work(connection, stop)
                if not stop.is_set():
                    self._lost(connection.problem)
            except NotConnected as error:
                self._lost(str(error))
            finally:
                connection.close()
            self._rest(stop)
        self._tell(connected=False)

    def _connected(self) -> None:
        self._problem = ""
        self._sender.forget()
        if self._discovery is not None:
            self._discovery.forget()
        log.info("broker connected", broker=self._broker)

    def _lost(self, problem: str) -> None:
        """Say it once, not at each try."""
        if problem != self._problem:
            log.warning("broker away", broker=self._broker, problem=problem)
        self._problem = problem

    @property
    def _broker(self) -> str:
        return f"{self._settings.mqtt_host}:{self._settings.mqtt_port}"

    def _work(self, connection: Connection, stop: Event) -> None:
        since: float | None = None
        while connection.alive and not stop.is_set():
            connection.pump(WAIT_S, BATCH - len(connection.received))
            waiting = len(connection.received)
            now = time.monotonic()
            since = None if not waiting else now if since is None else since
            full = waiting >= BATCH
            if since is not None and (full or now - since >= FLUSH_AFTER_S):
                self._full_batches += full
                self._flush(connection, stop)
                since = None
            self._tend(lambda: self._sender.step(connection))
            if (told := self._discovery) is not None:
                self._tend(lambda: told.step(connection))
            self._waiting = len(connection.received)
            news = connection.subscribed != self._told_connected
            if news or now - self._told_at >= STATUS_EVERY_S:
                self._tell(connected=connection.subscribed)
                self._rest_s = FIRST_REST_S
        if connection.alive:
            self._flush(connection, stop)

    def _flush(self, connection: Connection, stop: Event) -> None:
        """Store what was read, then acknowledge it, never the other way round."""
        waiting = connection.received
        batch, connection.received = waiting[:BATCH], waiting[BATCH:]
        if not batch:
            return
        begun = time.perf_counter()
        taken = self._stored(batch, stop)
        self._commit_ms = (time.perf_counter() - begun) * 1_000
        connection.acknowledge(batch)
        self._received += len(batch)
        self._totals.add(taken)
        if len(self._totals.unknown) > NAMES_KEPT:  # a sender may make up names
            few = self._totals.unknown.most_common(NAMES_KEPT // 2)
            self._totals.unknown = Counter(dict(few))

    def _stored(self, batch: Sequence[Incoming], stop: Event) -> Taken:
        messages = [(message.topic, message.payload) for message in batch]
        for rest_s in (*TRIES_S, None):
            try:
                return self._ingest.take(messages)
            except Exception as error:
                if not store_unavailable(error):
                    raise
                log.exception("database away", messages=len(messages))
                if rest_s is None or stop.wait(rest_s):
                    break
        raise NotConnected("the database cannot be written: the broker keeps messages")

    def _tend(self, task: Callable[[], None]) -> None:
        """Do what can be done again later, if the database is away now."""
        try:
            task()
        except Exception as error:
            if not store_unavailable(error):
                raise
            log.exception("database away")

    def _rest(self, stop: Event) -> None:
        """Wait before the next try, longer each time; clocks go on meanwhile."""
        until = time.monotonic() + self._rest_s
        self._rest_s = min(LONGEST_REST_S, self._rest_s * 2)
        self._tell(connected=False)
        while time.monotonic() < until and not stop.wait(0.2):
            self._tend(self._sender.look_at_clock)
            if time.monotonic() - self._told_at >= STATUS_EVERY_S:
                self._tell(connected=False)

    def _tell(self, *, connected: bool) -> None:
        self._told_at, self._told_connected = time.monotonic(), connected
        totals = self._totals
        common = totals.unknown.most_common(NAMES_SHOWN)
        facts = {
            "connected": connected,
            "broker": self._broker,
            "problem": self._problem,
            "waiting": self._waiting,
            "full_batches": self._full_batches,
            "received": self._received,
            "stored": totals.readings,
            "duplicates": totals.duplicates,
            "flagged": totals.flagged,
            "rejected": totals.rejected,
            "answers": totals.answers,
            "reports": totals.reports,
            "presences": totals.presences,
            "last_commit_ms": round(self._commit_ms, 1),
            "unknown": dict(common),
        }
        self._tend(lambda: self._links.put_status("mqtt", facts, self._clock()))
