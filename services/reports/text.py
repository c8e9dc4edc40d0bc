"""Text from data on paper: plain characters, whatever they are.

Nothing here is markup. ReportLab's paragraphs are a markup language, in which a name
can break a report, embed a file of the server or become a link; they are not used.
``paragraph`` and ``draw`` are the only ways from a text to a page.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from reportlab import rl_config
from reportlab.platypus.flowables import Flowable

from services.reports import fonts
from services.reports.bidi import joined, visual
from services.reports.look import BODY, Look, rgb

rl_config.trustedHosts = []
rl_config.trustedSchemes = []

LONGEST = 20_000
"""Characters of a paragraph; the rest is cut."""
LONGEST_CELL = 400
LONGEST_LINE = 300
"""Characters of a heading, a name in a chart or anything else on few lines."""
ELLIPSIS = "…"

_LONE = re.compile("[\ud800-\udfff]")
_GAP = re.compile(r"[^\S\u00a0\u202f]+")
_WIDE = (
    "\u1100-\u11ff\u2e80-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff"
    "\uff00-\uffef\U00020000-\U0003ffff"
)
"""Scripts whose lines break between any two characters."""
_PIECE = re.compile(
    rf"[{_WIDE}]|[^\S\u00a0\u202f]+|(?:[^\s{_WIDE}/_-]|[\u00a0\u202f])+[/_-]*|[/_-]+"
)
_KEPT_FORMATS = frozenset("\u200c\u200d")
_DROPPED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})


def clean(text: str, most: int = LONGEST_LINE, *, lines: bool = False) -> str:
    """A text that can be drawn: no control characters, not endless.

    Args:
        text: whatever came.
        most: characters kept; a longer text ends with an ellipsis.
        lines: keep its line breaks.
    """
    cut = text if len(text) <= most else text[: most - 1].rstrip() + ELLIPSIS
    if cut.isascii() and cut.isprintable():
        return cut
    parts = re.split(r"\r\n?|\n|\u2028|\u2029", _LONE.sub("", cut))
    tidy = [_tidy(unicodedata.normalize("NFC", part)) for part in parts]
    return ("\n" if lines else " ").join(tidy)


def paragraph(text: str, look: Look = BODY, most: int = LONGEST) -> Words:
    """A paragraph of a text from data: escaped by never being anything but text."""
    return Words(clean(text, most, lines=True), look)


def draw(
    canvas: Any, x: float, y: float, text: str, look: Look, room: float = 0.0
) -> None:
    """One line at a place; ``room`` cuts it to a width."""
    line = joined(clean(text))
    draw_line(canvas, x, y, cut_to(line, look, room) if room else line, look)


def cut_to(line: str, look: Look, room: float) -> str:
    """As much of a line as fits, with an ellipsis where it was cut."""
    if fonts.width(line, look.size, look.bold) <= room:
        return line
    left = room - fonts.width(ELLIPSIS, look.size, look.bold)
    kept = 0
    for char in line:
        left -= fonts.glyph(char, look.bold)[2] * look.size
        if left < 0:
            break
        kept += 1
    return line[:kept].rstrip() + ELLIPSIS


def draw_line(canvas: Any, x: float, y: float, line: str, look: Look) -> None:
    """A clean line, its letters joined, set by its look at a place."""
    found = list(fonts.runs(visual(line), look.bold))
    wide = sum(part for _, _, part in found) * look.size
    place = x - {"left": 0.0, "right": wide, "centre": wide / 2}[look.align]
    canvas.setFillColorRGB(*rgb(look.tint))
    for font, part, part_wide in found:
        canvas.setFont(font, look.size)
        canvas.drawString(place, y, part)
        place += part_wide * look.size


def measured(text: str, look: Look) -> float:
    """The width of a text in points, as ``draw`` would set it."""
    return fonts.width(joined(clean(text)), look.size, look.bold)


def broken(text: str, look: Look, room: float) -> list[str]:
    """A clean text as lines that fit; words that are too long are broken."""
    return [
        line for part in text.split("\n") for line in _lines(joined(part), look, room)
    ]


class Words(Flowable):  # type: ignore[misc]
    """A paragraph of plain characters that flows over pages."""

    def __init__(self, text: str, look: Look, lines: list[str] | None = None) -> None:
        super().__init__()
        self.text, self.look, self.lines = text, look, lines
        self._room = 0.0

    def wrap(self, room: float, _height: float) -> tuple[float, float]:
        """The space it takes."""
        if self.lines is None or (self._room and self._room != room):
            self.lines = broken(self.text, self.look, room)
        self.width, self._room = room, room if self.text else 0.0
        self.height = len(self.lines) * self.look.leading
        return room, self.height

    def split(self, room: float, height: float) -> list[Words]:
        """What fits, and what goes to the next page."""
        self.wrap(room, height)
        fits = int(height // self.look.leading)
        if fits < min(2, len(self.lines or ())):
            return []
        lines = self.lines or []
        return [Words("", self.look, lines[:fits]), Words("", self.look, lines[fits:])]

    def draw(self) -> None:
        """Draw its lines."""
        look = self.look
        x = {"left": 0.0, "right": self.width, "centre": self.width / 2}[look.align]
        y = self.height - (look.leading + look.size) / 2 + look.size * 0.14
        for line in self.lines or ():
            draw_line(self.canv, x, y, line, look)
            y -= look.leading


def _tidy(part: str) -> str:
    kept = [
        c
        for c in _GAP.sub(" ", part)
        if c in _KEPT_FORMATS
        or not (unicodedata.category(c) in _DROPPED or "\ufe00" <= c <= "\ufe0f")
    ]
    return "".join(kept)


def _lines(text: str, look: Look, room: float) -> list[str]:
    if fonts.width(text, look.size, look.bold) <= room:
        return [text]
    lines, line, used = [], "", 0.0
    for piece in _PIECE.findall(text):
        wide = fonts.width(piece, look.size, look.bold)
        if used + wide <= room:
            line, used = line + piece, used + wide
            continue
        if piece.isspace() and piece[0] not in "\u00a0\u202f":
            lines.append(line)
            line, used = "", 0.0
            continue
        if line.strip():
            lines.append(line.rstrip())
        *full, line = _chopped(piece, look, room)
        lines += full
        used = fonts.width(line, look.size, look.bold)
    return [*lines, line] if line.strip() or not lines else lines


def _chopped(word: str, look: Look, room: float) -> list[str]:
    """A word in parts that fit, at least one character each."""
    parts, part, used = [], "", 0.0
    for char in word:
        wide = fonts.glyph(char, look.bold)[2] * look.size
        if part and used + wide > room:
            parts.append(part)
            part, used = "", 0.0
        part, used = part + char, used + wide
    return [*parts, part]
