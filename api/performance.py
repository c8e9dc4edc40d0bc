"""Performance of a monitored model over REST, and its thresholds."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from flask import Response, g, jsonify
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from flask_openapi3.types import ResponseDict
from pydantic import BaseModel, ConfigDict, Field

from data.model_records import MODEL_NAME_PATTERN, Threshold
from services.access import Principal
from services.exports import MIMETYPE, csv_bytes
from services.performance import Performance
from services.performance_views import (
    METRIC_WORDS,
    PerformanceQuery,
    PerformanceView,
    PerformanceWindow,
    Point,
)
from services.units import Preferences

TAG = Tag(name="performance", description="How right a monitored model is")
PATH = "/models/<name>/performance"
LIMITS = "/models/<name>/thresholds"
RANGE_HELP = "ISO time, or now, now-1y, now-90d, now/d; in your time zone"


class ModelPath(BaseModel):
    """Which model."""

    name: str = Field(pattern=MODEL_NAME_PATTERN)


class PerformanceRange(BaseModel):
    """Which windows of which metric; without a range the last year."""

    version: str = Field("", max_length=40, description="Empty: the champion")
    metric: str = Field("", description=f"One of {', '.join(METRIC_WORDS)}")
    window: str = Field(
        "", description="hour, day, week or month; empty: the model's own"
    )
    segment: str = Field("", max_length=300, description="Empty, or column=value")
    against: str = Field("", max_length=40, description="A challenger's version")
    at: str = Field("", max_length=64, description="Start of a window")
    start: str | None = Field(None, alias="from", description=RANGE_HELP)
    end: str | None = Field(None, alias="to", description=RANGE_HELP)
    format: Literal["json", "csv"] = "json"


class PointAnswer(BaseModel):
    """A value and its interval; ``reason`` says why there is none."""

    value: float | None
    low: float | None
    high: float | None
    reason: str | None


class WindowAnswer(BaseModel):
    """One window, UTC; ``gap``: realised minus estimated on the labelled rows."""

    start: datetime
    end: datetime
    rows: int
    labelled: int
    coverage: float
    realised: PointAnswer
    estimated: PointAnswer
    weighted: PointAnswer
    gap: PointAnswer
    outside: bool = Field(description="The band of the gap leaves 0: concept drift")


class LimitAnswer(BaseModel):
    """The limit of the metric shown, and how often it broke in the past year."""

    metric: str
    side: str
    value: float | None
    fired: int
    judged: int
    suggested: float | None


class PerformanceAnswer(BaseModel):
    """A metric of a model, window by window, oldest first."""

    items: list[WindowAnswer]
    model: str
    version: str
    metric: str
    window: str
    segment: str
    state: str = Field(description="look, fine or cannot_tell")
    sentence: str
    problem: str | None = Field(description="Why there is nothing, and what to do")
    threshold: LimitAnswer
    reference: PointAnswer
    reference_hash: str
    notes: list[str]


class ThresholdAnswer(BaseModel):
    """The limits of one metric."""

    metric: str
    below: float | None
    above: float | None


class ThresholdsAnswer(BaseModel):
    """The limits of a model."""

    items: list[ThresholdAnswer]


class ThresholdBody(BaseModel):
    """The limit to set; ``value`` null removes it."""

    model_config = ConfigDict(extra="forbid")

    metric: str
    side: Literal["below", "above"]
    value: float | None


def blueprint(performance: Performance) -> APIBlueprint:
    """The routes of performance under ``/api/v1``."""
    api = APIBlueprint("performance", __name__, url_prefix="/api/v1", abp_tags=[TAG])
    _register_reading(api, performance)
    _register_thresholds(api, performance)
    return api


def _register_reading(api: APIBlueprint, performance: Performance) -> None:
    answers: ResponseDict = {"200": PerformanceAnswer}

    @api.get(PATH, responses=answers, summary="A metric of a model over time")
    def read(path: ModelPath, query: PerformanceRange) -> Response:
        asked, zone = _query(path.name, query), _preferences().zone
        if query.format == "csv":
            rows = performance.export(_caller(), asked, zone)
            response = Response(csv_bytes(rows), content_type=MIMETYPE)
            response.headers.set(
                "Content-Disposition", "attachment", filename=rows.name
            )
            return response
        view = performance.chart(_caller(), asked, zone)
        return jsonify(_answer(view).model_dump(mode="json"))


def _register_thresholds(api: APIBlueprint, performance: Performance) -> None:
    answers: ResponseDict = {"200": ThresholdsAnswer}

    @api.get(LIMITS, responses=answers, summary="The thresholds of a model")
    def thresholds(path: ModelPath) -> Response:
        return jsonify(_limits(performance.thresholds(_caller(), path.name)))

    @api.put(LIMITS, responses=answers, summary="Set or remove one threshold")
    def set_threshold(path: ModelPath, body: ThresholdBody) -> Response:
        performance.set_threshold(
            _caller(), path.name, body.metric, body.side, body.value
        )
        return jsonify(_limits(performance.thresholds(_caller(), path.name)))


def _caller() -> Principal:
    principal: Principal = g.principal
    return principal


def _preferences() -> Preferences:
    return Preferences.of(g.get("preferences") or {})


def _query(name: str, query: PerformanceRange) -> PerformanceQuery:
    return PerformanceQuery(
        model=name,
        version=query.version,
        metric=query.metric,
        window=query.window,
        segment=query.segment,
        against=query.against,
        at=query.at,
        text_from=query.start,
        text_to=query.end,
    )


def _answer(view: PerformanceView) -> PerformanceAnswer:
    limit = view.threshold
    return PerformanceAnswer(
        items=[_window(window) for window in view.windows],
        model=view.query.model,
        version=view.version,
        metric=view.metric,
        window=view.window,
        segment=view.query.segment,
        state=view.state,
        sentence=view.sentence,
        problem=view.problem,
        threshold=LimitAnswer(
            metric=limit.metric,
            side=limit.side,
            value=limit.value,
            fired=limit.fired,
            judged=limit.judged,
            suggested=limit.suggested,
        ),
        reference=_point(view.reference),
        reference_hash=view.reference_hash,
        notes=list(view.notes),
    )


def _window(window: PerformanceWindow) -> WindowAnswer:
    return WindowAnswer(
        start=window.start,
        end=window.end,
        rows=window.rows,
        labelled=window.labelled,
        coverage=window.coverage,
        realised=_point(window.realised),
        estimated=_point(window.estimated),
        weighted=_point(window.weighted),
        gap=_point(window.gap),
        outside=window.outside,
    )


def _point(point: Point) -> PointAnswer:
    return PointAnswer(
        value=point.value, low=point.low, high=point.high, reason=point.reason
    )


def _limits(found: tuple[Threshold, ...]) -> dict[str, Any]:
    items = [
        ThresholdAnswer(metric=t.metric, below=t.below, above=t.above) for t in found
    ]
    return ThresholdsAnswer(items=items).model_dump(mode="json")
