"""Asking a device for something: all or nothing, audited, versioned, by role."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from data.records import Device
from services.audit import Audit
from services.controls import Standing
from services.courier_desk import Answer, Report
from services.errors import (
    Conflict,
    Forbidden,
    InvalidInput,
    NeedsConfirmation,
    NotFound,
)
from tests.conftest import ADMIN, OPERATOR, VIEWER, Clock, Stores

HEATER = Device(
    id="wh-1", name="Boiler room", modes=("off", "eco", "electric"),
    setpoint_min_c=40, setpoint_max_c=65,
)  # fmt: skip


@pytest.fixture(params=["stores", "postgres_stores"])
def both(request: pytest.FixtureRequest) -> Iterator[Stores]:
    """The stores on SQLite, then on PostgreSQL, with one heater."""
    stores: Stores = request.getfixturevalue(request.param)
    stores.add(HEATER)
    yield stores


def standing(stores: Stores, key: str = "target_temperature_c") -> Standing:
    """Where one key of the heater stands."""
    (found,) = [s for s in stores.controls.standings(VIEWER, "wh-1") if s.key == key]
    return found


def test_a_wish_is_pending_until_reported(both: Stores):
    """Wish, command, event and audit line are there; nothing is shown as fact."""
    made = both.controls.ask(
        OPERATOR, "wh-1", {"target_temperature_c": 52, "mode": "eco"}
    )
    assert [(c.key, c.value, c.state, c.version) for c in made] == [
        ("target_temperature_c", 52.0, "queued", 1),
        ("mode", "eco", "queued", 1),
    ]
    shadow = both.shadows.get("wh-1")
    assert shadow is not None
    assert shadow.desired == {"target_temperature_c": 52.0, "mode": "eco"}
    assert (shadow.version, shadow.wish_version, shadow.reported) == (1, 1, {})
    found = standing(both)
    assert (found.state, found.wished, found.reported) == ("pending", 52.0, None)
    said = {event.message for event in both.device_store.events("wh-1")[0]}
    assert said == {"Wished: Target temperature 52 °C", "Wished: Mode eco"}
    (line,) = both.audit.lines(ADMIN, action="device.command")
    assert (line.actor, line.subject) == ("operator", "wh-1")
    assert line.detail == {"target_temperature_c": 52.0, "mode": "eco"}
    assert both.audit.verify(ADMIN) is None


def test_all_keys_or_none(both: Stores):
    """One impossible key leaves no wish, command, event or audit line of the others."""
    for bad in ({"mode": "heat_pump"}, {"mode": "warm"}, {"power": 1}, {"x": 1}):
        with pytest.raises(InvalidInput):
            both.controls.ask(OPERATOR, "wh-1", {"target_temperature_c": 52, **bad})
    with pytest.raises(NeedsConfirmation):
        both.controls.ask(OPERATOR, "wh-1", {"mode": "eco", "target_temperature_c": 58})
    assert both.shadows.get("wh-1") is None
    assert both.commands.page("wh-1") == []
    assert both.audit.lines(ADMIN, action="device.command") == ()
    both.controls.ask(
        OPERATOR, "wh-1", {"mode": "eco", "target_temperature_c": 58}, confirmed=True
    )
    assert standing(both).wished == 58.0


def test_without_its_audit_line_a_wish_is_not_made(
    both: Stores, monkeypatch: pytest.MonkeyPatch
):
    """Command, event and audit are one transaction: the last failing undoes all."""

    def full(*_args: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(Audit, "record", full)
    with pytest.raises(OSError, match="disk full"):
        both.controls.ask(OPERATOR, "wh-1", {"mode": "eco"})
    assert both.shadows.get("wh-1") is None
    assert both.commands.page("wh-1") == []
    assert both.device_store.events("wh-1") == ([], 0)


def test_a_stale_version_is_a_conflict_a_report_is_not(both: Stores):
    """Who read before the last wish is told so; a mere report makes nobody stale."""
    both.controls.ask(OPERATOR, "wh-1", {"mode": "eco"}, version=0)
    both.courier.listen([Report("wh-1", {"mode": "off"}, both.clock(), seq=1)])
    both.controls.ask(OPERATOR, "wh-1", {"mode": "electric"}, version=1)
    with pytest.raises(Conflict, match="meanwhile"):
        both.controls.ask(ADMIN, "wh-1", {"mode": "eco"}, version=1)
    with pytest.raises(Conflict):
        both.controls.ask(ADMIN, "wh-1", {"mode": "eco"}, version=99)
    assert standing(both, "mode").wished == "electric"
    both.controls.ask(ADMIN, "wh-1", {"mode": "eco"})
    assert standing(both, "mode").wished == "eco"


def test_a_newer_wish_replaces_an_open_one(both: Stores):
    """The first command is superseded, of another key nothing changes, one is open."""
    both.controls.ask(OPERATOR, "wh-1", {"target_temperature_c": 50, "mode": "eco"})
    both.controls.ask(ADMIN, "wh-1", {"target_temperature_c": 51})
    states = [(c.key, c.value, c.state) for c in both.commands.page("wh-1")]
    assert states == [
        ("target_temperature_c", 51.0, "queued"),
        ("mode", "eco", "queued"),
        ("target_temperature_c", 50.0, "superseded"),
    ]
    assert standing(both).state == "pending"


def test_null_withdraws(both: Stores):
    """The key is gone from the wishes and its command ends; a second null is fine."""
    both.controls.ask(OPERATOR, "wh-1", {"mode": "eco"})
    assert both.controls.ask(OPERATOR, "wh-1", {"mode": None}) == []
    shadow = both.shadows.get("wh-1")
    assert shadow is not None
    assert (shadow.desired, shadow.desired_at, shadow.version) == ({}, {}, 2)
    found = standing(both, "mode")
    assert (found.state, found.wished) == ("withdrawn", None)
    assert found.command is not None
    assert (found.command.state, found.command.reason) == ("superseded", "withdrawn")
    both.controls.ask(OPERATOR, "wh-1", {"mode": None, "power": None})
    assert standing(both, "power").state == "none"


def test_applied_then_changed_at_the_heater_differs(both: Stores):
    """What the device reports is shown as such beside the wish, back and forth."""
    both.controls.ask(OPERATOR, "wh-1", {"target_temperature_c": 52})
    for seq, (value, state) in enumerate(
        [(52.04, "applied"), (49.0, "differs"), (52.0, "applied")]
    ):
        said = Report(
            "wh-1", {"target_temperature_c": value}, both.clock(), version=1, seq=seq
        )
        both.courier.listen([said])
        found = standing(both)
        assert (found.state, found.wished, found.reported) == (state, 52.0, value)


def test_a_withdrawn_wish_that_was_applied_is_withdrawn(both: Stores):
    """After null nothing is wished: the report stands alone."""
    both.controls.ask(OPERATOR, "wh-1", {"mode": "eco"})
    both.courier.listen([Report("wh-1", {"mode": "eco"}, both.clock(), 1, 0, 0)])
    assert standing(both, "mode").state == "applied"
    both.controls.ask(OPERATOR, "wh-1", {"mode": None})
    found = standing(both, "mode")
    assert (found.state, found.wished, found.reported) == ("withdrawn", None, "eco")


def test_a_refusal_is_shown_with_its_reason(both: Stores):
    """Refused names the reason, and nothing is wished any more."""
    (made,) = both.controls.ask(OPERATOR, "wh-1", {"mode": "eco"})
    both.courier.listen([Answer("wh-1", made.id, accepted=False, reason="locked")])
    found = standing(both, "mode")
    assert (found.state, found.wished) == ("refused", None)
    assert found.command is not None
    assert found.command.reason == "locked"


def test_a_timed_wish_ends_by_itself(both: Stores):
    """After its end nothing is wished, nothing differs, without anybody's doing."""
    end = both.clock() + timedelta(hours=1)
    (made,) = both.controls.ask(OPERATOR, "wh-1", {"away_until": end})
    assert made.expires_at == end
    said = {"away_until": "2026-03-10T13:00:00Z"}
    both.courier.listen([Report("wh-1", said, both.clock(), 1, 0, 0)])
    assert standing(both, "away_until").state == "applied"
    both.clock.forward(hours=1)
    found = standing(both, "away_until")
    assert (found.state, found.wished) == ("none", None)


