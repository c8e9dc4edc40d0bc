"""The fields of the form of an alert rule, and what they hold for a rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dashboards.fleet_table import TYPES
from dashboards.ids import ident
from dashboards.model_words import KINDS
from services.alert_metrics import ALERT_METRICS, metrics_of
from services.alert_rules import RuleSpec
from services.units import Preferences, convert, unit

TAB = "alerts"
EXPRESSION = "expression"
"""What the metric holds when an expression is measured."""
DECIMALS = 4

SOURCES: Mapping[str, str] = {"device": "Water heaters", "model": "Models"}
SEVERITIES: Mapping[str, str] = {
    "critical": "Critical",
    "high": "High",
    "medium": "Medium",
    "low": "Low",
    "harm": "By harm: as the model's verdict judges it",
}
OPERATORS: Mapping[str, str] = {
    ">": "is above",
    ">=": "is at or above",
    "<": "is below",
    "<=": "is at or below",
    "outside": "is outside",
    "inside": "is inside",
}
LIMITS: Mapping[str, str] = {
    "number": "this number, or this band",
    "alarm_high": "the device's own upper alarm limit",
    "alarm_low": "the device's own lower alarm limit",
    "normal_high": "the device's own upper normal limit",
    "normal_low": "the device's own lower normal limit",
}
WHEN: Mapping[str, str] = {
    "always": "Always",
    "on": "While not in mode off",
    "drawing": "While water is drawn",
    "heating": "While it heats",
}
VALVE: Mapping[str, str] = {
    "either": "Either",
    "yes": "Recorded",
    "no": "None, or not recorded",
}


@dataclass(frozen=True)
class RuleField:
    """One field; ``kind`` says how it is typed or chosen.

    of: the source it is for; empty = both. measured: its number is in the unit of the
    metric; ``difference`` where only its size counts.
    """

    name: str
    label: str
    kind: str = "text"
    of: str = ""
    choices: Mapping[str, str] | None = None
    measured: str = ""
    hint: str = ""

    @property
    def id(self) -> str:
        """The id of its control."""
        return ident(TAB, f"rule-{self.name.replace('_', '-')}")

    @property
    def row_id(self) -> str:
        """The id of its row, which is hidden where it says nothing."""
        return f"{self.id}-row"

    @property
    def error_id(self) -> str:
        """The id of the place of its error."""
        return f"{self.id}-error"

    @property
    def unit_id(self) -> str:
        """The id of the place of its unit."""
        return f"{self.id}-unit"


def metric_choices(source: str) -> dict[str, str]:
    """The metrics of a source by key, and the way to an expression."""
    listed = {m.key: m.label for m in metrics_of(source)}
    return {**listed, EXPRESSION: "An expression of several"}


_LISTED = "Separated by commas; empty: all"
GROUPS: tuple[tuple[str, tuple[RuleField, ...]], ...] = (
    (
        "Rule",
        (
            RuleField("name", "Name"),
            RuleField("key", "Key", hint="Small letters, digits and dashes; stays"),
            RuleField("source", "Watches", "choice", choices=SOURCES),
            RuleField("severity", "Severity", "choice", choices=SEVERITIES),
        ),
    ),
    (
        "Condition",
        (
            RuleField("metric", "Measures", "choice", choices=metric_choices("device")),
            RuleField(
                "expression",
                "Expression",
                hint="As outlet_temperature_c - temperature_c",
            ),
            RuleField("operator", "Fires when it", "choice", choices=OPERATORS),
            RuleField("limit", "Compared with", "choice", "device", LIMITS),
            RuleField("threshold", "Threshold", "number", measured="value"),
            RuleField("low", "Lower end", "number", measured="value"),
            RuleField("high", "Upper end", "number", measured="value"),
            RuleField(
                "deadband",
                "Deadband",
                "number",
                measured="difference",
                hint="How far back it must go before the condition is gone",
            ),
            RuleField("for_min", "Must hold for (min)", "number"),
            RuleField("off_delay_min", "Must be gone for (min)", "number"),
            RuleField("when", "Counts", "choice", "device", WHEN),
        ),
    ),
    (
        "For which",
        (
            RuleField("types", "Types", "checks", "device", TYPES),
            RuleField("buildings", "Buildings", "list", "device", hint=_LISTED),
            RuleField("ids", "Heaters by id", "list", "device", hint=_LISTED),
            RuleField("mixing_valve", "Mixing valve", "choice", "device", VALVE),
            RuleField("kinds", "Kinds", "checks", "model", KINDS),
            RuleField("owners", "Owners", "list", "model", hint=_LISTED),
            RuleField("tags", "Tags", "list", "model", hint=_LISTED),
            RuleField("names", "Models by name", "list", "model", hint=_LISTED),
        ),
    ),
    (
        "What it says",
        (
            RuleField(
                "message",
                "Message",
                "long",
                hint="May hold {name}, {value}, {threshold}",
            ),
            RuleField(
                "action", "What to do", "long", hint="No alarm without an action"
            ),
        ),
    ),
)
RULE_FIELDS: tuple[RuleField, ...] = tuple(f for _, fields in GROUPS for f in fields)


def measured_kind(metric: str, *, difference: bool = False) -> str:
    """The kind of quantity a metric's numbers are, ``""`` where no unit is chosen."""
    known = ALERT_METRICS.get(metric)
    kind = known.kind if known else ""
    return "temperature_difference" if difference and kind == "temperature" else kind


