"""Reports that people ask for: requests, runs, files, retention."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from services.access import Principal, Role
from services.errors import Conflict, Forbidden, InvalidInput, NotFound, TooMany
from services.reports import request
from services.reports.making import MOST_TRIES
from services.reports.runs import MOST_WAITING
from services.units import Preferences
from tests.conftest import ADMIN, NOW, OPERATOR, VIEWER, Stores
from tests.services.report_world import ASKED, OTHER, World, world_of

BERLIN = Preferences(time_zone="Europe/Berlin", temperature_unit="F")


@pytest.fixture
def world(stores: Stores):
    """Reports on empty stores; three people may sign in."""
    with world_of(stores) as found:
        with found.accounts.transaction() as tx:
            for name, role in (("viewer", "viewer"), ("operator", "operator"),
                               ("admin", "admin"), ("olga", "operator")):  # fmt: skip
                found.accounts.add_user(tx, name, "x", role, NOW)
        yield found


def test_a_request_is_read_in_the_zone_it_names():
    """Dates are days of the request's zone; units are the caller's where not named."""
    raw = {**ASKED, "time_zone": "America/New_York", "devices": ["a", "b", "a"]}
    asked = request.parse(raw, NOW, BERLIN)

    assert asked.query.start == datetime(2026, 3, 1, 5, tzinfo=UTC)
    assert asked.query.end == datetime(2026, 3, 8, 5, tzinfo=UTC)
    assert asked.query.devices == ("a", "b")
    assert asked.query.preferences.temperature_unit == "F"
    assert request.restored(request.stored(asked.query)) == asked.query
    assert request.file_name(asked.query, "pdf") == "fleet_2026-03-01_2026-03-07.pdf"


def test_without_a_range_it_is_the_last_seven_days():
    """The page's own default holds for a request that names no range."""
    asked = request.parse({"template": "fleet"}, NOW, Preferences())

    assert (asked.query.end - asked.query.start).days == 7
    assert asked.format == "pdf"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"template": "secrets"}, "template is one of performance"),
        ({"template": None}, "not nothing"),
        ({"format": "exe"}, "format is one of pdf, csv, zip"),
        ({"colour": "red", "size": 3}, "knows no colour, size"),
        ({"from": "2026-03-09"}, "ends before it begins"),
        ({"from": "2026-03-08"}, "ends where it begins"),
        ({"from": "now-6y", "to": "now"}, "at most 5 years"),
        ({"from": "2000-01-01", "to": "2199-01-01"}, "at most 5 years"),
        ({"from": "yesterday"}, "is not a time"),
        ({"from": 7}, "from must be a text"),
        ({"time_zone": "Mars/Olympus"}, "IANA"),
        ({"units": {"temperature_unit": "K"}}, "one of C, F"),
        ({"units": {"theme": "dark"}}, "units has"),
        ({"units": "C"}, "units has"),
        ({"models": "all"}, "must be a list"),
        ({"models": ["x" * 300]}, "list of texts"),
        ({"models": [str(i) for i in range(999)]}, "at most"),
        ({"devices": [{"id": 1}]}, "list of texts"),
        ({"sections": ["nowhere"]}, "sections is one of"),
        ({"template": "x" * 10_000}, "at most 200"),
    ],
)
def test_what_cannot_be_is_refused_in_words(changes, words):
    """Every wrong field, a reversed and a giant range are named."""
    with pytest.raises(InvalidInput, match=words):
        request.parse({**ASKED, **changes}, NOW, Preferences())


def test_a_report_asked_for_is_made_and_downloaded(world: World):
    """It waits, is made once, and its file is what size and checksum say."""
    run = world.desk.runs.ask(VIEWER, ASKED, BERLIN)
    assert run.state == "waiting"

    assert world.make_all() == ["done"]

    done = world.desk.runs.get(VIEWER, run.id)
    file = world.desk.runs.file(VIEWER, run.id)
    content = file.path.read_bytes()
    assert (done.state, done.progress, done.tries) == ("done", 1.0, 1)
    assert len(content) == done.size_bytes
    assert hashlib.sha256(content).hexdigest() == done.sha256
    assert file.name == "fleet_2026-03-01_2026-03-07.csv"
    assert file.media_type.startswith("text/csv")
    assert [p.name for p in world.folder.iterdir()] == [f"{run.id}.csv"]
    assert [line.action for line in world.audit.lines(ADMIN)] == ["report.ask"]


