"""A simulated heater: tank, place, household, sensors and faults under one key.

``run`` is the one step function: it serves ninety days at once and five seconds live.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from data.records import METRICS, MODES
from services.tank import cycles, physics
from services.tank.draws import Resident, draws_between, litres_per_step
from services.tank.faults import Fault, matrix, present
from services.tank.habits import Change, Habit, changes_between
from services.tank.physics import Array, Body, Codes, Flags, Inputs, Tank
from services.tank.sensors import (
    HIGH_PRESSURE,
    HIGH_PRESSURE_BAR,
    NO_CURRENT_LIMIT_S,
    NO_ELEMENT_CURRENT,
    SENSOR_ERROR,
    Sensors,
    column,
    measure,
    rounded,
    spoil,
)
from services.tank.state import TankState
from services.tank.surroundings import Place, noise, weather


@dataclass(frozen=True)
class Heater:
    """Everything constant about a simulated heater."""

    id: str
    tank: Tank
    place: Place
    resident: Resident
    habit: Habit
    sensors: Sensors = field(default_factory=Sensors)
    faults: tuple[Fault, ...] = ()

    @property
    def key(self) -> int:
        """What this heater's noise and weather depend on."""
        return (self.resident.seed * 1_000_003 + self.resident.device) % 2**62

    def at_rest(self, ts_s: float) -> TankState:
        """The heater hot and idle at ``ts_s`` (seconds since 1970 UTC)."""
        habit, place = self.habit, self.place
        return TankState.at_rest(
            ts_s, habit.target_c, habit.mode, place.room_c, place.supply_bar
        )

    def run(self, state: TankState, dt_s: float, steps: int) -> Run:
        """Simulate ``steps`` steps of ``dt_s`` on from ``state``, which moves on."""
        start_s, end_s = state.ts_s, state.ts_s + steps * dt_s
        changes: list[Change] = []
        if state.follows_habits:
            changes = changes_between(self.habit, self.resident, start_s, end_s)
        target_c, mode = _settings(state, changes, dt_s, steps)
        air = weather(self.place, self.key, start_s, dt_s, steps)
        drawn = draws_between(self.resident, start_s, end_s)
        litres = litres_per_step(drawn, start_s, dt_s, steps)
        rows = matrix(self.faults)
        trace = np.empty((steps, len(physics.TRACE)))
        body = Body(self.tank, state.nodes_c, state.registers)
        inputs = Inputs(start_s, dt_s, litres, air, target_c, mode, rows)
        ended = cycles.advance(body, state, inputs, self.habit.highest_c, trace)
        state.ts_s = end_s
        return replace(self._read(state, inputs, trace, tuple(changes)), ended=ended)

    def _read(
        self,
        state: TankState,
        inputs: Inputs,
        trace: Array,
        changes: tuple[Change, ...],
    ) -> Run:
        steps = len(trace)
        ts_s = inputs.start_s + inputs.dt_s * np.arange(1.0, steps + 1.0)
        chance = noise(self.key, inputs.start_s, inputs.dt_s, steps)
        metrics = measure(self.sensors, trace, inputs.weather, chance)
        metrics["target_temperature_c"] = rounded(inputs.target_c, 0.1)
        failing = spoil(metrics, state, self.faults, ts_s, chance[7])
        errors = np.full(steps, "", dtype="U3")
        errors[column(trace, "pressure_bar") > HIGH_PRESSURE_BAR] = HIGH_PRESSURE
        dead = column(trace, "no_current_s") > NO_CURRENT_LIMIT_S
        errors[dead] = NO_ELEMENT_CURRENT
        errors[failing] = SENSOR_ERROR
        sent = ~present(self.faults, "offline", ts_s)
        return Run(ts_s, trace, inputs, metrics, errors, sent, changes)


@dataclass(frozen=True)
class Run:
    """Some steps of one heater: the truth (``trace``) and what it reports of it.

    ``errors`` holds the error code of each step, empty for none; ``sent`` is False
    where the heater was offline and its reading is lost. ``inputs`` hold what is set,
    which is what is reported, not what an absence or a boost makes of it; ``ended``
    names those that have ended (``cycles.ENDS``).
    """

    ts_s: Array
    trace: Array
    inputs: Inputs
    metrics: dict[str, Array]
    errors: np.ndarray[tuple[int], np.dtype[np.str_]]
    sent: Flags
    changes: tuple[Change, ...]
    ended: tuple[str, ...] = ()

    def true(self, name: str) -> Array:
        """One column of the truth, see ``physics.TRACE``."""
        return column(self.trace, name)


def _settings(
    state: TankState, changes: Sequence[Change], dt_s: float, steps: int
) -> tuple[Array, Codes]:
    """Target and mode of each step; a change counts from the next whole step on."""
    target_c = np.full(steps, state.target_c, dtype=np.float64)
    mode = np.full(steps, MODES.index(state.mode), dtype=np.int8)
    for change in changes:
        first = int(np.ceil((change.ts_s - state.ts_s) / dt_s))
        if change.target_c is not None:
            target_c[first:] = state.target_c = change.target_c
        if change.mode is not None:
            mode[first:] = MODES.index(change.mode)
            state.mode = change.mode
    return target_c, mode


def telemetry(heaters: Sequence[tuple[Heater, Run]]) -> pd.DataFrame:
    """The readings that arrived, as a frame of ``data.records.READING_COLUMNS``."""
    taken = [(heater, run, run.sent) for heater, run in heaters]
    counts = [int(sent.sum()) for _, _, sent in taken]
    ids = pd.array([heater.id for heater, _, _ in taken], dtype="str")
    ts = np.concatenate([run.ts_s[sent] for _, run, sent in taken])
    columns: dict[str, object] = {
        "device_id": ids.repeat(counts),
        "ts": np.rint(ts * 1e6).astype(np.int64).view("datetime64[us]"),
    }
    for metric in METRICS:
        columns[metric] = np.concatenate(
            [
                run.metrics[metric][sent]
                if metric in run.metrics
                else np.full(count, np.nan)
                for (_, run, sent), count in zip(taken, counts, strict=True)
            ]
        )
    codes = np.concatenate([run.inputs.mode[sent] for _, run, sent in taken])
    columns["mode"] = pd.array(MODES, dtype="str").take(codes)
    heating = [run.true("heating")[sent] > 0.0 for _, run, sent in taken]
    columns["heating"] = np.concatenate(heating)
    errors = np.concatenate([run.errors[sent] for _, run, sent in taken])
    names, places = np.unique(errors, return_inverse=True)
    columns["error_code"] = pd.array([n or None for n in names], dtype="str").take(
        places
    )
    return pd.DataFrame(columns)
