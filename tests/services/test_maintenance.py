"""The maintenance log: written, dated, due."""

from __future__ import annotations

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest

from data.maintenance_store import MaintenanceStore
from data.records import Device
from services.errors import Forbidden, InvalidInput, NotFound
from services.maintenance import Due, Entry, Maintenance
from tests.conftest import NOW, OPERATOR, VIEWER, Stores

UTC_ZONE = ZoneInfo("UTC")
TODAY = NOW.date()


@pytest.fixture
def log(stores: Stores) -> Maintenance:
    """The service on real stores."""
    return Maintenance(
        stores.devices,
        stores.device_store,
        MaintenanceStore(stores.device_store._engine),
        stores.audit,
        stores.clock,
    )


def test_an_entry_is_kept_with_event_and_writer(
    log: Maintenance, stores: Stores, heater: Device
) -> None:
    """Empty "by" is the writer; the event log says what was done."""
    log.add(OPERATOR, heater.id, Entry("anode", TODAY, " new magnesium "))
    log.add(OPERATOR, heater.id, Entry("filter", date(2025, 1, 2), by="ACME"))
    view = log.of(VIEWER, heater.id, UTC_ZONE)

    assert [(e.kind, e.by, e.note) for e in view.entries] == [
        ("anode", "operator", "new magnesium"),
        ("filter", "ACME", ""),
    ]
    events, _ = stores.device_store.events(heater.id, category="maintenance")
    assert [e.message for e in events][-1] == (
        "Maintenance: anode done on 2026-03-10 by operator: new magnesium"
    )
    assert events[-1].actor == "operator"
    assert not view.may_write


def test_the_newest_of_a_kind_says_what_is_due(
    log: Maintenance, heater: Device
) -> None:
    """Due in days, overdue in negative days; work without a next date ends it."""
    day = timedelta(days=1)
    old = TODAY - 400 * day
    log.add(OPERATOR, heater.id, Entry("anode", old, next_on=TODAY - 5 * day))
    log.add(OPERATOR, heater.id, Entry("valve", old, next_on=TODAY + 40 * day))
    log.add(OPERATOR, heater.id, Entry("filter", old, next_on=TODAY - day))
    log.add(OPERATOR, heater.id, Entry("filter", TODAY - day))

    assert log.of(OPERATOR, heater.id, UTC_ZONE).due == (
        Due("anode", TODAY - 5 * day, -5),
        Due("valve", TODAY + 40 * day, 40),
    )


def test_the_log_is_paged_by_day(log: Maintenance, heater: Device) -> None:
    """Newest work first, whenever it was written down; pages do not overlap."""
    for days in (3, 1, 2, 2):
        log.add(OPERATOR, heater.id, Entry("other", TODAY - timedelta(days=days)))
    first = log.of(VIEWER, heater.id, UTC_ZONE, limit=2)
    last = first.entries[-1]
    rest = log.of(VIEWER, heater.id, UTC_ZONE, before=(last.done_on, last.id), limit=2)

    found = [(TODAY - e.done_on).days for e in (*first.entries, *rest.entries)]
    assert found == [1, 2, 2, 3]
    assert (first.more, rest.more) == (True, False)


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        (Entry("polish", TODAY), "kind must be"),
        (Entry("anode", TODAY + timedelta(days=2)), "not in the future"),
        (Entry("anode", TODAY, next_on=TODAY), "after done_on"),
        (Entry("anode", TODAY, next_on=date(2099, 1, 1)), "30 years"),
        (Entry("anode", TODAY, note="x" * 1001), "note is longer"),
        (Entry("anode", TODAY, by="x" * 65), "by is longer"),
    ],
)
def test_what_cannot_be_is_named(
    log: Maintenance, heater: Device, entry: Entry, says: str
) -> None:
    """Kind, days and lengths are checked."""
    with pytest.raises(InvalidInput, match=says):
        log.add(OPERATOR, heater.id, entry)


def test_who_may_write(log: Maintenance, heater: Device) -> None:
    """A viewer reads and does not write; a device must exist."""
    with pytest.raises(Forbidden):
        log.add(VIEWER, heater.id, Entry("anode", TODAY))
    with pytest.raises(NotFound):
        log.add(OPERATOR, "nobody", Entry("anode", TODAY))
