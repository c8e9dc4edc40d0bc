"""The names an import recognises: the one table that the code and docs share."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

FIELD_NAMES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "ts": (
            "ts",
            "timestamp",
            "date time",
            "datetime",
            "time stamp",
            "local time",
            "utc time",
            "time utc",
            "measured at",
            "recorded at",
            "event time",
            "epoch",
            "unix time",
            "epoch ms",
            "time",
            "date",
        ),
        "device_id": (
            "device id",
            "device",
            "heater id",
            "unit id",
            "asset id",
            "asset",
            "sensor id",
            "serial number",
            "serial no",
            "serial",
            "heater",
            "id",
        ),
        "temperature_c": (
            "temperature",
            "tank temperature",
            "temperature tank",
            "hot tank temperature",
            "storage temperature",
            "cylinder temperature",
        ),
        "target_temperature_c": (
            "target temperature",
            "temperature target",
            "target",
            "setpoint",
            "setpoint temperature",
            "temperature setpoint",
            "set temperature",
            "temperature set",
            "thermostat",
        ),
        "inlet_temperature_c": (
            "inlet temperature",
            "temperature inlet",
            "inlet",
            "cold temperature",
            "temperature cold",
            "cold",
            "cold inlet temperature",
            "incoming temperature",
            "supply cold temperature",
        ),
        "outlet_temperature_c": (
            "outlet temperature",
            "temperature outlet",
            "outlet",
            "hot temperature",
            "temperature hot",
            "hot",
            "hot outlet temperature",
            "delivered temperature",
        ),
        "ambient_temperature_c": (
            "ambient temperature",
            "temperature ambient",
            "ambient",
            "room temperature",
            "temperature room",
            "room",
            "air temperature",
        ),
        "pressure_bar": ("pressure", "tank pressure", "line pressure"),
        "flow_lpm": ("flow", "flow rate", "flowrate", "draw", "hot flow"),
        "power_w": (
            "power",
            "active power",
            "electric power",
            "power consumption",
            "load",
        ),
        "energy_kwh": (
            "energy",
            "energy total",
            "total energy",
            "cumulative energy",
            "energy cumulative",
            "energy meter",
            "meter",
        ),
        "voltage_v": ("voltage", "line voltage", "mains voltage", "supply voltage"),
        "mode": ("mode", "operation mode", "operating mode", "operation"),
        "heating": (
            "heating",
            "is heating",
            "heating on",
            "heating element",
            "element",
            "element on",
            "element state",
            "compressor",
            "compressor on",
            "burner",
            "heater on",
            "heating state",
        ),
        "error_code": ("error", "error code", "fault", "fault code", "alarm code"),
    }
)
"""Field -> names, lower case, words parted by spaces, noise words left out.

For ``ts`` and ``device_id`` an earlier name wins over a later one.
"""

WORDS: Mapping[str, str] = MappingProxyType(
    {
        "temp": "temperature",
        "tmp": "temperature",
        "temps": "temperature",
        "t": "temperature",
        "sp": "setpoint",
        "amb": "ambient",
        "pres": "pressure",
        "press": "pressure",
        "pwr": "power",
        "volt": "voltage",
        "volts": "voltage",
        "in": "inlet",
        "out": "outlet",
        "err": "error",
        "dev": "device",
        "num": "number",
        "elem": "element",
        "tgt": "target",
    }
)
"""Short words and what they stand for."""

NOISE = frozenset(
    {
        "water",
        "heater",
        "wh",
        "dhw",
        "boiler",
        "sensor",
        "value",
        "reading",
        "measured",
        "actual",
        "current",
        "avg",
        "average",
        "mean",
        "the",
        "values",
        "data",
        "telemetry",
        "payload",
        "fields",
        "attributes",
        "measurements",
    }
)
"""Words that do not change the meaning of a name beside other words."""

MODE_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "off": "off",
        "eco": "eco",
        "economy": "eco",
        "energy_saver": "eco",
        "energy_saving": "eco",
        "electric": "electric",
        "electric_only": "electric",
        "resistance": "electric",
        "performance": "performance",
        "high_demand": "high_demand",
        "boost": "high_demand",
        "heat_pump": "heat_pump",
        "heatpump": "heat_pump",
        "heat_pump_only": "heat_pump",
        "gas": "gas",
    }
)
"""A word in a mode column (lower case, ``_`` for spaces and hyphens) -> mode."""

TRUE_WORDS = frozenset({"1", "1.0", "on", "true", "yes", "t", "y", "heating", "active"})
FALSE_WORDS = frozenset(
    {"0", "0.0", "off", "false", "no", "f", "n", "idle", "inactive"}
)
MISSING_WORDS = frozenset(
    {"", "na", "n/a", "#n/a", "nan", "null", "none", "nil", "-", "--", "---", "?"}
)
"""Cells that mean "no value", compared in lower case without outer spaces."""
