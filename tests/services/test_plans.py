"""Weekly plans: times across daylight saving, safety, one wish for each entry."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from data.plan_store import PlanEntry, PlanStore
from data.records import Device
from data.talk_records import Command
from services.errors import Conflict, Forbidden, InvalidInput, NeedsConfirmation
from services.plan_times import instant, newest_until, next_after
from services.plans import Plans, Taken
from tests.conftest import NOW, OPERATOR, VIEWER, Stores

BERLIN = ZoneInfo("Europe/Berlin")
EVERY_DAY = tuple(range(7))


@pytest.fixture
def plans(stores: Stores) -> Plans:
    """The service on real stores."""
    return Plans(
        stores.devices,
        stores.device_store,
        PlanStore(stores.device_store._engine),
        stores.controls,
        stores.audit,
        stores.clock,
    )


def entry(at: str = "13:00", target_c: float = 50.0, **more: object) -> PlanEntry:
    """An entry of every day."""
    return replace(PlanEntry(EVERY_DAY, at, target_c), **more)  # type: ignore[arg-type]


def commands(stores: Stores) -> list[Command]:
    """Everything wished of the heater, oldest first."""
    return list(reversed(stores.commands.page("wh-1")))


def utc(text: str) -> datetime:
    """An aware time."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("day", "wall", "expected"),
    [
        ("2026-03-10", "06:30", "2026-03-10T05:30"),
        ("2026-07-10", "06:30", "2026-07-10T04:30"),
        ("2026-03-29", "02:30", "2026-03-29T01:00"),  # left out: 03:00 CEST
        ("2026-10-25", "02:30", "2026-10-25T00:30"),  # twice: the first, CEST
    ],
)
def test_a_local_time_is_one_instant(day: str, wall: str, expected: str) -> None:
    """A time that does not exist comes after the gap; one that is twice, once."""
    found = instant(date.fromisoformat(day), time.fromisoformat(wall), BERLIN)

    assert found == utc(expected)


def test_a_gap_of_half_an_hour_is_met_as_well() -> None:
    """Lord Howe moves its clocks by 30 minutes."""
    zone = ZoneInfo("Australia/Lord_Howe")
    found = instant(date(2026, 10, 4), time(2, 15), zone)

    assert found.astimezone(zone).time() == time(2, 30)


def test_a_repeated_time_does_not_come_twice() -> None:
    """After 02:30 summer time the next 02:30 is tomorrow's."""
    plan = [entry("02:30")]
    first = utc("2026-10-25T00:30")

    assert next_after(plan, BERLIN, first - timedelta(seconds=1)) == (first, plan[0])
    assert next_after(plan, BERLIN, first) == (utc("2026-10-26T01:30"), plan[0])


def test_the_week_goes_round() -> None:
    """An entry of Monday alone comes next Monday; no entry never comes."""
    monday = PlanEntry((0,), "06:00", 50.0)

    assert next_after([monday], BERLIN, NOW) == (utc("2026-03-16T05:00"), monday)
    assert newest_until([monday], BERLIN, NOW) == (utc("2026-03-09T05:00"), monday)
    assert next_after([], BERLIN, NOW) is None


def test_a_due_entry_is_asked_for_once(
    plans: Plans, stores: Stores, heater: Device
) -> None:
    """The wish stands when the time has come, not before, and not a second time."""
    wish = entry(mode="eco")
    saved = plans.save(OPERATOR, heater.id, [wish], "UTC", enabled=True, version=0)
    assert saved.next_at == utc("2026-03-10T13:00")
    assert plans.step() == 0

    stores.clock.forward(hours=1)
    assert plans.step() == 1
    assert plans.step() == 0
    made = {c.key: (c.value, c.asked_by) for c in commands(stores)}
    assert made == {
        "target_temperature_c": (50.0, "system"),
        "mode": ("eco", "system"),
    }
    view = plans.of(VIEWER, heater.id)
    assert view.plan is not None
    assert view.plan.next_at == utc("2026-03-11T13:00")
    assert view.next_entry == wish
    assert not view.may_edit


