"""Builds alert rules and their evaluation, on stores that are open."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from data.alert_store import AlertStore
from data.alert_values_store import AlertValuesStore
from data.audit_store import AuditStore
from data.device_store import DeviceStore
from data.engine import Reader
from data.hot_store import HotStore
from data.lake import Lake
from data.model_store import ModelStore
from data.session import Engine
from services.alert_evaluation import Announcer, Evaluation
from services.alert_evidence import Evidences
from services.alert_looks import Looks
from services.alert_replay import Replays
from services.alert_rulebook import Rules
from services.audit import Audit


@dataclass(frozen=True)
class Ruling:
    """What the doors and the worker may call of alert rules."""

    rules: Rules
    evaluation: Evaluation


def ruling(
    engine: Engine,
    reader: Reader,
    audit: Audit,
    announcer: Announcer,
    clock: Callable[[], datetime],
) -> Ruling:
    """The rules and what judges them."""
    store, values = AlertStore(engine), AlertValuesStore(engine, reader)
    devices, models = DeviceStore(engine), ModelStore(engine)
    lake = Lake(reader, HotStore(engine))
    replays = Replays(devices, models, values, lake, clock)
    return Ruling(
        rules=Rules(store, replays, audit, AuditStore(engine), clock),
        evaluation=Evaluation(
            store,
            Looks(values, devices, models, lake),
            Evidences(values, models),
            announcer,
        ),
    )
