"""Alerts as people work with them: lists, counts, their history, changes by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, and_, case, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from data.alert_records import SEVERITIES, Alert, AlertEvent
from data.alert_tables import alert_events, alerts
from data.session import Transaction, reading, unit_of_work

ALERT_STATES: tuple[str, ...] = (
    "open",
    "unacknowledged",
    "acknowledged",
    "active",
    "cleared",
    "shelved",
    "resolved",
    "all",
)
SORTS: tuple[str, ...] = (
    "worst",
    "raised",
    "subject",
    "message",
    "owner",
    "activations",
)


PEOPLES: tuple[str, ...] = (
    "acknowledged_at",
    "acknowledged_by",
    "owner",
    "shelved_until",
    "shelved_by",
    "shelve_reason",
    "resolved_at",
    "resolved_by",
    "verdict",
    "note",
)
"""What people change of an alert; the rest is the evaluation's."""


class StaleAlert(Exception):
    """The alert has changed since it was read."""


class AnotherOpen(Exception):
    """Another alert of the same rule and subject is open."""


@dataclass(frozen=True)
class AlertFilter:
    """Which alerts; ``""`` and ``None`` choose nothing.

    state: one of ``ALERT_STATES``. owner: a user's name, or ``"nobody"``. words: all of
    them must occur. raised_from: raised at this time or later.
    """

    state: str = "open"
    source: str = ""
    severity: str = ""
    subject: str = ""
    metric: str = ""
    rule_key: str = ""
    owner: str = ""
    words: tuple[str, ...] = ()
    raised_from: datetime | None = None


def open_key(alert: Alert) -> str | None:
    """What only one alert may hold at a time; nothing once it is not open."""
    return f"{alert.rule_id}:{alert.subject}" if alert.open else None


