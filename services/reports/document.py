"""What a report says, before it is a PDF, a CSV or a preview on the screen.

Numbers stay numbers up to the last step: the same document is drawn and exported, so
that every form of it holds the same ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Cell = str | float | int | bool | datetime | None
Tone = Literal["good", "watch", "bad", "plain"]


SERIES = 6


def series(index: int) -> str:
    """The colour token of the nth series; they repeat after six."""
    return f"series-{index % SERIES + 1}"


@dataclass(frozen=True)
class Column:
    """A column of a table: ``key`` for programs, ``title`` and ``unit`` for people.

    ``decimals`` is how a number is written for people; files for programs keep it
    whole. ``width`` is its share of the page beside the other columns.
    """

    key: str
    title: str
    unit: str = ""
    decimals: int | None = None
    width: float = 1.0


@dataclass(frozen=True)
class Table:
    """Rows in the order of the columns; ``rows`` may be read more than once."""

    key: str
    title: str
    columns: tuple[Column, ...]
    rows: Sequence[tuple[Cell, ...]]
    note: str = ""


@dataclass(frozen=True)
class Figure:
    """A key figure: its words, its value and how it stands."""

    name: str
    value: Cell
    unit: str = ""
    decimals: int | None = None
    note: str = ""
    tone: Tone = "plain"


@dataclass(frozen=True)
class Line:
    """One line of a chart; ``None`` is a gap, never bridged."""

    name: str
    x: tuple[datetime | float, ...]
    y: tuple[float | None, ...]
    low: tuple[float | None, ...] = ()
    high: tuple[float | None, ...] = ()
    style: Literal["line", "dashed", "dots", "steps"] = "line"


@dataclass(frozen=True)
class Limit:
    """A horizontal threshold that is drawn across a chart."""

    name: str
    value: float
    tone: Tone = "bad"


@dataclass(frozen=True)
class LineChart:
    """Lines over time or over numbers, with bands, limits and gaps."""

    key: str
    title: str
    unit: str
    lines: tuple[Line, ...]
    limits: tuple[Limit, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class BarChart:
    """Groups of bars: one value of each series for each category.

    ``tints`` are the colours of the series by token, where colours say something.
    """

    key: str
    title: str
    unit: str
    categories: tuple[str, ...]
    series: tuple[tuple[str, tuple[float | None, ...]], ...]
    stacked: bool = False
    note: str = ""
    tints: tuple[str, ...] = ()

    def tint(self, index: int) -> str:
        """The colour token of the nth series."""
        return self.tints[index] if self.tints else series(index)


@dataclass(frozen=True)
class HeatChart:
    """Cells of rows × columns; ``None`` is no data, ``marked`` cells need a look."""

    key: str
    title: str
    unit: str
    columns: tuple[str, ...]
    rows: tuple[str, ...]
    values: tuple[tuple[float | None, ...], ...]
    marked: frozenset[tuple[int, int]] = frozenset()
    note: str = ""


Chart = LineChart | BarChart | HeatChart


@dataclass(frozen=True)
class Figures:
    """Key figures side by side."""

    items: tuple[Figure, ...]


@dataclass(frozen=True)
class Text:
    """A paragraph; plain text, whatever its characters."""

    text: str
    tone: Tone = "plain"


Block = Figures | Text | Table | LineChart | BarChart | HeatChart


@dataclass(frozen=True)
class Section:
    """A chapter: its heading is a bookmark, its blocks follow each other."""

    key: str
    title: str
    blocks: tuple[Block, ...]
    level: int = 1


@dataclass(frozen=True)
class Document:
    """A whole report.

    ``facts`` is the title block (range, subjects, zone, reference hash …) as pairs of
    words; ``footnotes`` say how the numbers were made; ``made_at`` is the clock of the
    run, which is all that differs between two runs on the same data.
    """

    template: str
    title: str
    subtitle: str
    made_at: datetime
    zone: str
    facts: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]
    footnotes: tuple[str, ...] = field(default=())

    def tables(self) -> Iterable[tuple[Section, Table]]:
        """Every table with the section it stands in, in order."""
        for section in self.sections:
            for block in section.blocks:
                if isinstance(block, Table):
                    yield section, block
