"""The System tab: is the worker well, what waits, what was refused, what runs here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from dashboards import parts, text
from dashboards.ids import ident
from services.system import PartView, SystemView
from services.units import Preferences

TAB = "system"
EVERY_MS = 15_000
OLD_S = 60.0
"""A part that has not spoken for so long is shown as silent."""
MOST_FACTS = 40
LONGEST = 120
PART_TITLES: Mapping[str, str] = {
    "worker": "The worker",
    "mqtt": "Talk with the broker",
}
UNITS: Mapping[str, str] = {"_mb": "MB", "_s": "s", "_ms": "ms"}
"""Ends of the names of facts, and the units they stand for."""
PEEK = 80
"""Bytes of a refused message that are shown."""


class IDS:
    """The ids of the tab that callbacks name."""

    body = ident(TAB, "body")
    tick = ident(TAB, "tick")


def skeleton(_device_id: str | None = None) -> Component:
    """The tab before its first answer."""
    return html.Div(
        [
            html.Div(parts.skeleton(240), id=IDS.body, className="stack"),
            dcc.Interval(id=IDS.tick, interval=EVERY_MS),
        ]
    )


def body(view: SystemView, prefs: Preferences) -> list[Component]:
    """What the tab shows."""
    return [
        _waiting(view),
        _panel("Worker", _parts(view)),
        _panel("Messages refused", _rejects(view, prefs)),
        _panel("Versions", _versions(view.versions)),
    ]


def _panel(title: str, *shown: Component) -> Component:
    return html.Section(
        [html.H2(title, className="card-title"), *shown], className="panel"
    )


def _waiting(view: SystemView) -> Component:
    age = text.duration(view.waiting_s) if view.hot_rows else None
    return parts.tiles(
        parts.figure_tile(
            "Readings not in the lake yet",
            text.number(view.hot_rows, 0),
            f"oldest waits {age}" if age else "nothing waits",
        ),
        parts.figure_tile(
            "Staged files",
            text.number(view.staged_files, 0),
            f"{text.number(view.staged_rows, 0)} readings",
        ),
    )


def _parts(view: SystemView) -> Component:
    if not view.parts:
        return parts.empty_state(
            "No part of the worker has spoken",
            "Start it with python cli.py worker; parts appear as they report.",
        )
    return html.Div([_part(part) for part in view.parts], className="stack")


def _part(part: PartView) -> Component:
    silent = part.age_s > OLD_S
    age = f"{text.duration(part.age_s)} ago"
    facts = sorted(part.facts.items())[:MOST_FACTS]
    return html.Div(
        [
            html.Div(
                [
                    html.H3(
                        PART_TITLES.get(part.name, part.name), className="part-name"
                    ),
                    parts.chip("watch", f"Silent: spoke {age}")
                    if silent
                    else parts.chip("good", f"Spoke {age}"),
                ],
                className="button-row",
            ),
            parts.facts(*(parts.fact(*_fact(name, v)) for name, v in facts)),
        ],
        className="system-part",
    )


def _fact(name: str, value: Any) -> tuple[str, str]:
    """A fact's name as words, and its value with the unit that the name ends in."""
    end = next((end for end in UNITS if name.endswith(end)), "")
    words = name.removesuffix(end).replace("_", " ").capitalize()[:LONGEST]
    if not end or isinstance(value, bool) or not isinstance(value, int | float):
        return words, _said(value)
    if end == "_s":
        return words, text.duration(value)
    return words, f"{_said(value)} {UNITS[end]}"


def _said(value: Any) -> str:
    """A fact as people read it; of nested ones the first few."""
    if value is None or value in ("", {}, []):
        return text.NO_DATA
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return text.number(value, 0 if float(value).is_integer() else 1)
    if isinstance(value, Mapping):
        value = ", ".join(f"{name}: {said}" for name, said in value.items())
    return str(value)[:LONGEST]


def _rejects(view: SystemView, prefs: Preferences) -> Component:
    if not view.rejects:
        return parts.empty_state(
            "No message was refused",
            "A message that can never be taken is kept here with the reason.",
        )
    rows = [
        (
            text.local_time(refused.at, prefs, seconds=True),
            html.Span(refused.topic, className="code"),
            refused.reason,
            text.number(refused.size, 0),
            html.Span(_peek(refused.payload), className="code"),
        )
        for refused in view.rejects
    ]
    return parts.data_table(
        f"The newest {len(rows)}",
        ("When", "Topic", "Reason", "Bytes", "Begins with"),
        rows,
        numeric={3},
        show_caption=True,
    )


def _peek(payload: bytes) -> str:
    """The beginning of a payload; what is no printable text shows as a mark."""
    shown = payload[:PEEK].decode("utf-8", "replace")
    return "".join(c if c.isprintable() else "\ufffd" for c in shown)


def _versions(versions: Mapping[str, str]) -> Component:
    facts = (parts.fact(name, said) for name, said in versions.items())
    return html.Div(parts.facts(*facts), className="system-part")
