"""The one place where objects are built: settings -> stores -> services."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bootstrap_alerts import Alerting, alerting
from bootstrap_care import caring
from bootstrap_desk import reporting
from bootstrap_first import migrate, utc_now
from bootstrap_notify import Notifying, notifying
from bootstrap_rules import Ruling, ruling
from data.account_store import AccountStore
from data.audit_store import AuditStore
from data.batch_store import BatchStore
from data.command_store import CommandStore
from data.device_store import DeviceStore
from data.engine import Reader
from data.hot_store import HotStore
from data.inference_lake import InferenceLake
from data.judgement_store import JudgementStore
from data.lake import Lake
from data.link_store import LinkStore
from data.model_store import ModelStore
from data.session import Engine, open_engine
from data.shadow_store import ShadowStore
from services.accounts import Accounts
from services.audit import Audit
from services.care import Care
from services.control_views import ControlViews
from services.controls import Controls
from services.courier import Courier
from services.credentials import Credentials
from services.demo import DemoFleet
from services.demo_models import DemoModels
from services.details import Details
from services.device_door import DeviceDoor
from services.device_lists import DeviceLists
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
from services.reports.desk import ReportDesk
from services.system import System
from services.telemetry import Telemetry
from services.tokens import Tokens
from settings import Settings
from workers.flusher import FlushLoop

__all__ = ["Clock", "Services", "build", "build_flush_loop", "migrate", "utc_now"]

Clock = Callable[[], datetime]


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


@dataclass(frozen=True)
class Talking:
    """What the doors may call of devices that are told something and answer."""

    control_views: ControlViews
    controls: Controls
    courier: Courier
    credentials: Credentials
    device_door: DeviceDoor
    device_lists: DeviceLists


@dataclass(frozen=True)
class Services(Talking, Monitoring, Notifying, Alerting, Ruling):
    """Everything the doors may call."""

    accounts: Accounts
    audit: Audit
    care: Care
    details: Details
    devices: Devices
    fleet: Fleet
    health: Health
    history: History
    imports: Imports
    metrics: Metrics
    operations: Operations
    readiness: Readiness
    reports: ReportDesk
    system: System
    telemetry: Telemetry
    tokens: Tokens
    demo: DemoFleet
    demo_models: DemoModels
    clock: Clock
    close: Callable[[], None]


def talking(
    engine: Engine,
    devices: Devices,
    telemetry: Telemetry,
    audit: Audit,
    settings: Settings,
    clock: Clock,
) -> Talking:
    """Build the services of devices that talk on stores that are open."""
    store, shadows = DeviceStore(engine), ShadowStore(engine)
    commands, links = CommandStore(engine), LinkStore(engine)
    courier = Courier(shadows, commands, links, store, clock)
    expiry = timedelta(seconds=settings.command_expiry_s)
    controls = Controls(
        devices, store, shadows, commands, audit, expiry=expiry, clock=clock
    )
    return Talking(
        control_views=ControlViews(controls, devices, shadows, links, clock),
        controls=controls,
        courier=courier,
        credentials=Credentials(devices, store, links, audit, clock),
        device_door=DeviceDoor(
            telemetry, courier, shadows, commands, links, BatchStore(engine), clock
        ),
        device_lists=DeviceLists(devices, store),
    )


def build(settings: Settings, clock: Clock = utc_now) -> Services:
    """Build the services on the stores the settings name.

    Connections are opened on first use, so this is safe before a fork.
    """
    settings.home_dir.mkdir(parents=True, exist_ok=True)
    engine, reader = open_engine(settings.operational_url), Reader(settings)
    lake = Lake(reader, hot := HotStore(engine))
    device_store, shadows = DeviceStore(engine), ShadowStore(engine)
    audit = Audit(AuditStore(engine), clock)
    metrics = Metrics(lake, hot, clock)
    devices = Devices(device_store, metrics, audit, clock)
    telemetry = Telemetry(hot, device_store, settings.staging_dir, clock)
    watched = monitoring(engine, reader, audit, settings, clock)
    desk = reporting(engine, reader, audit, settings, clock)
    talk = talking(engine, devices, telemetry, audit, settings, clock)
    health = Health(metrics, clock)
    fleet = Fleet(device_store, metrics, health, clock)
    return Services(
        **vars(watched),
        **vars(talk),
        **_telling(engine, reader, settings, audit, desk, clock),
        accounts=Accounts(AccountStore(engine), audit, clock),
        audit=audit,
        details=Details(devices, device_store, shadows, metrics, health, clock),
        devices=devices,
        care=caring(
            engine, reader, devices, metrics, fleet, talk.controls, audit, clock
        ),
        fleet=fleet,
        health=health,
        history=History(devices, device_store, metrics, lake, settings, clock),
        imports=Imports(telemetry, clock),
        metrics=metrics,
        operations=Operations(devices, metrics, health, hot, clock),
        readiness=Readiness(hot, lake, settings.flush_age_s, clock),
        reports=desk,
        system=System(LinkStore(engine), hot, lake, clock),
        telemetry=telemetry,
        tokens=Tokens(settings.signing_key(), clock),
        demo=_demo(settings, devices, telemetry, device_store, shadows, clock),
        demo_models=_demo_models(settings, watched, metrics, hot, device_store, clock),
        clock=clock,
        close=lambda: _close(reader, engine.dispose),
    )


def _telling(
    engine: Engine,
    reader: Reader,
    settings: Settings,
    audit: Audit,
    desk: ReportDesk,
    clock: Clock,
) -> dict[str, Any]:
    """Alerts, their rules, and whom they are told to; mails carry the desk's files."""
    told = notifying(engine, settings, audit, clock, desk.maker.attachment)
    return {
        **vars(told),
        **vars(alerting(engine, audit, clock, told.notify)),
        **vars(ruling(engine, reader, audit, told.notify, clock)),
    }


def _demo(
    settings: Settings,
    devices: Devices,
    telemetry: Telemetry,
    store: DeviceStore,
    shadows: ShadowStore,
    clock: Clock,
) -> DemoFleet:
    return DemoFleet(
        devices,
        telemetry,
        store,
        shadows,
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
        state_file=settings.demo_models_file,
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
