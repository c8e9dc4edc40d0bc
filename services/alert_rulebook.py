"""The alert rules: listed, changed and exchanged as YAML, with audit lines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from data.alert_records import StoredRule
from data.alert_store import AlertStore, RuleChanged
from data.audit_store import AuditStore
from data.session import Transaction
from services.access import SYSTEM, Principal, requires
from services.alert_defaults import default_rules
from services.alert_replay import Replay, Replays
from services.alert_rule_reading import read_rule, read_rules
from services.alert_rules import RuleSpec, rule_to_json, write_rules
from services.audit import Audit
from services.errors import Conflict, InvalidInput, NotFound

SEEDED = "rule.defaults"
"""The audit line that says that the default rules were stored."""
MOST = 1_000


@dataclass(frozen=True)
class RuleView:
    """A rule with who changed it last; ``revision`` is what a change must name."""

    id: int
    spec: RuleSpec
    revision: int
    updated_by: str
    updated_at: datetime


@dataclass(frozen=True)
class Applied:
    """What a file of rules did; keys."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    same: tuple[str, ...]


class Rules:
    """What people do with rules."""

    def __init__(
        self,
        store: AlertStore,
        replays: Replays,
        audit: Audit,
        audit_store: AuditStore,
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._replays = replays
        self._audit = audit
        self._lines = audit_store
        self._clock = clock

    def list(self, caller: Principal) -> tuple[RuleView, ...]:
        """Every rule, by key."""
        requires(caller, "alert.read")
        return tuple(_view(rule) for rule in self._store.rules())

    def get(self, caller: Principal, key: str) -> RuleView:
        """One rule.

        Raises:
            NotFound: no rule has this key.
        """
        requires(caller, "alert.read")
        return _view(self._held(key))

    def save(self, caller: Principal, spec: RuleSpec, revision: int = 0) -> RuleView:
        """Store a rule.

        Args:
            caller: needs ``rule.write``.
            spec: the rule; it is checked again.
            revision: that of the rule that was read, 0 = it is new.

        Raises:
            InvalidInput: a field is not right.
            Conflict: the key is taken, or somebody else has changed the rule.
        """
        requires(caller, "rule.write")
        spec = read_rule(rule_to_json(spec))
        with self._store.transaction() as tx:
            return self._saved(tx, caller, spec, revision)

    def enable(
        self, caller: Principal, key: str, enabled: bool, revision: int | None = None
    ) -> RuleView:
        """Switch a rule on or off; off, its alerts clear.

        Raises:
            NotFound: no rule has this key.
            Conflict: somebody else has changed it.
        """
        requires(caller, "rule.write")
        held = self._held(key)
        spec = replace(read_rule(held.spec), enabled=enabled)
        with self._store.transaction() as tx:
            return self._saved(tx, caller, spec, revision or held.revision)

    def remove(self, caller: Principal, key: str, revision: int | None = None) -> None:
        """Remove a rule; its alerts clear and stay in the log.

        Raises:
            NotFound: no rule has this key.
            Conflict: somebody else has changed it.
        """
        requires(caller, "rule.write")
        held = self._held(key)
        try:
            with self._store.transaction() as tx:
                self._store.remove_rule(tx, held.id, revision or held.revision)
                detail = {"revision": held.revision, "spec": dict(held.spec)}
                self._audit.record(tx, caller, "rule.remove", key, detail)
        except RuleChanged:
            raise _changed(key) from None

    def export(self, caller: Principal) -> str:
        """All rules as one YAML file."""
        requires(caller, "alert.read")
        return write_rules(read_rule(rule.spec) for rule in self._store.rules())

    def apply(self, caller: Principal, text: str) -> Applied:
        """Store the rules of a YAML file, all or none; others stay as they are.

        Raises:
            InvalidInput: a rule is not right; says which and why.
        """
        requires(caller, "rule.write")
        specs = read_rules(text)
        held = {rule.key: rule for rule in self._store.rules()}
        if len(held.keys() | {spec.key for spec in specs}) > MOST:
            raise InvalidInput(f"At most {MOST:,} rules.")
        added: list[str] = []
        changed: list[str] = []
        same: list[str] = []
        with self._store.transaction() as tx:
            for spec in specs:
                old = held.get(spec.key)
                if old is not None and read_rule(old.spec) == spec:
                    same.append(spec.key)
                    continue
                self._saved(tx, caller, spec, old.revision if old else 0)
                (changed if old else added).append(spec.key)
        return Applied(tuple(added), tuple(changed), tuple(same))

    def preview(self, caller: Principal, spec: RuleSpec, days: int = 90) -> Replay:
        """How often the rule would have fired; see ``services.alert_replay``.

        Raises:
            InvalidInput: a field is not right, or the days are not 1 to 90.
        """
        requires(caller, "alert.read")
        spec = read_rule(rule_to_json(spec))
        return self._replays.would_have_fired(caller, spec, days)

    def seed(self) -> int:
        """Store the default rules, once in the life of a database; how many."""
        if self._lines.page(1, None, None, SEEDED) or self._store.revisions():
            return 0
        specs = default_rules()
        with self._store.transaction() as tx:
            for spec in specs:
                self._store.add_rule(tx, _row(spec, 1, SYSTEM.username, self._clock()))
            detail = {"rules": [spec.key for spec in specs]}
            self._audit.record(tx, SYSTEM, SEEDED, "rules", detail)
        return len(specs)

    def _held(self, key: str) -> StoredRule:
        held = self._store.rule(key)
        if held is None:
            raise NotFound(f"There is no rule {key[:64]}.")
        return held

    def _saved(
        self, tx: Transaction, caller: Principal, spec: RuleSpec, revision: int
    ) -> RuleView:
        row = _row(spec, revision + 1, caller.username, self._clock())
        try:
            if revision == 0:
                row = replace(row, id=self._store.add_rule(tx, row))
            else:
                row = replace(row, id=self._held(spec.key).id)
                self._store.replace_rule(tx, row, revision)
        except RuleChanged:
            raise _changed(spec.key) from None
        verb = "rule.change" if revision else "rule.add"
        detail = {"revision": row.revision, "spec": rule_to_json(spec)}
        self._audit.record(tx, caller, verb, spec.key, detail)
        return _view(row)


def _row(spec: RuleSpec, revision: int, by: str, at: datetime) -> StoredRule:
    return StoredRule(
        key=spec.key,
        name=spec.name,
        source=spec.source,
        severity=spec.severity,
        enabled=spec.enabled,
        spec=rule_to_json(spec),
        revision=revision,
        updated_by=by,
        updated_at=at,
    )


def _view(rule: StoredRule) -> RuleView:
    return RuleView(
        rule.id, read_rule(rule.spec), rule.revision, rule.updated_by, rule.updated_at
    )


def _changed(key: str) -> Conflict:
    return Conflict(f"The rule {key} exists already or has changed; look again.")
