"""The operational database's tables of alerts and of what is told about them."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
)

from data.tables import BigId, UtcDateTime, metadata

alert_rules = Table(
    "alert_rules",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", String(64), nullable=False, unique=True),
    Column("name", String(120), nullable=False),
    Column("source", String(8), nullable=False),
    Column("severity", String(8), nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("spec", JSON, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("updated_by", String(64), nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    sqlite_autoincrement=True,
)

alert_watches = Table(
    "alert_watches",
    metadata,
    # No foreign keys: a rule or an alert that goes must not stop the watching.
    Column("rule_id", Integer, primary_key=True),
    Column("subject", String(120), primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("met", Boolean, nullable=False),
    Column("since", UtcDateTime),
    Column("judged_until", UtcDateTime, nullable=False),
    Column("alert_id", BigId),
)

alerts = Table(
    "alerts",
    metadata,
    Column("id", BigId, primary_key=True),
    # The rule may be removed; its alerts stay and keep what they need of it.
    Column("rule_id", Integer, nullable=False),
    Column("rule_key", String(64), nullable=False),
    Column("rule_name", String(120), nullable=False),
    Column("source", String(8), nullable=False),
    Column("subject", String(120), nullable=False),
    Column("subject_name", String(200), nullable=False),
    Column("metric", String(80), nullable=False),
    Column("severity", String(8), nullable=False),
    Column("message", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("raised_at", UtcDateTime, nullable=False),
    Column("last_at", UtcDateTime, nullable=False),
    Column("value", Float),
    Column("evidence", JSON, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("activations", Integer, nullable=False),
    Column("cleared_at", UtcDateTime),
    Column("acknowledged_at", UtcDateTime),
    Column("acknowledged_by", String(64)),
    Column("owner", String(64)),
    Column("shelved_until", UtcDateTime),
    Column("shelved_by", String(64)),
    Column("shelve_reason", Text),
    Column("resolved_at", UtcDateTime),
    Column("resolved_by", String(64)),
    Column("verdict", String(8)),
    Column("note", Text),
    Column("version", Integer, nullable=False),
    # "rule:subject" while open, nothing afterwards: one open alert of each.
    Column("open_key", String(140), unique=True),
    Index(None, "raised_at", "id"),
    Index(None, "rule_id", "subject"),
    Index(None, "source", "subject"),
    sqlite_autoincrement=True,
)

alert_events = Table(
    "alert_events",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("alert_id", ForeignKey("alerts.id"), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("by", String(64), nullable=False),
    Column("text", Text, nullable=False),
    Column("value", Float),
    Index(None, "alert_id", "id"),
    Index(None, "at"),
    sqlite_autoincrement=True,
)

notify_routes = Table(
    "notify_routes",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(120), nullable=False, unique=True),
    Column("kind", String(8), nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("spec", JSON, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("updated_by", String(64), nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    sqlite_autoincrement=True,
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", BigId, primary_key=True),
    # What must not be told twice has the same key: event and route, or run and person.
    Column("key", String(160), nullable=False, unique=True),
    Column("route_id", Integer),
    Column("kind", String(8), nullable=False),
    Column("target", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("body", JSON, nullable=False),
    Column("report_id", String(32)),
    Column("state", String(8), nullable=False),
    Column("tries", Integer, nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    Column("next_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("reason", Text, nullable=False),
    Index(None, "state", "next_at"),
    sqlite_autoincrement=True,
)

outbox_tries = Table(
    "outbox_tries",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("outbox_id", ForeignKey("outbox.id"), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("ok", Boolean, nullable=False),
    Column("answer", String(300), nullable=False),
    Column("took_ms", Integer, nullable=False),
    Index(None, "outbox_id", "id"),
    sqlite_autoincrement=True,
)
