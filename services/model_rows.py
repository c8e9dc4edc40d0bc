"""Rows of the list of models: filters, orders, and the strip of judged windows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Any

from data.judgement_store import JudgedWindow, ModelFacts
from data.model_records import Model
from services.models_views import SEVERITIES, STATES, HealthCell, ModelRow, ModelsQuery
from services.monitoring.scope import window_end, window_start
from services.performance_views import METRIC_WORDS

STRIP = 52
LEAST_COVERAGE = 0.5
NO_DATA = "No predictions in this window."
Newest = tuple[datetime, str, str]
"""Start, state and severity of a judged window."""
Key = tuple[int, str]


@dataclass(frozen=True)
class Entry:
    """What the list knows of every model; the strip is read for one page alone.

    newest: of the champion; facts: the champion's. versions: those with data, and the
    champion. late: see ``is_late``.
    """

    model: Model
    newest: Newest | None
    facts: ModelFacts | None
    last_data: datetime | None
    versions: int
    late: bool = False

    @property
    def key(self) -> Key:
        """The model's id and its champion."""
        return self.model.id, self.model.spec.version

    @property
    def state(self) -> str:
        """The verdict of the champion's newest judged window."""
        return self.newest[1] if self.newest else "none"

    @property
    def severity(self) -> str:
        """How bad it is."""
        return self.newest[2] if self.newest else "none"


def _shown(state: str) -> Callable[[Entry], bool]:
    return lambda e: not e.model.spec.archived and e.state == state


FILTERS: Mapping[str, Callable[[Entry], bool]] = {
    "all": lambda e: not e.model.spec.archived,
    **{state: _shown(state) for state in STATES},
    "late_labels": lambda e: not e.model.spec.archived and e.late,
    "archived": lambda e: e.model.spec.archived,
}
SORTS: Mapping[str, Callable[[Entry], Any]] = {
    "worst": lambda e: (
        e.model.spec.archived,
        STATES.index(e.state),
        SEVERITIES.index(e.severity),
    ),
    "name": lambda e: e.model.spec.name.casefold(),
    "owner": lambda e: e.model.spec.owner.casefold() or None,
    "last_data": lambda e: e.last_data,
    "label_lag": lambda e: e.facts.label_lag_days if e.facts else None,
}
"""What each sort compares; ``None`` is not known and comes last either way."""


def is_late(
    windows: Sequence[JudgedWindow], lag: timedelta | None, now: datetime
) -> bool:
    """Whether labels are late.

    They are when of the newest full window that lies further back than labels usually
    take (their median age) less than half of the predictions have their label. A model
    that never had a label has no usual lag and is not late.

    Args:
        windows: judged windows, oldest first.
        lag: median age of a label when it came.
        now: the present.
    """
    if lag is None:
        return False
    full = [w for w in windows if w.end <= now - lag and w.coverage is not None]
    coverage = full[-1].coverage if full else None
    return coverage is not None and coverage < LEAST_COVERAGE


def chosen(entries: Sequence[Entry], query: ModelsQuery) -> list[Entry]:
    """The models that pass the filters: all words, exact kind, owner and tag."""
    words = query.text.casefold().split()
    has = FILTERS[query.state]
    found = []
    for entry in entries:
        spec = entry.model.spec
        if (
            has(entry)
            and query.kind in ("", spec.kind)
            and query.owner in ("", spec.owner)
            and (not query.tag or query.tag in spec.tags)
        ):
            text = "\n".join((spec.name, spec.owner, spec.description, *spec.tags))
            if all(word in text.casefold() for word in words):
                found.append(entry)
    return found


def ordered(entries: Sequence[Entry], sort: str, descending: bool) -> list[Entry]:
    """Models in order; those without the value come last either way."""
    key = SORTS[sort]
    by_name = sorted(entries, key=SORTS["name"])
    known = [e for e in by_name if key(e) is not None]
    known.sort(key=key, reverse=descending)
    return known + [e for e in by_name if key(e) is None]


def strip_start(window: str, moment: datetime) -> datetime:
    """The start of the first of the 52 windows of which the last holds a moment."""
    return _edges(window, window_start(window, moment))[0]


@lru_cache(maxsize=256)
def _edges(window: str, last: datetime) -> tuple[datetime, ...]:
    """The edges of the 52 windows of which the last begins at ``last``, rising."""
    edges = [window_end(window, last), last]
    for _ in range(STRIP - 1):
        edges.append(window_start(window, edges[-1] - timedelta(microseconds=1)))
    return tuple(reversed(edges))


def strip(
    windows: Sequence[JudgedWindow], window: str, now: datetime
) -> tuple[HealthCell, ...]:
    """The last 52 windows, those without a verdict as gaps; none without a verdict.

    They end with the present one; of a model that is silent for longer than that, with
    the newest that was judged.
    """
    if not windows:
        return ()
    edges = _edges(window, window_start(window, now))
    if windows[-1].start < edges[0]:
        edges = _edges(window, window_start(window, windows[-1].start))
    known = {w.start: w for w in windows}
    return tuple(
        HealthCell(start, end, w.state, w.severity, w.kind, w.sentence)
        if (w := known.get(start)) is not None
        else HealthCell(start, end, "none", "none", "none", NO_DATA)
        for start, end in pairwise(edges)
    )


def row_of(entry: Entry, windows: Sequence[JudgedWindow], now: datetime) -> ModelRow:
    """A row of the list from a model and its judged windows, oldest first."""
    spec = entry.model.spec
    newest = windows[-1] if windows else None
    full = [w for w in windows if w.end <= now]
    headline = None
    if newest is not None and newest.metric and newest.value is not None:
        words = METRIC_WORDS.get(newest.metric, newest.metric)
        headline = (words, newest.value)
    return ModelRow(
        name=spec.name,
        kind=spec.kind,
        owner=spec.owner,
        tags=spec.tags,
        version=spec.version,
        versions=entry.versions,
        archived=spec.archived,
        simulated=spec.simulated,
        state=entry.state,
        severity=entry.severity,
        verdict=newest.kind if newest else "none",
        sentence=newest.sentence if newest else "",
        strip=strip(windows, spec.window, now),
        headline=headline,
        rows=newest.rows if newest else 0,
        last_data=entry.last_data,
        label_lag_days=entry.facts.label_lag_days if entry.facts else None,
        label_coverage=full[-1].coverage if full else None,
    )


def newest_of(windows: Sequence[JudgedWindow]) -> Newest | None:
    """What ``JudgementStore.newest`` tells of a version, from its windows."""
    if not windows:
        return None
    return windows[-1].start, windows[-1].state, windows[-1].severity


def champion_of(model: Model, facts: Sequence[ModelFacts]) -> ModelFacts | None:
    """The facts of the champion."""
    return next((f for f in facts if f.version == model.spec.version), None)


def entry_of(
    model: Model,
    newest: Newest | None,
    facts: Sequence[ModelFacts],
    own: ModelFacts | None,
) -> Entry:
    """What the list knows of a model."""
    last = max((f.last_data for f in facts if f.last_data), default=None)
    versions = {model.spec.version, *(f.version for f in facts)}
    return Entry(model, newest, own, last, len(versions))


def lag_of(entry: Entry) -> timedelta | None:
    """How old the champion's labels usually are when they come."""
    days = entry.facts.label_lag_days if entry.facts else None
    return None if days is None else timedelta(days=days)
