"""An alert rule: its YAML form, read with clear complaints and written back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from data.alert_records import SEVERITIES
from services.alert_expressions import Expression, read_expression
from services.alert_metrics import ALERT_METRICS, AlertMetric
from services.model_spec import write_plain

OPERATORS: tuple[str, ...] = (">", ">=", "<", "<=", "outside", "inside")
BANDED: tuple[str, ...] = ("outside", "inside")
LIMITS: tuple[str, ...] = ("alarm_low", "alarm_high", "normal_low", "normal_high")
"""Limits of a device's own gauges that a rule may take instead of a number."""
BY_HARM = "harm"
"""Severity by size × certainty × harm × persistence: that of the model's verdict."""
RULE_SEVERITIES: tuple[str, ...] = (*SEVERITIES, BY_HARM)


@dataclass(frozen=True)
class RuleScope:
    """Which subjects a rule is for; an empty filter lets all pass.

    Of devices: types, buildings, ids, mixing_valve (``None`` = either; else it must
    be recorded so). Of models: kinds, owners, tags, names.
    """

    types: tuple[str, ...] = ()
    buildings: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    mixing_valve: bool | None = None
    kinds: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    names: tuple[str, ...] = ()


DEVICE_SCOPE: tuple[str, ...] = ("types", "buildings", "ids", "mixing_valve")
MODEL_SCOPE: tuple[str, ...] = ("kinds", "owners", "tags", "names")


@dataclass(frozen=True)
class RuleSpec:
    """One rule, as its YAML file says it and as the form edits it.

    metric or expression: what is measured (the other one is empty). operator: one of
    ``OPERATORS``. threshold, band (low, high) or limit (of the device's own gauge):
    exactly one of them. for_s: how long the condition must hold; off_delay_s: how
    long it must be gone. deadband: how far back over the threshold a value must go
    for the condition to be gone. severity: one of ``RULE_SEVERITIES``. when: one of
    ``APPLIES``, when a heater's value counts. message may hold {name}, {value} and
    {threshold}. action: what somebody is to do.
    """

    key: str
    name: str
    source: str
    operator: str
    severity: str
    message: str
    action: str
    metric: str = ""
    expression: str = ""
    threshold: float | None = None
    band: tuple[float, float] | None = None
    limit: str = ""
    for_s: int = 0
    off_delay_s: int = 0
    deadband: float = 0.0
    when: str = "always"
    scope: RuleScope = field(default_factory=RuleScope)
    enabled: bool = True

    @property
    def measured(self) -> str:
        """The metric's key, or the expression: what an alert names as its metric."""
        return self.metric or self.expression

    @property
    def unit(self) -> str:
        """The stored unit of what is measured; ``""`` for an expression."""
        return ALERT_METRICS[self.metric].unit if self.metric else ""

    @property
    def metrics(self) -> tuple[AlertMetric, ...]:
        """The metrics that are read."""
        if self.metric:
            return (ALERT_METRICS[self.metric],)
        return tuple(ALERT_METRICS[name] for name in self.parsed.names)

    @property
    def parsed(self) -> Expression:
        """The checked expression; of a plain metric the metric's name."""
        return read_expression(self.expression or self.metric)


def rule_to_json(spec: RuleSpec) -> dict[str, Any]:
    """The rule as plain data: what is stored and exchanged; defaults are left out."""
    bare = {
        one.name: one.default for one in fields(RuleSpec) if one.name not in {"scope"}
    }
    written: dict[str, Any] = {}
    for name, value in asdict(spec).items():
        if name == "scope":
            scope = {k: _listed(v) for k, v in value.items() if v not in ((), None)}
            if scope:
                written[name] = scope
        elif value != bare[name] or name == "enabled":
            written[name] = _listed(value)
    return written


def write_rules(specs: Iterable[RuleSpec]) -> str:
    """Rules as a YAML file; reading it back gives the same."""
    return write_plain({"rules": [rule_to_json(spec) for spec in specs]})


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
