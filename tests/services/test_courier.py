"""The life of a command: told, told again, answered, reported, or out of time."""

from __future__ import annotations

from datetime import timedelta

import pytest

from data.records import Device
from data.talk_records import Command
from services.controls import Standing
from services.courier_desk import Answer, Heard, Presence, Report
from tests.conftest import ADMIN, OPERATOR, VIEWER, Stores

KEY = "target_temperature_c"
HEATER = Device(id="wh-1", name="One", setpoint_max_c=65, modes=("off", "eco"))
OTHER = Device(id="wh-2", name="Two")


@pytest.fixture
def two(stores: Stores) -> Stores:
    """Two heaters; the first has come online with session 1."""
    stores.add(HEATER, OTHER)
    come(stores)
    return stores


def come(stores: Stores, online: bool = True, session: int = 1) -> None:
    """Let the first heater come or go."""
    hear(stores, Presence("wh-1", online, stores.clock(), session))


def hear(stores: Stores, *said: Heard) -> int:
    """What devices say; how many were too old."""
    return stores.courier.listen(said)


def ask(stores: Stores, value: object = 52, key: str = KEY) -> Command:
    """One wish for the first heater."""
    return stores.controls.ask(OPERATOR, "wh-1", {key: value}, confirmed=True)[0]


def carry(stores: Stores) -> list[int]:
    """Hand over all that is due; the ids."""
    sent = stores.courier.outgoing()
    stores.courier.handed_over(sent)
    return [command.id for command in sent]


def newest(stores: Stores) -> Command:
    """The newest command of the first heater."""
    return stores.commands.page("wh-1")[0]


def standing(stores: Stores, key: str = KEY) -> Standing:
    """Where a key of the first heater stands."""
    (found,) = [s for s in stores.controls.standings(VIEWER, "wh-1") if s.key == key]
    return found


def report(
    stores: Stores, value: object, version: int, seq: int, session: int = 1
) -> Report:
    """A report of the first heater's target."""
    return Report("wh-1", {KEY: value}, stores.clock(), version, session, seq)


def test_the_whole_life_of_a_command(two: Stores):
    """Queued, sent, accepted, applied, with the time of each step."""
    made = ask(two)
    two.clock.forward(seconds=1)
    assert carry(two) == [made.id]
    assert (newest(two).state, newest(two).tries) == ("sent", 1)
    hear(two, Answer("wh-1", made.id, accepted=True))
    assert newest(two).state == "accepted"
    assert standing(two).state == "pending"
    two.clock.forward(seconds=1)
    hear(two, report(two, 52.0, 1, 0))
    done = newest(two)
    assert (done.state, done.ended_at, done.reason) == ("applied", two.clock(), "")
    assert done.sent_at == two.clock() - timedelta(seconds=1)
    assert standing(two).state == "applied"
    said = [event.message for event in two.device_store.events("wh-1")[0]]
    assert "Target temperature 52 °C: applied" in said


def test_only_devices_that_are_there_are_told(two: Stores):
    """A command waits while its device is offline or has never spoken."""
    two.controls.ask(OPERATOR, "wh-2", {"power": True})
    come(two, online=False)
    made = ask(two)
    assert carry(two) == []
    come(two, session=2)
    assert carry(two) == [made.id]


def test_devices_that_are_away_do_not_hold_up_the_others(two: Stores):
    """However many commands wait for devices that are away, the rest goes out."""
    with two.device_store.transaction() as tx:
        waiting = Command(
            "wh-2", KEY, 50.0, 1, "queued", "x", two.clock(),
            two.clock() + timedelta(days=1),
        )  # fmt: skip
        two.commands.add(tx, [waiting] * 1_001)
    made = ask(two)
    assert carry(two) == [made.id]
    hear(two, Answer("wh-1", made.id, accepted=True))
    two.clock.forward(seconds=60)
    two.courier.look_at_clock()
    assert newest(two).state == "timed_out"


