"""How a printed report looks: sizes in points and the colours of the light theme."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

Rgb = tuple[float, float, float]

PAGE = (595.28, 841.89)
"""A4."""
LEFT, RIGHT, TOP, BOTTOM = 51.0, 51.0, 48.0, 56.0
WIDTH = PAGE[0] - LEFT - RIGHT
HEIGHT = PAGE[1] - TOP - BOTTOM

PALETTE: Mapping[str, str] = {
    "surface": "#ffffff",
    "raised": "#edf0f4",
    "line": "#d5dbe2",
    "edge": "#76828f",
    "text": "#17202b",
    "text-soft": "#4b5866",
    "accent": "#0a6796",
    "good": "#17754a",
    "watch": "#845700",
    "bad": "#b3262f",
    "plain": "#4b5866",
    "series-1": "#0a6796",
    "series-2": "#b0560f",
    "series-3": "#6549c0",
    "series-4": "#17754a",
    "series-5": "#845700",
    "series-6": "#a8357a",
}
"""Token -> colour, as on the screen's light theme; a test compares them."""


def rgb(token: str, share: float = 1.0) -> Rgb:
    """A colour as parts from 0 to 1; ``share`` below 1 mixes it with white."""
    code = PALETTE[token]
    red, green, blue = (
        1 - share * (1 - int(code[i : i + 2], 16) / 255) for i in (1, 3, 5)
    )
    return red, green, blue


@dataclass(frozen=True)
class Look:
    """How a text is set."""

    size: float = 9
    leading: float = 12.5
    tint: str = "text"
    bold: bool = False
    align: Literal["left", "right", "centre"] = "left"

    def to(self, align: Literal["left", "right", "centre"]) -> Look:
        """The same, aligned otherwise."""
        return replace(self, align=align)


BODY = Look()
SOFT = Look(8, 11, "text-soft")
SMALL = Look(7.2, 9.6, "text-soft")
TITLE = Look(21, 26, bold=True)
SUBTITLE = Look(11, 15, "text-soft")
HEADINGS = (Look(14, 18, bold=True), Look(11, 14.5, bold=True))
BLOCK = Look(9, 12, bold=True)
FIGURE = Look(16, 20, bold=True)
TICK = Look(7, 8.6, "text-soft")
LABEL = Look(7, 8.6, bold=True)
