"""The tank's surroundings: water main, room, mains voltage, and sensor noise.

Everything is a function of the device's key and the time alone, so that a year, a
day or one minute computed apart agree to the last bit.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from services.tank.compiled import compiled

Array = npt.NDArray[np.float64]

DAY_S = 86_400.0
YEAR_S = 365.2425 * DAY_S
COLDEST_DAY = 35.0
"""Day of the year on which ground water is coldest in the northern temperate zone."""

NOISES = 8
"""Independent noises per moment, see ``noise``."""


class Place(NamedTuple):
    """Where a tank stands; temperatures are °C, swings are half of the whole."""

    inlet_c: float
    inlet_swing_k: float
    room_c: float
    room_swing_k: float
    room_day_swing_k: float
    mains_v: float
    supply_bar: float
    utc_offset_h: float


@compiled
def spread(key: int, moment: int, channel: int) -> float:
    """A bell-shaped number (mean 0, deviation 1) that only its arguments decide.

    One 64-bit SplitMix finaliser; its four 16-bit parts are added (Irwin-Hall).
    """
    x = np.uint64(key) ^ (np.uint64(moment) * np.uint64(0x9E3779B97F4A7C15))
    x ^= np.uint64(channel + 1) * np.uint64(0xD1B54A32D192ED03)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    x ^= x >> np.uint64(31)
    low = np.uint64(0xFFFF)
    total = float(x & low) + float((x >> np.uint64(16)) & low)
    total += float((x >> np.uint64(32)) & low) + float(x >> np.uint64(48))
    return (total / 65535.0 - 2.0) * math.sqrt(3.0)


@compiled
def wander(key: int, at_s: float, every_s: float, channel: int) -> float:
    """A slow random walk about 0: ``spread`` joined by straight lines."""
    place = at_s / every_s
    first = math.floor(place)
    share = place - first
    before = spread(key, int(first), channel)
    return before + share * (spread(key, int(first) + 1, channel) - before)


@compiled
def weather(place: Place, key: int, start_s: float, dt_s: float, steps: int) -> Array:
    """Inlet °C, room °C, mains V and supply bar for each step: (steps, 4)."""
    out = np.empty((steps, 4))
    for k in range(steps):
        at_s = start_s + k * dt_s
        season = -math.cos(2.0 * math.pi * (at_s / YEAR_S - COLDEST_DAY / 365.2425))
        clock = (at_s / DAY_S + place.utc_offset_h / 24.0) % 1.0
        warm = -math.cos(2.0 * math.pi * (clock - 3.0 / 24.0))
        out[k, 0] = (
            place.inlet_c
            + place.inlet_swing_k * season
            + 0.4 * wander(key, at_s, DAY_S, 101)
        )
        out[k, 1] = (
            place.room_c
            + place.room_swing_k * season
            + place.room_day_swing_k * warm
            + 0.8 * wander(key, at_s, DAY_S, 102)
        )
        out[k, 2] = place.mains_v * (
            1.0 - 0.008 * warm + 0.008 * wander(key, at_s, 900.0, 103)
        )
        out[k, 3] = (
            place.supply_bar - 0.06 * warm + 0.04 * wander(key, at_s, 1800.0, 104)
        )
    return out


@compiled
def noise(key: int, start_s: float, dt_s: float, steps: int) -> Array:
    """Sensor noise (mean 0, deviation 1) at each step's end: (NOISES, steps)."""
    out = np.empty((NOISES, steps))
    for k in range(steps):
        moment = int((start_s + (k + 1) * dt_s) * 1000.0)
        for channel in range(NOISES):
            out[channel, k] = spread(key, moment, channel)
    return out