def test_only_operators_ask_and_only_active_devices_obey(both: Stores):
    """A viewer may look and preview, not ask; an inactive device takes nothing."""
    with pytest.raises(Forbidden):
        both.controls.ask(VIEWER, "wh-1", {"mode": "eco"})
    rulings = both.controls.rulings(VIEWER, "wh-1", {"target_temperature_c": 70.0})
    assert "65 °C" in rulings["target_temperature_c"].refused
    assert len(both.controls.standings(VIEWER, "wh-1")) == 6
    with pytest.raises(NotFound):
        both.controls.ask(OPERATOR, "nobody", {"mode": "eco"})
    with pytest.raises(NotFound):
        both.controls.standings(VIEWER, "nobody")
    both.devices.set_life_cycle(ADMIN, "wh-1", "inactive")
    with pytest.raises(Conflict, match="inactive"):
        both.controls.ask(OPERATOR, "wh-1", {"mode": "eco"})
    assert both.commands.page("wh-1") == []


def test_the_log_is_read_in_pages(both: Stores):
    """Newest first, and whether there is more."""
    for target_c in (50, 51, 52):
        both.controls.ask(OPERATOR, "wh-1", {"target_temperature_c": target_c})
    first, more = both.controls.log(VIEWER, "wh-1", limit=2)
    assert ([c.value for c in first], more) == ([52.0, 51.0], True)
    rest, more = both.controls.log(VIEWER, "wh-1", before=first[-1].id, limit=2)
    assert ([c.value for c in rest], more) == ([50.0], False)


def test_wishes_of_many_at_once_are_all_kept(both: Stores):
    """First wishes for a device from four threads: each has its version, none is
    lost."""
    wishes: list[dict[str, object]] = [
        {"target_temperature_c": 50}, {"mode": "eco"}, {"power": True},
        {"away_until": both.clock() + timedelta(days=1)},
    ]  # fmt: skip

    def ask(one: dict[str, object]) -> int:
        (made,) = both.controls.ask(OPERATOR, "wh-1", one)
        return made.version

    with ThreadPoolExecutor(4) as pool:
        versions = sorted(pool.map(ask, wishes))
    assert versions == [1, 2, 3, 4]
    shadow = both.shadows.get("wh-1")
    assert shadow is not None
    assert len(shadow.desired) == 4


def test_a_wish_between_two_reads_is_seen_whole(
    stores: Stores, clock: Clock, monkeypatch: pytest.MonkeyPatch
):
    """A report that comes between the reads of shadow and commands shows no lie."""
    stores.add(HEATER)
    stores.controls.ask(OPERATOR, "wh-1", {"mode": "eco"})
    read = stores.commands.newest

    def between(device_id: str) -> object:
        monkeypatch.undo()
        stores.courier.listen([Report("wh-1", {"mode": "eco"}, clock(), 1, 0, 0)])
        return read(device_id)

    monkeypatch.setattr(stores.commands, "newest", between)
    found = standing(stores, "mode")
    assert (found.state, found.reported) == ("applied", "eco")
