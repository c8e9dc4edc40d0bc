"""The fleet over REST: the list of the Fleet tab, page by page."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Response, g, jsonify
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from flask_openapi3.types import ResponseDict
from pydantic import BaseModel, Field

from api import paging
from api.paging import Page
from data.records import LatestValue
from services.access import Principal
from services.errors import InvalidInput
from services.fleet import SORTS, STATES, Fleet, FleetQuery, FleetView
from services.fleet_rows import FleetRow
from services.health import HealthView
from settings import Settings

TAG = Tag(name="fleet", description="All heaters together, worst first")
MOST_PAGES = 1_000_000


class FleetPage(Page):
    """Which heaters, in which order."""

    state: str = Field("all", description=f"One of {', '.join(STATES)}")
    q: str = Field("", max_length=120, description="Words that must all occur")
    make: str = Field("", max_length=80)
    type: str = Field("", max_length=16)
    site: str = Field("", max_length=80, description="Name of the building")
    sort: str = Field(
        "worst", description=f"One of {', '.join(SORTS)}; '-' before it turns it round"
    )


class ReasonAnswer(BaseModel):
    """Why a health score is not 100."""

    code: str
    points: int
    severity: str
    sentence: str


class HealthAnswer(BaseModel):
    """Score 0 to 100, ``null`` when the verdict is "cannot tell"."""

    score: int | None
    verdict: str
    reasons: list[ReasonAnswer]


class HeaterAnswer(BaseModel):
    """One heater now; ``null`` where nothing is known. Times are UTC."""

    device_id: str
    name: str
    serial: str | None
    building: str | None
    place: str
    manufacturer: str | None
    model: str | None
    type: str | None
    simulated: bool
    life_cycle: str
    connectivity: str
    last_seen: datetime | None
    temperature_c: float | None
    temperature_ts: datetime | None
    target_temperature_c: float | None
    target_temperature_ts: datetime | None
    mode: str | None
    status: str = Field(description="heating, standby, off or unknown")
    health: HealthAnswer
    flagged: bool = Field(description="A value of the last 24 h is not trusted")
    attention: bool = Field(description="It needs somebody now")
    energy_kwh: float | None = Field(description="Used in the last 24 h")
    hourly_temperature_c: list[float | None] = Field(
        description="Hourly means of the last 24 h, null for a gap"
    )


class FleetAnswer(BaseModel):
    """One page of heaters, and how many are in each state in the whole fleet."""

    items: list[HeaterAnswer]
    next_cursor: str | None
    found: int
    counts: dict[str, int]
    as_of: datetime


def blueprint(fleet: Fleet, settings: Settings) -> APIBlueprint:
    """The routes of the fleet under ``/api/v1``."""
    api = APIBlueprint("fleet", __name__, url_prefix="/api/v1", abp_tags=[TAG])
    answers: ResponseDict = {"200": FleetAnswer}

    @api.get("/fleet", responses=answers, summary="The heaters, worst first")
    def read(query: FleetPage) -> Response:
        caller: Principal = g.principal
        asked = _query(query, settings.max_page)
        view = fleet.page(caller, asked)
        if asked.page > view.pages:
            # The list has become shorter: its last page was read already.
            return jsonify(_answer(view, (), last=True).model_dump(mode="json"))
        last = view.query.page >= view.pages
        return jsonify(_answer(view, view.rows, last=last).model_dump(mode="json"))

    return api


def _query(query: FleetPage, most: int) -> FleetQuery:
    page, size = 1, paging.checked(query.limit, most)
    if query.cursor is not None:
        page, size = (int(n) for n in paging.read(query.cursor, int, int))
        if not (1 <= page <= MOST_PAGES and 1 <= size <= most):
            raise InvalidInput("cursor is not one that this list has given.")
    return FleetQuery(
        state=query.state,
        text=query.q,
        make=query.make,
        type=query.type,
        site=query.site,
        sort=query.sort.removeprefix("-"),
        descending=query.sort.startswith("-"),
        page=page,
        page_size=size,
    )


def _answer(view: FleetView, rows: tuple[FleetRow, ...], *, last: bool) -> FleetAnswer:
    query = view.query
    after = None if last else paging.written(query.page + 1, query.page_size)
    return FleetAnswer(
        items=[_heater(row) for row in rows],
        next_cursor=after,
        found=view.found,
        counts=dict(view.counts),
        as_of=view.as_of,
    )


def _heater(row: FleetRow) -> HeaterAnswer:
    return HeaterAnswer(
        device_id=row.device_id,
        name=row.name,
        serial=row.serial,
        building=row.building,
        place=row.place,
        manufacturer=row.make,
        model=row.model,
        type=row.type,
        simulated=row.simulated,
        life_cycle=row.life_cycle,
        connectivity=row.connectivity,
        last_seen=row.last_seen,
        **_value("temperature", row.temperature_c),
        **_value("target_temperature", row.target_c),
        mode=str(row.mode.value) if row.mode else None,
        status=row.heating,
        health=_health(row.health),
        flagged=row.flagged,
        attention=row.attention,
        energy_kwh=row.energy_kwh,
        hourly_temperature_c=list(row.hourly_c),
    )


def _value(name: str, value: LatestValue | None) -> dict[str, Any]:
    number = float(value.value) if value else None
    return {f"{name}_c": number, f"{name}_ts": value.ts if value else None}


def _health(health: HealthView) -> HealthAnswer:
    reasons = [
        ReasonAnswer(
            code=r.code, points=r.points, severity=r.severity, sentence=r.sentence
        )
        for r in health.reasons
    ]
    return HealthAnswer(score=health.score, verdict=health.verdict, reasons=reasons)
