"""The fleet view on real stores."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from threading import Event
from time import monotonic, sleep

import pytest

import services.fleet
from data.engine import QueryTimeout
from data.records import Band, Device
from services import access
from services.access import Permission, Role
from services.errors import Busy, Forbidden, InvalidInput
from services.fleet import SORTS, STATES, Fleet, FleetQuery
from services.health import Health
from tests.conftest import ADMIN, NOW, SYSTEM, VIEWER, Stores, readings

BANDS = {"temperature_c": Band(10, 90, 50, 65, 5, 75)}


def made(name: str, **facts: object) -> Device:
    """An active heater named after its id."""
    facts = {"name": name.title(), "bands": BANDS, **facts}
    return Device(id=name, type="electric", rated_power_w=3000, **facts)  # type: ignore[arg-type]


@pytest.fixture
def fleet(stores: Stores) -> Fleet:
    """The service under test."""
    health = Health(stores.metrics, stores.clock)
    return Fleet(stores.device_store, stores.metrics, health, stores.clock)


@pytest.fixture
def mixed(stores: Stores, fleet: Fleet) -> Fleet:
    """Seven heaters, each in another state."""
    stores.add(
        made("good", building="North", manufacturer="Acme"),
        made("hot", building="North", manufacturer="Acme", serial="SN-77"),
        made("gone", building="South", simulated=True),
        made("heats", building="South", model="X 5"),
        made("doubt"),
        made("never", building="South"),
        made("idle", life_cycle="inactive"),
    )
    day = NOW - timedelta(hours=24)
    plain = {"target_temperature_c": 57.0, "mode": "eco", "heating": False}
    for name, minutes, columns in (
        ("good", 1440, {"temperature_c": 57.0 + 0.1, "power_w": 0.0}),
        ("hot", 1440, {"temperature_c": 80.0}),
        ("gone", 1380, {"temperature_c": 56.0}),
        ("heats", 1440, {"temperature_c": 55.0, "heating": True, "power_w": 3000.0}),
        ("doubt", 1440, {"temperature_c": 888.8}),
        ("idle", 60, {"temperature_c": 20.0}),
    ):
        frame = readings(name, day, minutes, **{**plain, **columns})
        if name != "doubt":
            frame["temperature_c"] += [i % 7 / 10 for i in range(len(frame))]
        stores.telemetry.accept(SYSTEM, frame)
    stores.flush()
    return fleet


def names(fleet: Fleet, **query: object) -> list[str]:
    """The ids of a page, in order."""
    view = fleet.page(VIEWER, FleetQuery(**query))  # type: ignore[arg-type]
    return [row.device_id for row in view.rows]


def test_no_heaters_is_an_empty_page(fleet: Fleet) -> None:
    """A fleet without heaters has no rows, one page and zero in every state."""
    view = fleet.page(VIEWER, FleetQuery())

    assert (view.size, view.found, view.pages, view.rows) == (0, 0, 1, ())
    assert dict.fromkeys(STATES, 0) == view.counts


def test_counts_agree_with_what_each_filter_shows(mixed: Fleet) -> None:
    """The count of a state is the number of rows its filter lets through."""
    counts = mixed.page(VIEWER, FleetQuery()).counts

    assert counts == {
        "all": 7,
        "attention": 4,
        "silent": 2,
        "heating": 1,
        "flagged": 1,
        "simulated": 1,
        "inactive": 1,
    }
    for state, count in counts.items():
        assert count == len(names(mixed, state=state))


def test_the_worst_comes_first_and_the_inactive_last(mixed: Fleet) -> None:
    """A critical finding precedes silence, silence precedes doubt, idle is last."""
    order = names(mixed)

    assert order[0] == "hot"
    assert {"gone", "never"} == set(order[1:3])
    assert order[-1] == "idle"


@pytest.mark.parametrize("sort", SORTS)
def test_every_sort_turns_round_with_the_unknown_last(mixed: Fleet, sort: str) -> None:
    """Both directions hold all heaters; one never seen is last by what it lacks."""
    up, down = names(mixed, sort=sort), names(mixed, sort=sort, descending=True)

    assert sorted(up) == sorted(down)
    assert len(up) == 7
    if sort in {"seen", "temperature", "target", "mode"}:
        assert "never" in up[-2:]
        assert "never" in down[-2:]


def test_sorting_by_temperature_puts_the_coldest_first(mixed: Fleet) -> None:
    """Ascending temperature runs from the coldest good value to the hottest."""
    view = mixed.page(VIEWER, FleetQuery(sort="temperature"))
    known = [r.temperature_c.value for r in view.rows if r.temperature_c]

    assert sorted(known) == known
    assert view.rows[0].device_id == "heats"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("north", {"good", "hot"}),
        ("ACME sn-77", {"hot"}),
        ("x 5 south", {"heats"}),
        ("idle", {"idle"}),
        ("nowhere", set()),
    ],
)
def test_search_looks_at_name_id_serial_place_and_make(
    mixed: Fleet, text: str, expected: set[str]
) -> None:
    """Every word of a search must occur in some field, in any case."""
    assert expected == set(names(mixed, text=text))


def test_filters_narrow_together(mixed: Fleet) -> None:
    """Make, site and state filter at the same time."""
    assert names(mixed, make="Acme", site="North", state="attention") == ["hot"]
    assert names(mixed, make="Acme", site="South") == []


def test_a_row_carries_the_day_of_its_heater(mixed: Fleet, stores: Stores) -> None:
    """Energy is that of ``Metrics.usage``; gaps of the sparkline are ``None``."""
    view = mixed.page(VIEWER, FleetQuery())
    row = {r.device_id: r for r in view.rows}
    device = stores.device_store.some(["heats"])
    used = stores.metrics.usage(device, NOW - timedelta(hours=24), NOW)["heats"]

    assert used.energy_kwh == row["heats"].energy_kwh
    assert 71 < (row["heats"].energy_kwh or 0) <= 72
    assert row["good"].energy_kwh == 0
    assert row["hot"].energy_kwh is None
    assert len(row["gone"].hourly_c) == 24
    assert row["gone"].hourly_c[-1] is None
    assert all(value is not None for value in row["gone"].hourly_c[:-1])
    assert row["never"].hourly_c == (None,) * 24


def test_flagged_values_are_not_shown_as_the_temperature(mixed: Fleet) -> None:
    """A heater that only sent fault codes has no temperature and no sparkline."""
    (row,) = mixed.page(VIEWER, FleetQuery(state="flagged")).rows

    assert row.device_id == "doubt"
    assert row.temperature_c is None
    assert {None} == set(row.hourly_c)


def test_pages_hold_every_heater_once(mixed: Fleet) -> None:
    """Pages do not overlap, and a page past the last is the last."""
    pages = [names(mixed, page=n, page_size=3) for n in (1, 2, 3)]

    assert [len(page) for page in pages] == [3, 3, 1]
    assert len({name for page in pages for name in page}) == 7
    assert pages[2] == names(mixed, page=9, page_size=3)


def test_sites_come_together_with_their_counts(mixed: Fleet) -> None:
    """Grouped by site the neediest site is first, no site last, with true counts."""
    view = mixed.page(VIEWER, FleetQuery(group="site"))
    order = list(dict.fromkeys(row.building for row in view.rows))

    assert order == ["South", "North", None]
    assert (
        view.sites["South"].heaters,
        view.sites["South"].attention,
        view.sites["South"].silent,
        view.sites["South"].heating,
    ) == (3, 2, 2, 1)
    assert view.sites["North"].heaters == 2


def test_a_new_device_is_seen_at_once(mixed: Fleet, stores: Stores) -> None:
    """A registered or changed device shows although the picture is held."""
    mixed.page(VIEWER, FleetQuery())
    stores.devices.register(ADMIN, made("fresh", life_cycle="pending"))
    stores.devices.update(ADMIN, replace(stores.devices.get(ADMIN, "good"), name="Zed"))

    view = mixed.page(VIEWER, FleetQuery())

    assert view.size == 8
    assert view.counts["inactive"] == 2
    assert "Zed" in {row.name for row in view.rows}


def test_a_removed_device_is_gone(mixed: Fleet, stores: Stores) -> None:
    """Removing a device takes it out of rows and counts."""
    stores.devices.set_life_cycle(ADMIN, "idle", "removed")

    assert "idle" not in names(mixed)


def test_time_passing_makes_a_heater_silent(mixed: Fleet, stores: Stores) -> None:
    """An hour without readings turns heaters silent and no longer heating."""
    mixed.page(VIEWER, FleetQuery())
    stores.clock.forward(hours=1)

    counts = mixed.page(VIEWER, FleetQuery()).counts

    assert counts["silent"] == 6
    assert counts["heating"] == 0


def test_a_slow_fleet_is_renewed_behind_the_reader(
    mixed: Fleet, stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last picture is shown with its age at once, then a new one follows."""
    monkeypatch.setattr(services.fleet, "SLOW", timedelta())
    first = mixed.page(VIEWER, FleetQuery())
    stores.clock.forward(minutes=2)
    while_renewing = mixed.page(VIEWER, FleetQuery())
    until(lambda: mixed.page(VIEWER, FleetQuery()).as_of == stores.clock.now)

    assert while_renewing.as_of == first.as_of == NOW
    assert while_renewing.now == stores.clock.now


