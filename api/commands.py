"""Wishes and shadow over REST: ask a device for something, read what became of it."""

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
from api.devices import ONE, DevicePath
from api.paging import Page
from data.talk_records import WISH_KEYS, Command
from services.access import Principal
from services.control_views import ControlViews
from services.controls import Controls
from services.details import Details
from settings import Settings

TAG = Tag(name="commands", description="What is wished of a heater, and its answers")
VERSION_HELP = (
    "The shadow's version you have read: 409 when somebody wished something since"
)
CONFIRMED_HELP = "True: you know what the safety rule of a 428 answer says"
WISHES_HELP = (
    f"Values by key of {', '.join(WISH_KEYS)}: °C, a mode, true or false, ISO times "
    "with their zone; false ends what a time would end; null withdraws the wish"
)
EXAMPLE = {"target_temperature_c": 52.0, "away_until": None}


class Asked(BaseModel):
    """What a wish may be asked with."""

    model_config = ConfigDict(extra="forbid", strict=True)

    version: int | None = Field(None, ge=0, description=VERSION_HELP, examples=[17])
    confirmed: bool = Field(False, description=CONFIRMED_HELP)


class WishesBody(Asked):
    """Wishes: all are taken or none."""

    wishes: dict[str, Any] = Field(description=WISHES_HELP, examples=[EXAMPLE])


class DesiredBody(Asked):
    """The desired state to merge in: all of it is taken or none."""

    desired: dict[str, Any] = Field(description=WISHES_HELP, examples=[EXAMPLE])


class CommandAnswer(BaseModel):
    """One wish for one key, and what became of it; times are UTC."""

    id: int = Field(examples=[41])
    device_id: str = Field(examples=["wh-1"])
    key: str = Field(examples=["target_temperature_c"])
    value: Any = Field(examples=[52.0])
    version: int = Field(description="Its place in the shadow", examples=[18])
    state: str = Field(
        description="queued, sent, accepted; then applied, refused, timed_out, "
        "expired or superseded",
        examples=["queued"],
    )
    reason: str = Field(description="Why it ended so", examples=[""])
    tries: int = Field(description="How often it was sent", examples=[0])
    asked_by: str = Field(examples=["operator"])
    asked_at: datetime
    expires_at: datetime
    sent_at: datetime | None
    accepted_at: datetime | None
    ended_at: datetime | None
    job_id: int | None = Field(description="The bulk job it is part of")


class CommandsAnswer(BaseModel):
    """One page of a device's commands, newest first."""

    items: list[CommandAnswer]
    next_cursor: str | None


class TakenAnswer(BaseModel):
    """The commands of the wishes taken; a withdrawn wish makes none.

    They are on their way, not done: read them again to see what became of them.
    """

    items: list[CommandAnswer]
    version: int = Field(description="The shadow's, now", examples=[18])


class ShadowAnswer(BaseModel):
    """Reported and desired state; ``delta`` has the desired keys that differ."""

    device_id: str
    version: int
    reported: dict[str, Any]
    desired: dict[str, Any]
    delta: dict[str, Any]
    reported_at: dict[str, datetime]
    desired_at: dict[str, datetime]
    updated_at: datetime


def blueprint(
    controls: Controls, views: ControlViews, details: Details, settings: Settings
) -> APIBlueprint:
    """The routes of wishes under ``/api/v1``."""
    api = APIBlueprint("commands", __name__, url_prefix="/api/v1", abp_tags=[TAG])
    _register_commands(api, controls, views, settings.max_page)
    _register_shadow(api, controls, details)
    return api


def _register_commands(
    api: APIBlueprint, controls: Controls, views: ControlViews, most: int
) -> None:
    taken: ResponseDict = {"202": TakenAnswer}
    pages: ResponseDict = {"200": CommandsAnswer}

    @api.post(f"{ONE}/commands", responses=taken, summary="Wish something (Operator)")
    def ask(path: DevicePath, body: WishesBody) -> tuple[Response, int]:
        made = controls.ask(
            _caller(),
            path.device_id,
            body.wishes,
            version=body.version,
            confirmed=body.confirmed,
        )
        version = made[0].version if made else views.version(_caller(), path.device_id)
        items = [_command(command) for command in made]
        answer = TakenAnswer(items=items, version=version)
        return jsonify(answer.model_dump(mode="json")), 202

    @api.get(f"{ONE}/commands", responses=pages, summary="A device's commands")
    def log(path: DevicePath, query: Page) -> Response:
        before = int(paging.read(query.cursor, int)[0]) if query.cursor else None
        found, more = controls.log(
            _caller(),
            path.device_id,
            before=before,
            limit=paging.checked(query.limit, most),
        )
        answer = CommandsAnswer(
            items=[_command(command) for command in found],
            next_cursor=paging.written(found[-1].id) if more else None,
        )
        return jsonify(answer.model_dump(mode="json"))


def _register_shadow(api: APIBlueprint, controls: Controls, details: Details) -> None:
    shadows: ResponseDict = {"200": ShadowAnswer}

    # Here and not with the devices: of one path, one blueprint describes all methods.
    @api.get(f"{ONE}/shadow", responses=shadows, summary="A device's shadow")
    def shadow(path: DevicePath) -> Response:
        return _shadow(details, path.device_id)

    @api.patch(
        f"{ONE}/shadow", responses=shadows, summary="Merge desired state (Operator)"
    )
    def merge(path: DevicePath, body: DesiredBody) -> Response:
        controls.ask(
            _caller(),
            path.device_id,
            body.desired,
            version=body.version,
            confirmed=body.confirmed,
        )
        return _shadow(details, path.device_id)


def _shadow(details: Details, device_id: str) -> Response:
    held = details.shadow(_caller(), device_id)
    answer = ShadowAnswer(**asdict(held), delta=held.delta)
    return jsonify(answer.model_dump(mode="json"))


def _command(command: Command) -> CommandAnswer:
    return CommandAnswer(**asdict(command))


def _caller() -> Principal:
    principal: Principal = g.principal
    return principal
