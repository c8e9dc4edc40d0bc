"""Routes of alerts and what was sent, over REST: for administrators."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from flask import Response, g, jsonify
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from flask_openapi3.types import ResponseDict
from pydantic import BaseModel, ConfigDict, Field

from api import paging
from api.paging import Page
from data.outbox_store import STATES
from services.access import Principal
from services.notifications import Delivery, Notifications
from services.notify_routes import RouteDraft, RouteView, Saved, shown_target
from services.notify_spec import KINDS
from settings import Settings

TAG = Tag(name="alert routes", description="To whom alerts are told, what was sent")
ALL = "/alert-routes"
ONE = "/alert-routes/<int:route_id>"
SENT = "/deliveries"


class RoutePath(BaseModel):
    """Which route."""

    route_id: int = Field(ge=1, le=2**31 - 1)


class DeliveryPath(BaseModel):
    """Which delivery."""

    delivery_id: int = Field(ge=1, le=2**53)


class RouteBody(BaseModel):
    """A route; ``spec`` has the fields that the answers show."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(max_length=200)
    kind: str = Field(max_length=20, description=f"One of {', '.join(KINDS)}")
    enabled: bool = True
    spec: dict[str, Any] = Field(
        description="targets, sources, severities, device_ids, buildings, "
        "device_types, model_names, model_tags, quiet {start, end, zone, days}, "
        "digest_minutes, recovery, critical_at_once; all but targets may be left out"
    )


class ChangedBody(RouteBody):
    """A route as it shall be, and the revision it was read at."""

    revision: int = Field(ge=1, description="409 when the route has changed since")
    new_secret: bool = Field(False, description="A webhook's old secret is then void")


class Revision(BaseModel):
    """The revision a route was read at."""

    revision: int = Field(ge=1)


class RouteAnswer(BaseModel):
    """A route. ``secret`` signs a webhook; it is told once, when it is made."""

    id: int
    name: str
    kind: str
    enabled: bool
    spec: dict[str, Any]
    revision: int
    updated_by: str
    updated_at: datetime
    secret: str | None = None


class TestedAnswer(BaseModel):
    """What became of the test message to one target."""

    target: str
    ok: bool
    answer: str


class DeliveryPage(Page):
    """Which page of which deliveries."""

    state: str | None = Field(
        None, max_length=20, description=f"One of {', '.join(STATES)}; else all"
    )


def blueprint(notifications: Notifications, settings: Settings) -> APIBlueprint:
    """The routes of notifications under ``/api/v1``."""
    api = APIBlueprint("alert_routes", __name__, url_prefix="/api/v1", abp_tags=[TAG])
    _register_routes(api, notifications)
    _register_one(api, notifications)
    _register_deliveries(api, notifications, settings.max_page)
    return api


def _register_routes(api: APIBlueprint, notifications: Notifications) -> None:
    made: ResponseDict = {"201": RouteAnswer}

    @api.get(ALL, summary="To whom alerts are told (Admin)")
    def read_routes() -> Response:
        routes = notifications.routes.list(_caller())
        items = [_route(route).model_dump(mode="json") for route in routes]
        return jsonify(items=items, next_cursor=None)

    @api.post(ALL, responses=made, summary="Add a route (Admin)")
    def add_route(body: RouteBody) -> tuple[Response, int]:
        saved = notifications.routes.save(_caller(), _draft(body))
        return jsonify(_saved(saved)), 201


def _register_one(api: APIBlueprint, notifications: Notifications) -> None:
    one: ResponseDict = {"200": RouteAnswer}
    gone: ResponseDict = {"204": None}

    @api.get(ONE, responses=one, summary="One route (Admin)")
    def read_route(path: RoutePath) -> Response:
        route = notifications.routes.get(_caller(), path.route_id)
        return jsonify(_route(route).model_dump(mode="json"))

    @api.put(ONE, responses=one, summary="Replace a route (Admin)")
    def change_route(path: RoutePath, body: ChangedBody) -> Response:
        saved = notifications.routes.save(
            _caller(),
            _draft(body),
            path.route_id,
            body.revision,
            new_secret=body.new_secret,
        )
        return jsonify(_saved(saved))

    @api.delete(ONE, responses=gone, summary="Remove a route (Admin)")
    def remove_route(path: RoutePath, query: Revision) -> tuple[str, int]:
        notifications.routes.remove(_caller(), path.route_id, query.revision)
        return "", 204

    @api.post(f"{ONE}/test", summary="Send a test message now (Admin)")
    def try_route(path: RoutePath) -> Response:
        results = notifications.routes.test(_caller(), path.route_id)
        items = [TestedAnswer(**asdict(result)).model_dump() for result in results]
        return jsonify(items=items)


def _register_deliveries(
    api: APIBlueprint, notifications: Notifications, most: int
) -> None:
    @api.get(SENT, summary="What was sent, newest first (Admin)")
    def read_deliveries(query: DeliveryPage) -> Response:
        limit = paging.checked(query.limit, most)
        before = None
        if query.cursor:
            before = int(paging.read(query.cursor, int)[0])
        found = notifications.deliveries(_caller(), query.state, before, limit + 1)
        shown = found[:limit]
        more = len(found) > limit
        cursor = paging.written(shown[-1].parcel.id) if more else None
        return jsonify(items=[_delivery(row) for row in shown], next_cursor=cursor)

    @api.post(f"{SENT}/<int:delivery_id>/retry", summary="Send it again (Admin)")
    def retry(path: DeliveryPath) -> tuple[str, int]:
        notifications.retry(_caller(), path.delivery_id)
        return "", 204


def _draft(body: RouteBody) -> RouteDraft:
    return RouteDraft(body.name, body.kind, body.spec, body.enabled)


def _route(route: RouteView) -> RouteAnswer:
    fields = {name: getattr(route, name) for name in _SAME}
    return RouteAnswer(**fields, spec=route.spec.as_dict())


_SAME = ("id", "name", "kind", "enabled", "revision", "updated_by", "updated_at")


def _saved(saved: Saved) -> Mapping[str, Any]:
    answer = _route(saved.route).model_copy(update={"secret": saved.secret})
    return answer.model_dump(mode="json")


def _delivery(row: Delivery) -> dict[str, Any]:
    parcel = row.parcel
    return {
        "id": parcel.id,
        "route_id": parcel.route_id,
        "route": row.route_name,
        "kind": parcel.kind,
        "target": shown_target(parcel.kind, parcel.target),
        "subject": parcel.subject,
        "state": parcel.state,
        "reason": parcel.reason,
        "made_at": parcel.made_at.isoformat(),
        "next_at": parcel.next_at.isoformat(),
        "ended_at": parcel.ended_at and parcel.ended_at.isoformat(),
        "report_id": parcel.report_id,
        "tries": [
            {
                "at": t.at.isoformat(),
                "ok": t.ok,
                "answer": t.answer,
                "took_ms": t.took_ms,
            }
            for t in row.tries
        ],
    }


def _caller() -> Principal:
    principal: Principal = g.principal
    return principal
