"""Is the process alive, and can it answer? For load balancers, without signing in."""

from __future__ import annotations

from flask import Response, jsonify
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from flask_openapi3.types import ResponseDict
from pydantic import BaseModel, Field

from services.readiness import Readiness

TAG = Tag(name="health", description="Alive and ready")


class HealthAnswer(BaseModel):
    """The process runs; nothing else was looked at."""

    status: str = Field(examples=["alive"])


class ReadyAnswer(BaseModel):
    """Which parts work."""

    status: str = Field(examples=["ready", "degraded", "not ready"])
    database: str = Field(examples=["ok", "failed"])
    lake: str = Field(examples=["ok", "failed"])
    flusher: str = Field(examples=["ok", "behind", "unknown"])


def blueprint(readiness: Readiness) -> APIBlueprint:
    """The routes ``/api/v1/health`` and ``/api/v1/ready``."""
    api = APIBlueprint("health", __name__, url_prefix="/api/v1", abp_tags=[TAG])
    alive: ResponseDict = {"200": HealthAnswer}
    states: ResponseDict = {"200": ReadyAnswer, "503": ReadyAnswer}

    @api.get("/health", responses=alive, summary="Is the process alive")
    def health() -> Response:
        return jsonify(HealthAnswer(status="alive").model_dump())

    @api.get("/ready", responses=states, summary="Can the process answer")
    def ready() -> tuple[Response, int]:
        view = readiness.view()
        answer = ReadyAnswer(
            status=view.status,
            database=view.database,
            lake=view.lake,
            flusher=view.flusher,
        )
        return jsonify(answer.model_dump()), 200 if view.ready else 503

    return api
