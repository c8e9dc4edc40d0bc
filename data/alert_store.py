"""Rules, what is watched, alerts and their history in the operational database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, fields, replace
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Engine, Table, and_, bindparam, delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from data.alert_records import Alert, AlertEvent, StoredRule, Watch
from data.alert_tables import alert_events, alert_rules, alert_watches, alerts
from data.session import Transaction, reading, unit_of_work

CHANGING: tuple[str, ...] = (
    "severity",
    "last_at",
    "value",
    "active",
    "activations",
    "cleared_at",
    "version",
    "message",
    "evidence",
)
"""What the evaluation changes of an alert that stands; the rest is people's."""
T = TypeVar("T")
NEW_ALERT, NEW_EVENT = insert(alerts), insert(alert_events)
CHANGED_ALERT = (
    update(alerts)
    .where(alerts.c.id == bindparam("of"))
    .values({n: bindparam(f"new_{n}") for n in (*CHANGING, "open_key")})
)
AT_ONCE = 500
"""Keys of one question: databases take so many parameters and no more."""


class RuleChanged(Exception):
    """Somebody else has changed the rule, or it exists already."""


def open_key(rule_id: int, subject: str) -> str:
    """What an open alert alone may have."""
    return f"{rule_id}:{subject}"


class AlertStore:
    """Reads and writes of rules and of what came of them."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def transaction(self) -> AbstractContextManager[Transaction]:
        """One write transaction."""
        return unit_of_work(self._engine)

    def rules(self) -> list[StoredRule]:
        """Every rule, by key."""
        with reading(self._engine) as connection:
            rows = connection.execute(select(alert_rules).order_by(alert_rules.c.key))
            return [StoredRule(**row._mapping) for row in rows]

    def rule(self, key: str) -> StoredRule | None:
        """The rule of a key, or ``None``."""
        query = select(alert_rules).where(alert_rules.c.key == key)
        with reading(self._engine) as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else StoredRule(**row._mapping)

    def revisions(self) -> tuple[tuple[int, int], ...]:
        """Id and revision of every rule: what a cache of them is keyed by."""
        query = select(alert_rules.c.id, alert_rules.c.revision)
        with reading(self._engine) as connection:
            return tuple(
                (r.id, r.revision)
                for r in connection.execute(query.order_by(alert_rules.c.id))
            )

    def add_rule(self, tx: Transaction, rule: StoredRule) -> int:
        """Store a new rule; its id.

        Raises:
            RuleChanged: the key is taken.
        """
        row = {k: v for k, v in asdict(rule).items() if k != "id"}
        try:
            result = tx.execute(insert(alert_rules).values(row))
        except IntegrityError as error:
            raise RuleChanged(rule.key) from error
        return int(result.inserted_primary_key[0])  # type: ignore[index]

    def replace_rule(self, tx: Transaction, rule: StoredRule, read: int) -> None:
        """Store a changed rule under the revision the caller read.

        Raises:
            RuleChanged: somebody else has changed or removed it.
        """
        table = alert_rules.c
        result = tx.execution_options(preserve_rowcount=True).execute(
            update(alert_rules)
            .where(table.id == rule.id, table.revision == read)
            .values({k: v for k, v in asdict(rule).items() if k not in {"id", "key"}})
        )
        if result.rowcount != 1:
            raise RuleChanged(rule.key)

    def remove_rule(self, tx: Transaction, rule_id: int, read: int) -> None:
        """Delete a rule under the revision the caller read; its alerts stay.

        Raises:
            RuleChanged: somebody else has changed or removed it.
        """
        table = alert_rules.c
        result = tx.execution_options(preserve_rowcount=True).execute(
            delete(alert_rules).where(table.id == rule_id, table.revision == read)
        )
        if result.rowcount != 1:
            raise RuleChanged(str(rule_id))

    def watches(self) -> list[Watch]:
        """Everything that is watched."""
        with reading(self._engine) as connection:
            rows = connection.execute(select(alert_watches))
            return [Watch(**row._mapping) for row in rows]

    def put_watches(self, tx: Transaction, watches: Iterable[Watch]) -> None:
        """Keep how rules stand with subjects, instead of how they stood."""
        rows = [dict(vars(watch)) for watch in watches]
        if not rows:
            return
        statement = _insert(tx, alert_watches)
        new = {
            f.name: statement.excluded[f.name]
            for f in fields(Watch)
            if f.name not in {"rule_id", "subject"}
        }
        tx.execute(
            statement.on_conflict_do_update(
                index_elements=["rule_id", "subject"], set_=new
            ),
            rows,
        )

    def forget_watches(self, tx: Transaction, rule_id: int) -> None:
        """Drop what is watched for a rule."""
        tx.execute(delete(alert_watches).where(alert_watches.c.rule_id == rule_id))

    def forget_watched(
        self, tx: Transaction, rule_id: int, subjects: Sequence[str]
    ) -> None:
        """Drop what is watched of some subjects for a rule."""
        for part in _parts(subjects):
            table = alert_watches.c
            tx.execute(
                delete(alert_watches).where(
                    table.rule_id == rule_id, table.subject.in_(part)
                )
            )

    def standing(self, tx: Transaction, keys: Sequence[str]) -> dict[str, Alert]:
        """The open alerts of these open keys, for a transaction that changes them."""
        found: dict[str, Alert] = {}
        for part in _parts(keys):
            query = select(alerts).where(alerts.c.open_key.in_(part)).with_for_update()
            for row in tx.execute(query):
                found[row.open_key] = _alert(row)
        return found

    def held(self, tx: Transaction, ids: Sequence[int]) -> dict[int, Alert]:
        """Alerts by id, for a transaction that changes them."""
        found: dict[int, Alert] = {}
        for part in _parts(ids):
            query = select(alerts).where(alerts.c.id.in_(part)).with_for_update()
            found |= {row.id: _alert(row) for row in tx.execute(query)}
        return found

    def standing_of(self, rule_id: int) -> list[Alert]:
        """The open alerts of a rule."""
        table = alerts.c
        query = select(alerts).where(
            table.rule_id == rule_id, table.open_key.is_not(None)
        )
        with reading(self._engine) as connection:
            return [_alert(row) for row in connection.execute(query)]

    def add_alert(self, tx: Transaction, alert: Alert) -> Alert:
        """Store a new alert, which is open; with its id."""
        row = _row(alert)
        row["open_key"] = open_key(alert.rule_id, alert.subject)
        result = tx.execute(NEW_ALERT, row)
        return replace(alert, id=int(result.inserted_primary_key[0]))  # type: ignore[index]

    def put_alert(self, tx: Transaction, alert: Alert) -> Alert:
        """Store what the evaluation has changed of an alert; under a new version."""
        changed = replace(alert, version=alert.version + 1)
        values = {f"new_{name}": getattr(changed, name) for name in CHANGING}
        key = open_key(alert.rule_id, alert.subject)
        values["new_open_key"] = key if alert.open else None
        tx.execute(CHANGED_ALERT, values | {"of": alert.id})
        return changed

    def touch(
        self, tx: Transaction, seen: Sequence[tuple[int, datetime, float]]
    ) -> None:
        """Note the newest value of alerts that are active still."""
        if not seen:
            return
        table = alerts.c
        tx.execute(
            update(alerts)
            .where(and_(table.id == bindparam("of"), table.active.is_(True)))
            .values(last_at=bindparam("at"), value=bindparam("measured")),
            [{"of": i, "at": at, "measured": value} for i, at, value in seen],
        )

    def add_event(self, tx: Transaction, event: AlertEvent) -> AlertEvent:
        """Append to the history of an alert; with its id."""
        result = tx.execute(NEW_EVENT, _row(event))
        return replace(event, id=int(result.inserted_primary_key[0]))  # type: ignore[index]


def _row(record: Alert | AlertEvent) -> dict[str, Any]:
    """A record as it is stored, shallow: its parts are plain already."""
    return {k: v for k, v in vars(record).items() if k != "id"}


def _insert(tx: Transaction, table: Table) -> Any:
    dialect = sqlite if tx.dialect.name == "sqlite" else postgresql
    return dialect.insert(table)


def _parts(keys: Sequence[T]) -> list[Sequence[T]]:
    return [keys[i : i + AT_ONCE] for i in range(0, len(keys), AT_ONCE)]


def _alert(row: Any) -> Alert:
    values = dict(row._mapping)
    values.pop("open_key")
    return Alert(**values)
