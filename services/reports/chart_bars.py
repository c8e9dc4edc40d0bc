"""Bar charts of a report: grouped or stacked; lying where the names are long."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial

from services.reports import chart_frame as frame
from services.reports import text, ticks
from services.reports.chart_frame import Box, Key, Pen, Scale
from services.reports.document import BarChart
from services.reports.look import TICK, rgb
from services.reports.words import figure

SHARE = 0.72
"""Part of the room of a category that its bars fill."""
NAME_PT = 130.0
LONG_PT = 44.0
"""A name that is longer is not a date or a number, of which some may be left out."""
ROW_PT = 13.0
UPRIGHT_PT = 150.0
MOST_PT = 560.0
MOST_VALUES = 16
MOST_LYING = 40
"""More categories than this stand upright, and only some are named."""

Bar = tuple[int, int, int, float, float]
"""Category, series, place beside others, and where it starts and ends."""


def lies(chart: BarChart, width: float) -> bool:
    """Whether the names are too long to stand side by side."""
    count = len(chart.categories)
    if not count or count > MOST_LYING:
        return False
    longest = max(text.measured(name, TICK) for name in chart.categories)
    return longest > LONG_PT and longest + 4 > (width - 40) / count


def is_empty(chart: BarChart) -> bool:
    """Whether there is not a single bar."""
    return next(_bars(chart), None) is None


def height(chart: BarChart, width: float) -> float:
    """The height of the plot with its axis."""
    if not lies(chart, width):
        return UPRIGHT_PT
    rows = 1 if chart.stacked else max(len(chart.series), 1)
    tall = len(chart.categories) * max(ROW_PT, 7.0 * rows) + frame.TICKS_PT + 4
    return min(tall, MOST_PT)


def keys(chart: BarChart) -> list[Key]:
    """The legend of several series."""
    if len(chart.series) < 2:
        return []
    return [
        Key(name, partial(_sign, tint=chart.tint(i)))
        for i, (name, _) in enumerate(chart.series)
    ]


def plot(pen: Pen, chart: BarChart, box: Box) -> None:
    """Draw axes and bars in a box, labels included."""
    bars = list(_bars(chart))
    if not bars:
        frame.nothing(pen, box)
        return
    ends = [0.0, *(v for bar in bars for v in bar[3:])]
    low, high = ticks.room(min(ends), max(ends))
    if lies(chart, box.width):
        _lying(pen, chart, box, bars, (low, high))
    else:
        _upright(pen, chart, box, bars, (low, high))


def _bars(chart: BarChart) -> Iterator[Bar]:
    for category in range(len(chart.categories)):
        above = below = 0.0
        for index, (_, values) in enumerate(chart.series):
            value = ticks.drawable(values[category] if category < len(values) else None)
            if value is None:
                continue
            if not chart.stacked:
                yield category, index, index, 0.0, value
            elif value >= 0:
                yield category, index, 0, above, above + value
                above += value
            else:
                yield category, index, 0, below, below + value
                below += value


def _upright(
    pen: Pen, chart: BarChart, box: Box, bars: list[Bar], reach: tuple[float, float]
) -> None:
    marks = ticks.number_ticks(*reach)
    left = max(text.measured(words, TICK) for _, words in marks) + 7
    area = Box(
        box.left + left, box.bottom + frame.TICKS_PT - 6,
        box.width - left, box.height - frame.TICKS_PT - 4,
    )  # fmt: skip
    up = frame.scale(*reach, area.bottom, area.top)
    frame.value_axis(pen, area, up, marks)
    step = area.width / len(chart.categories)
    thick = step * SHARE / _beside(chart)

    def one(bar: Bar) -> Box:
        start = area.left + bar[0] * step + step * (1 - SHARE) / 2 + bar[2] * thick
        low, high = sorted((up(bar[3]), up(bar[4])))
        return Box(start, low, thick, high - low)

    _draw(pen, chart, bars, one)
    for value, words, place in _values(chart, bars, one):
        y = place.top + 2 if value >= 0 else place.bottom - 8
        x = place.left + place.width / 2
        text.draw_line(pen, x, y, words, TICK.to("centre"))
    _zero(pen, area, up, reach)
    _names(pen, chart, area, step)


def _lying(
    pen: Pen, chart: BarChart, box: Box, bars: list[Bar], reach: tuple[float, float]
) -> None:
    longest = max(text.measured(name, TICK) for name in chart.categories)
    left = min(longest, NAME_PT) + 7
    area = Box(box.left + left, box.bottom + 14, box.width - left - 30, box.height - 18)
    along = frame.scale(*reach, area.left, area.right)
    stroke_at = ticks.number_ticks(*reach, 6)
    frame.stroke(pen, rgb("line"), 0.5)
    pen.lines([(along(v), area.bottom, along(v), area.top) for v, _ in stroke_at])
    for value, words in stroke_at:
        text.draw_line(pen, along(value), area.bottom - 9, words, TICK.to("centre"))
    step = area.height / len(chart.categories)
    thick = step * SHARE / _beside(chart)

    def one(bar: Bar) -> Box:
        top = area.top - bar[0] * step - step * (1 - SHARE) / 2 - bar[2] * thick
        start, end = sorted((along(bar[3]), along(bar[4])))
        return Box(start, top - thick, end - start, thick)

    _draw(pen, chart, bars, one)
    for _, words, place in _values(chart, bars, one):
        text.draw_line(
            pen, place.right + 3, place.bottom + place.height / 2 - 2.4, words, TICK
        )
    for i, name in enumerate(chart.categories):
        y = area.top - (i + 0.5) * step - 2.4
        text.draw(pen, area.left - 5, y, name, TICK.to("right"), NAME_PT)
    frame.stroke(pen, rgb("edge"), 0.7)
    zero = along(0.0)
    pen.line(zero, area.bottom, zero, area.top)


def _beside(chart: BarChart) -> int:
    return 1 if chart.stacked else max(len(chart.series), 1)


def _draw(
    pen: Pen, chart: BarChart, bars: list[Bar], one: Callable[[Bar], Box]
) -> None:
    frame.stroke(pen, (1.0, 1.0, 1.0), 0.5)
    for bar in bars:
        place = one(bar)
        pen.setFillColorRGB(*rgb(chart.tint(bar[1])))
        pen.rect(place.left, place.bottom, place.width, place.height, stroke=1, fill=1)


def _values(
    chart: BarChart, bars: list[Bar], one: Callable[[Bar], Box]
) -> Iterator[tuple[float, str, Box]]:
    """The numbers beside the bars of a single series, where there is room."""
    if len(chart.series) == 1 and len(bars) <= MOST_VALUES:
        for bar in bars:
            value = bar[4] - bar[3]
            yield value, figure(float(f"{value:.4g}"), None), one(bar)


def _zero(pen: Pen, area: Box, up: Scale, reach: tuple[float, float]) -> None:
    frame.stroke(pen, rgb("edge"), 0.7)
    y = up(min(max(0.0, reach[0]), reach[1]))
    pen.line(area.left, y, area.right, y)


def _names(pen: Pen, chart: BarChart, area: Box, step: float) -> None:
    """Names below the bars; every nth one where they are too many."""
    longest = max(text.measured(name, TICK) for name in chart.categories)
    every = max(math.ceil((min(longest, NAME_PT) + 4) / step), 1)
    for i in range(0, len(chart.categories), every):
        x = area.left + (i + 0.5) * step
        text.draw(
            pen, x, area.bottom - 10, chart.categories[i], TICK.to("centre"),
            max(step * every, 12),
        )  # fmt: skip


def _sign(pen: Pen, box: Box, tint: str) -> None:
    pen.setFillColorRGB(*rgb(tint))
    pen.rect(box.left + 5, box.bottom, 7, 6.5, stroke=0, fill=1)
