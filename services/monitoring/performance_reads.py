"""What the Performance tab reads: cells of windows, segments, pairs of versions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from data.counts import Cells
from data.grids import Grid
from data.inference_lake import EVER, InferenceLake
from data.judgement_store import JudgementStore
from services.errors import NotFound
from services.monitoring import panels
from services.monitoring.calibrators import Calibrator, learn
from services.monitoring.outcomes import OutcomeSeries, series
from services.monitoring.pairing import pair_edges, paired
from services.monitoring.points import weighted_points
from services.monitoring.scope import Scope
from services.performance_views import PairedView, Point, SegmentRow

FEWEST_OWN = 300
"""Labelled reference rows from which a segment has a calibration of its own."""
MOST_KNOWN = 128
"""References, whole or of a segment, kept in a process."""
MOST_CHALLENGERS = 6
"""Other versions offered to be held against, champion and newest first."""


@dataclass(frozen=True, eq=False)
class Read:
    """Cells of a scope with the reference and calibrator of its segment."""

    scope: Scope
    grid: Grid
    cells: Cells
    reference: Cells
    calibrator: Calibrator

    def series(self, cells: Cells, metrics: Sequence[str] | None) -> OutcomeSeries:
        """The metrics of cells, held against this reference."""
        spec = self.scope.spec
        return series(spec, self.grid, self.reference, cells, self.calibrator, metrics)

    def has_rows(self) -> bool:
        """Whether any window holds a prediction."""
        return bool(self.cells.totals(self.scope.spec.kind)["rows"].any())


class PerformanceReads:
    """Reads of the lake for one scope after another; references are read once."""

    def __init__(self, lake: InferenceLake, judgements: JudgementStore) -> None:
        self._lake = lake
        self._judgements = judgements
        self._known: dict[object, tuple[Cells, Calibrator]] = {}

    def read(self, scope: Scope, grid: Grid) -> Read:
        """The windows of a scope."""
        return self._read(scope, grid, scope.segment, scope.edges)

    def span(self, scope: Scope) -> tuple[datetime, datetime] | None:
        """The first and last day with predictions of the version."""
        return self._lake.span(scope.model.id, scope.version)

    def weighted(self, scope: Scope, metric: str) -> dict[datetime, Point]:
        """The weighted estimates that were made for the scope's windows."""
        if scope.segment or scope.grid is None:
            return {}
        results = self._judgements.window_results(
            scope.model.id, scope.version, scope.grid.id, scope.start, scope.end
        )
        return weighted_points(results, metric, scope.edges)

    def segments(self, read: Read, metric: str) -> tuple[SegmentRow, ...]:
        """The metric in every segment over the whole range, beside that of all rows."""
        scope, span = read.scope, (read.scope.edges[0], read.scope.edges[-1])
        if not scope.segments:
            return ()
        every = self._read(scope, read.grid, "", span) if scope.segment else read
        whole = every.series(panels.merged(every.cells), (metric,))
        value = whole.metrics[metric].realised[0].value
        named = canonical_segments(scope, read.grid)
        at = scope.spec, scope.model.id, scope.version, read.grid, tuple(named.values())
        cells = self._lake.segment_cells(*at, span, scope.grain)
        self._learn(scope, read.grid, tuple(named.values()))
        rows = []
        for words, segment in named.items():
            known = self._reference(scope, read.grid, segment)
            found = Read(scope, read.grid, cells[segment], *known).series(
                cells[segment], (metric,)
            )
            if found.rows[0]:
                rows.append(panels.segment_row(words, metric, found, value))
        return tuple(rows)

    def challengers(self, scope: Scope) -> tuple[str, ...]:
        """Versions with labelled predictions that this one made too."""
        edges = pair_edges((scope.edges[0], scope.edges[-1]), scope.window)
        found = self._lake.opponents(scope.model.id, scope.version, edges[0], edges[-1])
        return tuple(v for v in scope.versions if v in found)[:MOST_CHALLENGERS]

    def paired(self, scope: Scope, against: str) -> PairedView | None:
        """The version held against another, window by window.

        Raises:
            NotFound: the model has no such version.
        """
        if not against or against == scope.version:
            return None
        if against not in scope.versions:
            raise NotFound(f"{scope.spec.name} has no version {against}.")
        edges = pair_edges(scope.edges, scope.window)
        sums = self._lake.pairs(scope.model.id, scope.version, against, edges)
        return paired(scope.spec.kind, scope.version, against, sums, edges)

    def _read(
        self, scope: Scope, grid: Grid, segment: str, edges: Sequence[datetime]
    ) -> Read:
        spec, model_id = scope.spec, scope.model.id
        cells = self._lake.cells(
            spec, model_id, scope.version, grid, segment, edges, scope.grain
        )
        return Read(scope, grid, cells, *self._reference(scope, grid, segment))

    def _reference(
        self, scope: Scope, grid: Grid, segment: str
    ) -> tuple[Cells, Calibrator]:
        """Read and learnt once: a reference never changes.

        A segment with few labels is calibrated as the whole reference is.
        """
        key = _key(scope, segment)
        if key not in self._known:
            spec, model_id, version = scope.spec, scope.model.id, scope.version
            cells = self._lake.reference_cells(spec, model_id, version, grid, segment)
            return self._learnt(scope, grid, segment, cells)
        return self._known[key]

    def _learn(self, scope: Scope, grid: Grid, segments: Sequence[str]) -> None:
        """Read the references of segments at once, where that was not done."""
        new = [s for s in segments if _key(scope, s) not in self._known]
        if not new:
            return
        at = scope.spec, scope.model.id, scope.version, grid, new
        for segment, cells in self._lake.segment_cells(*at, EVER, "all").items():
            self._learnt(scope, grid, segment, cells)

    def _learnt(
        self, scope: Scope, grid: Grid, segment: str, cells: Cells
    ) -> tuple[Cells, Calibrator]:
        totals = cells.totals(scope.spec.kind)
        if segment and totals["labelled"][0] < FEWEST_OWN:
            found = cells, self._reference(scope, grid, "")[1]
        else:
            found = cells, learn(scope.spec, grid, cells)
        if totals["rows"][0]:  # else it is not counted yet
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            self._known[_key(scope, segment)] = found
        return found


def _key(scope: Scope, segment: str) -> object:
    """What the calibration of a reference depends on."""
    spec, record = scope.spec, scope.record
    own = (record.id if record else 0, scope.version, segment, len(spec.features))
    return (*own, spec.kind, spec.classes, spec.positive, spec.scored)


def canonical_segments(scope: Scope, grid: Grid) -> dict[str, str]:
    """The segments on offer as people write them -> canonical."""
    return {
        f"{column}={value}": f"g{place}={value}"
        for place, column in enumerate(scope.spec.segments)
        for value in grid.segments.get(f"g{place}", ())
    }
