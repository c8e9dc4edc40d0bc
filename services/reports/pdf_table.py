"""Tables on paper: they break between rows, and every page has the heads again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from zoneinfo import ZoneInfo

from reportlab.platypus.flowables import Flowable

from services.reports import fonts, text
from services.reports.bidi import joined
from services.reports.document import Cell, Table
from services.reports.look import HEIGHT, Look, rgb
from services.reports.words import decimals_of, head, is_numeric, shown

MOST_ROWS = 2_000
"""Rows of one table on paper; the file of numbers has all of them."""
PAD_X, PAD_Y = 5.0, 3.0
WIDEST_WORD_PT = 84.0
"""A text column is not made wider than this for one long word."""
LEAST_PT = 18.0
SIZES = (8.0, 7.2, 6.4, 5.6)
"""Tried in this order until the numbers fit."""
ROWS_KEPT = 3
"""Rows that stay on a page with the heads."""


@dataclass(frozen=True)
class Prepared:
    """A table in words: its heads, its cells, and what was left out."""

    heads: tuple[str, ...]
    rows: list[tuple[str, ...]]
    numeric: tuple[bool, ...]
    fixed: tuple[bool, ...]
    shares: tuple[float, ...]
    notes: tuple[str, ...]


def prepared(table: Table, zone: ZoneInfo) -> Prepared:
    """The cells in words, cut where they would break the page; that is noted."""
    rows, more = _first(table)
    columns = list(zip(*rows, strict=False)) or [()] * len(table.columns)
    numeric = tuple(
        is_numeric(column, list(values))
        for column, values in zip(table.columns, columns, strict=False)
    )
    written = []
    for column, values, numbers in zip(table.columns, columns, numeric, strict=False):
        decimals = decimals_of(column, list(values)) if numbers else column.decimals
        written.append([shown(value, decimals, zone) for value in values])
    notes = [f"The first {MOST_ROWS} rows; the file of numbers has all."] * more
    if any(len(cell) > text.LONGEST_CELL for cells in written for cell in cells):
        notes.append("Long texts are cut at “…”; the file of numbers has them whole.")
    return Prepared(
        tuple(joined(text.clean(head(c))) for c in table.columns),
        list(zip(*(map(_cell, cells) for cells in written), strict=True)),
        numeric,
        tuple(_fixed(values) for values in columns),
        tuple(max(c.width, 0.05) for c in table.columns),
        tuple(notes),
    )


def grid(found: Prepared, room: float) -> Grid:
    """The table laid out for a width: sizes, columns, lines of every cell."""
    for size in SIZES:
        look = Look(size, size * 1.28)
        least = _least(found, look)
        if sum(least) <= room:
            break
    widths = _widths(least, found.shares, room)
    bold = replace(look, bold=True, tint="text-soft")
    heads = [
        text.broken(name, bold, width - 2 * PAD_X)
        for name, width in zip(found.heads, widths, strict=True)
    ]
    rows = [
        [_laid(cell, look, width) for cell, width in zip(row, widths, strict=True)]
        for row in found.rows
    ]
    return Grid(look, widths, found.numeric, heads, rows)


class Grid(Flowable):  # type: ignore[misc]
    """Rows of cells whose lines are laid out; ``rows`` is what stands on this page."""

    def __init__(
        self,
        look: Look,
        widths: Sequence[float],
        numeric: Sequence[bool],
        heads: list[list[str]],
        rows: list[list[list[str]]],
    ) -> None:
        super().__init__()
        self.look, self.widths, self.numeric = look, widths, numeric
        self.heads, self.rows = heads, rows
        self._ends = list(accumulate(self._height(row) for row in rows))

    @property
    def kept(self) -> float:
        """The height of the heads and the rows that stay with them."""
        first = self._ends[min(ROWS_KEPT, len(self._ends)) - 1] if self._ends else 0
        return self._height(self.heads) + min(first, HEIGHT / 2)

    def wrap(self, room: float, _height: float) -> tuple[float, float]:
        """The space it takes."""
        self.width = room
        self.height = self._height(self.heads) + (self._ends[-1] if self._ends else 0)
        return room, self.height

    def split(self, _room: float, height: float) -> list[Grid]:
        """The rows that fit, and the others below the same heads."""
        free = height - self._height(self.heads)
        fits = sum(end <= free for end in self._ends)
        if not fits:
            return []
        rest = len(self.rows) - fits
        # One last row alone on a page is joined by the one before it.
        fits -= rest == 1 and fits > ROWS_KEPT
        return [self._with(self.rows[:fits]), self._with(self.rows[fits:])]

    def draw(self) -> None:
        """Draw heads, hairlines and cells."""
        pen, top = self.canv, self.height
        bold = replace(self.look, bold=True, tint="text-soft")
        top = self._row(self.heads, top, bold, bottom=True)
        pen.setStrokeColorRGB(*rgb("edge"))
        pen.setLineWidth(0.8)
        pen.line(0, top, self.width, top)
        lines = []
        for row in self.rows:
            top = self._row(row, top, self.look)
            lines.append((0, top, self.width, top))
        pen.setStrokeColorRGB(*rgb("line"))
        pen.setLineWidth(0.4)
        pen.lines(lines)

    def _with(self, rows: list[list[list[str]]]) -> Grid:
        return Grid(self.look, self.widths, self.numeric, self.heads, rows)

    def _height(self, row: list[list[str]]) -> float:
        return max(map(len, row), default=1) * self.look.leading + 2 * PAD_Y

    def _row(
        self, row: list[list[str]], top: float, look: Look, bottom: bool = False
    ) -> float:
        """Draw one row below ``top``; returns where it ends."""
        high = self._height(row)
        x = 0.0
        for lines, wide, numeric in zip(row, self.widths, self.numeric, strict=True):
            y = top - PAD_Y - look.size * 0.94
            if bottom:
                y -= high - 2 * PAD_Y - len(lines) * look.leading
            for line in lines:
                if numeric:
                    right = look.to("right")
                    text.draw_line(self.canv, x + wide - PAD_X, y, line, right)
                else:
                    text.draw_line(self.canv, x + PAD_X, y, line, look)
                y -= look.leading
            x += wide
        return top - high


def _first(table: Table) -> tuple[list[tuple[Cell, ...]], bool]:
    rows: list[tuple[Cell, ...]] = []
    for row in table.rows:
        if len(rows) == MOST_ROWS:
            return rows, True
        # A row that is short or long would move the cells of its neighbours.
        missing = len(table.columns) - len(row)
        rows.append((*row, *([None] * missing))[: len(table.columns)])
    return rows, False


def _cell(words: str) -> str:
    return joined(text.clean(words, text.LONGEST_CELL))


def _fixed(values: Sequence[Cell]) -> bool:
    """Whether a column is numbers or times, which stay on one line."""
    return not any(isinstance(value, str) for value in values)


def _least(found: Prepared, look: Look) -> list[float]:
    """The width each column needs."""
    least = []
    for i, name in enumerate(found.heads):
        words = max((fonts.width(w, look.size, True) for w in name.split()), default=0)
        wide = min(words, WIDEST_WORD_PT)
        for row in found.rows:
            parts = (row[i],) if found.fixed[i] else row[i].split(" ")
            longest = max(fonts.width(part, look.size) for part in parts)
            wide = max(
                wide, longest if found.fixed[i] else min(longest, WIDEST_WORD_PT)
            )
        least.append(max(wide + 2 * PAD_X + 0.5, LEAST_PT))
    return least


def _widths(least: list[float], shares: Sequence[float], room: float) -> list[float]:
    """Each column its share of the page, but not less than it needs."""
    total = sum(least)
    if total >= room:
        return [width * room / total for width in least]
    short: set[int] = set()
    while True:
        free = room - sum(least[i] for i in short)
        parts = sum(s for i, s in enumerate(shares) if i not in short)
        wishes = {i: free * s / parts for i, s in enumerate(shares) if i not in short}
        tight = {i for i, wish in wishes.items() if wish < least[i]}
        if not tight:
            return [wishes.get(i, least[i]) for i in range(len(least))]
        short |= tight


def _laid(cell: str, look: Look, width: float) -> list[str]:
    room = width - 2 * PAD_X
    if len(cell) * look.size < room:
        return [cell]
    return text.broken(cell, look, room)
