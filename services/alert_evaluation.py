"""The evaluation of alert rules: look by look, and never the same twice.

A look reads what has come since the last one, judges it with all rules, and writes
what has turned. How a rule stands with a subject is stored whenever that changes, with
the time up to which its data were judged; once a minute it is noted up to when
everything was judged. Whoever begins anew, after a kill, reads from there on.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from data.alert_records import Watch
from data.alert_store import AlertStore
from data.hot_store import from_us
from services.alert_conditions import ACTIVE, Turn
from services.alert_evidence import Evidences, Fired
from services.alert_looks import Looks
from services.alert_roster import Roster
from services.alert_rules import BY_HARM
from services.alert_values import Readings
from services.alert_watching import OVERLAP, Watching
from services.alert_writing import AlertWriting, Announcer, Change, severity_of

LOOKED_BACK = timedelta(hours=24)
"""How much of the past a new rule is judged on."""
MINUTE = timedelta(minutes=1)
AT_ONCE = 200
"""Alerts of one transaction: others want to write as well."""
SET_BACK = timedelta(seconds=5)
Turned = tuple[Watching, Turn]

__all__ = ["Announcer", "Evaluation"]


class Evaluation:
    """Judges all rules; there is one of it, in the worker."""

    def __init__(
        self,
        store: AlertStore,
        looks: Looks,
        evidences: Evidences,
        announcer: Announcer,
    ) -> None:
        self._store = store
        self._looks = looks
        self._evidences = evidences
        self._writing = AlertWriting(store, announcer)
        self._roster = Roster(store, self._writing)
        self._forget()

    def _forget(self) -> None:
        self._roster.forget()
        self._looks.forget()
        self._noted: datetime | None = None
        self._looked: datetime | None = None
        self._severities: list[str] = []

    def nobody_listened_before(self, moment: datetime) -> None:
        """Heaters were not silent before this: nobody was there to hear them."""
        self._looks.heard_from = moment

    def step(self, now: datetime) -> int:
        """Look once; how many alerts were raised, ended or became worse or better.

        What fails is begun anew at the next look, from what is stored.
        """
        try:
            return self._look(now)
        except BaseException:
            self._forget()
            raise

    def _look(self, now: datetime) -> int:
        moved = self._looks.renew(now)
        ended = self._roster.renew(self._looks.subjects, now, moved=moved)
        rules = tuple(self._roster.rules.values())
        if self._looked is not None and now < self._looked - SET_BACK:
            for one in rules:
                one.turn_back(now)
            self._looks.turn_back()
            self._noted = None
        self._looked = now
        turned = [*self._readings(rules, now), *self._moments(rules, now)]
        changes = [*ended, *self._changes(turned, now)]
        self._write(rules, changes, now)
        worse = self._worse(rules, now)
        self._note(rules, now)
        return len(changes) + worse

    def _readings(self, rules: Sequence[Watching], now: datetime) -> list[Turned]:
        """What the readings that came turn; a new rule sees those of the past."""
        reading = [one for one in rules if one.reads]
        new = [one for one in reading if one.unread]
        if not new:
            fresh = self._looks.readings(now)
            return _judged(reading, fresh)
        oldest = now - LOOKED_BACK
        start = min(
            oldest
            if one.judged_until is None
            else max(one.judged_until - OVERLAP, oldest)
            for one in new
        )
        names = {metric.key for one in reading for metric in one.spec.metrics}
        return _judged(reading, self._looks.past(start, names, now))

    def _moments(self, rules: Sequence[Watching], now: datetime) -> list[Turned]:
        """What the values of the moment turn."""
        turned: list[Turned] = []
        for source in ("device", "model"):
            chosen = [o for o in rules if o.spec.source == source and not o.reads]
            if not chosen:
                continue
            wanted = {metric.key for one in chosen for metric in one.spec.metrics}
            moments = self._looks.moments(source, wanted, now)
            for one in chosen:
                turned += [(one, turn) for turn in one.judge_moments(moments, now)]
        return turned

    def _changes(self, turned: Sequence[Turned], now: datetime) -> list[Change]:
        """What is to be written, the beginnings with their evidence."""
        measured = self._looks.measured
        begun = [Fired(one, turn) for one, turn in turned if turn.on]
        found = self._evidences.of(begun, self._looks.subjects, measured, now)
        evidence = {
            (id(f.watching), f.turn.at, f.turn.ts): facts
            for f, facts in zip(begun, found, strict=True)
        }
        severities = measured.severities if measured else []
        return [
            Change(
                one,
                turn.at,
                turn,
                evidence.get((id(one), turn.at, turn.ts)),
                severity_of(one, turn.at, severities),
            )
            for one, turn in turned
        ]

    def _write(
        self, rules: Sequence[Watching], changes: Sequence[Change], now: datetime
    ) -> None:
        """Write alerts with their watches, then the watches of those without."""
        subjects = self._looks.subjects
        for part in _parts(changes):
            with self._store.transaction() as tx:
                for layer in _layers(part):
                    self._writing.write(tx, layer, subjects, now)
                touched = {(id(c.watching), c.place): c for c in part}
                self._store.put_watches(
                    tx,
                    [self._watch(c.watching, c.place, now) for c in touched.values()],
                )
            for change in touched.values():
                change.watching.stored([change.place])
        rest = [(one, places) for one in rules if (places := one.changed())]
        watches = [self._watch(one, p, now) for one, places in rest for p in places]
        if watches:
            with self._store.transaction() as tx:
                self._store.put_watches(tx, watches)
            for one, places in rest:
                one.stored(places)

    def _watch(self, one: Watching, place: int, now: datetime) -> Watch:
        if not one.mask[place]:
            one.leave(place)
        return one.watch(place, self._looks.subjects[one.spec.source], now)

    def _worse(self, rules: Sequence[Watching], now: datetime) -> int:
        """Give standing alerts the severity that they have now; how many changed."""
        measured = self._looks.measured
        severities = measured.severities if measured else []
        moved, self._severities = severities != self._severities, list(severities)
        changed = 0
        for one in rules:
            by_harm = one.spec.severity == BY_HARM
            if not one.alert_ids.any() or not ((by_harm and moved) or one.unread):
                continue
            places = self._looks.subjects[one.spec.source].places
            for alert in self._store.standing_of(one.rule.id):
                if not alert.active or alert.subject not in places:
                    continue
                now_is = severity_of(one, places[alert.subject], severities)
                if now_is != alert.severity:
                    with self._store.transaction() as tx:
                        self._writing.severity(tx, alert.id, now_is, now)
                    changed += 1
        return changed

    def _note(self, rules: Sequence[Watching], now: datetime) -> None:
        """Note once a minute what was judged, and the newest values of alerts."""
        new = any(one.unread for one in rules)
        if not new and self._noted is not None and now - self._noted < MINUTE:
            return
        seen = [
            (int(one.alert_ids[place]), from_us(int(one.met_at[place])), value)
            for one in rules
            for place in (one.states.state == ACTIVE).nonzero()[0]
            if (value := float(one.met_value[place])) == value and one.alert_ids[place]
        ]
        with self._store.transaction() as tx:
            self._store.touch(tx, seen)
            self._store.put_watches(tx, [one.mark(now) for one in rules])
        for one in rules:
            one.fresh = one.unread = False
            one.judged_until = now
        self._noted = now


def _judged(rules: Sequence[Watching], readings: Readings | None) -> list[Turned]:
    if readings is None or not len(readings.at):
        return []
    return [(one, turn) for one in rules for turn in one.judge_readings(readings)]


def _parts(changes: Sequence[Change]) -> list[Sequence[Change]]:
    return [changes[i : i + AT_ONCE] for i in range(0, len(changes), AT_ONCE)]


def _layers(changes: Sequence[Change]) -> list[list[Change]]:
    """In layers with one change for each subject of a rule, in their order."""
    layers: list[list[Change]] = []
    seen: dict[tuple[int, int], int] = {}
    for change in changes:
        key = id(change.watching), change.place
        depth = seen.get(key, 0)
        seen[key] = depth + 1
        if depth == len(layers):
            layers.append([])
        layers[depth].append(change)
    return layers
