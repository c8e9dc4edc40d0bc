"""What alerts have done over time: activations, times, verdicts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Engine, exists, select

from data.alert_tables import alert_events, alerts
from data.session import reading

HUMAN_KINDS: tuple[str, ...] = (
    "acknowledged",
    "assigned",
    "commented",
    "shelved",
    "unshelved",
    "resolved",
    "reopened",
)
"""Events that somebody has caused, not the condition."""


@dataclass(frozen=True)
class Activation:
    """One time that an alert began or came back."""

    alert_id: int
    at: datetime
    rule_key: str
    rule_name: str
    source: str
    subject: str
    subject_name: str


@dataclass(frozen=True)
class Handling:
    """How long one alert waited for people."""

    rule_key: str
    severity: str
    raised_at: datetime
    acknowledged_at: datetime | None
    resolved_at: datetime | None


@dataclass(frozen=True)
class Verdict:
    """What somebody found one alert to be, and what its rule had seen."""

    rule_key: str
    rule_name: str
    verdict: str
    value: float | None
    evidence: Mapping[str, object] = field(repr=False)


@dataclass(frozen=True)
class Untouched:
    """An alert that is active while nobody has done anything about it."""

    id: int
    rule_name: str
    severity: str
    source: str
    subject: str
    subject_name: str
    message: str
    raised_at: datetime


class AlertPatternStore:
    """Reads of many alerts at once, for the patterns."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def activations(self, since: datetime, limit: int) -> list[Activation]:
        """The newest activations, oldest first."""
        event, alert = alert_events.c, alerts.c
        query = (
            select(
                event.alert_id,
                event.at,
                alert.rule_key,
                alert.rule_name,
                alert.source,
                alert.subject,
                alert.subject_name,
            )
            .join(alerts, event.alert_id == alert.id)
            .where(event.kind == "activated", event.at >= since)
            .order_by(event.at.desc(), event.id.desc())
            .limit(limit)
        )
        with reading(self._engine) as connection:
            found = [Activation(**row._mapping) for row in connection.execute(query)]
        return found[::-1]

    def handlings(self, since: datetime, limit: int) -> list[Handling]:
        """How the newest alerts raised since then were handled."""
        table = alerts.c
        query = (
            select(
                table.rule_key,
                table.severity,
                table.raised_at,
                table.acknowledged_at,
                table.resolved_at,
            )
            .where(table.raised_at >= since)
            .order_by(table.raised_at.desc(), table.id.desc())
            .limit(limit)
        )
        with reading(self._engine) as connection:
            return [Handling(**row._mapping) for row in connection.execute(query)]

    def verdicts(self, since: datetime, limit: int) -> list[Verdict]:
        """The newest verdicts of alerts raised since then."""
        table = alerts.c
        query = (
            select(
                table.rule_key,
                table.rule_name,
                table.verdict,
                table.value,
                table.evidence,
            )
            .where(table.raised_at >= since, table.verdict.is_not(None))
            .order_by(table.raised_at.desc(), table.id.desc())
            .limit(limit)
        )
        with reading(self._engine) as connection:
            return [Verdict(**row._mapping) for row in connection.execute(query)]

    def untouched(
        self, raised_before: datetime, now: datetime, limit: int
    ) -> list[Untouched]:
        """Active alerts raised before then, which nobody has touched; oldest first."""
        table = alerts.c
        touched = exists().where(
            alert_events.c.alert_id == table.id, alert_events.c.kind.in_(HUMAN_KINDS)
        )
        names = [table[name] for name in Untouched.__dataclass_fields__]
        query = (
            select(*names)
            .where(
                table.open_key > "",
                table.active.is_(True),
                table.raised_at < raised_before,
                table.shelved_until.is_(None) | (table.shelved_until <= now),
                ~touched,
            )
            .order_by(table.raised_at, table.id)
            .limit(limit)
        )
        with reading(self._engine) as connection:
            return [Untouched(**row._mapping) for row in connection.execute(query)]
