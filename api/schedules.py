"""Schedules of reports over REST."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import Response, g, jsonify
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from flask_openapi3.types import ResponseDict
from pydantic import BaseModel, ConfigDict, Field

from api.reports import RunAnswer, run_answer
from data.report_records import FORMATS, TEMPLATES, ReportRun, Schedule
from services.access import Principal
from services.reports.schedules import Schedules
from services.units import Preferences

TAG = Tag(name="schedules", description="Reports that are made by themselves")
RANGE_HELP = "Counted from the time it is due: now-1w/w, now/w, now-1M/M …"


class ScheduleBody(BaseModel):
    """What report, when, in which formats, for whom."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(max_length=120)
    enabled: bool = True
    cron: str = Field(max_length=80, description="Five fields, as 0 6 * * 1")
    time_zone: str | None = Field(
        None, max_length=64, description="IANA name, of cron and report"
    )
    template: str = Field(max_length=40, description=f"One of {', '.join(TEMPLATES)}")
    start: str = Field("now-7d", alias="from", max_length=64, description=RANGE_HELP)
    end: str = Field("now", alias="to", max_length=64, description=RANGE_HELP)
    models: list[str] = []
    devices: list[str] = []
    sections: list[str] = []
    units: dict[str, str] = {}
    formats: list[str] = Field(["pdf"], description=f"Of {', '.join(FORMATS)}")
    recipients: list[str] = Field([], description="Mail addresses")

    def raw(self) -> dict[str, object]:
        """The fields as the services read them."""
        return self.model_dump(by_alias=True)


class ScheduleChange(ScheduleBody):
    """All of a schedule, and the revision that was read."""

    revision: int = Field(ge=1, description="409 when it has changed since")

    def raw(self) -> dict[str, object]:
        """The fields as the services read them."""
        return self.model_dump(by_alias=True, exclude={"revision"})


class Switch(BaseModel):
    """On or off."""

    model_config = ConfigDict(extra="forbid")

    enabled: bool


class SchedulePath(BaseModel):
    """Which schedule."""

    id: int = Field(ge=1, le=2**31 - 1)


class ScheduleAnswer(BaseModel):
    """A schedule; ``next_at`` is null while it is off."""

    id: int
    name: str
    enabled: bool
    owner: str
    revision: int
    spec: dict[str, Any]
    when: str | None = None
    next_at: datetime | None
    last: RunAnswer | None = None


class SchedulesAnswer(BaseModel):
    """Every schedule you may see, by name."""

    items: list[ScheduleAnswer]
    next_cursor: str | None = None


class RunsAsked(BaseModel):
    """The reports that were asked for."""

    items: list[RunAnswer]


def blueprint(schedules: Schedules) -> APIBlueprint:
    """The routes of schedules under ``/api/v1``."""
    api = APIBlueprint("schedules", __name__, url_prefix="/api/v1", abp_tags=[TAG])
    _register_all(api, schedules)
    _register_one(api, schedules)
    return api


def _register_all(api: APIBlueprint, schedules: Schedules) -> None:
    listed: ResponseDict = {"200": SchedulesAnswer}
    made: ResponseDict = {"201": ScheduleAnswer}

    @api.get("/schedules", responses=listed, summary="Schedules (Operator)")
    def read() -> Response:
        items = [
            _answer(view.schedule, view.last, view.when)
            for view in schedules.list(_caller())
        ]
        return _json(SchedulesAnswer(items=items))

    @api.post("/schedules", responses=made, summary="Add a schedule (Operator)")
    def add(body: ScheduleBody) -> tuple[Response, int]:
        made = schedules.add(_caller(), body.raw(), _preferences())
        return _json(_answer(made)), 201


def _register_one(api: APIBlueprint, schedules: Schedules) -> None:
    one: ResponseDict = {"200": ScheduleAnswer}
    asked: ResponseDict = {"202": RunsAsked}
    place = "/schedules/<int:id>"

    @api.get(place, responses=one, summary="A schedule (Operator)")
    def read_one(path: SchedulePath) -> Response:
        return _json(_answer(schedules.get(_caller(), path.id)))

    @api.put(place, responses=one, summary="Replace a schedule (Operator)")
    def change(path: SchedulePath, body: ScheduleChange) -> Response:
        changed = schedules.change(
            _caller(), path.id, body.raw(), body.revision, _preferences()
        )
        return _json(_answer(changed))

    @api.post(f"{place}/enabled", responses=one, summary="Switch it (Operator)")
    def switch(path: SchedulePath, body: Switch) -> Response:
        return _json(_answer(schedules.enable(_caller(), path.id, body.enabled)))

    @api.post(f"{place}/run", responses=asked, summary="Run it now (Operator)")
    def run_now(path: SchedulePath) -> tuple[Response, int]:
        runs = schedules.run_now(_caller(), path.id)
        return _json(RunsAsked(items=[run_answer(run) for run in runs])), 202

    @api.delete(
        place,
        responses={"204": None},
        summary="Remove a schedule; its reports stay (Operator)",
    )
    def remove(path: SchedulePath) -> tuple[str, int]:
        schedules.remove(_caller(), path.id)
        return "", 204


def _answer(
    schedule: Schedule, last: ReportRun | None = None, when: str | None = None
) -> ScheduleAnswer:
    spec: Mapping[str, Any] = schedule.spec
    return ScheduleAnswer(
        id=schedule.id, name=schedule.name, enabled=schedule.enabled,
        owner=schedule.owner, revision=schedule.revision, spec=dict(spec), when=when,
        next_at=schedule.next_at, last=run_answer(last) if last else None,
    )  # fmt: skip


def _json(answer: BaseModel) -> Response:
    return jsonify(answer.model_dump(mode="json"))


def _caller() -> Principal:
    principal: Principal = g.principal
    return principal


def _preferences() -> Preferences:
    return Preferences.of(g.get("preferences") or {})
