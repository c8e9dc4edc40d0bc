"""What is under way between simulated heaters and us: late, lost, doubled, mixed."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from itertools import count
from random import Random

from data.talk_records import Command
from services.courier import Courier
from services.courier_desk import Heard
from services.demo_devices import DemoDevices
from services.misbehaviour import Misbehaviour

LATENCY_S = (0.1, 0.5)
"""How long a simulated heater takes to do what it is told: over a broker, too, it is
applied within a second."""

Clock = Callable[[], datetime]


class DemoSchedule:
    """When commands reach simulated heaters, and when what they say leaves them.

    It knows no transport, and what goes wrong on request goes wrong here: whoever
    carries the messages carries each of them well.
    """

    def __init__(
        self,
        devices: DemoDevices,
        clock: Clock,
        misbehaviour: Misbehaviour,
        seed: int,
    ) -> None:
        self._devices = devices
        self._clock = clock
        self._misbehaviour = misbehaviour
        self._random = Random(seed)  # noqa: S311 - play, not secrecy
        self._number = count()
        self._told: list[tuple[datetime, int, Command]] = []
        self._said: list[tuple[datetime, int, Heard]] = []
        self._given = 0
        self._open = False

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of all simulated heaters."""
        return self._devices.ids

    def reopen(self) -> None:
        """Start on a new connection: every heater says anew that it is there."""
        self._open = False

    def tell(self, commands: Iterable[Command]) -> None:
        """Take commands for heaters; some of them get lost."""
        now = self._clock()
        for command in commands:
            if self._misbehaviour.loses(command.device_id):
                continue
            at = now + timedelta(seconds=self._random.uniform(*LATENCY_S))
            heapq.heappush(self._told, (at, next(self._number), command))

    def due(self) -> list[Heard]:
        """Let heaters do what is due; what they say now, given until it is ``done``."""
        now = self._clock()
        if not self._open:
            self._say(self._devices.births(), now)
            self._open = True
        self._say(self._devices.news(), now)
        while self._told and self._told[0][0] <= now:
            self._say(self._devices.answer(heapq.heappop(self._told)[2]), now)
        self._said.sort(key=lambda entry: entry[:2])
        due = [message for at, _, message in self._said if at <= now]
        self._given = len(due)
        return due

    def done(self) -> None:
        """What ``due`` gave last has been carried."""
        self._said, self._given = self._said[self._given :], 0

    def farewells(self) -> list[Heard]:
        """What heaters say when they are switched off together."""
        return self._devices.farewells()

    def _say(self, said: Sequence[Heard], now: datetime) -> None:
        for late_s, message in self._misbehaviour.bend(said):
            at = now + timedelta(seconds=late_s)
            self._said.append((at, next(self._number), message))


class DemoLine:
    """Carries commands and answers within one process, as a broker would."""

    def __init__(self, schedule: DemoSchedule, courier: Courier) -> None:
        self._schedule = schedule
        self._courier = courier

    def step(self) -> None:
        """Hand over what is due, let heaters do it, and hear what they say.

        What could not be stored is heard again at the next step: hearing twice is
        harmless.
        """
        known = set(self._schedule.ids)
        sent = [c for c in self._courier.outgoing() if c.device_id in known]
        self._courier.handed_over(sent)
        self._schedule.tell(sent)
        self._courier.listen(self._schedule.due())
        self._schedule.done()
