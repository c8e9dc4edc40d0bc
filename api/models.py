"""Monitored models over REST: list, read, apply, archive, restore."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, Literal

from flask import Response, g, jsonify, request
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from flask_openapi3.types import ResponseDict
from pydantic import BaseModel, Field

from api import paging
from api.paging import Page
from data.model_records import KINDS, MODEL_NAME_PATTERN, Model
from data.spec_json import spec_to_json
from services.access import Principal, requires
from services.errors import InvalidInput
from services.model_rows import FILTERS, SORTS
from services.model_spec import read_document, read_yaml
from services.models import Models
from services.models_views import ModelRow, ModelsQuery
from settings import Settings

TAG = Tag(name="models", description="Monitored models: register and health")
ONE = "/models/<name>"
YAML_TYPE = "application/yaml"
MOST_PAGES = 1_000_000


class ModelPath(BaseModel):
    """Which model."""

    name: str = Field(pattern=MODEL_NAME_PATTERN)


class ModelsPage(Page):
    """Which models, in which order."""

    state: str = Field("all", description=f"One of {', '.join(FILTERS)}")
    q: str = Field("", max_length=120, description="Words that must all occur")
    kind: str = Field("", max_length=16, description=f"One of {', '.join(KINDS)}")
    owner: str = Field("", max_length=80)
    tag: str = Field("", max_length=200)
    sort: str = Field(
        "worst", description=f"One of {', '.join(SORTS)}; '-' before it turns it round"
    )


class FormQuery(BaseModel):
    """In which form."""

    format: Literal["json", "yaml"] = "json"


class RowAnswer(BaseModel):
    """One model with the verdict of its newest window; ``null`` is not known."""

    name: str
    kind: str
    owner: str
    tags: list[str]
    version: str
    versions: int
    archived: bool
    simulated: bool
    state: str = Field(description="look, cannot_tell, fine or none")
    severity: str
    verdict: str
    sentence: str
    metric: str | None
    value: float | None
    rows: int = Field(description="Predictions in the newest window")
    last_data: datetime | None
    label_lag_days: float | None
    label_coverage: float | None


class ModelsAnswer(BaseModel):
    """One page of models, and how many are in each state of all."""

    items: list[RowAnswer]
    next_cursor: str | None
    found: int
    counts: dict[str, int]


class VersionAnswer(BaseModel):
    """A version of a model."""

    version: str
    champion: bool
    created_at: datetime
    lineage: dict[str, Any]


class VersionsAnswer(BaseModel):
    """The versions of a model, oldest first."""

    items: list[VersionAnswer]
    next_cursor: str | None


class AppliedAnswer(BaseModel):
    """The specification as it is stored now, and what became of the one sent."""

    name: str
    outcome: str = Field(description="created, changed or unchanged")
    revision: int


def blueprint(models: Models, settings: Settings) -> APIBlueprint:
    """The routes of models under ``/api/v1``."""
    api = APIBlueprint("models", __name__, url_prefix="/api/v1", abp_tags=[TAG])
    _register_list(api, models, settings.max_page)
    _register_one(api, models)
    _register_life(api, models)
    return api


def _register_list(api: APIBlueprint, models: Models, most: int) -> None:
    answers: ResponseDict = {"200": ModelsAnswer}

    @api.get("/models", responses=answers, summary="The models, worst first")
    def read_all(query: ModelsPage) -> Response:
        asked = _query(query, most)
        view = models.page(_caller(), asked)
        past = asked.page > view.pages  # the list has become shorter
        last = past or asked.page == view.pages
        answer = ModelsAnswer(
            items=[] if past else [_row(row) for row in view.rows],
            next_cursor=None
            if last
            else paging.written(asked.page + 1, asked.page_size),
            found=view.found,
            counts=dict(view.counts),
        )
        return jsonify(answer.model_dump(mode="json"))


def _register_one(api: APIBlueprint, models: Models) -> None:
    applied: ResponseDict = {"200": AppliedAnswer, "201": AppliedAnswer}

    @api.get(ONE, summary="A model's specification; as YAML its file")
    def read_one(path: ModelPath, query: FormQuery) -> Response:
        if query.format == "yaml":
            text = models.export_yaml(_caller(), path.name)
            response = Response(text, content_type=f"{YAML_TYPE}; charset=utf-8")
            response.headers.set(
                "Content-Disposition", "attachment", filename=f"{path.name}.yaml"
            )
            return response
        return jsonify(spec_to_json(models.get(_caller(), path.name).spec))

    @api.put(
        ONE,
        responses=applied,
        summary="Register a model or change it (Admin)",
        description=(
            "The body is the specification, as JSON or as the YAML file "
            f"({YAML_TYPE}). Its version becomes the champion; lineage, in JSON, says "
            "what is to be kept of the making of that version."
        ),
    )
    def apply(path: ModelPath) -> tuple[Response, int]:
        requires(_caller(), "model.admin")
        document, lineage = _document()
        spec = (
            read_yaml(document)
            if isinstance(document, str)
            else read_document(document)
        )
        if spec.name != path.name:
            raise InvalidInput(
                f"The address names {path.name}, the body {spec.name}: make them one."
            )
        model, outcome = models.apply(_caller(), spec, lineage)
        told = {**spec_to_json(model.spec), **_applied(model, outcome)}
        return jsonify(told), 201 if outcome == "created" else 200


def _register_life(api: APIBlueprint, models: Models) -> None:
    answers: ResponseDict = {"200": AppliedAnswer}
    versions: ResponseDict = {"200": VersionsAnswer}

    @api.post(f"{ONE}/archive", responses=answers, summary="Archive (Operator)")
    def archive(path: ModelPath) -> Response:
        return jsonify(_applied(models.archive(_caller(), path.name), "archived"))

    @api.post(f"{ONE}/restore", responses=answers, summary="Restore (Operator)")
    def restore(path: ModelPath) -> Response:
        return jsonify(_applied(models.restore(_caller(), path.name), "restored"))

    @api.get(f"{ONE}/versions", responses=versions, summary="A model's versions")
    def read_versions(path: ModelPath) -> Response:
        champion = models.get(_caller(), path.name).spec.version
        items = [
            VersionAnswer(
                version=v.version,
                champion=v.version == champion,
                created_at=v.created_at,
                lineage=dict(v.lineage),
            )
            for v in models.versions(_caller(), path.name)
        ]
        answer = VersionsAnswer(items=items, next_cursor=None)
        return jsonify(answer.model_dump(mode="json"))


def _document() -> tuple[Any, dict[str, Any] | None]:
    """The specification sent (text where it is YAML) and the lineage beside it."""
    body = request.get_data()
    if request.mimetype in {YAML_TYPE, "application/x-yaml", "text/yaml"}:
        try:
            return body.decode("utf-8"), None
        except UnicodeDecodeError:
            raise InvalidInput("The YAML must be UTF-8.") from None
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise InvalidInput(
            f"The body is no JSON; send YAML with Content-Type {YAML_TYPE}."
        ) from None
    lineage = None
    if isinstance(document, dict):
        lineage = document.pop("lineage", None)
    if lineage is not None and not isinstance(lineage, dict):
        raise InvalidInput("lineage must be an object of names and plain values.")
    return document, lineage


def _query(query: ModelsPage, most: int) -> ModelsQuery:
    page, size = 1, paging.checked(query.limit, most)
    if query.cursor is not None:
        page, size = (int(n) for n in paging.read(query.cursor, int, int))
        if not (1 <= page <= MOST_PAGES and 1 <= size <= most):
            raise InvalidInput("cursor is not one that this list has given.")
    return ModelsQuery(
        state=query.state,
        text=query.q,
        kind=query.kind,
        owner=query.owner,
        tag=query.tag,
        sort=query.sort.removeprefix("-"),
        descending=query.sort.startswith("-"),
        page=page,
        page_size=size,
    )


def _row(row: ModelRow) -> RowAnswer:
    metric, value = row.headline or (None, None)
    return RowAnswer(
        **{
            name: getattr(row, name)
            for name in RowAnswer.model_fields
            if name not in {"metric", "value", "tags"}
        },
        tags=list(row.tags),
        metric=metric,
        value=value,
    )


def _applied(model: Model, outcome: str) -> dict[str, Any]:
    answer = AppliedAnswer(
        name=model.spec.name, outcome=outcome, revision=model.revision
    )
    return answer.model_dump()


def _caller() -> Principal:
    principal: Principal = g.principal
    return principal
