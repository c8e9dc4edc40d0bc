"""Events as marks on a strip of their own, in line with the charts below it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from dashboards.figures.theme import colour

MARK_SHAPES = {
    "critical": ("x", "bad"),
    "high": ("triangle-up", "bad"),
    "medium": ("diamond", "watch"),
    "low": ("square", "accent"),
    "info": ("circle", "text-soft"),
}
"""Severity -> shape and colour token, so that colour never stands alone."""
MESSAGE_CHARACTERS = 90


@dataclass(frozen=True)
class Mark:
    """Events at one wall time: how many, how bad, what they say."""

    x: str
    count: int
    severity: str
    messages: Sequence[str]


def event_marks(
    marks: Sequence[Mark], panel: str, name: str, theme: str, *, faint: bool = False
) -> dict[str, Any]:
    """Events as marks on a strip of their own; what happened on hover."""
    looks = [MARK_SHAPES.get(m.severity, MARK_SHAPES["info"]) for m in marks]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "yaxis": panel,
        "x": [m.x for m in marks],
        "y": [0.2 if faint else 0.7] * len(marks),
        "text": [_said(m) for m in marks],
        "marker": {
            "size": 9,
            "symbol": [shape for shape, _ in looks],
            "color": [colour(theme, token) for _, token in looks],
            "opacity": 0.45 if faint else 1,
        },
        "cliponaxis": False,
        "hovertemplate": "%{text}",
    }


def _said(mark: Mark) -> str:
    lines = [escape(_short(message), quote=False) for message in mark.messages]
    left = mark.count - len(lines)
    if left > 0:
        lines.append(f"and {left} more")
    return "<br>".join(lines)


def _short(message: str) -> str:
    plain = " ".join(message.split())
    if len(plain) <= MESSAGE_CHARACTERS:
        return plain
    return plain[: MESSAGE_CHARACTERS - 1] + "…"
