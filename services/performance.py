"""How right a monitored model is: the service behind the Performance tab."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

from data.inference_lake import InferenceLake
from data.judgement_store import JudgementStore
from data.model_records import Model, ModelSpec, Threshold
from data.model_store import ModelStore
from services.access import Principal, requires
from services.errors import InvalidInput, NotFound
from services.exports import Table
from services.monitoring import limits, panels
from services.monitoring import performance_words as words
from services.monitoring.outcomes import OutcomeSeries
from services.monitoring.performance_reads import PerformanceReads, Read
from services.monitoring.performance_table import table
from services.monitoring.picking import newest, picked, suggested_limit
from services.monitoring.points import performance_windows, point
from services.monitoring.scope import Scope, Scopes
from services.performance_views import (
    METRICS,
    PerformanceQuery,
    PerformanceView,
    PerformanceWindow,
    Point,
    ThresholdView,
)

YEAR = timedelta(days=365)
Windows = tuple[PerformanceWindow, ...]


class Performance:
    """Reads what predictions were worth; changes nothing but thresholds.

    ``change`` of the constructor replaces a model's specification, audited, as
    ``services.models.Models.replace`` does.
    """

    def __init__(
        self,
        scopes: Scopes,
        store: ModelStore,
        judgements: JudgementStore,
        lake: InferenceLake,
        change: Callable[[Principal, ModelSpec], object],
    ) -> None:
        self._scopes = scopes
        self._store = store
        self._reads = PerformanceReads(lake, judgements)
        self._change = change

    def view(
        self,
        caller: Principal,
        query: PerformanceQuery,
        zone: ZoneInfo,
        *,
        lean: bool = False,
    ) -> PerformanceView:
        """The whole tab.

        ``lean`` spares what a report does not say, which takes half of the time:
        challengers, and what the limit would have done in the past year.

        Raises:
            NotFound: no such model, version or challenger.
            InvalidInput: a metric, window, segment or range that cannot be answered.
        """
        chart, read = self._chart(caller, query, zone, lean=lean)
        if read is None:
            return chart
        scope = read.scope
        place = picked(query.at, chart.windows)
        shown_at = newest(chart.windows) if place is None else place
        shown = panels.one_window(read.cells, shown_at)
        classes = scope.spec.kind != "regression"
        made = panels.calibrations(scope.spec, read.grid, shown, read.reference)
        return replace(
            chart,
            picked=None if place is None else chart.windows[place].start,
            tiles=panels.tiles(read.series(shown, None)),
            paired=self._reads.paired(scope, query.against),
            challengers=() if lean else self._reads.challengers(scope),
            calibration=made if classes else (),
            confusion=panels.confusion(scope.spec, shown) if classes else None,
            segment_rows=self._reads.segments(read, chart.metric),
        )

    def chart(
        self, caller: Principal, query: PerformanceQuery, zone: ZoneInfo
    ) -> PerformanceView:
        """The tab without what lies behind single values: windows, limit, sentence."""
        return self._chart(caller, query, zone)[0]

    def export(
        self, caller: Principal, query: PerformanceQuery, zone: ZoneInfo
    ) -> Table:
        """Exactly what the chart draws: a row for each window."""
        return table(self.chart(caller, query, zone), zone)

    def preview_threshold(
        self,
        caller: Principal,
        query: PerformanceQuery,
        side: str,
        value: float,
        zone: ZoneInfo,
    ) -> ThresholdView:
        """What a limit would have done in the past year, before it is set.

        Raises:
            InvalidInput: no such side, or a value the metric cannot have.
        """
        scope = self._open(caller, query, zone)
        metric = limits.check_metric(scope.spec.kind, query.metric)
        limits.check(scope.spec.kind, metric, side, value)
        windows, suggested = self._past_year(scope, metric)
        return limits.threshold_view(metric, side, value, windows, suggested)

    def thresholds(self, caller: Principal, model: str) -> tuple[Threshold, ...]:
        """The limits set for a model."""
        requires(caller, "model.read")
        return self._model(model).spec.thresholds

    def set_threshold(
        self,
        caller: Principal,
        model: str,
        metric: str,
        side: str,
        value: float | None,
    ) -> None:
        """Set the limit of a metric, or remove it with ``None``; see ``limits``.

        Raises:
            NotFound: no such model.
            InvalidInput: no such metric or side, or a value the metric cannot have.
        """
        requires(caller, "model.write")
        spec = self._model(model).spec
        if not metric:
            raise InvalidInput("metric must be named.")
        limits.check(spec.kind, metric, side, value)
        found = limits.changed(spec, metric, side, value)
        if found != spec.thresholds:
            self._change(caller, replace(spec, thresholds=found))

    def _model(self, name: str) -> Model:
        model = self._store.model(name)
        if model is None:
            raise NotFound(f"There is no model {name}.")
        return model

    def _open(
        self, caller: Principal, query: PerformanceQuery, zone: ZoneInfo
    ) -> Scope:
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

    def _chart(
        self,
        caller: Principal,
        query: PerformanceQuery,
        zone: ZoneInfo,
        *,
        lean: bool = False,
    ) -> tuple[PerformanceView, Read | None]:
        scope = self._open(caller, query, zone)
        metric = limits.check_metric(scope.spec.kind, query.metric)
        view = _empty(scope, query, metric)
        if scope.grid is None:
            return replace(view, problem=words.no_reference(scope)), None
        read = self._reads.read(scope, scope.grid)
        if not read.has_rows():
            span = self._reads.span(scope)
            return replace(view, problem=words.no_rows(scope, span)), None
        found = read.series(read.cells, (metric,))
        weighted = self._reads.weighted(scope, metric)
        windows = performance_windows(found, metric, scope.edges, weighted)
        base = point(found.metrics[metric].reference)
        threshold = self._in_force(scope, metric, windows, found, lean=lean)
        length = scope.window, zone
        return replace(
            view,
            windows=windows,
            reference=base,
            threshold=threshold,
            sentence=words.sentence(metric, windows, base, threshold, length),
            notes=words.notes(scope),
        ), read

    def _in_force(
        self,
        scope: Scope,
        metric: str,
        windows: Windows,
        found: OutcomeSeries,
        *,
        lean: bool,
    ) -> ThresholdView:
        """The limit in force; the scope's windows are used where they reach a year."""
        side, value = limits.in_force(scope.spec, metric)
        since = scope.now - YEAR
        year = scope.start <= since and scope.end >= scope.now
        if lean or year or scope.window == "hour":
            suggested = suggested_limit(found.metrics[metric], windows)
            if scope.window != "hour":
                windows = tuple(w for w in windows if w.end > since)
        else:
            windows, suggested = self._past_year(scope, metric)
        return limits.threshold_view(metric, side, value, windows, suggested)

    def _past_year(self, scope: Scope, metric: str) -> tuple[Windows, float | None]:
        """The windows of the past year, and the limit that their rows suggest.

        Hours are kept for some days only, so all that the scope has are meant.
        """
        span = (scope.now - YEAR, scope.now)
        if scope.window == "hour":
            span = (scope.start, scope.end)
        year = self._scopes.of(
            scope.model,
            scope.version,
            scope.window,
            scope.segment_words,
            span,
            scope.now,
        )
        if year.grid is None:
            return (), None
        read = self._reads.read(year, year.grid)
        found = read.series(read.cells, (metric,))
        windows = performance_windows(found, metric, year.edges, {})
        return windows, suggested_limit(found.metrics[metric], windows)


def _empty(scope: Scope, query: PerformanceQuery, metric: str) -> PerformanceView:
    """The tab of a scope before anything of it was read."""
    side, value = limits.in_force(scope.spec, metric)
    return PerformanceView(
        query=query,
        kind=scope.spec.kind,
        version=scope.version,
        versions=scope.versions,
        segments=scope.segments,
        metrics=METRICS[scope.spec.kind],
        metric=metric,
        window=scope.window,
        windows=(),
        reference=Point(None),
        tiles=(),
        picked=None,
        threshold=ThresholdView(metric, side, value, 0, 0, None),
        paired=None,
        challengers=(),
        calibration=(),
        confusion=None,
        segment_rows=(),
        sentence="",
        notes=(),
        reference_hash=scope.record.hash if scope.record else "",
        problem=None,
        start=scope.start,
        end=scope.end,
        now=scope.now,
    )
