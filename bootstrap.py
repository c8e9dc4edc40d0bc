"""The one place where objects are built: settings -> stores -> services."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from data.account_store import AccountStore
from data.audit_store import AuditStore
from data.device_store import DeviceStore
from data.engine import Reader
from data.hot_store import HotStore
from data.inference_lake import InferenceLake
from data.judgement_store import JudgementStore
from data.lake import Lake
from data.migrate import upgrade
from data.model_store import ModelStore
from data.session import Engine, open_engine
from services.accounts import Accounts
from services.audit import Audit
from services.demo import DemoFleet
from services.demo_models import DemoModels
from services.details import Details
from services.devices import Devices
from services.drift import Drift
from services.fleet import Fleet
from services.health import Health
from services.history import History
from services.imports import Imports
from services.inferences import Inferences
from services.metrics import Metrics
from services.models import Models
from services.monitoring.judging import Judging
from services.monitoring.scope import Scopes
from services.operations import Operations
from services.performance import Performance
from services.readiness import Readiness
from services.telemetry import Telemetry
from services.tokens import Tokens
from settings import Settings
from workers.flusher import FlushLoop

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The present, aware."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Services:
    """Everything the doors may call."""

    accounts: Accounts
    audit: Audit
    details: Details
    devices: Devices
    drift: Drift
    fleet: Fleet
    health: Health
    history: History
    imports: Imports
    inferences: Inferences
    judging: Judging
    metrics: Metrics
    models: Models
    operations: Operations
    performance: Performance
    readiness: Readiness
    telemetry: Telemetry
    tokens: Tokens
    demo: DemoFleet
    demo_models: DemoModels
    clock: Clock
    close: Callable[[], None]


@dataclass(frozen=True)
class Monitoring:
    """What the doors may call of monitored models."""

    models: Models
    inferences: Inferences
    performance: Performance
    drift: Drift
    judging: Judging


def monitoring(
    engine: Engine, reader: Reader, audit: Audit, settings: Settings, clock: Clock
) -> Monitoring:
    """Build the services of monitored models on stores that are open."""
    store, judgements = ModelStore(engine), JudgementStore(engine)
    lake = InferenceLake(reader)
    scopes = Scopes(store, settings, clock)
    models = Models(store, judgements, lake, audit, clock)
    return Monitoring(
        models=models,
        inferences=Inferences(store, audit, settings, clock),
        performance=Performance(scopes, store, judgements, lake, models.replace),
        drift=Drift(scopes, judgements, lake, clock),
        judging=Judging(scopes, store, judgements, lake, clock),
    )


def build(settings: Settings, clock: Clock = utc_now) -> Services:
    """Build the services on the stores the settings name.

    Connections are opened on first use, so this is safe before a fork.
    """
    settings.home_dir.mkdir(parents=True, exist_ok=True)
    engine = open_engine(settings.operational_url)
    reader = Reader(settings)
    hot = HotStore(engine)
    lake = Lake(reader, hot)
    device_store = DeviceStore(engine)
    audit = Audit(AuditStore(engine), clock)
    metrics = Metrics(lake, hot, clock)
    devices = Devices(device_store, metrics, audit, clock)
    telemetry = Telemetry(hot, device_store, settings.staging_dir, clock)
    watched = monitoring(engine, reader, audit, settings, clock)
    health = Health(metrics, clock)
    return Services(
        accounts=Accounts(AccountStore(engine), audit, clock),
        audit=audit,
        details=Details(devices, device_store, metrics, health, clock),
        devices=devices,
        drift=watched.drift,
        fleet=Fleet(device_store, metrics, health, clock),
        health=health,
        history=History(devices, device_store, metrics, lake, settings, clock),
        imports=Imports(telemetry, clock),
        inferences=watched.inferences,
        judging=watched.judging,
        metrics=metrics,
        models=watched.models,
        operations=Operations(devices, metrics, health, hot, clock),
        performance=watched.performance,
        readiness=Readiness(hot, lake, settings.flush_age_s, clock),
        telemetry=telemetry,
        tokens=Tokens(settings.signing_key(), clock),
        demo=_demo(settings, devices, telemetry, device_store, clock),
        demo_models=_demo_models(settings, watched, metrics, hot, device_store, clock),
        clock=clock,
        close=lambda: _close(reader, engine.dispose),
    )


def _demo(
    settings: Settings,
    devices: Devices,
    telemetry: Telemetry,
    store: DeviceStore,
    clock: Clock,
) -> DemoFleet:
    return DemoFleet(
        devices,
        telemetry,
        store,
        state_file=settings.home_dir / "demo_state.json",
        seed=settings.demo_seed,
        clock=clock,
    )


def _demo_models(
    settings: Settings,
    watched: Monitoring,
    metrics: Metrics,
    hot: HotStore,
    store: DeviceStore,
    clock: Clock,
) -> DemoModels:
    return DemoModels(
        watched.models,
        watched.inferences,
        metrics,
        store,
        state_file=settings.home_dir / "demo_models.json",
        seed=settings.demo_seed,
        clock=clock,
        waits=lambda: hot.pending(0).files > 0,
    )


def _close(reader: Reader, dispose: Callable[[], None]) -> None:
    reader.close()
    dispose()


def build_flush_loop(settings: Settings, clock: Clock = utc_now) -> FlushLoop:
    """Build the lake's one writer.

    Raises:
        AnotherWriter: another process writes this lake already.
    """
    settings.home_dir.mkdir(parents=True, exist_ok=True)
    engine = open_engine(settings.operational_url)
    return FlushLoop(
        settings, HotStore(engine), DeviceStore(engine), ModelStore(engine), clock
    )


def migrate(settings: Settings) -> None:
    """Bring the operational database to this program's schema."""
    settings.home_dir.mkdir(parents=True, exist_ok=True)
    engine = open_engine(settings.operational_url)
    upgrade(engine)
    engine.dispose()
