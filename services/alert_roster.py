"""Which rules are at work, and what ends when a rule or a subject goes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import structlog

from data.alert_records import StoredRule, Watch
from data.alert_store import AlertStore
from services.alert_rule_reading import read_rule
from services.alert_subjects import Subjects
from services.alert_watching import EVERYBODY, Watching
from services.alert_writing import AlertWriting, Change
from services.errors import InvalidInput

log = structlog.get_logger()
Watches = Mapping[int, Sequence[Watch]]


class Roster:
    """The rules at work, kept up to date with those that are stored."""

    def __init__(self, store: AlertStore, writing: AlertWriting) -> None:
        self._store = store
        self._writing = writing
        self.forget()

    def forget(self) -> None:
        """Begin anew."""
        self.rules: dict[int, Watching] = {}
        self._revisions: tuple[tuple[int, int], ...] | None = None

    def renew(
        self, subjects: Mapping[str, Subjects], now: datetime, *, moved: bool
    ) -> list[Change]:
        """Take up changed rules and subjects; the alerts that end by it.

        Args:
            subjects: by source.
            now: the time of the look.
            moved: whether a subject came, changed or went.
        """
        revisions = self._store.revisions()
        if revisions != self._revisions:
            self._take(subjects, now)
            self._revisions = revisions
            moved = True
        if not moved:
            return []
        return [c for one in self.rules.values() for c in _left(one, subjects)]

    def _take(self, subjects: Mapping[str, Subjects], now: datetime) -> None:
        stored = {rule.id: rule for rule in self._store.rules()}
        watches: dict[int, list[Watch]] = {}
        for watch in self._store.watches():
            watches.setdefault(watch.rule_id, []).append(watch)
        self.rules = {
            i: one
            for i, one in self.rules.items()
            if i in stored and stored[i].revision == one.rule.revision
        }
        for rule_id, rule in stored.items():
            if rule.enabled and rule_id not in self.rules:
                one = _watching(rule, watches.get(rule_id, ()), subjects)
                if one is not None:
                    self.rules[rule_id] = one
        for rule_id in watches.keys() - self.rules.keys():
            known = stored.get(rule_id)
            if known is None or not known.enabled:
                why = "removed" if known is None else "disabled"
                self._end(rule_id, watches[rule_id], f"The rule was {why}.", now)

    def _end(
        self, rule_id: int, watches: Sequence[Watch], reason: str, now: datetime
    ) -> None:
        """End the alerts of a rule that is not at work any more, and forget it."""
        ids = [w.alert_id for w in watches if w.alert_id is not None]
        with self._store.transaction() as tx:
            for alert in self._store.held(tx, ids).values():
                self._writing.end(tx, alert, None, reason, now)
            self._store.forget_watches(tx, rule_id)


def _watching(
    rule: StoredRule, watches: Sequence[Watch], subjects: Mapping[str, Subjects]
) -> Watching | None:
    try:
        one = Watching(rule, read_rule(rule.spec))
    except InvalidInput as error:
        # A rule of another release: its alerts stand until it is changed.
        log.warning("a stored rule is not understood", rule=rule.key, why=str(error))
        return None
    watched = subjects[one.spec.source]
    watched.place(w.subject for w in watches if w.subject != EVERYBODY)
    one.fit(watched)
    one.resume(watches, watched)
    return one


def _left(one: Watching, subjects: Mapping[str, Subjects]) -> list[Change]:
    """The alerts of subjects that a rule does not watch any more."""
    watched, source = subjects[one.spec.source], one.spec.source
    found = []
    for place in one.fit(watched):
        gone = watched.ids[place] not in watched.known
        reason = (
            f"The {source} was taken out of use or removed."
            if gone
            else f"The rule is not for this {source} any more."
        )
        found.append(Change(one, place, reason=reason))
    return found
