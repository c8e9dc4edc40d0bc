"""The live half of the demo fleet: simulated heaters that report every few seconds."""

from __future__ import annotations

from datetime import datetime, timedelta
from threading import Event

from services.access import SYSTEM
from services.demo import DemoFleet

INTERVAL_S = 5.0
"""Real seconds from one report of the live heaters to the next."""


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
