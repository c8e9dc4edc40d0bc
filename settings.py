"""Every setting of IoTSphere: name, default and help in one frozen class.

Read from the environment with the prefix ``IOTSPHERE_``;
``docs/settings.md`` is generated from this table.
"""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from settings_checks import KEY_BYTES, LOOPBACK, check_hosts, check_key, check_mail


class Settings(BaseSettings):
    """The whole configuration; refuses to exist when it would be unsafe."""

    model_config = SettingsConfigDict(
        env_prefix="IOTSPHERE_", frozen=True, extra="ignore"
    )

    host: str = Field("127.0.0.1", description="Address the web server listens on.")
    port: int = Field(8050, ge=1, le=65535, description="Port of the web server.")
    home_dir: Path = Field(
        Path("var"), description="Folder of all run-time files: databases, lake, keys."
    )
    demo: bool = Field(
        False,
        description=(
            "Demo mode: demo users, the simulated fleet, a banner; loopback only. "
            "On in `make run` and plain `python app.py`."
        ),
    )
    demo_password: SecretStr | None = Field(
        None,
        description=(
            "Password of the demo users; without it a random one is made and printed."
        ),
    )
    demo_speed: float = Field(
        1.0, gt=0, le=3600, description="Simulated seconds per real second, live."
    )
    demo_seed: int = Field(42, description="Seed of the demo fleet.")
    demo_misbehaviour: str = Field(
        "",
        description=(
            "Simulated heaters that misbehave: `device:kind`, separated by commas; "
            "kinds are drop, delay, duplicate, reorder, revert and refuse."
        ),
    )
    secret_key: SecretStr | None = Field(
        None,
        description=(
            "Key that signs sessions, at least 32 characters. Required outside demo "
            "mode; in demo mode one is made and kept in the home folder."
        ),
    )
    metrics_token: SecretStr | None = Field(
        None,
        description=(
            "Bearer token with which Prometheus reads `/metrics`, at least 32 "
            "characters; without it only signed-in Admins read it."
        ),
    )
    secure_cookies: bool = Field(
        False, description="Send cookies over HTTPS only; set it behind TLS."
    )
    database_url: str | None = Field(
        None,
        description="SQLAlchemy address of the operational database; default SQLite.",
    )
    lake_catalog: str | None = Field(
        None,
        description="PostgreSQL address of the lake's catalog; default SQLite file.",
    )
    lake_path: Path | None = Field(
        None, description="Folder of the lake's Parquet files; default in the home."
    )
    web_workers: int = Field(2, ge=1, le=64, description="Web server processes.")
    web_threads: int = Field(4, ge=1, le=64, description="Threads per web process.")
    engine_memory_mb: int = Field(
        512, ge=64, description="Memory the query engine may use in each process."
    )
    engine_threads: int = Field(
        2, ge=1, le=64, description="Threads of the query engine in each process."
    )
    query_timeout_s: float = Field(
        5.0, gt=0, description="A query is interrupted after this many seconds."
    )
    flush_age_s: float = Field(
        30.0, gt=0, description="Readings wait this long before they go to the lake."
    )
    flush_rows: int = Field(
        20_000, ge=1, description="Readings that start a flush before its time."
    )
    command_expiry_s: float = Field(
        86_400.0,
        gt=0,
        description="A command whose device cannot be reached expires after this long.",
    )
    mqtt_host: str | None = Field(
        None,
        description="Name or address of the MQTT broker; unset = no devices on MQTT.",
    )
    mqtt_port: int = Field(
        1883, ge=1, le=65535, description="Port of the broker; 8883 is usual with TLS."
    )
    mqtt_username: str | None = Field(
        None, description="User name at the broker; the shipped one is `iotsphere`."
    )
    mqtt_password_file: Path | None = Field(
        None, description="File whose first line is the password at the broker."
    )
    mqtt_ca_file: Path | None = Field(
        None,
        description="Certificates that vouch for the broker (PEM); set = TLS is used.",
    )
    mqtt_cert_file: Path | None = Field(
        None, description="Our own certificate, where the broker asks for one (PEM)."
    )
    mqtt_key_file: Path | None = Field(
        None, description="Private key of that certificate (PEM)."
    )
    mqtt_discovery: bool = Field(
        False,
        description=(
            "Tell Home Assistant at the same broker of every heater; what it wishes "
            "goes through the same rules."
        ),
    )
    mqtt_client_id: str = Field(
        "iotsphere-ingest",
        min_length=1,
        description=(
            "Name of our session at the broker, which keeps messages while we are "
            "away; it must stay the same."
        ),
    )
    public_url: str | None = Field(
        None,
        pattern=r"^https?://[^\s/?#]+(/[^\s?#]*)?$",
        description=(
            "Address at which people reach this installation, for the links in mails "
            "and webhooks; unset = they carry none."
        ),
    )
    smtp_host: str | None = Field(
        None, description="Mail server that takes our mail; unset = mail is off."
    )
    smtp_port: int = Field(
        587, ge=1, le=65535, description="Its port; 465 is usual with `tls`."
    )
    smtp_security: Literal["starttls", "tls", "none"] = Field(
        "starttls",
        description="`starttls`, `tls`, or `none`, which is taken on loopback only.",
    )
    smtp_username: str | None = Field(None, description="User name at the mail server.")
    smtp_password: SecretStr | None = Field(
        None, description="Password at the mail server."
    )
    smtp_from: str | None = Field(
        None, description="Address our mail comes from; needed where mail is on."
    )
    webhook_hosts: str = Field(
        "",
        description=(
            "Hosts webhooks may lead to, separated by commas: `host` or `host:port` "
            "(443 without one). `private:` before one lets it lead to private and "
            "loopback addresses, and to loopback without TLS. Empty = webhooks are off."
        ),
    )
    max_body_bytes: int = Field(
        1_000_000, ge=1_000, description="Largest request body."
    )
    max_batch_rows: int = Field(
        10_000, ge=1, description="Most readings in one HTTP batch."
    )
    max_window_days: int = Field(
        400, ge=1, description="Longest time range a tab or an endpoint answers."
    )
    report_window_days: int = Field(
        1_830, ge=1, description="Longest time range a report covers."
    )
    max_points: int = Field(
        5_000, ge=100, description="Most points of one drawn or answered series."
    )
    inference_retention_days: int | None = Field(
        None,
        ge=1,
        description=(
            "Rows of monitored models older than this are dropped; their counts stay. "
            "A model may name its own; unset = rows are kept."
        ),
    )
    report_retention_days: int = Field(
        90,
        ge=1,
        description="Files of reports are removed this long after they were made.",
    )
    max_page: int = Field(500, ge=1, description="Most rows of one page of a list.")
    api_per_minute: int = Field(
        600, ge=1, description="REST requests of one user in a minute."
    )
    callbacks_per_minute: int = Field(
        1_200, ge=1, description="Requests of one open browser session in a minute."
    )

    @model_validator(mode="after")
    def _safe(self) -> Self:
        if self.demo and self.host not in LOOPBACK:
            raise ValueError("demo mode listens on loopback only: unset IOTSPHERE_HOST")
        if self.secret_key is not None:
            check_key("SECRET_KEY", self.secret_key.get_secret_value())
        if self.metrics_token is not None:
            check_key("METRICS_TOKEN", self.metrics_token.get_secret_value())
            if self.metrics_token == self.secret_key:
                raise ValueError("IOTSPHERE_METRICS_TOKEN must not be the SECRET_KEY")
        if (self.mqtt_cert_file is None) != (self.mqtt_key_file is None):
            raise ValueError(
                "IOTSPHERE_MQTT_CERT_FILE and IOTSPHERE_MQTT_KEY_FILE belong together"
            )
        check_mail(
            self.smtp_host,
            self.smtp_from,
            self.smtp_security,
            self.smtp_username is None,
            self.smtp_password is None,
        )
        check_hosts(self.webhook_hosts)
        return self

    @property
    def operational_url(self) -> str:
        """Address of the operational database."""
        return self.database_url or f"sqlite:///{self.home_dir / 'iotsphere.db'}"

    @property
    def demo_models_file(self) -> Path:
        """Where it is noted how far the demo's models are made."""
        return self.home_dir / "demo_models.json"

    @property
    def lake_dir(self) -> Path:
        """Folder of the lake's Parquet files."""
        return self.lake_path or self.home_dir / "lake"

    @property
    def catalog_file(self) -> Path:
        """The SQLite catalog, in a folder of its own."""
        return self.home_dir / "catalog" / "lake.sqlite"

    @property
    def staging_dir(self) -> Path:
        """Folder of staged bulk files that wait for the flusher."""
        return self.home_dir / "staging"

    def signing_key(self) -> str:
        """The session key; in demo mode made once and kept in the home folder."""
        if self.secret_key is not None:
            return self.secret_key.get_secret_value()
        if not self.demo:
            raise ValueError(
                "IOTSPHERE_SECRET_KEY is not set: give at least 32 random characters, "
                "for example from `openssl rand -hex 32`"
            )
        return _kept_key(self.home_dir / "demo.key")


def _kept_key(path: Path) -> str:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_hex(KEY_BYTES))
    return path.read_text()
