"""The live half of the demo fleet: simulated heaters that report every few seconds."""

from __future__ import annotations

from datetime import datetime, timedelta
from threading import Event

import structlog

from data.session import store_unavailable
from services.access import SYSTEM
from services.courier import Courier
from services.demo import DemoFleet
from services.demo_line import DemoLine

INTERVAL_S = 5.0
"""Real seconds from one report of the live heaters to the next."""

QUICK_S = 0.15
"""Real seconds between two looks for commands: people wait for the answer."""

CLOCK_EVERY = round(1.0 / QUICK_S)
"""Quick looks from one look for what has run out of time to the next."""

log = structlog.get_logger()


class Simulator:
    """Moves the demo fleet on with the clock, or faster until it has caught up.

    At speed 1 each tick simulates the seconds since the last one and stamps the
    readings with the present. At a higher speed, simulated time starts where the
    fleet stands, runs that much faster in whole minutes, and never passes the
    present: once there, the fleet is live. Speeds below 1 count as 1.
    """

    def __init__(self, demo: DemoFleet, speed: float) -> None:
        self._demo = demo
        self._speed = speed
        self._ticked_at: datetime | None = None
        self._reached: datetime | None = None

    def tick(self) -> int:
        """Simulate up to now and send the readings; give how many were taken."""
        now = self._demo.now()
        until = now if self._speed <= 1.0 else self._sped_up(now)
        self._ticked_at = now
        return self._demo.advance(SYSTEM, until)

    def run(self, stop: Event) -> None:
        """Tick until ``stop`` is set."""
        while not stop.wait(INTERVAL_S):
            self.tick()

    def _sped_up(self, now: datetime) -> datetime:
        since = self._ticked_at or now - timedelta(seconds=INTERVAL_S)
        reached = self._reached or self._demo.until()
        self._reached = min(now, reached + (now - since) * self._speed)
        if self._reached == now:
            return now
        return self._reached.replace(second=0, microsecond=0)


class TalkLoop:
    """Watches the clock of commands, and lets simulated heaters obey at once.

    A part of its own: it must not wait for the simulation.

    Args:
        courier: what moves commands along.
        line: the way to simulated heaters within this process; ``None`` where there
            are none, or a broker carries their messages.
    """

    def __init__(self, courier: Courier, line: DemoLine | None) -> None:
        self._courier = courier
        self._line = line
        self._turn = 0

    def turn(self) -> None:
        """One quick look; each so many of them, the clock."""
        if self._line is not None:
            self._line.step()
        if self._turn % CLOCK_EVERY == 0:
            self._courier.look_at_clock()
        self._turn += 1

    def run(self, stop: Event) -> None:
        """Look until ``stop`` is set; a busy database is asked again."""
        while not stop.wait(QUICK_S):
            try:
                self.turn()
            except Exception as error:
                if not store_unavailable(error):
                    raise
                log.warning("talk: the database did not answer", error=str(error))