def test_the_same_report_made_at_once_has_the_same_bytes(world: World):
    """``export`` and a run of the same clock differ in nothing."""
    run = world.desk.runs.ask(VIEWER, ASKED)
    world.make_all()
    file = world.desk.runs.export(VIEWER, ASKED)

    stored = world.desk.runs.file(VIEWER, run.id).path.read_bytes()
    assert b"".join(file.parts) == stored
    assert file.name == "fleet_2026-03-01_2026-03-07.csv"


def test_reports_of_others_are_not_there(world: World):
    """People see their own; an Admin sees all; nobody learns what others have."""
    run = world.desk.runs.ask(VIEWER, ASKED)
    world.make_all()
    runs = world.desk.runs

    assert runs.list(OPERATOR) == ()
    assert [r.id for r in runs.list(VIEWER)] == [r.id for r in runs.list(ADMIN)]
    for look in (runs.get, runs.file, runs.remove):
        with pytest.raises(NotFound):
            look(OPERATOR, run.id)
        with pytest.raises(NotFound):
            look(OPERATOR, "../../etc/passwd")
    assert runs.file(ADMIN, run.id).path.exists()


def test_the_templates_permission_is_asked_again_at_the_download(world: World):
    """Who has lost a role cannot fetch what that role let him make."""
    was_admin = Principal("operator", Role.ADMIN)
    with world.accounts.transaction() as tx:
        user = world.accounts.user("operator", tx)
        world.accounts.change_user(tx, user.id, role="admin")
    run = world.desk.runs.ask(was_admin, {**ASKED, "template": "audit"})
    assert world.make_all() == ["done"]

    with pytest.raises(Forbidden):
        world.desk.runs.file(OPERATOR, run.id)
    with pytest.raises(Forbidden):
        world.desk.runs.ask(VIEWER, {**ASKED, "template": "audit"})


def test_a_report_is_made_with_the_role_of_today(world: World):
    """A user who was disabled meanwhile gets no report, and the run says why."""
    run = world.desk.runs.ask(OPERATOR, ASKED)
    with world.accounts.transaction() as tx:
        user = world.accounts.user("operator", tx)
        world.accounts.change_user(tx, user.id, disabled=True)

    assert world.make_all() == ["failed"]
    assert "may not sign in" in world.made(run.id).reason


def test_ten_may_wait(world: World):
    """The eleventh of one user is refused; others are not kept from theirs."""
    for _ in range(MOST_WAITING):
        world.desk.runs.ask(VIEWER, ASKED)
    with pytest.raises(TooMany, match="10 of your reports"):
        world.desk.runs.ask(VIEWER, ASKED)

    world.desk.runs.ask(OPERATOR, ASKED)
    world.desk.runs.remove(VIEWER, world.desk.runs.list(VIEWER)[0].id)
    world.desk.runs.ask(VIEWER, ASKED)


def test_a_failure_is_said_and_leaves_no_file(world: World):
    """A report that cannot be composed fails with the reason; nothing lies about."""
    broken = {**ASKED, "template": "performance", "models": ["broken"]}
    run = world.desk.runs.ask(VIEWER, broken)

    assert world.make_all() == ["failed"]
    assert world.made(run.id).reason == "There is no model broken."
    assert not list(world.folder.glob("*")) if world.folder.exists() else True
    with pytest.raises(Conflict, match="failed"):
        world.desk.runs.file(VIEWER, run.id)


def test_a_fault_of_ours_is_not_told(world: World):
    """An unexpected error ends the run without its inner words."""
    run = world.desk.runs.ask(VIEWER, ASKED)

    def broken() -> None:
        raise RuntimeError("SELECT secret FROM users")

    world.composer.on_compose = broken
    assert world.make_all() == ["failed"]
    assert "secret" not in world.made(run.id).reason
    assert "ours" in world.made(run.id).reason


