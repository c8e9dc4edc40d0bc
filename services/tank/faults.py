"""Faults that can be put into a simulated heater, each from a time on."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from services.tank import physics

DAY_S = 86_400.0

EFFECTS: dict[str, int] = {
    "element_open": physics.ELEMENT_LOSS,
    "element_weak": physics.ELEMENT_LOSS,
    "leak": physics.LEAK_LPM,
    "insulation_loss": physics.UA_EXTRA,
    "thermostat_drift": physics.THERMOSTAT_K,
    "expansion_tank": physics.COMPLIANCE_LOSS,
}
"""Families that change the tank itself, with what they change in it."""

SENSOR_FAMILIES = ("stuck_sensor", "sensor_codes", "offline")
"""Families that change only what is reported."""

FAMILIES: tuple[str, ...] = (*EFFECTS, *SENSOR_FAMILIES)

RAMP_DAYS: dict[str, float] = {
    "insulation_loss": 7.0,
    "thermostat_drift": 14.0,
    "expansion_tank": 5.0,
}
"""Families that come slowly: days from healthy to the full size."""


@dataclass(frozen=True)
class Fault:
    """One fault of one heater.

    Attributes:
        family: One of ``FAMILIES``.
        start_s: When it begins, seconds since 1970 UTC.
        size: How much: share of the lower element's power lost, leak in L/min of hot
            water, share of heat loss added, K the thermostats read too warm, share of
            the expansion tank lost; without meaning for sensor families.
        end_s: When it is repaired; infinity while it is present.
    """

    family: str
    start_s: float
    size: float = 1.0
    end_s: float = math.inf

    def __post_init__(self) -> None:
        """Refuse a family that nobody has modelled."""
        if self.family not in FAMILIES:
            raise ValueError(f"unknown fault family {self.family!r}")


def matrix(faults: tuple[Fault, ...]) -> physics.Array:
    """The faults of the tank as rows (effect, start, end, ramp, size) in seconds."""
    rows = [
        (
            EFFECTS[fault.family],
            fault.start_s,
            fault.end_s,
            RAMP_DAYS.get(fault.family, 0.0) * DAY_S,
            fault.size,
        )
        for fault in faults
        if fault.family in EFFECTS
    ]
    return np.array(rows, dtype=np.float64).reshape(len(rows), 5)


def present(
    faults: tuple[Fault, ...], family: str, ts_s: physics.Array
) -> physics.Flags:
    """Whether a fault of ``family`` is there, at each of the times ``ts_s``."""
    found = np.zeros(len(ts_s), dtype=bool)
    for fault in faults:
        if fault.family == family:
            found |= (ts_s >= fault.start_s) & (ts_s < fault.end_s)
    return found