def unit_words(metric: str, prefs: Preferences) -> str:
    """The unit in which this reader types the numbers of a metric."""
    known = ALERT_METRICS.get(metric)
    if known is None:
        return ""
    return unit(known.kind, prefs) if known.kind else known.unit


def shown(field: RuleField, spec: RuleSpec | None, prefs: Preferences) -> Any:
    """What a field's control holds for a rule; ``None``: for a new one."""
    if spec is None:
        return _blank(field)
    value = _value(field.name, spec)
    if field.kind == "choice":
        return str(value)
    if field.kind == "checks":
        return list(value)
    if field.kind == "list":
        return ", ".join(value)
    if value is None:
        return ""
    if field.measured:
        kind = measured_kind(spec.metric, difference=field.measured == "difference")
        value = round(convert(value, kind, prefs), DECIMALS) if kind else value
    return f"{value:.10g}" if isinstance(value, int | float) else str(value)


def _blank(field: RuleField) -> Any:
    if field.kind == "checks":
        return []
    if field.kind == "choice":
        return next(iter(field.choices or {}))
    return "0" if field.kind == "number" and field.measured != "value" else ""


def _value(name: str, spec: RuleSpec) -> Any:
    if name == "metric":
        return spec.metric or EXPRESSION
    if name == "limit":
        return spec.limit or "number"
    if name in {"low", "high"}:
        return spec.band[name == "high"] if spec.band else None
    if name in {"for_min", "off_delay_min"}:
        return getattr(spec, f"{name.removesuffix('_min')}_s") / 60
    if name == "mixing_valve":
        return {None: "either", True: "yes", False: "no"}[spec.scope.mixing_valve]
    return getattr(spec.scope if hasattr(spec.scope, name) else spec, name)


def hidden_rows(source: str, metric: str, operator: str, limit: str) -> dict[str, bool]:
    """Which fields say nothing with these choices, by name."""
    banded = operator in {"outside", "inside"}
    numbered = source == "model" or limit == "number" or banded
    hidden = {
        field.name: bool(field.of) and field.of != source for field in RULE_FIELDS
    }
    hidden["expression"] = metric != EXPRESSION
    hidden["limit"] = hidden["limit"] or banded or metric == EXPRESSION
    hidden["threshold"] = banded or not numbered
    hidden["low"] = hidden["high"] = not banded
    return hidden


def metric_options(source: str) -> list[dict[str, str]]:
    """What a rule of this source may measure."""
    return [{"label": w, "value": v} for v, w in metric_choices(source).items()]
