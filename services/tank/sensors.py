"""What the heater's sensors make of the truth: noise, resolution, faults, gaps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from services.tank.faults import Fault, present
from services.tank.physics import AMBIENT, RELIEF_BAR, TRACE, VOLTAGE, Array, Flags
from services.tank.state import TankState

PROBES: dict[str, tuple[str, float, float]] = {
    "temperature_c": ("tank_c", 0.06, 0.1),
    "inlet_temperature_c": ("inlet_pipe_c", 0.08, 0.1),
    "outlet_temperature_c": ("outlet_pipe_c", 0.08, 0.1),
    "pressure_bar": ("pressure_bar", 0.012, 0.01),
}
"""Reading -> (column of the trace, deviation of the noise, resolution)."""

FAULT_CODES = (888.8, -999.9)
"""What a broken sensor says instead of a temperature: open wire, short circuit."""

RARE = 2.6
"""A noise beyond this, some 0.3 % of the readings, is a moment of bad contact."""

NO_ELEMENT_CURRENT, SENSOR_ERROR, HIGH_PRESSURE = "E10", "E21", "E30"
ERROR_CODES: dict[str, str] = {
    NO_ELEMENT_CURRENT: "The lower element draws no current though heat is called for",
    SENSOR_ERROR: "The tank temperature sensor gives no valid signal",
    HIGH_PRESSURE: "The pressure is close to the opening of the relief valve",
}
NO_CURRENT_LIMIT_S = 6 * 3600.0
HIGH_PRESSURE_BAR = RELIEF_BAR - 1.0


@dataclass(frozen=True)
class Sensors:
    """The sensors of one heater: metrics it lacks, and its flow meter's cut-off."""

    lacks: tuple[str, ...] = ()
    flow_cutoff_lpm: float = 0.3


def column(trace: Array, name: str) -> Array:
    """One column of a trace by its name in ``physics.TRACE``."""
    return trace[:, TRACE.index(name)]


def rounded(values: Array, resolution: float) -> Array:
    """Values as a display of this resolution shows them, without binary tails."""
    parts = round(1.0 / resolution)
    return np.rint(values * parts) / parts


def measure(
    sensors: Sensors, trace: Array, weather: Array, noise: Array
) -> dict[str, Array]:
    """The readings of healthy sensors, by metric, without target temperature."""
    found: dict[str, Array] = {}
    for place, (metric, (source, sigma, step)) in enumerate(PROBES.items()):
        found[metric] = rounded(column(trace, source) + sigma * noise[place], step)
    found["ambient_temperature_c"] = rounded(weather[:, AMBIENT] + 0.08 * noise[4], 0.1)
    found["voltage_v"] = rounded(weather[:, VOLTAGE] + 0.1 * noise[5], 0.1)
    flow = column(trace, "flow_lpm")
    seen = rounded(flow * (1.0 + 0.01 * noise[6]), 0.1)
    found["flow_lpm"] = np.where(flow < sensors.flow_cutoff_lpm, 0.0, seen)
    power = column(trace, "power_w")
    found["power_w"] = rounded(power * (1.0 + 0.003 * noise[6]), 1.0)
    found["energy_kwh"] = rounded(column(trace, "energy_kwh"), 0.001)
    for metric in sensors.lacks:
        del found[metric]
    return found


def spoil(
    metrics: dict[str, Array],
    state: TankState,
    faults: tuple[Fault, ...],
    ts_s: Array,
    noise: Array,
) -> Flags:
    """Put sensor faults into ``metrics``; give where the sensor reports its failure."""
    tank_c = metrics["temperature_c"]
    stuck = present(faults, "stuck_sensor", ts_s)
    if stuck.any():
        held_c = float(tank_c[stuck.argmax()]) if state.held_c is None else state.held_c
        tank_c[stuck] = held_c
        state.held_c = held_c if stuck[-1] else None
    broken = present(faults, "sensor_codes", ts_s)
    tank_c[broken & (noise > RARE)] = FAULT_CODES[0]
    tank_c[broken & (noise < -RARE)] = FAULT_CODES[1]
    return broken & (np.abs(noise) > RARE)
