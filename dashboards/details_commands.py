"""The command log of the Details tab: everything wished of a heater, newest first."""

from __future__ import annotations

from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from dashboards import links, parts, text
from dashboards.control_words import KEYS, command_chip, value_words
from data.talk_records import Command
from services.control_views import ControlView
from services.controls import WITHDRAWN
from services.units import Preferences

BEFORE = "commands_before"
"""The key of the address with the id below which the log goes on."""


def commands_card(
    view: ControlView, prefs: Preferences, path: str, search: str | None
) -> Component:
    """The log, with links to older and to the newest commands."""
    if not view.log.commands:
        words = "No older command" if view.log.before else "No command yet"
        content = parts.empty_state(words, "Whatever is set above is listed here.")
    else:
        rows = [_row(command, prefs) for command in view.log.commands]
        content = parts.data_table(
            "Command log",
            ["When", "Who", "What", "State", "Sent", "Time to applied"],
            rows,
            numeric={4, 5},
        )
    return parts.card("Command log", content, _pages(view, path, search))


def _row(command: Command, prefs: Preferences) -> list[Any]:
    said = f"{KEYS[command.key]}: {value_words(command.key, command.value, prefs)}"
    reason = "" if command.reason == WITHDRAWN else command.reason
    took = text.NO_DATA
    if command.state == "applied" and command.ended_at:
        took = text.duration(command.ended_at - command.asked_at)
    return [
        text.local_time(command.asked_at, prefs, seconds=True),
        command.asked_by,
        said,
        [
            command_chip(command),
            html.Div(reason, className="row-note") if reason else None,
        ],
        f"{text.number(command.tries, 0)}×" if command.tries else "not yet",
        took,
    ]


def _pages(view: ControlView, path: str, search: str | None) -> Component | None:
    """Links through the log; ids, so a command that arrives moves no page."""
    steps = []
    if view.log.before:
        steps.append(_step("Newest", None, path, search))
    if view.log.older is not None:
        steps.append(_step("Older", str(view.log.older), path, search))
    if not steps:
        return None
    return html.Nav(steps, className="pager", **parts.aria(label="Command log pages"))


def _step(words: str, before: str | None, path: str, search: str | None) -> Component:
    return dcc.Link(
        words,
        href=links.href(path, links.with_query(search, **{BEFORE: before})),
        className="page-step",
    )
