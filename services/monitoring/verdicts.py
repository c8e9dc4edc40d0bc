"""The verdicts of all windows of a scope: read, weigh, judge one after the other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from threading import Lock

import numpy as np

from data.counts import Cells, Counts
from data.grids import Grid
from data.inference_lake import InferenceLake
from data.judgement_store import JudgementStore
from data.model_records import ModelSpec, ReferenceRecord
from services.monitoring.calibrators import Calibrator
from services.monitoring.evidence import Evidence, Gathered, Inputs, gather
from services.monitoring.performance_reads import PerformanceReads
from services.monitoring.scope import Scope
from services.monitoring.verdict import FEW_LABELS, Verdict, verdict

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
        self._reads = PerformanceReads(lake, judgements)
        self._known: dict[bytes, tuple[Gathered, tuple[WindowVerdict, ...]]] = {}
        self._references: dict[tuple[int, str, str], Counts] = {}
        self._lock = Lock()

    def judged(self, scope: Scope, grid: Grid) -> Judged:
        """The verdicts of a scope whose reference has the bins ``grid``."""
        read = self._reads.read(scope, grid)
        at = scope.model.id, scope.version, grid, scope.segment
        inputs = Inputs(
            spec=scope.spec,
            grid=grid,
            reference=self._reference(scope, at),
            windows=self._lake.counts(*at, scope.edges, scope.grain),
            reference_cells=read.reference,
            cells=read.cells,
            columns=judged_columns(scope.spec, grid),
            importance=importance_of(scope.spec, scope.record),
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
        key = _key(scope, inputs)
        with self._lock:
            known = self._known.get(key)
        if known is None:
            gathered = gather(inputs, calibrator)
            known = gathered, concluded(gathered.evidence, scope.edges)
            with self._lock:
                if len(self._known) >= MOST_KNOWN:
                    self._known.pop(next(iter(self._known)))
                self._known[key] = known
        return known


def judge(
    scope: Scope, judgements: JudgementStore, lake: InferenceLake
) -> tuple[WindowVerdict, ...]:
    """The verdicts of a scope's windows; none where there is no reference."""
    if scope.grid is None:
        return ()
    return VerdictReads(lake, judgements).judged(scope, scope.grid).verdicts


def concluded(
    evidence: Iterable[Evidence], edges: Sequence[datetime]
) -> tuple[WindowVerdict, ...]:
    """The verdicts of windows, each knowing those before it.

    Args:
        evidence: of the windows, oldest first.
        edges: of the windows, one more than there are.
    """
    before: list[Verdict] = []
    found = []
    for place, one in enumerate(evidence):
        said = verdict(one, before[-3:])
        before.append(said)
        found.append(
            WindowVerdict(
                start=edges[place],
                end=edges[place + 1],
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
    return tuple(found)


def headline(e: Evidence) -> float | None:
    """The metric from labels where there are enough of them, else as estimated."""
    if e.value is None or (e.labelled < FEW_LABELS and e.estimated is not None):
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


def _key(scope: Scope, inputs: Inputs) -> bytes:
    """Everything the verdicts are made of, as a digest."""
    digest = blake2b(digest_size=16)
    owned = inputs.spec, scope.edges, inputs.grid.id, sorted(inputs.importance.items())
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
