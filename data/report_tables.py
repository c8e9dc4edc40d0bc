"""The operational database's tables of reports: schedules and what they made."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from data.tables import UtcDateTime, metadata

report_schedules = Table(
    "report_schedules",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(120), nullable=False, unique=True),
    Column("enabled", Boolean, nullable=False),
    Column("spec", JSON, nullable=False),
    Column("owner", String(64), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("updated_by", String(64), nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("next_at", UtcDateTime),
    Index(None, "next_at"),
    sqlite_autoincrement=True,
)

report_runs = Table(
    "report_runs",
    metadata,
    # Random, so that an address says nothing about other runs.
    Column("id", String(32), primary_key=True),
    Column("schedule_id", ForeignKey("report_schedules.id")),
    # The period a schedule made it for: one run of each, however often it is killed.
    Column("period", String(40)),
    Column("template", String(16), nullable=False),
    Column("format", String(4), nullable=False),
    Column("query", JSON, nullable=False),
    Column("asked_by", String(64), nullable=False),
    Column("asked_at", UtcDateTime, nullable=False),
    Column("state", String(8), nullable=False),
    Column("progress", Float, nullable=False),
    Column("step", String(120), nullable=False),
    Column("tries", Integer, nullable=False),
    Column("started_at", UtcDateTime),
    # Until then it belongs to the worker that makes it; a dead one does not renew it.
    Column("lease_until", UtcDateTime),
    Column("ended_at", UtcDateTime),
    Column("file_name", String(160)),
    Column("size_bytes", BigInteger),
    Column("sha256", String(64)),
    Column("reason", Text, nullable=False),
    Column("removed_at", UtcDateTime),
    UniqueConstraint("schedule_id", "period", "format"),
    Index(None, "asked_at", "id"),
    Index(None, "state", "asked_at"),
)
