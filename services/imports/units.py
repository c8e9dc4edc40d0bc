"""The units a file may use, and their way to the stored ones."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from services.quality import FAULT_CODES, POSSIBLE

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Unit:
    """``stored = (value - zero) * factor``; ``names`` are spellings, tidied."""

    symbol: str
    factor: float
    names: tuple[str, ...]
    zero: float = 0.0


QUANTITIES: Mapping[str, tuple[Unit, ...]] = MappingProxyType(
    {
        "temperature": (
            Unit("°C", 1.0, ("c", "degc", "celsius", "cel", "centigrade")),
            Unit("°F", 1 / 1.8, ("f", "degf", "fahrenheit"), zero=32.0),
            Unit("K", 1.0, ("k", "degk", "kelvin"), zero=273.15),
        ),
        "pressure": (
            Unit("bar", 1.0, ("bar", "bars", "barg")),
            Unit("psi", 0.0689475729, ("psi", "psig", "lbin2")),
            Unit("kPa", 0.01, ("kpa",)),
            Unit("MPa", 10.0, ("mpa",)),
            Unit("mbar", 0.001, ("mbar", "hpa")),
            Unit("Pa", 1e-5, ("pa", "pascal")),
        ),
        "flow": (
            Unit("L/min", 1.0, ("lmin", "lpm", "literspermin", "litersperminute")),
            Unit("gpm", 3.785411784, ("gpm", "galmin", "usgpm", "gallonsperminute")),
            Unit("L/h", 1 / 60, ("lh", "lhr", "lph", "litersperhour")),
            Unit("L/s", 60.0, ("ls", "lps")),
            Unit("m³/h", 1000 / 60, ("m3h", "m3hr", "cmh")),
            Unit("gph", 3.785411784 / 60, ("gph", "galh", "galhr")),
        ),
        "power": (
            Unit("W", 1.0, ("w", "watt", "watts")),
            Unit("kW", 1000.0, ("kw", "kilowatt", "kilowatts")),
            Unit("BTU/h", 0.29307107, ("btuh", "btuhr")),
        ),
        "energy": (
            Unit("kWh", 1.0, ("kwh", "kilowatthours")),
            Unit("Wh", 0.001, ("wh", "watthours")),
            Unit("MWh", 1000.0, ("mwh",)),
            Unit("MJ", 1 / 3.6, ("mj",)),
            Unit("BTU", 0.29307107 / 1000, ("btu",)),
        ),
        "voltage": (
            Unit("V", 1.0, ("v", "vac", "volt", "volts")),
            Unit("mV", 0.001, ("mv",)),
            Unit("kV", 1000.0, ("kv",)),
        ),
    }
)
"""Units by quantity; the first of each is the stored one. Gallons are US."""

QUANTITY_OF: Mapping[str, str] = MappingProxyType(
    {
        "temperature_c": "temperature",
        "target_temperature_c": "temperature",
        "inlet_temperature_c": "temperature",
        "outlet_temperature_c": "temperature",
        "ambient_temperature_c": "temperature",
        "pressure_bar": "pressure",
        "flow_lpm": "flow",
        "power_w": "power",
        "energy_kwh": "energy",
        "voltage_v": "voltage",
    }
)


def tidy(text: str) -> str:
    """A unit as written, without case, degree signs, spaces and slashes."""
    plain = text.lower().replace("³", "3").replace("²", "2").replace("litre", "liter")
    return re.sub(r"[^a-z0-9]", "", plain)


def find(quantity: str, text: str) -> Unit | None:
    """The unit of ``quantity`` that ``text`` names, or ``None``."""
    wanted = tidy(text)
    for unit in QUANTITIES[quantity]:
        if wanted in unit.names or wanted == tidy(unit.symbol):
            return unit
    return None


def quantities(text: str) -> tuple[str, ...]:
    """The quantities that have a unit of this name."""
    return tuple(q for q in QUANTITIES if find(q, text) is not None)


def symbols(field: str) -> tuple[str, ...]:
    """The unit symbols allowed for ``field``, the stored one first."""
    quantity = QUANTITY_OF.get(field)
    return tuple(u.symbol for u in QUANTITIES[quantity]) if quantity else ()


def to_stored(field: str, symbol: str, values: Floats) -> Floats:
    """Values in the stored unit; a conversion must not disguise a fault code.

    A fault code such as 888.8 stays as it is when neither it nor what it would be
    converted to is possible: 888.8 °F is a code, 888.8 L/h a reading.
    """
    quantity = QUANTITY_OF[field]
    unit = find(quantity, symbol)
    if unit is None:
        raise ValueError(f"{symbol} is not a unit of {quantity}")
    if unit.factor == 1.0 and unit.zero == 0.0:
        return values
    converted = (values - unit.zero) * unit.factor
    low, high = POSSIBLE[field]
    code = np.isin(values, FAULT_CODES)
    for side in (values, converted):
        code &= (side < low) | (side > high)
    return np.where(code, values, converted)
