"""The Details view of one heater on real stores."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from data.records import Device, Event
from services.details import EVENTS_PAGE, Details
from services.errors import InvalidInput, NotFound
from services.health import Health
from tests.conftest import ADMIN, NOW, OPERATOR, SYSTEM, VIEWER, Stores, readings

UTC_ZONE = ZoneInfo("UTC")
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture
def details(stores: Stores) -> Details:
    """The service under test."""
    health = Health(stores.metrics, stores.clock)
    return Details(
        stores.devices,
        stores.device_store,
        stores.shadows,
        stores.metrics,
        health,
        stores.clock,
    )


def log(stores: Stores, device_id: str, count: int, category: str = "status") -> None:
    """Write events one minute apart, the newest now."""
    events = [
        Event(device_id, NOW - timedelta(minutes=i), category, "info", f"event {i}")
        for i in range(count)
    ]
    with stores.device_store.transaction() as tx:
        stores.device_store.add_events(tx, events)


def test_a_heater_without_a_reading_has_no_numbers(
    details: Details, heater: Device
) -> None:
    """Nothing is invented for a heater that has never reported."""
    view = details.of(VIEWER, heater.id, UTC_ZONE)

    assert view.connectivity == "never"
    assert view.status == "unknown"
    assert not view.values
    assert view.shadow is None
    assert view.health.verdict == "cannot tell"
    assert view.today.energy_kwh is None
    assert view.week.energy_kwh is None
    assert view.doubts == ()
    assert view.events.total == 0
    assert view.age_days is None


def test_one_reading_is_shown_with_its_time(
    details: Details, heater: Device, stores: Stores
) -> None:
    """A single reading gives values and status, and no energy from nothing."""
    ts = NOW - timedelta(minutes=1)
    frame = readings(heater.id, ts, 1, temperature_c=56.0, heating=True, mode="eco")
    stores.telemetry.accept(SYSTEM, frame)

    view = details.of(VIEWER, heater.id, UTC_ZONE)

    assert (view.values["temperature_c"].value, view.values["temperature_c"].ts) == (
        56.0,
        ts,
    )
    assert view.status == "heating"
    assert view.connectivity == "online"
    assert view.today.readings == 1
    assert view.today.energy_kwh is None
    assert "target_temperature_c" not in view.values


def test_only_flagged_readings_give_doubts_and_no_value(
    details: Details, heater: Device, stores: Stores
) -> None:
    """Fault codes are listed with metric, reason and time, and are no temperature."""
    start = NOW - timedelta(hours=1)
    frame = readings(heater.id, start, 60, temperature_c=888.8)
    stores.telemetry.accept(SYSTEM, frame)
    stores.flush()

    view = details.of(VIEWER, heater.id, UTC_ZONE)

    (doubt,) = view.doubts
    assert (
        doubt.metric,
        doubt.reason,
        doubt.count,
        doubt.newest,
    ) == ("temperature_c", "fault_code", 60, 888.8)
    assert (doubt.first, doubt.last) == (start, NOW - timedelta(minutes=1))
    assert "temperature_c" not in view.values
    value, reasons = view.rejected["temperature_c"]
    assert (value.value, reasons) == (888.8, ("fault_code",))


def test_doubts_count_hot_and_stored_readings_once(
    details: Details, heater: Device, stores: Stores
) -> None:
    """A flagged reading counts once, in the hot table, in the lake and in both."""
    start = NOW - timedelta(hours=2)
    frame = readings(heater.id, start, 100, temperature_c=-127.0)
    stores.telemetry.accept(SYSTEM, frame.iloc[:60])
    stores.flush()
    stores.telemetry.accept(SYSTEM, frame.iloc[40:])

    (doubt,) = details.of(VIEWER, heater.id, UTC_ZONE).doubts

    assert doubt.count == 100


def test_a_heater_that_only_tells_its_mode_has_no_numbers(
    details: Details, heater: Device, stores: Stores
) -> None:
    """Every metric may be missing: the heater is online, the rest unknown."""
    frame = readings(heater.id, NOW - timedelta(minutes=10), 10, mode="eco")
    stores.telemetry.accept(SYSTEM, frame)

    view = details.of(VIEWER, heater.id, UTC_ZONE)

    assert (view.connectivity, view.status) == ("online", "unknown")
    assert set(view.values) == {"mode"}
    assert view.today.energy_kwh is None


def test_today_begins_at_the_readers_midnight(
    details: Details, heater: Device, stores: Stores
) -> None:
    """Energy today counts from midnight in the reader's zone, as ``usage`` does."""
    start = NOW - timedelta(hours=24)
    frame = readings(heater.id, start, 1440, temperature_c=56.0, power_w=1000.0)
    frame["temperature_c"] += [i % 9 / 10 for i in range(1440)]
    stores.telemetry.accept(SYSTEM, frame)

    utc = details.of(VIEWER, heater.id, UTC_ZONE).today
    berlin = details.of(VIEWER, heater.id, BERLIN).today

    assert utc.energy_kwh == pytest.approx(12.0, abs=0.05)
    assert berlin.energy_kwh == pytest.approx(13.0, abs=0.05)
    again = stores.metrics.usage([heater], berlin.start, NOW)[heater.id]
    assert berlin == again


