"""A control that cannot lie: whatever goes wrong, what is shown is what was heard.

``IOTSPHERE_CONTROL_RUNS`` says how many random histories are tried (default 500).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from random import Random

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from services import courier_desk
from services.controls import Controls
from services.courier import Courier
from services.courier_desk import Desk, Report
from tests.conftest import VIEWER
from tests.services.control_world import (
    AWAY,
    JUMPS_S,
    KEYS,
    TARGET,
    World,
    base,
    device_values,
    values,
    wander,
)

RUNS = int(os.environ.get("IOTSPHERE_CONTROL_RUNS", "500"))
STEPS = 20
FLAG = st.booleans()
SELDOM = st.sampled_from([False, False, False, True])
WISHES = st.sampled_from([(key, v) for key in KEYS for v in (*values(key), None)])
KNOBS = st.sampled_from([(key, v) for key in KEYS for v in device_values(key)])


class Truth(RuleBasedStateMachine):
    """All that can happen to one heater, in any order."""

    open_world: Callable[[], World]

    def __init__(self) -> None:
        super().__init__()
        self.world = type(self).open_world()

    @rule(
        who=st.integers(0, 1),
        wish=WISHES,
        back=st.sampled_from([None, None, 0, 1]),
    )
    def wish(self, who: int, wish: tuple[str, object], back: int | None) -> None:
        """Somebody wishes or withdraws."""
        self.world.wish(who, *wish, back)

    @rule(lost=SELDOM, twice=SELDOM, unnoted=SELDOM)
    def carry(self, lost: bool, twice: bool, unnoted: bool) -> None:
        """Commands go out."""
        self.world.carry(lost=lost, twice=twice, noted=not unnoted)

    @precondition(lambda self: self.world.wire)
    @rule(picks=st.lists(st.integers(0, 7), min_size=1, max_size=4), keep=FLAG)
    def deliver(self, picks: list[int], keep: bool) -> None:
        """Messages come in, in any order."""
        self.world.deliver(picks, keep=keep)

    @rule(heard=FLAG)
    def serve(self, heard: bool) -> None:
        """For once all goes well."""
        self.world.serve(heard=heard)

    @precondition(lambda self: self.world.wire)
    @rule(number=st.integers(1, 5))
    def deliver_in_order(self, number: int) -> None:
        """The oldest messages come in."""
        self.world.deliver(list(range(number)), keep=False)

    @precondition(lambda self: self.world.wire)
    @rule()
    def lose(self) -> None:
        """What is on the way is lost."""
        self.world.lose()

    @precondition(lambda self: self.world.device.inbox)
    @rule(pick=st.integers(0, 3), refuse=SELDOM, silent=SELDOM, partly=FLAG)
    def act(self, pick: int, refuse: bool, silent: bool, partly: bool) -> None:
        """The device takes a command."""
        self.world.act(pick, refuse=refuse, silent=silent, partly=partly)

    @rule(key=st.sampled_from([*KEYS, None]), versioned=FLAG)
    def report(self, key: str | None, versioned: bool) -> None:
        """The device says how it is."""
        self.world.report(KEYS if key is None else (key,), versioned=versioned)

    @rule(key=st.sampled_from(KEYS))
    def revert(self, key: str) -> None:
        """The device goes back."""
        self.world.revert(key)

    @rule(knob=KNOBS)
    def turn_knob(self, knob: tuple[str, object]) -> None:
        """Somebody sets the device itself."""
        self.world.turn_knob(*knob)

    @rule(online=st.sampled_from([True, True, False]), reborn=SELDOM)
    def presence(self, online: bool, reborn: bool) -> None:
        """The device comes or goes."""
        self.world.presence(online=online, reborn=reborn)

    @rule(back=st.integers(0, 3))
    def lie(self, back: int) -> None:
        """The device answers what it was not asked."""
        self.world.lie(back)

    @rule(seconds=st.sampled_from(JUMPS_S), look=FLAG)
    def forward(self, seconds: int, look: bool) -> None:
        """Time goes by."""
        self.world.forward(seconds, look=look)

    @rule()
    def restart_services(self) -> None:
        """The server is killed and started."""
        self.world.restart_services()

    @invariant()
    def shows_the_truth(self) -> None:
        """Nothing is shown that was not so."""
        assert self.world.wrong() == []

    def teardown(self) -> None:
        """After all limits nothing is open, and what is shown is still true."""
        assert self.world.stuck() == []
        assert self.world.wrong() == []


def try_all(runs: int) -> None:
    """Random histories with every invariant after every step."""
    with base() as held:
        machine = type("Tried", (Truth,), {"open_world": lambda: World(held)})
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=runs,
                stateful_step_count=STEPS,
                deadline=None,
                derandomize=True,
                database=None,
                suppress_health_check=list(HealthCheck),
            ),
        )


def test_no_history_makes_the_screen_lie():
    """Dropped, late, doubled, mixed, reverted, refused, restarted: never a lie."""
    try_all(RUNS)


def applied_at_any_version(desk: Desk, command, version: int, value: object) -> None:
    """A fault: whatever is reported makes the wish applied."""
    del version
    if command.open and courier_desk.same(value, command.value):
        desk.end(command, "applied")


def take_all_reports(desk: Desk, said: Report) -> None:
    """A fault: reports in any order are believed."""
    told = courier_desk.replace(said, seq=-1)
    Desk.believed(desk, told)  # type: ignore[attr-defined]


def never(*_args: object) -> int:
    """A fault: the clock is not looked at."""
    return 0


@pytest.mark.parametrize(
    ("where", "what", "fault"),
    [
        (Desk, "_settle", applied_at_any_version),
        (Desk, "_report", take_all_reports),
        (Desk, "withdraw", lambda *_args: None),
        (Controls, "_replace_open", lambda *_args: None),
        (Courier, "look_at_clock", never),
    ],
)
def test_a_broken_server_is_found_out(
    monkeypatch: pytest.MonkeyPatch, where: type, what: str, fault: object
):
    """With one rule of the server broken, some history shows a lie or a leftover."""
    monkeypatch.setattr(Desk, "believed", Desk._report, raising=False)
    monkeypatch.setattr(where, what, fault)
    with base() as held:
        assert any(lies(World(held), Random(seed)) for seed in range(200))


def lies(world: World, random: Random) -> bool:
    """Whether one random history ends in a lie."""
    for _ in range(60):
        wander(world, random)
        if world.wrong():
            return True
    return bool(world.stuck() or world.wrong())


def test_a_plain_history_is_applied():
    """The world itself works: wished, carried, done, reported, shown as applied."""
    with base() as held:
        world = World(held)
        world.presence(online=True, reborn=True)
        world.deliver([0], keep=False)
        world.wish(0, TARGET, 52.0, 0)
        world.wish(1, AWAY, 30, None)
        world.carry(lost=False, twice=False, noted=True)
        for _ in range(2):
            world.act(0, refuse=False, silent=False, partly=False)
        world.deliver([0, 1, 2, 3], keep=False)
        standings = world.controls.standings(VIEWER, world.id)
        shown = {standing.key: standing.state for standing in standings}
        assert (shown[TARGET], shown[AWAY]) == ("applied", "applied")
        assert world.wrong() == world.stuck() == []
