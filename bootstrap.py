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
from data.session import open_engine
from services.accounts import Accounts
from services.audit import Audit
from services.demo import DemoFleet
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
    clock: Clock
    close: Callable[[], None]


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
    model_store, judgements = ModelStore(engine), JudgementStore(engine)
    inference_lake = InferenceLake(reader)
    scopes = Scopes(model_store, settings, clock)
    models = Models(model_store, judgements, inference_lake, audit, clock)
    health = Health(metrics, clock)
    return Services(
        accounts=Accounts(AccountStore(engine), audit, clock),
        audit=audit,
        details=Details(devices, device_store, metrics, health, clock),
        devices=devices,
        drift=Drift(scopes, judgements, inference_lake, clock),
        fleet=Fleet(device_store, metrics, health, clock),
        health=health,
        history=History(devices, device_store, metrics, lake, settings, clock),
        imports=Imports(telemetry, clock),
        inferences=Inferences(model_store, audit, settings, clock),
        judging=Judging(scopes, model_store, judgements, inference_lake, clock),
        metrics=metrics,
        models=models,
        operations=Operations(devices, metrics, health, hot, clock),
        performance=Performance(
            scopes, model_store, judgements, inference_lake, models.replace
        ),
        readiness=Readiness(hot, lake, settings.flush_age_s, clock),
        telemetry=telemetry,
        tokens=Tokens(settings.signing_key(), clock),
        demo=DemoFleet(
            devices,
            telemetry,
            device_store,
            state_file=settings.home_dir / "demo_state.json",
            seed=settings.demo_seed,
            clock=clock,
        ),
        clock=clock,
        close=lambda: _close(reader, engine.dispose),
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
