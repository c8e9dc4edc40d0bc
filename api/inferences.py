"""Rows of monitored models over REST: predictions, labels and references."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa
from flask import Response, g, jsonify, request
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from flask_openapi3.types import ResponseDict
from pydantic import BaseModel, Field

from data.model_records import MODEL_NAME_PATTERN, VERSION_PATTERN
from services.access import Principal, requires
from services.deliveries import Receipt
from services.errors import InvalidInput
from services.inferences import Inferences
from services.model_json import SentRows, read_body
from services.models import Models
from settings import Settings

TAG = Tag(name="inferences", description="Predictions and labels of monitored models")
ONE = "/models/<name>"
LONGEST_KEY = 120
PLAIN_ID = "prediction_id"
BODIES = (
    'The body is `{"rows": [{...}, ...]}` as application/json, one object per line as '
    "application/x-ndjson, or Parquet as application/vnd.apache.parquet. Numbers may "
    'be the strings "inf", "-inf" and "nan".'
)
MOST_TOLD = 1_000


class ModelPath(BaseModel):
    """Which model."""

    name: str = Field(pattern=MODEL_NAME_PATTERN)


class VersionQuery(BaseModel):
    """Which version."""

    version: str = Field(
        "",
        pattern=f"^$|{VERSION_PATTERN}",
        description="Of rows that do not name theirs; default the champion",
    )


class RefusedAnswer(BaseModel):
    """A row that was not taken: its place in the batch, from 0, and why."""

    row: int
    reason: str


class ChangedAnswer(BaseModel):
    """A column that held something else than the schema says."""

    column: str
    expected: str
    found: str


class InferencesAnswer(BaseModel):
    """What became of predictions; every row taken is on disk."""

    read: int
    taken: int
    duplicates: int
    rejected: list[RefusedAnswer]
    unknown_columns: list[str]
    missing_columns: list[str]
    changed_types: list[ChangedAnswer]


class LabelsAnswer(BaseModel):
    """What became of labels; they may come before their prediction."""

    read: int
    taken: int
    duplicates: int
    rejected: list[RefusedAnswer]


class ReferenceAnswer(BaseModel):
    """The pinned reference."""

    rows: int
    labelled: int
    hash: str
    grid_id: str
    features: int
    notes: list[str]


def blueprint(
    models: Models, inferences: Inferences, settings: Settings
) -> APIBlueprint:
    """The routes of rows under ``/api/v1``."""
    api = APIBlueprint("inferences", __name__, url_prefix="/api/v1", abp_tags=[TAG])
    most = settings.max_batch_rows
    _register_inferences(api, models, inferences, most)
    _register_labels(api, models, inferences, most)
    _register_reference(api, models, inferences, most)
    return api


def _register_inferences(
    api: APIBlueprint, models: Models, inferences: Inferences, most: int
) -> None:
    answers: ResponseDict = {"200": InferencesAnswer}

    @api.post(
        f"{ONE}/inferences",
        responses=answers,
        summary="Send predictions",
        description=BODIES,
    )
    def send(path: ModelPath, query: VersionQuery) -> Response:
        rows = _sent(models, path.name, "inference.write", most)
        receipt = inferences.accept(
            _caller(),
            path.name,
            [rows.table] if rows.places else [],
            version=query.version,
            source=_source(),
            key=_key(),
        )
        return jsonify(_predictions(receipt, rows).model_dump())


def _register_labels(
    api: APIBlueprint, models: Models, inferences: Inferences, most: int
) -> None:
    answers: ResponseDict = {"200": LabelsAnswer}

    @api.post(
        f"{ONE}/labels",
        responses=answers,
        summary="Send labels by prediction id, in any order, early or late",
        description=BODIES,
    )
    def send_labels(path: ModelPath) -> Response:
        rows = _sent(models, path.name, "inference.write", most)
        id_column = models.get(_caller(), path.name).spec.columns.id
        receipt = inferences.accept_labels(
            _caller(),
            path.name,
            [_with_id(rows.table, id_column)] if rows.places else [],
            source=_source(),
            key=_key(),
        )
        return jsonify(LabelsAnswer(**_counts(receipt, rows)).model_dump())


def _register_reference(
    api: APIBlueprint, models: Models, inferences: Inferences, most: int
) -> None:
    answers: ResponseDict = {"200": ReferenceAnswer}

    @api.put(
        f"{ONE}/reference",
        responses=answers,
        summary="Pin the reference of a version (Admin)",
        description=BODIES,
    )
    def set_reference(path: ModelPath, query: VersionQuery) -> Response:
        rows = _sent(models, path.name, "model.admin", most)
        receipt = inferences.set_reference(
            _caller(),
            path.name,
            [rows.table] if rows.places else [],
            version=query.version,
            source=_source(),
        )
        notes = list(receipt.notes)
        if rows.refused:
            place, reason = min(rows.refused.items())
            notes.append(f"{len(rows.refused):,} rows refused: row {place}, {reason}")
        answer = ReferenceAnswer(
            rows=receipt.rows,
            labelled=receipt.labelled,
            hash=receipt.hash,
            grid_id=receipt.grid_id,
            features=receipt.features,
            notes=notes,
        )
        return jsonify(answer.model_dump())


def _sent(models: Models, name: str, permission: str, most: int) -> SentRows:
    """The rows of this request, read only for those who may send them."""
    requires(_caller(), permission)
    spec = models.get(_caller(), name).spec
    return read_body(request.get_data(), request.content_type or "", spec, most)


def _with_id(table: pa.Table, column: str) -> pa.Table:
    """Labels with the model's own name of the id: senders may also say ``PLAIN_ID``."""
    names = table.schema.names
    if column in names or PLAIN_ID not in names:
        return table
    return table.rename_columns([column if n == PLAIN_ID else n for n in names])


def _predictions(receipt: Receipt, rows: SentRows) -> InferencesAnswer:
    return InferencesAnswer(
        **_counts(receipt, rows),
        unknown_columns=receipt.unknown_columns,
        missing_columns=receipt.missing_columns,
        changed_types=[
            ChangedAnswer(column=column, expected=expected, found=found)
            for column, expected, found in receipt.changed_types
        ],
    )


def _counts(receipt: Receipt, rows: SentRows) -> Mapping[str, Any]:
    """Counts and refused rows by their place in what was sent.

    A delivery that came before is answered with its first receipt, whose rows are
    those of this one unless its key was used for other rows.
    """
    refused = dict(rows.refused)
    for row in receipt.rejected:
        if row.row < len(rows.places):
            refused[rows.places[row.row]] = row.reason
    told = sorted(refused.items())[:MOST_TOLD]
    return {
        "read": receipt.read + len(rows.refused),
        "taken": receipt.taken,
        "duplicates": receipt.duplicates,
        "rejected": [RefusedAnswer(row=row, reason=why) for row, why in told],
    }


def _key() -> str | None:
    key = request.headers.get("Idempotency-Key", "").strip()
    if len(key) > LONGEST_KEY:
        raise InvalidInput(f"Idempotency-Key has at most {LONGEST_KEY} characters.")
    return key or None


def _source() -> str:
    """What the list of deliveries says of a request."""
    agent = request.user_agent.string.partition(" ")[0]
    return f"REST, {agent[:80]}" if agent else "REST"


def _caller() -> Principal:
    principal: Principal = g.principal
    return principal