def test_too_old_a_picture_is_never_shown(
    mixed: Fleet, stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the longest time a picture may be shown the reader waits for a new one."""
    monkeypatch.setattr(services.fleet, "SLOW", timedelta())
    mixed.page(VIEWER, FleetQuery())
    stores.clock.forward(minutes=6)

    assert mixed.page(VIEWER, FleetQuery()).as_of == stores.clock.now


def test_a_warm_process_has_a_picture_before_anybody_asks(
    mixed: Fleet, stores: Stores
) -> None:
    """Keeping warm makes the picture in the background."""
    done = Event()
    thread = mixed.keep_warm(done)
    until(lambda: mixed._held is not None)
    done.set()
    thread.join()

    assert mixed.page(VIEWER, FleetQuery()).size == 7


def test_a_lake_that_does_not_answer_is_busy(
    mixed: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A query that takes too long is told as busy, not as a fault."""

    def late(*_: object) -> None:
        raise QueryTimeout("5 s")

    monkeypatch.setattr(mixed._health, "of", late)
    with pytest.raises(Busy):
        mixed.page(VIEWER, FleetQuery())


def until(done: Callable[[], bool]) -> None:
    """Wait for something that another thread does."""
    end = monotonic() + 20
    while not done():
        assert monotonic() < end
        sleep(0.02)


def test_wrong_queries_name_what_is_allowed() -> None:
    """An unknown state, sort, group or page is refused."""
    for wrong in ({"state": "x"}, {"sort": "x"}, {"group": "x"}, {"page": 0}):
        with pytest.raises(InvalidInput, match=next(iter(wrong))):
            FleetQuery(**wrong)  # type: ignore[arg-type]


def test_the_fleet_needs_its_permission(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A caller below the role of ``fleet.read`` is refused."""
    least = Permission(Role.OPERATOR, "")
    monkeypatch.setattr(access, "PERMISSIONS", {"fleet.read": least})

    with pytest.raises(Forbidden, match="Operator"):
        fleet.page(VIEWER, FleetQuery())
