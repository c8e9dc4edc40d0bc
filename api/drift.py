"""Drift and verdicts of monitored models over REST."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Literal

from flask import Response, g, jsonify
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from flask_openapi3.types import ResponseDict
from pydantic import BaseModel, Field

from data.model_records import MODEL_NAME_PATTERN, WINDOWS
from services.access import Principal
from services.drift import Drift
from services.drift_export import table
from services.drift_views import CELL_STATES, MEASURES, REFERENCES, DriftQuery
from services.exports import MIMETYPE, csv_bytes
from services.models_views import SEVERITIES, STATES, VERDICTS
from services.units import Preferences

TAG = Tag(name="models", description="Monitored models: what moved, does it matter")
RANGE_HELP = "ISO time, or now, now-90d, now/w; in your time zone"


class ModelPath(BaseModel):
    """Which model."""

    name: str = Field(pattern=MODEL_NAME_PATTERN)


class VerdictAsked(BaseModel):
    """Which windows; without a range the last year."""

    version: str = Field("", max_length=40, description="Empty: the champion")
    window: str = Field(
        "", max_length=8, description=f"{', '.join(WINDOWS)}; empty: the model's own"
    )
    segment: str = Field("", max_length=200, description="column=value; empty: all")
    start: str | None = Field(None, alias="from", description=RANGE_HELP)
    end: str | None = Field(None, alias="to", description=RANGE_HELP)


class DriftAsked(VerdictAsked):
    """Which scores."""

    measure: str = Field(
        "psi", max_length=20, description=f"One of {', '.join(MEASURES)}"
    )
    reference: str = Field(
        "pinned", max_length=20, description=f"One of {', '.join(REFERENCES)}"
    )
    feature: str = Field(
        "", max_length=200, description="JSON: this feature only; a file has all"
    )
    at: str = Field("", max_length=40, description="Start of the window picked")
    format: Literal["json", "csv"] = "json"


class DriftItemAnswer(BaseModel):
    """One feature in one window; ``null`` where it cannot be told."""

    feature: str
    start: datetime
    end: datetime
    rows: int = Field(description="With a value of the feature")
    measure: str
    value: float | None
    expected: float | None = Field(description="Mean of the measure without drift")
    p: float | None = Field(description="Adjusted for the features of the window")
    state: str = Field(description=f"One of {', '.join(CELL_STATES)}, none")
    missing_share: float | None
    harm: float | None = Field(description="Rise of the mean loss it brings")


class DriftAnswer(BaseModel):
    """The heat map as rows, most harmful feature first, and the newest verdict."""

    items: list[DriftItemAnswer]
    verdict: str | None = Field(description=f"One of {', '.join(VERDICTS)}")
    sentence: str
    harmful: list[str]
    version: str
    window: str
    reference: str
    reference_hash: str
    q: float = Field(description="False discovery rate among a window's features")
    notes: list[str]


class VerdictAnswer(BaseModel):
    """What happened in one window. ``value``: of ``metric``, estimated unlabelled."""

    start: datetime
    end: datetime
    verdict: str = Field(description=f"One of {', '.join(VERDICTS)}")
    state: str = Field(description=f"One of {', '.join(STATES)}")
    severity: str = Field(description=f"One of {', '.join(SEVERITIES)}")
    sentence: str
    harmful: list[str]
    metric: str
    value: float | None
    rows: int
    coverage: float = Field(description="Share of the predictions with their label")


class VerdictsAnswer(BaseModel):
    """The verdicts of a version's windows, oldest first."""

    items: list[VerdictAnswer]
    version: str


def blueprint(drift: Drift) -> APIBlueprint:
    """The routes of drift under ``/api/v1``."""
    api = APIBlueprint("drift", __name__, url_prefix="/api/v1", abp_tags=[TAG])
    answers: ResponseDict = {"200": DriftAnswer}
    judged: ResponseDict = {"200": VerdictsAnswer}

    @api.get("/models/<name>/drift", responses=answers, summary="Drift by window")
    def read(path: ModelPath, query: DriftAsked) -> Response:
        return _drift(drift, _query(path.name, query), query)

    @api.get("/models/<name>/verdict", responses=judged, summary="Verdict by window")
    def verdict(path: ModelPath, query: VerdictAsked) -> Response:
        version, found = drift.verdicts(
            _caller(), _query(path.name, query), _zone().zone
        )
        items = [
            VerdictAnswer(**{"verdict": v.kind, **_listed(asdict(v))}) for v in found
        ]
        return _json(VerdictsAnswer(items=items, version=version))

    return api


def _drift(drift: Drift, asked: DriftQuery, query: DriftAsked) -> Response:
    view, rows = drift.items(_caller(), asked, _zone().zone)
    if query.format == "csv":
        file = table(view, rows)
        response = Response(csv_bytes(file), content_type=MIMETYPE)
        response.headers.set("Content-Disposition", "attachment", filename=file.name)
        return response
    chosen = [r for r in rows if query.feature in {"", r.feature}]
    return _json(
        DriftAnswer(
            items=[DriftItemAnswer(**asdict(row)) for row in chosen],
            verdict=view.verdict.verdict if view.verdict else None,
            sentence=view.verdict.sentence if view.verdict else view.problem or "",
            harmful=list(view.harmful),
            version=view.version,
            window=view.window,
            reference=view.reference,
            reference_hash=view.reference_hash,
            q=view.q,
            notes=[*view.notes, *([view.problem] if view.problem else [])],
        )
    )


def _query(name: str, query: VerdictAsked) -> DriftQuery:
    asked = DriftQuery(
        model=name,
        version=query.version,
        window=query.window,
        segment=query.segment,
        text_from=query.start,
        text_to=query.end,
    )
    if not isinstance(query, DriftAsked):
        return asked
    chosen = {
        "measure": query.measure,
        "reference": query.reference,
        "feature": query.feature,
        "at": query.at,
    }
    return DriftQuery(**{**asdict(asked), **chosen})


def _listed(fields: dict[str, object]) -> dict[str, object]:
    del fields["kind"]
    return fields


def _json(answer: BaseModel) -> Response:
    return jsonify(answer.model_dump(mode="json"))


def _caller() -> Principal:
    principal: Principal = g.principal
    return principal


def _zone() -> Preferences:
    return Preferences.of(g.get("preferences") or {})
