"""An alert rule in words: when it fires, and for whom."""

from __future__ import annotations

from dashboards.alert_words import amount
from dashboards.fleet_table import TYPES
from dashboards.model_words import KINDS
from dashboards.rule_fields import LIMITS, OPERATORS, WHEN
from services.alert_metrics import ALERT_METRICS
from services.alert_rules import RuleScope, RuleSpec
from services.units import Preferences

MOST_NAMES = 3
FLAGS = ("error_code", "input_shift", "concept_drift", "data_quality")
"""Metrics that are 1 or 0: at or above 1 is said by their name alone."""


def condition(spec: RuleSpec, prefs: Preferences) -> str:
    """When a rule fires, in the reader's units."""
    known = ALERT_METRICS.get(spec.metric)
    what = known.label if known else spec.expression
    said = f"{what} {OPERATORS[spec.operator]} {_against(spec, prefs)}"
    if spec.metric in FLAGS and (spec.operator, spec.threshold) == (">=", 1.0):
        said = what
    return said if spec.when == "always" else f"{said}, {WHEN[spec.when].lower()}"


def _against(spec: RuleSpec, prefs: Preferences) -> str:
    if spec.limit:
        return LIMITS[spec.limit]
    numbers = spec.band or (spec.threshold or 0.0,)
    return " to ".join(amount(spec.metric, number, prefs) for number in numbers)


def scope_words(source: str, scope: RuleScope) -> str:
    """For whom a rule is."""
    groups = {
        "device": (
            tuple(TYPES[kind] for kind in scope.types),
            scope.buildings,
            scope.ids,
        ),
        "model": (
            tuple(KINDS.get(kind, kind) for kind in scope.kinds),
            scope.owners,
            scope.tags,
            scope.names,
        ),
    }[source]
    said = [_some(group) for group in groups if group]
    if scope.mixing_valve is not None:
        said.append("mixing valve" if scope.mixing_valve else "no mixing valve known")
    return " · ".join(said) or ("All heaters" if source == "device" else "All models")


def _some(names: tuple[str, ...]) -> str:
    more = len(names) - MOST_NAMES
    return ", ".join(names[:MOST_NAMES]) + (f" and {more} more" if more > 0 else "")
