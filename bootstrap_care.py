"""Builds what belongs to the care of heaters, on stores that are open."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from data.bulk_store import BulkStore
from data.code_lake import CodeLake
from data.command_store import CommandStore
from data.device_store import DeviceStore
from data.engine import Reader
from data.hot_store import HotStore
from data.lake import Lake
from data.maintenance_store import MaintenanceStore
from data.plan_store import PlanStore
from data.session import Engine
from services.audit import Audit
from services.bulk import Bulk
from services.care import Care
from services.controls import Controls
from services.devices import Devices
from services.diagnostic_codes import DiagnosticCodes
from services.fleet import Fleet
from services.ledger import Ledger
from services.maintenance import Maintenance
from services.metrics import Metrics
from services.plans import Plans


def caring(
    engine: Engine,
    reader: Reader,
    devices: Devices,
    metrics: Metrics,
    fleet: Fleet,
    controls: Controls,
    audit: Audit,
    clock: Callable[[], datetime],
) -> Care:
    """Ledger, maintenance, codes, plans and bulk commands."""
    store, commands = DeviceStore(engine), CommandStore(engine)
    hot = HotStore(engine)
    return Care(
        ledger=Ledger(devices, metrics, Lake(reader, hot), clock),
        maintenance=Maintenance(devices, store, MaintenanceStore(engine), audit, clock),
        codes=DiagnosticCodes(devices, metrics, CodeLake(reader, hot), clock),
        plans=Plans(devices, store, PlanStore(engine), controls, audit, clock),
        bulk=Bulk(fleet, store, BulkStore(engine), commands, controls, audit, clock),
    )
