"""Secrets of devices over REST: issue or rotate, revoke."""

from __future__ import annotations

from flask import Response, g, jsonify
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.types import ResponseDict
from pydantic import BaseModel, Field

from api.devices import TAG, DevicePath
from services.access import Principal
from services.credentials import Credentials

ONE = "/devices/<device_id>/credential"


class SecretAnswer(BaseModel):
    """A device's new secret: it is told this once, and the one before is void."""

    device_id: str = Field(description="The user name of HTTP Basic and of MQTT")
    secret: str = Field(description="The password of both")


def blueprint(credentials: Credentials) -> APIBlueprint:
    """The route ``/api/v1/devices/<device_id>/credential``."""
    api = APIBlueprint("credentials", __name__, url_prefix="/api/v1", abp_tags=[TAG])
    made: ResponseDict = {"201": SecretAnswer}
    gone: ResponseDict = {"204": None}

    @api.post(ONE, responses=made, summary="Issue or rotate a device's secret (Admin)")
    def issue(path: DevicePath) -> tuple[Response, int]:
        secret = credentials.issue(_caller(), path.device_id)
        answer = SecretAnswer(device_id=path.device_id, secret=secret)
        return jsonify(answer.model_dump()), 201

    @api.delete(ONE, responses=gone, summary="Revoke a device's secret (Admin)")
    def revoke(path: DevicePath) -> tuple[str, int]:
        credentials.revoke(_caller(), path.device_id)
        return "", 204

    return api


def _caller() -> Principal:
    principal: Principal = g.principal
    return principal
