"""All that a simulated heater remembers: saved as JSON, it goes on without a jump."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from services.tank.physics import (
    INLET_PIPE_C,
    NODES,
    OUTLET_PIPE_C,
    PRESSURE_BAR,
    REGISTERS,
    Array,
)


@dataclass
class TankState:
    """One heater at ``ts_s``, seconds since 1970 UTC.

    Attributes:
        ts_s: The moment up to which the heater has been simulated.
        nodes_c: Temperatures of the nodes, bottom first, in °C.
        registers: The rest of the physical state, see ``physics``.
        target_c: Target temperature set now.
        mode: Operation mode set now.
        follows_habits: False from the first command on: who commands a heater does
            not find it changed again by the simulated household.
        held_c: The reading a stuck temperature sensor keeps giving, else None.
        said_s: When each error code was last written to the event log.
        power: False while it is switched off and does not heat at all.
        away_until_s: Until when it holds less, else None.
        boost_until_s: Until when it heats as much as it can, else None.
        pasteurise_until_s: Until when a pasteurising cycle may last, else None.
        hot_s: For how long the cycle has held its temperature.
    """

    ts_s: float
    nodes_c: Array
    registers: Array
    target_c: float
    mode: str
    follows_habits: bool = True
    held_c: float | None = None
    said_s: dict[str, float] = field(default_factory=dict)
    power: bool = True
    away_until_s: float | None = None
    boost_until_s: float | None = None
    pasteurise_until_s: float | None = None
    hot_s: float = 0.0

    @classmethod
    def at_rest(
        cls, ts_s: float, target_c: float, mode: str, room_c: float, bar: float
    ) -> TankState:
        """A heater that is hot throughout and has not been drawn from for long."""
        registers = np.zeros(REGISTERS)
        registers[PRESSURE_BAR] = bar
        registers[INLET_PIPE_C] = room_c
        registers[OUTLET_PIPE_C] = room_c + 0.35 * (target_c - room_c)
        return cls(
            ts_s, np.full(NODES, target_c, dtype=np.float64), registers, target_c, mode
        )

    def command(
        self,
        target_c: float | None = None,
        mode: str | None = None,
        *,
        power: bool | None = None,
    ) -> None:
        """Set target (°C), mode or power, as a command from outside does.

        Switching off ends what heats for a while: it does not go on by surprise.
        """
        self.follows_habits = False
        self.target_c = self.target_c if target_c is None else target_c
        self.mode = self.mode if mode is None else mode
        self.power = self.power if power is None else power
        if not self.power:
            self.set_end("boost_until", None)
            self.set_end("pasteurise_until", None)

    def end_of(self, name: str) -> float | None:
        """When ``away_until``, ``boost_until`` or ``pasteurise_until`` ends, in s."""
        end_s: float | None = getattr(self, f"{name}_s")
        return end_s

    def set_end(self, name: str, end_s: float | None) -> None:
        """Begin one of them, or end it with None; a cycle counts from anew."""
        setattr(self, f"{name}_s", end_s)
        if name == "pasteurise_until":
            self.hot_s = 0.0

    def to_json(self) -> dict[str, Any]:
        """Plain values; floats keep every bit when written as JSON."""
        return {
            "ts_s": self.ts_s,
            "nodes_c": self.nodes_c.tolist(),
            "registers": self.registers.tolist(),
            "target_c": self.target_c,
            "mode": self.mode,
            "follows_habits": self.follows_habits,
            "held_c": self.held_c,
            "said_s": self.said_s,
            "power": self.power,
            "away_until_s": self.away_until_s,
            "boost_until_s": self.boost_until_s,
            "pasteurise_until_s": self.pasteurise_until_s,
            "hot_s": self.hot_s,
        }

    @classmethod
    def from_json(cls, saved: Mapping[str, Any]) -> TankState:
        """The state that ``to_json`` gave, of this program or an older one."""
        values = dict(saved)
        values["nodes_c"] = np.array(values["nodes_c"], dtype=np.float64)
        values["registers"] = np.array(values["registers"], dtype=np.float64)
        return cls(**values)
