"""The simulated heaters at the broker: one client that speaks for all of them.

A client has one will, so these heaters have none: stopped well, each of them says that
it has gone; killed, their silence says so (they are shown as stale).
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from threading import Event

import pandas as pd
import structlog

from services.demo_line import Clock, DemoSchedule
from services.demo_messages import Said, heard, readings, said
from settings import Settings
from workers.mqtt_connection import Connection, NotConnected
from workers.mqtt_sender import FAILED, NOBODY

WAIT_S = 0.05
BATCH = 200
CARRIED_WITHIN_S = 3.0
"""Readings that the broker has not confirmed by then are stored in-process."""
LEAVE_WITHIN_S = 2.0
FIRST_REST_S, LONGEST_REST_S = 0.5, 30.0
log = structlog.get_logger()


@dataclass
class _Readings:
    """Readings on their way; ``done`` is set when it is known what became of them."""

    messages: list[Said]
    waiting: set[int] = field(default_factory=set)
    good: bool = True
    done: Event = field(default_factory=Event)

    def end(self, good: bool) -> None:
        """Let the one who waits go on."""
        self.good = good
        self.done.set()


class DemoRadio:
    """Carries what simulated heaters hear and say over the broker, as theirs would."""

    def __init__(
        self, settings: Settings, schedule: DemoSchedule, clock: Clock
    ) -> None:
        name = f"{settings.mqtt_client_id}-demo"
        self._settings = settings.model_copy(update={"mqtt_client_id": name})
        self._schedule = schedule
        self._clock = clock
        self._given: SimpleQueue[_Readings] = SimpleQueue()
        self._underway: dict[int, _Readings] = {}
        self._on_air = False
        self.problem = ""
        """Why they are not at the broker, or not heard there; empty = they are."""
        self._rest_s = FIRST_REST_S

    def carry(self, frame: pd.DataFrame) -> bool:
        """Send readings; whether the broker took all of them for somebody.

        Called by another thread than the one that runs.
        """
        if not self._on_air:
            return False
        given = _Readings(readings(frame))
        self._given.put(given)
        return given.done.wait(CARRIED_WITHIN_S) and given.good

    def run(self, stop: Event) -> None:
        """Work until ``stop`` is set; a broker that is away is waited for."""
        # Each by its name: with a wildcard we would be somebody who hears real devices.
        topics = [f"iot/v1/{device_id}/cmd" for device_id in self._schedule.ids]
        while not stop.is_set():
            connection = Connection(self._settings, topics, session_s=0)
            try:
                connection.open()
                self._work(connection, stop)
                if not stop.is_set():
                    self._lost(connection.problem)
            except NotConnected as error:
                self._lost(str(error))
            finally:
                self._end_readings()
                connection.close()
            if not stop.wait(self._rest_s):
                self._rest_s = min(LONGEST_REST_S, self._rest_s * 2)

    def _work(self, connection: Connection, stop: Event) -> None:
        self._schedule.reopen()
        while connection.alive and not stop.is_set():
            connection.pump(WAIT_S, BATCH)
            self._settle(connection)
            if not connection.subscribed:
                continue  # who says that it is there must hear what comes then
            if not self._on_air:
                self._on_air, self.problem = True, ""
                log.info("simulated heaters are at the broker")
            self._hear(connection)
            self._say(connection)
            self._send_readings(connection)
        if connection.alive:
            self._leave(connection)

    def _hear(self, connection: Connection) -> None:
        came, connection.received = connection.received, []
        now = self._clock()
        commands = [heard(message.topic, message.payload, now) for message in came]
        self._schedule.tell(command for command in commands if command)
        connection.acknowledge(came)

    def _say(self, connection: Connection) -> None:
        for message in self._schedule.due():
            for one in said(message):
                connection.publish(one.topic, one.payload, retain=one.retain)
        # What the connection loses now is made up for as with any device: by the
        # report after the next birth, and by commands that are told again.
        self._schedule.done()

    def _send_readings(self, connection: Connection) -> None:
        for given in self._taken():
            for one in given.messages:
                mid = connection.publish(one.topic, one.payload, retain=one.retain)
                given.waiting.add(mid)
                self._underway[mid] = given

    def _taken(self) -> Iterator[_Readings]:
        """What waits to be sent."""
        with contextlib.suppress(Empty):
            while True:
                yield self._given.get_nowait()

    def _settle(self, connection: Connection) -> None:
        """Take the broker's confirmations; what it refuses is said once."""
        answers, connection.confirmed = connection.confirmed, []
        for mid, code in answers:
            if code >= FAILED:
                self._lost("it refuses what simulated heaters say: see its access list")
            else:
                self._rest_s = FIRST_REST_S
            given = self._underway.pop(mid, None)
            if given is None:
                continue
            given.waiting.discard(mid)
            given.good = given.good and code < NOBODY
            if not given.waiting:
                given.end(given.good)

    def _end_readings(self) -> None:
        """Whoever waits for a lost connection stores its readings in-process."""
        self._on_air = False
        for given in (*self._underway.values(), *self._taken()):
            given.end(good=False)
        self._underway.clear()

    def _leave(self, connection: Connection) -> None:
        """Say for each heater that it has gone, and wait until the broker has it."""
        left = set(self._underway)
        for message in self._schedule.farewells():
            for one in said(message):
                left.add(connection.publish(one.topic, one.payload, retain=one.retain))
        deadline = time.monotonic() + LEAVE_WITHIN_S
        while left and connection.alive and time.monotonic() < deadline:
            connection.pump(WAIT_S, BATCH)
            left -= {mid for mid, _code in connection.confirmed}
            self._settle(connection)

    def _lost(self, problem: str) -> None:
        """Say it once, not at each try."""
        if problem != self.problem:
            log.warning("simulated heaters are off the broker", problem=problem)
        self.problem = problem
