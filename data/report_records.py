"""The plain records of reports and of what leaves the house: runs, routes, outbox."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

TEMPLATES: tuple[str, ...] = (
    "performance",
    "drift",
    "alerts",
    "fleet",
    "heater",
    "audit",
)
FORMATS: tuple[str, ...] = ("pdf", "csv", "zip")
"""What a report may be; ``zip`` holds one CSV for each table."""

RUN_STATES: tuple[str, ...] = ("waiting", "running", "done", "failed")


@dataclass(frozen=True)
class Schedule:
    """When a report is made by itself; ``spec`` says what, when and for whom."""

    name: str
    enabled: bool
    spec: Mapping[str, object]
    owner: str
    revision: int
    updated_by: str
    updated_at: datetime
    next_at: datetime | None
    id: int = 0


@dataclass(frozen=True)
class ReportRun:
    """One report, asked for or made; ``progress`` from 0 to 1, ``step`` in words.

    ``removed_at``: the file is gone by retention, the record stays.
    """

    id: str
    template: str
    format: str
    query: Mapping[str, object]
    asked_by: str
    asked_at: datetime
    schedule_id: int | None = None
    period: str | None = None
    state: str = "waiting"
    progress: float = 0.0
    step: str = ""
    tries: int = 0
    started_at: datetime | None = None
    ended_at: datetime | None = None
    file_name: str | None = None
    size_bytes: int | None = None
    sha256: str | None = None
    reason: str = ""
    removed_at: datetime | None = None


@dataclass(frozen=True)
class Route:
    """To whom alerts are told; ``kind`` is ``mail`` or ``webhook``."""

    name: str
    kind: str
    enabled: bool
    spec: Mapping[str, object]
    revision: int
    updated_by: str
    updated_at: datetime
    id: int = 0


@dataclass(frozen=True)
class Parcel:
    """One thing to be sent: a mail or a webhook, until it is sent or given up.

    ``key`` is unique: what must not be told twice has the same. ``body`` is what the
    sender needs: text and HTML of a mail, the JSON of a webhook. ``report_id`` names
    the run whose file a mail carries.
    """

    key: str
    kind: str
    target: str
    subject: str
    body: Mapping[str, object]
    made_at: datetime
    next_at: datetime
    route_id: int | None = None
    report_id: str | None = None
    state: str = "waiting"
    tries: int = 0
    ended_at: datetime | None = None
    reason: str = ""
    id: int = 0


@dataclass(frozen=True)
class Try:
    """One attempt to send, and what the other side said (no answer body)."""

    outbox_id: int
    at: datetime
    ok: bool
    answer: str
    took_ms: int
    id: int = 0
