"""The demo fleet on real stores: created, interrupted, stopped and carried on."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from data.records import METRICS, metric_mask
from data.talk_records import WISH_KEYS
from services import demo
from services.access import SYSTEM
from services.demo import DemoFleet, headstart
from services.demo_catalogue import PRODUCTS, fleet
from services.errors import Forbidden
from services.tank.faults import FAMILIES
from services.tank.heater import telemetry
from tests.conftest import ADMIN, NOW, VIEWER, Stores
from workers.simulator import Simulator

HEATERS = 4
"""Three healthy heaters and the first faulty one (an open element)."""


def demo_fleet(stores: Stores, seed: int = 42) -> DemoFleet:
    """A fleet on the stores, as a fresh process would build it."""
    return DemoFleet(
        stores.devices,
        stores.telemetry,
        stores.device_store,
        stores.shadows,
        state_file=stores.settings.home_dir / "demo_state.json",
        seed=seed,
        clock=stores.clock,
    )


@pytest.fixture
def created(stores: Stores) -> DemoFleet:
    """Four heaters with two days of history."""
    fleet = demo_fleet(stores)
    fleet.create(SYSTEM, days=2, heaters=HEATERS)
    return fleet


def stored(stores: Stores, device_id: str):
    """All readings of a heater, flushed and hot, in order of time."""
    return stores.lake.readings(
        device_id, NOW - timedelta(days=60), NOW + timedelta(days=60), limit=200_000
    )


def test_creation_fills_every_store(stores: Stores, created: DemoFleet):
    """Devices, two days at one minute, labels, shadow and latest readings are there."""
    assert created.exists
    devices = stores.devices.list(VIEWER)
    assert len(devices) == HEATERS
    assert all(device.simulated for device in devices)
    stores.flush()
    assert len(stored(stores, "heater-001")) == 2 * 1440
    [label] = stores.device_store.labelled_faults()
    assert (label.device_id, label.family) == ("heater-004", "element_open")
    shadow = stores.shadows.get("heater-002")
    assert shadow is not None
    assert set(shadow.reported) == {"firmware", *WISH_KEYS}
    latest = stores.metrics.latest([device.id for device in devices])
    assert {one.ts for one in latest.values()} == {NOW}


def test_healthy_history_is_not_flagged(stores: Stores, created: DemoFleet):
    """The quality rules find nothing wrong with heaters that have no fault."""
    stores.flush()
    quality = stored(stores, "heater-001")["quality"]
    assert (quality == 0).all()


def test_creation_needs_an_admin(stores: Stores):
    """A viewer cannot create the fleet."""
    with pytest.raises(Forbidden):
        demo_fleet(stores).create(VIEWER, days=1, heaters=1)


def test_interrupted_creation_goes_on_where_it_stopped(stores: Stores):
    """Killed after the first batch, the next call writes the rest, nothing twice."""

    def killed(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        demo_fleet(stores).create(ADMIN, days=2, heaters=HEATERS, progress=killed)
    again = demo_fleet(stores)
    assert not again.exists
    stores.clock.forward(minutes=7)
    steps: list[tuple[int, int]] = []
    again.create(ADMIN, progress=lambda *step: steps.append(step))
    assert steps == [(4, 4)]
    assert again.exists
    assert again.until() == NOW
    assert stores.flush() == HEATERS * 2 * 1440
    assert again.create(ADMIN) == 0


def test_live_readings_go_on_without_a_jump(stores: Stores, created: DemoFleet):
    """After a restart the meter and the temperature continue from the history."""
    before = stores.metrics.latest(["heater-001"])["heater-001"].values
    live = Simulator(demo_fleet(stores), speed=1.0)
    for _ in range(3):
        stores.clock.forward(seconds=6)
        assert live.tick() == HEATERS
    after = stores.metrics.latest(["heater-001"])["heater-001"]
    assert after.ts == NOW + timedelta(seconds=18)
    gained = after.values["energy_kwh"].value - before["energy_kwh"].value
    assert 0.0 <= gained < 0.05
    step = after.values["temperature_c"].value - before["temperature_c"].value
    assert abs(step) < 1.0


def test_missed_hours_are_made_up_minute_by_minute(stores: Stores, created: DemoFleet):
    """After three hours off, three hours of minutes come in, then it is live."""
    stores.clock.forward(hours=3, seconds=20)
    fleet = demo_fleet(stores)
    assert fleet.advance(SYSTEM, stores.clock()) == HEATERS * 181
    assert fleet.until() == stores.clock()
    stores.flush()
    steps = stored(stores, "heater-002")["ts"].diff().dropna().dt.total_seconds()
    assert steps.max() == 60.0


def test_made_up_hours_are_those_the_history_would_have_had(stores: Stores):
    """Stopping and catching up gives the readings of never having stopped."""
    whole = fleet(42, 1, NOW - timedelta(days=1), 1)[0]
    state = whole.heater.at_rest((NOW - timedelta(days=2)).timestamp())
    state.registers[demo.ENERGY_KWH] = whole.meter_kwh
    run = whole.heater.run(state, 60.0, 1440 * 2 + 120)
    created = demo_fleet(stores)
    created.create(SYSTEM, days=1, heaters=1)
    stores.clock.forward(hours=2)
    demo_fleet(stores).advance(SYSTEM, stores.clock())
    stores.flush()
    for metric in METRICS:
        expected = run.metrics[metric][1440:]
        np.testing.assert_array_equal(stored(stores, "heater-001")[metric], expected)


def test_a_long_stop_leaves_an_honest_gap(stores: Stores, created: DemoFleet):
    """After 20 days off only the last seven are simulated; before is a gap."""
    stores.clock.forward(days=20)
    taken = demo_fleet(stores).advance(SYSTEM, stores.clock())
    assert taken == HEATERS * 7 * 1440
    stores.flush()
    gap = stored(stores, "heater-001")["ts"].diff().max()
    assert gap == timedelta(days=13, minutes=1)


def test_time_lapse_catches_up_and_never_passes_the_present(stores: Stores):
    """At 120 times speed whole minutes run until now, then the fleet is live."""
    fleet = demo_fleet(stores)
    fleet.create(SYSTEM, days=1, heaters=1, speed=3.0)
    assert fleet.until() == NOW - headstart(3.0)
    live = Simulator(fleet, speed=120.0)
    reached = []
    for _ in range(10):
        live.tick()
        reached.append(fleet.until())
        stores.clock.forward(seconds=5)
    assert reached[0] == NOW - headstart(3.0) + timedelta(minutes=10)
    assert reached == sorted(reached)
    assert reached[-1] == stores.clock() - timedelta(seconds=5)
    latest = stores.metrics.latest(["heater-001"])["heater-001"]
    assert latest.ts == reached[-1]


def test_slow_time_lapse_adds_up_its_seconds(stores: Stores):
    """At twice the speed, six ticks of 5 s are one simulated minute."""
    fleet = demo_fleet(stores)
    fleet.create(SYSTEM, days=1, heaters=1, speed=2.0)
    live = Simulator(fleet, speed=2.0)
    for _ in range(6):
        live.tick()
        stores.clock.forward(seconds=5)
    assert fleet.until() == NOW - headstart(2.0) + timedelta(minutes=1)


@pytest.mark.parametrize(
    ("speed", "hours"), [(0.5, 0.0), (1.0, 0.0), (2.0, 0.5), (3600.0, 168.0)]
)
def test_headstart_gives_a_time_lapse_room(speed: float, hours: float):
    """Half an hour at the extra speed, a week at most, nothing at normal speed."""
    assert headstart(speed) == timedelta(hours=hours)


def test_half_a_state_file_is_never_seen(
    stores: Stores, created: DemoFleet, monkeypatch
):
    """A process killed while writing leaves the state of before."""
    path = stores.settings.home_dir / "demo_state.json"
    before = path.read_text(encoding="utf-8")

    def killed(_descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(demo.os, "fsync", killed)
    stores.clock.forward(seconds=5)
    with pytest.raises(KeyboardInterrupt):
        created.advance(SYSTEM, stores.clock())
    assert path.read_text(encoding="utf-8") == before
    json.loads(before)


def test_sensor_codes_are_flagged_at_the_door(stores: Stores):
    """The fleet's broken sensor sends codes that the quality rules catch, all."""
    member = next(
        m for m in fleet(42, 60, NOW - timedelta(days=90), 90)
        if any(fault.family == "sensor_codes" for fault in m.heater.faults)
    )  # fmt: skip
    stores.add(member.device)
    state = member.heater.at_rest((NOW - timedelta(days=3)).timestamp())
    run = member.heater.run(state, 60.0, 3 * 1440)
    stores.telemetry.accept_bulk(SYSTEM, telemetry([(member.heater, run)]))
    stores.flush()
    rows = stored(stores, member.device.id)
    codes = rows["temperature_c"].isin((888.8, -999.9))
    flagged = (rows["quality"] & metric_mask("temperature_c")) != 0
    assert codes.sum() > 0
    assert (flagged == codes).all()


