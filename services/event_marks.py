"""Events grouped so that their marks on a time axis do not cover each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from data.records import Event
from services.windows import Window

MARKED_EVENTS = 300
"""Most events of one range that are marked: the newest."""
MARKS = 60
"""Events nearer than this part of the range share one mark."""
SAID_OF_A_MARK = 4
SEVERITIES = ("info", "low", "medium", "high", "critical")


@dataclass(frozen=True)
class EventMark:
    """Events that share one mark: when the first was, how many, what they say."""

    ts: datetime
    count: int
    severity: str
    messages: tuple[str, ...]


def marks(events: Sequence[Event], window: Window) -> tuple[EventMark, ...]:
    """Events grouped so that their marks do not cover each other, oldest first."""
    slot = window.length / MARKS
    groups: dict[int, list[Event]] = {}
    for event in sorted(events, key=lambda e: e.ts):
        groups.setdefault((event.ts - window.start) // slot, []).append(event)
    return tuple(_mark(group) for group in groups.values())


def _mark(group: Sequence[Event]) -> EventMark:
    worst = max(group, key=lambda e: _rank(e.severity))
    said = sorted(group, key=lambda e: -_rank(e.severity))[:SAID_OF_A_MARK]
    return EventMark(
        ts=group[0].ts,
        count=len(group),
        severity=worst.severity,
        messages=tuple(event.message for event in said),
    )


def _rank(severity: str) -> int:
    return SEVERITIES.index(severity) if severity in SEVERITIES else 0
