"""Keeping the verdicts of all models up to date with what has changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

from data.inference_lake import Change, InferenceLake
from data.judgement_store import (
    JudgedWindow,
    JudgementStore,
    ModelFacts,
    WindowResult,
)
from data.model_records import Model
from data.model_store import ModelStore
from services.monitoring.alert_measures import Measures, measured
from services.monitoring.raw_scores import raw_scores
from services.monitoring.scope import (
    MOST_WINDOWS,
    Scope,
    Scopes,
    window_end,
    window_start,
)
from services.monitoring.verdicts import WindowVerdict, judge

BEFORE = 8
"""Windows read before a change: evidence of several windows is weighed together. All
after it are judged anew: they may carry on what it said."""
FEWEST_RAW_ROWS = 30
RAW_KEPT = timedelta(days=400)
EVER = datetime(1970, 1, 1, tzinfo=UTC), datetime(2970, 1, 1, tzinfo=UTC)
STEP = {
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(days=7),
    "month": timedelta(days=31),
}
log = structlog.get_logger()


@dataclass(frozen=True)
class _Touched:
    """What changed of one version, over all changes of one look."""

    model: Model
    version: str
    first: datetime
    last: datetime
    resized: bool = False
    """Whether its windows have another length now: all of them are judged anew."""


class Judging:
    """Judges the windows whose counts have changed; all of it can be done again."""

    def __init__(
        self,
        scopes: Scopes,
        store: ModelStore,
        judgements: JudgementStore,
        lake: InferenceLake,
        clock: Callable[[], datetime],
    ) -> None:
        self._scopes = scopes
        self._store = store
        self._judgements = judgements
        self._lake = lake
        self._clock = clock

    def step(self) -> int:
        """Judge what has changed since the last look; how many windows that were.

        The mark moves when all of it is done: killed on the way, it is done again.
        """
        seen = max((f.judged_seq for f in self._judgements.facts()), default=0)
        changes = self._lake.changes(seen)
        models = {m.id: m for m in self._store.models()}
        touched = _together(changes, models, self._resized(models))
        if not touched:
            return 0
        count = sum(self._judge(one) for one in touched)
        with self._store.transaction() as tx:
            for one in touched:
                mark = changes[-1].seq if changes else seen
                self._judgements.put_facts(tx, self._facts(one, mark))
        return count

    def _resized(self, models: Mapping[int, Model]) -> list[_Touched]:
        """Versions that were judged in windows of another length than their model's."""
        found = []
        for (model_id, version), span in self._judgements.newest_spans().items():
            window = models[model_id].spec.window
            start = window_start(window, span[0])
            if (start, window_end(window, start)) != span:
                first, last = self._lake.span(model_id, version) or span
                found.append(_Touched(models[model_id], version, first, last, True))
        return found

    def _judge(self, touched: _Touched) -> int:
        model, version = touched.model, touched.version
        step = STEP[model.spec.window]
        now = self._clock()
        over = touched.last + timedelta(days=1)
        most = (MOST_WINDOWS - 2) * step
        start = touched.first - BEFORE * step
        # Clocks differ: rows may lie a little ahead of ours. Of what is too long to be
        # judged at once, the newest windows that changed come first.
        end = max(over, min(now, start + most))
        start = max(start, end - most)
        span = start, max(end, start + step)
        scope = self._scopes.of(model, version, "", "", span, now)
        first = window_start(model.spec.window, touched.first)
        verdicts, measures = self._verdicts(scope, first)
        found = [
            _judged(scope, v)
            for v in verdicts
            # The window before may have been judged when it was not over yet.
            if v.end >= first and (v.rows or v.kind != "none")
        ]
        # What rows are gone for cannot be made again.
        floor = self._lake.floor(model.id) or first
        with self._store.transaction() as tx:
            if touched.resized:
                self._judgements.forget_windows(tx, model.id, version)
                self._judgements.forget_results(tx, model.id, version, *EVER)
            self._judgements.put_windows(tx, found)
            self._judgements.forget_results(
                tx, model.id, version, max(first, floor), over
            )
            if scope.grid is not None:
                kept = {(w.start, w.end): measures.get(w.start, {}) for w in found}
                self._judgements.put_measures(
                    tx, model.id, version, scope.grid.id, kept
                )
        return len(found)

    def _verdicts(
        self, scope: Scope, first: datetime
    ) -> tuple[Sequence[WindowVerdict], Measures]:
        """The verdicts of a scope; where they cannot be computed, that is said."""
        try:
            judged = judge(scope, self._judgements, self._lake)
            return (judged.verdicts, measured(judged)) if judged else ((), {})
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            # One model that cannot be judged must not stop all the others.
            log.exception("judging failed", model=scope.spec.name)
            return self._unjudged(scope, first, type(error).__name__), {}

    def _unjudged(
        self, scope: Scope, first: datetime, reason: str
    ) -> Sequence[WindowVerdict]:
        assert scope.grid is not None  # noqa: S101 - without one nothing is judged
        counts = self._lake.counts(
            scope.model.id, scope.version, scope.grid, "", scope.edges, scope.grain
        )
        sentence = f"Cannot tell: this window could not be judged ({reason})."
        found = zip(
            scope.edges, scope.edges[1:], counts.rows("prediction"), strict=False
        )
        return [
            WindowVerdict(
                start=start,
                end=end,
                kind="cannot_tell",
                state="cannot_tell",
                severity="none",
                sentence=sentence,
                harmful=(),
                metric="",
                value=None,
                rows=int(rows),
                coverage=0.0,
            )
            for start, end, rows in found
            if rows and end > first
        ]

    def _facts(self, touched: _Touched, seq: int) -> ModelFacts:
        model_id, version = touched.model.id, touched.version
        rows, first, last = self._lake.totals(model_id, version)
        return ModelFacts(
            model_id=model_id,
            version=version,
            rows=rows,
            first_data=first,
            last_data=last,
            label_lag_days=self._lake.label_lag_days(model_id, version),
            judged_seq=seq,
        )

    def raw_step(self) -> bool:
        """Make the raw-row scores of one window that lacks them; whether one did."""
        for model in self._store.models():
            if model.spec.archived:
                continue
            for version in self._store.versions(model.id):
                scope = self._without_scores(model, version.version)
                if scope is not None:
                    self._score(scope)
                    return True
        return False

    def _without_scores(self, model: Model, version: str) -> Scope | None:
        """The newest window that has rows but no raw-row scores yet."""
        now = self._clock()
        record = self._store.reference(model.id, version)
        since = now - RAW_KEPT
        if record is None:
            return None
        done = self._judgements.window_results(
            model.id, version, record.grid_id, since, now
        )
        known = {result.start for result in done}
        floor = self._lake.floor(model.id) or since
        windows = self._judgements.windows(model.id, version, max(since, floor))
        for window in reversed(windows):
            if window.start not in known and window.rows >= FEWEST_RAW_ROWS:
                span = window.start, window.end
                return self._scopes.of(model, version, "", "", span, now)
        return None

    def _score(self, scope: Scope) -> None:
        assert scope.grid is not None  # noqa: S101 - a record was found before
        try:
            found = raw_scores(scope, self._lake)
        except Exception as error:
            # One window that cannot be scored must not stop all the others.
            log.exception("raw scores failed", model=scope.spec.name)
            reason = f"it could not be computed ({type(error).__name__})"
            if isinstance(error, FileNotFoundError):
                reason = "the file of the reference is missing"
            found = tuple(
                WindowResult(scope.start, scope.end, kind, {"reason": reason})
                for kind in ("domain", "pca", "weighted")
            )
        self._judgements.put_results(
            scope.model.id, scope.version, scope.grid.id, found
        )


def _together(
    changes: Iterable[Change], models: Mapping[int, Model], resized: Iterable[_Touched]
) -> Sequence[_Touched]:
    """One span for each version that changed."""
    spans: dict[tuple[int, str], tuple[datetime, datetime]] = {}
    for change in changes:
        key = change.model_id, change.version
        first, last = spans.get(key, (change.first, change.last))
        spans[key] = min(first, change.first), max(last, change.last)
    touched = {
        (model_id, version): _Touched(models[model_id], version, first, last)
        for (model_id, version), (first, last) in sorted(spans.items())
    }
    return list((touched | {(o.model.id, o.version): o for o in resized}).values())


def _judged(scope: Scope, verdict: WindowVerdict) -> JudgedWindow:
    return JudgedWindow(
        model_id=scope.model.id,
        version=scope.version,
        start=verdict.start,
        end=verdict.end,
        kind=verdict.kind,
        state=verdict.state,
        severity=verdict.severity,
        sentence=verdict.sentence,
        harmful=list(verdict.harmful),
        metric=verdict.metric,
        value=verdict.value,
        rows=verdict.rows,
        coverage=verdict.coverage,
    )
