"""The operational database: every table, in SQLAlchemy Core."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)

from data.append_only import append_only
from data.records import METRICS

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
metadata = MetaData(naming_convention=NAMING)


class UtcDateTime(TypeDecorator[datetime]):
    """Aware UTC in and out on every database (SQLite alone would drop the zone)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(
        self,
        value: datetime | None,
        dialect: Dialect,  # noqa: ARG002
    ) -> datetime | None:
        """An aware time as UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a stored time must be aware")
        return value.astimezone(UTC)

    def process_result_value(
        self,
        value: Any,
        dialect: Dialect,  # noqa: ARG002
    ) -> datetime | None:
        """A stored time as aware UTC."""
        if value is None:
            return None
        stored: datetime = value
        if stored.tzinfo is None:
            return stored.replace(tzinfo=UTC)
        return stored.astimezone(UTC)


# SQLite autoincrements only INTEGER; PostgreSQL needs 64 bits for the hot ids.
BigId = BigInteger().with_variant(Integer, "sqlite")

users = Table(
    "users",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("username", String(64), nullable=False, unique=True),
    Column("password_hash", Text, nullable=False),
    Column("role", String(16), nullable=False),
    Column("disabled", Boolean, nullable=False, default=False),
    Column("preferences", JSON, nullable=False, default=dict),
    Column("created_at", UtcDateTime, nullable=False),
    Column("last_sign_in_at", UtcDateTime),
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("user_id", ForeignKey("users.id"), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("last_used_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("refresh_jti", String(36), nullable=False),
    Column("previous_jti", String(36)),
    Column("rotated_at", UtcDateTime),
    Column("revoked_at", UtcDateTime),
    Column("revoked_reason", String(64)),
    Index(None, "user_id"),
)

sign_in_attempts = Table(
    "sign_in_attempts",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("account", String(64), nullable=False),
    Column("address", String(64), nullable=False),
    Column("known_device", Boolean, nullable=False, default=False),
    Column("succeeded", Boolean, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Index(None, "account", "at"),
    Index(None, "address", "at"),
    Index(None, "at"),
)

audit = Table(
    "audit",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("actor", String(64), nullable=False),
    Column("action", String(64), nullable=False),
    Column("subject", String(128), nullable=False),
    Column("detail", JSON, nullable=False),
    Column("previous_hash", String(64), nullable=False),
    Column("hash", String(64), nullable=False, unique=True),
)
append_only(audit)

devices = Table(
    "devices",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("name", String(120), nullable=False),
    Column("manufacturer", String(80)),
    Column("model", String(80)),
    Column("serial", String(80)),
    Column("type", String(16)),
    Column("capacity_l", Float),
    Column("rated_power_w", Float),
    Column("building", String(80)),
    Column("floor", String(40)),
    Column("room", String(40)),
    Column("latitude", Float),
    Column("longitude", Float),
    Column("installed_on", Date),
    Column("warranty_until", Date),
    Column("firmware", String(40)),
    Column("modes", JSON, nullable=False),
    Column("setpoint_min_c", Float),
    Column("setpoint_max_c", Float),
    Column("reporting_interval_s", Integer, nullable=False),
    Column("bands", JSON, nullable=False),
    Column("mixing_valve", Boolean),
    Column("simulated", Boolean, nullable=False, default=False),
    Column("life_cycle", String(16), nullable=False),
    Column("version", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
)

device_latest = Table(
    "device_latest",
    metadata,
    Column("device_id", ForeignKey("devices.id"), primary_key=True),
    Column("ts_us", BigInteger, nullable=False),
    Column("received_us", BigInteger, nullable=False),
    Column("quality", BigInteger, nullable=False),
    Column("good", JSON, nullable=False),
    Column("flagged", JSON, nullable=False),
    Column("checks", JSON, nullable=False),
)

hot_readings = Table(
    "hot_readings",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("device_id", String(64), nullable=False),
    Column("ts_us", BigInteger, nullable=False),
    *(Column(name, Float) for name in METRICS),
    Column("mode", String(16)),
    Column("heating", Boolean),
    Column("error_code", String(32)),
    Column("quality", BigInteger, nullable=False),
    Column("received_us", BigInteger, nullable=False),
    Column("late", Boolean, nullable=False),
    UniqueConstraint("device_id", "ts_us"),
    sqlite_autoincrement=True,
)

staged_files = Table(
    "staged_files",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("path", Text, nullable=False, unique=True),
    Column("rows", BigInteger, nullable=False),
    Column("staged_at", UtcDateTime, nullable=False),
    sqlite_autoincrement=True,
)

shadows = Table(
    "shadows",
    metadata,
    Column("device_id", ForeignKey("devices.id"), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("reported", JSON, nullable=False),
    Column("desired", JSON, nullable=False),
    Column("reported_at", JSON, nullable=False),
    Column("desired_at", JSON, nullable=False),
    Column("wish_version", Integer, nullable=False, server_default="0"),
    Column("updated_at", UtcDateTime, nullable=False),
)

events = Table(
    "events",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("device_id", ForeignKey("devices.id"), nullable=False),
    Column("ts", UtcDateTime, nullable=False),
    Column("category", String(16), nullable=False),
    Column("severity", String(16), nullable=False),
    Column("message", Text, nullable=False),
    Column("actor", String(64), nullable=False),
    Index(None, "device_id", "ts"),
)

labelled_faults = Table(
    "labelled_faults",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("device_id", ForeignKey("devices.id"), nullable=False),
    Column("family", String(32), nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("detail", Text, nullable=False),
    Index(None, "device_id", "started_at"),
)