def test_a_mode_off_heater_is_off_and_an_idle_one_stands_by(
    details: Details, heater: Device, stores: Stores
) -> None:
    """Status tells mode off from not heating, and says nothing once offline."""
    ts = NOW - timedelta(minutes=2)
    for minutes, mode in ((0, "eco"), (1, "off")):
        at = ts + timedelta(minutes=minutes)
        frame = readings(heater.id, at, 1, temperature_c=50.0, power_w=0.0, mode=mode)
        stores.telemetry.accept(SYSTEM, frame)
        expected = "standby" if mode == "eco" else "off"
        assert details.of(VIEWER, heater.id, UTC_ZONE).status == expected
    stores.clock.forward(hours=2)
    assert details.of(VIEWER, heater.id, UTC_ZONE).status == "unknown"


def test_the_shadow_shows_each_key_with_its_time(
    details: Details, heater: Device, stores: Stores
) -> None:
    """What a device has reported stands in the shadow, key by key."""
    with stores.shadows.transaction() as tx:
        stores.shadows.put_reported(tx, heater.id, {"mode": "eco"}, NOW)
        later = NOW + timedelta(seconds=5)
        stores.shadows.put_reported(tx, heater.id, {"firmware": "2.1"}, later)

    shadow = details.of(VIEWER, heater.id, UTC_ZONE).shadow

    assert shadow is not None
    assert shadow.version == 2
    assert [(r.key, r.reported, r.reported_at, r.differs) for r in shadow.rows] == [
        ("firmware", "2.1", later, False),
        ("mode", "eco", NOW, False),
    ]
    assert details.shadow(VIEWER, heater.id).version == 2


def test_no_shadow_is_said(details: Details, heater: Device) -> None:
    """Asking for a shadow that was never reported is not found."""
    with pytest.raises(NotFound, match="never reported"):
        details.shadow(VIEWER, heater.id)


def test_event_pages_hold_every_event_once(
    details: Details, heater: Device, stores: Stores
) -> None:
    """Pages of the log do not overlap; one past the last is the last."""
    log(stores, heater.id, 2 * EVENTS_PAGE + 3)

    pages = [
        details.of(VIEWER, heater.id, UTC_ZONE, page=n).events for n in (1, 2, 3, 9)
    ]

    assert [len(page.events) for page in pages] == [EVENTS_PAGE, EVENTS_PAGE, 3, 3]
    shown = [event.id for page in pages[:3] for event in page.events]
    assert len(set(shown)) == 2 * EVENTS_PAGE + 3
    assert pages[3].page == 3
    assert pages[0].events[0].message == "event 0"


def test_events_of_one_category_can_be_read_to_the_end(
    details: Details, heater: Device, stores: Stores
) -> None:
    """Going on from the last event read gives every event of a category once."""
    log(stores, heater.id, 7, "alert")
    log(stores, heater.id, 3, "user")
    seen: list[str] = []
    before, more = None, True
    while more:
        found, more = details.events(
            VIEWER, heater.id, category="alert", before=before, limit=3
        )
        seen += [event.message for event in found]
        before = (found[-1].ts, found[-1].id or 0)

    assert seen == [f"event {i}" for i in range(7)]


def test_an_unknown_category_or_page_is_refused(
    details: Details, heater: Device
) -> None:
    """A category that does not exist and page 0 are named in the refusal."""
    with pytest.raises(InvalidInput, match="category"):
        details.of(VIEWER, heater.id, UTC_ZONE, category="gossip")
    with pytest.raises(InvalidInput, match="page"):
        details.of(VIEWER, heater.id, UTC_ZONE, page=0)


def test_age_and_warranty_are_counted_in_days(
    details: Details, heater: Device, stores: Stores
) -> None:
    """Age runs from the installation, the warranty to its end, past it negative."""
    changed = replace(
        heater,
        installed_on=NOW.date() - timedelta(days=800),
        warranty_until=NOW.date() - timedelta(days=70),
    )
    stores.devices.update(ADMIN, changed)

    view = details.of(VIEWER, heater.id, UTC_ZONE)

    assert (view.age_days, view.warranty_days) == (800, -70)


def test_what_the_reader_may_do_is_in_the_view(
    details: Details, heater: Device
) -> None:
    """Control is for operators, editing for admins."""
    rights = [
        (view.may_control, view.may_edit)
        for who in (VIEWER, OPERATOR, ADMIN)
        for view in [details.of(who, heater.id, UTC_ZONE)]
    ]

    assert rights == [(False, False), (True, False), (True, True)]


def test_an_unknown_heater_is_not_found(details: Details) -> None:
    """An id nobody registered is not found."""
    with pytest.raises(NotFound):
        details.of(VIEWER, "nobody", UTC_ZONE)


def test_all_wrong_fields_are_named_at_once(stores: Stores) -> None:
    """Registering with several wrong fields names each of them."""
    wrong = Device(
        id="a b", name=" ", capacity_l=-3, setpoint_min_c=60, setpoint_max_c=50,
        installed_on=date(2020, 1, 1), warranty_until=date(2019, 1, 1),
    )  # fmt: skip
    with pytest.raises(InvalidInput) as error:
        stores.devices.register(ADMIN, wrong)

    for part in ("id must", "name must", "capacity_l", "setpoint_min_c", "warranty"):
        assert part in str(error.value)


def test_doubts_of_no_readings_are_none(details: Details, heater: Device) -> None:
    """A heater without flagged readings has no doubts."""
    frame = details._metrics.flagged(heater.id, NOW - timedelta(days=7), NOW)

    assert isinstance(frame, pd.DataFrame)
    assert frame.empty
