"""Alerts as the evaluation writes them, for the tests of what comes after."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine

from data.alert_log_store import AlertLogStore
from data.alert_records import Alert, AlertEvent
from data.alert_store import AlertStore

RULES = {
    1: ("tank-too-hot", "Tank too hot", "device", "temperature_c", "critical"),
    2: ("pressure-high", "Pressure high", "device", "pressure_bar", "high"),
    3: ("device-offline", "Heater offline", "device", "offline_min", "medium"),
    4: ("input-shift", "Input shift", "model", "drift_psi", "low"),
}
"""Id -> key, name, source, metric, severity."""
LIMITS = {1: 75.0, 2: 6.0, 3: 30.0, 4: 0.25}


class AlertRows:
    """Writes alerts and their events."""

    def __init__(self, engine: Engine) -> None:
        self.store = AlertStore(engine)
        self.log = AlertLogStore(engine)

    def fire(
        self,
        at: datetime,
        rule: int = 1,
        subject: str = "wh-1",
        peak: float | None = None,
        **changes: Any,
    ) -> Alert:
        """A new alert, active and open, as of a moment."""
        key, name, source, metric, severity = RULES[rule]
        value = LIMITS[rule] * 1.1 if peak is None else peak
        alert = Alert(
            rule_id=rule, rule_key=key, rule_name=name, source=source,
            subject=subject, subject_name=changes.pop("subject_name", subject),
            metric=metric, severity=severity,
            message=f"{name}: {subject} reports {value:g}",
            action="Look at it, and switch it off if it goes on.",
            started_at=at - timedelta(minutes=5), raised_at=at, last_at=at,
            value=value, evidence=evidence(rule, value, at),
        )  # fmt: skip
        with self.store.transaction() as tx:
            made = self.store.add_alert(tx, replace(alert, **changes))
            self._event(tx, made, at, "activated", value)
        return made

    def clear(self, alert: Alert, at: datetime) -> Alert:
        """The condition is gone; an alert that is acknowledged ends with it."""
        now = self.log.get(alert.id)
        assert now is not None
        gone = replace(now, active=False, cleared_at=at)
        with self.store.transaction() as tx:
            gone = self.store.put_alert(tx, gone)
            self._event(tx, gone, at, "cleared", None)
        return gone

    def again(self, alert: Alert, at: datetime) -> Alert:
        """The condition is back while the alert is still open."""
        now = self.log.get(alert.id)
        assert now is not None
        back = replace(now, active=True, cleared_at=None, last_at=at)
        back = replace(back, activations=now.activations + 1)
        with self.store.transaction() as tx:
            back = self.store.put_alert(tx, back)
            self._event(tx, back, at, "activated", now.value)
        return back

    def _event(
        self, tx: Any, alert: Alert, at: datetime, kind: str, value: float | None
    ) -> None:
        event = AlertEvent(alert.id, at, kind, "system", alert.message, value)
        self.store.add_event(tx, event)


def evidence(rule: int, peak: float, at: datetime) -> dict[str, Any]:
    """What the rule saw: an hour of values with a hole, rising to the peak."""
    points = [
        [(at - timedelta(minutes=60 - m)).isoformat(), peak * (0.7 + 0.3 * m / 60)]
        for m in range(0, 61, 2)
        if not 20 < m < 36
    ]
    return {
        "operator": ">",
        "threshold": LIMITS[rule],
        "peak": peak,
        "unit": {1: "°C", 2: "bar", 3: "min", 4: ""}[rule],
        "for_s": 300,
        "points": points,
    }