def test_after_downtime_only_the_newest_entry_is_asked_for(
    plans: Plans, stores: Stores, heater: Device
) -> None:
    """Three days away, six entries missed: one wish, the last."""
    entries = [entry("06:00", 50.0), entry("22:00", 45.0)]
    plans.save(OPERATOR, heater.id, entries, "UTC", enabled=True, version=0)
    stores.clock.forward(days=3)
    plans.step()
    plans.step()

    assert [c.value for c in commands(stores)] == [50.0]


def test_a_crash_between_claim_and_wish_loses_nothing(
    plans: Plans, stores: Stores, heater: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Claim and wish are one transaction: what failed is due again."""
    plans.save(OPERATOR, heater.id, [entry()], "UTC", enabled=True, version=0)
    stores.clock.forward(hours=1)
    with monkeypatch.context() as patch:
        patch.setattr(stores.commands, "add", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            plans.step()
    assert commands(stores) == []

    plans.step()
    assert len(commands(stores)) == 1


def test_two_workers_ask_once(plans: Plans, stores: Stores, heater: Device) -> None:
    """Who finds the entry claimed wishes nothing."""
    plans.save(OPERATOR, heater.id, [entry()], "UTC", enabled=True, version=0)
    stores.clock.forward(hours=1)
    (due,) = plans._store.due(stores.clock())
    plans.step()
    plans._apply(due)

    assert len(commands(stores)) == 1
    assert issubclass(Taken, Exception)


def test_safety_rules_hold_when_a_plan_is_saved(plans: Plans, heater: Device) -> None:
    """Above 54 °C asks, above 60 °C needs a valve, a mode must exist."""
    with pytest.raises(NeedsConfirmation):
        plans.save(
            OPERATOR, heater.id, [entry(target_c=58)], "UTC", enabled=True, version=0
        )
    saved = plans.save(
        OPERATOR, heater.id, [entry(target_c=58)], "UTC",
        enabled=True, version=0, confirmed=True,
    )  # fmt: skip
    assert saved.version == 1
    for bad in (entry(target_c=62), entry(mode="gas")):
        with pytest.raises(InvalidInput):
            plans.save(
                OPERATOR, heater.id, [bad], "UTC",
                enabled=True, version=1, confirmed=True,
            )  # fmt: skip


def test_an_entry_the_device_cannot_take_any_more_leaves_word(
    plans: Plans, stores: Stores, heater: Device
) -> None:
    """The plan moves on, and the event log says why nothing was asked."""
    plans.save(OPERATOR, heater.id, [entry()], "UTC", enabled=True, version=0)
    with stores.device_store.transaction() as tx:
        stores.device_store.replace(tx, replace(heater, setpoint_min_c=55.0), NOW)
    stores.clock.forward(hours=2)
    plans.step()

    assert commands(stores) == []
    events, _ = stores.device_store.events(heater.id)
    assert "takes 55 to 65" in events[0].message
    assert plans.step() == 0


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ([PlanEntry((), "06:00", 50.0)], "at least one day"),
        ([PlanEntry((7,), "06:00", 50.0)], "0 to 6"),
        ([entry("6:00")], "06:30"),
        ([entry("24:00")], "06:30"),
        ([entry(), PlanEntry((3,), "13:00", 55.0)], "same day and time"),
        ([entry(target_c=float("nan"))], "finite"),
        ([entry()] * 29, "at most 28"),
    ],
)
def test_what_is_no_plan_is_named(
    plans: Plans, heater: Device, wrong: list[PlanEntry], says: str
) -> None:
    """Days, time, target and number of entries are checked, with the entry."""
    with pytest.raises(InvalidInput, match=says):
        plans.save(OPERATOR, heater.id, wrong, "UTC", enabled=True, version=0)


def test_who_may_save_and_who_was_first(
    plans: Plans, stores: Stores, heater: Device
) -> None:
    """A viewer may not; a stale version is refused; off means nothing comes."""
    with pytest.raises(Forbidden):
        plans.save(VIEWER, heater.id, [entry()], "UTC", enabled=True, version=0)
    with pytest.raises(InvalidInput, match="zone"):
        plans.save(OPERATOR, heater.id, [entry()], "Mars", enabled=True, version=0)
    plans.save(OPERATOR, heater.id, [entry()], "UTC", enabled=False, version=0)
    with pytest.raises(Conflict):
        plans.save(OPERATOR, heater.id, [], "UTC", enabled=True, version=0)
    stores.clock.forward(days=1)
    assert plans.step() == 0
