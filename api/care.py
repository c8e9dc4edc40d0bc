"""Ledger, weekly plan, maintenance and codes of a device over REST."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import Response, g, jsonify
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from flask_openapi3.types import ResponseDict
from pydantic import BaseModel, ConfigDict, Field

from api import paging
from api.paging import Page
from data.maintenance_store import MAINTENANCE_KINDS, Service
from data.plan_store import Plan, PlanEntry
from data.records import DEVICE_ID_PATTERN
from services import windows
from services.access import Principal
from services.care import Care
from services.errors import InvalidInput
from services.maintenance import BY_LENGTH, NOTE_LENGTH, Entry
from services.windows import DEFAULT_FROM, DEFAULT_TO
from settings import Settings

TAG = Tag(name="care", description="Ledger, plans, maintenance and diagnostic codes")
ONE = "/devices/<device_id>"
UTC_ZONE = ZoneInfo("UTC")


class DevicePath(BaseModel):
    """Which device."""

    device_id: str = Field(pattern=DEVICE_ID_PATTERN)


class NewEntry(BaseModel):
    """What was done to a device."""

    model_config = ConfigDict(extra="forbid")

    kind: str = Field(description=f"One of {', '.join(MAINTENANCE_KINDS)}")
    done_on: date
    note: str = Field("", max_length=NOTE_LENGTH)
    by: str = Field("", max_length=BY_LENGTH, description="Empty: the caller")
    next_on: date | None = None


class EntryAnswer(BaseModel):
    """One entry of the maintenance log."""

    id: int
    kind: str
    done_on: date
    note: str
    by: str
    next_on: date | None
    recorded_at: datetime


class DueAnswer(BaseModel):
    """A kind of work that is due again; ``days`` is negative when overdue."""

    kind: str
    on: date
    days: int


class EntriesAnswer(BaseModel):
    """One page of the log, newest work first, and what is due, soonest first."""

    items: list[EntryAnswer]
    due: list[DueAnswer]
    next_cursor: str | None


class Range(BaseModel):
    """Which range; ISO times, or ``now-7d``, ``now``."""

    from_: str = Field(DEFAULT_FROM, alias="from", max_length=64)
    to: str = Field(DEFAULT_TO, max_length=64)


class PlanEntryBody(BaseModel):
    """Days (0 = Monday), local time, target and mode."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    days: list[int] = Field(max_length=7)
    time: str = Field(max_length=5, description="HH:MM")
    target_temperature_c: float
    mode: str | None = None


class PlanBody(BaseModel):
    """A weekly plan, and the version it was read at (0 = there was none)."""

    model_config = ConfigDict(extra="forbid")

    zone: str = Field(max_length=64, description="IANA name of the times' zone")
    enabled: bool = True
    entries: list[PlanEntryBody]
    version: int = Field(ge=0, description="409 when the plan has changed since")
    confirmed: bool = Field(False, description="Answers what the safety rules ask")


def blueprint(care: Care, settings: Settings) -> APIBlueprint:
    """The routes of care under ``/api/v1``."""
    api = APIBlueprint("care", __name__, url_prefix="/api/v1", abp_tags=[TAG])
    _register_maintenance(api, care, settings.max_page)
    _register_plan(api, care)
    _register_known(api, care, settings.max_window_days)
    return api


def _register_maintenance(api: APIBlueprint, care: Care, most: int) -> None:
    pages: ResponseDict = {"200": EntriesAnswer}
    made: ResponseDict = {"201": EntryAnswer}

    @api.get(f"{ONE}/maintenance", responses=pages, summary="The maintenance log")
    def read_log(path: DevicePath, query: Page) -> Response:
        view = care.maintenance.of(
            _caller(),
            path.device_id,
            UTC_ZONE,
            before=_before(query.cursor) if query.cursor else None,
            limit=paging.checked(query.limit, most),
        )
        last = view.entries[-1] if view.entries else None
        cursor = None
        if view.more and last is not None:
            cursor = paging.written(last.done_on.isoformat(), last.id)
        answer = EntriesAnswer(
            items=[_entry(entry) for entry in view.entries],
            due=[DueAnswer(**asdict(due)) for due in view.due],
            next_cursor=cursor,
        )
        return jsonify(answer.model_dump(mode="json"))

    @api.post(f"{ONE}/maintenance", responses=made, summary="Write an entry (Operator)")
    def write(path: DevicePath, body: NewEntry) -> tuple[Response, int]:
        entry = care.maintenance.add(
            _caller(), path.device_id, Entry(**body.model_dump())
        )
        return jsonify(_entry(entry).model_dump(mode="json")), 201


