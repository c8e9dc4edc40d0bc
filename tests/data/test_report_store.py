"""The stores of runs and schedules, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from data.report_files import ReportFiles
from data.report_records import ReportRun, Schedule
from data.report_schedule_store import ScheduleNameTakenError, ScheduleStore
from data.report_store import ReportStore
from data.session import open_engine
from tests.conftest import NOW, Stores

LEASE = timedelta(seconds=60)


@pytest.fixture
def store(stores: Stores):
    """The runs, none stored yet."""
    engine = open_engine(stores.settings.operational_url)
    yield ReportStore(engine)
    engine.dispose()


@pytest.fixture
def schedules(store: ReportStore) -> ScheduleStore:
    """The schedules of the same database."""
    return ScheduleStore(store._engine)


def a_run(number: int, **changes: object) -> ReportRun:
    """A run that waits, asked for ``number`` seconds later."""
    run = ReportRun(
        id=f"{number:032x}", template="fleet", format="pdf", query={"a": 1},
        asked_by="vera", asked_at=NOW + timedelta(seconds=number),
    )  # fmt: skip
    return replace(run, **changes)  # type: ignore[arg-type]


def a_schedule(**changes: object) -> Schedule:
    """A schedule that is due now."""
    kept = Schedule(
        name="Weekly", enabled=True, spec={"cron": "0 6 * * 1"}, owner="otto",
        revision=1, updated_by="otto", updated_at=NOW, next_at=NOW,
    )  # fmt: skip
    return replace(kept, **changes)  # type: ignore[arg-type]


def add(store: ReportStore, *runs: ReportRun) -> None:
    """Store runs."""
    with store.transaction() as tx:
        for run in runs:
            store.add(tx, run)


def test_the_oldest_is_claimed_and_only_once(store):
    """Claims go by the time of asking; what is claimed is not free before its end."""
    add(store, a_run(2), a_run(1))

    claimed = [store.claim(NOW, NOW + LEASE) for _ in range(3)]

    assert [run and run.asked_at.second for run in claimed] == [1, 2, None]
    again = store.claim(NOW + LEASE, NOW + 2 * LEASE)
    assert (again.id, again.tries, again.state) == (a_run(1).id, 2, "running")


def test_a_claim_that_was_lost_changes_nothing(store):
    """Progress, lease and end of an older claim are refused."""
    add(store, a_run(1))
    old = store.claim(NOW, NOW + LEASE)
    new = store.claim(NOW + LEASE, NOW + 2 * LEASE)

    assert not store.progress(old, 0.5, "late")
    assert not store.renew(old, NOW + 9 * LEASE)
    with store.transaction() as tx:
        assert not store.end(tx, replace(old, state="done"))
        assert store.end(tx, replace(new, state="done", size_bytes=3))
    assert store.get(old.id).size_bytes == 3
    assert not store.release(new)


def test_a_period_has_one_run_of_each_format(store, schedules):
    """The second insert of a schedule's period does nothing and says so."""
    with store.transaction() as tx:
        number = schedules.add(tx, a_schedule())
    told = []
    for index, kind in enumerate(("pdf", "pdf", "csv")):
        run = a_run(index, schedule_id=number, period="p", format=kind)
        with store.transaction() as tx:
            told.append(store.add_period(tx, run))

    assert told == [True, False, True]
    assert store.last_of([number])[number].format == "csv"


def test_pages_show_what_somebody_may_see(store, schedules):
    """Own runs and those of own schedules, newest first; removed ones not."""
    with store.transaction() as tx:
        number = schedules.add(tx, a_schedule())
    add(
        store, a_run(1), a_run(2, asked_by="otto"), a_run(3, asked_by="ada"),
        a_run(4, asked_by="ada", schedule_id=number, period="p"),
    )  # fmt: skip
    with store.transaction() as tx:
        assert store.remove(tx, a_run(2).id, NOW, "removed")
        assert not store.remove(tx, a_run(2).id, NOW, "removed")

    seen = store.page(10, seen_by=("otto", [number]), hidden_step="removed")
    assert [run.id for run in seen] == [a_run(4).id]
    everything = store.page(10)
    assert [run.asked_at.second for run in everything] == [4, 3, 2, 1]
    last = everything[1]
    assert len(store.page(10, before=(last.asked_at, last.id))) == 2
    assert store.get(a_run(2).id).reason == "Cancelled."
    with store.transaction() as tx:
        assert store.waiting_of(tx, "vera") == 1
        assert store.waiting_of(tx, "otto") == 0


def test_a_due_schedule_is_claimed_once(store, schedules):
    """A second claim of the same time, or of an older revision, is refused."""
    with store.transaction() as tx:
        number = schedules.add(tx, a_schedule())
        schedules.add(tx, a_schedule(name="Off", enabled=False))
    (due,) = schedules.due(NOW)
    later = NOW + timedelta(days=7)
    with store.transaction() as tx:
        assert due.id == number
        assert schedules.claim(tx, due, later)
        assert not schedules.claim(tx, due, later)
    assert schedules.due(NOW) == []
    with store.transaction() as tx:
        assert schedules.replace(tx, replace(due, revision=2), 1)
        assert not schedules.replace(tx, replace(due, revision=2), 1)


def test_names_of_schedules_are_unique(store, schedules):
    """A second schedule of one name is refused by name."""
    with store.transaction() as tx:
        schedules.add(tx, a_schedule())
    with pytest.raises(ScheduleNameTakenError), store.transaction() as tx:
        schedules.add(tx, a_schedule())


def test_a_removed_schedule_leaves_its_runs(store, schedules):
    """They stay, without their schedule."""
    with store.transaction() as tx:
        number = schedules.add(tx, a_schedule())
    add(store, a_run(1, schedule_id=number, period="p"))
    with store.transaction() as tx:
        schedules.remove(tx, number)

    assert schedules.get(number) is None
    assert store.get(a_run(1).id).schedule_id is None


def test_a_file_is_there_when_it_is_published(tmp_path):
    """Staged it has another name; removed, nothing of it is left."""
    files = ReportFiles(tmp_path / "reports")
    staged = files.stage("a" * 32, "csv", [b"one", b"two"])
    path = files.path("a" * 32, "csv")
    assert not path.exists()

    files.publish(staged)

    assert path.read_bytes() == b"onetwo"
    assert staged.size == 6
    files.stage("a" * 32, "csv", [b"left by a killed worker"])
    files.remove("a" * 32, "csv")
    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize("run_id", ["../../x", "a/b", "", "a" * 31, "/" + "a" * 31])
def test_no_id_leads_out_of_the_folder(tmp_path, run_id):
    """A name that would be another file than a report's is refused."""
    with pytest.raises(ValueError, match="not the name"):
        ReportFiles(tmp_path / "reports").path(run_id, "pdf")
