"""Rules, readings and looks on real stores, as the tests of alerts need them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from bootstrap_rules import Ruling, ruling
from data.alert_records import Alert, AlertEvent
from data.alert_store import AlertStore
from data.alert_tables import alert_events, alerts
from data.records import Band, Device
from data.session import Engine, Transaction, open_engine, reading
from services.access import SYSTEM
from services.alert_rule_reading import read_rule
from services.alert_rulebook import RuleView
from tests.conftest import Stores, readings

HOT: dict[str, Any] = {
    "key": "hot",
    "name": "Hot tank",
    "source": "device",
    "metric": "temperature_c",
    "operator": ">",
    "threshold": 70.0,
    "for_s": 120,
    "off_delay_s": 120,
    "deadband": 2.0,
    "severity": "high",
    "message": "{name} is at {value}, over {threshold}.",
    "action": "Look.",
}
TANK = Device(
    id="wh-1", name="Boiler room", type="electric", capacity_l=200,
    rated_power_w=3000, modes=("off", "eco"), building="North",
    bands={"temperature_c": Band(0, 100, alarm_low=40, alarm_high=75)},
)  # fmt: skip


@dataclass
class Told:
    """An announcer that writes down what it was told, as tests need to see it."""

    events: list[tuple[str, str]] = field(default_factory=list)

    def announce(self, _tx: Transaction, alert: Alert, event: AlertEvent) -> None:
        """Note the subject and the kind of event."""
        self.events.append((alert.subject, event.kind))


@dataclass
class World:
    """The stores, the rules and one worker's evaluation."""

    stores: Stores
    engine: Engine
    ruled: Ruling
    told: Told

    def again(self) -> None:
        """The worker was killed and has begun anew."""
        self.ruled = _ruled(self.stores, self.engine, self.told)

    def rule(self, **changed: Any) -> RuleView:
        """Store a rule that differs from ``HOT`` so."""
        spec = read_rule({k: v for k, v in (HOT | changed).items() if v is not None})
        old = {r.spec.key: r.revision for r in self.ruled.rules.list(SYSTEM)}
        return self.ruled.rules.save(SYSTEM, spec, old.get(spec.key, 0))

    def send(
        self, minutes: Sequence[float | None], step_s: int = 60, device: str = "wh-1",
        ago: int = 0, **columns: Any,
    ) -> None:  # fmt: skip
        """Readings of the tank, the last one now or some seconds ago."""
        last = self.stores.clock() - timedelta(seconds=ago)
        start = last - timedelta(seconds=step_s * (len(minutes) - 1))
        frame = readings(device, start, len(minutes), temperature_c=minutes, **columns)
        stamps = [start + timedelta(seconds=step_s * i) for i in range(len(minutes))]
        frame["ts"] = [s.replace(tzinfo=None) for s in stamps]
        self.stores.telemetry.accept_bulk(SYSTEM, frame)

    def pass_by(self, values: Sequence[float | None], **columns: Any) -> None:
        """A minute passes, a reading comes, the worker looks; for each value."""
        for value in values:
            self.stores.clock.forward(seconds=60)
            self.send([value], **columns)
            self.look()

    def look(self) -> int:
        """One look of the worker."""
        return self.ruled.evaluation.step(self.stores.clock())

    @property
    def alerts(self) -> list[Alert]:
        """Every alert, in the order they were raised."""
        names = [c for c in alerts.c if c.name != "open_key"]
        with reading(self.engine) as connection:
            rows = connection.execute(select(*names).order_by(alerts.c.id))
            return [Alert(**row._mapping) for row in rows]

    @property
    def history(self) -> list[str]:
        """The kinds of every event, in order."""
        with reading(self.engine) as connection:
            query = select(alert_events.c.kind).order_by(alert_events.c.id)
            return list(connection.scalars(query))

    def change(self, alert: Alert, **values: Any) -> None:
        """What a person does to an alert, on the table itself."""
        key = None if "resolved_at" in values else f"{alert.rule_id}:{alert.subject}"
        with AlertStore(self.engine).transaction() as tx:
            statement = alerts.update().where(alerts.c.id == alert.id)
            tx.execute(statement.values(open_key=key, **values))


def world(stores: Stores) -> Iterator[World]:
    """A world on these stores, with one tank."""
    engine = open_engine(stores.settings.operational_url)
    told = Told()
    stores.add(TANK)
    try:
        yield World(stores, engine, _ruled(stores, engine, told), told)
    finally:
        engine.dispose()


def _ruled(stores: Stores, engine: Engine, told: Told) -> Ruling:
    return ruling(engine, stores.reader, stores.audit, told, stores.clock)


def at(moment: datetime, **before: float) -> datetime:
    """A time before another one."""
    return moment - timedelta(**before)


__all__ = ["HOT", "TANK", "Told", "World", "at", "world"]