def test_an_unanswered_command_is_told_four_times(two: Stores):
    """Again after 15 s, four times in all, then it has timed out."""
    made = ask(two)
    for turn in range(4):
        assert carry(two) == [made.id]
        two.clock.forward(seconds=14)
        two.courier.look_at_clock()
        assert (newest(two).state, newest(two).tries) == ("sent", turn + 1)
        assert carry(two) == []
        two.clock.forward(seconds=1)
    assert carry(two) == []
    assert two.courier.look_at_clock() == 1
    assert (newest(two).state, newest(two).reason) == (
        "timed_out",
        "the device did not report it in time",
    )
    found = standing(two)
    assert (found.state, found.wished) == ("timed_out", None)
    shadow = two.shadows.get("wh-1")
    assert shadow is not None
    assert shadow.desired == {}


def test_a_device_that_goes_is_told_again_when_it_is_back(two: Stores):
    """Sent and not answered before it went: queued anew, with all its tries."""
    made = ask(two)
    carry(two)
    come(two, online=False)
    two.clock.forward(seconds=15)
    two.courier.look_at_clock()
    assert (newest(two).state, newest(two).tries) == ("queued", 0)
    two.clock.forward(hours=5)
    two.courier.look_at_clock()
    assert newest(two).state == "queued"
    come(two, session=2)
    assert carry(two) == [made.id]


def test_expiry_withdraws_the_wish(two: Stores):
    """A device out of reach for a day is not surprised by yesterday's wish."""
    come(two, online=False)
    ask(two)
    two.clock.forward(hours=23, minutes=59)
    assert two.courier.look_at_clock() == 0
    two.clock.forward(minutes=1)
    come(two, session=2)
    assert carry(two) == []
    assert two.courier.look_at_clock() == 1
    shadow = two.shadows.get("wh-1")
    assert shadow is not None
    assert (shadow.desired, shadow.version) == ({}, 2)
    assert (standing(two).state, standing(two).wished) == ("expired", None)
    assert two.courier.look_at_clock() == 0


def test_refusal_withdraws_only_its_own_wish(two: Stores):
    """The refused key is withdrawn with the device's reason; the other stays."""
    ask(two, "eco", "mode")
    made = ask(two)
    hear(two, Answer("wh-1", made.id, accepted=False, reason="x" * 900))
    assert (newest(two).state, len(newest(two).reason)) == ("refused", 200)
    assert standing(two).wished is None
    assert standing(two, "mode").state == "pending"
    again = ask(two, 53)
    hear(two, Answer("wh-1", again.id, accepted=False))
    assert newest(two).reason == "the device gave no reason"


def test_accepted_but_never_reported_times_out(two: Stores):
    """Taking a command is not doing it: after 60 s it has timed out."""
    made = ask(two)
    carry(two)
    hear(two, Answer("wh-1", made.id, accepted=True))
    two.clock.forward(seconds=59)
    hear(two, Answer("wh-1", made.id, accepted=True))
    assert two.courier.look_at_clock() == 0
    two.clock.forward(seconds=1)
    assert two.courier.look_at_clock() == 1
    assert standing(two).state == "timed_out"


def test_a_late_report_makes_it_applied_late(two: Stores):
    """A report under the version after the time-out is shown, as late."""
    made = ask(two)
    carry(two)
    hear(two, Answer("wh-1", made.id, accepted=True))
    two.clock.forward(minutes=2)
    two.courier.look_at_clock()
    hear(two, report(two, 52.0, 1, 0))
    assert (newest(two).state, newest(two).reason) == ("applied", "reported late")
    assert (standing(two).state, standing(two).reported) == ("applied", 52.0)
    hear(two, report(two, 48.0, 1, 1))
    assert standing(two).state == "withdrawn"


