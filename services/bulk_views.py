"""What a bulk command looks like: its stages in numbers, who was left out, why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from data.bulk_store import Job, Target
from data.talk_records import OPEN_STATES, Command

FAILED_STATES = ("refused", "timed_out")
"""What stops a job; an expired command is a device that was away all along."""
STAGES = (1, 2, 3)
STAGE_WORDS: Mapping[int, str] = {1: "First 1 %", 2: "Up to 10 %", 3: "All others"}
MOST_LISTED = 200


@dataclass(frozen=True)
class Stage:
    """One stage in numbers; ``states`` counts commands by their state."""

    number: int
    heaters: int
    not_yet: int
    states: Mapping[str, int] = field(default_factory=dict)

    @property
    def open(self) -> int:
        """Commands that still wait for their device."""
        return sum(self.states.get(state, 0) for state in OPEN_STATES)

    @property
    def failed(self) -> int:
        """Commands refused or timed out."""
        return sum(self.states.get(state, 0) for state in FAILED_STATES)

    @property
    def failed_share(self) -> float:
        """Failed ones among the heaters of the stage, 0..1."""
        return self.failed / self.heaters if self.heaters else 0.0


@dataclass(frozen=True)
class Left:
    """A heater that did not take the wish: ``state`` is that of its command, or
    ``not asked``."""

    device_id: str
    state: str
    reason: str


@dataclass(frozen=True)
class BulkView:
    """A job with its stages; ``left`` has at most ``MOST_LISTED`` of ``left_total``."""

    job: Job
    stages: tuple[Stage, ...]
    left: tuple[Left, ...]
    left_total: int
    may_stop: bool


@dataclass(frozen=True)
class BulkPreview:
    """What starting would do; ``ask`` is what must be confirmed, empty = nothing."""

    found: int
    stages: tuple[int, int, int]
    refused: tuple[Left, ...]
    ask: str

    @property
    def asked(self) -> int:
        """Heaters that would be asked."""
        return sum(self.stages)


def stage_sizes(heaters: int) -> tuple[int, int, int]:
    """Heaters of each stage: 1 % (at least 1), then up to 10 %, then all others."""
    first = min(max(-(-heaters // 100), 1), heaters)
    second = max(-(-heaters // 10) - first, 0)
    return first, second, heaters - first - second


def stages_of(
    targets: Sequence[Target], commands: Mapping[str, Command]
) -> tuple[Stage, ...]:
    """The stages of a job in numbers; heaters left out are in none."""
    found = []
    for number in STAGES:
        mine = [t.device_id for t in targets if t.stage == number and not t.reason]
        asked = [commands[d].state for d in mine if d in commands]
        found.append(Stage(number, len(mine), len(mine) - len(asked), Counter(asked)))
    return tuple(found)


def left_out(
    targets: Sequence[Target], commands: Mapping[str, Command]
) -> tuple[Left, ...]:
    """Heaters not asked, then those whose command ended without being applied."""
    found = [Left(t.device_id, "not asked", t.reason) for t in targets if t.reason]
    ended = [c for c in commands.values() if not c.open and c.state != "applied"]
    return (*found, *(Left(c.device_id, c.state, c.reason) for c in ended))
