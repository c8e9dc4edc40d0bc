"""Simulated heaters obey within a second, say why not, and misbehave on request."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from data.records import Device
from data.talk_records import WISH_KEYS, Command
from services.access import SYSTEM
from services.controls import Standing
from services.courier_desk import Answer, Heard, Presence, Report
from services.demo import DemoFleet
from services.demo_devices import DemoDevices
from services.demo_line import DemoLine, DemoSchedule
from services.errors import InvalidInput
from services.misbehaviour import KINDS, LOCKED, Misbehaviour, parse
from services.tank.faults import Fault
from services.tank.habits import Change
from tests.conftest import NOW, OPERATOR, VIEWER, Stores
from tests.services.test_demo import demo_fleet
from workers.simulator import CLOCK_EVERY, TalkLoop

ONE, TWO = "heater-001", "heater-002"
TARGET = "target_temperature_c"


class Home:
    """Two simulated heaters with a line, as one run of the worker has them."""

    def __init__(self, stores: Stores, misbehaviour: str = "") -> None:
        self.stores, self.clock = stores, stores.clock
        self.demo: DemoFleet = demo_fleet(stores)
        self.demo.create(SYSTEM, days=0.1, heaters=2)
        bad = Misbehaviour(parse(misbehaviour), 1)
        self.devices = DemoDevices(self.demo, stores.clock, bad)
        schedule = DemoSchedule(self.devices, stores.clock, bad, 1)
        self.line = DemoLine(schedule, stores.courier)
        self.talk = TalkLoop(stores.courier, self.line)

    def pass_s(self, seconds: float) -> None:
        """Let the line work for some seconds, as often as the worker does."""
        for _ in range(round(seconds / 0.2)):
            self.clock.forward(seconds=0.2)
            self.talk.turn()

    def ask(self, key: str, value: object, device_id: str = ONE) -> Command:
        """One wish."""
        wish = {key: value}
        return self.stores.controls.ask(OPERATOR, device_id, wish, confirmed=True)[0]

    def standing(self, key: str, device_id: str = ONE) -> Standing:
        """Where a key stands."""
        found = self.stores.controls.standings(VIEWER, device_id)
        return next(standing for standing in found if standing.key == key)

    def state(self, key: str) -> str:
        """The state a key of the first heater is shown in."""
        return self.standing(key).state

    def events(self) -> list[str]:
        """The event log of the first heater."""
        return [e.message for e in self.stores.device_store.events(ONE)[0]]


@pytest.fixture
def home(stores: Stores) -> Home:
    """Two well-behaved heaters, born."""
    made = Home(stores)
    made.pass_s(0.2)
    return made


def test_heaters_are_born_with_what_they_can_do(home: Home):
    """Each is online with its modes and limits, and has reported all its settings."""
    link = home.stores.links.links([ONE])[ONE]
    assert link.online
    assert link.session == int(NOW.timestamp())
    device = home.stores.devices.get(VIEWER, ONE)
    assert link.birth["modes"] == list(device.modes)
    assert link.birth["setpoint_max_c"] == device.setpoint_max_c
    shadow = home.stores.shadows.get(TWO)
    assert shadow is not None
    assert set(shadow.reported) == {"firmware", *WISH_KEYS}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (TARGET, 48.0),
        ("mode", "eco"),
        ("power", False),
        ("away_until", (NOW + timedelta(days=2)).isoformat()),
        ("boost_until", (NOW + timedelta(hours=2)).isoformat()),
        ("boost_until", False),
    ],
)
def test_a_heater_obeys_within_a_second(home: Home, key: str, value: object):
    """What is wished is applied, and the tank is set to it."""
    home.ask(key, value)
    assert home.state(key) == "pending"
    home.pass_s(1.0)
    assert (home.state(key), home.standing(key).reported) == ("applied", value)
    with home.demo.held(ONE) as (_, state):
        kept = {TARGET: state.target_c, "mode": state.mode, "power": state.power}
        for name in ("away_until", "boost_until"):
            kept[name] = state.end_of(name) is not None
    assert kept[key] == (value if not key.endswith("_until") else value is not False)


def test_obeying_survives_a_restart(home: Home):
    """The state is on disk before it is reported; the next session is a higher one."""
    home.ask(TARGET, 48.0)
    home.pass_s(1.0)
    again = Home(home.stores)
    again.pass_s(0.2)
    with again.demo.held(ONE) as (_, state):
        assert state.target_c == 48.0
    assert again.state(TARGET) == "applied"
    sessions = [h.stores.links.links([ONE])[ONE].session for h in (home, again)]
    assert sessions[1] > int(NOW.timestamp())


def test_a_clock_set_back_gives_a_higher_session_all_the_same(home: Home):
    """Otherwise all that heaters say would be taken for old."""
    home.clock.forward(hours=-2)
    again = Home(home.stores)
    again.pass_s(0.2)
    again.ask(TARGET, 49.0)
    again.pass_s(1.0)
    assert again.state(TARGET) == "applied"


def test_what_it_cannot_do_is_refused_with_a_reason(home: Home):
    """Modes it lacks, targets beyond it, heating while off, times gone by."""
    home.ask("power", False)
    home.pass_s(1.0)
    until = (NOW + timedelta(hours=2)).isoformat()
    home.ask("boost_until", until)
    home.pass_s(1.0)
    found = home.standing("boost_until")
    assert found.command is not None
    assert (found.state, found.command.reason) == (
        "refused",
        "the heater is switched off",
    )
    command = Command(ONE, "mode", "gas", 9, "sent", "x", NOW, NOW)
    for key, value, words in (
        ("mode", "gas", "it has no mode gas"),
        (TARGET, 90.0, "it can be set to 40 to"),
        ("away_until", NOW.isoformat(), "its time has passed"),
    ):
        (said,) = home.devices.answer(replace(command, key=key, value=value))
        assert isinstance(said, Answer)
        assert not said.accepted
        assert words in said.reason


def test_an_older_wish_that_comes_late_is_not_done(home: Home):
    """Told v3 after v5 of a key: nothing; v5 again: said again, not done again."""
    new = Command(ONE, TARGET, 50.0, 5, "sent", "x", NOW, NOW, id=2)
    old = replace(new, value=45.0, version=3, id=1)
    first = home.devices.answer(new)
    assert home.devices.answer(old) == []
    with home.demo.held(ONE) as (_, state):
        state.command(target_c=51.0)  # somebody at the heater
    again = home.devices.answer(new)
    assert again[0] == first[0] == Answer(ONE, 2, accepted=True)
    assert isinstance(again[1], Report)
    assert isinstance(first[1], Report)
    assert again[1].state[TARGET] == 51.0
    assert (again[1].version, again[1].seq) == (5, first[1].seq + 1)


def test_an_end_is_reported_by_itself(home: Home):
    """A boost of ten minutes ends in the tank, is reported, and nothing differs."""
    home.ask("boost_until", NOW + timedelta(minutes=10))
    home.pass_s(1.0)
    home.clock.forward(minutes=10)
    home.demo.advance(SYSTEM, home.clock())
    home.pass_s(2.0)
    found = home.standing("boost_until")
    assert (found.state, found.wished, found.reported) == ("none", None, False)
    shadow = home.stores.shadows.get(ONE)
    assert shadow is not None
    assert shadow.desired == {}


def test_what_the_household_sets_is_reported(
    home: Home, monkeypatch: pytest.MonkeyPatch
):
    """A change at the heater reaches the shadow through the same way."""
    change = [Change(NOW.timestamp() + 90.0, 47.0)]
    monkeypatch.setattr("services.tank.heater.changes_between", lambda *_args: change)
    home.clock.forward(minutes=5)
    home.demo.advance(SYSTEM, home.clock())
    home.pass_s(0.4)
    assert home.standing(TARGET).reported == 47.0
    assert home.state(TARGET) == "none"


def test_a_heater_offline_by_fault_stays_queued(home: Home):
    """Its command waits; when the fault is over it is told and obeys."""
    until_s = home.clock.now.timestamp() + 600.0
    with home.demo.held(ONE) as (member, _):
        broken = replace(member.heater, faults=(Fault("offline", 0.0, 1.0, until_s),))
        faulty = replace(member, heater=broken)
    home.demo._members = (faulty, *home.demo._members[1:])
    home.demo._by_id[ONE] = faulty
    home.pass_s(0.4)
    assert not home.stores.links.links([ONE])[ONE].online
    home.ask(TARGET, 48.0)
    home.ask(TARGET, 49.0, TWO)
    home.pass_s(30.0)
    assert home.standing(TARGET, TWO).state == "applied"
    found = home.standing(TARGET)
    assert found.command is not None
    assert (found.state, found.command.state) == ("pending", "queued")
    home.clock.forward(minutes=11)
    home.demo.advance(SYSTEM, home.clock())
    home.pass_s(2.0)
    assert home.state(TARGET) == "applied"
    assert "Went offline" in home.events()


def test_the_clock_is_looked_at_each_second_without_a_line(stores: Stores):
    """Commands of devices that no one reaches expire in a worker without a demo."""
    stores.add(Device(id="real", name="Real"))
    stores.controls.ask(OPERATOR, "real", {"power": True})
    talk = TalkLoop(stores.courier, None)
    talk.turn()
    stores.clock.forward(days=1)
    for _ in range(CLOCK_EVERY):
        talk.turn()
    assert stores.commands.page("real")[0].state == "expired"


def test_misbehaviour_is_named_by_device():
    """``device:kind`` with commas; anything else is refused in words."""
    found = parse(" heater-001:drop, heater-002:revert,heater-001:delay ,")
    assert found == {ONE: {"drop", "delay"}, TWO: {"revert"}}
    assert parse("") == {}
    for text in ("heater-001", "heater-001:lie", ":drop", "a:b:drop"):
        with pytest.raises(InvalidInput, match="misbehaviour"):
            parse(text)


def test_a_locked_panel_refuses(stores: Stores):
    """``refuse``: the wish is withdrawn with the reason; the other heater obeys."""
    home = Home(stores, f"{ONE}:refuse")
    home.pass_s(0.2)
    home.ask(TARGET, 48.0)
    home.ask(TARGET, 48.0, TWO)
    home.pass_s(1.0)
    found = home.standing(TARGET)
    assert found.command is not None
    assert (found.state, found.wished, found.command.reason) == (
        "refused",
        None,
        LOCKED,
    )
    assert home.standing(TARGET, TWO).state == "applied"


def test_a_heater_that_reverts_is_shown_to_differ(stores: Stores):
    """``revert``: applied first, seconds later the old value is reported beside it."""
    home = Home(stores, f"{ONE}:revert")
    home.pass_s(0.2)
    before = home.standing(TARGET).reported
    home.ask(TARGET, 48.0)
    home.pass_s(1.0)
    assert home.state(TARGET) == "applied"
    home.pass_s(15.0)
    found = home.standing(TARGET)
    assert (found.state, found.wished, found.reported) == ("differs", 48.0, before)


@pytest.mark.parametrize("kind", ["drop", "delay", "duplicate", "reorder"])
def test_a_bad_line_ends_in_an_honest_answer(stores: Stores, kind: str):
    """Lost, late, doubled or mixed: in three minutes it is applied or timed out."""
    home = Home(stores, f"{ONE}:{kind}")
    home.pass_s(60.0)
    for turn, value in enumerate((48.0, 50.0)):
        home.ask(TARGET, value)
        home.pass_s(3.0 if turn == 0 else 180.0)
    found = home.standing(TARGET)
    with home.demo.held(ONE) as (_, state):
        applied = found.state == "applied" and state.target_c == 50.0
    assert applied or found.state == "timed_out"
    assert applied or kind == "drop"


def test_chance_is_the_seeds():
    """The same seed loses, doubles and delays the same messages."""
    kinds = {ONE: KINDS}
    said: list[Heard] = [Presence(ONE, True, NOW, n) for n in range(20)]
    first, again, other = (Misbehaviour(kinds, seed).bend(said) for seed in (1, 1, 2))
    assert first == again != other
    assert Misbehaviour({}, 1).bend(said) == [(0.0, one) for one in said]
