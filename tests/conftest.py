"""Real stores in a temporary folder, one set for each test that asks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import create_engine, text

from data.audit_store import AuditStore
from data.command_store import CommandStore
from data.device_store import DeviceStore
from data.engine import Reader
from data.flush import Flusher
from data.hot_store import HotStore
from data.lake import Lake
from data.link_store import LinkStore
from data.records import Device
from data.session import open_engine
from data.shadow_store import ShadowStore
from services.access import SYSTEM, Principal, Role
from services.audit import Audit
from services.controls import Controls
from services.courier import Courier
from services.devices import Devices
from services.metrics import Metrics, gap_s
from services.telemetry import Telemetry
from settings import Settings
from tests.postgres import cluster
from tests.template import make_stores

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
VIEWER = Principal("viewer", Role.VIEWER)
OPERATOR = Principal("operator", Role.OPERATOR)
ADMIN = Principal("admin", Role.ADMIN)


class Clock:
    """A clock that tests move."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        """The time it was set to."""
        return self.now

    def forward(self, **delta: float) -> None:
        """Move on by a timedelta's arguments."""
        self.now += timedelta(**delta)


@dataclass
class Stores:
    """The stores and the services that every tab builds on, on real databases."""

    settings: Settings
    clock: Clock
    device_store: DeviceStore
    shadows: ShadowStore
    hot: HotStore
    lake: Lake
    reader: Reader
    metrics: Metrics
    audit: Audit
    devices: Devices
    telemetry: Telemetry
    commands: CommandStore
    links: LinkStore
    controls: Controls
    courier: Courier

    def add(self, *devices: Device) -> None:
        """Register devices as the system."""
        with self.device_store.transaction() as tx:
            self.device_store.add(tx, devices, self.clock())

    def flush(self) -> int:
        """Flush everything that waits; how many readings went to the lake."""
        flusher = Flusher(self.settings, self.hot)
        gaps = {i: gap_s(s) for i, s in self.device_store.intervals().items()}
        moved = 0
        try:
            while (pending := flusher.pending()).rows or pending.files:
                moved += flusher.flush(self.clock(), gaps).rows
        finally:
            flusher.close()
        return moved


def readings(
    device_id: str, start: datetime, minutes: int, step_s: int = 60, **columns: object
) -> pd.DataFrame:
    """A plain telemetry frame: constant or given columns every ``step_s`` seconds."""
    first = pd.Timestamp(start).tz_convert("UTC").tz_localize(None)
    count = minutes * 60 // step_s
    offsets = pd.to_timedelta(np.arange(count) * step_s, unit="s")
    frame = pd.DataFrame({"ts": (first + offsets).astype("datetime64[us]")})
    frame.insert(0, "device_id", device_id)
    for name, value in columns.items():
        frame[name] = value
    return frame


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings whose run-time files lie in the test's own folder."""
    return Settings(home_dir=tmp_path / "var", secret_key="k7!" + "Zq3xW9vB" * 5)


@pytest.fixture
def clock() -> Clock:
    """A clock at noon of a day in March."""
    return Clock()


@pytest.fixture
def stores(settings: Settings, clock: Clock) -> Iterator[Stores]:
    """SQLite and DuckLake, created and empty."""
    yield from open_stores(settings, clock)


@pytest.fixture
def postgres_stores(
    settings: Settings, clock: Clock, postgres_url: str
) -> Iterator[Stores]:
    """The same on PostgreSQL: operational database and lake catalog."""
    catalog = postgres_url.replace("+psycopg", "")
    changed = {"database_url": postgres_url, "lake_catalog": catalog}
    yield from open_stores(settings.model_copy(update=changed), clock)


def open_stores(settings: Settings, clock: Clock) -> Iterator[Stores]:
    """Create the stores that ``settings`` name, and close them afterwards."""
    make_stores(settings)
    engine = open_engine(settings.operational_url)
    hot, device_store = HotStore(engine), DeviceStore(engine)
    shadows, commands = ShadowStore(engine), CommandStore(engine)
    links = LinkStore(engine)
    reader = Reader(settings)
    lake = Lake(reader, hot)
    metrics = Metrics(lake, hot, clock)
    audit = Audit(AuditStore(engine), clock)
    devices = Devices(device_store, metrics, audit, clock)
    yield Stores(
        settings=settings,
        clock=clock,
        device_store=device_store,
        shadows=shadows,
        commands=commands,
        links=links,
        hot=hot,
        lake=lake,
        reader=reader,
        metrics=metrics,
        audit=audit,
        devices=devices,
        controls=Controls(
            devices,
            device_store,
            shadows,
            commands,
            audit,
            expiry=timedelta(days=1),
            clock=clock,
        ),
        courier=Courier(shadows, commands, links, device_store, clock),
        telemetry=Telemetry(hot, device_store, settings.staging_dir, clock),
    )
    reader.close()
    engine.dispose()


@pytest.fixture
def heater(stores: Stores) -> Device:
    """One registered electric heater without a reading."""
    device = Device(
        id="wh-1", name="Boiler room", type="electric", capacity_l=200,
        rated_power_w=3000, modes=("off", "eco", "electric"),
        setpoint_min_c=40, setpoint_max_c=65,
    )  # fmt: skip
    stores.add(device)
    return device


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """A private PostgreSQL cluster for the whole run: ``host:port``."""
    with cluster() as address:
        yield address


@pytest.fixture
def postgres_url(postgres_server: str) -> str:
    """An empty database of its own, as the settings take it."""
    name = f"t{uuid4().hex}"
    admin = create_engine(f"postgresql+psycopg://postgres@{postgres_server}/postgres")
    with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    admin.dispose()
    return f"postgresql+psycopg://postgres@{postgres_server}/{name}"


__all__ = [
    "ADMIN",
    "NOW",
    "OPERATOR",
    "SYSTEM",
    "VIEWER",
    "Clock",
    "Stores",
    "readings",
]