def test_a_report_counts_only_under_the_wishs_version(two: Stores):
    """The right value by chance, or for an older wish, is not the wish applied."""
    ask(two, 50)
    ask(two)
    hear(two, report(two, 52.0, -1, 0), report(two, 52.0, 1, 1))
    assert (standing(two).state, standing(two).reported) == ("pending", 52.0)
    hear(two, report(two, 51.9, 2, 2))
    assert standing(two).state == "pending"
    hear(two, report(two, 52.0, 2, 3))
    assert standing(two).state == "applied"


@pytest.mark.parametrize(
    ("value", "state"),
    [(52.04, "applied"), (51.96, "applied"), (52.06, "pending"), ("52", "pending")],
)
def test_equal_numbers_are_those_within_a_device_step(
    two: Stores, value: object, state: str
):
    """Within 0.05 is the same setting, beyond is not, a text never is."""
    ask(two)
    hear(two, report(two, value, 1, 0))
    assert standing(two).state == state


def test_answers_of_strangers_and_to_ended_commands_change_nothing(two: Stores):
    """Another device's answer, an unknown id, an ended command: no effect."""
    old = ask(two, 50)
    made = ask(two)
    hear(
        two,
        Answer("wh-2", made.id, accepted=False, reason="not mine"),
        Answer("wh-1", old.id, accepted=False, reason="too late"),
        Answer("wh-1", 9_999, accepted=True),
    )
    assert [c.state for c in two.commands.page("wh-1")] == ["queued", "superseded"]
    hear(two, report(two, 52.0, 2, 0), Answer("wh-1", made.id, accepted=False))
    assert newest(two).state == "applied"
    assert standing(two).wished == 52.0


def test_old_reports_and_duplicates_are_left_out(two: Stores):
    """A lower or equal number within a session, or an older session, is too old."""
    assert hear(two, report(two, 50.0, 0, 5)) == 0
    assert hear(two, report(two, 40.0, 0, 4), report(two, 41.0, 0, 5)) == 2
    assert standing(two).reported == 50.0
    assert hear(two, report(two, 55.0, 0, 0, session=2)) == 0
    assert hear(two, report(two, 42.0, 0, 99)) == 1
    assert standing(two).reported == 55.0


def test_a_newer_session_counts_from_anew(two: Stores):
    """A birth resets the order; a birth heard twice does not, an old one is nothing."""
    hear(two, report(two, 50.0, 0, 7))
    come(two, session=2)
    assert hear(two, report(two, 51.0, 0, 0, session=2)) == 0
    come(two, session=2)
    assert hear(two, report(two, 48.0, 0, 0, session=2)) == 1
    come(two, online=False, session=1)
    link = two.links.links(["wh-1"])["wh-1"]
    assert (link.online, link.session, link.seq) == (True, 2, 0)
    assert standing(two).reported == 51.0


def test_everything_said_twice_is_as_said_once(two: Stores):
    """Handed over, answered and reported twice: one end, one event of it."""
    made = ask(two)
    sent = two.courier.outgoing()
    two.courier.handed_over(sent)
    taken = Answer("wh-1", made.id, accepted=True)
    done = report(two, 52.0, 1, 0)
    hear(two, taken, taken, done, done, taken)
    two.courier.handed_over(sent)
    hear(two, done, taken)
    assert newest(two).state == "applied"
    said = [event.message for event in two.device_store.events("wh-1")[0]]
    assert said.count("Target temperature 52 °C: applied") == 1
    two.courier.handed_over([])


def test_a_birth_is_kept_and_coming_and_going_is_told_once(two: Stores):
    """Capabilities are the newest birth's; events say each change, not each message."""
    hear(two, Presence("wh-1", True, two.clock(), 2, {"modes": ["eco"]}))
    hear(
        two,
        Presence("wh-1", True, two.clock(), 2),
        Presence("wh-1", False, two.clock(), 2),
    )
    link = two.links.links(["wh-1"])["wh-1"]
    assert (link.birth, link.online) == ({"modes": ["eco"]}, False)
    said = [event.message for event in two.device_store.events("wh-1")[0]]
    assert sorted(said) == ["Came online", "Went offline"]