def _register_plan(api: APIBlueprint, care: Care) -> None:
    @api.get(f"{ONE}/plan", summary="The weekly set-point plan")
    def read_plan(path: DevicePath) -> Response:
        return jsonify(_plan(care.plans.of(_caller(), path.device_id).plan))

    @api.put(
        f"{ONE}/plan",
        summary="Replace the weekly set-point plan (Operator)",
        description="428 when a safety rule asks first: send confirmed=true to answer.",
    )
    def write_plan(path: DevicePath, body: PlanBody) -> Response:
        entries = [
            PlanEntry(tuple(e.days), e.time, e.target_temperature_c, e.mode)
            for e in body.entries
        ]
        plan = care.plans.save(
            _caller(),
            path.device_id,
            entries,
            body.zone,
            enabled=body.enabled,
            version=body.version,
            confirmed=body.confirmed,
        )
        return jsonify(_plan(plan))


def _register_known(api: APIBlueprint, care: Care, most_days: int) -> None:
    @api.get(
        f"{ONE}/ledger",
        summary="The Legionella and scald ledger",
        description="A risk index from one sensor; it does not show that water is free "
        "of germs.",
    )
    def read_ledger(path: DevicePath, query: Range) -> Response:
        view = care.ledger.of(_caller(), path.device_id)
        window = windows.parse(query.from_, query.to, view.now, UTC_ZONE, most_days)
        span = care.ledger.span(_caller(), path.device_id, window.start, window.end)
        told = {
            name: _plain(getattr(view, name))
            for name in (
                "now", "verdict", "hot_hour_at", "still_s", "temperature_c", "inlet_c"
            )
        }  # fmt: skip
        return jsonify(
            **told,
            reasons=[asdict(reason) for reason in view.reasons],
            usable_l_at_40_c=asdict(view.usable),
            recovery_min=asdict(view.recovery),
            range=_plain(asdict(span)),
        )

    @api.get(f"{ONE}/codes", summary="Diagnostic codes, now and of the last 30 days")
    def read_codes(path: DevicePath) -> Response:
        view = care.codes.of(_caller(), path.device_id)
        items = [
            _plain({**asdict(r.count), "known": r.known and asdict(r.known)})
            for r in view.reported
        ]
        return jsonify(
            present=view.present,
            present_at=_plain(view.present_at),
            known=view.known and asdict(view.known),
            items=items,
        )


def _plain(value: Any) -> Any:
    """Times as ISO text; Flask would write them as HTTP dates."""
    if isinstance(value, dict):
        return {key: _plain(held) for key, held in value.items()}
    return value.isoformat() if isinstance(value, datetime | date) else value


def _entry(entry: Service) -> EntryAnswer:
    return EntryAnswer(**{k: v for k, v in asdict(entry).items() if k != "device_id"})


def _plan(plan: Plan | None) -> dict[str, Any]:
    if plan is None:
        return {"version": 0, "enabled": False, "zone": "UTC", "entries": []}
    found = _plain(asdict(plan))
    del found["device_id"]
    found["entries"] = [asdict(entry) for entry in plan.entries]
    return dict(found)


def _before(cursor: str) -> tuple[date, int]:
    day, last = paging.read(cursor, str, int)
    try:
        return date.fromisoformat(str(day)), int(last)
    except ValueError as error:
        raise InvalidInput("cursor is not one that this list has given.") from error


def _caller() -> Principal:
    principal: Principal = g.principal
    return principal
