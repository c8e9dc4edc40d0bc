"""What every chart of a report shares: title, legend, axes, note; all of it vectors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from services.reports import text
from services.reports.look import BLOCK, LABEL, SMALL, TICK, Rgb, rgb
from services.reports.ticks import Tick

Pen = Any
"""A canvas of ReportLab; only its drawing methods are used."""
Scale = Callable[[float], float]

LEGEND_PT, SWATCH_PT, GAP_PT = 12.0, 16.0, 12.0
TITLE_PT = 15.0
TICKS_PT = 22.0
NAME_PT = 150.0
"""The longest a name in a legend may be."""


@dataclass(frozen=True)
class Box:
    """A rectangle in points, from its lower left corner."""

    left: float
    bottom: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """Its right edge."""
        return self.left + self.width

    @property
    def top(self) -> float:
        """Its upper edge."""
        return self.bottom + self.height


@dataclass(frozen=True)
class Key:
    """An entry of a legend: its name, and what draws its sign in a small box."""

    name: str
    sign: Callable[[Pen, Box], None]


def scale(low: float, high: float, start: float, end: float) -> Scale:
    """From numbers to points; ``low`` lies at ``start``."""
    part = (end - start) / ((high - low) or 1.0)
    return lambda value: start + (value - low) * part


def stroke(pen: Pen, colour: Rgb, width: float, dash: Sequence[float] = ()) -> None:
    """Set how lines are drawn."""
    pen.setStrokeColorRGB(*colour)
    pen.setLineWidth(width)
    pen.setDash(list(dash))


def heading(pen: Pen, box: Box, title: str, unit: str) -> None:
    """The title of a chart in bold and its unit beside it."""
    y = box.top - BLOCK.size - 1
    room = box.width * 0.8
    text.draw(pen, box.left, y, title, BLOCK, room)
    if unit:
        place = box.left + min(text.measured(title, BLOCK), room) + 6
        text.draw(pen, place, y, unit, SMALL, box.right - place)


def legend_rows(keys: Sequence[Key], width: float) -> list[list[tuple[float, Key]]]:
    """The entries in as many rows as they need, each with its place."""
    rows: list[list[tuple[float, Key]]] = []
    x = width
    for key in keys:
        need = SWATCH_PT + 4 + min(text.measured(key.name, TICK), NAME_PT) + GAP_PT
        if x + need > width + GAP_PT or not rows:
            rows.append([])
            x = 0.0
        rows[-1].append((x, key))
        x += need
    return rows


def legend(pen: Pen, left: float, top: float, rows: list[Any]) -> None:
    """Draw the rows of a legend below ``top``."""
    for i, row in enumerate(rows):
        y = top - i * LEGEND_PT - 9
        for x, key in row:
            key.sign(pen, Box(left + x, y, SWATCH_PT, 6))
            text.draw(pen, left + x + SWATCH_PT + 4, y + 0.6, key.name, TICK, NAME_PT)


def value_axis(pen: Pen, box: Box, at: Scale, ticks: list[tuple[float, str]]) -> None:
    """Faint lines across and their numbers on the left."""
    stroke(pen, rgb("line"), 0.5)
    pen.lines([(box.left, at(v), box.right, at(v)) for v, _ in ticks])
    for value, words in ticks:
        text.draw_line(pen, box.left - 5, at(value) - 2.4, words, TICK.to("right"))


def time_axis(pen: Pen, box: Box, at: Scale, ticks: Sequence[Tick]) -> None:
    """Marks below the plot; the day or the year stands in a second line."""
    stroke(pen, rgb("edge"), 0.7)
    pen.line(box.left, box.bottom, box.right, box.bottom)
    pen.lines([(at(v), box.bottom, at(v), box.bottom - 3) for v, *_ in ticks])
    for value, words, under in ticks:
        middle = TICK.to("centre")
        text.draw_line(pen, at(value), box.bottom - 11, words, middle)
        if under:
            text.draw_line(pen, at(value), box.bottom - 19.5, under, middle)


def limits(
    pen: Pen, box: Box, at: Scale, found: Sequence[tuple[str, float, str]]
) -> None:
    """Dashed thresholds across the plot with their names at the right."""
    last = box.bottom - 100.0
    for name, value, tone in sorted(found, key=lambda limit: limit[1]):
        y = at(value)
        stroke(pen, rgb(tone), 1.0, (4, 2.5))
        pen.line(box.left, y, box.right, y)
        place = max(y + 2.5, last + 8.5)
        last = place
        look = replace(LABEL, tint=tone, align="right")
        _haloed(pen, box.right - 2, place, name, look, box.width * 0.6)
    pen.setDash([])


def nothing(pen: Pen, box: Box) -> None:
    """The words of a chart without a single value."""
    pen.setFillColorRGB(*rgb("raised", 0.6))
    pen.rect(box.left, box.bottom, box.width, box.height, stroke=0, fill=1)
    middle = box.bottom + box.height / 2 - 3
    text.draw(pen, box.left + box.width / 2, middle, "No data", SMALL.to("centre"))


def shape(pen: Pen, kind: int, x: float, y: float, size: float) -> None:
    """One of five shapes: circle, square, triangle, diamond, triangle down."""
    if kind % 5 == 0:
        pen.circle(x, y, size, stroke=0, fill=1)
        return
    points = (
        ((-1, -1), (1, -1), (1, 1), (-1, 1)),
        ((-1.1, -1), (1.1, -1), (0, 1.2)),
        ((0, -1.35), (1.35, 0), (0, 1.35), (-1.35, 0)),
        ((-1.1, 1), (1.1, 1), (0, -1.2)),
    )[kind % 5 - 1]
    path = pen.beginPath()
    path.moveTo(x + points[0][0] * size, y + points[0][1] * size)
    for dx, dy in points[1:]:
        path.lineTo(x + dx * size, y + dy * size)
    path.close()
    pen.drawPath(path, stroke=0, fill=1)


def _haloed(pen: Pen, x: float, y: float, words: str, look: Any, room: float) -> None:
    wide = min(text.measured(words, look), room)
    pen.setFillColorRGB(1, 1, 1)
    pen.setFillAlpha(0.8)
    pen.rect(x - wide - 1, y - 1.6, wide + 2, look.size + 1, stroke=0, fill=1)
    pen.setFillAlpha(1)
    text.draw(pen, x, y, words, look, room)
