"""Alert rules over REST: read, change, remove, and what they would have done."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from flask import Response, g, jsonify
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from flask_openapi3.types import ResponseDict
from pydantic import BaseModel, ConfigDict, Field

from services.access import Principal
from services.alert_replay import MOST_DAYS, Replay
from services.alert_rule_reading import read_rule
from services.alert_rulebook import Rules, RuleView
from services.alert_rules import rule_to_json
from services.errors import InvalidInput

TAG = Tag(name="alert rules", description="What raises alerts")
ALL = "/alert-rules"
ONE = "/alert-rules/<key>"


class RulePath(BaseModel):
    """Which rule."""

    key: str = Field(max_length=64)


class RuleBody(BaseModel):
    """A rule as its file has it, and the revision it was read at."""

    model_config = ConfigDict(extra="forbid")

    rule: dict[str, Any] = Field(description="The fields of docs/alerts.md")
    revision: int = Field(
        0, ge=0, description="0 = it is new; 409 when the rule has changed since"
    )


class Revision(BaseModel):
    """The revision a rule was read at."""

    revision: int = Field(ge=1)


class PreviewBody(BaseModel):
    """A rule that may not be stored yet, and how far to look back."""

    model_config = ConfigDict(extra="forbid")

    rule: dict[str, Any]
    days: int = Field(MOST_DAYS, ge=1, le=MOST_DAYS)


class RuleAnswer(BaseModel):
    """A rule with who changed it last."""

    id: int
    rule: dict[str, Any]
    revision: int
    updated_by: str
    updated_at: datetime


class SubjectAnswer(BaseModel):
    """How often a rule would have fired for one subject."""

    subject: str
    name: str
    activations: int


class PeriodAnswer(BaseModel):
    """One activation; ``end`` is empty while it holds."""

    subject: str
    name: str
    start: datetime
    end: datetime | None
    value: float


class ReplayAnswer(BaseModel):
    """What a rule would have done; resolution 0 = judged windows of models."""

    start: datetime
    end: datetime
    judged: int
    activations: int
    subjects: list[SubjectAnswer]
    periods: list[PeriodAnswer]
    resolution_s: int
    note: str


def blueprint(rules: Rules) -> APIBlueprint:
    """The routes of alert rules under ``/api/v1``."""
    api = APIBlueprint("alert_rules", __name__, url_prefix="/api/v1", abp_tags=[TAG])
    _register_reads(api, rules)
    _register_changes(api, rules)
    return api


def _register_reads(api: APIBlueprint, rules: Rules) -> None:
    one: ResponseDict = {"200": RuleAnswer}
    replayed: ResponseDict = {"200": ReplayAnswer}

    @api.get(ALL, summary="Every rule, by key")
    def read_rules() -> Response:
        items = [_rule(view).model_dump(mode="json") for view in rules.list(_caller())]
        return jsonify(items=items, next_cursor=None)

    @api.get(ONE, responses=one, summary="One rule")
    def read_one(path: RulePath) -> Response:
        return _json(_rule(rules.get(_caller(), path.key)))

    @api.post(
        f"{ALL}/preview",
        responses=replayed,
        summary="How often a rule would have fired",
    )
    def preview(body: PreviewBody) -> Response:
        replay = rules.preview(_caller(), read_rule(body.rule), body.days)
        return _json(_replay(replay))


def _register_changes(api: APIBlueprint, rules: Rules) -> None:
    one: ResponseDict = {"200": RuleAnswer}

    @api.put(ONE, responses=one, summary="Add or change a rule (Admin)")
    def save(path: RulePath, body: RuleBody) -> Response:
        spec = read_rule({"key": path.key, **body.rule})
        if spec.key != path.key:
            raise InvalidInput("key: it differs from the address's.")
        return _json(_rule(rules.save(_caller(), spec, body.revision)))

    @api.delete(ONE, summary="Remove a rule (Admin); its alerts clear")
    def remove(path: RulePath, query: Revision) -> tuple[str, int]:
        rules.remove(_caller(), path.key, query.revision)
        return "", 204


def _rule(view: RuleView) -> RuleAnswer:
    return RuleAnswer(
        id=view.id,
        rule=rule_to_json(view.spec),
        revision=view.revision,
        updated_by=view.updated_by,
        updated_at=view.updated_at,
    )


def _replay(replay: Replay) -> ReplayAnswer:
    return ReplayAnswer.model_validate(asdict(replay))


def _json(answer: BaseModel) -> Response:
    return jsonify(answer.model_dump(mode="json"))


def _caller() -> Principal:
    caller: Principal = g.principal
    return caller
