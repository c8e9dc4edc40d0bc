"""Line charts of a report: lines, bands, gaps, limits, over local time or numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from itertools import groupby
from zoneinfo import ZoneInfo

from services.reports import chart_frame as frame
from services.reports import text, ticks
from services.reports.chart_frame import Box, Key, Pen, Scale
from services.reports.document import Line, LineChart, series
from services.reports.look import TICK, rgb
from services.reports.words import figure

MOST = 5_000
"""Points drawn of one line; more are thinned to the lowest and highest of a step."""
MARKS = 8
"""Shapes along a line, so that lines differ without colour."""
BAND_ALPHA = 0.16
DASHES = {"dashed": (4.0, 2.5)}
TIME_LABEL_PT = 46.0
YEARS = range(1800, 8000)
"""Times outside have no place on an axis."""

Point = tuple[float, float]
Known = tuple[float, float, float | None, float | None]


@dataclass(frozen=True)
class Drawn:
    """The points of one line; ``parts`` are what lies between gaps."""

    line: Line
    index: int
    parts: list[list[Known]]

    @property
    def bands(self) -> Iterator[list[tuple[float, float, float]]]:
        """Runs of points that have both bounds."""
        for part in self.parts:
            for known, run in groupby(part, key=lambda p: None not in p[2:]):
                if known:
                    yield [(p[0], p[2] or 0.0, p[3] or 0.0) for p in run]

    @property
    def token(self) -> str:
        """The colour of the line."""
        return series(self.index)


def is_empty(chart: LineChart) -> bool:
    """Whether there is not a single value."""
    moments = _over_time(chart)
    return not any(_parts(line, moments) for line in chart.lines)


def keys(chart: LineChart) -> list[Key]:
    """The legend: one entry for each line that has a name."""
    many = len(chart.lines) > 1
    return [
        Key(line.name, partial(_sign, line=line, index=i, many=many))
        for i, line in enumerate(chart.lines)
        if line.name and (many or line.low)
    ]


def plot(pen: Pen, chart: LineChart, box: Box, zone: ZoneInfo) -> None:
    """Draw axes, bands, lines and limits in a box, labels included."""
    moments = _over_time(chart)
    drawn = [
        Drawn(line, i, _parts(line, moments)) for i, line in enumerate(chart.lines)
    ]
    points = [p for d in drawn for part in d.parts for p in part]
    if not points:
        frame.nothing(pen, box)
        return
    reach = [v for p in points for v in p[1:] if v is not None]
    limits = [
        replace(limit, value=value)
        for limit in chart.limits
        if (value := ticks.drawable(limit.value)) is not None
    ]
    reach += [limit.value for limit in limits]
    low, high = ticks.room(min(reach), max(reach))
    marks = ticks.number_ticks(low, high)
    left = max(text.measured(words, TICK) for _, words in marks) + 7
    area = Box(
        box.left + left, box.bottom + frame.TICKS_PT,
        box.width - left - 4, box.height - frame.TICKS_PT - 4,
    )  # fmt: skip
    up = frame.scale(low, high, area.bottom, area.top)
    frame.value_axis(pen, area, up, marks)
    along = _x_axis(pen, area, points, zone if moments else None)
    for one in drawn:
        _band(pen, one, along, up)
    for one in drawn:
        _line(pen, one, along, up, len(drawn) > 1)
    frame.limits(pen, area, up, [
        (f"{limit.name} {figure(limit.value, None)}".strip(), limit.value, limit.tone)
        for limit in limits
    ])  # fmt: skip


def _x_axis(pen: Pen, area: Box, points: list[Known], zone: ZoneInfo | None) -> Scale:
    """The axis below: of local times, or without a zone of numbers."""
    first, last = min(p[0] for p in points), max(p[0] for p in points)
    if last <= first:
        half = 1800.0 if zone else (abs(first) * 0.1 or 0.5)
        first, last = first - half, last + half
    along = frame.scale(first, last, area.left + 3, area.right - 3)
    most = max(int(area.width // TIME_LABEL_PT), 2)
    if zone:
        marks = ticks.time_ticks(first, last, zone, most)
    else:
        found = ticks.number_ticks(first, last, most)
        marks = [(place, words, "") for place, words in found]
    frame.time_axis(pen, area, along, marks)
    return along


def _over_time(chart: LineChart) -> bool:
    return any(isinstance(x, datetime) for line in chart.lines for x in line.x)


def _parts(line: Line, moments: bool) -> list[list[Known]]:
    """The points of a line, cut where a value is missing."""
    parts: list[list[Known]] = [[]]
    for i, (x, y) in enumerate(zip(line.x, line.y, strict=False)):
        place = _number(x) if isinstance(x, datetime) is moments else None
        value = _number(y)
        if place is None or value is None:
            if parts[-1]:
                parts.append([])
            continue
        parts[-1].append((place, value, _at(line.low, i), _at(line.high, i)))
    kept = [part for part in parts if part]
    total = sum(map(len, kept))
    if total <= MOST:
        return kept
    return [_thinned(part, MOST * len(part) // total) for part in kept]


def _thinned(part: list[Known], most: int) -> list[Known]:
    """The lowest and the highest of each step, in their order."""
    if len(part) <= max(most, 2):
        return part
    size = math.ceil(len(part) / max(most // 2, 1))
    out: list[Known] = []
    for start in range(0, len(part), size):
        step = part[start : start + size]
        ends = {min(step, key=lambda p: p[1]), max(step, key=lambda p: p[1])}
        out += sorted(ends, key=lambda p: p[0])
    return out


def _at(values: Sequence[float | None], index: int) -> float | None:
    return _number(values[index]) if index < len(values) else None


def _number(value: datetime | float | None) -> float | None:
    if isinstance(value, datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=UTC)
        return aware.timestamp() if aware.year in YEARS else None
    return ticks.drawable(value)


def _band(pen: Pen, drawn: Drawn, along: Scale, up: Scale) -> None:
    pen.setFillColorRGB(*rgb(drawn.token))
    pen.setFillAlpha(BAND_ALPHA)
    for run in drawn.bands:
        outline = [(x, high) for x, _, high in run]
        outline += [(x, low) for x, low, _ in reversed(run)]
        path = _path(pen, [(along(x), up(y)) for x, y in outline])
        path.close()
        pen.drawPath(path, stroke=0, fill=1)
    pen.setFillAlpha(1)


def _line(pen: Pen, drawn: Drawn, along: Scale, up: Scale, many: bool) -> None:
    style = drawn.line.style
    pen.setFillColorRGB(*rgb(drawn.token))
    frame.stroke(pen, rgb(drawn.token), 1.3, DASHES.get(style, ()))
    pen.setLineJoin(1)
    step = max(sum(map(len, drawn.parts)) // MARKS, 1)
    passed = step // 2
    for part in drawn.parts:
        points = [(along(p[0]), up(p[1])) for p in part]
        if style == "dots" or len(points) == 1:
            for x, y in points:
                frame.shape(pen, drawn.index if many else 0, x, y, 1.7)
            continue
        path = _path(pen, _stairs(points) if style == "steps" else points)
        pen.drawPath(path, stroke=1, fill=0)
        if many and style != "steps":
            for x, y in points[-passed % step :: step]:
                frame.shape(pen, drawn.index, x, y, 1.9)
        passed += len(points)
    pen.setDash([])


def _path(pen: Pen, points: Sequence[Point]) -> Pen:
    path = pen.beginPath()
    path.moveTo(*points[0])
    for point in points[1:]:
        path.lineTo(*point)
    return path


def _stairs(points: Sequence[Point]) -> list[Point]:
    out = [points[0]]
    for x, y in points[1:]:
        out += [(x, out[-1][1]), (x, y)]
    return out


def _sign(pen: Pen, box: Box, line: Line, index: int, many: bool) -> None:
    middle = box.bottom + box.height / 2
    colour = rgb(series(index))
    if line.low:
        pen.setFillColorRGB(*rgb(series(index), BAND_ALPHA))
        pen.rect(box.left, box.bottom, box.width, box.height, stroke=0, fill=1)
    if line.style != "dots":
        frame.stroke(pen, colour, 1.3, DASHES.get(line.style, ()))
        pen.line(box.left, middle, box.right, middle)
        pen.setDash([])
    if line.style == "dots" or (many and line.style != "steps"):
        pen.setFillColorRGB(*colour)
        frame.shape(pen, index, box.left + box.width / 2, middle, 1.9)
