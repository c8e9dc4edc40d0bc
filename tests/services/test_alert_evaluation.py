"""The evaluation of rules on real stores: when alerts come, clear and come again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from data.records import Band, Device
from services.access import SYSTEM
from tests.conftest import NOW, Stores
from tests.services.alert_world import TANK, World, at
from tests.services.alert_world import world as opened


@pytest.fixture
def world(stores: Stores) -> Iterator[World]:
    """Stores with one tank."""
    yield from opened(stores)


def test_an_alert_comes_after_its_delay_and_clears_after_its_own(world: World) -> None:
    """Two minutes over the threshold raise it, two minutes well below clear it."""
    world.rule()
    world.look()
    world.pass_by([60, 71, 72])
    assert world.alerts == []

    world.pass_by([73])
    (raised,) = world.alerts
    assert raised.active
    assert raised.started_at == at(world.stores.clock(), minutes=2)
    assert raised.raised_at == world.stores.clock()
    assert raised.message == "Boiler room is at 73 °C, over 70 °C."
    assert raised.severity == "high"

    world.pass_by([69, 69, 69, 69])
    assert world.alerts[0].active, "within the deadband"
    world.pass_by([67, 66, 65])
    (cleared,) = world.alerts
    assert not cleared.active
    assert cleared.cleared_at == world.stores.clock()
    assert world.history == ["activated", "cleared"]
    assert world.told.events == [("wh-1", "activated"), ("wh-1", "cleared")]


def test_a_look_twice_changes_nothing(world: World) -> None:
    """The same data looked at again, by the same worker or a new one: one alert."""
    world.rule()
    world.look()
    world.pass_by([80, 80, 80])
    assert world.look() == 0
    world.again()
    assert world.look() == 0
    world.again()
    world.pass_by([80])

    assert len(world.alerts) == 1
    assert world.history == ["activated"]


def test_what_holds_now_is_seen_at_the_first_look_since_it_began(world: World) -> None:
    """A new rule tells what holds now with its true beginning, and nothing older."""
    world.send([80] * 30 + [60] * 30 + [80] * 20)
    world.stores.flush()
    world.rule()
    world.look()

    (raised,) = world.alerts
    assert raised.started_at == at(NOW, minutes=19)
    assert world.history == ["activated"]


def test_the_far_past_raises_nothing(world: World) -> None:
    """Readings of two days ago, hot as they were, are not judged."""
    world.send([90] * 60, ago=2 * 86_400)
    world.rule()
    world.look()

    assert world.alerts == []


def test_a_cleared_alert_nobody_has_seen_is_raised_again(world: World) -> None:
    """It is the same alert with one activation more; an acknowledged one is over."""
    world.rule(for_s=0, off_delay_s=0)
    world.look()
    world.pass_by([80, 60, 81])
    (first,) = world.alerts
    assert (first.active, first.activations) == (True, 2)
    assert world.history == ["activated", "cleared", "activated"]

    world.change(first, acknowledged_at=NOW, acknowledged_by="ann")
    world.pass_by([60, 82])
    assert [a.active for a in world.alerts] == [False, True]


def test_a_resolved_alert_stays_quiet_until_it_has_cleared_once(world: World) -> None:
    """While its condition goes on nobody is told again; afterwards it may come anew."""
    world.rule(for_s=0, off_delay_s=0)
    world.look()
    world.pass_by([80])
    world.change(world.alerts[0], resolved_at=NOW, resolved_by="ann")
    world.pass_by([81, 82])
    world.again()
    world.pass_by([83])
    assert len(world.alerts) == 1

    world.pass_by([60, 84])
    assert len(world.alerts) == 2
    assert world.told.events == [("wh-1", "activated"), ("wh-1", "activated")]


def test_a_shelved_alert_is_not_announced(world: World) -> None:
    """Its history goes on; nobody is told before the shelf has run out."""
    world.rule(for_s=0, off_delay_s=0)
    world.look()
    world.pass_by([80])
    until = world.stores.clock() + timedelta(hours=1)
    world.change(world.alerts[0], shelved_until=until, shelved_by="ann")
    world.pass_by([60, 80])

    assert world.history == ["activated", "cleared", "activated"]
    assert world.told.events == [("wh-1", "activated")]


def test_missing_and_flagged_values_neither_fire_nor_clear(world: World) -> None:
    """A fault code is no temperature, and silence is no evidence."""
    world.rule(for_s=0, off_delay_s=0)
    world.look()
    world.pass_by([999.9, None, 888.8])
    assert world.alerts == []
    world.pass_by([80, None, -127.0])
    world.stores.clock.forward(hours=5)
    world.look()

    assert [a.active for a in world.alerts] == [True]


def test_a_gap_begins_the_delay_anew(world: World) -> None:
    """Two hot readings an hour apart do not say that it was hot for an hour."""
    world.rule(for_s=600)
    world.look()
    world.pass_by([80])
    world.stores.clock.forward(hours=1)
    world.pass_by([80])
    assert world.alerts == []


def test_too_cold_means_nothing_while_a_tank_is_off(world: World) -> None:
    """Mode off never fires it and ends it; in eco the same temperature fires."""
    world.rule(operator="<", threshold=45.0, for_s=0, off_delay_s=0)
    world.look()
    world.pass_by([30, 30], mode="off")
    assert world.alerts == []
    world.pass_by([30], mode="eco")
    assert [a.active for a in world.alerts] == [True]
    world.pass_by([30], mode="off")
    assert [a.active for a in world.alerts] == [False]


def test_an_idle_outlet_is_not_judged(world: World) -> None:
    """A cold outlet counts only while water is drawn."""
    world.rule(
        metric="outlet_temperature_c", operator="<", threshold=35.0, for_s=0,
        off_delay_s=0,
    )  # fmt: skip
    world.look()
    world.pass_by([60, 60], outlet_temperature_c=20.0, flow_lpm=0.0)
    assert world.alerts == []
    world.pass_by([60], outlet_temperature_c=20.0, flow_lpm=6.0)
    assert len(world.alerts) == 1


def test_the_limit_is_each_devices_own(world: World) -> None:
    """One threshold from each gauge; a heater without the limit is left alone."""
    warm = Device(id="wh-2", name="B", bands={"temperature_c": Band(0, 100)})
    world.stores.add(warm)
    world.rule(threshold=None, limit="alarm_high", for_s=0)
    world.look()
    world.send([78], device="wh-1")
    world.send([99], device="wh-2")
    world.look()

    assert [(a.subject, a.evidence["threshold"]) for a in world.alerts] == [
        ("wh-1", 75)
    ]


def test_scope_and_expression_are_kept_to(world: World) -> None:
    """Only heaters of the building, by the difference of two of their metrics."""
    world.stores.add(Device(id="wh-2", name="B", building="South"))
    world.rule(
        metric=None, expression="temperature_c - inlet_temperature_c", threshold=50.0,
        for_s=0, scope={"buildings": ["South"]},
    )  # fmt: skip
    world.look()
    for device in ("wh-1", "wh-2"):
        world.send([70], device=device, inlet_temperature_c=10.0)
    world.look()

    assert [(a.subject, a.value) for a in world.alerts] == [("wh-2", 60.0)]


def test_silence_is_told_and_ends_with_the_next_reading(world: World) -> None:
    """Offline begins when ten minutes had passed, whenever the worker looks."""
    world.rule(metric="offline_min", threshold=10.0, for_s=0, off_delay_s=0, deadband=0)
    world.send([60])
    world.look()
    world.stores.clock.forward(minutes=9)
    world.look()
    assert world.alerts == []
    world.stores.clock.forward(minutes=3)
    world.look()
    (silent,) = world.alerts
    assert silent.started_at == at(world.stores.clock(), minutes=2)
    world.pass_by([60])
    assert [a.active for a in world.alerts] == [False]


def test_nobody_is_silent_while_nobody_listens(world: World) -> None:
    """After the worker was away a heater has ten minutes to be heard again."""
    world.rule(metric="offline_min", threshold=10.0, for_s=0, off_delay_s=0, deadband=0)
    world.send([60])
    world.stores.clock.forward(minutes=30)
    world.ruled.evaluation.nobody_listened_before(world.stores.clock())
    world.look()
    world.stores.clock.forward(minutes=9)
    world.look()
    assert world.alerts == []

    world.stores.clock.forward(minutes=2)
    world.look()
    (silent,) = world.alerts
    assert silent.value == pytest.approx(11.0)
    assert silent.message == "Boiler room is at 11 min, over 10 min."


def test_a_rule_that_goes_ends_its_alerts_and_says_why(world: World) -> None:
    """Disabled or removed: cleared with the reason; enabled again: raised again."""
    view = world.rule(for_s=0)
    world.look()
    world.pass_by([80])
    world.ruled.rules.enable(SYSTEM, "hot", False)
    world.look()
    assert [a.active for a in world.alerts] == [False]
    world.ruled.rules.enable(SYSTEM, "hot", True)
    world.look()
    assert [a.active for a in world.alerts] == [True]
    world.ruled.rules.remove(SYSTEM, view.spec.key)
    world.again()
    world.look()

    assert [a.active for a in world.alerts] == [False]
    assert world.history == ["activated", "cleared", "activated", "cleared"]


def test_a_device_out_of_use_ends_its_alerts(world: World) -> None:
    """Also when that happened while no worker ran."""
    world.rule(for_s=0)
    world.look()
    world.pass_by([80])
    with world.stores.device_store.transaction() as tx:
        gone = replace(TANK, life_cycle="inactive")
        world.stores.device_store.replace(tx, gone, world.stores.clock())
    world.again()
    world.look()

    assert [a.active for a in world.alerts] == [False]
    assert world.look() == 0


def test_a_changed_rule_judges_anew(world: World) -> None:
    """A raised threshold clears, a lowered one raises what holds, a severity moves."""
    world.rule(for_s=0, off_delay_s=0)
    world.look()
    world.pass_by([80])
    world.rule(for_s=0, off_delay_s=0, severity="critical")
    world.look()
    assert [a.severity for a in world.alerts] == ["critical"]
    world.rule(threshold=90.0, for_s=0, off_delay_s=0)
    world.look()
    assert [a.active for a in world.alerts] == [False]
    world.rule(threshold=75.0, for_s=0, off_delay_s=0)
    world.look()

    assert [(a.active, a.activations) for a in world.alerts] == [(True, 2)]
    assert world.history == ["activated", "severity", "cleared", "activated"]


def test_a_clock_set_back_is_harmless(world: World) -> None:
    """An hour back: nothing turns, and the rules go on working afterwards."""
    world.rule(for_s=0, off_delay_s=0)
    world.rule(key="gone", metric="offline_min", threshold=10.0, deadband=0, for_s=0)
    world.look()
    world.pass_by([80])
    before = world.history
    world.stores.clock.forward(hours=-1)
    assert world.look() == 0
    assert world.history == before
    world.stores.clock.forward(hours=1, minutes=30)
    world.look()
    assert {a.rule_key: a.active for a in world.alerts} == {"hot": True, "gone": True}


def test_the_evidence_is_what_was_seen(world: World) -> None:
    """The series up to the firing with its threshold, at most 200 points."""
    world.send([60 + i / 60 for i in range(900)])
    world.rule(for_s=3 * 3_600)
    world.look()
    (raised,) = world.alerts
    points = raised.evidence["points"]

    assert isinstance(points, list)
    assert len(points) == 200
    assert points[-1] == [raised.raised_at.isoformat(), raised.evidence["peak"]]
    assert (raised.value, raised.last_at) == (pytest.approx(60 + 899 / 60), NOW)
    assert raised.raised_at - raised.started_at == timedelta(hours=3)
    assert raised.evidence["threshold"] == 70.0
    assert min(v for _at, v in points) < 70.0


def test_readings_that_came_while_no_worker_ran_are_judged(world: World) -> None:
    """What fired and cleared in between is in the history of one alert."""
    world.rule(for_s=0, off_delay_s=0)
    world.look()
    world.pass_by([60])
    world.stores.clock.forward(minutes=5)
    world.send([80, 81, 60, 60])
    world.stores.flush()
    world.stores.clock.forward(minutes=20)
    world.stores.flush()
    world.again()
    world.look()

    assert [(a.active, a.activations) for a in world.alerts] == [(False, 1)]
    assert world.history == ["activated", "cleared"]
