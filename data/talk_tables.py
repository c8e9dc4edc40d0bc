"""The operational database's tables of devices that talk: wishes, links, rejects."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
)

from data.tables import BigId, UtcDateTime, metadata

commands = Table(
    "commands",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("device_id", ForeignKey("devices.id"), nullable=False),
    Column("key", String(32), nullable=False),
    Column("value", JSON, nullable=False),
    Column("version", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("asked_by", String(64), nullable=False),
    Column("asked_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("sent_at", UtcDateTime),
    Column("accepted_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    Column("job_id", ForeignKey("bulk_jobs.id")),
    Index(None, "device_id", "id"),
    Index(None, "state", "id"),
    Index(None, "job_id"),
    sqlite_autoincrement=True,
)

device_links = Table(
    "device_links",
    metadata,
    Column("device_id", ForeignKey("devices.id"), primary_key=True),
    Column("online", Boolean, nullable=False),
    Column("status_at", UtcDateTime, nullable=False),
    Column("session", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("birth", JSON, nullable=False),
    Column("birth_at", UtcDateTime),
)

device_credentials = Table(
    "device_credentials",
    metadata,
    Column("device_id", ForeignKey("devices.id"), primary_key=True),
    Column("hash", Text, nullable=False),
    Column("made_by", String(64), nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    Column("used_at", UtcDateTime),
)

rejected_messages = Table(
    "rejected_messages",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("topic", String(200), nullable=False),
    Column("reason", String(300), nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("size", Integer, nullable=False),
    sqlite_autoincrement=True,
)

worker_status = Table(
    "worker_status",
    metadata,
    Column("part", String(32), primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("facts", JSON, nullable=False),
)

accepted_batches = Table(
    "accepted_batches",
    metadata,
    Column("owner", String(80), primary_key=True),
    Column("key", String(120), primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("receipt", JSON, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Index(None, "at"),
)

setpoint_plans = Table(
    "setpoint_plans",
    metadata,
    Column("device_id", ForeignKey("devices.id"), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("zone", String(64), nullable=False),
    Column("entries", JSON, nullable=False),
    Column("set_by", String(64), nullable=False),
    Column("set_at", UtcDateTime, nullable=False),
    Column("next_at", UtcDateTime),
    Index(None, "next_at"),
)

maintenance = Table(
    "maintenance",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("device_id", ForeignKey("devices.id"), nullable=False),
    Column("done_on", Date, nullable=False),
    Column("kind", String(24), nullable=False),
    Column("note", Text, nullable=False),
    Column("next_on", Date),
    Column("by", String(64), nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
    Index(None, "device_id", "done_on"),
)

bulk_jobs = Table(
    "bulk_jobs",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("key", String(32), nullable=False),
    Column("value", JSON, nullable=False),
    Column("filter", Text, nullable=False),
    Column("asked_by", String(64), nullable=False),
    Column("asked_at", UtcDateTime, nullable=False),
    Column("state", String(16), nullable=False),
    Column("stage", Integer, nullable=False),
    Column("stop_share", Float, nullable=False),
    Column("reason", Text, nullable=False),
    Column("ended_at", UtcDateTime),
    sqlite_autoincrement=True,
)

bulk_targets = Table(
    "bulk_targets",
    metadata,
    Column("job_id", ForeignKey("bulk_jobs.id"), primary_key=True),
    Column("device_id", ForeignKey("devices.id"), primary_key=True),
    Column("stage", Integer, nullable=False),
    Column("reason", Text, nullable=False),
)
