"""The event log that a simulated heater would write: what it did, in words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import numpy as np

from data.records import Event, LabelledFault
from services.demo_catalogue import Member
from services.tank.faults import Fault
from services.tank.habits import Change
from services.tank.heater import Run
from services.tank.sensors import ERROR_CODES
from services.tank.state import TankState

HOUSEHOLD = "household"
SAID_AGAIN_S = 86_400.0
"""An error that goes on is said once a day, not at every reading."""

REPAIRS = {
    "element_open": "Lower heating element replaced",
    "element_weak": "Lower heating element replaced",
    "leak": "Leaking hot-water pipe repaired",
    "insulation_loss": "Tank insulation renewed",
    "thermostat_drift": "Thermostats replaced",
    "expansion_tank": "Expansion tank recharged",
    "stuck_sensor": "Tank temperature sensor replaced",
    "sensor_codes": "Sensor plug cleaned and refitted",
}


def instant(ts_s: float) -> datetime:
    """Seconds since 1970 as an aware UTC time."""
    return datetime.fromtimestamp(ts_s, UTC)


def labels(member: Member) -> list[LabelledFault]:
    """The truth about the heater's faults, for judging detectors."""
    return [
        LabelledFault(
            device_id=member.heater.id,
            family=fault.family,
            started_at=instant(fault.start_s),
            ended_at=instant(fault.end_s) if np.isfinite(fault.end_s) else None,
            detail=f"simulated, size {fault.size:g}",
        )
        for fault in member.heater.faults
    ]


def events(member: Member, run: Run, state: TankState) -> list[Event]:
    """What happened to the heater in ``run``, in order of time.

    ``state`` is the state after the run: it remembers which errors were said when.
    """
    start_s, end_s = run.inputs.start_s, float(run.ts_s[-1])
    found = [*_settings(member, run.changes), *_errors(member, run, state)]
    for fault in member.heater.faults:
        found.extend(_fault(member, fault, start_s, end_s))
    return sorted(found, key=lambda event: event.ts)


def _event(member: Member, ts_s: float, *rest: str, actor: str = "system") -> Event:
    category, severity, message = rest
    return Event(member.heater.id, instant(ts_s), category, severity, message, actor)


def _settings(member: Member, changes: tuple[Change, ...]) -> Iterator[Event]:
    for change in changes:
        parts = []
        if change.target_c is not None:
            parts.append(f"Target temperature set to {change.target_c:g} °C")
        if change.mode is not None:
            parts.append(f"Mode set to {change.mode}")
        message = "; ".join(parts)
        yield _event(member, change.ts_s, "user", "info", message, actor=HOUSEHOLD)


def _errors(member: Member, run: Run, state: TankState) -> Iterator[Event]:
    for code, meaning in ERROR_CODES.items():
        for place in np.flatnonzero((run.errors == code) & run.sent):
            at_s = float(run.ts_s[place])
            if at_s - state.said_s.get(code, -np.inf) >= SAID_AGAIN_S:
                state.said_s[code] = at_s
                yield _event(member, at_s, "alert", "high", f"{code}: {meaning}")


def _fault(
    member: Member, fault: Fault, start_s: float, end_s: float
) -> Iterator[Event]:
    offline = fault.family == "offline"
    if offline and start_s < fault.start_s <= end_s:
        yield _event(member, fault.start_s, "status", "medium", "Went offline")
    if start_s < fault.end_s <= end_s:
        if offline:
            yield _event(member, fault.end_s, "status", "info", "Back online")
        else:
            message = REPAIRS[fault.family]
            yield _event(member, fault.end_s, "maintenance", "info", message)
