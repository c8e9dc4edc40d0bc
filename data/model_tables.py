"""The operational database's tables of monitored models."""

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

from data.append_only import append_only
from data.tables import BigId, UtcDateTime, metadata

models = Table(
    "models",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(80), nullable=False, unique=True),
    Column("kind", String(16), nullable=False),
    Column("owner", String(80), nullable=False),
    Column("archived", Boolean, nullable=False),
    Column("spec", JSON, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
)

model_versions = Table(
    "model_versions",
    metadata,
    Column("model_id", ForeignKey("models.id"), primary_key=True),
    Column("version", String(40), primary_key=True),
    Column("lineage", JSON, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

model_references = Table(
    "model_references",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("model_id", ForeignKey("models.id"), nullable=False),
    Column("version", String(40), nullable=False),
    Column("grid_id", String(16), nullable=False),
    Column("hash", String(64), nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("labelled", BigInteger, nullable=False),
    Column("source", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("grid", JSON, nullable=False),
    Column("importance", JSON, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("created_by", String(64), nullable=False),
    Index(None, "model_id", "version"),
)
append_only(model_references)

staged_batches = Table(
    "staged_batches",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("model_id", ForeignKey("models.id"), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("version", String(40), nullable=False),
    Column("path", Text, nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("staged_at", UtcDateTime, nullable=False),
    sqlite_autoincrement=True,
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("model_id", ForeignKey("models.id"), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("by", String(64), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("source", String(200), nullable=False),
    Column("key", String(120)),
    Column("receipt", JSON, nullable=False),
    UniqueConstraint("model_id", "kind", "key"),
    Index(None, "model_id", "at"),
)

model_weeks = Table(
    "model_weeks",
    metadata,
    Column("model_id", ForeignKey("models.id"), primary_key=True),
    Column("version", String(40), primary_key=True),
    Column("start", UtcDateTime, primary_key=True),
    Column("end", UtcDateTime, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("state", String(16), nullable=False),
    Column("severity", String(12), nullable=False),
    Column("sentence", Text, nullable=False),
    Column("harmful", JSON, nullable=False),
    Column("metric", String(20)),
    Column("value", Float),
    Column("rows", BigInteger, nullable=False),
    Column("coverage", Float),
)

model_facts = Table(
    "model_facts",
    metadata,
    Column("model_id", ForeignKey("models.id"), primary_key=True),
    Column("version", String(40), primary_key=True),
    Column("rows", BigInteger, nullable=False),
    Column("first_data", UtcDateTime),
    Column("last_data", UtcDateTime),
    Column("label_lag_days", Float),
    Column("judged_seq", BigInteger, nullable=False),
)

window_results = Table(
    "window_results",
    metadata,
    Column("model_id", ForeignKey("models.id"), primary_key=True),
    Column("version", String(40), primary_key=True),
    Column("grid_id", String(16), primary_key=True),
    Column("start", UtcDateTime, primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("end", UtcDateTime, nullable=False),
    Column("value", JSON, nullable=False),
)