def test_fleet_of_sixty_is_varied_and_a_quarter_is_faulty():
    """All products, both types, every fault family, unique names, labelled truth."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    members = fleet(42, 60, start, 90)
    assert members == fleet(42, 60, start, 90)
    assert {m.device.model for m in members} == {p.model for p in PRODUCTS}
    assert {m.device.type for m in members} == {"electric", "heat_pump"}
    assert len({m.device.name for m in members}) == 60
    assert {m.device.mixing_valve for m in members} == {True, False, None}
    faulty = [m for m in members if m.heater.faults]
    assert len(faulty) == 15
    assert {f.family for m in faulty for f in m.heater.faults} == set(FAMILIES)
    end_s = start.timestamp() + 90 * 86_400.0
    for member in faulty:
        for fault in member.heater.faults:
            assert start.timestamp() < fault.start_s < min(fault.end_s, end_s)


def test_limits_come_from_the_product():
    """A commercial heater's scale is not a flat's, and habits stay in the limits."""
    members = fleet(42, 60, NOW, 90)
    scales = {m.device.bands["power_w"].high for m in members}
    assert len(scales) >= 4
    for member in members:
        assert member.heater.habit.mode in member.device.modes
        assert member.heater.habit.highest_c <= member.device.setpoint_max_c
        for lacking in member.heater.sensors.lacks:
            assert lacking not in member.device.bands


def test_events_tell_what_happened(stores: Stores):
    """Errors once a day, repairs and outages once, changes by the household."""
    fleet = demo_fleet(stores)
    fleet.create(SYSTEM, days=20, heaters=HEATERS)
    found, _ = stores.device_store.events("heater-004", limit=500)
    errors = [event for event in found if event.message.startswith("E10")]
    assert errors
    assert all(event.severity == "high" for event in errors)
    days = np.diff(sorted(event.ts for event in errors))
    assert all(step >= timedelta(days=1) for step in days)
    everyone = [
        event
        for device in stores.devices.list(VIEWER)
        for event in stores.device_store.events(device.id, limit=500)[0]
    ]
    changes = [event for event in everyone if event.actor == "household"]
    assert changes
    assert all("set to" in event.message for event in changes)


def test_outage_is_said_when_it_begins_and_when_it_ends(stores: Stores):
    """The heater with outages logs as many returns as departures."""
    members = fleet(42, 60, NOW - timedelta(days=10), 10)
    member = next(
        m for m in members if sum(f.family == "offline" for f in m.heater.faults) > 1
    )
    state = member.heater.at_rest((NOW - timedelta(days=10)).timestamp())
    run = member.heater.run(state, 60.0, 10 * 1440)
    messages = [event.message for event in demo.events(member, run, state)]
    assert messages.count("Went offline") == 4
    assert messages.count("Back online") == 4
