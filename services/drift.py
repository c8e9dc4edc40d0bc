"""What moved, and does it matter: the service behind the Drift tab."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from data.grids import Grid
from data.inference_lake import InferenceLake
from data.judgement_store import JudgementStore
from services import drift_export, drift_notes, drift_panels
from services.access import Principal
from services.drift_detail import detail
from services.drift_export import DriftItem
from services.drift_rows import (
    Chosen,
    Harms,
    feature_row,
    harms_of,
    picked,
    picked_window,
    ranked,
    window_view,
)
from services.drift_views import (
    MEASURES,
    REFERENCES,
    DriftQuery,
    DriftView,
    MultivariatePanel,
    WindowView,
)
from services.errors import InvalidInput
from services.exports import Table
from services.monitoring.references import reference_counts
from services.monitoring.scope import Scope, Scopes
from services.monitoring.scores import Q, least_rows, scored
from services.monitoring.verdicts import (
    Judged,
    VerdictReads,
    WindowVerdict,
)

ALIASES = {"jsi": "js", "js_distance": "js"}


class Drift:
    """Reads what moved; changes nothing."""

    def __init__(
        self,
        scopes: Scopes,
        judgements: JudgementStore,
        lake: InferenceLake,
        clock: Callable[[], datetime],
    ) -> None:
        self._scopes = scopes
        self._judgements = judgements
        self._lake = lake
        self._clock = clock
        self._reads = VerdictReads(lake, judgements)

    def view(self, caller: Principal, query: DriftQuery, zone: ZoneInfo) -> DriftView:
        """The whole tab.

        Raises:
            NotFound: no such model or version.
            InvalidInput: a measure, reference, window, segment or range that cannot
                be answered.
        """
        return self._drawn(caller, query, zone)[0]

    def items(
        self, caller: Principal, query: DriftQuery, zone: ZoneInfo
    ) -> tuple[DriftView, tuple[DriftItem, ...]]:
        """The tab and its cells as rows; see ``view``."""
        view, harm = self._drawn(caller, query, zone)
        return view, drift_export.items(view, harm)

    def export(self, caller: Principal, query: DriftQuery, zone: ZoneInfo) -> Table:
        """The cells of the heat map as a file; see ``view``."""
        return drift_export.table(*self.items(caller, query, zone))

    def verdicts(
        self, caller: Principal, query: DriftQuery, zone: ZoneInfo
    ) -> tuple[str, tuple[WindowVerdict, ...]]:
        """The version judged and the verdict of every window; see ``view``."""
        scope = self._open(caller, query, zone)
        return scope.version, self.evaluate(scope)

    def evaluate(self, scope: Scope) -> tuple[WindowVerdict, ...]:
        """The verdicts of a scope's windows; none where there is no reference."""
        return () if scope.grid is None else self._judged(scope, scope.grid).verdicts

    def _judged(self, scope: Scope, grid: Grid) -> Judged:
        return self._reads.judged(scope, grid)

    def _open(self, caller: Principal, query: DriftQuery, zone: ZoneInfo) -> Scope:
        return self._scopes.open(
            caller,
            query.model,
            version=query.version,
            window=query.window,
            segment=query.segment,
            text_from=query.text_from,
            text_to=query.text_to,
            zone=zone,
        )

    def _drawn(
        self, caller: Principal, query: DriftQuery, zone: ZoneInfo
    ) -> tuple[DriftView, Harms]:
        measure = ALIASES.get(query.measure, query.measure)
        if measure not in MEASURES:
            raise InvalidInput(f"measure must be one of {', '.join(MEASURES)}.")
        if query.reference not in REFERENCES:
            raise InvalidInput(f"reference must be one of {', '.join(REFERENCES)}.")
        scope = self._open(caller, query, zone)
        empty = _empty(scope, query, measure, self._clock())
        if scope.grid is None:
            return replace(empty, problem=drift_notes.NO_REFERENCE), {}
        judged = self._judged(scope, scope.grid)
        if not judged.inputs.windows.rows("prediction").any():
            span = self._lake.span(scope.model.id, scope.version)
            said = drift_notes.no_rows(scope, span, zone)
            return replace(empty, problem=said), {}
        chosen = self._chosen(scope, judged, query.reference, measure)
        view = self._filled(scope, chosen, empty)
        return view, harms_of(judged, chosen.harm)

    def _chosen(self, scope: Scope, judged: Judged, mode: str, measure: str) -> Chosen:
        inputs, known = judged.inputs, judged.gathered
        reference, scores = inputs.reference, known.scores
        if mode != "pinned":
            reference = reference_counts(
                mode, scope, inputs.grid, inputs.windows, self._lake
            )
        if mode != "pinned" or measure != scores.measure:
            scores = scored(
                inputs.grid, reference, inputs.windows, inputs.columns, measure
            )
        return Chosen(judged, reference, scores, known.harm)

    def _filled(self, scope: Scope, chosen: Chosen, empty: DriftView) -> DriftView:
        """The view with everything that was found."""
        query, judged = empty.query, chosen.judged
        windows = tuple(window_view(v) for v in judged.verdicts)
        place = picked_window(query.at, windows)
        order = ranked(chosen, place)
        names = [judged.inputs.name(c) for c in judged.inputs.columns]
        feature = names.index(query.feature) if query.feature in names else None
        if feature is None and order:
            feature = order[0]
        shown = replace(
            empty,
            windows=windows,
            features=tuple(feature_row(chosen, names, f, place, scope) for f in order),
            picked_feature=None if feature is None else names[feature],
            picked_start=windows[place].start,
            detail=None
            if feature is None
            else detail(picked(scope, chosen, names, feature, place)),
            concept=drift_panels.concept(judged, place),
            multivariate=self._multivariate(scope, windows, place),
            verdict=windows[place],
            harmful=judged.verdicts[place].harmful,
            notes=drift_notes.notes(
                scope, query, judged.inputs, chosen.scores, empty.now
            ),
            problem=drift_notes.problem(query.reference, chosen.reference),
        )
        return replace(shown, python=drift_export.snippet(shown))

    def _multivariate(
        self, scope: Scope, windows: Sequence[WindowView], place: int
    ) -> MultivariatePanel | None:
        """Raw-row scores are of all rows of the model's own windows."""
        if scope.segment or scope.grid is None or scope.window != scope.spec.window:
            return None
        results = self._judgements.window_results(
            scope.model.id, scope.version, scope.grid.id, scope.start, scope.end
        )
        starts = [w.start for w in windows]
        return drift_panels.multivariate(results, starts, windows[place].start)


def _empty(scope: Scope, query: DriftQuery, measure: str, now: datetime) -> DriftView:
    """The view before anything is read."""
    record = scope.record
    features = sum(not f.retired for f in scope.spec.features)
    rows = record.rows if record else 0
    return DriftView(
        query=query,
        kind=scope.spec.kind,
        version=scope.version,
        versions=scope.versions,
        segments=scope.segments,
        measure=measure,
        window=scope.window,
        reference=query.reference,
        windows=(),
        features=(),
        picked_feature=None,
        picked_start=None,
        detail=None,
        concept=None,
        multivariate=None,
        verdict=None,
        harmful=(),
        least_rows=least_rows(rows, features),
        q=Q,
        reference_hash=record.hash if record else "",
        reference_rows=rows,
        python="",
        notes=(),
        problem=None,
        start=scope.start,
        end=scope.end,
        now=now,
    )
