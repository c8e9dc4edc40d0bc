"""Wishes in words: their keys, their values, and where each one stands.

What a device reports may be anything, so nothing here trusts the kind of a value.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from dash import html
from dash.development.base_component import Component

from dashboards import parts, text
from dashboards.live_pieces import mode_words
from data.talk_records import Command, Link
from services.control_views import ControlView
from services.controls import WITHDRAWN, Standing
from services.units import Preferences
from services.wishes import WORDS

KEYS = WORDS
CHIPS: Mapping[str, tuple[str, str]] = {
    "none": ("unknown", "Never set from here"),
    "pending": ("pending", "Pending"),
    "applied": ("good", "Applied"),
    "differs": ("watch", "Differs"),
    "refused": ("bad", "Refused"),
    "timed_out": ("high", "Timed out"),
    "expired": ("watch", "Expired"),
    "withdrawn": ("paused", "Withdrawn"),
    "over": ("paused", "Over"),
}
COMMAND_CHIPS: Mapping[str, tuple[str, str]] = {
    "queued": ("pending", "Waiting to be sent"),
    "sent": ("pending", "Sent"),
    "accepted": ("pending", "Taken by the device"),
    "superseded": ("paused", "Replaced"),
    **{state: CHIPS[state] for state in ("applied", "refused", "timed_out", "expired")},
}
SHOWN_CHARACTERS = 60

Words = list[Component | str]


def value_words(key: str, value: object, prefs: Preferences) -> str:
    """A wished or reported value as the reader's units and zone have it."""
    if value is None:
        return text.NO_DATA
    if key == "target_temperature_c" and _number(value):
        return text.quantity(key, float(str(value)), prefs)
    if key == "mode":
        return mode_words(value)[:SHOWN_CHARACTERS]
    if isinstance(value, bool):
        return "On" if value else "Off"
    end = until(value) if key.endswith("_until") else None
    if end is not None:
        return f"until {text.local_time(end, prefs)}"
    return str(value)[:SHOWN_CHARACTERS]


def until(value: object) -> datetime | None:
    """The time of an ``_until`` key; ``None`` when it names none."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def in_words(message: str) -> str:
    """A service's message with the names of keys as people read them."""
    for key, words in KEYS.items():
        if "_" in key:  # "mode" and "power" are words of their own
            message = message.replace(
                key, f"{words} until" if "_until" in key else words
            )
    return message


def at(when: datetime | None, now: datetime, prefs: Preferences) -> Component:
    """A time of day, with its date unless that is today; all of it on hover."""
    if when is None:
        return html.Span(text.NO_DATA)
    local, today = when.astimezone(prefs.zone), now.astimezone(prefs.zone).date()
    day = "" if local.date() == today else f"{local.day} {local:%b}, "
    return html.Time(
        f"{day}{local:%H:%M}",
        dateTime=when.isoformat(),
        title=text.local_time(when, prefs, seconds=True),
    )


def standing_words(standing: Standing, view: ControlView, prefs: Preferences) -> Words:
    """The chip of a standing and what is to be said of it."""
    state, command = standing.state, standing.command
    if state == "none" and command is not None:
        state = "over"  # it has ended by itself, as it was wished
    said: list[Any] = [parts.chip(*CHIPS[state])]
    if command is None:
        return said
    ended = at(command.ended_at, view.now, prefs)
    value = value_words(standing.key, command.value, prefs)
    if state == "pending":
        said += [": ", *_pending(command, view, prefs)]
    elif state == "applied":
        said += [" ", ended, *([f", {command.reason}"] if command.reason else [])]
    elif state == "differs":
        reported = value_words(standing.key, standing.reported, prefs)
        heard = at(standing.reported_at, view.now, prefs)
        said += [": applied ", ended, f", but the device went back to {reported}; "]
        said += ["it said so last at ", heard]
    elif state == "withdrawn":
        was = "was applied" if command.state == "applied" else "was withdrawn"
        also = ", nothing is wished now" if command.state == "applied" else ""
        said += [f": {value} {was} ", ended, also]
    elif state == "over":
        said += [f": it was {value}"]
    else:
        said += [f": {value}, ", ended, f": {command.reason}"]
    return said


def _pending(command: Command, view: ControlView, prefs: Preferences) -> list[Any]:
    now = view.now
    expires: list[Any] = [", expires ", at(command.expires_at, now, prefs)]
    if command.state == "accepted":
        took = at(command.accepted_at, now, prefs)
        return ["the device took it at ", took, " and has not reported it yet"]
    since = ["waiting for the device since ", at(command.asked_at, now, prefs)]
    if command.state == "sent":
        sent = at(command.sent_at, now, prefs)
        tries = f"; sent {text.number(command.tries, 0)} times, last at "
        told = tries if command.tries > 1 else "; sent at "
        back = "" if _online(view.link) else " (offline since then)"
        return [*since, told, sent, f"{back}, no answer yet", *expires]
    if view.link is None:
        why = " (it has never connected, will be sent when it does"
    elif view.link.online:
        why = " (online, is being sent"
    else:
        why = " (offline, will be sent when it is back"
    return [*since, why, *expires, ")"]


def _online(link: Link | None) -> bool:
    return link is not None and link.online


def command_chip(command: Command) -> Component:
    """The chip of a command in the log."""
    if command.state == "superseded" and command.reason == WITHDRAWN:
        return parts.chip(*CHIPS["withdrawn"])
    return parts.chip(*COMMAND_CHIPS[command.state])


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
