"""Reports over REST: made at once, asked for, listed and downloaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from flask import Response, g, jsonify, send_file
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from flask_openapi3.types import ResponseDict
from pydantic import BaseModel, ConfigDict, Field

from api import paging
from api.paging import Page
from data.report_records import FORMATS, RUN_STATES, TEMPLATES, ReportRun
from services.access import Principal
from services.errors import InvalidInput
from services.reports.runs import Reports
from services.units import Preferences
from settings import Settings

TAG = Tag(name="reports", description="Reports: make, list, download")
RANGE_HELP = "ISO time, or now, now-7d, now-1M/M; in the report's time zone"
FILE: ResponseDict = {"200": {"description": "The file"}}


class ExportBody(BaseModel):
    """What the report is about."""

    model_config = ConfigDict(extra="forbid")

    template: str = Field(max_length=40, description=f"One of {', '.join(TEMPLATES)}")
    start: str = Field(alias="from", max_length=64, description=RANGE_HELP)
    end: str = Field(alias="to", max_length=64, description=RANGE_HELP)
    models: list[str] = Field([], description="Names; empty: every model")
    devices: list[str] = Field([], description="Ids; empty: every heater")
    sections: list[str] = Field([], description="Keys; empty: all of the template")
    time_zone: str | None = Field(None, max_length=64, description="IANA name")
    units: dict[str, str] = Field({}, description="temperature_unit C|F, …")

    def raw(self) -> dict[str, object]:
        """The fields as the services read them."""
        return self.model_dump(by_alias=True)


class ReportBody(ExportBody):
    """What the report is about, and as what."""

    format: str = Field("pdf", max_length=8, description=f"One of {', '.join(FORMATS)}")


class RunPath(BaseModel):
    """Which report."""

    id: str = Field(max_length=64)


class RunAnswer(BaseModel):
    """A report as it stands; ``progress`` from 0 to 1."""

    id: str
    template: str
    format: str
    query: dict[str, Any]
    asked_by: str
    asked_at: datetime
    schedule_id: int | None
    period: str | None
    state: str = Field(description=f"One of {', '.join(RUN_STATES)}")
    progress: float
    step: str
    tries: int
    started_at: datetime | None
    ended_at: datetime | None
    file_name: str | None
    size_bytes: int | None
    sha256: str | None
    reason: str
    removed_at: datetime | None = Field(description="Its file is gone since")


class RunsAnswer(BaseModel):
    """One page of reports, newest first."""

    items: list[RunAnswer]
    next_cursor: str | None


def blueprint(runs: Reports, settings: Settings) -> APIBlueprint:
    """The routes of reports under ``/api/v1``."""
    api = APIBlueprint("reports", __name__, url_prefix="/api/v1", abp_tags=[TAG])
    _register_export(api, runs)
    _register_runs(api, runs, settings.max_page)
    _register_one(api, runs)
    return api


def _register_export(api: APIBlueprint, runs: Reports) -> None:
    @api.post("/reports/export/pdf", responses=FILE, summary="Make a PDF at once")
    def export_pdf(body: ExportBody) -> Response:
        return _export(runs, body.raw(), "pdf")

    @api.post("/reports/export/csv", responses=FILE, summary="Make a CSV at once")
    def export_csv(body: ExportBody) -> Response:
        return _export(runs, body.raw(), "csv")


def _register_runs(api: APIBlueprint, runs: Reports, most: int) -> None:
    pages: ResponseDict = {"200": RunsAnswer}
    asked: ResponseDict = {"202": RunAnswer}

    @api.post("/reports", responses=asked, summary="Let a report be made")
    def ask(body: ReportBody) -> tuple[Response, int]:
        run = runs.ask(_caller(), body.raw(), _preferences())
        return _json(run_answer(run)), 202

    @api.get("/reports", responses=pages, summary="Reports you may see")
    def listed(query: Page) -> Response:
        limit = paging.checked(query.limit, most)
        before = _before(query.cursor) if query.cursor else None
        found = runs.list(_caller(), limit + 1, before)
        last = found[limit - 1] if len(found) > limit else None
        cursor = last and paging.written(last.asked_at.isoformat(), last.id)
        items = [run_answer(run) for run in found[:limit]]
        return _json(RunsAnswer(items=items, next_cursor=cursor))


def _register_one(api: APIBlueprint, runs: Reports) -> None:
    one: ResponseDict = {"200": RunAnswer}

    @api.get("/reports/<id>", responses=one, summary="A report as it stands")
    def read(path: RunPath) -> Response:
        return _json(run_answer(runs.get(_caller(), path.id)))

    @api.get("/reports/<id>/file", responses=FILE, summary="Download a report")
    def download(path: RunPath) -> Response:
        file = runs.file(_caller(), path.id)
        return send_file(
            file.path,
            mimetype=file.media_type,
            as_attachment=True,
            download_name=file.name,
            conditional=False,
            etag=False,
        )

    @api.delete(
        "/reports/<id>",
        responses={"204": None},
        summary="Remove a report and its file",
    )
    def remove(path: RunPath) -> tuple[str, int]:
        runs.remove(_caller(), path.id)
        return "", 204


def run_answer(run: ReportRun) -> RunAnswer:
    """A run as it is told to programs."""
    return RunAnswer(**asdict(run))


def _export(runs: Reports, raw: Mapping[str, object], kind: str) -> Response:
    file = runs.export(_caller(), {**raw, "format": kind}, _preferences())
    response = Response(file.parts, content_type=file.media_type)
    response.headers.set("Content-Disposition", "attachment", filename=file.name)
    return response


def _before(cursor: str) -> tuple[datetime, str]:
    at, last = paging.read(cursor, str, str)
    try:
        return datetime.fromisoformat(str(at)), str(last)
    except ValueError as error:
        raise InvalidInput("cursor is not one that this list has given.") from error


def _json(answer: BaseModel) -> Response:
    return jsonify(answer.model_dump(mode="json"))


def _caller() -> Principal:
    principal: Principal = g.principal
    return principal


def _preferences() -> Preferences:
    return Preferences.of(g.get("preferences") or {})
