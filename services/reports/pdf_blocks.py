"""The parts of a printed report besides charts and tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

from reportlab.platypus.flowables import Flowable

from services.reports import text
from services.reports.chart_frame import shape
from services.reports.document import Figure, Tone
from services.reports.look import (
    FIGURE,
    SMALL,
    SOFT,
    Look,
    rgb,
)
from services.reports.words import shown

TILES, TILE_GAP, TILE_PAD = 4, 8.0, 8.0
SHAPES: dict[Tone, int] = {"good": 0, "watch": 2, "bad": 3}
"""Which shape a tone has, so that it can be read without colour."""
FACT_NAME_PT = 110.0
FACT = Look(8.5, 11.5)
TONE_WORDS: dict[Tone, str] = {"good": "good", "watch": "watch", "bad": "needs action"}


class Heading(Flowable):  # type: ignore[misc]
    """The heading of a section: a bookmark, and where the contents lead."""

    def __init__(self, title: str, look: Look, place: str, level: int) -> None:
        super().__init__()
        self.title, self.look, self.place, self.level = title, look, place, level

    def wrap(self, room: float, _height: float) -> tuple[float, float]:
        """The space it takes."""
        self.lines = text.broken(self.title, self.look, room)
        self.width = room
        self.height = len(self.lines) * self.look.leading + 8
        return room, self.height

    def draw(self) -> None:
        """Draw it, and tell reader and contents where it is."""
        pen = self.canv
        pen.bookmarkHorizontal(self.place, 0, self.height + 6)
        pen.addOutlineEntry(self.title or "–", self.place, self.level, closed=False)
        pen.late[f"page-{self.place}"] = str(pen.getPageNumber())
        y = self.height - self.look.size
        for line in self.lines:
            text.draw_line(pen, 0, y, line, self.look)
            y -= self.look.leading
        if self.level == 0:
            pen.setStrokeColorRGB(*rgb("line"))
            pen.setLineWidth(0.8)
            pen.line(0, 2.5, self.width, 2.5)


class Contents(Flowable):  # type: ignore[misc]
    """The table of contents; the page numbers are filled in at the end."""

    def __init__(self, entries: Sequence[tuple[str, str, int]], look: Look) -> None:
        super().__init__()
        self.entries, self.look = entries, look

    def wrap(self, room: float, _height: float) -> tuple[float, float]:
        """The space it takes."""
        self.width = room
        self.height = len(self.entries) * (self.look.leading + 2)
        return room, self.height

    def split(self, _room: float, height: float) -> list[Contents]:
        """What fits, and what goes to the next page."""
        fits = int(height // (self.look.leading + 2))
        if fits < 2:
            return []
        parts = self.entries[:fits], self.entries[fits:]
        return [Contents(part, self.look) for part in parts]

    def draw(self) -> None:
        """Draw titles, hairlines and pages; each entry leads to its section."""
        pen, look = self.canv, self.look
        y = self.height
        for title, place, level in self.entries:
            y -= look.leading + 2
            indent = 12.0 * level
            text.draw(pen, indent, y + 4, title, look, self.width - indent - 40)
            pen.saveState()
            pen.translate(self.width, y + 4)
            pen.doForm(f"page-{place}")
            pen.restoreState()
            pen.setStrokeColorRGB(*rgb("line"))
            pen.setLineWidth(0.4)
            pen.line(indent, y, self.width, y)
            area = (0, y, self.width, y + look.leading + 2)
            pen.linkRect("", place, area, relative=1, Border="[0 0 0]")


class Facts(Flowable):  # type: ignore[misc]
    """Pairs of words in two columns: the title block."""

    def __init__(self, facts: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self.facts = facts

    def wrap(self, room: float, _height: float) -> tuple[float, float]:
        """The space it takes."""
        self.width = room
        self.rows = [
            (name, text.broken(text.clean(value, 1_000), FACT, room - FACT_NAME_PT - 6))
            for name, value in self.facts
        ]
        self.ends = [len(lines) * FACT.leading + 4 for _, lines in self.rows]
        self.height = sum(self.ends)
        return room, self.height

    def split(self, room: float, height: float) -> list[Facts]:
        """What fits, and what goes to the next page."""
        self.wrap(room, height)
        used, fits = 0.0, 0
        while fits < len(self.ends) and used + self.ends[fits] <= height:
            used, fits = used + self.ends[fits], fits + 1
        if not fits:
            return []
        return [Facts(self.facts[:fits]), Facts(self.facts[fits:])]

    def draw(self) -> None:
        """Draw names in soft, values in text, a hairline below each."""
        pen, top = self.canv, self.height
        soft = replace(FACT, tint="text-soft")
        for (name, lines), high in zip(self.rows, self.ends, strict=True):
            y = top - FACT.size - 1.5
            text.draw(pen, 0, y, name, soft, FACT_NAME_PT - 6)
            for line in lines:
                text.draw_line(pen, FACT_NAME_PT, y, line, FACT)
                y -= FACT.leading
            top -= high
            pen.setStrokeColorRGB(*rgb("line"))
            pen.setLineWidth(0.4)
            pen.line(0, top, self.width, top)


class Tiles(Flowable):  # type: ignore[misc]
    """Up to four key figures in a row."""

    def __init__(self, items: Sequence[Figure], zone: ZoneInfo, across: int) -> None:
        super().__init__()
        self.items, self.zone, self.across = items, zone, across

    def wrap(self, room: float, _height: float) -> tuple[float, float]:
        """The space it takes."""
        self.width = room
        self.wide = (room - (self.across - 1) * TILE_GAP) / self.across
        inner = self.wide - 2 * TILE_PAD
        self.names = [_lines(f.name, SOFT, inner, 2) for f in self.items]
        self.notes = [_lines(f.note, SMALL, inner, 3) for f in self.items]
        self.top = max(len(lines) for lines in self.names) * SOFT.leading
        below = max(len(lines) for lines in self.notes) * SMALL.leading
        self.height = 2 * TILE_PAD + self.top + FIGURE.leading + below
        return room, self.height + TILE_GAP

    def draw(self) -> None:
        """Draw the tiles side by side."""
        for i, item in enumerate(self.items):
            self._tile(item, i, i * (self.wide + TILE_GAP))

    def _tile(self, item: Figure, index: int, x: float) -> None:
        pen = self.canv
        bottom = TILE_GAP
        pen.setFillColorRGB(*rgb("raised", 0.6))
        pen.roundRect(x, bottom, self.wide, self.height, 3, stroke=0, fill=1)
        y = bottom + self.height - TILE_PAD
        for i, line in enumerate(self.names[index]):
            at = y - SOFT.size - i * SOFT.leading
            text.draw_line(pen, x + TILE_PAD, at, line, SOFT)
        y -= self.top + FIGURE.size + 1
        self._value(pen, item, x + TILE_PAD, y)
        for i, line in enumerate(self.notes[index]):
            at = y - SMALL.leading - 3 - i * SMALL.leading
            text.draw_line(pen, x + TILE_PAD, at, line, SMALL)

    def _value(self, pen: Any, item: Figure, x: float, y: float) -> None:
        room = self.wide - 2 * TILE_PAD
        if item.tone in SHAPES:
            pen.setFillColorRGB(*rgb(item.tone))
            shape(pen, SHAPES[item.tone], x + 4, y + 5.4, 4.2)
            x, room = x + 14, room - 14
        token = "text" if item.tone == "plain" else item.tone
        words = text.clean(shown(item.value, item.decimals, self.zone))
        name = "" if item.value is None else item.unit
        unit = text.measured(name, SOFT) + 4 if name else 0.0
        look = _fitting(words, replace(FIGURE, tint=token), room - min(unit, room / 2))
        text.draw(pen, x, y, words, look, room - min(unit, room / 2))
        if name:
            at = x + min(text.measured(words, look), room - min(unit, room / 2)) + 4
            text.draw(pen, at, y, name, SOFT, max(room / 2, 10))


class Note(Flowable):  # type: ignore[misc]
    """A text with a tone: its shape on the left, its words beside it."""

    def __init__(self, words: text.Words, tone: Tone) -> None:
        super().__init__()
        self.words, self.tone = words, tone

    def wrap(self, room: float, height: float) -> tuple[float, float]:
        """The space it takes."""
        _, self.height = self.words.wrap(room - 16, height)
        self.width = room
        return room, self.height

    def split(self, room: float, height: float) -> list[Flowable]:
        """The sign stays with the first part."""
        parts = self.words.split(room - 16, height)
        return [Note(part, self.tone) for part in parts]

    def draw(self) -> None:
        """Draw the sign and the words."""
        pen = self.canv
        pen.setFillColorRGB(*rgb(self.tone))
        shape(pen, SHAPES[self.tone], 5, self.height - 7.2, 3.4)
        self.words.drawOn(pen, 16, 0)


def tiles(items: Sequence[Figure], zone: ZoneInfo) -> list[Tiles]:
    """The figures in rows of at most four, evenly filled."""
    rows = -(-len(items) // TILES)
    across = min(TILES, -(-len(items) // max(rows, 1)))
    return [
        Tiles(items[i : i + across], zone, across)
        for i in range(0, len(items), across or 1)
    ]


def _fitting(words: str, look: Look, room: float) -> Look:
    """A look small enough for a long value, within reason."""
    wide = text.measured(words, look)
    if wide <= room:
        return look
    return replace(look, size=max(look.size * room / wide, SOFT.size))


def _lines(words: str, look: Look, room: float, most: int) -> list[str]:
    if not words:
        return []
    lines = text.broken(text.clean(words), look, room)
    if len(lines) > most:
        lines = [*lines[: most - 1], text.cut_to(lines[most - 1] + "……", look, room)]
    return lines
