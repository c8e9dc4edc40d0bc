"""Bulk commands: stages, when they go on, when they stop, who is left out."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bootstrap_care import caring
from data.records import Device
from services.bulk import Bulk
from services.bulk_views import stage_sizes
from services.errors import Conflict, Forbidden, InvalidInput, NeedsConfirmation
from services.fleet import Fleet, FleetQuery
from services.health import Health
from tests.conftest import OPERATOR, VIEWER, Stores

ALL = FleetQuery()


@pytest.fixture
def bulk(stores: Stores) -> Bulk:
    """The service on real stores."""
    engine = stores.device_store._engine
    health = Health(stores.metrics, stores.clock)
    fleet = Fleet(stores.device_store, stores.metrics, health, stores.clock)
    return caring(
        engine, stores.reader, stores.devices, stores.metrics, fleet,
        stores.controls, stores.audit, stores.clock,
    ).bulk  # fmt: skip


def heaters(stores: Stores, count: int, **more: object) -> None:
    """Register heaters h-000, h-001, ..."""
    stores.add(
        *(Device(id=f"h-{i:03}", name=f"H{i}", **more) for i in range(count))  # type: ignore[arg-type]
    )


def answer(stores: Stores, state: str) -> int:
    """End every open command as devices would; how many."""
    waiting = stores.commands.waiting()
    with stores.shadows.transaction() as tx:
        stores.commands.save(
            tx,
            [
                type(c)(**{**vars(c), "state": state, "ended_at": stores.clock()})
                for c in waiting
            ],
        )
    return len(waiting)


@pytest.mark.parametrize(
    ("heaters_", "sizes"),
    [
        (1, (1, 0, 0)),
        (3, (1, 0, 2)),
        (20, (1, 1, 18)),
        (250, (3, 22, 225)),
        (1000, (10, 90, 900)),
    ],
)
def test_stages_are_one_ten_and_a_hundred_per_cent(
    heaters_: int, sizes: tuple[int, int, int]
) -> None:
    """Each stage brings the whole to its share; the first has at least one."""
    assert stage_sizes(heaters_) == sizes


def test_a_stage_begins_when_the_last_has_ended(bulk: Bulk, stores: Stores) -> None:
    """1, then up to 2, then all 20; nothing moves while a command is open."""
    heaters(stores, 20)
    view = bulk.start(OPERATOR, "target_temperature_c", 50, ALL)
    asked = []
    for _ in range(3):
        bulk.step()
        bulk.step()
        asked.append(answer(stores, "applied"))
        bulk.step()  # goes on to the next stage
    bulk.step()
    done = bulk.of(VIEWER, view.job.id)

    assert asked == [1, 1, 18]
    assert done.job.state == "done"
    assert [s.states.get("applied", 0) for s in done.stages] == [1, 1, 18]
    assert not done.may_stop
    made = stores.commands.of_job(view.job.id)
    assert {c.asked_by for c in made} == {"operator"}
    assert len({c.device_id for c in made}) == 20


@pytest.mark.parametrize("state", ["refused", "timed_out"])
def test_failures_stop_it(bulk: Bulk, stores: Stores, state: str) -> None:
    """One failure of a stage of one is more than 10 %: nobody else is asked."""
    heaters(stores, 20)
    view = bulk.start(OPERATOR, "target_temperature_c", 50, ALL)
    bulk.step()
    answer(stores, state)
    for _ in range(3):
        bulk.step()
    found = bulk.of(VIEWER, view.job.id)

    assert found.job.state == "stopped"
    assert "1 of 1 heaters of stage 1" in found.job.reason
    assert len(stores.commands.of_job(view.job.id)) == 1
    assert [left.state for left in found.left] == [state]


def test_few_failures_do_not_stop_it(bulk: Bulk, stores: Stores) -> None:
    """A share that is not larger than allowed goes on."""
    heaters(stores, 3)
    bulk.start(OPERATOR, "target_temperature_c", 50, ALL, stop_share=1.0)
    bulk.step()
    answer(stores, "refused")
    for _ in range(4):
        bulk.step()

    assert len(stores.commands.waiting()) == 2


def test_who_is_refused_is_listed_and_not_asked(bulk: Bulk, stores: Stores) -> None:
    """Limits and life cycle leave heaters out, with the reason; the rest is asked."""
    heaters(stores, 2)
    stores.add(
        Device(id="low", name="Low", setpoint_max_c=45),
        Device(id="idle", name="Idle", life_cycle="inactive"),
    )
    plan = bulk.preview(OPERATOR, "target_temperature_c", 50, ALL)
    assert (plan.found, plan.asked, len(plan.refused)) == (4, 2, 2)
    view = bulk.start(OPERATOR, "target_temperature_c", 50, ALL)
    for _ in range(6):
        bulk.step()
        answer(stores, "applied")
    found = bulk.of(VIEWER, view.job.id)

    assert {left.device_id: left.state for left in found.left} == {
        "low": "not asked",
        "idle": "not asked",
    }
    assert {c.device_id for c in stores.commands.of_job(view.job.id)} == {
        "h-000",
        "h-001",
    }


def test_stop_asks_nobody_else(bulk: Bulk, stores: Stores) -> None:
    """What was asked stays, no further heater is asked, and it says who stopped."""
    heaters(stores, 5)
    view = bulk.start(OPERATOR, "mode", "eco", ALL)
    bulk.step()
    stopped = bulk.stop(OPERATOR, view.job.id)
    answer(stores, "applied")
    bulk.step()

    assert stopped.job.reason == "stopped by operator"
    assert len(stores.commands.of_job(view.job.id)) == 1
    with pytest.raises(Conflict):
        bulk.stop(OPERATOR, view.job.id)


def test_a_heater_that_changed_meanwhile_is_left_out(
    bulk: Bulk, stores: Stores
) -> None:
    """The rules are asked again at the moment of the wish."""
    heaters(stores, 1)
    view = bulk.start(OPERATOR, "mode", "eco", ALL)
    device = stores.device_store.get("h-000")
    assert device is not None
    with stores.device_store.transaction() as tx:
        stores.device_store.replace(
            tx,
            type(device)(**{**vars(device), "life_cycle": "inactive"}),
            stores.clock(),
        )
    for _ in range(5):
        bulk.step()
    found = bulk.of(VIEWER, view.job.id)

    assert found.job.state == "done"
    assert "is inactive" in found.left[0].reason


def test_safety_and_roles_hold_for_many(bulk: Bulk, stores: Stores) -> None:
    """Hot water asks first, a viewer may not, one job at a time, none is named."""
    with pytest.raises(InvalidInput, match="none passes"):
        bulk.start(OPERATOR, "mode", "eco", ALL)
    heaters(stores, 2)
    stores.clock.forward(minutes=10)
    with pytest.raises(NeedsConfirmation):
        bulk.start(OPERATOR, "target_temperature_c", 58, ALL)
    with pytest.raises(Forbidden):
        bulk.start(VIEWER, "mode", "eco", ALL)
    with pytest.raises(InvalidInput, match="No heater can be asked"):
        bulk.start(OPERATOR, "target_temperature_c", 70, ALL, confirmed=True)
    with pytest.raises(InvalidInput, match="key must be"):
        bulk.start(OPERATOR, "power", True, ALL)
    bulk.start(OPERATOR, "target_temperature_c", 58, ALL, confirmed=True)
    with pytest.raises(Conflict):
        bulk.start(OPERATOR, "mode", "eco", ALL)


def test_an_expired_command_is_shown_and_does_not_stop(
    bulk: Bulk, stores: Stores
) -> None:
    """A heater that was away all day is no failure of the wish."""
    heaters(stores, 2)
    view = bulk.start(OPERATOR, "mode", "eco", ALL)
    bulk.step()
    stores.clock.forward(days=2)
    stores.courier.look_at_clock()
    for _ in range(3):
        bulk.step()
    found = bulk.of(VIEWER, view.job.id)

    assert found.job.state == "running"
    assert found.job.stage == 3
    assert found.stages[0].states == {"expired": 1}
    assert stores.clock() - found.job.asked_at == timedelta(days=2)
