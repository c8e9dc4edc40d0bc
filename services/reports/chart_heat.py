"""Heat charts of a report: cells whose colour says how much, with a sign in some."""

from __future__ import annotations

import math

from services.reports import chart_frame as frame
from services.reports import text, ticks
from services.reports.chart_frame import Box, Pen
from services.reports.document import HeatChart
from services.reports.look import TICK, Look, rgb
from services.wording import number

ROW_PT = 13.0
NAME_PT = 130.0
SCALE_PT = 18.0
HEAD_PT = 14.0
MOST_ROWS = 42
"""Rows of a chart on one page; more become further charts."""
NUMBERS_PT = 24.0
"""Cells this wide hold their number too."""
LEAST_SHARE = 0.06
STEPS = 40


def parts(chart: HeatChart) -> list[HeatChart]:
    """The chart as charts that fit on a page."""
    if len(chart.rows) <= MOST_ROWS:
        return [chart]
    found = []
    for start in range(0, len(chart.rows), MOST_ROWS):
        end = start + MOST_ROWS
        marked = {(r - start, c) for r, c in chart.marked if start <= r < end}
        found.append(HeatChart(
            chart.key, chart.title + (" (continued)" if start else ""), chart.unit,
            chart.columns, chart.rows[start:end], chart.values[start:end],
            frozenset(marked), chart.note if end >= len(chart.rows) else "",
        ))  # fmt: skip
    return found


def is_empty(chart: HeatChart) -> bool:
    """Whether there is not a single cell."""
    return not chart.rows or not chart.columns


def height(chart: HeatChart) -> float:
    """The height of the cells, the heads above and the scale below."""
    return len(chart.rows) * ROW_PT + HEAD_PT + SCALE_PT


def plot(pen: Pen, chart: HeatChart, box: Box, reach: tuple[float, float]) -> None:
    """Draw cells, names, signs and the scale in a box."""
    if not chart.rows or not chart.columns:
        frame.nothing(pen, box)
        return
    longest = max(text.measured(name, TICK) for name in chart.rows)
    left = min(longest, NAME_PT) + 7
    area = Box(
        box.left + left, box.bottom + SCALE_PT,
        box.width - left, len(chart.rows) * ROW_PT,
    )  # fmt: skip
    wide = area.width / len(chart.columns)
    for r, name in enumerate(chart.rows):
        bottom = area.top - (r + 1) * ROW_PT
        text.draw(pen, area.left - 5, bottom + 4, name, TICK.to("right"), NAME_PT)
        for c in range(len(chart.columns)):
            cell = Box(area.left + c * wide, bottom, wide, ROW_PT)
            _cell(pen, cell, _value(chart, r, c), (r, c) in chart.marked, reach)
    _columns(pen, chart, area, wide)
    _scale(pen, chart, area, box.bottom, reach)


def reach_of(chart: HeatChart) -> tuple[float, float]:
    """The lowest and highest value; from zero when none is below."""
    found = [ticks.drawable(value) for row in chart.values for value in row]
    known = [0.0, *(value for value in found if value is not None)]
    low, high = min(known), max(known)
    return (low, high) if high > low else (0.0, 1.0)


def _decimals(reach: tuple[float, float]) -> int:
    """Decimals of the numbers in the cells: three digits of the largest."""
    most = max(abs(reach[0]), abs(reach[1]))
    return next((d for d, edge in enumerate((100.0, 10.0, 1.0)) if most >= edge), 3)


def _value(chart: HeatChart, row: int, column: int) -> float | None:
    if row >= len(chart.values) or column >= len(chart.values[row]):
        return None
    return ticks.drawable(chart.values[row][column])


def _tint(value: float, reach: tuple[float, float]) -> float:
    share = (value - reach[0]) / (reach[1] - reach[0])
    return LEAST_SHARE + (1 - LEAST_SHARE) * min(max(share, 0.0), 1.0)


def _cell(
    pen: Pen, cell: Box, value: float | None, marked: bool, reach: tuple[float, float]
) -> None:
    share = 0.0 if value is None else _tint(value, reach)
    colour = rgb("raised") if value is None else rgb("series-1", share)
    pen.setFillColorRGB(*colour)
    pen.rect(
        cell.left + 0.3, cell.bottom + 0.3, cell.width - 0.6, cell.height - 0.6,
        stroke=0, fill=1,
    )  # fmt: skip
    token = "surface" if share > 0.72 else "text"
    x, y = cell.left + cell.width / 2, cell.bottom + cell.height / 2
    if value is None:
        frame.stroke(pen, rgb("edge"), 0.5)
        pen.line(x - 2, y, x + 2, y)
    numbers = cell.width >= NUMBERS_PT and value is not None
    if numbers and value is not None:
        words = number(value, _decimals(reach))
        look = Look(6.4, 8, token, marked, "centre")
        text.draw(pen, x + 4 * marked, y - 2.3, words, look, cell.width - 2)
    if marked:
        pen.setFillColorRGB(*rgb(token))
        frame.shape(pen, 3, cell.left + 5.5 if numbers else x, y, 2.0)


def _columns(pen: Pen, chart: HeatChart, area: Box, wide: float) -> None:
    longest = max(text.measured(name, TICK) for name in chart.columns)
    every = max(math.ceil((min(longest, NAME_PT) + 5) / wide), 1)
    for i in range(0, len(chart.columns), every):
        # A name wider than its column would leave the page at the last one.
        room = min(wide * every, 2 * (area.right - area.left - (i + 0.5) * wide) + 8)
        x = area.left + (i + 0.5) * wide
        text.draw(
            pen, x, area.top + 4, chart.columns[i], TICK.to("centre"), max(room, wide)
        )


def _scale(
    pen: Pen, chart: HeatChart, area: Box, bottom: float, reach: tuple[float, float]
) -> None:
    """What the colours mean, and the sign where there is one."""
    x, y, long = area.left, bottom + 3, 90.0
    first, last = (ticks.words(v, 0 if v == 0 else _decimals(reach)) for v in reach)
    text.draw(pen, x, y, first, TICK)
    x += text.measured(first, TICK) + 4
    for i in range(STEPS):
        share = LEAST_SHARE + (1 - LEAST_SHARE) * i / (STEPS - 1)
        pen.setFillColorRGB(*rgb("series-1", share))
        pen.rect(x + i * long / STEPS, y, long / STEPS + 0.3, 6, stroke=0, fill=1)
    words = f"{last} {chart.unit}".strip()
    text.draw(pen, x + long + 4, y, words, TICK)
    x += long + 4 + text.measured(words, TICK) + 14
    if chart.marked:
        pen.setFillColorRGB(*rgb("text"))
        frame.shape(pen, 3, x + 3, y + 3, 2.2)
        text.draw(pen, x + 9, y, "needs a look", TICK)
        x += 9 + text.measured("needs a look", TICK) + 14
    frame.stroke(pen, rgb("edge"), 0.5)
    pen.line(x, y + 3, x + 4, y + 3)
    text.draw(pen, x + 8, y, "no data", TICK)
