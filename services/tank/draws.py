"""Who draws hot water when: random days of a household, the same for the same seed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from services.tank.compiled import compiled

Array = npt.NDArray[np.float64]

DAY_S = 86_400
_DRAW_STREAM, _AWAY_STREAM = 11, 12
AWAY_BLOCK_DAYS = 28


@dataclass(frozen=True)
class Use:
    """A kind of draw: how often a day, how much, how fast, on which hours."""

    per_day: float
    litres: float
    flow_lpm: float
    hours: str


@dataclass(frozen=True)
class Household:
    """The people behind a heater; ``weekend`` multiplies weekend draws."""

    uses: tuple[Use, ...]
    weekend: float
    goes_away: bool


HOURS: dict[str, tuple[int, ...]] = {
    "weekday": (
        1, 0, 0, 0, 1, 4, 14, 20, 10, 4, 3, 3,
        4, 3, 2, 3, 4, 7, 10, 11, 11, 9, 6, 3,
    ),
    "weekend": (
        2, 1, 0, 0, 0, 1, 3, 7, 14, 16, 13, 9,
        7, 6, 5, 5, 6, 8, 10, 11, 10, 8, 6, 3,
    ),
    "office": (
        0, 0, 0, 0, 0, 0, 3, 8, 12, 13, 12, 12,
        13, 11, 9, 8, 7, 5, 3, 2, 0, 0, 0, 0,
    ),
}  # fmt: skip
"""Relative weight of each hour of the local day."""


def _home(people: float) -> tuple[Use, ...]:
    return (
        Use(0.7 * people, 34.0, 7.0, "home"),
        Use(0.07 * people, 75.0, 10.0, "home"),
        Use(5.0 * people, 1.4, 4.0, "home"),
        Use(2.0 + 1.2 * people, 3.5, 5.0, "home"),
    )


HOUSEHOLDS: dict[str, Household] = {
    "single": Household(_home(1), 1.1, goes_away=True),
    "couple": Household(_home(2), 1.15, goes_away=True),
    "family": Household(_home(4), 1.2, goes_away=True),
    "large_family": Household(_home(6), 1.2, goes_away=True),
    "small_commercial": Household(
        (
            Use(24.0, 1.5, 4.0, "office"),
            Use(10.0, 8.0, 8.0, "office"),
            Use(2.0, 22.0, 10.0, "office"),
        ),
        0.12,
        goes_away=False,
    ),
}


@dataclass(frozen=True)
class Resident:
    """One household at one heater: all its randomness comes from (seed, device)."""

    seed: int
    device: int
    kind: str
    utc_offset_h: float

    def random(self, *stream: int) -> np.random.Generator:
        """A generator of its own for each stream, for example one day's draws."""
        return np.random.default_rng((self.seed, self.device, *stream))


@lru_cache(maxsize=4096)
def away_days(resident: Resident, block: int) -> range:
    """The local days of a four-week block when nobody is at home (often none)."""
    if not HOUSEHOLDS[resident.kind].goes_away:
        return range(0)
    rng = resident.random(_AWAY_STREAM, block)
    if rng.random() >= 0.22:
        return range(0)
    first = block * AWAY_BLOCK_DAYS + int(rng.integers(0, 18))
    return range(first, first + int(rng.integers(3, 11)))


def is_away(resident: Resident, day: int) -> bool:
    """Whether the household is on holiday on local ``day`` (days since 1970)."""
    return day in away_days(resident, day // AWAY_BLOCK_DAYS)


@lru_cache(maxsize=1024)
def day_draws(resident: Resident, day: int) -> Array:
    """The draws of a local day: rows (start s after local midnight, s, L/min)."""
    if is_away(resident, day):
        return np.empty((0, 3))
    rng = resident.random(_DRAW_STREAM, day)
    household = HOUSEHOLDS[resident.kind]
    weekend = (day + 3) % 7 >= 5  # day 0, 1 January 1970, was a Thursday
    busy = (household.weekend if weekend else 1.0) * rng.gamma(25.0, 0.04)
    found = [
        _draws_of(rng, use, rng.poisson(use.per_day * busy), weekend)
        for use in household.uses
    ]
    return np.concatenate(found)


def _draws_of(rng: np.random.Generator, use: Use, count: int, weekend: bool) -> Array:
    hours = use.hours if use.hours in HOURS else "weekend" if weekend else "weekday"
    weights = np.array(HOURS[hours], dtype=float)
    hour = rng.choice(24, size=count, p=weights / weights.sum())
    flow = use.flow_lpm * rng.uniform(0.75, 1.25, count)
    litres = use.litres * rng.gamma(6.0, 1.0 / 6.0, count)
    start = np.floor((hour + rng.random(count)) * 3600.0)
    return np.column_stack((start, np.ceil(litres / flow * 60.0), flow))


def draws_between(resident: Resident, start_s: float, end_s: float) -> Array:
    """Every draw that may touch ``start_s``..``end_s`` UTC: (start s UTC, s, L/min)."""
    offset_s = resident.utc_offset_h * 3600.0
    first = int((start_s + offset_s) // DAY_S) - 1
    last = int((end_s + offset_s) // DAY_S)
    found = []
    for day in range(first, last + 1):
        rows = day_draws(resident, day).copy()
        rows[:, 0] += day * DAY_S - offset_s
        found.append(rows)
    return np.concatenate(found)


@compiled
def litres_per_step(draws: Array, start_s: float, dt_s: float, steps: int) -> Array:
    """Litres drawn in each step: the exact overlap of every draw with every step."""
    out = np.zeros(steps)
    for row in range(len(draws)):
        begin = draws[row, 0]
        end = begin + draws[row, 1]
        k = max(0, int((begin - start_s) / dt_s))
        while k < steps and start_s + k * dt_s < end:
            left = max(begin, start_s + k * dt_s)
            right = min(end, start_s + (k + 1) * dt_s)
            if right > left:
                out[k] += (right - left) / 60.0 * draws[row, 2]
            k += 1
    return out