def test_a_killed_run_is_taken_up_again_three_times(world: World):
    """A run whose worker died is claimed after its lease, and fails at the fourth."""
    run = world.desk.runs.ask(VIEWER, ASKED)
    for number in range(1, MOST_TRIES + 1):
        claimed = world.desk.maker.take()
        assert claimed is not None
        assert claimed.tries == number
        assert world.desk.maker.take() is None
        world.clock.forward(seconds=61)

    assert world.make_all() == ["failed"]
    assert "ended 3 times" in world.made(run.id).reason


def test_a_lease_is_kept_while_it_is_renewed(world: World):
    """What is still being made is not made by another as well."""
    world.desk.runs.ask(VIEWER, ASKED)
    claimed = world.desk.maker.take()
    assert claimed is not None
    for _ in range(5):
        world.clock.forward(seconds=45)
        assert world.desk.maker.renew(claimed)
        assert world.desk.maker.take() is None


def test_a_claim_that_was_lost_cannot_end_the_run(world: World):
    """The slow first worker changes nothing of what the second one has made."""
    run = world.desk.runs.ask(VIEWER, ASKED)
    slow = world.desk.maker.take()
    world.clock.forward(seconds=61)
    assert world.make_all() == ["done"]
    before = (world.folder / f"{run.id}.csv").read_bytes()
    made = world.made(run.id)

    assert slow is not None
    assert not world.desk.maker.renew(slow)
    world.clock.forward(days=1)
    late = replace(slow, started_at=world.clock())
    assert world.desk.maker.make(late) == "failed"

    assert world.made(run.id) == made
    assert (world.folder / f"{run.id}.csv").read_bytes() == before


def test_a_run_that_is_removed_while_it_is_made_leaves_nothing(world: World):
    """The file of a cancelled run is not kept."""
    run = world.desk.runs.ask(VIEWER, ASKED)
    world.composer.on_compose = lambda: world.desk.runs.remove(VIEWER, run.id)

    world.make_all()

    assert list(world.folder.iterdir()) == []
    assert world.desk.runs.list(ADMIN) == ()


def test_a_stopping_worker_gives_its_run_back(world: World):
    """A run interrupted by the end of the worker waits, and costs no try."""
    run = world.desk.runs.ask(VIEWER, ASKED)
    claimed = world.desk.maker.take()
    assert claimed is not None

    assert world.desk.maker.make(claimed, stopping=lambda: True) == "waiting"
    assert (world.made(run.id).state, world.made(run.id).tries) == ("waiting", 0)


def test_old_files_go_and_their_record_stays(world: World):
    """After the days of the setting a file is removed, and the run says so."""
    run = world.desk.runs.ask(VIEWER, ASKED)
    world.make_all()
    world.clock.forward(days=89)
    assert world.desk.maker.expire() == 0
    world.clock.forward(days=2)
    assert world.desk.maker.expire() == 1

    assert list(world.folder.iterdir()) == []
    listed = world.desk.runs.list(VIEWER)
    assert [(r.id, r.removed_at) for r in listed] == [(run.id, world.clock())]
    with pytest.raises(NotFound, match="removed"):
        world.desk.runs.file(VIEWER, run.id)


def test_pages_of_the_list_follow_each_other(world: World):
    """Newest first, each once, also where two were asked for at the same moment."""
    asked = [world.desk.runs.ask(OTHER, ASKED).id for _ in range(5)]
    seen, before = [], None
    while page := world.desk.runs.list(OTHER, 2, before):
        seen += [run.id for run in page]
        before = (page[-1].asked_at, page[-1].id)

    assert sorted(seen) == sorted(asked)


def test_templates_offered_are_those_the_caller_may_make(world: World):
    """Only an Admin is offered the report on the audit log."""
    offered = {t.key for t in world.desk.runs.templates(VIEWER)}

    assert "audit" not in offered
    assert "fleet" in offered
    assert "audit" in {t.key for t in world.desk.runs.templates(ADMIN)}
