"""Readings over REST: sending batches, reading series, exporting what is drawn."""

from __future__ import annotations

from typing import Literal

from flask import Response, g, jsonify
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from flask_openapi3.types import ResponseDict
from pydantic import BaseModel, ConfigDict, Field, field_validator

from data.records import DEVICE_ID_PATTERN, METRICS
from services.access import Principal
from services.batches import frame_of
from services.exports import MIMETYPE, csv_bytes
from services.history import History
from services.history_drawn import PARTS, table
from services.series import Item, SeriesQuery
from services.telemetry import Receipt, Telemetry
from services.units import Preferences
from settings import Settings

TAG = Tag(name="telemetry", description="Readings of water heaters, in and out")
PATH = "/devices/<device_id>/telemetry"
RANGE_HELP = "ISO time, or now, now-24h, now-7d, now/d; in your time zone"


class Batch(BaseModel):
    """Readings to store. A reading that cannot be taken is refused by itself."""

    model_config = ConfigDict(extra="forbid")

    readings: list[dict[str, str | float | bool | None]] = Field(
        description=(
            "One object each: device_id, ts (ISO time, UTC unless it says otherwise, "
            f"or seconds since 1970), any of {', '.join(METRICS)}, mode, heating, "
            "error_code"
        ),
        examples=[
            [
                {
                    "device_id": "wh-0001",
                    "ts": "2026-03-10T12:00:00Z",
                    "temperature_c": 55.2,
                }
            ]
        ],
    )


class RejectionAnswer(BaseModel):
    """A reading that was not taken: its place in the batch, from 0, and why."""

    row: int
    reason: str


class ReceiptAnswer(BaseModel):
    """What became of a batch; every reading taken is on disk."""

    read: int
    taken: int
    flagged: int
    duplicates: int
    rejected: list[RejectionAnswer]
    devices: list[str]
    first_ts: str | None
    last_ts: str | None


class DevicePath(BaseModel):
    """Which device."""

    device_id: str = Field(pattern=DEVICE_ID_PATTERN)


class RangeQuery(BaseModel):
    """Which time range; without it the last seven days."""

    start: str | None = Field(None, alias="from", description=RANGE_HELP)
    end: str | None = Field(None, alias="to", description=RANGE_HELP)


class TelemetryQuery(RangeQuery):
    """Which readings, and how fine."""

    resolution: Literal["auto", "raw", "15m", "1h"] = "auto"
    metrics: str | None = Field(
        None, description=f"Comma-separated, out of {', '.join(METRICS)}; default all"
    )
    flagged: Literal["0", "1"] = Field(
        "0", description="1: raw readings with the values that are not trusted"
    )


class ExportQuery(RangeQuery):
    """Which rows of the History tab."""

    part: str = Field("readings", description=" or ".join(PARTS))
    compare: Literal["previous"] | None = None

    @field_validator("part")
    @classmethod
    def _known(cls, part: str) -> str:
        if part not in PARTS:
            raise ValueError(f"must be {' or '.join(PARTS)}")
        return part


class TelemetryAnswer(BaseModel):
    """Items oldest first in °C, bar, L/min, W, kWh, V and UTC.

    With buckets a metric is the mean of the bucket, ``_min`` and ``_max`` its
    extremes and ``n`` its readings; of targets and meters it is the last value.
    """

    items: list[Item]
    resolution: str = Field(description="raw, 15m, 1h, or a coarser one that fits")
    flagged: int = Field(description="Readings with a value that is not trusted")


def blueprint(
    telemetry: Telemetry, history: History, settings: Settings
) -> APIBlueprint:
    """The routes of readings under ``/api/v1``."""
    api = APIBlueprint("telemetry", __name__, url_prefix="/api/v1", abp_tags=[TAG])
    _register_sending(api, telemetry, settings.max_batch_rows)
    _register_reading(api, history)
    _register_export(api, history)
    return api


def _register_sending(api: APIBlueprint, telemetry: Telemetry, most: int) -> None:
    receipts: ResponseDict = {"200": ReceiptAnswer}

    @api.post("/telemetry", responses=receipts, summary="Send readings")
    def send(body: Batch) -> Response:
        frame = frame_of(body.readings, most)
        return jsonify(_receipt(telemetry.accept(_caller(), frame)).model_dump())


def _register_reading(api: APIBlueprint, history: History) -> None:
    answers: ResponseDict = {"200": TelemetryAnswer}

    @api.get(PATH, responses=answers, summary="Read a device's readings")
    def read(path: DevicePath, query: TelemetryQuery) -> Response:
        asked = SeriesQuery(
            text_from=query.start,
            text_to=query.end,
            zone=_preferences().zone,
            resolution=query.resolution,
            metrics=_metrics(query.metrics),
            flagged=query.flagged == "1",
        )
        view = history.series(_caller(), path.device_id, asked)
        return jsonify(
            items=[_dated(item) for item in view.items],
            resolution=view.resolution,
            flagged=view.flagged,
        )


def _register_export(api: APIBlueprint, history: History) -> None:
    @api.get(f"{PATH}.csv", summary="Export the rows the History tab draws")
    def export(path: DevicePath, query: ExportQuery) -> Response:
        prefs = _preferences()
        view = history.export(
            _caller(),
            path.device_id,
            query.start,
            query.end,
            prefs.zone,
            compare=query.compare == "previous",
        )
        rows = table(view, query.part, prefs)
        response = Response(csv_bytes(rows), content_type=MIMETYPE)
        response.headers.set("Content-Disposition", "attachment", filename=rows.name)
        return response


def _caller() -> Principal:
    principal: Principal = g.principal
    return principal


def _preferences() -> Preferences:
    return Preferences.of(g.get("preferences") or {})


def _metrics(text: str | None) -> tuple[str, ...]:
    if text is None:
        return METRICS
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _dated(item: Item) -> Item:
    return {**item, "ts": item["ts"].isoformat().replace("+00:00", "Z")}


def _receipt(receipt: Receipt) -> ReceiptAnswer:
    first, last = receipt.first_ts, receipt.last_ts
    return ReceiptAnswer(
        read=receipt.read,
        taken=receipt.taken,
        flagged=receipt.flagged,
        duplicates=receipt.duplicates,
        rejected=[
            RejectionAnswer(row=r.row, reason=r.reason) for r in receipt.rejected
        ],
        devices=list(receipt.devices),
        first_ts=first.isoformat() if first else None,
        last_ts=last.isoformat() if last else None,
    )
