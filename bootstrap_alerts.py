"""Builds what belongs to alerts, on stores that are open."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from data.account_store import AccountStore
from data.alert_log_store import AlertLogStore
from data.alert_pattern_store import AlertPatternStore
from data.session import Engine
from services.alert_handling import Announcer
from services.alert_patterns import AlertPatterns
from services.alerts import Alerts
from services.audit import Audit


@dataclass(frozen=True)
class Alerting:
    """What the doors may call of alerts."""

    alerts: Alerts
    alert_patterns: AlertPatterns


def alerting(
    engine: Engine,
    audit: Audit,
    clock: Callable[[], datetime],
    announcer: Announcer | None = None,
) -> Alerting:
    """The log of alerts and its patterns."""
    return Alerting(
        alerts=Alerts(
            AlertLogStore(engine), AccountStore(engine), audit, clock, announcer
        ),
        alert_patterns=AlertPatterns(AlertPatternStore(engine), clock),
    )
