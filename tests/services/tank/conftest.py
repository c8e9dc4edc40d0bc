"""Plain tanks under plain conditions, for facts that can be computed by hand."""

from __future__ import annotations

import numpy as np
import pytest

from services.tank import physics, products
from services.tank.draws import Resident
from services.tank.faults import Fault
from services.tank.habits import Habit
from services.tank.heater import Heater
from services.tank.physics import Body, Inputs, Tank
from services.tank.sensors import Sensors
from services.tank.surroundings import Place

MONDAY_S = 1_772_409_600.0
"""Monday 2 March 2026, 00:00 UTC."""


class Bench:
    """A tank on the test bench: constant water, room and mains, given draws."""

    def __init__(self, tank: Tank, temperature_c: float) -> None:
        nodes = np.full(physics.NODES, temperature_c)
        registers = np.zeros(physics.REGISTERS)
        registers[physics.PRESSURE_BAR] = 3.0
        self.body = Body(tank, nodes, registers)
        self.inlet_c, self.room_c, self.volts, self.supply_bar = 14.4, 19.7, 230.0, 3.0
        self.at_s = MONDAY_S

    def run(
        self, litres: np.ndarray, target_c: float, mode: int, dt_s: float = 60.0
    ) -> dict[str, np.ndarray]:
        """Step once per entry of ``litres``; the trace by column name."""
        steps = len(litres)
        air = np.tile(
            [self.inlet_c, self.room_c, self.volts, self.supply_bar], (steps, 1)
        )
        inputs = Inputs(
            self.at_s, dt_s, litres.astype(float), air, np.full(steps, target_c),
            np.full(steps, mode, dtype=np.int8), np.empty((0, 5)),
        )  # fmt: skip
        trace = np.empty((steps, len(physics.TRACE)))
        physics.advance(self.body, inputs, trace)
        self.at_s += steps * dt_s
        return dict(zip(physics.TRACE, trace.T, strict=True))


@pytest.fixture
def bench():
    """Make a tank on the bench."""
    return Bench


@pytest.fixture
def heater():
    """Make a heater with a household, of one kind and with chosen faults."""

    def make(
        *faults: Fault,
        tank: Tank | None = None,
        kind: str = "family",
        mode: str = "electric",
        device: int = 0,
        seed: int = 7,
        pattern: str = "steady",
    ) -> Heater:
        return Heater(
            id=f"tank-{device}",
            tank=tank or products.electric(),
            place=Place(11.0, 5.0, 19.5, 2.0, 0.8, 230.0, 3.4, 1.0),
            resident=Resident(seed, device, kind, 1.0),
            habit=Habit(55.0, mode, 45.0, 62.0, pattern, busy_mode="performance"),
            sensors=Sensors(),
            faults=faults,
        )

    return make
