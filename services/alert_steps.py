"""The steps of an alert's life that people make: what each changes, and when it may.

Each step is pure: the alert, who and when in; the changed alert and what to write
into its history out, or ``None`` where there is nothing to do.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from data.alert_records import VERDICTS, Alert
from services.alert_views import shelved
from services.errors import Conflict, InvalidInput

TEXT_LENGTH = 2_000
SHORTEST_SHELF, LONGEST_SHELF = timedelta(minutes=1), timedelta(days=30)
SLACK = timedelta(seconds=30)
"""What somebody chose half a minute ago is not refused for being too short."""

_TURNS = re.compile("[\u202a-\u202e\u2066-\u2069]")
"""Marks that turn the direction of what follows: they can make a text lie."""


@dataclass(frozen=True)
class Step:
    """A change of an alert: the new alert, the kind of event and its words."""

    alert: Alert
    kind: str
    text: str = ""


Move = Callable[[Alert, str, datetime], Step | None]
"""An alert, who and when -> the step, or ``None`` where all is as it should be."""


def cleaned(name: str, words: str, *, needed: bool = False) -> str:
    """A text that somebody typed, without control characters.

    Raises:
        InvalidInput: it is too long, or empty where words are needed.
    """
    plain = _TURNS.sub("", words.replace("\r\n", "\n").replace("\r", "\n"))
    kept = "".join(
        c for c in plain if c in "\n\t" or unicodedata.category(c) not in {"Cc", "Cs"}
    ).strip()
    if len(kept) > TEXT_LENGTH:
        raise InvalidInput(f"{name} is longer than {TEXT_LENGTH} characters.")
    if needed and not kept:
        raise InvalidInput(f"{name} is needed: write a few words.")
    return kept


def acknowledge(alert: Alert, who: str, now: datetime) -> Step | None:
    """Somebody has seen it; a second time changes nothing."""
    if alert.acknowledged_at is not None:
        return None
    _check_open(alert)
    return Step(
        replace(alert, acknowledged_at=now, acknowledged_by=who), "acknowledged"
    )


def assign(owner: str | None) -> Move:
    """Give it to a user who exists, or to nobody."""

    def step(alert: Alert, _who: str, _now: datetime) -> Step | None:
        if alert.owner == owner:
            return None
        _check_open(alert)
        words = f"to {owner}" if owner else "to nobody"
        return Step(replace(alert, owner=owner), "assigned", words)

    return step


def comment(words: str) -> Move:
    """Write something into its history."""
    said = cleaned("comment", words, needed=True)
    return lambda alert, _who, _now: Step(alert, "commented", said)


def shelve(until: datetime, reason: str, now: datetime) -> Move:
    """Put it away until a time, with a reason.

    Raises:
        InvalidInput: the time is too near or too far, or there is no reason.
    """
    said = cleaned("reason", reason, needed=True)
    if not SHORTEST_SHELF - SLACK <= until - now <= LONGEST_SHELF + SLACK:
        raise InvalidInput("until must lie between 1 minute and 30 days ahead.")

    def step(alert: Alert, who: str, _now: datetime) -> Step | None:
        same = alert.shelved_until == until and alert.shelve_reason == said
        if same and alert.open:
            return None
        _check_open(alert)
        put = replace(alert, shelved_until=until, shelved_by=who, shelve_reason=said)
        stamp = until.strftime("%Y-%m-%d %H:%M UTC")
        return Step(put, "shelved", f"until {stamp}: {said}")

    return step


def unshelve(alert: Alert, _who: str, now: datetime) -> Step | None:
    """Take it back from the shelf; what is not on it stays as it is."""
    if not shelved(alert, now):
        return None
    return Step(_off_the_shelf(alert), "unshelved")


def resolve(note: str, verdict: str | None) -> Move:
    """End it, and say whether it was useful or noise.

    Raises:
        InvalidInput: there is no such verdict, or the note is too long.
    """
    said = cleaned("note", note)
    if verdict is not None and verdict not in VERDICTS:
        raise InvalidInput(f"verdict must be one of {', '.join(VERDICTS)}.")

    def step(alert: Alert, who: str, now: datetime) -> Step | None:
        if alert.resolved_at is not None:
            if (alert.verdict, alert.note or "") == (verdict, said):
                return None
            by = alert.resolved_by
            raise Conflict(f"{by} has resolved it already; reopen it to say otherwise.")
        ended = replace(
            _off_the_shelf(alert), resolved_at=now, resolved_by=who, verdict=verdict,
            note=said or None,
        )  # fmt: skip
        return Step(ended, "resolved", ": ".join(filter(None, (verdict, said))))

    return step


def reopen(alert: Alert, _who: str, _now: datetime) -> Step | None:
    """Somebody has to look again; what is open stays as it is."""
    if alert.open:
        return None
    again = replace(
        alert,
        resolved_at=None,
        resolved_by=None,
        verdict=None,
        note=None,
        acknowledged_at=None,
        acknowledged_by=None,
    )
    return Step(again, "reopened")


def _off_the_shelf(alert: Alert) -> Alert:
    return replace(alert, shelved_until=None, shelved_by=None, shelve_reason=None)


def _check_open(alert: Alert) -> None:
    if not alert.open:
        raise Conflict("It is not open any more; reopen it first.")
