"""Devices over REST: register, read, change; their events."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import UTC, date, datetime
from typing import Any

from flask import Response, g, jsonify
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from flask_openapi3.types import ResponseDict
from pydantic import BaseModel, ConfigDict, Field

from api import paging
from api.paging import Page
from data.records import DEVICE_ID_PATTERN, EVENT_CATEGORIES, Band, Device
from services.access import Principal, requires
from services.details import Details
from services.devices import Devices
from services.errors import Conflict, InvalidInput
from settings import Settings

TAG = Tag(name="devices", description="Water heaters as registered")
ONE = "/devices/<device_id>"


class BandBody(BaseModel):
    """Scale, healthy band and alarm limits of one metric, in its stored unit."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    low: float
    high: float
    normal_low: float | None = None
    normal_high: float | None = None
    alarm_low: float | None = None
    alarm_high: float | None = None


class Facts(BaseModel):
    """What may be said of a device; ``null`` means: nobody has said."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    manufacturer: str | None = None
    model: str | None = None
    serial: str | None = None
    type: str | None = Field(None, description="electric, heat_pump, gas or tankless")
    capacity_l: float | None = None
    rated_power_w: float | None = None
    building: str | None = None
    floor: str | None = None
    room: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    installed_on: date | None = None
    warranty_until: date | None = None
    firmware: str | None = None
    modes: list[str] = Field(default_factory=list)
    setpoint_min_c: float | None = None
    setpoint_max_c: float | None = None
    reporting_interval_s: int = 60
    bands: dict[str, BandBody] = Field(default_factory=dict)
    mixing_valve: bool | None = None


class NewDevice(Facts):
    """A device to register; it waits as ``pending`` unless it says otherwise."""

    id: str = Field(pattern=DEVICE_ID_PATTERN)
    name: str
    life_cycle: str = Field("pending", description="pending or active")


class Change(Facts):
    """The facts to change, and the version they were read at.

    ``life_cycle`` is changed on its own: active, inactive or removed.
    """

    name: str | None = None
    life_cycle: str | None = None
    version: int = Field(ge=1, description="409 when the device has changed since")


class DeviceAnswer(Facts):
    """A device as registered."""

    id: str
    name: str
    simulated: bool
    life_cycle: str
    version: int


class DevicesAnswer(BaseModel):
    """One page of devices, by id."""

    items: list[DeviceAnswer]
    next_cursor: str | None


class DevicePath(BaseModel):
    """Which device."""

    device_id: str = Field(pattern=DEVICE_ID_PATTERN)


class EventPage(Page):
    """Which events."""

    category: str = Field("", description=f"One of {', '.join(EVENT_CATEGORIES)}")


class EventAnswer(BaseModel):
    """Something that happened to a device."""

    id: int | None
    ts: datetime
    category: str
    severity: str
    message: str
    actor: str


class EventsAnswer(BaseModel):
    """One page of an event log, newest first."""

    items: list[EventAnswer]
    next_cursor: str | None


def blueprint(devices: Devices, details: Details, settings: Settings) -> APIBlueprint:
    """The routes of devices under ``/api/v1``."""
    api = APIBlueprint("devices", __name__, url_prefix="/api/v1", abp_tags=[TAG])
    _register_list(api, devices, settings.max_page)
    _register_one(api, devices)
    _register_known(api, details, settings.max_page)
    return api


def _register_list(api: APIBlueprint, devices: Devices, most: int) -> None:
    pages: ResponseDict = {"200": DevicesAnswer}
    made: ResponseDict = {"201": DeviceAnswer}

    @api.get("/devices", responses=pages, summary="The devices, by id")
    def read_all(query: Page) -> Response:
        limit = paging.checked(query.limit, most)
        after = paging.read(query.cursor, str)[0] if query.cursor else ""
        found, more = devices.page(_caller(), str(after), limit)
        answer = DevicesAnswer(
            items=[_device(device) for device in found],
            next_cursor=paging.written(found[-1].id) if more else None,
        )
        return jsonify(answer.model_dump(mode="json"))

    @api.post("/devices", responses=made, summary="Register a device (Admin)")
    def register(body: NewDevice) -> tuple[Response, int]:
        if body.life_cycle not in {"pending", "active"}:
            raise InvalidInput("A device is registered as pending or active.")
        device = Device(**_facts(body.model_dump()))
        made = devices.register(_caller(), device)
        return jsonify(_device(made).model_dump(mode="json")), 201


def _register_one(api: APIBlueprint, devices: Devices) -> None:
    answers: ResponseDict = {"200": DeviceAnswer}

    @api.get(ONE, responses=answers, summary="A device")
    def read_one(path: DevicePath) -> Response:
        device = devices.get(_caller(), path.device_id)
        return jsonify(_device(device).model_dump(mode="json"))

    @api.patch(ONE, responses=answers, summary="Change a device (Admin)")
    def change(path: DevicePath, body: Change) -> Response:
        device = _changed(devices, path.device_id, body)
        return jsonify(_device(device).model_dump(mode="json"))


def _register_known(api: APIBlueprint, details: Details, most: int) -> None:
    logs: ResponseDict = {"200": EventsAnswer}

    @api.get(f"{ONE}/events", responses=logs, summary="A device's event log")
    def events(path: DevicePath, query: EventPage) -> Response:
        found, more = details.events(
            _caller(),
            path.device_id,
            category=query.category,
            before=_before(query.cursor) if query.cursor else None,
            limit=paging.checked(query.limit, most),
        )
        after = None
        if more:
            after = paging.written(found[-1].ts.isoformat(), found[-1].id or 0)
        items = [
            EventAnswer(**{k: v for k, v in asdict(event).items() if k != "device_id"})
            for event in found
        ]
        answer = EventsAnswer(items=items, next_cursor=after)
        return jsonify(answer.model_dump(mode="json"))


def _changed(devices: Devices, device_id: str, body: Change) -> Device:
    requires(_caller(), "device.admin")
    held = devices.get(_caller(), device_id)
    sent = body.model_dump(exclude_unset=True)
    version = sent.pop("version")
    life = sent.pop("life_cycle", None)
    if life is not None and sent:
        raise InvalidInput("life_cycle is changed on its own, without other facts.")
    if life is not None:
        if held.version != version:
            raise Conflict(f"{held.name} was changed by somebody else; load it again.")
        return devices.set_life_cycle(_caller(), device_id, life)
    if sent.get("name", "") is None:
        raise InvalidInput("The name must not be empty.")
    return devices.update(_caller(), replace(held, **_facts(sent), version=version))


def _facts(sent: dict[str, Any]) -> dict[str, Any]:
    """What a body says, as the fields of a record."""
    if "modes" in sent:
        sent["modes"] = tuple(sent["modes"])
    if "bands" in sent:
        sent["bands"] = {m: Band(**band) for m, band in sent["bands"].items()}
    return sent


def _device(device: Device) -> DeviceAnswer:
    return DeviceAnswer(**{**asdict(device), "modes": list(device.modes)})


def _before(cursor: str) -> tuple[datetime, int]:
    stamp, last = paging.read(cursor, str, int)
    try:
        when = datetime.fromisoformat(str(stamp)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidInput("cursor is not one that this list has given.") from error
    return when, int(last)


def _caller() -> Principal:
    principal: Principal = g.principal
    return principal
