"""Keeping the verdicts of all models up to date with what has changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

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
from services.monitoring.raw_scores import raw_scores
from services.monitoring.scope import MOST_WINDOWS, Scope, Scopes, window_start
from services.monitoring.verdicts import WindowVerdict, judge

BEFORE, AFTER = 8, 4
"""Windows judged around a change: evidence of several windows is weighed together."""
FEWEST_RAW_ROWS = 30
RAW_KEPT = timedelta(days=400)
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
        if not changes:
            return 0
        models = {m.id: m for m in self._store.models()}
        touched = _together(changes, models)
        count = sum(self._judge(one) for one in touched)
        with self._store.transaction() as tx:
            for one in touched:
                self._judgements.put_facts(tx, self._facts(one, changes[-1].seq))
        return count

    def _judge(self, touched: _Touched) -> int:
        spec = touched.model.spec
        step = STEP[spec.window]
        now = self._clock()
        end = min(touched.last + timedelta(days=1) + AFTER * step, now)
        start = max(touched.first - BEFORE * step, end - (MOST_WINDOWS - 2) * step)
        scope = self._scopes.of(
            touched.model, touched.version, "", "", (start, max(end, start + step)), now
        )
        first = window_start(spec.window, touched.first)
        verdicts = judge(scope, self._judgements, self._lake)
        found = [
            _judged(scope, v)
            for v in verdicts
            if v.end > first and (v.rows or v.kind != "none")
        ]
        with self._store.transaction() as tx:
            self._judgements.put_windows(tx, found)
            self._judgements.forget_results(
                tx,
                touched.model.id,
                touched.version,
                first,
                touched.last + timedelta(days=1),
            )
        return len(found)

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
            found = tuple(
                WindowResult(scope.start, scope.end, kind, {"reason": reason})
                for kind in ("domain", "pca", "weighted")
            )
        self._judgements.put_results(
            scope.model.id, scope.version, scope.grid.id, found
        )


def _together(
    changes: Iterable[Change], models: dict[int, Model]
) -> Sequence[_Touched]:
    """One span for each version that changed."""
    spans: dict[tuple[int, str], tuple[datetime, datetime]] = {}
    for change in changes:
        if change.model_id not in models:
            continue
        key = change.model_id, change.version
        first, last = spans.get(key, (change.first, change.last))
        spans[key] = min(first, change.first), max(last, change.last)
    return [
        _Touched(models[model_id], version, first, last)
        for (model_id, version), (first, last) in sorted(spans.items())
    ]


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
