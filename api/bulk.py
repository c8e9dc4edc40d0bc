"""Bulk commands over REST: start, look, stop."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from flask import Response, g, jsonify
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from flask_openapi3.types import ResponseDict
from pydantic import BaseModel, ConfigDict, Field

from api import paging
from data.bulk_store import Job
from services.access import Principal
from services.bulk import BULK_KEYS, STOP_SHARE, Bulk
from services.bulk_views import BulkView
from services.fleet import STATES, FleetQuery
from settings import Settings

TAG = Tag(name="bulk", description="One wish for many heaters, in three stages")


class Filter(BaseModel):
    """Which heaters; what is left out filters nothing."""

    model_config = ConfigDict(extra="forbid")

    state: str = Field("all", description=f"One of {', '.join(STATES)}")
    q: str = Field("", max_length=120, description="Words that must all occur")
    make: str = Field("", max_length=80)
    type: str = Field("", max_length=16)
    site: str = Field("", max_length=80)


class NewJob(BaseModel):
    """A bulk command."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    key: str = Field(description=f"One of {', '.join(BULK_KEYS)}")
    value: float | str
    filter: Filter = Field(default_factory=Filter)
    stop_share: float = Field(
        STOP_SHARE, description="Stops when a larger share of a stage fails, 0 to 1"
    )
    confirmed: bool = Field(False, description="Answers what the safety rules ask")


class JobPath(BaseModel):
    """Which bulk command."""

    job_id: int = Field(ge=1, le=2**62)


class JobAnswer(BaseModel):
    """A bulk command."""

    id: int
    key: str
    value: Any
    filter: str
    asked_by: str
    asked_at: datetime
    state: str = Field(description="running, done or stopped")
    stage: int
    stop_share: float
    reason: str
    ended_at: datetime | None


class StageAnswer(BaseModel):
    """One stage in numbers; ``states`` counts its commands by state."""

    number: int
    heaters: int
    not_yet: int
    states: dict[str, int]


class LeftAnswer(BaseModel):
    """A heater that did not take the wish."""

    device_id: str
    state: str
    reason: str


class BulkAnswer(JobAnswer):
    """A bulk command with its stages and the heaters left out."""

    stages: list[StageAnswer]
    left: list[LeftAnswer]
    left_total: int


class JobsAnswer(BaseModel):
    """The newest bulk commands first."""

    items: list[JobAnswer]
    next_cursor: str | None


class Few(BaseModel):
    """How many."""

    limit: int = Field(20, ge=1)


def blueprint(bulk: Bulk, settings: Settings) -> APIBlueprint:
    """The routes of bulk commands under ``/api/v1``."""
    api = APIBlueprint("bulk", __name__, url_prefix="/api/v1", abp_tags=[TAG])
    _register_all(api, bulk, settings.max_page)
    _register_one(api, bulk)
    return api


def _register_all(api: APIBlueprint, bulk: Bulk, most: int) -> None:
    made: ResponseDict = {"201": BulkAnswer}
    lists: ResponseDict = {"200": JobsAnswer}

    @api.get("/bulk", responses=lists, summary="The newest bulk commands")
    def read_all(query: Few) -> Response:
        limit = paging.checked(query.limit, most)
        items = [_job(job) for job in bulk.recent(_caller(), limit)]
        return _json(JobsAnswer(items=items, next_cursor=None))

    @api.post(
        "/bulk",
        responses=made,
        summary="Start a bulk command (Operator)",
        description="428 when a safety rule asks first: send confirmed=true to answer.",
    )
    def start(body: NewJob) -> tuple[Response, int]:
        chosen = body.filter
        query = FleetQuery(
            state=chosen.state,
            text=chosen.q,
            make=chosen.make,
            type=chosen.type,
            site=chosen.site,
        )
        view = bulk.start(
            _caller(),
            body.key,
            body.value,
            query,
            filter_text=chosen.model_dump_json(exclude_defaults=True),
            confirmed=body.confirmed,
            stop_share=body.stop_share,
        )
        return _json(_view(view)), 201


def _register_one(api: APIBlueprint, bulk: Bulk) -> None:
    one: ResponseDict = {"200": BulkAnswer}

    @api.get("/bulk/<job_id>", responses=one, summary="A bulk command")
    def read_one(path: JobPath) -> Response:
        return _json(_view(bulk.of(_caller(), path.job_id)))

    @api.post("/bulk/<job_id>/stop", responses=one, summary="Stop it (Operator)")
    def stop(path: JobPath) -> Response:
        return _json(_view(bulk.stop(_caller(), path.job_id)))


def _job(job: Job) -> JobAnswer:
    return JobAnswer(**asdict(job))


def _view(view: BulkView) -> BulkAnswer:
    stages = [
        StageAnswer(
            number=s.number, heaters=s.heaters, not_yet=s.not_yet, states=dict(s.states)
        )
        for s in view.stages
    ]
    return BulkAnswer(
        **asdict(view.job),
        stages=stages,
        left=[LeftAnswer(**asdict(left)) for left in view.left],
        left_total=view.left_total,
    )


def _json(answer: BaseModel) -> Response:
    return jsonify(answer.model_dump(mode="json"))


def _caller() -> Principal:
    principal: Principal = g.principal
    return principal
