"""One rule at work: its condition for every subject, and how it stands with each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import numpy as np

from data.alert_records import StoredRule, Watch
from data.hot_store import from_us, to_us
from services.alert_conditions import (
    ACTIVE,
    IDLE,
    LEAVING,
    NEVER,
    PENDING,
    Bools,
    Condition,
    Floats,
    Ints,
    Points,
    States,
    Turn,
    advance,
)
from services.alert_metrics import READING
from services.alert_rules import RuleSpec
from services.alert_subjects import SECOND_US, Subjects
from services.alert_values import Moment, Readings

OVERLAP = timedelta(minutes=15)
"""Readings may come so late and still be judged after a restart."""
EVERYBODY = ""
"""The subject of the watch that says up to when all subjects of a rule were judged."""


def condition_of(spec: RuleSpec, subjects: Subjects) -> Condition:
    """The condition of a rule for every subject."""
    size = len(subjects)
    if spec.limit:
        low = high = subjects.limits(spec.metric, spec.limit)
    elif spec.band is not None:
        low, high = (np.full(size, float(end)) for end in spec.band)
    else:
        low = high = np.full(size, float(spec.threshold or 0.0))
    return Condition(
        spec.operator, low, high, spec.deadband,
        spec.for_s * SECOND_US, spec.off_delay_s * SECOND_US,
    )  # fmt: skip


class Watching:
    """A rule and the state of each of its subjects, by place."""

    def __init__(self, rule: StoredRule, spec: RuleSpec) -> None:
        self.rule = rule
        self.spec = spec
        self.fresh = True
        """Whether its subjects have never been judged by this revision."""
        self.unread = True
        """Whether the past has not been read yet, after a start or a change."""
        self.judged_until: datetime | None = None
        self.met_at: Ints = np.zeros(0, dtype=np.int64)
        self.met_value: Floats = np.zeros(0)
        self.states = States.idle(0)
        self.alert_ids: Ints = np.zeros(0, dtype=np.int64)
        self.mask: Bools = np.zeros(0, dtype=np.bool_)
        self._saved = self.states.state.copy()

    @property
    def reads(self) -> bool:
        """Whether it judges single readings."""
        return self.spec.metrics[0].grain == READING

    def fit(self, subjects: Subjects) -> list[int]:
        """Take up changed subjects; the places with an alert that it leaves."""
        size = len(subjects)
        more = np.zeros(size - len(self.alert_ids), dtype=np.int64)
        self.states = self.states.grown(size)
        self.alert_ids = np.concatenate([self.alert_ids, more])
        self._saved = np.concatenate([self._saved, more.astype(np.int8)])
        self.met_at = np.concatenate([self.met_at, more + NEVER])
        self.met_value = np.concatenate([self.met_value, np.full(len(more), np.nan)])
        self.mask = subjects.mask(self.spec.scope)
        self.condition = condition_of(self.spec, subjects)
        self.gaps = subjects.gaps_us()
        return [int(p) for p in np.flatnonzero(~self.mask & (self.alert_ids != 0))]

    def resume(self, watches: Sequence[Watch], subjects: Subjects) -> None:
        """Go on from what was stored, of subjects that have a place; after ``fit``.

        A changed rule keeps its open alerts and judges everything anew.
        """
        for watch in watches:
            same = watch.revision == self.rule.revision
            if watch.subject == EVERYBODY:
                self.fresh = not same
                self.judged_until = watch.judged_until if same else None
                continue
            place = subjects.places[watch.subject]
            self.alert_ids[place] = watch.alert_id or 0
            state = _state(watch)
            if not same:
                state = ACTIVE if watch.alert_id else IDLE
            self.states.state[place] = state
            if same or state == ACTIVE:
                since = watch.since or watch.judged_until
                self.states.since[place] = NEVER if state == IDLE else to_us(since)
            if same:
                self.states.last[place] = to_us(watch.judged_until)
        self._saved = self.states.state.copy()

    def judge_readings(self, readings: Readings) -> list[Turn]:
        """Judge readings of any subjects."""
        points = readings.points(self.spec, self.condition.low)
        wanted = self.mask[points.at]
        if self.unread and not self.fresh and self.judged_until is not None:
            wanted &= points.ts >= to_us(self.judged_until - OVERLAP)
        return self._judge(points.taken(wanted))

    def judge_moments(self, moments: Mapping[str, Moment], now: datetime) -> list[Turn]:
        """Judge the values of the moment."""
        value = self.spec.parsed.of(
            {m.key: moments[m.key].value for m in self.spec.metrics}
        )
        at = np.flatnonzero(self.mask & ~np.isnan(value)).astype(np.int64)
        ts = np.full(len(at), to_us(now))
        since = self._since(moments, value, at, ts)
        applies = np.ones(len(at), dtype=np.bool_)
        return self._judge(Points(at, ts, value[at], applies, since))

    def _since(
        self, moments: Mapping[str, Moment], value: Floats, at: Ints, ts: Ints
    ) -> Ints:
        """When the values began to be what they are: ages grow with the clock."""
        grows = ALERTS_GROW.get(self.spec.operator, False) and self.spec.metric
        per_unit = self.spec.metrics[0].grows_s * SECOND_US
        if grows and per_unit:
            over = np.maximum(value[at] - self.condition.high[at], 0.0) * per_unit
            return np.asarray(ts - over.astype(np.int64))
        told = [moments[m.key].since[at] for m in self.spec.metrics]
        begun = np.maximum.reduce(told)
        known = np.minimum.reduce(told) != NEVER
        return np.asarray(np.where(known, np.minimum(begun, ts), ts))

    def _judge(self, points: Points) -> list[Turn]:
        before = self.states.state.copy()
        met = self.condition.met(points.at, points.value) & points.applies
        met &= points.ts >= self.met_at[points.at]
        # In order of time: the last one of a subject stays.
        self.met_at[points.at[met]] = points.ts[met]
        self.met_value[points.at[met]] = points.value[met]
        turns = advance(self.states, self.condition, points, self.gaps)
        if not self.fresh:
            return turns
        # Of what was before the rule was, only what holds now is told.
        last = {turn.at: turn for turn in turns}
        return [
            turn
            for place, turn in last.items()
            if turn.on != (before[place] in (ACTIVE, LEAVING))
        ]

    def turn_back(self, now: datetime) -> None:
        """The clock was set back: what was seen is not in the future."""
        now_us = to_us(now)
        np.minimum(self.states.last, now_us - 1, out=self.states.last)
        np.minimum(self.states.since, now_us - 1, out=self.states.since)

    def leave(self, place: int) -> None:
        """Nothing is known of a subject any more."""
        self.states.state[place] = IDLE
        self.states.since[place] = NEVER
        self.alert_ids[place] = 0

    def changed(self) -> list[int]:
        """The places whose state is another than the stored one."""
        return [int(p) for p in np.flatnonzero(self.states.state != self._saved)]

    def stored(self, places: Sequence[int]) -> None:
        """The states of these places are stored now."""
        self._saved[list(places)] = self.states.state[list(places)]

    def watch(self, place: int, subjects: Subjects, now: datetime) -> Watch:
        """How the rule stands with a subject, to be stored."""
        state, last = self.states.state[place], int(self.states.last[place])
        since = int(self.states.since[place])
        return Watch(
            rule_id=self.rule.id,
            subject=subjects.ids[place],
            revision=self.rule.revision,
            met=bool(state in (PENDING, ACTIVE)),
            since=None if since == NEVER else from_us(since),
            judged_until=now if last == NEVER else from_us(last),
            alert_id=int(self.alert_ids[place]) or None,
        )

    def mark(self, now: datetime) -> Watch:
        """That all subjects were judged up to now."""
        return Watch(self.rule.id, EVERYBODY, self.rule.revision, False, None, now)


ALERTS_GROW: Mapping[str, bool] = {">": True, ">=": True}
"""Operators under which an age meets a condition from the threshold on."""


def _state(watch: Watch) -> int:
    if watch.alert_id is not None:
        return ACTIVE if watch.met else LEAVING
    return PENDING if watch.met else IDLE
