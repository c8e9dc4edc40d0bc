"""How a model and its verdict are written wherever they stand."""

from __future__ import annotations

import math
from collections.abc import Mapping

from dash.development.base_component import Component

from dashboards import parts, text
from services.models_views import VERDICTS

MODELS_PATH = "/monitoring/models"
PERFORMANCE_PATH = "/monitoring/performance"
DRIFT_PATH = "/monitoring/drift"

SHORT_KINDS: Mapping[str, str] = {
    "binary": "Binary",
    "multiclass": "Multiclass",
    "regression": "Regression",
}
KINDS: Mapping[str, str] = {
    "binary": "Binary classifier",
    "multiclass": "Multiclass classifier",
    "regression": "Regression",
}
STATE_KINDS: Mapping[str, str] = {
    "look": "watch",
    "cannot_tell": "unknown",
    "fine": "good",
    "none": "unknown",
}
"""State -> kind of its chip, where the severity is not known."""


def chip_kind(state: str, severity: str) -> str:
    """The kind of chip of a verdict: what needs a look shows how harmful it is."""
    if state == "look" and severity in parts.SEVERITY:
        return parts.SEVERITY[severity][0]
    return STATE_KINDS[state]


def verdict_word(state: str, verdict: str) -> str:
    """The word of a verdict; one that is fine or open is written by its state."""
    if state == "look":
        return VERDICTS[verdict]
    return VERDICTS[state]


def verdict_chip(state: str, severity: str, verdict: str) -> Component:
    """A verdict as shape, colour and words, its severity among them."""
    said = verdict_said(state, severity, verdict)
    return parts.chip(chip_kind(state, severity), said)


def verdict_said(state: str, severity: str, verdict: str) -> str:
    """The word of a verdict with its severity: ``Concept drift · Critical``."""
    word = verdict_word(state, verdict)
    known = state == "look" and severity in parts.SEVERITY
    return f"{word} · {parts.SEVERITY[severity][1]}" if known else word


def kind_words(kind: str) -> str:
    """A kind of model as people read it."""
    return KINDS.get(kind, kind)


def archived_tag() -> Component:
    """Says that nobody watches the model any more."""
    return parts.tag("archived")


def amount(value: float | None) -> str:
    """A measure with about three significant digits, whatever its scale."""
    if value is None or not math.isfinite(value) or value == 0:
        return text.number(value, 3)
    size = math.floor(math.log10(abs(value)))
    if size < -3:
        return f"{value:.2e}".replace("-", "\N{MINUS SIGN}")
    return text.number(value, max(2 - size, 0))


def days(value: float | None) -> str:
    """A span in days: hours below two days."""
    if value is None or not math.isfinite(value):
        return text.NO_DATA
    if value < 2:
        return f"{text.number(value * 24, 0)}{text.NO_BREAK}h"
    whole = value >= 10 or value == round(value)
    return f"{text.number(value, 0 if whole else 1)}{text.NO_BREAK}d"
