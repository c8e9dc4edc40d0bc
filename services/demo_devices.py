"""The simulated heaters as devices that talk: they obey, refuse, report, come and go.

They know no transport: ``demo_line`` carries what they hear and say within one
process, ``workers/demo_radio`` over a broker.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from data.records import Device
from data.talk_records import Command
from services.courier_desk import Answer, Heard, Presence, Report
from services.misbehaviour import Misbehaviour
from services.tank.cycles import ENDS
from services.tank.faults import present
from services.tank.state import TankState
from services.wishes import end_of, limits

if TYPE_CHECKING:
    from services.demo import DemoFleet

Clock = Callable[[], datetime]


def reported(device: Device, state: TankState) -> dict[str, object]:
    """All that a heater reports of its settings."""
    ends = {name: state.end_of(name) for name in ENDS}
    return {
        "target_temperature_c": state.target_c,
        "mode": state.mode,
        "power": state.power,
        "firmware": device.firmware,
        **{name: _moment(end_s) for name, end_s in ends.items()},
    }


def refusal(device: Device, state: TankState, command: Command, now: datetime) -> str:
    """Why the heater cannot do what it is told; empty = it can."""
    key, value = command.key, command.value
    end = end_of(key, value)
    if end is not None and end <= now:
        return "its time has passed"
    if end is not None and key != "away_until" and not state.power:
        return "the heater is switched off"
    if key == "mode" and device.modes and value not in device.modes:
        return f"it has no mode {value}"
    if key == "target_temperature_c" and isinstance(value, int | float):
        low, high = limits(device)
        if not low <= value <= high:
            return f"it can be set to {low:g} to {high:g} °C"
    return ""


def obey(state: TankState, key: str, value: object) -> None:
    """Set what a command or a person at the heater sets."""
    if key == "target_temperature_c" and isinstance(value, int | float):
        state.command(target_c=float(value))
    elif key == "mode":
        state.command(mode=str(value))
    elif key == "power":
        state.command(power=bool(value))
    else:
        end = end_of(key, value)
        state.set_end(key, end.timestamp() if end else None)


class DemoDevices:
    """What simulated heaters do with commands, and what they say.

    Args:
        demo: the heaters; their changes of their own are listened for from now on.
        clock: the present.
        misbehaviour: what goes wrong on request.
    """

    def __init__(
        self, demo: DemoFleet, clock: Clock, misbehaviour: Misbehaviour
    ) -> None:
        self._demo = demo
        self._clock = clock
        self._misbehaviour = misbehaviour
        self._session = demo.new_session()
        self._seq: dict[str, int] = {}
        self._acted: dict[tuple[str, str], int] = {}
        self._online: dict[str, bool] = {}
        self._changed: set[str] = set()
        self._relapses: list[tuple[datetime, str, str, object]] = []
        self._lock = Lock()
        demo.on_change = self._note

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of all simulated heaters."""
        return self._demo.ids

    def births(self) -> list[Heard]:
        """What each heater says when it is switched on, or its will if it is away."""
        said: list[Heard] = []
        for device_id in self.ids:
            self._online[device_id] = self._reachable(device_id)
            said += self._arrival(device_id)
        return said

    def farewells(self) -> list[Heard]:
        """What the heaters that are there say when they are switched off."""
        now, there = self._clock(), [i for i, on in self._online.items() if on]
        return [Presence(i, online=False, at=now, session=self._session) for i in there]

    def news(self) -> list[Heard]:
        """What has happened since the last call: comings, goings, local changes."""
        self._relapse()
        with self._lock:
            changed, self._changed = self._changed, set()
        said: list[Heard] = []
        for device_id in self.ids:
            online = self._reachable(device_id)
            if online != self._online.get(device_id):
                self._online[device_id] = online
                said += self._arrival(device_id)
            elif online and device_id in changed:
                said.append(self._report(device_id))
        return said

    def answer(self, command: Command) -> list[Heard]:
        """Do what a command says; what the heater says to it, in order."""
        device_id, at = command.device_id, (command.device_id, command.key)
        acted = self._acted.get(at, -1)
        if not self._reachable(device_id) or command.version < acted:
            return []  # not there, or told of an older wish after a newer one
        if command.version > acted:
            with self._demo.held(device_id) as (member, state):
                reason = self._misbehaviour.refusal(device_id) or refusal(
                    member.device, state, command, self._clock()
                )
                if reason:
                    return [
                        Answer(device_id, command.id, accepted=False, reason=reason)
                    ]
                before = reported(member.device, state)[command.key]
                obey(state, command.key, command.value)
                self._acted[at] = command.version
            # On disk before it is said: a restart must not undo what was reported.
            self._demo.save()
            self._plan_relapse(command, before)
        taken = Answer(device_id, command.id, accepted=True)
        return [taken, self._report(device_id)]

    def _reachable(self, device_id: str) -> bool:
        """Whether no fault keeps a heater offline where its simulation stands."""
        with self._demo.held(device_id) as (member, state):
            at_s = np.array([state.ts_s])
            return not present(member.heater.faults, "offline", at_s)[0]

    def _arrival(self, device_id: str) -> list[Heard]:
        now = self._clock()
        if not self._online[device_id]:
            return [Presence(device_id, online=False, at=now, session=self._session)]
        with self._demo.held(device_id) as (member, _):
            birth = capabilities(member.device)
        born = Presence(device_id, True, now, self._session, birth)
        return [born, self._report(device_id)]

    def _report(self, device_id: str) -> Report:
        """All the heater's settings under its next number."""
        with self._demo.held(device_id) as (member, state):
            seq = self._seq[device_id] = self._seq.get(device_id, -1) + 1
            told = [v for (of, _), v in self._acted.items() if of == device_id]
            settings = reported(member.device, state)
        version = max(told, default=-1)
        return Report(device_id, settings, self._clock(), version, self._session, seq)

    def _note(self, device_ids: Sequence[str]) -> None:
        with self._lock:
            self._changed.update(device_ids)

    def _plan_relapse(self, command: Command, before: object) -> None:
        after_s = self._misbehaviour.relapse_s(command.device_id)
        if after_s is not None:
            at = self._clock() + timedelta(seconds=after_s)
            self._relapses.append((at, command.device_id, command.key, before))

    def _relapse(self) -> None:
        now = self._clock()
        due = [relapse for relapse in self._relapses if relapse[0] <= now]
        self._relapses = [relapse for relapse in self._relapses if relapse[0] > now]
        for _, device_id, key, before in due:
            with self._demo.held(device_id) as (_, state):
                obey(state, key, before)
            self._note([device_id])


def capabilities(device: Device) -> dict[str, object]:
    """What a heater says it can do, at its birth."""
    low, high = limits(device)
    return {
        "modes": list(device.modes),
        "setpoint_min_c": low,
        "setpoint_max_c": high,
        "firmware": device.firmware,
        "ends_by_itself": list(ENDS),
    }


def _moment(end_s: float | None) -> object:
    return False if end_s is None else datetime.fromtimestamp(end_s, UTC).isoformat()
