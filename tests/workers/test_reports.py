"""The worker makes reports: two at once, on schedule, and stops when asked."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from threading import Event, Thread

import pytest

from tests.conftest import OPERATOR, VIEWER, Stores
from tests.services.report_world import ASKED, WEEKLY, World, world_of
from workers.reports import AT_ONCE, ReportLoop


@pytest.fixture
def world(stores: Stores):
    """Reports on empty stores with two people."""
    with world_of(stores) as found:
        with found.accounts.transaction() as tx:
            for name in ("viewer", "operator"):
                found.accounts.add_user(tx, name, "x", name, found.clock())
        yield found


def settled(loop: ReportLoop) -> None:
    """Wait until nothing is being made."""
    until = time.monotonic() + 20
    while not loop.idle():
        assert time.monotonic() < until, "a report does not end"
        time.sleep(0.01)


def test_two_are_made_at_a_time(world: World):
    """The third waits until one of the first two has ended."""
    going = Event()
    world.composer.on_compose = lambda: going.wait(20) and None
    for _ in range(3):
        world.desk.runs.ask(VIEWER, ASKED)
    loop = ReportLoop(world.desk)

    assert loop.step() == AT_ONCE == 2
    assert loop.step() == 0
    going.set()
    settled(loop)
    assert loop.step() == 1
    settled(loop)
    assert {run.state for run in world.runs.page(9)} == {"done"}


def test_what_is_due_is_made_and_put_into_the_outbox(world: World):
    """A schedule that comes due is a done run with its mail, without anybody."""
    world.desk.schedules.add(OPERATOR, WEEKLY)
    world.clock.now = datetime(2026, 3, 16, 5, tzinfo=UTC)
    loop = ReportLoop(world.desk)
    loop.step()
    settled(loop)

    (run,) = world.runs.page(9)
    assert run.state == "done"
    assert [p.target for p in world.outbox.of_report(run.id)] == ["ops@example.org"]


def test_leases_are_kept_while_a_report_is_made(world: World):
    """A report that takes longer than its lease is not begun a second time."""
    going = Event()
    world.composer.on_compose = lambda: going.wait(20) and None
    run = world.desk.runs.ask(VIEWER, ASKED)
    loop = ReportLoop(world.desk)
    loop.step()
    world.clock.forward(seconds=45)
    loop._renewed = float("-inf")
    loop.step()
    world.clock.forward(seconds=45)
    assert loop.step() == 0
    going.set()
    settled(loop)

    assert (world.made(run.id).state, world.made(run.id).tries) == ("done", 1)


def test_the_loop_ends_when_it_is_told(world: World):
    """``run`` makes what waits and returns soon after ``stop``."""
    run = world.desk.runs.ask(VIEWER, ASKED)
    stop = Event()
    thread = Thread(target=ReportLoop(world.desk).run, args=(stop,))
    thread.start()
    until = time.monotonic() + 20
    while world.made(run.id).state != "done" and time.monotonic() < until:
        time.sleep(0.05)
    stop.set()
    thread.join(timeout=10)

    assert not thread.is_alive()
    assert world.made(run.id).state == "done"
