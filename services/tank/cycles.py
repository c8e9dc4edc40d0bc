"""What a heater is told for a while: off, away, boost, pasteurising; each ends itself.

The set target and mode stay what they are; these change what the heater heats to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from services.tank import physics
from services.tank.physics import HIGH_DEMAND, LOWER_NODE, OFF, Array, Body, Inputs

if TYPE_CHECKING:
    from services.tank.state import TankState

ENDS: tuple[str, ...] = ("away_until", "boost_until", "pasteurise_until")
"""What ends by itself, as wishes and reports name it."""

AWAY_K, AWAY_LEAST_C = 10.0, 45.0
"""Away, a heater holds 10 K less, as common ones do (10 to 15 K), but not below 45 °C:
from 25 to 45 °C Legionella grow, and a holiday gives them weeks."""

BOOST_C = 60.0
"""A boost heats up to this or the heater's own limit: above it needs a mixing valve,
which a heater knows nothing of."""

PASTEURISE_C, HOT_C, HOT_S = 62.0, 60.0, 3600.0
"""A pasteurising cycle heats to the first and ends after an hour above the second."""


def overridden(state: TankState, asked: Inputs, highest_c: float) -> Inputs:
    """What the heater heats to at each step, from what is set and what is told."""
    if state.power and all(state.end_of(name) is None for name in ENDS):
        return asked
    starts_s = asked.start_s + asked.dt_s * np.arange(float(len(asked.target_c)))
    target_c, mode = asked.target_c.copy(), asked.mode.copy()
    away = _active(state, "away_until", starts_s)
    lower_c = np.maximum(AWAY_LEAST_C, target_c - AWAY_K)
    target_c[away] = np.minimum(target_c, lower_c)[away]
    boost = _active(state, "boost_until", starts_s)
    most_c = np.maximum(asked.target_c, min(BOOST_C, highest_c))
    hot = _active(state, "pasteurise_until", starts_s)
    target_c[boost], target_c[hot] = most_c[boost], PASTEURISE_C
    mode[boost | hot] = HIGH_DEMAND
    if not state.power:
        mode[:] = OFF
    return asked._replace(target_c=target_c, mode=mode)


def advance(
    body: Body, state: TankState, asked: Inputs, highest_c: float, trace: Array
) -> tuple[str, ...]:
    """Run the tank over ``asked`` as told; the names of what has ended meanwhile."""
    told, steps, done = overridden(state, asked, highest_c), len(trace), 0
    before = {name for name in ENDS if state.end_of(name) is not None}
    while done < steps and state.pasteurise_until_s is not None:
        start_s = asked.start_s + done * asked.dt_s
        if start_s >= state.pasteurise_until_s:
            break
        physics.advance(body, _part(told, done, done + 1), trace[done : done + 1])
        done += 1
        # The water under the lower element is cold in most heaters at all times.
        hot = body.nodes[LOWER_NODE:].min() >= HOT_C
        state.hot_s = state.hot_s + asked.dt_s if hot else 0.0
        if state.hot_s >= HOT_S:
            state.set_end("pasteurise_until", None)
            told = overridden(state, asked, highest_c)
    if done < steps:
        physics.advance(body, _part(told, done, steps), trace[done:])
    end_s = asked.start_s + steps * asked.dt_s
    for name in ENDS:
        until_s = state.end_of(name)
        if until_s is not None and end_s >= until_s:
            state.set_end(name, None)
    return tuple(n for n in ENDS if n in before and state.end_of(n) is None)


def _active(state: TankState, name: str, starts_s: Array) -> physics.Flags:
    until_s = state.end_of(name)
    return starts_s < (-np.inf if until_s is None else until_s)


def _part(inputs: Inputs, first: int, last: int) -> Inputs:
    return inputs._replace(
        start_s=inputs.start_s + first * inputs.dt_s,
        litres=inputs.litres[first:last],
        weather=inputs.weather[first:last],
        target_c=inputs.target_c[first:last],
        mode=inputs.mode[first:last],
    )
