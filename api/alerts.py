"""Alerts over REST: the list, one alert with its history, and what is done about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from typing import Any

from flask import Response, g, jsonify
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from flask_openapi3.types import ResponseDict
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from api import paging
from api.paging import Page
from data.alert_log_store import ALERT_STATES
from data.alert_records import SEVERITIES, SOURCES, VERDICTS, Alert, AlertEvent
from services.access import Principal
from services.alert_steps import TEXT_LENGTH
from services.alert_views import AGES, AlertsQuery, state_of
from services.alerts import Alerts
from services.errors import InvalidInput
from settings import Settings

TAG = Tag(name="alerts", description="What rules have found, and what people did")
MOST_ID = 2**63 - 1
VERSION_HELP = "The version you have read: 409 when the alert has changed since"
SAME = "A second time changes nothing."


class AlertsPage(Page):
    """Which alerts; newest first."""

    model_config = ConfigDict(extra="forbid")

    state: str = Field("open", description=f"One of {', '.join(ALERT_STATES)}")
    source: str = Field("", description=f"One of {', '.join(SOURCES)}")
    severity: str = Field("", description=f"One of {', '.join(SEVERITIES)}")
    model: str = Field("", max_length=120, description="Name of a model")
    device: str = Field("", max_length=64, description="Id of a device")
    metric: str = Field("", max_length=80)
    rule: str = Field("", max_length=64, description="Key of a rule")
    owner: str = Field("", max_length=64, description="A user, me or nobody")
    age: str = Field("", description=f"Raised within {', '.join(AGES)}")
    q: str = Field("", max_length=120, description="Words that must all occur")


class AlertPath(BaseModel):
    """Which alert."""

    alert_id: int = Field(ge=1, le=MOST_ID, description="The alert's id")


class StepBody(BaseModel):
    """What every step may be asked with."""

    model_config = ConfigDict(extra="forbid", strict=True)

    version: int | None = Field(None, ge=1, description=VERSION_HELP, examples=[3])


class AssignBody(StepBody):
    """Whom to give it to."""

    owner: str = Field(max_length=64, description="A user; empty for nobody")


class CommentBody(StepBody):
    """What to write into its history."""

    text: str = Field(min_length=1, max_length=TEXT_LENGTH)


class ShelveBody(StepBody):
    """How long to put it away, and why."""

    # Not strict: in JSON a time is a text.
    until: AwareDatetime = Field(strict=False, description="1 minute to 30 days ahead")
    reason: str = Field(min_length=1, max_length=TEXT_LENGTH)


class ResolveBody(StepBody):
    """What came of it."""

    note: str = Field("", max_length=TEXT_LENGTH)
    verdict: str | None = Field(None, description=f"One of {', '.join(VERDICTS)}")


class AlertAnswer(BaseModel):
    """One alert; times are UTC, values in the unit they are stored in."""

    id: int = Field(examples=[12])
    version: int = Field(examples=[3])
    state: str = Field(
        description="active, acknowledged, cleared, shelved, resolved or closed "
        "(cleared and acknowledged)",
        examples=["active"],
    )
    rule_key: str
    rule_name: str
    source: str
    subject: str = Field(description="A device's id or a model's name")
    subject_name: str
    metric: str
    severity: str
    message: str
    action: str = Field(description="What the rule recommends")
    active: bool = Field(description="Whether the condition holds now")
    activations: int
    started_at: datetime
    raised_at: datetime
    last_at: datetime
    value: float | None
    cleared_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    owner: str | None
    shelved_until: datetime | None
    shelved_by: str | None
    shelve_reason: str | None
    resolved_at: datetime | None
    resolved_by: str | None
    verdict: str | None
    note: str | None


class AlertEventAnswer(BaseModel):
    """One thing that happened to an alert."""

    id: int
    at: datetime
    kind: str
    by: str
    text: str
    value: float | None


class AlertDetailAnswer(AlertAnswer):
    """One alert with what its rule saw and everything that happened, newest first."""

    evidence: dict[str, Any]
    events: list[AlertEventAnswer]


class AlertsAnswer(BaseModel):
    """One page of alerts, newest first."""

    items: list[AlertAnswer]
    next_cursor: str | None


def blueprint(
    alerts: Alerts, settings: Settings, clock: Callable[[], datetime]
) -> APIBlueprint:
    """The routes of alerts under ``/api/v1``."""
    api = APIBlueprint("alerts", __name__, url_prefix="/api/v1", abp_tags=[TAG])
    _register_reads(api, alerts, settings.max_page, clock)
    _register_steps(api, alerts, clock)
    _register_forms(api, alerts, clock)
    return api


def _register_reads(
    api: APIBlueprint, alerts: Alerts, most: int, clock: Callable[[], datetime]
) -> None:
    pages: ResponseDict = {"200": AlertsAnswer}
    whole: ResponseDict = {"200": AlertDetailAnswer}

    @api.get("/alerts", responses=pages, summary="Alerts, newest first")
    def read(query: AlertsPage) -> Response:
        chosen = query.model_dump(exclude={"limit", "cursor", "q"})
        found, more = alerts.after(
            _caller(),
            AlertsQuery(**chosen, text=query.q),
            _before(query.cursor),
            paging.checked(query.limit, most),
        )
        last = found[-1] if found else None
        answer = AlertsAnswer(
            items=[AlertAnswer(**_told(alert, clock())) for alert in found],
            next_cursor=paging.written(last.raised_at.isoformat(), last.id)
            if more and last
            else None,
        )
        return jsonify(answer.model_dump(mode="json"))

    @api.get("/alerts/<int:alert_id>", responses=whole, summary="One alert whole")
    def one(path: AlertPath) -> Response:
        view = alerts.detail(_caller(), path.alert_id)
        answer = AlertDetailAnswer(
            **_told(view.alert, view.now),
            evidence=dict(view.alert.evidence),
            events=[_event(event) for event in view.events],
        )
        return jsonify(answer.model_dump(mode="json"))


def _register_steps(
    api: APIBlueprint, alerts: Alerts, clock: Callable[[], datetime]
) -> None:
    """The steps that need no words."""
    answers: ResponseDict = {"200": AlertAnswer}
    at = "/alerts/<int:alert_id>"

    @api.post(
        f"{at}/acknowledge", responses=answers, summary="Acknowledge (Operator)",
        description=f"Somebody has seen it. {SAME}",
    )  # fmt: skip
    def acknowledge(path: AlertPath, body: StepBody) -> Response:
        who, version = _caller(), body.version
        return _answer(alerts.acknowledge(who, path.alert_id, version=version), clock)

    @api.post(
        f"{at}/unshelve", responses=answers, summary="Take from the shelf (Operator)",
        description=f"It is in sight again before its time. {SAME}",
    )  # fmt: skip
    def unshelve(path: AlertPath, body: StepBody) -> Response:
        who, version = _caller(), body.version
        return _answer(alerts.unshelve(who, path.alert_id, version=version), clock)

    @api.post(
        f"{at}/reopen", responses=answers, summary="Reopen (Operator)",
        description=f"409 when a newer alert of its rule and subject is open. {SAME}",
    )  # fmt: skip
    def reopen(path: AlertPath, body: StepBody) -> Response:
        who, version = _caller(), body.version
        return _answer(alerts.reopen(who, path.alert_id, version=version), clock)


def _register_forms(
    api: APIBlueprint, alerts: Alerts, clock: Callable[[], datetime]
) -> None:
    """The steps that say something."""
    answers: ResponseDict = {"200": AlertAnswer}
    at = "/alerts/<int:alert_id>"

    @api.post(f"{at}/assign", responses=answers, summary="Give it to (Operator)")
    def assign(path: AlertPath, body: AssignBody) -> Response:
        who, version = _caller(), body.version
        done = alerts.assign(who, path.alert_id, body.owner, version=version)
        return _answer(done, clock)

    @api.post(f"{at}/comment", responses=answers, summary="Comment (Operator)")
    def comment(path: AlertPath, body: CommentBody) -> Response:
        who, version = _caller(), body.version
        done = alerts.comment(who, path.alert_id, body.text, version=version)
        return _answer(done, clock)

    @api.post(f"{at}/shelve", responses=answers, summary="Put away (Operator)")
    def shelve(path: AlertPath, body: ShelveBody) -> Response:
        who, until, why = _caller(), body.until, body.reason
        done = alerts.shelve(who, path.alert_id, until, why, version=body.version)
        return _answer(done, clock)

    @api.post(f"{at}/resolve", responses=answers, summary="Resolve (Operator)")
    def resolve(path: AlertPath, body: ResolveBody) -> Response:
        who, note, said = _caller(), body.note, body.verdict
        done = alerts.resolve(who, path.alert_id, note, said, version=body.version)
        return _answer(done, clock)


def _before(cursor: str | None) -> tuple[datetime, int] | None:
    if cursor is None:
        return None
    at, last = paging.read(cursor, str, int)
    try:
        moment = datetime.fromisoformat(str(at))
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or not 0 < int(last) <= MOST_ID:
        raise InvalidInput("cursor is not one that this list has given.")
    return moment, int(last)


def _told(alert: Alert, now: datetime) -> dict[str, Any]:
    kept = {k: v for k, v in asdict(alert).items() if k in AlertAnswer.model_fields}
    return kept | {"state": state_of(alert, now)}


def _answer(alert: Alert, clock: Callable[[], datetime]) -> Response:
    answer = AlertAnswer(**_told(alert, clock()))
    return jsonify(answer.model_dump(mode="json"))


def _event(event: AlertEvent) -> AlertEventAnswer:
    kept = asdict(event)
    kept.pop("alert_id")
    return AlertEventAnswer(**kept)


def _caller() -> Principal:
    principal: Principal = g.principal
    return principal
