"""The verdicts of all windows of a scope: read, weigh, judge one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import blake2b
from threading import Lock

import numpy as np

from data.counts import Cells, Counts
from data.grids import Grid
from data.inference_lake import InferenceLake
from data.judgement_store import JudgedWindow, JudgementStore
from data.model_records import ModelSpec, ReferenceRecord
from services.monitoring.calibrators import Calibrator
from services.monitoring.evidence import Evidence, Gathered, Inputs, gather
from services.monitoring.late_labels import Known, LateLabels
from services.monitoring.performance_reads import PerformanceReads
from services.monitoring.scope import Scope
from services.monitoring.verdict import Verdict, verdict

LOOKED_BACK = 60
"""Windows before a range in which the last labels are looked for."""
MOST_KNOWN = 32
"""Judged ranges kept in a process; the same counts give the same verdicts."""


@dataclass(frozen=True)
class WindowVerdict:
    """The verdict of one window, and its headline metric from labels or estimated."""

    start: datetime
    end: datetime
    kind: str
    state: str
    severity: str
    sentence: str
    harmful: tuple[str, ...]
    metric: str
    value: float | None
    rows: int
    coverage: float


@dataclass(frozen=True, eq=False)
class Judged:
    """A scope's counts, what they show, and the verdicts; windows oldest first."""

    inputs: Inputs
    calibrator: Calibrator
    gathered: Gathered
    verdicts: tuple[WindowVerdict, ...]


class VerdictReads:
    """Reads the counts of scopes from the lake and judges their windows."""

    def __init__(self, lake: InferenceLake, judgements: JudgementStore) -> None:
        self._lake = lake
        self._judgements = judgements
        self._reads = PerformanceReads(lake, judgements)
        self._known: dict[bytes, tuple[Gathered, tuple[WindowVerdict, ...]]] = {}
        self._references: dict[tuple[int, str, str], Counts] = {}
        self._lock = Lock()

    def judged(self, scope: Scope, grid: Grid) -> Judged:
        """The verdicts of a scope whose reference has the bins ``grid``."""
        at = scope.model.id, scope.version, grid, scope.segment
        with ThreadPoolExecutor(1) as beside:
            counted = beside.submit(self._lake.counts, *at, scope.edges, scope.grain)
            read = self._reads.read(scope, grid)
        inputs = Inputs(
            spec=scope.spec,
            grid=grid,
            reference=self._reference(scope, at),
            windows=counted.result(),
            reference_cells=read.reference,
            cells=read.cells,
            columns=judged_columns(scope.spec, grid),
            importance=importance_of(scope.spec, scope.record),
            finished=sum(edge <= scope.now for edge in scope.edges[1:]),
        )
        gathered, verdicts = self._concluded(scope, inputs, read.calibrator)
        return Judged(inputs, read.calibrator, gathered, verdicts)

    def _reference(self, scope: Scope, at: tuple[int, str, Grid, str]) -> Counts:
        """The reference's histograms: they never change once they are counted."""
        key = scope.record.id if scope.record else 0, scope.version, scope.segment
        found = self._references.get(key)
        if found is None:
            found = self._lake.reference_counts(*at)
            if found.rows("prediction").any():
                if len(self._references) >= MOST_KNOWN:
                    self._references.clear()
                self._references[key] = found
        return found

    def _concluded(
        self, scope: Scope, inputs: Inputs, calibrator: Calibrator
    ) -> tuple[Gathered, tuple[WindowVerdict, ...]]:
        history = self._history(scope)
        key = _key(scope, inputs, history)
        with self._lock:
            known = self._known.get(key)
        if known is None:
            gathered = gather(inputs, calibrator)
            late = LateLabels(scope.now, lambda: self._delay(scope), history)
            evidence, found = concluded(gathered.evidence, scope.edges, late)
            known = replace(gathered, evidence=evidence), found
            with self._lock:
                if len(self._known) >= MOST_KNOWN:
                    self._known.pop(next(iter(self._known)))
                self._known[key] = known
        return known

    def _history(self, scope: Scope) -> tuple[JudgedWindow, ...]:
        """The judged windows before the range; none of a choice nobody has judged."""
        if scope.segment or scope.window != scope.spec.window:
            return ()
        long = scope.edges[1] - scope.edges[0]
        found = self._judgements.windows(
            scope.model.id, scope.version, scope.start - LOOKED_BACK * long
        )
        return tuple(w for w in found if w.start < scope.start)

    def _delay(self, scope: Scope) -> timedelta:
        """The usual age of a label when it comes, rounded up: it is kept by the day."""
        found = self._lake.label_lag_days(scope.model.id, scope.version)
        return timedelta(days=0.0 if found is None else found + 1)


