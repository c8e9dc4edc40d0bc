"""The demo fleet: created with its history, and carried on live from where it stood.

Readings go through the same door as those of real heaters. The state of the
simulation is one JSON file, so a restart goes on without a jump.

Times are honest: a reading is stamped with the moment it is simulated for, which is
never in the future. A time-lapse therefore starts in the past (``headstart``), runs
faster than the clock until it has caught up with it, and goes on at normal speed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from threading import RLock
from typing import Any

import pandas as pd

from data.device_store import DeviceStore
from data.records import Event
from data.shadow_store import ShadowStore
from services.access import Principal, requires
from services.demo_catalogue import Member, fleet
from services.demo_devices import reported
from services.demo_events import events, instant, labels
from services.demo_frames import BATCH_HEATERS, frames
from services.devices import Devices
from services.errors import Conflict
from services.tank.heater import Run
from services.tank.physics import ENERGY_KWH
from services.tank.state import TankState
from services.telemetry import Telemetry

STEP_S = 60.0
DAY_S = 86_400.0
MOST_LIVE = 2
"""Readings of each heater at once, above which a frame is bulk."""

LONGEST_CATCH_UP = timedelta(days=7)
TIME_LAPSE = timedelta(minutes=30)
"""How long a time-lapse lasts, where its start is not held back by the catch-up."""

Progress = Callable[[int, int], None]


def headstart(speed: float) -> timedelta:
    """How far in the past the history ends so that a time-lapse has room to run."""
    return min(LONGEST_CATCH_UP, max(timedelta(), TIME_LAPSE * (speed - 1.0)))


class DemoFleet:
    """Simulated heaters behind real services.

    Args:
        devices: Where the heaters are registered.
        telemetry: The door for their readings.
        store: Where their events and labelled faults go.
        shadows: Where they report their settings.
        state_file: Where the simulation's state is kept.
        seed: All randomness comes from it.
        clock: The present, aware UTC.
    """

    def __init__(
        self,
        devices: Devices,
        telemetry: Telemetry,
        store: DeviceStore,
        shadows: ShadowStore,
        *,
        state_file: Path,
        seed: int,
        clock: Callable[[], datetime],
    ) -> None:
        self._devices = devices
        self._telemetry = telemetry
        self._store = store
        self._shadows = shadows
        self._state_file = state_file
        self._seed = seed
        self._clock = clock
        self._members: tuple[Member, ...] = ()
        self._by_id: dict[str, Member] = {}
        self._states: dict[str, TankState] = {}
        self._plan: dict[str, Any] = {}
        self._lock = RLock()
        self.on_change: Callable[[Sequence[str]], None] | None = None
        """Called with the ids of heaters whose settings have changed by themselves."""
        self.carry: Callable[[pd.DataFrame], bool] | None = None
        """Called with live readings; whether it has handed them to somebody."""

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of all heaters."""
        self._load()
        return tuple(self._states)

    @contextmanager
    def held(self, device_id: str) -> Iterator[tuple[Member, TankState]]:
        """A heater and its state, which nobody else changes meanwhile."""
        self._load()
        with self._lock:
            yield self._by_id[device_id], self._states[device_id]

    def new_session(self) -> int:
        """A number above all before, also when the clock was set back."""
        self._load()
        before = int(self._plan.get("session", 0))
        self._plan["session"] = max(before + 1, int(self._clock().timestamp()))
        self.save()
        return int(self._plan["session"])

    @property
    def exists(self) -> bool:
        """Whether the demo fleet has been created to the end."""
        self._load()
        return bool(self._plan) and len(self._states) == len(self._members)

    def create(
        self,
        caller: Principal,
        days: float = 90.0,
        heaters: int = 60,
        speed: float = 1.0,
        progress: Progress | None = None,
    ) -> int:
        """Register the fleet and write its history; give the readings taken.

        Called again after an interruption, it goes on with the heaters that are
        missing; a finished fleet is left alone.

        Args:
            caller: Needs ``device.admin`` and ``telemetry.write``.
            days: Length of the history, which ends now (see ``headstart``).
            heaters: Size of the fleet; a fixed quarter of it is faulty.
            speed: The speed the simulator will run at.
            progress: Called with (heaters done, heaters in all).
        """
        requires(caller, "device.admin")
        self._load()
        if not self._plan:
            self._start(days, heaters, speed)
        missing = [m for m in self._members if m.heater.id not in self._states]
        taken, total = 0, len(self._members)
        for first in range(0, len(missing), BATCH_HEATERS):
            batch = missing[first : first + BATCH_HEATERS]
            taken += self._write_history(caller, batch)
            if progress is not None:
                progress(total - len(missing) + first + len(batch), total)
        return taken

    def until(self) -> datetime:
        """The moment up to which the whole fleet has been simulated."""
        self._load()
        return instant(min(state.ts_s for state in self._states.values()))

    def advance(self, caller: Principal, until: datetime) -> int:
        """Simulate all heaters up to ``until``; give the readings taken.

        A gap of up to seven days is made up minute by minute. What lies before that
        stays a gap: nobody was there to measure.
        """
        requires(caller, "telemetry.write")
        self._load()
        lived = [
            (member, run)
            for member in self._members
            for run in self._live(member, until.timestamp())
        ]
        taken = self._send(caller, lived)
        if lived:
            self._report([m for m, run in lived if run.changes or run.ended])
            self.save()
        return taken

    def now(self) -> datetime:
        """The present by the fleet's clock."""
        return self._clock()

    def _start(self, days: float, heaters: int, speed: float) -> None:
        end = (self._clock() - headstart(speed)).replace(second=0, microsecond=0)
        begin = end - timedelta(days=days)
        self._plan = {
            "seed": self._seed,
            "heaters": heaters,
            "days": days,
            "start_s": begin.timestamp(),
        }
        self._plan_members()
        self.save()

    def _write_history(self, caller: Principal, batch: Sequence[Member]) -> int:
        for member in batch:
            try:
                self._devices.register(caller, member.device)
            except Conflict:
                continue  # registered before an interruption
            with self._store.transaction() as tx:
                self._store.add_labelled_faults(tx, labels(member))
        lived = [(member, self._history(member)) for member in batch]
        taken = self._send(caller, lived)
        self._report(batch)
        self.save()
        return taken

    def _history(self, member: Member) -> Run:
        """All the days of a heater; a day before them wears the cold start off."""
        heater, begin_s = member.heater, float(self._plan["start_s"])
        state = heater.at_rest(begin_s - DAY_S)
        state.registers[ENERGY_KWH] = member.meter_kwh
        heater.run(state, STEP_S, round(DAY_S / STEP_S))
        steps = round(float(self._plan["days"]) * DAY_S / STEP_S)
        self._states[heater.id] = state
        return heater.run(state, STEP_S, steps)

    def _live(self, member: Member, until_s: float) -> list[Run]:
        """Whole minutes up to ``until_s``, then the seconds that are left."""
        longest_s, runs = LONGEST_CATCH_UP.total_seconds(), []
        with self.held(member.heater.id) as (_, state):
            state.ts_s = max(state.ts_s, until_s - longest_s)
            minutes = int((until_s - state.ts_s) // STEP_S)
            if minutes > 0:
                runs.append(member.heater.run(state, STEP_S, minutes))
            rest_s = until_s - state.ts_s
            if rest_s >= 1.0:
                runs.append(member.heater.run(state, rest_s, 1))
        return runs

    def _send(self, caller: Principal, lived: Sequence[tuple[Member, Run]]) -> int:
        """Readings first, then what is told about them."""
        taken = 0
        for frame in frames(lived):
            live = len(frame) <= MOST_LIVE * len(self._members)
            if self.carry is not None and live and self.carry(frame):
                taken += len(frame)
            else:  # the same reading twice counts once
                taken += self._telemetry.accept_bulk(caller, frame).taken
        told: list[Event] = []
        for member, run in lived:
            with self.held(member.heater.id) as (_, state):
                told.extend(events(member, run, state))
        if told:
            with self._store.transaction() as tx:
                self._store.add_events(tx, told)
        return taken

    def _report(self, members: Sequence[Member]) -> None:
        if members and self.on_change is not None:
            self.on_change([member.heater.id for member in members])
            return
        with self._shadows.transaction() as tx:
            for member in members:
                state = self._states[member.heater.id]
                said, at = reported(member.device, state), instant(state.ts_s)
                self._shadows.put_reported(tx, member.heater.id, said, at)

    def _plan_members(self) -> None:
        plan, begin = self._plan, instant(self._plan["start_s"])
        self._members = fleet(plan["seed"], plan["heaters"], begin, plan["days"])
        self._by_id = {member.heater.id: member for member in self._members}

    def _load(self) -> None:
        with self._lock:
            if self._plan or not self._state_file.exists():
                return
            saved = json.loads(self._state_file.read_text(encoding="utf-8"))
            self._plan = saved["plan"]
            self._plan_members()
            self._states = {
                heater_id: TankState.from_json(state)
                for heater_id, state in saved["states"].items()
            }

    def save(self) -> None:
        """Write the whole state or leave the old one: never half a file."""
        with self._lock:
            states = {key: state.to_json() for key, state in self._states.items()}
            self._write(json.dumps({"plan": self._plan, "states": states}))

    def _write(self, text: str) -> None:
        self._state_file.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._state_file.with_suffix(".tmp")
        with fresh.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._state_file)
