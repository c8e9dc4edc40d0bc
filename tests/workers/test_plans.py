"""The worker's part that asks for plan entries and bulk stages."""

from __future__ import annotations

from datetime import timedelta
from threading import Event, Thread
from time import sleep
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.exc import OperationalError

from bootstrap_care import caring
from data.plan_store import PlanEntry
from data.records import Device
from services.care import Care
from services.fleet import Fleet, FleetQuery
from services.health import Health
from services.maintenance import Entry
from tests.conftest import OPERATOR, Stores
from workers.plans import PlansLoop


@pytest.fixture
def care(stores: Stores) -> Care:
    """The services on real stores."""
    health = Health(stores.metrics, stores.clock)
    fleet = Fleet(stores.device_store, stores.metrics, health, stores.clock)
    return caring(
        stores.device_store._engine, stores.reader, stores.devices, stores.metrics,
        fleet, stores.controls, stores.audit, stores.clock,
    )  # fmt: skip


def test_a_look_asks_for_both(care: Care, stores: Stores, heater: Device) -> None:
    """A due entry and the first stage of a bulk command are asked in one look."""
    entry = PlanEntry((1,), "12:30", 50.0)
    care.plans.save(OPERATOR, heater.id, [entry], "UTC", enabled=True, version=0)
    care.bulk.start(OPERATOR, "mode", "eco", FleetQuery())
    stores.clock.now += timedelta(hours=1)
    loop = PlansLoop(care.plans, care.bulk)

    assert loop.step() == 2
    assert loop.step() == 0
    assert {c.key for c in stores.commands.waiting()} == {
        "target_temperature_c",
        "mode",
    }


def test_a_busy_database_is_waited_for(
    care: Care, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The loop goes on after a database that did not answer, and ends when told."""
    looks = []

    def step() -> int:
        looks.append(1)
        if len(looks) == 1:
            raise OperationalError("x", {}, Exception("locked"))
        return 0

    monkeypatch.setattr("workers.plans.LOOK_EVERY_S", 0.01)
    monkeypatch.setattr(care.plans, "step", step)
    stop = Event()
    thread = Thread(target=PlansLoop(care.plans, care.bulk).run, args=(stop,))
    thread.start()
    while len(looks) < 3 and thread.is_alive():
        sleep(0.01)
    stop.set()
    thread.join(5)

    assert len(looks) >= 3
    assert not thread.is_alive()


def test_plans_bulk_and_maintenance_work_on_postgresql(
    postgres_stores: Stores,
) -> None:
    """Claims, stages and the log do on PostgreSQL what they do on SQLite."""
    stores = postgres_stores
    stores.add(Device(id="wh-1", name="A"), Device(id="wh-2", name="B"))
    health = Health(stores.metrics, stores.clock)
    fleet = Fleet(stores.device_store, stores.metrics, health, stores.clock)
    care = caring(
        stores.device_store._engine, stores.reader, stores.devices, stores.metrics,
        fleet, stores.controls, stores.audit, stores.clock,
    )  # fmt: skip
    entry = PlanEntry((1,), "12:30", 50.0)
    care.plans.save(OPERATOR, "wh-1", [entry], "UTC", enabled=True, version=0)
    job = care.bulk.start(OPERATOR, "mode", "eco", FleetQuery()).job
    stores.clock.now += timedelta(hours=1)
    loop = PlansLoop(care.plans, care.bulk)

    assert loop.step() == 2
    assert loop.step() == 0
    assert care.bulk.stop(OPERATOR, job.id).job.state == "stopped"
    care.maintenance.add(OPERATOR, "wh-1", Entry("anode", stores.clock().date()))
    view = care.maintenance.of(OPERATOR, "wh-1", ZoneInfo("UTC"))
    assert [e.kind for e in view.entries] == ["anode"]
    assert care.ledger.of(OPERATOR, "wh-1").verdict == "cannot tell"
    assert care.codes.of(OPERATOR, "wh-1").reported == ()
