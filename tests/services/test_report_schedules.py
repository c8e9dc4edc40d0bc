"""Reports that are made by themselves: once for each period, whatever happens."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from services.errors import Conflict, Forbidden, InvalidInput, NotFound, TooMany
from tests.conftest import ADMIN, OPERATOR, VIEWER, Stores
from tests.services.report_world import OTHER, WEEKLY, World, world_of

MONDAY = datetime(2026, 3, 16, 5, tzinfo=UTC)  # 06:00 in Berlin


@pytest.fixture
def world(stores: Stores):
    """Reports on empty stores, on a Tuesday noon in March."""
    with world_of(stores) as found:
        yield found


def test_a_schedule_is_made_once_for_its_period(world: World):
    """Due on Monday 06:00 in Berlin: one run about the week before, and no more."""
    made = world.desk.schedules.add(OPERATOR, WEEKLY)
    assert made.next_at == MONDAY
    assert world.desk.schedules.step() == 0

    world.clock.now = MONDAY
    assert world.desk.schedules.step() == 1
    assert world.desk.schedules.step() == 0

    (run,) = world.desk.runs.list(OPERATOR)
    assert run.query["from"] == "2026-03-08T23:00:00+00:00"
    assert run.query["to"] == "2026-03-15T23:00:00+00:00"
    assert (run.asked_by, run.period) == ("operator", MONDAY.isoformat())
    (view,) = world.desk.schedules.list(OPERATOR)
    assert view.schedule.next_at == datetime(2026, 3, 23, 5, tzinfo=UTC)
    assert view.last == run
    assert view.when == "Every Monday at 06:00"


def test_the_clock_change_does_not_move_the_wall_time(world: World):
    """From April on 06:00 in Berlin is 04:00 UTC."""
    world.desk.schedules.add(OPERATOR, WEEKLY)
    world.clock.now = datetime(2026, 3, 29, 12, tzinfo=UTC)
    world.desk.schedules.step()
    (view,) = world.desk.schedules.list(OPERATOR)

    assert view.schedule.next_at == datetime(2026, 3, 30, 4, tzinfo=UTC)


def test_missed_periods_are_made_up_once(world: World):
    """After five missed weeks the latest is made, and says that four are not."""
    world.desk.schedules.add(OPERATOR, WEEKLY)
    world.clock.now = datetime(2026, 4, 14, 12, tzinfo=UTC)

    assert world.desk.schedules.step() == 1
    assert world.desk.schedules.step() == 0
    (run,) = world.desk.runs.list(OPERATOR)
    assert run.period == datetime(2026, 4, 13, 4, tzinfo=UTC).isoformat()
    assert run.query["skipped"] == 4


def test_a_second_worker_makes_nothing_twice(world: World):
    """Two that saw the same schedule due ask for its period once."""
    world.desk.schedules.add(OPERATOR, {**WEEKLY, "formats": ["pdf", "zip"]})
    world.clock.now = MONDAY
    seen = world.schedules.due(world.clock())
    assert world.desk.schedules.step() == 2
    world.schedules.due = lambda *_a: seen  # type: ignore[method-assign]
    world.desk.schedules._store = world.schedules

    assert world.desk.schedules.step() == 0
    assert len(world.desk.runs.list(OPERATOR)) == 2


def test_a_done_run_puts_its_mails_beside_it(world: World):
    """One parcel for each recipient, with the run's file and a key of its own."""
    people = ["ops@example.org", "chief@example.org", "ops@example.org"]
    world.desk.schedules.add(ADMIN, {**WEEKLY, "recipients": people})
    with world.accounts.transaction() as tx:
        world.accounts.add_user(tx, "admin", "x", "admin", world.clock())
    world.clock.now = datetime(2026, 3, 24, 12, tzinfo=UTC)
    world.desk.schedules.step()
    assert world.make_all() == ["done"]

    (run,) = world.desk.runs.list(ADMIN)
    parcels = world.outbox.of_report(run.id)
    assert [p.key for p in parcels] == [
        f"report:{run.id}:ops@example.org",
        f"report:{run.id}:chief@example.org",
    ]
    assert parcels[0].subject == "Week of the fleet: 2026-03-16 to 2026-03-22"
    text = str(parcels[0].body["text"])
    assert "1 earlier period was missed" in text
    assert run.sha256 is not None
    assert run.sha256 in text
    file = world.desk.maker.attachment(run.id)
    assert file is not None
    assert file.path.read_bytes()


