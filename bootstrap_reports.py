"""Builds what belongs to reports, on stores that are open."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from data.account_store import AccountStore
from data.alert_log_store import AlertLogStore
from data.alert_pattern_store import AlertPatternStore
from data.audit_store import AuditStore
from data.device_store import DeviceStore
from data.engine import Reader
from data.hot_store import HotStore
from data.inference_lake import InferenceLake
from data.judgement_store import JudgementStore
from data.lake import Lake
from data.maintenance_store import MaintenanceStore
from data.model_store import ModelStore
from data.session import Engine
from services.alerts import Alerts
from services.audit import Audit
from services.devices import Devices
from services.drift import Drift
from services.fleet import Fleet
from services.health import Health
from services.history import History
from services.ledger import Ledger
from services.maintenance import Maintenance
from services.metrics import Metrics
from services.models import Models
from services.monitoring.scope import Scopes
from services.performance import Performance
from services.reports.compose import Composer
from services.reports.compose_parts import Sources
from settings import Settings

Clock = Callable[[], datetime]
KEPT_ANSWERS = 16
"""Several models are read at once, and each is asked more than once."""


def composing(engine: Engine, reader: Reader, settings: Settings) -> Composer:
    """Reports are composed by the services of the screens, on the clock of the run."""
    days = settings.report_window_days
    wide = settings.model_copy(update={"max_window_days": days + 1})
    return Composer(lambda clock: sources(engine, reader, wide, clock), days)


def sources(
    engine: Engine, reader: Reader, settings: Settings, clock: Clock
) -> Sources:
    """The services of the screens on one clock; they live for one report."""
    hot, devices_at = HotStore(engine), DeviceStore(engine)
    lake, audit = Lake(reader, hot), Audit(AuditStore(engine), clock)
    metrics = Metrics(lake, hot, clock)
    devices = Devices(devices_at, metrics, audit, clock)
    store, judgements = ModelStore(engine), JudgementStore(engine)
    counts = InferenceLake(reader, KEPT_ANSWERS)
    scopes = Scopes(store, settings, clock)
    models = Models(store, judgements, counts, audit, clock)
    return Sources(
        alerts=Alerts(AlertLogStore(engine), AccountStore(engine), audit, clock),
        audit=audit,
        devices=devices,
        drift=Drift(scopes, judgements, counts, clock),
        fleet=Fleet(devices_at, metrics, Health(metrics, clock), clock),
        history=History(devices, devices_at, metrics, lake, settings, clock),
        ledger=Ledger(devices, metrics, lake, clock),
        maintenance=Maintenance(
            devices, devices_at, MaintenanceStore(engine), audit, clock
        ),
        metrics=metrics,
        models=models,
        performance=Performance(scopes, store, judgements, counts, models.replace),
        activations=AlertPatternStore(engine),
        model_store=store,
    )