def test_a_report_without_order_counts_by_its_time(two: Stores):
    """Older than what is known changes nothing, and makes nothing applied."""
    ask(two)
    hear(two, Report("wh-1", {KEY: 52.0}, two.clock(), version=0))
    early = two.clock() - timedelta(minutes=1)
    hear(two, Report("wh-1", {KEY: 45.0, "mode": "eco"}, early, version=1))
    assert (standing(two).state, standing(two).reported) == ("pending", 52.0)
    assert standing(two, "mode").reported == "eco"


def test_a_server_clock_set_back_loses_no_report(two: Stores):
    """Reports that count themselves are taken in their order, whatever the clock."""
    hear(two, report(two, 50.0, 0, 0))
    two.clock.forward(hours=-1)
    ask(two)
    hear(two, report(two, 52.0, 2, 1))
    assert (standing(two).state, standing(two).reported) == ("applied", 52.0)


def test_timed_wishes_that_are_over_are_dropped(two: Stores):
    """A wish past its end is no difference any more; the others stay wished."""
    end = two.clock() + timedelta(hours=1)
    two.controls.ask(
        OPERATOR, "wh-1", {"away_until": end, "boost_until": False, "mode": "eco"}
    )
    said = {"away_until": end.isoformat(), "boost_until": False, "mode": "eco"}
    hear(two, Report("wh-1", said, two.clock(), 1, 1, 0))
    two.courier.look_at_clock()
    two.clock.forward(hours=1)
    hear(two, Report("wh-1", {"away_until": False}, two.clock(), 1, 1, 1))
    two.courier.look_at_clock()
    shadow = two.shadows.get("wh-1")
    assert shadow is not None
    assert shadow.desired == {"boost_until": False, "mode": "eco"}
    assert shadow.delta == {}
    version = shadow.version
    two.clock.forward(minutes=1)
    two.courier.look_at_clock()
    assert two.shadows.get("wh-1").version == version


def test_a_timed_wish_is_never_told_after_its_end(two: Stores):
    """A boost for an hour expires with the hour, not a day later."""
    come(two, online=False)
    ask(two, two.clock() + timedelta(hours=1), "boost_until")
    two.clock.forward(hours=1)
    come(two, session=2)
    assert carry(two) == []
    two.courier.look_at_clock()
    assert newest(two).state == "expired"


def test_expiry_of_a_replaced_command_leaves_the_newer_wish(two: Stores):
    """What the clock ends is only what still stands."""
    come(two, online=False)
    ask(two, 50)
    two.clock.forward(hours=20)
    ask(two)
    two.clock.forward(hours=4)
    assert two.courier.look_at_clock() == 0
    assert (standing(two).state, standing(two).wished) == ("pending", 52.0)


def test_the_same_on_postgres(postgres_stores: Stores):
    """Told, timed out, reported late, expired, ended by itself: as on SQLite."""
    stores = postgres_stores
    stores.add(HEATER, OTHER)
    come(stores)
    made = ask(stores)
    assert carry(stores) == [made.id]
    hear(stores, Answer("wh-1", made.id, accepted=True))
    stores.clock.forward(minutes=2)
    assert stores.courier.look_at_clock() == 1
    hear(stores, report(stores, 52.0, 1, 0))
    assert newest(stores).reason == "reported late"
    end = stores.clock() + timedelta(hours=2)
    stores.controls.ask(ADMIN, "wh-1", {"away_until": end, "mode": "eco"})
    said = {"away_until": end.isoformat()}
    hear(stores, Report("wh-1", said, stores.clock(), 9, 1, 1))
    come(stores, online=False)
    stores.clock.forward(days=1)
    assert stores.courier.look_at_clock() == 1
    shadow = stores.shadows.get("wh-1")
    assert shadow is not None
    assert shadow.desired == {}
    assert standing(stores, "mode").state == "expired"
