"""What is told to whom and when: matching, quiet hours, digests, the end of alerts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from data.alert_records import AlertEvent
from data.records import Device
from data.report_records import Try
from services.notify_match import Subject, matches
from services.notify_quiet import Quiet, digest_at, quiet_until
from services.notify_spec import parse
from tests.conftest import NOW
from tests.services.notify_world import ALERT, World, open_world

NIGHT = {"start": "22:00", "end": "07:00", "zone": "Europe/Berlin"}
AT_NIGHT = datetime(2026, 3, 10, 23, 0, tzinfo=UTC)
MORNING = datetime(2026, 3, 11, 6, 0, tzinfo=UTC)


@pytest.fixture
def world(stores):
    """Notifications on empty stores."""
    stores.add(Device(id="wh-1", name="Boiler room", type="electric", building="A"))
    return open_world(stores)


def spec(**values):
    """A spec of a mail route."""
    return parse("mail", {"targets": ["a@b.example"], **values})


HEATER = Subject("wh-1", "A", "electric")
MODEL = Subject("churn", tags=("money", "daily"))


@pytest.mark.parametrize(
    ("values", "fits"),
    [({}, True), ({"sources": ["model"]}, False), ({"severities": ["critical"]}, False),
     ({"severities": ["high", "low"]}, True), ({"device_ids": ["wh-1", "x"]}, True),
     ({"device_ids": ["wh-2"]}, False), ({"buildings": ["A"]}, True),
     ({"buildings": ["B"]}, False), ({"device_types": ["gas"]}, False),
     ({"device_types": ["electric"], "buildings": ["B"]}, False),
     ({"model_names": ["churn"]}, True), ({"model_tags": ["money"]}, True)],
)  # fmt: skip
def test_filters_of_heaters_must_all_fit(values, fits):
    """Empty ones let all through; those of models do not concern heaters."""
    assert matches(spec(**values), ALERT, HEATER) is fits


@pytest.mark.parametrize(
    ("values", "fits"),
    [({}, True), ({"sources": ["device"]}, False), ({"model_names": ["other"]}, False),
     ({"model_tags": ["daily", "x"]}, True), ({"model_tags": ["x"]}, False),
     ({"device_ids": ["wh-2"], "buildings": ["B"]}, True)],
)  # fmt: skip
def test_filters_of_models_must_all_fit(values, fits):
    """By name and by tag; those of heaters do not concern models."""
    alert = replace(ALERT, source="model", subject="churn")
    assert matches(spec(**values), alert, MODEL) is fits


def test_a_heater_that_is_gone_is_known_by_its_name():
    """Without a building it does not pass a filter of buildings."""
    assert matches(spec(device_ids=["wh-1"]), ALERT, Subject("wh-1"))
    assert not matches(spec(buildings=["A"]), ALERT, Subject("wh-1"))


def test_a_raised_alert_is_told_once_to_each_address(world: World):
    """Every recipient has a parcel of its own; the same event again adds none."""
    world.route(targets=["a@b.example", "c@d.example"])
    world.route("Hook", "webhook")
    world.route("Models", sources=["model"])
    alert = world.raised()
    event_id = world.parcels()[0].body["event_id"]
    with world.outbox.transaction() as tx:
        event = replace(_event(alert), id=event_id)
        world.notify.announce(tx, alert, event)

    assert [p.target.split("/")[0] for p in world.parcels()] == [
        "a@b.example", "c@d.example", "https:",
    ]  # fmt: skip
    assert {p.next_at for p in world.parcels()} == {NOW}
    assert len({p.key for p in world.parcels()}) == 3


def _event(alert):
    return AlertEvent(alert.id, NOW, "activated", "system")


def test_a_transaction_that_fails_tells_nothing(world: World):
    """Parcels stand or fall with the alert they tell of."""
    world.route()
    with pytest.raises(RuntimeError), world.outbox.transaction() as tx:
        world.notify.announce(tx, ALERT, replace(_event(ALERT), id=7))
        raise RuntimeError

    assert world.parcels() == []


@pytest.mark.parametrize(
    "kind",
    ["acknowledged", "assigned", "commented", "shelved", "unshelved", "reopened"],
)
def test_handling_is_not_told(world: World, kind: str):
    """Only what begins and what ends is told."""
    world.route()
    alert = world.raised()
    world.tell(alert, kind)

    assert world.kinds() == ["activated"]


def test_a_shelved_alert_is_silent_until_the_shelf_ends(world: World):
    """Neither a new activation nor its end is told while it is shelved."""
    world.route()
    alert = world.raised(shelved_until=NOW + timedelta(hours=1))
    world.tell(alert, "cleared")
    assert world.parcels() == []

    world.stores.clock.forward(hours=2)
    world.tell(alert, "activated")
    assert world.kinds() == ["activated"]


def test_the_end_is_told_to_those_who_heard_the_beginning(world: World):
    """A route that came later, or wants no recovery, hears nothing of the end."""
    world.route("Old")
    world.route("Terse", targets=["t@b.example"], recovery=False)
    alert = world.raised()
    for parcel in world.parcels():
        _sent(world, parcel)
    world.route("New", targets=["n@b.example"])
    world.tell(alert, "cleared")

    assert [(p.target, p.body["kind"]) for p in world.parcels("waiting")] == [
        ("duty@plant.example", "cleared")
    ]


def _sent(world: World, parcel):
    now = world.stores.clock()
    claimed = world.outbox.claim([parcel], now, now + timedelta(minutes=1))
    world.outbox.done(claimed, Try(parcel.id, now, True, "ok", 1))


def test_an_alert_ends_once(world: World):
    """Resolved after it cleared by itself is no news; resolved while active is."""
    world.route()
    first, second = world.raised(), world.raised(subject="wh-2")
    for parcel in world.parcels():
        _sent(world, parcel)
    world.tell(first, "cleared")
    world.tell(first, "resolved")
    world.tell(second, "resolved", text="Element replaced")

    assert world.kinds("waiting") == ["cleared", "resolved"]
    assert world.parcels()[-1].body["note"] == "Element replaced"


def test_raised_again_is_told_again(world: World):
    """Each activation has its message and its end."""
    world.route()
    alert = world.raised()
    _sent(world, world.parcels()[0])
    world.tell(alert, "cleared")
    world.tell(replace(alert, activations=2), "activated")
    last = world.parcels()[-1]

    assert world.kinds() == ["activated", "cleared", "activated"]
    assert "raised again (2 times)" in last.subject


def test_only_a_worse_severity_is_told(world: World):
    """Lower is silence; worse than before reaches also whom it did not concern."""
    world.route()
    world.route("Night", targets=["night@b.example"], severities=["critical"])
    alert = world.raised()
    world.tell(replace(alert, severity="medium"), "severity")
    assert len(world.parcels()) == 1

    world.tell(replace(alert, severity="critical"), "severity")
    world.tell(replace(alert, severity="critical"), "severity")
    assert [(p.target[:5], p.body["severity"]) for p in world.parcels()] == [
        ("duty@", "high"), ("duty@", "critical"), ("night", "critical"),
    ]  # fmt: skip


def test_quiet_hours_hold_but_not_what_is_critical(world: World):
    """Held until they end; critical passes unless the route says otherwise."""
    world.stores.clock.now = AT_NIGHT
    world.route(quiet=NIGHT)
    world.route("All", targets=["q@b.example"], quiet=NIGHT, critical_at_once=False)
    world.raised()
    world.raised(severity="critical", subject="wh-2")

    assert [p.next_at for p in world.parcels()] == [
        MORNING, MORNING, AT_NIGHT, MORNING,
    ]  # fmt: skip


def test_what_ends_in_the_quiet_hours_is_told_in_one_message(world: World):
    """The beginning that still waits is dropped; beginning and end come together."""
    world.stores.clock.now = AT_NIGHT
    world.route(quiet=NIGHT, recovery=False)
    alert = world.raised()
    world.stores.clock.forward(hours=1)
    world.tell(alert, "cleared")

    assert world.kinds("dropped") == ["activated"]
    (told,) = world.parcels("waiting")
    assert (told.body["kind"], told.next_at) == ("over", MORNING)
    assert "raised and over again" in told.subject


def test_a_digest_is_told_at_the_end_of_its_period(world: World):
    """All of a quarter of an hour wait for the same moment."""
    world.route(digest_minutes=15)
    world.stores.clock.now = NOW + timedelta(minutes=1)
    world.raised()
    world.stores.clock.forward(minutes=13)
    world.raised(subject="wh-2")
    world.raised(subject="wh-3", severity="critical")

    due = [(p.next_at - NOW).total_seconds() / 60 for p in world.parcels()]
    assert due == [15, 15, 14]
    assert [p.body["digest"] for p in world.parcels()] == [True, True, False]


BERLIN = Quiet("22:00", "07:00", "Europe/Berlin", tuple(range(7)))


@pytest.mark.parametrize(
    ("now", "until"),
    [
        # Spring: the night of 28 to 29 March has 23 hours.
        ("2026-03-28T20:59:59", None),
        ("2026-03-28T21:00:00", "2026-03-29T05:00:00"),
        ("2026-03-29T04:59:59", "2026-03-29T05:00:00"),
        ("2026-03-29T05:00:00", None),
        # Autumn: the night of 24 to 25 October has 25 hours.
        ("2026-10-24T19:59:59", None),
        ("2026-10-24T20:00:00", "2026-10-25T06:00:00"),
        ("2026-10-25T05:59:59", "2026-10-25T06:00:00"),
        ("2026-10-25T06:00:00", None),
    ],
)
def test_quiet_hours_keep_their_local_times_across_daylight_saving(now, until):
    """22 to 7 stays 22 to 7 on the clocks of the zone."""
    found = quiet_until(BERLIN, datetime.fromisoformat(now + "+00:00"))

    assert found == (datetime.fromisoformat(until + "+00:00") if until else None)


@pytest.mark.parametrize(
    ("now", "until"),
    [
        # 02:00 to 03:00 is the hour that spring leaves out: it never is.
        ("2026-03-29T00:59:59", None),
        ("2026-03-29T01:00:00", None),
        # Autumn shows it twice: the quiet hour begins the first time and lasts.
        ("2026-10-25T00:30:00", "2026-10-25T02:00:00"),
        ("2026-10-25T01:30:00", "2026-10-25T02:00:00"),
        ("2026-10-25T02:00:00", None),
    ],
)
def test_an_hour_that_a_day_leaves_out_or_shows_twice(now, until):
    """Quiet hours in the gap hold nobody; in the doubled hour they hold both."""
    quiet = Quiet("02:00", "03:00", "Europe/Berlin", (6,))
    found = quiet_until(quiet, datetime.fromisoformat(now + "+00:00"))

    assert found == (datetime.fromisoformat(until + "+00:00") if until else None)


def test_quiet_days_that_touch_are_one_stretch():
    """A quiet weekend of whole days ends on Monday."""
    quiet = Quiet("00:00", "00:00", "UTC", (5, 6))
    saturday = datetime(2026, 3, 14, 9, 0, tzinfo=UTC)

    assert quiet_until(quiet, saturday) == datetime(2026, 3, 16, tzinfo=UTC)
    assert quiet_until(quiet, saturday - timedelta(days=1)) is None


def test_a_digest_that_ends_in_the_quiet_hours_waits_for_their_end(world: World):
    """Both holds are kept."""
    world.stores.clock.now = datetime(2026, 3, 10, 20, 50, tzinfo=UTC)
    world.route(digest_minutes=60, quiet=NIGHT)
    world.raised()

    assert world.parcels()[0].next_at == MORNING


@pytest.mark.parametrize("minutes", [1, 15, 60, 1440])
def test_a_digest_period_ends_after_now(minutes):
    """Also for what happens exactly at its boundary."""
    for moment in (NOW, NOW + timedelta(seconds=1)):
        wait = digest_at(minutes, moment) - moment
        assert timedelta(0) < wait <= timedelta(minutes=minutes)
