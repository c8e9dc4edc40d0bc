"""Reads alert rules from plain data and YAML, with complaints that name the field."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from data.model_records import KINDS
from data.records import DEVICE_TYPES
from services.alert_expressions import LONGEST, read_expression
from services.alert_metrics import ALERT_METRICS, READING
from services.alert_rules import (
    BANDED,
    BY_HARM,
    DEVICE_SCOPE,
    MODEL_SCOPE,
    RuleScope,
    RuleSpec,
)
from services.errors import InvalidInput
from services.model_spec import CONTROL, read_plain

KEY = r"^[a-z0-9][a-z0-9-]{0,63}$"
LONGEST_FILE = 1_000_000
MOST_RULES = 1_000
MOST_SECONDS = 30 * 86_400
MOST_NUMBER = 1e12
PLACES: tuple[str, ...] = ("name", "value", "threshold")
"""What a message may hold in braces."""

Number = Annotated[float, Field(ge=-MOST_NUMBER, le=MOST_NUMBER)]
Words = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=200)]], Field(max_length=1_000)
]


class _Strict(BaseModel):
    model_config = ConfigDict(
        extra="forbid", coerce_numbers_to_str=True, allow_inf_nan=False
    )


class _Scope(_Strict):
    types: Words = []
    buildings: Words = []
    ids: Words = []
    mixing_valve: bool | None = None
    kinds: Words = []
    owners: Words = []
    tags: Words = []
    names: Words = []


class _Document(_Strict):
    key: str = Field(pattern=KEY)
    name: str = Field(min_length=1, max_length=120)
    source: Literal["device", "model"]
    metric: str = Field(default="", max_length=80)
    expression: str = Field(default="", max_length=LONGEST)
    operator: Literal[">", ">=", "<", "<=", "outside", "inside"]
    threshold: Number | None = None
    band: Annotated[list[Number], Field(min_length=2, max_length=2)] | None = None
    limit: Literal["", "alarm_low", "alarm_high", "normal_low", "normal_high"] = ""
    for_s: int = Field(default=0, ge=0, le=MOST_SECONDS)
    off_delay_s: int = Field(default=0, ge=0, le=MOST_SECONDS)
    deadband: float = Field(default=0.0, ge=0, le=MOST_NUMBER)
    severity: Literal["critical", "high", "medium", "low", "harm"]
    when: Literal["always", "on", "drawing", "heating"] = "always"
    scope: _Scope = Field(default_factory=_Scope)
    message: str = Field(min_length=1, max_length=500)
    action: str = Field(max_length=500)
    enabled: bool = True


def read_rule(document: Any) -> RuleSpec:
    """A rule from plain data.

    Raises:
        InvalidInput: something is missing, unknown or contradicts; names the field.
    """
    if not isinstance(document, Mapping):
        raise InvalidInput("A rule is a mapping: key, name, source, metric and so on.")
    try:
        read = _Document.model_validate(dict(document))
    except ValidationError as error:
        raise InvalidInput(_told(error)) from None
    values = read.model_dump()
    scope: dict[str, Any] = {
        name: tuple(dict.fromkeys(v)) if isinstance(v, list) else v
        for name, v in values.pop("scope").items()
    }
    band = values.pop("band")
    spec = RuleSpec(
        **values, scope=RuleScope(**scope), band=(band[0], band[1]) if band else None
    )
    for field, problem in _problems(spec):
        raise InvalidInput(f"{field}: {problem}.")
    return spec


def read_rules(text: str) -> tuple[RuleSpec, ...]:
    """Rules from a YAML (or JSON) file: ``rules:`` with a list, a list, or one rule.

    Raises:
        InvalidInput: no YAML, or not what a file of rules holds; says which rule.
    """
    document = read_plain(text, "file of rules", LONGEST_FILE)
    if isinstance(document, Mapping) and set(document) == {"rules"}:
        document = document["rules"]
    listed = document if isinstance(document, list) else [document]
    if len(listed) > MOST_RULES:
        raise InvalidInput(f"rules: at most {MOST_RULES:,} rules in one file.")
    found: dict[str, RuleSpec] = {}
    for number, one in enumerate(listed, 1):
        try:
            spec = read_rule(one)
        except InvalidInput as error:
            raise InvalidInput(f"Rule {number}: {error}") from None
        if spec.key in found:
            raise InvalidInput(f"Rule {number}: key: {spec.key} is given twice.")
        found[spec.key] = spec
    return tuple(found.values())


Problems = Iterator[tuple[str, str]]
_LISTS = tuple(n for n in (*DEVICE_SCOPE, *MODEL_SCOPE) if n != "mixing_valve")


def _problems(spec: RuleSpec) -> Problems:
    """Field and cause of everything that contradicts."""
    scoped = (getattr(spec.scope, f) or () for f in _LISTS)
    words = [("scope", word) for listed in scoped for word in listed]
    texts = [("name", spec.name), ("message", spec.message), ("action", spec.action)]
    for field, text in (*texts, *words):
        if CONTROL.search(text):
            yield field, "it has control characters in it"
    if not spec.name.strip():
        yield "name", "say what the rule is called"
    if not spec.action.strip():
        yield "action", "say what somebody is to do: no alarm without an action"
    yield from _message_problems(spec.message)
    yield from _measured_problems(spec)
    yield from _limit_problems(spec)
    yield from _scope_problems(spec)


def _message_problems(message: str) -> Problems:
    allowed = ", ".join(f"{{{place}}}" for place in PLACES)
    try:
        parts = list(string.Formatter().parse(message))
    except ValueError:
        yield "message", f"a brace is not closed; it may hold {allowed}"
        return
    for _, name, form, conversion in parts:
        if name is not None and (name not in PLACES or form or conversion):
            yield "message", f"only {allowed} may stand in braces"


def _measured_problems(spec: RuleSpec) -> Problems:
    if bool(spec.metric) == bool(spec.expression):
        yield "metric", "give either a metric or an expression"
        return
    field = "metric" if spec.metric else "expression"
    names = (spec.metric,) if spec.metric else read_expression(spec.expression).names
    for name in names:
        found = ALERT_METRICS.get(name)
        if found is None:
            yield field, f"{name[:80]} is no metric; the metrics are in docs/alerts.md"
            return
        if found.source != spec.source:
            yield field, f"{name} is measured of a {found.source}, not a {spec.source}"
    if len({ALERT_METRICS[name].grain for name in names}) > 1:
        yield field, "metrics of single readings do not mix with metrics of the moment"
    grain = ALERT_METRICS[names[0]].grain
    if spec.when != "always" and grain != READING:
        yield "when", "only values of readings can be left out"
    if spec.severity == BY_HARM and spec.source != "model":
        yield "severity", "by harm is for models; choose critical, high, medium or low"


def _limit_problems(spec: RuleSpec) -> Problems:
    given = (spec.threshold is not None, spec.band is not None, bool(spec.limit))
    if sum(given) != 1:
        yield "threshold", "give exactly one of threshold, band and limit"
        return
    if (spec.operator in BANDED) != (spec.band is not None):
        yield "band", f"{spec.operator} takes {_taken(spec.operator)}"
    if spec.band is not None:
        low, high = spec.band
        if low >= high:
            yield "band", "the lower end must be below the upper one"
        elif spec.operator == "outside" and 2 * spec.deadband >= high - low:
            yield "deadband", "it must be smaller than half the band"
    if spec.limit:
        if not spec.metric or ALERT_METRICS[spec.metric].grain != READING:
            yield "limit", "only a metric that a gauge shows has limits on the device"
        side = "<" if spec.limit.endswith("low") else ">"
        if not spec.operator.startswith(side):
            yield "operator", f"{spec.limit} goes with {side} or {side}="


def _taken(operator: str) -> str:
    return "a band: low and high" if operator in BANDED else "a threshold or a limit"


def _scope_problems(spec: RuleSpec) -> Problems:
    scope = spec.scope
    foreign = MODEL_SCOPE if spec.source == "device" else DEVICE_SCOPE
    for name in foreign:
        if getattr(scope, name) not in ((), None):
            yield f"scope.{name}", f"a {spec.source} has no {name}"
    for name, allowed in (("types", DEVICE_TYPES), ("kinds", KINDS)):
        for value in getattr(scope, name):
            if value not in allowed:
                yield f"scope.{name}", f"it must be of {', '.join(allowed)}"


def _told(error: ValidationError) -> str:
    """The complaints in the file's own words, the first five."""
    told = []
    for part in error.errors()[:5]:
        place = ".".join(str(step) for step in part["loc"])[:80]
        words = re.sub(r"^Value error, ", "", str(part["msg"]))
        told.append(f"{place}: {words}" if place else words)
    more = error.error_count() - len(told)
    return "; ".join(told) + (f"; and {more} more" if more > 0 else "") + "."
