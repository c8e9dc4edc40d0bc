"""The plain records of alerts: rules, what is watched, alerts and their history."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

SEVERITIES: tuple[str, ...] = ("critical", "high", "medium", "low")
"""Worst first."""

SOURCES: tuple[str, ...] = ("device", "model")
VERDICTS: tuple[str, ...] = ("useful", "noise")

ALERT_EVENTS: tuple[str, ...] = (
    "activated",
    "cleared",
    "acknowledged",
    "assigned",
    "commented",
    "shelved",
    "unshelved",
    "resolved",
    "reopened",
    "severity",
)
"""What can happen to an alert."""


@dataclass(frozen=True)
class StoredRule:
    """A rule as it is stored: ``spec`` is the whole of it, as its YAML says it."""

    key: str
    name: str
    source: str
    severity: str
    enabled: bool
    spec: Mapping[str, object]
    revision: int
    updated_by: str
    updated_at: datetime
    id: int = 0


@dataclass(frozen=True)
class Watch:
    """How one rule stands with one subject, between two looks.

    ``since`` is when the condition began to hold, or to be gone, without a break;
    ``met`` says which. ``judged_until`` is the time up to which the data were judged.
    ``alert_id`` is the open alert.
    """

    rule_id: int
    subject: str
    revision: int
    met: bool
    since: datetime | None
    judged_until: datetime
    alert_id: int | None = None


@dataclass(frozen=True)
class Alert:
    """One alert: open until it is resolved, or cleared and acknowledged.

    ``subject`` is a device's id or a model's name. ``started_at`` is when the
    condition began to hold, ``raised_at`` when it had held long enough; ``last_at``
    and ``value`` are the newest reading that met it, in the rule's canonical unit.
    ``evidence`` is what the rule saw at the moment of firing.
    """

    rule_id: int
    rule_key: str
    rule_name: str
    source: str
    subject: str
    subject_name: str
    metric: str
    severity: str
    message: str
    action: str
    started_at: datetime
    raised_at: datetime
    last_at: datetime
    value: float | None
    evidence: Mapping[str, object] = field(repr=False)
    active: bool = True
    activations: int = 1
    cleared_at: datetime | None = None
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    owner: str | None = None
    shelved_until: datetime | None = None
    shelved_by: str | None = None
    shelve_reason: str | None = None
    resolved_at: datetime | None = None
    resolved_by: str | None = None
    verdict: str | None = None
    note: str | None = None
    version: int = 1
    id: int = 0

    @property
    def open(self) -> bool:
        """Whether somebody may still have to do something about it."""
        if self.resolved_at is not None:
            return False
        return self.active or self.acknowledged_at is None


@dataclass(frozen=True)
class AlertEvent:
    """One thing that happened to an alert; ``value`` as the rule measured it."""

    alert_id: int
    at: datetime
    kind: str
    by: str
    text: str = ""
    value: float | None = None
    id: int = 0