def test_run_now_is_an_extra_period(world: World):
    """It is made each time it is asked for, and leaves the next time as it is."""
    made = world.desk.schedules.add(OPERATOR, WEEKLY)
    world.desk.schedules.run_now(OPERATOR, made.id)
    world.desk.schedules.run_now(OPERATOR, made.id)

    assert len(world.desk.runs.list(OPERATOR)) == 2
    assert world.desk.schedules.get(OPERATOR, made.id).next_at == MONDAY
    for _ in range(8):
        world.desk.schedules.run_now(OPERATOR, made.id)
    with pytest.raises(TooMany):
        world.desk.schedules.run_now(OPERATOR, made.id)


def test_what_was_missed_while_it_was_off_is_not_made_up(world: World):
    """Switched off it makes nothing; switched on it begins with the next time."""
    made = world.desk.schedules.add(OPERATOR, WEEKLY)
    assert world.desk.schedules.enable(OPERATOR, made.id, False).next_at is None
    world.clock.now = MONDAY
    assert world.desk.schedules.step() == 0
    on = world.desk.schedules.enable(OPERATOR, made.id, True)

    assert on.next_at == datetime(2026, 3, 23, 5, tzinfo=UTC)
    assert world.desk.schedules.step() == 0


def test_schedules_of_others_are_not_there(world: World):
    """Operators have their own; an Admin has all; a Viewer has none."""
    made = world.desk.schedules.add(OTHER, WEEKLY)
    desk = world.desk.schedules

    assert desk.list(OPERATOR) == ()
    assert [v.schedule.id for v in desk.list(ADMIN)] == [made.id]
    for act in (desk.get, desk.remove, desk.run_now):
        with pytest.raises(NotFound):
            act(OPERATOR, made.id)
        with pytest.raises(Forbidden):
            act(VIEWER, made.id)
    with pytest.raises(Forbidden):
        desk.add(VIEWER, WEEKLY)
    with pytest.raises(Forbidden):
        desk.add(OPERATOR, {**WEEKLY, "template": "audit"})


def test_changes_need_the_revision_that_was_read(world: World):
    """A second change of the same revision is refused; the owner stays."""
    made = world.desk.schedules.add(OPERATOR, WEEKLY)
    daily = {**WEEKLY, "cron": "30 7 * * *"}
    changed = world.desk.schedules.change(ADMIN, made.id, daily, made.revision)

    assert (changed.owner, changed.updated_by) == ("operator", "admin")
    assert changed.next_at == datetime(2026, 3, 11, 6, 30, tzinfo=UTC)
    with pytest.raises(Conflict, match="look again"):
        world.desk.schedules.change(OPERATOR, made.id, WEEKLY, made.revision)
    with pytest.raises(Conflict, match="named"):
        world.desk.schedules.add(OTHER, WEEKLY)


def test_reports_outlive_their_schedule(world: World):
    """A removed schedule makes nothing more; what it made stays with its owner."""
    made = world.desk.schedules.add(OPERATOR, WEEKLY)
    world.desk.schedules.run_now(OPERATOR, made.id)
    world.desk.schedules.remove(OPERATOR, made.id)

    assert world.desk.schedules.list(OPERATOR) == ()
    assert len(world.desk.runs.list(OPERATOR)) == 1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": ""}, "name must be"),
        ({"name": "x" * 121}, "name must be"),
        ({"name": "a\nb"}, "printable"),
        ({"enabled": "yes"}, "enabled"),
        ({"cron": "* * * * *"}, "more often"),
        ({"cron": None}, "five fields"),
        ({"time_zone": "Nowhere"}, "IANA"),
        ({"from": "2026-01-01"}, "begins with now"),
        ({"from": "now", "to": "now-1d"}, "before it begins"),
        ({"formats": ["exe"]}, "formats"),
        ({"formats": [["pdf"]]}, "formats"),
        ({"recipients": "ops@example.org"}, "list"),
        ({"recipients": ["ops@example.org\nBcc: all@example.org"]}, "no mail address"),
        ({"recipients": ["ops"]}, "no mail address"),
        ({"recipients": [f"p{i}@example.org" for i in range(51)]}, "at most 50"),
        ({"password": "x"}, "knows no password"),
        ({"format": "pdf"}, "knows no format"),
    ],
)
def test_what_cannot_be_scheduled_is_refused_in_words(world: World, changes, words):
    """Each wrong field of a schedule is named."""
    with pytest.raises(InvalidInput, match=words):
        world.desk.schedules.add(OPERATOR, {**WEEKLY, **changes})
