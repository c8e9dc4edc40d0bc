"""A control that cannot lie: histories of a heater that misbehaves, and a round trip.

``IOTSPHERE_CONTROL_RUNS`` says how many (default 10,000, the bar's number).
"""

from __future__ import annotations

import os
from random import Random

from benchmarks import control_browser
from benchmarks.result import Result
from tests.services.control_world import World, base, wander

RUNS = 10_000
LEAST_STEPS, MOST_STEPS = 15, 40


def run() -> list[Result]:
    """Try the histories; count what was shown wrong and what stayed open."""
    runs = int(os.environ.get("IOTSPHERE_CONTROL_RUNS", RUNS))
    wrong = stuck = looks = 0
    with base() as held:
        for seed in range(runs):
            world, random = World(held), Random(seed)  # noqa: S311 - a reproducible walk
            for _ in range(random.randint(LEAST_STEPS, MOST_STEPS)):
                wander(world, random)
                wrong += len(world.wrong())
                looks += 1
            stuck += len(world.stuck())
            wrong += len(world.wrong())
    return [
        Result("control", f"wrong displays in {runs:,} histories", wrong, "", bar=0),
        Result("control", f"stuck commands in {runs:,} histories", stuck, "", bar=0),
        Result("control", "looks at all controls", looks, ""),
        *control_browser.run(),
    ]
