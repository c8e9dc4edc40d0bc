"""The charts of the History tab: temperature, energy, pressure and flow in one."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from dashboards.figures.event_strip import Mark, event_marks
from dashboards.figures.stack import Panel, limit, room, stack
from dashboards.figures.theme import Figure, colour, faded, metric_colour, wall_time
from dashboards.figures.timeseries import (
    Look,
    Piece,
    band,
    bars,
    line,
    pieces,
)
from services.buckets import Numbers
from services.history import HistoryView, Stretch
from services.history_drawn import DECIMALS, Drawn, drawn
from services.units import QUANTITIES, Preferences, convert, unit

HEIGHT = 860
DASHED = "4px,3px"
EVENTS, TEMPERATURE, ENERGY, PRESSURE, FLOW = "y5", "y", "y2", "y3", "y4"
LEAST = {"temperature_c": 4.0, "pressure_bar": 0.4}
"""Smallest height of a y axis in stored units: noise is not drawn as drama."""


def figure(view: HistoryView, prefs: Preferences, *, zoom: bool = True) -> Figure:
    """The figure of a view: what is drawn is ``history_drawn.drawn`` and no more."""
    return _Drawing(view, prefs).figure(zoom)


class _Drawing:
    """What the parts of one figure share."""

    def __init__(self, view: HistoryView, prefs: Preferences) -> None:
        self.view = view
        self.prefs = prefs
        self.now = drawn(view.shown, prefs)
        self.cut = pieces(self.now.times, prefs.zone)
        self.before: Drawn | None = None
        self.before_cut: list[Piece] = []
        if view.previous is not None:
            self.before = drawn(view.previous, prefs)
            self.before_cut = pieces(self.before.times, prefs.zone, view.shift_days)

    def figure(self, zoom: bool) -> Figure:
        """Panels, traces and limits in one figure."""
        temperature = self._range("temperature_c", "target_temperature_c")
        pressure = self._range("pressure_bar")
        panels = [
            Panel(EVENTS, 0.04, self._events_title(), 0, 1, scale=False),
            Panel(TEMPERATURE, 0.38, self._title("temperature_c"), *temperature),
            Panel(ENERGY, 0.2, self._energy_title()),
            Panel(PRESSURE, 0.2, self._title("pressure_bar"), *pressure),
            Panel(FLOW, 0.17, self._title("flow_lpm")),
        ]
        traces = [
            *self._measured("temperature_c", TEMPERATURE),
            *self._target(),
            *self._energy(),
            *self._measured("pressure_bar", PRESSURE),
            *self._flow(),
            *self._events(),
        ]
        window = self.view.shown.window
        return stack(
            panels,
            traces,
            window.start,
            window.end,
            self.prefs.zone,
            self.prefs.theme,
            height=HEIGHT,
            zoom=zoom,
            shapes=[
                *self._limits("temperature_c", TEMPERATURE, temperature),
                *self._limits("pressure_bar", PRESSURE, pressure),
            ],
        )

    def _look(self, name: str, metric: str, **changes: Any) -> Look:
        tint = metric_colour(self.prefs.theme, metric)
        words = unit(QUANTITIES[metric].kind, self.prefs)
        base: dict[str, Any] = {
            "tint": tint,
            "unit": words,
            "decimals": DECIMALS[metric],
        }
        return Look(name, **(base | changes))

    def _pale(self, metric: str, alpha: float) -> str:
        return faded(metric_colour(self.prefs.theme, metric), alpha)

    def _earlier(self, name: str, metric: str, panel: str) -> list[dict[str, Any]]:
        if self.before is None:
            return []
        look = self._look(
            f"{QUANTITIES[metric].label}, previous",
            metric,
            tint=self._pale(metric, 0.75),
            dash=DASHED,
            width=1.2,
        )
        return line(self.before.lines[name], self.before_cut, panel, look)

    def _measured(self, metric: str, panel: str) -> list[dict[str, Any]]:
        lines, label = self.now.lines, QUANTITIES[metric].label
        pale = self._look(label, metric, tint=self._pale(metric, 0.3))
        low, high = lines[f"{metric}_min"], lines[f"{metric}_max"]
        return [
            *band(low, high, self.cut, panel, pale),
            *self._earlier(f"{metric}_mean", metric, panel),
            *line(
                lines[f"{metric}_mean"],
                self.cut,
                panel,
                self._look(f"{label}, mean", metric),
            ),
        ]

    def _target(self) -> list[dict[str, Any]]:
        metric = "target_temperature_c"
        look = self._look(QUANTITIES[metric].label, metric, width=1.2, shape="hv")
        return line(self.now.lines[metric], self.cut, TEMPERATURE, look)

    def _flow(self) -> list[dict[str, Any]]:
        metric = "flow_lpm"
        pale = self._look("Flow", metric, tint=self._pale(metric, 0.4))
        mean = self._look("Flow, mean", metric)
        return [
            *band(None, self.now.lines["flow_lpm_max"], self.cut, FLOW, pale),
            *self._earlier("flow_lpm_mean", metric, FLOW),
            *line(self.now.lines["flow_lpm_mean"], self.cut, FLOW, mean),
        ]

    def _energy(self) -> list[dict[str, Any]]:
        metric = "energy_kwh"
        look = self._look("Energy", metric, tint=self._pale(metric, 0.8))
        traces = [bars(self._spans(self.view.shown), self.now.energy_kwh, ENERGY, look)]
        if self.before is not None and self.view.previous is not None:
            earlier = self._look("Energy, previous", metric)
            spans = self._spans(self.view.previous, self.view.shift_days)
            heights = self.before.energy_kwh
            traces.append(bars(spans, heights, ENERGY, earlier, outlined=True))
        return traces

    def _spans(self, stretch: Stretch, days_later: int = 0) -> list[tuple[str, str]]:
        return [
            (self._wall(p.start, days_later), self._wall(p.end, days_later))
            for p in stretch.periods
        ]

    def _wall(self, when: datetime, days_later: int = 0) -> str:
        if not days_later:
            return wall_time(when, self.prefs.zone)
        local = when.astimezone(self.prefs.zone).replace(tzinfo=None)
        return (local + timedelta(days=days_later)).strftime("%Y-%m-%dT%H:%M:%S")

    def _events(self) -> list[dict[str, Any]]:
        drawn_marks = [
            event_marks(
                self._marks(self.view.shown), EVENTS, "Events", self.prefs.theme
            )
        ]
        if self.view.previous is not None:
            earlier = self._marks(self.view.previous, self.view.shift_days)
            drawn_marks.append(
                event_marks(
                    earlier, EVENTS, "Events, previous", self.prefs.theme, faint=True
                )
            )
        return [trace for trace in drawn_marks if trace["x"]]

    def _marks(self, stretch: Stretch, days_later: int = 0) -> list[Mark]:
        return [
            Mark(self._wall(m.ts, days_later), m.count, m.severity, m.messages)
            for m in stretch.marks
        ]

    def _bounds(self, metric: str) -> dict[str, float | None]:
        stated = self.view.device.bands.get(metric)
        if stated is None:
            return {}
        kind = QUANTITIES[metric].kind
        names = ("alarm_low", "normal_low", "normal_high", "alarm_high")
        found: dict[str, float | None] = {}
        for name in names:
            value = getattr(stated, name)
            found[name] = None if value is None else convert(value, kind, self.prefs)
        return found

    def _range(self, metric: str, *beside: str) -> tuple[float, float]:
        series: list[Numbers] = [
            self.now.lines[f"{metric}_min"],
            self.now.lines[f"{metric}_max"],
            *(self.now.lines[name] for name in beside),
        ]
        if self.before is not None:
            series.append(self.before.lines[f"{metric}_mean"])
        scale = convert(1.0, QUANTITIES[metric].kind, self.prefs)
        scale -= convert(0.0, QUANTITIES[metric].kind, self.prefs)
        return room(series, list(self._bounds(metric).values()), LEAST[metric] * scale)

    def _limits(
        self, metric: str, panel: str, shown: tuple[float, float]
    ) -> list[dict[str, Any]]:
        words = {
            "alarm_low": ("alarm below", "bad", False),
            "normal_low": ("normal from", "good", False),
            "normal_high": ("normal to", "good", True),
            "alarm_high": ("alarm above", "bad", True),
        }
        decimals = min(QUANTITIES[metric].decimals, 1)
        return [
            limit(
                value,
                panel,
                f"{words[name][0]} {value:.{decimals}f}",
                colour(self.prefs.theme, words[name][1]),
                above=words[name][2],
            )
            for name, value in self._bounds(metric).items()
            if value is not None and shown[0] <= value <= shown[1]
        ]

    def _title(self, metric: str) -> str:
        what = QUANTITIES[metric]
        tint = metric_colour(self.prefs.theme, metric)
        pale = "highest" if metric == "flow_lpm" else "range"
        # On a phone the line has room for no word more.
        label = what.label.removeprefix("Tank ").capitalize()
        words = [f"<b>{label}</b> ({unit(what.kind, self.prefs)})"]
        words.append(f'<span style="color:{tint}">━</span> mean')
        words.append(f'<span style="color:{self._pale(metric, 0.45)}">█</span> {pale}')
        if metric == "temperature_c":
            grey = metric_colour(self.prefs.theme, "target_temperature_c")
            words.append(f'<span style="color:{grey}">━</span> target')
        if self.before is not None:
            words.append(f'<span style="color:{tint}">┅</span> before')
        return " ".join(words)

    def _energy_title(self) -> str:
        each = "hour" if self.view.hourly else "day"
        title = f"<b>Energy</b> (kWh for each {each})"
        tint = metric_colour(self.prefs.theme, "energy_kwh")
        if self.before is not None:
            title += f'  <span style="color:{tint}">▯</span> before'
        return title

    def _events_title(self) -> str:
        count, marks = self.view.shown.event_count, self.view.shown.marks
        if not count:
            return "<b>Events</b>  none in this range"
        marked = sum(mark.count for mark in marks)
        note = f"{count}" if marked == count else f"the newest {marked} of {count}"
        return f"<b>Events</b>  {note}"
