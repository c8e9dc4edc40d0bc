"""What an administrator typed -> an alert rule, or what is wrong with which field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dashboards.rule_fields import (
    EXPRESSION,
    RULE_FIELDS,
    RuleField,
    hidden_rows,
    measured_kind,
    shown,
)
from services.alert_rule_reading import read_rule
from services.alert_rules import RuleSpec, rule_to_json
from services.errors import InvalidInput
from services.units import Preferences, to_stored

SECONDS_PER_MIN = 60
SCOPE = ("types", "buildings", "ids", "kinds", "owners", "tags", "names")
FIELD_OF: Mapping[str, str] = {
    "for_s": "for_min",
    "off_delay_s": "off_delay_min",
    "band": "low",
}
"""What the rule's own complaints name, and the field of the form it is typed in."""


class FieldProblem(InvalidInput):
    """Something is wrong with one field, by its name in the form."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def read_rule_form(
    values: Sequence[object], held: RuleSpec | None, prefs: Preferences
) -> RuleSpec:
    """The rule that the form describes.

    Args:
        values: what the controls hold, in the order of ``RULE_FIELDS``.
        held: the rule being edited; ``None`` for a new one.
        prefs: the units the numbers were typed in.

    Raises:
        FieldProblem: a field is wrong.
        InvalidInput: the whole contradicts itself.
    """
    typed = dict(zip((f.name for f in RULE_FIELDS), values, strict=True))
    if held is not None:
        typed |= {"key": held.key, "source": held.source}
    document = _document(typed, held, prefs)
    if held is not None:
        document["enabled"] = held.enabled
    try:
        return read_rule(document)
    except InvalidInput as error:
        place, _, problem = str(error).partition(": ")
        name = place.rpartition(".")[2]
        name = FIELD_OF.get(name, name)
        if name in {f.name for f in RULE_FIELDS}:
            raise FieldProblem(name, problem) from error
        raise


def _document(
    typed: Mapping[str, object], held: RuleSpec | None, prefs: Preferences
) -> dict[str, Any]:
    hidden = hidden_rows(
        *(str(typed[n]) for n in ("source", "metric", "operator", "limit"))
    )
    said = {
        f.name: _said(f, typed, held, prefs) for f in RULE_FIELDS if not hidden[f.name]
    }
    document: dict[str, Any] = {
        n: said[n]
        for n in ("name", "key", "source", "severity", "operator", "message", "action")
    }
    if said["metric"] == EXPRESSION:
        document["expression"] = said["expression"]
    else:
        document["metric"] = said["metric"]
    for name in ("threshold", "when"):
        if name in said:
            document[name] = said[name]
    if "low" in said:
        document["band"] = [said["low"], said["high"]]
    if said.get("limit", "number") != "number":
        document["limit"] = said["limit"]
        document.pop("threshold", None)
    document["deadband"] = said["deadband"]
    document["for_s"] = round(said["for_min"] * SECONDS_PER_MIN)
    document["off_delay_s"] = round(said["off_delay_min"] * SECONDS_PER_MIN)
    document["scope"] = {n: said[n] for n in SCOPE if said.get(n)}
    valve = {"yes": True, "no": False}.get(str(said.get("mixing_valve")))
    if valve is not None:
        document["scope"]["mixing_valve"] = valve
    return document


def _said(
    field: RuleField,
    typed: Mapping[str, object],
    held: RuleSpec | None,
    prefs: Preferences,
) -> Any:
    value = typed[field.name]
    if field.kind == "checks":
        return [str(v) for v in value] if isinstance(value, list) else []
    text = str(value if value is not None else "").strip()
    if field.kind == "list":
        return [part.strip() for part in text.split(",") if part.strip()]
    if field.kind != "number":
        return text
    return _number(field, text, str(typed["metric"]), held, prefs)


def _number(
    field: RuleField, text: str, metric: str, held: RuleSpec | None, prefs: Preferences
) -> float:
    if held is not None and held.metric == metric and text == shown(field, held, prefs):
        # Untouched: a number in °F must not drift by its rounding.
        return _kept(field.name, held)
    try:
        number = float(text.replace(",", "."))
    except ValueError:
        raise FieldProblem(field.name, "This is not a number.") from None
    kind = measured_kind(metric, difference=field.measured == "difference")
    return to_stored(number, kind, prefs) if field.measured and kind else number


def _kept(name: str, held: RuleSpec) -> float:
    document = rule_to_json(held)
    if name in {"low", "high"}:
        return float(document["band"][name == "high"])
    if name.endswith("_min"):
        return (
            float(document.get(f"{name.removesuffix('_min')}_s", 0)) / SECONDS_PER_MIN
        )
    return float(document.get(name, 0.0))
