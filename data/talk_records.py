"""The plain records of devices that talk: wishes, links, messages refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

WISH_KEYS: tuple[str, ...] = (
    "target_temperature_c",
    "mode",
    "power",
    "away_until",
    "boost_until",
    "pasteurise_until",
)
"""What may be wished of a heater: °C, one of ``MODES``, on or off, ISO times in UTC."""

OPEN_STATES: tuple[str, ...] = ("queued", "sent", "accepted")
ENDED_STATES: tuple[str, ...] = (
    "applied",
    "refused",
    "timed_out",
    "expired",
    "superseded",
)
LATE_STATES: tuple[str, ...] = ("timed_out", "expired")
"""Ended without an answer: a report that comes after all still makes them applied."""


@dataclass(frozen=True)
class Command:
    """One wish for one key of one device, and what became of it.

    ``version`` is the wish's place in the shadow: only a report that names this or a
    later version can make the command applied. ``tries`` counts deliveries.
    """

    device_id: str
    key: str
    value: object
    version: int
    state: str
    asked_by: str
    asked_at: datetime
    expires_at: datetime
    reason: str = ""
    tries: int = 0
    sent_at: datetime | None = None
    accepted_at: datetime | None = None
    ended_at: datetime | None = None
    job_id: int | None = None
    id: int = 0

    @property
    def open(self) -> bool:
        """Whether it still waits for the device."""
        return self.state in OPEN_STATES


@dataclass(frozen=True)
class Link:
    """What is known of the way to a device.

    ``session`` and ``seq`` are the newest the device named itself; a report with lower
    ones is an old one that came late.
    """

    device_id: str
    online: bool
    status_at: datetime
    session: int = 0
    seq: int = -1
    birth: Mapping[str, object] = field(default_factory=dict)
    birth_at: datetime | None = None


@dataclass(frozen=True)
class RejectedMessage:
    """A message that can never be taken: kept, capped, for people to look at."""

    at: datetime
    topic: str
    reason: str
    payload: bytes
    size: int
    id: int = 0