def judge(
    scope: Scope, judgements: JudgementStore, lake: InferenceLake
) -> Judged | None:
    """The verdicts of a scope's windows; ``None`` where there is no reference."""
    if scope.grid is None:
        return None
    return VerdictReads(lake, judgements).judged(scope, scope.grid)


def concluded(
    evidence: Sequence[Evidence], edges: Sequence[datetime], late: LateLabels
) -> tuple[tuple[Evidence, ...], tuple[WindowVerdict, ...]]:
    """The verdicts of windows, each knowing those before it, and their evidence.

    Args:
        evidence: of the windows, oldest first.
        edges: of the windows, one more than there are.
        late: of the model, nothing followed yet; marks the evidence.
    """
    before: list[Verdict] = []
    marked, found = [], []
    for place, unmarked in enumerate(evidence):
        start, end = edges[place], edges[place + 1]
        one = late.marked(unmarked, end)
        said = late.carried(one, verdict(one, before[-3:]), start)
        if one.told:
            known = one.metric, one.value, one.estimated, one.coverage
            late.learn(Known(start, end, said, *known))
        before.append(said)
        marked.append(one)
        found.append(
            WindowVerdict(
                start=start,
                end=end,
                kind=said.kind,
                state=said.state,
                severity=said.severity,
                sentence=said.sentence,
                harmful=said.harmful,
                metric=one.metric,
                value=headline(one),
                rows=one.rows,
                coverage=one.coverage,
            )
        )
    return tuple(marked), tuple(found)


def headline(e: Evidence) -> float | None:
    """The metric from labels where there are enough of them, else as estimated."""
    if e.value is None or (not e.told and e.estimated is not None):
        return e.estimated
    return e.value


def judged_columns(spec: ModelSpec, grid: Grid) -> tuple[str, ...]:
    """Canonical columns of the features that are sent and have bins."""
    named = ((f"f{place}", f) for place, f in enumerate(spec.features))
    return tuple(c for c, f in named if c in grid.columns and not f.retired)


def importance_of(spec: ModelSpec, record: ReferenceRecord | None) -> dict[str, float]:
    """Importance by column: the owner's word, else what the reference measured."""
    measured = record.importance if record else {}
    found = {}
    for place, feature in enumerate(spec.features):
        value = feature.importance
        if value is None:
            value = measured.get(feature.name, measured.get(f"f{place}"))
        if value is not None:
            found[f"f{place}"] = float(value)
    return found


def _key(scope: Scope, inputs: Inputs, history: Sequence[JudgedWindow]) -> bytes:
    """Everything the verdicts are made of, as a digest; of the time, the day."""
    digest = blake2b(digest_size=16)
    told = [(w.start, w.kind, w.severity, w.value, w.coverage) for w in history]
    owned = (
        *(inputs.spec, scope.edges, inputs.grid.id, sorted(inputs.importance.items())),
        *(inputs.finished, scope.now.date(), told),
    )
    digest.update(repr(owned).encode())
    for part in (inputs.reference, inputs.windows):
        _add(digest, part)
    for cells in (inputs.reference_cells, inputs.cells):
        _add(digest, cells)
    return digest.digest()


def _add(digest: blake2b, part: Counts | Cells) -> None:
    arrays = [part.columns] if isinstance(part, Counts) else [part.cells, part.sums]
    for named in arrays:
        for name in sorted(named):
            digest.update(name.encode())
            digest.update(np.ascontiguousarray(named[name]).data)
