"""How a person wants to read quantities: units, time zone, theme; pure functions.

Everything is stored in °C, bar, L/min, L, W, kWh, V and UTC. These functions
turn stored numbers into the reader's units and never round.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from functools import cache
from typing import Self
from zoneinfo import ZoneInfo, available_timezones

from services.errors import InvalidInput

LITRES_PER_GALLON = 3.785411784  # US gallon, NIST Handbook 44 appendix C
PSI_PER_BAR = 14.503773773  # 1e5 Pa over 6894.757293168 Pa

CHOICES: Mapping[str, tuple[str, ...]] = {
    "temperature_unit": ("C", "F"),
    "volume_unit": ("L", "gal"),
    "pressure_unit": ("bar", "psi"),
    "theme": ("dark", "light"),
}
"""The values each preference may take; a time zone is any IANA name."""


@dataclass(frozen=True)
class Preferences:
    """What one person has chosen; refuses values that do not exist."""

    temperature_unit: str = "C"
    volume_unit: str = "L"
    pressure_unit: str = "bar"
    time_zone: str = "UTC"
    theme: str = "dark"

    def __post_init__(self) -> None:
        for name, allowed in CHOICES.items():
            value = getattr(self, name)
            if value not in allowed:
                raise InvalidInput(f"{name} must be one of {', '.join(allowed)}")
        if self.time_zone not in time_zones():
            raise InvalidInput("time_zone must be an IANA name, as Europe/Berlin")

    @classmethod
    def of(cls, values: Mapping[str, object]) -> Self:
        """Build from stored values; names not known are left out.

        Raises:
            InvalidInput: a value is not one of its choices.
        """
        known = {f.name for f in fields(cls)}
        return cls(**{k: str(v) for k, v in values.items() if k in known})

    @property
    def zone(self) -> ZoneInfo:
        """The time zone as Python knows it."""
        return ZoneInfo(self.time_zone)

    def as_dict(self) -> dict[str, str]:
        """The plain values, as they are stored."""
        return asdict(self)


@cache
def time_zones() -> tuple[str, ...]:
    """The IANA names a person may choose, sorted; old aliases are left out.

    Kept, because finding them walks the whole time zone folder (17 ms).
    """
    names = (n for n in available_timezones() if "/" in n or n == "UTC")
    return tuple(sorted(names))


@dataclass(frozen=True)
class Quantity:
    """What is measured, by the name of its column, and how it is written."""

    label: str
    kind: str
    decimals: int


QUANTITIES: Mapping[str, Quantity] = {
    "temperature_c": Quantity("Tank temperature", "temperature", 1),
    "target_temperature_c": Quantity("Target temperature", "temperature", 1),
    "inlet_temperature_c": Quantity("Inlet temperature", "temperature", 1),
    "outlet_temperature_c": Quantity("Outlet temperature", "temperature", 1),
    "ambient_temperature_c": Quantity("Room temperature", "temperature", 1),
    "pressure_bar": Quantity("Pressure", "pressure", 2),
    "flow_lpm": Quantity("Flow", "flow", 1),
    "power_w": Quantity("Power", "power", 0),
    "energy_kwh": Quantity("Energy", "energy", 2),
    "voltage_v": Quantity("Voltage", "voltage", 0),
    "capacity_l": Quantity("Capacity", "volume", 0),
    "water_l": Quantity("Water drawn", "volume", 0),
    "rated_power_w": Quantity("Rated power", "power", 0),
}
"""Label, kind and decimals of each column a screen or a report shows."""

_PLAIN_UNITS = {"power": "W", "energy": "kWh", "voltage": "V"}


def unit(kind: str, prefs: Preferences) -> str:
    """The unit a kind of quantity is written in for this reader."""
    if kind in {"temperature", "temperature_difference"}:
        return f"°{prefs.temperature_unit}"
    if kind == "pressure":
        return prefs.pressure_unit
    if kind == "volume":
        return prefs.volume_unit
    if kind == "flow":
        return f"{prefs.volume_unit}/min"
    return _PLAIN_UNITS[kind]


def convert(value: float, kind: str, prefs: Preferences) -> float:
    """A stored number in the reader's unit; no rounding.

    Args:
        value: in °C, K (differences), bar, L, L/min, W, kWh or V.
        kind: a kind of ``QUANTITIES``, or ``temperature_difference``.
        prefs: the reader's units.
    """
    if kind == "temperature" and prefs.temperature_unit == "F":
        return value * 9 / 5 + 32
    if kind == "temperature_difference" and prefs.temperature_unit == "F":
        return value * 9 / 5
    if kind == "pressure" and prefs.pressure_unit == "psi":
        return value * PSI_PER_BAR
    if kind in {"volume", "flow"} and prefs.volume_unit == "gal":
        return value / LITRES_PER_GALLON
    return value


def to_celsius(value: float, prefs: Preferences) -> float:
    """A temperature the reader typed, in °C as it is stored."""
    if prefs.temperature_unit == "F":
        return (value - 32) * 5 / 9
    return value


def to_stored(value: float, kind: str, prefs: Preferences) -> float:
    """A number the reader typed, in the unit it is stored in: undoes ``convert``."""
    if kind == "temperature":
        return to_celsius(value, prefs)
    if kind in {"volume", "flow"} and prefs.volume_unit == "gal":
        return value * LITRES_PER_GALLON
    if kind == "pressure" and prefs.pressure_unit == "psi":
        return value / PSI_PER_BAR
    if kind == "temperature_difference" and prefs.temperature_unit == "F":
        return value * 5 / 9
    return value
