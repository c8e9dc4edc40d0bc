"""The door of devices that have no broker: their own readings, messages and wishes."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from flask import Response, g, jsonify
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from flask_openapi3.types import ResponseDict
from pydantic import BaseModel, ConfigDict, Field

from api.telemetry import ReceiptAnswer
from data.records import METRICS
from services.access import Principal
from services.device_door import LONGEST_KEY, DeviceDoor
from settings import Settings

TAG = Tag(
    name="device",
    description=(
        "For heaters themselves: HTTP Basic with the device's id and its secret. "
        "The secret opens these routes only, and speaks for its own device only."
    ),
)
MOST_MESSAGES = 100


class Form(BaseModel):
    """A body whose fields are all known."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class OwnBatch(Form):
    """The device's own readings. One that cannot be taken is refused by itself."""

    readings: list[dict[str, str | float | bool | None]] = Field(
        description=(
            f"One object each: ts and any of {', '.join(METRICS)}, mode, heating, "
            "error_code; device_id may be left out"
        )
    )


class KeyHeader(BaseModel):
    """The key under which a repeated batch gets the same receipt for a week."""

    idempotency_key: str | None = Field(
        None, alias="Idempotency-Key", max_length=LONGEST_KEY
    )


class Message(Form):
    """What MQTT would carry: the end of a topic, and its payload."""

    topic: Literal["birth", "status", "reported", "cmd/ack"]
    payload: dict[str, Any] = Field(
        description=(
            "birth: session, capabilities; status: online, session; reported: state, "
            "version, session, seq, ts; cmd/ack: id, state (accepted, refused), reason"
        )
    )


class Messages(Form):
    """Messages in the order they happened; all are taken, or none."""

    messages: list[Message] = Field(
        min_length=1,
        max_length=MOST_MESSAGES,
        examples=[
            [
                {
                    "topic": "reported",
                    "payload": {"version": 7, "state": {"target_temperature_c": 52.0}},
                }
            ]
        ],
    )


class TakenAnswer(BaseModel):
    """How many messages were read, and how many reports came too late to count."""

    read: int
    stale: int


class CommandAnswer(BaseModel):
    """A command to carry out and to answer before it expires."""

    id: int
    version: int
    key: str
    value: Any
    expires_at: datetime


class DesiredAnswer(BaseModel):
    """What is wished of the device; a report names this version or a later one."""

    version: int
    state: dict[str, Any]
    commands: list[CommandAnswer]


def blueprint(door: DeviceDoor, settings: Settings) -> APIBlueprint:
    """The routes under ``/api/v1/device``."""
    api = APIBlueprint(
        "device_door", __name__, url_prefix="/api/v1/device", abp_tags=[TAG]
    )
    receipts: ResponseDict = {"200": ReceiptAnswer}
    taken: ResponseDict = {"200": TakenAnswer}
    wishes: ResponseDict = {"200": DesiredAnswer}

    @api.post("/telemetry", responses=receipts, summary="Send own readings")
    def send(header: KeyHeader, body: OwnBatch) -> Response:
        receipt = door.readings(
            _caller(), body.readings, settings.max_batch_rows, header.idempotency_key
        )
        return jsonify(ReceiptAnswer(**receipt).model_dump())

    @api.post("/messages", responses=taken, summary="Send birth, status, report, ack")
    def say(body: Messages) -> Response:
        said = [(one.topic, one.payload) for one in body.messages]
        stale = door.say(_caller(), said)
        return jsonify(TakenAnswer(read=len(said), stale=stale).model_dump())

    @api.get("/desired", responses=wishes, summary="Fetch wishes and open commands")
    def desired() -> Response:
        view = door.desired(_caller())
        answer = DesiredAnswer(
            version=view.version,
            state=dict(view.state),
            commands=[
                CommandAnswer(
                    id=c.id, version=c.version, key=c.key, value=c.value,
                    expires_at=c.expires_at,
                )
                for c in view.commands
            ],
        )  # fmt: skip
        return jsonify(answer.model_dump(mode="json"))

    return api


def _caller() -> Principal:
    principal: Principal = g.principal
    return principal
