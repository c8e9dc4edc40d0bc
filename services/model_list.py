"""The list of monitored models: which needs somebody now, page by page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from data.judgement_store import JudgedWindow, JudgementStore, ModelFacts
from data.model_records import KINDS, Model
from data.model_store import ModelStore
from services.errors import InvalidInput
from services.model_rows import (
    FILTERS,
    SORTS,
    Entry,
    Key,
    champion_of,
    chosen,
    entry_of,
    is_late,
    lag_of,
    newest_of,
    ordered,
    row_of,
    strip_start,
)
from services.models_views import ModelRow, ModelsQuery, ModelsView
from services.monitoring.scope import window_start

HELD = timedelta(seconds=5)
"""Specifications are read again after this long, or when a model comes, goes or is
archived; what this process changes shows at once."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LENGTHS: Mapping[str, timedelta] = {
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(days=7),
    "month": timedelta(days=31),
}


class ModelList:
    """Reads the list from the operational database alone."""

    def __init__(
        self,
        store: ModelStore,
        judgements: JudgementStore,
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._judgements = judgements
        self._clock = clock
        self._held: tuple[datetime, list[tuple[str, bool]], list[Model]] | None = None
        self._late: dict[Key, tuple[object, bool]] = {}

    def forget(self) -> None:
        """Read the specifications anew: one was changed here."""
        self._held = None

    def page(self, query: ModelsQuery) -> ModelsView:
        """One page of the models that pass the filters.

        Raises:
            InvalidInput: a state, sort, kind or page that does not exist.
        """
        _check(query)
        now = self._clock()
        entries = self._entries(now)
        found = ordered(chosen(entries, query), query.sort, query.descending)
        pages = max(-(-len(found) // query.page_size), 1)
        query = replace(query, page=min(query.page, pages))
        first = (query.page - 1) * query.page_size
        rows = self.rows(found[first : first + query.page_size], now)
        specs = [e.model.spec for e in entries]
        return ModelsView(
            query=query,
            rows=rows,
            found=len(found),
            pages=pages,
            size=len(entries),
            counts={name: sum(map(has, entries)) for name, has in FILTERS.items()},
            owners=_distinct(s.owner for s in specs),
            tags=_distinct(tag for s in specs for tag in s.tags),
            now=now,
        )

    def row(self, model: Model) -> ModelRow:
        """One model as the list has it."""
        now = self._clock()
        facts = self._judgements.facts(model.id)
        own = champion_of(model, facts)
        # The newest windows; those of a model that fell silent long ago are all read.
        since = strip_start(model.spec.window, now)
        windows = self._judgements.windows(model.id, model.spec.version, since)
        if not windows:
            windows = self._judgements.windows(model.id, model.spec.version)
        entry = entry_of(model, newest_of(windows), facts, own)
        return row_of(entry, windows, now)

    def rows(self, entries: Sequence[Entry], now: datetime) -> tuple[ModelRow, ...]:
        """The rows of a page, with their strips."""
        found: dict[Key, list[JudgedWindow]] = {}
        groups: dict[tuple[str, datetime], list[Key]] = {}
        for entry in entries:
            if entry.newest is None:
                continue
            window = entry.model.spec.window
            begin = strip_start(window, now)
            if entry.newest[0] < begin:  # silent for longer than a strip
                begin = strip_start(window, entry.newest[0])
            groups.setdefault((window, begin), []).append(entry.key)
        for (_, begin), keys in groups.items():
            found |= self._judgements.windows_of(keys, begin)
        return tuple(row_of(e, found.get(e.key, []), now) for e in entries)

    def _entries(self, now: datetime) -> list[Entry]:
        newest = self._judgements.newest()
        facts: dict[int, list[ModelFacts]] = {}
        for fact in self._judgements.facts():
            facts.setdefault(fact.model_id, []).append(fact)
        entries = []
        for model in self._models(now):
            known = facts.get(model.id, [])
            key = (model.id, model.spec.version)
            own = champion_of(model, known)
            entries.append(entry_of(model, newest.get(key), known, own))
        self._look_for_late(entries, now)
        late = self._late
        return [replace(e, late=True) if late[e.key][1] else e for e in entries]

    def _models(self, now: datetime) -> list[Model]:
        names, held = self._store.names(), self._held
        if held and held[1] == names and timedelta() <= now - held[0] < HELD:
            return held[2]
        models = self._store.models()
        self._held = (now, names, models)
        return models

    def _look_for_late(self, entries: Sequence[Entry], now: datetime) -> None:
        """Look again at the labels of those models whose facts or window are new."""
        groups: dict[tuple[str, datetime], list[Entry]] = {}
        tokens: dict[Key, object] = {}
        for entry in entries:
            window, lag = entry.model.spec.window, lag_of(entry)
            often = min(LENGTHS[window], LENGTHS["day"])
            step = None if lag is None else (now - lag - EPOCH) // often
            tokens[entry.key] = (entry.newest, entry.facts, window, step)
            if self._late.get(entry.key, (None,))[0] == tokens[entry.key]:
                continue
            self._late[entry.key] = (tokens[entry.key], False)
            if lag is not None and entry.newest is not None:
                due = window_start(window, now - lag)
                since = min(due - 2 * LENGTHS[window], entry.newest[0])
                groups.setdefault((window, since), []).append(entry)
        for (_, since), stale in groups.items():
            found = self._judgements.windows_of([e.key for e in stale], since)
            for entry in stale:
                late = is_late(found[entry.key], lag_of(entry), now)
                self._late[entry.key] = (tokens[entry.key], late)


def _check(query: ModelsQuery) -> None:
    allowed: tuple[tuple[str, Sequence[str]], ...] = (
        ("state", tuple(FILTERS)),
        ("sort", tuple(SORTS)),
        ("kind", ("", *KINDS)),
    )
    for name, words in allowed:
        if getattr(query, name) not in words:
            raise InvalidInput(
                f"{name} must be one of {', '.join(filter(None, words))}."
            )
    if query.page < 1 or query.page_size < 1:
        raise InvalidInput("page must be 1 or more.")


def _distinct(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({v for v in values if v}, key=str.casefold))
