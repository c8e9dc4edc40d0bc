"""The charts of a report as blocks that are never split; all of it vectors."""

from __future__ import annotations

from functools import partial
from zoneinfo import ZoneInfo

from reportlab.platypus.flowables import Flowable

from services.reports import chart_bars, chart_frame, chart_heat, chart_lines, text
from services.reports.chart_frame import Box, Key
from services.reports.document import BarChart, Chart, HeatChart, LineChart
from services.reports.look import SMALL

LINES_PT = 158.0
"""Height of the plot of a line chart."""
EMPTY_PT = 48.0
NOTE_GAP_PT = 5.0
NOTE_LINES = 6


def charts(chart: Chart, zone: ZoneInfo) -> list[ChartBlock]:
    """A chart as blocks for the page; a tall heat chart becomes several."""
    if isinstance(chart, HeatChart):
        reach = chart_heat.reach_of(chart)
        return [ChartBlock(one, zone, reach) for one in chart_heat.parts(chart)]
    return [ChartBlock(chart, zone)]


class ChartBlock(Flowable):  # type: ignore[misc]
    """Title, legend, plot and note of one chart."""

    def __init__(
        self, chart: Chart, zone: ZoneInfo, reach: tuple[float, float] = (0.0, 1.0)
    ) -> None:
        super().__init__()
        self.chart, self.zone, self.reach = chart, zone, reach

    def wrap(self, room: float, _height: float) -> tuple[float, float]:
        """The space it takes, known before it is drawn."""
        self.width = room
        self._legend = chart_frame.legend_rows(_keys(self.chart), room)
        note = text.clean(self.chart.note, lines=True, most=1_000)
        lines = text.broken(note, SMALL, room) if note else []
        self._note = lines[:NOTE_LINES]
        self._plot = _height_of(self.chart, room)
        self.height = (
            chart_frame.TITLE_PT
            + len(self._legend) * chart_frame.LEGEND_PT
            + self._plot
            + len(self._note) * SMALL.leading
            + 4
            + NOTE_GAP_PT * bool(self._note)
        )
        return room, self.height

    def draw(self) -> None:
        """Draw it from the top."""
        pen, whole = self.canv, Box(0.0, 0.0, self.width, self.height)
        chart_frame.heading(pen, whole, self.chart.title, self.chart.unit)
        top = self.height - chart_frame.TITLE_PT
        chart_frame.legend(pen, 0.0, top, self._legend)
        top -= len(self._legend) * chart_frame.LEGEND_PT + 4
        _plot(self.chart, self.zone, self.reach)(
            pen, box=Box(0.0, top - self._plot, self.width, self._plot)
        )
        y = top - self._plot - SMALL.size - NOTE_GAP_PT
        for line in self._note:
            text.draw_line(pen, 0.0, y, line, SMALL)
            y -= SMALL.leading


def _keys(chart: Chart) -> list[Key]:
    if isinstance(chart, LineChart):
        return chart_lines.keys(chart)
    return chart_bars.keys(chart) if isinstance(chart, BarChart) else []


def _height_of(chart: Chart, room: float) -> float:
    if isinstance(chart, LineChart):
        return EMPTY_PT if chart_lines.is_empty(chart) else LINES_PT
    if isinstance(chart, BarChart):
        empty = chart_bars.is_empty(chart)
        return EMPTY_PT if empty else chart_bars.height(chart, room)
    return EMPTY_PT if chart_heat.is_empty(chart) else chart_heat.height(chart)


def _plot(chart: Chart, zone: ZoneInfo, reach: tuple[float, float]) -> partial[None]:
    if isinstance(chart, LineChart):
        return partial(chart_lines.plot, chart=chart, zone=zone)
    if isinstance(chart, BarChart):
        return partial(chart_bars.plot, chart=chart)
    return partial(chart_heat.plot, chart=chart, reach=reach)