class AlertLogStore:
    """Reads of alerts, and the changes that people make."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def transaction(self) -> AbstractContextManager[Transaction]:
        """One write transaction, which the audit line joins."""
        return unit_of_work(self._engine)

    def locked(self, tx: Transaction, ids: Sequence[int]) -> dict[int, Alert]:
        """Alerts by id as they are now, kept from other writers until the end."""
        query = _alerts().where(alerts.c.id.in_(ids)).order_by(alerts.c.id)
        rows = tx.execute(query.with_for_update())
        return {row.id: _alert(row) for row in rows}

    def save(self, tx: Transaction, alert: Alert) -> None:
        """Store a changed alert under the version it was read with.

        Raises:
            StaleAlert: somebody else changed it meanwhile.
            AnotherOpen: it is open again, and another one of its kind is as well.
        """
        values = {name: getattr(alert, name) for name in PEOPLES}
        values |= {"open_key": open_key(alert), "version": alert.version + 1}
        change = update(alerts).where(
            alerts.c.id == alert.id, alerts.c.version == alert.version
        )
        try:
            with tx.begin_nested():
                found = tx.execute(change.values(values)).rowcount
        except IntegrityError as error:
            raise AnotherOpen(str(alert.id)) from error
        if not found:
            raise StaleAlert(str(alert.id))

    def add_event(self, tx: Transaction, event: AlertEvent) -> int:
        """Append to the history; the event's id."""
        row = {k: v for k, v in asdict(event).items() if k != "id"}
        key = tx.execute(insert(alert_events).values(row)).inserted_primary_key
        assert key is not None  # noqa: S101 - both databases return it
        return int(key[0])

    def get(self, alert_id: int) -> Alert | None:
        """The alert, or ``None``."""
        with reading(self._engine) as connection:
            row = connection.execute(
                _alerts().where(alerts.c.id == alert_id)
            ).one_or_none()
        return None if row is None else _alert(row)

    def page(
        self,
        chosen: AlertFilter,
        now: datetime,
        *,
        sort: str = "worst",
        descending: bool = False,
        limit: int = 50,
        offset: int = 0,
    ) -> list[Alert]:
        """One page of the alerts that pass a filter."""
        query = _alerts().where(*_conditions(chosen, now)).order_by(
            *_order(sort, descending)
        )  # fmt: skip
        with reading(self._engine) as connection:
            rows = connection.execute(query.limit(limit).offset(offset))
            return [_alert(row) for row in rows]

    def after(
        self,
        chosen: AlertFilter,
        now: datetime,
        before: tuple[datetime, int] | None,
        limit: int,
    ) -> list[Alert]:
        """The alerts that pass, newest first, raised before time and id of one."""
        table = alerts.c
        query = _alerts().where(*_conditions(chosen, now))
        if before is not None:
            raised_at, last = before
            same = and_(table.raised_at == raised_at, table.id < last)
            query = query.where(or_(table.raised_at < raised_at, same))
        query = query.order_by(table.raised_at.desc(), table.id.desc()).limit(limit)
        with reading(self._engine) as connection:
            return [_alert(row) for row in connection.execute(query)]

    def found(self, chosen: AlertFilter, now: datetime) -> int:
        """How many alerts pass a filter."""
        query = select(func.count()).select_from(alerts)
        with reading(self._engine) as connection:
            return connection.scalar(query.where(*_conditions(chosen, now))) or 0

    def counts(self, now: datetime) -> dict[str, int]:
        """How many alerts are in each of ``ALERT_STATES``; one look at the table."""
        columns = [
            func.coalesce(
                func.sum(case((and_(True, *_in_state(state, now)), 1), else_=0)), 0
            ).label(state)
            for state in ALERT_STATES
        ]
        with reading(self._engine) as connection:
            row = connection.execute(select(*columns).select_from(alerts)).one()
        return {state: int(row._mapping[state]) for state in ALERT_STATES}

    def severities(self, state: str, now: datetime) -> dict[str, int]:
        """How many alerts of a state have each severity; every severity is there."""
        query = (
            select(alerts.c.severity, func.count())
            .where(*_in_state(state, now))
            .group_by(alerts.c.severity)
        )
        with reading(self._engine) as connection:
            known = {name: int(count) for name, count in connection.execute(query)}
        return {severity: known.get(severity, 0) for severity in SEVERITIES}

    def choices(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The metrics and the owners that alerts have, for the filters."""
        with reading(self._engine) as connection:
            metrics = connection.scalars(select(alerts.c.metric).distinct()).all()
            owners = connection.scalars(
                select(alerts.c.owner).where(alerts.c.owner.is_not(None)).distinct()
            ).all()
        return tuple(sorted(metrics)), tuple(sorted(o for o in owners if o))

    def events(self, alert_id: int, limit: int = 500) -> list[AlertEvent]:
        """What happened to an alert, newest first."""
        return self.events_of([alert_id], limit)

    def events_of(self, ids: Sequence[int], limit: int) -> list[AlertEvent]:
        """What happened to some alerts, newest first."""
        names = [alert_events.c[field.name] for field in fields(AlertEvent)]
        query = (
            select(*names)
            .where(alert_events.c.alert_id.in_(ids))
            .order_by(alert_events.c.id.desc())
            .limit(limit)
        )
        with reading(self._engine) as connection:
            return [AlertEvent(**row._mapping) for row in connection.execute(query)]

    def siblings(self, rule_id: int, subject: str, limit: int = 20) -> list[Alert]:
        """The alerts of one rule and subject, newest first."""
        query = (
            _alerts()
            .where(alerts.c.rule_id == rule_id, alerts.c.subject == subject)
            .order_by(alerts.c.id.desc())
            .limit(limit)
        )
        with reading(self._engine) as connection:
            return [_alert(row) for row in connection.execute(query)]

    def newest_event(self) -> int:
        """Id of the newest event of any alert: when it stands, nothing happened."""
        with reading(self._engine) as connection:
            return connection.scalar(select(func.max(alert_events.c.id))) or 0


def _alerts() -> Any:
    return select(*(alerts.c[field.name] for field in fields(Alert)))


def _alert(row: Any) -> Alert:
    return Alert(**row._mapping)


def _in_state(state: str, now: datetime) -> list[Any]:
    table = alerts.c
    is_open = table.open_key > ""  # nulls are not; the unique index finds the others
    in_sight = or_(table.shelved_until.is_(None), table.shelved_until <= now)
    states: Mapping[str, list[Any]] = {
        "open": [is_open, in_sight],
        "unacknowledged": [is_open, in_sight, table.acknowledged_at.is_(None)],
        "acknowledged": [is_open, in_sight, table.acknowledged_at.is_not(None)],
        "active": [is_open, in_sight, table.active.is_(True)],
        "cleared": [table.active.is_(False), table.resolved_at.is_(None)],
        "shelved": [is_open, table.shelved_until > now],
        "resolved": [table.resolved_at.is_not(None)],
        "all": [],
    }
    return states[state]


def _conditions(chosen: AlertFilter, now: datetime) -> list[Any]:
    table, made = alerts.c, _in_state(chosen.state, now)
    for name in ("source", "severity", "subject", "metric", "rule_key"):
        if value := getattr(chosen, name):
            made.append(table[name] == value)
    if chosen.owner == "nobody":
        made.append(table.owner.is_(None))
    elif chosen.owner:
        made.append(table.owner == chosen.owner)
    if chosen.raised_from is not None:
        made.append(table.raised_at >= chosen.raised_from)
    searched = ("message", "subject", "subject_name", "rule_name", "rule_key")
    for word in chosen.words:
        hits = [table[n].icontains(word, autoescape=True) for n in searched]
        made.append(or_(*hits))
    return made


def _order(sort: str, descending: bool) -> list[Any]:
    table = alerts.c
    rank = case({s: i for i, s in enumerate(SEVERITIES)}, value=table.severity, else_=9)
    seen = case((table.acknowledged_at.is_(None), 0), else_=1)
    orders: Mapping[str, list[Any]] = {
        "worst": [rank, seen],
        "raised": [table.raised_at],
        "subject": [func.lower(table.subject_name)],
        "message": [func.lower(table.message)],
        "owner": [func.coalesce(table.owner, "")],
        "activations": [table.activations],
    }
    chosen = [c.desc() if descending else c.asc() for c in orders[sort]]
    newest = [] if sort == "raised" else [table.raised_at.desc()]
    return [*chosen, *newest, table.id.desc()]
