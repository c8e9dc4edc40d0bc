"""The rules that come along: stored once, at the first start; then they are theirs.

There is none of energy against what is expected: nothing in the stores says honestly
what a heater should have used.
"""

from __future__ import annotations

from typing import Any

from services.alert_rule_reading import read_rule
from services.alert_rules import RuleSpec

_TANKS = {"types": ["electric", "heat_pump", "gas"]}
_DEVICE: tuple[dict[str, Any], ...] = (
    {
        "key": "tank-too-hot",
        "name": "Tank above its alarm limit",
        "metric": "temperature_c",
        "operator": ">",
        "limit": "alarm_high",
        "for_s": 120,
        "off_delay_s": 300,
        "deadband": 1.0,
        "severity": "critical",
        "message": "The tank of {name} is at {value}; its alarm limit is {threshold}.",
        "action": "Switch the heater off. Check thermostat and relief valve before it "
        "heats again.",
    },
    {
        "key": "scald-risk",
        "name": "Scald risk without a mixing valve",
        "metric": "temperature_c",
        "operator": ">",
        "threshold": 60.0,
        "for_s": 1_800,
        "off_delay_s": 600,
        "deadband": 2.0,
        "severity": "high",
        "scope": {"mixing_valve": False},
        "message": "The tank of {name} is at {value} and has no mixing valve.",
        "action": "Lower the target to 55 °C or less, or have a mixing valve fitted; "
        "warn who draws water.",
    },
    {
        "key": "pressure-high",
        "name": "Pressure above its alarm limit",
        "metric": "pressure_bar",
        "operator": ">",
        "limit": "alarm_high",
        "for_s": 120,
        "off_delay_s": 300,
        "deadband": 0.2,
        "severity": "critical",
        "message": "The pressure of {name} is {value}; its alarm limit is {threshold}.",
        "action": "Check relief valve and expansion vessel; shut off the inlet if it "
        "goes on rising.",
    },
    {
        "key": "pressure-low",
        "name": "Pressure below its alarm limit",
        "metric": "pressure_bar",
        "operator": "<",
        "limit": "alarm_low",
        "for_s": 600,
        "off_delay_s": 300,
        "deadband": 0.1,
        "severity": "high",
        "message": "The pressure of {name} is {value}; its alarm limit is {threshold}.",
        "action": "Look for a leak and a closed inlet; do not let it heat while dry.",
    },
    {
        "key": "leak-suspected",
        "name": "Leak suspected",
        "metric": "no_still_hour_h",
        "operator": ">",
        "threshold": 36.0,
        "severity": "high",
        "message": "{name} has had no hour without flow for {value}.",
        "action": "Look for a running tap or a leak behind the heater.",
    },
    {
        "key": "offline",
        "name": "Offline",
        "metric": "offline_min",
        "operator": ">",
        "threshold": 10.0,
        "severity": "high",
        "message": "{name} has sent nothing for more than {threshold}.",
        "action": "Check its power supply and its network.",
    },
    {
        "key": "sensor-stale",
        "name": "No trusted tank temperature",
        "metric": "stale_min",
        "operator": ">",
        "threshold": 60.0,
        "severity": "medium",
        "message": "{name} sends, but no tank temperature to be trusted for {value}.",
        "action": "Check the tank sensor and its wiring.",
    },
    {
        "key": "legionella",
        "name": "Tank in the range where Legionella grows",
        "metric": "warm_hour_h",
        "operator": ">",
        "threshold": 48.0,
        "severity": "medium",
        "scope": _TANKS,
        "message": "{name} has had no whole hour at 50 °C for {value}.",
        "action": "Ask for a pasteurising cycle, and set the target to 55 °C or more.",
    },
    {
        # Off until somebody wants it: tanks kept at 55 °C would always be told of.
        "key": "legionella-safe-hour",
        "name": "No Legionella-safe hour",
        "enabled": False,
        "metric": "safe_hour_days",
        "operator": ">",
        "threshold": 7.0,
        "severity": "medium",
        "scope": _TANKS,
        "message": "{name} has had no whole hour at 60 °C for {value}.",
        "action": "Ask for a pasteurising cycle, or plan one each week.",
    },
    {
        "key": "error-code",
        "name": "Error code reported",
        "metric": "error_code",
        "operator": ">=",
        "threshold": 1.0,
        "severity": "high",
        "message": "{name} reports an error code.",
        "action": "Look the code up on its Details page and follow what it says.",
    },
    {
        "key": "power-too-high",
        "name": "Power above its alarm limit",
        "metric": "power_w",
        "operator": ">",
        "limit": "alarm_high",
        "for_s": 300,
        "off_delay_s": 300,
        "severity": "high",
        "message": "{name} draws {value}; its alarm limit is {threshold}.",
        "action": "Switch it off and have element and wiring checked.",
    },
    {
        "key": "flagged-readings",
        "name": "Many flagged readings",
        "metric": "flagged_share",
        "operator": ">",
        "threshold": 20.0,
        "deadband": 5.0,
        "severity": "low",
        "message": "{value} of the readings of {name} in the last day are flagged.",
        "action": "See which sensor it is on its Details page, and have it checked.",
    },
)
_MODEL: tuple[dict[str, Any], ...] = (
    {
        "key": "performance-floor",
        "name": "Performance beyond its threshold",
        "metric": "floor_gap",
        "operator": ">",
        "threshold": 0.0,
        "severity": "high",
        "message": "{name} is beyond the threshold its owner stated, by {value}.",
        "action": "Look at its Performance tab; retrain it or take it out of use.",
    },
    {
        "key": "drift-harm",
        "name": "Drift of inputs that needs a look",
        "metric": "input_shift",
        "operator": ">=",
        "threshold": 1.0,
        "severity": "harm",
        "message": "The inputs of {name} have moved, and that may cost performance.",
        "action": "Look at the features the Drift tab names; decide on retraining.",
    },
    {
        "key": "concept-drift",
        "name": "Concept drift",
        "metric": "concept_drift",
        "operator": ">=",
        "threshold": 1.0,
        "severity": "harm",
        "message": "What {name} has learnt does not hold any more.",
        "action": "Retrain it on newer labels; until then do not rely on it.",
    },
    {
        "key": "data-break",
        "name": "Data-quality break",
        "metric": "data_quality",
        "operator": ">=",
        "threshold": 1.0,
        "severity": "harm",
        "message": "The data that {name} gets are broken.",
        "action": "Tell whoever owns the source of the features the Drift tab names.",
    },
    {
        "key": "missing-values",
        "name": "Missing values",
        "metric": "missing_share",
        "operator": ">",
        "threshold": 30.0,
        "deadband": 5.0,
        "severity": "medium",
        "message": "A feature of {name} is missing in {value} of its rows.",
        "action": "Look for the source that stopped to deliver the feature.",
    },
    {
        "key": "label-lag",
        "name": "Labels come late",
        "metric": "label_lag_days",
        "operator": ">",
        "threshold": 14.0,
        "deadband": 1.0,
        "severity": "low",
        "message": "Labels of {name} come {value} after the prediction.",
        "action": "Ask whoever sends the labels; until then read estimates.",
    },
    {
        "key": "no-predictions",
        "name": "No predictions",
        "metric": "silent_h",
        "operator": ">",
        "threshold": 48.0,
        "severity": "high",
        "message": "{name} has sent no predictions for more than {threshold}.",
        "action": "Check that the model still runs and that its predictions are sent.",
    },
)


def default_rules() -> tuple[RuleSpec, ...]:
    """The rules that come along, those of heaters first."""
    return tuple(
        read_rule({"source": source, **one})
        for source, rules in (("device", _DEVICE), ("model", _MODEL))
        for one in rules
    )
