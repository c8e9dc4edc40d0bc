"""Turns of conditions become alerts: history and news in the same transaction."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

from data.alert_records import SEVERITIES, Alert, AlertEvent
from data.alert_store import AlertStore, open_key
from data.hot_store import from_us
from data.session import Transaction
from services.alert_conditions import Turn
from services.alert_evidence import Fired, message_of
from services.alert_rules import BY_HARM
from services.alert_subjects import Subjects
from services.alert_watching import Watching

SYSTEM_NAME = "system"
NAME_LENGTH = 200
LEAST = SEVERITIES[-1]


class Announcer(Protocol):
    """Who tells others what happened to an alert."""

    def announce(self, tx: Transaction, alert: Alert, event: AlertEvent) -> None:
        """Tell it, as part of a transaction; the event is stored already."""


class Silent:
    """Tells nobody."""

    def announce(self, tx: Transaction, alert: Alert, event: AlertEvent) -> None:
        """Say nothing."""


@dataclass(frozen=True)
class Change:
    """Something to write: a turn with its evidence, or an alert to end for a reason."""

    watching: Watching
    place: int
    turn: Turn | None = None
    evidence: Mapping[str, Any] | None = None
    severity: str = LEAST
    reason: str = ""


class AlertWriting:
    """Writes what a look has found."""

    def __init__(self, store: AlertStore, announcer: Announcer) -> None:
        self._store = store
        self._announcer = announcer

    def write(
        self,
        tx: Transaction,
        changes: Sequence[Change],
        subjects: Mapping[str, Subjects],
        now: datetime,
    ) -> None:
        """Write alerts, their events and their news; note the alerts' ids."""
        begun = [c for c in changes if c.turn is not None and c.turn.on]
        keys = [open_key(c.watching.rule.id, _subject(c, subjects)) for c in begun]
        standing = self._store.standing(tx, keys)
        ended = [c for c in changes if c.turn is None or not c.turn.on]
        ids = {int(c.watching.alert_ids[c.place]) for c in ended}
        held = self._store.held(tx, sorted(ids - {0}))
        for change, key in zip(begun, keys, strict=True):
            name = subjects[change.watching.spec.source].name(change.place)
            subject = _subject(change, subjects)
            found = self._begun(tx, change, standing.get(key), subject, name, now)
            change.watching.alert_ids[change.place] = found.id
        for change in ended:
            alert = held.get(int(change.watching.alert_ids[change.place]))
            if alert is not None:
                self.end(tx, alert, change.turn, change.reason, now)
            change.watching.alert_ids[change.place] = 0

    def _begun(
        self,
        tx: Transaction,
        change: Change,
        standing: Alert | None,
        subject: str,
        name: str,
        now: datetime,
    ) -> Alert:
        turn = change.turn
        assert turn is not None  # noqa: S101 - only turns begin
        message = message_of(Fired(change.watching, turn), name)
        if standing is None:
            alert = self._store.add_alert(
                tx, _new(change, turn, subject, name, message)
            )
        elif standing.active:
            return standing
        else:
            changed = replace(
                standing, active=True, cleared_at=None, value=turn.value,
                last_at=from_us(turn.ts), activations=standing.activations + 1,
                severity=change.severity, message=message,
                evidence=dict(change.evidence or {}),
            )  # fmt: skip
            alert = self._store.put_alert(tx, changed)
        self._tell(tx, alert, "activated", message, turn.value, now)
        return alert

    def end(
        self,
        tx: Transaction,
        alert: Alert,
        turn: Turn | None,
        reason: str,
        now: datetime,
    ) -> None:
        """The condition is gone, or nobody asks for it any more."""
        if not alert.active:
            return
        cleared = self._store.put_alert(
            tx, replace(alert, active=False, cleared_at=now)
        )
        value = None if turn is None or math.isnan(turn.value) else turn.value
        self._tell(tx, cleared, "cleared", reason, value, now)

    def severity(
        self, tx: Transaction, alert_id: int, severity: str, now: datetime
    ) -> None:
        """An alert has become worse, or less bad."""
        alert = self._store.held(tx, [alert_id])[alert_id]
        changed = self._store.put_alert(tx, replace(alert, severity=severity))
        said = f"{alert.severity} to {severity}"
        self._tell(tx, changed, "severity", said, alert.value, now)

    def _tell(
        self,
        tx: Transaction,
        alert: Alert,
        kind: str,
        text: str,
        value: float | None,
        now: datetime,
    ) -> None:
        event = AlertEvent(alert.id, now, kind, SYSTEM_NAME, text, value)
        event = self._store.add_event(tx, event)
        shelved = alert.shelved_until is not None and alert.shelved_until > now
        if not shelved and alert.resolved_at is None:
            self._announcer.announce(tx, alert, event)


def _subject(change: Change, subjects: Mapping[str, Subjects]) -> str:
    return subjects[change.watching.spec.source].ids[change.place]


def _new(change: Change, turn: Turn, subject: str, name: str, message: str) -> Alert:
    rule, spec = change.watching.rule, change.watching.spec
    return Alert(
        rule_id=rule.id,
        rule_key=rule.key,
        rule_name=spec.name,
        source=spec.source,
        subject=subject,
        subject_name=name[:NAME_LENGTH],
        metric=spec.measured[:80],
        severity=change.severity,
        message=message,
        action=spec.action,
        started_at=from_us(turn.since),
        raised_at=from_us(turn.ts),
        last_at=from_us(turn.ts),
        value=turn.value,
        evidence=dict(change.evidence or {}),
    )


def severity_of(watching: Watching, place: int, severities: Sequence[str]) -> str:
    """The rule's severity, or that of the model's newest verdict."""
    fixed = watching.spec.severity
    if fixed != BY_HARM:
        return fixed
    return (severities[place] if place < len(severities) else "") or LEAST
