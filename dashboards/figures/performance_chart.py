"""The main chart of the Performance tab: realised, estimated, coverage and gap."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np

from dashboards import text
from dashboards.figures.coverage import coverage_bars, provisional_marks
from dashboards.figures.intervals import lonely, outlines, threshold_shape
from dashboards.figures.stack import Panel, room, stack
from dashboards.figures.theme import (
    Figure,
    colour,
    faded,
    time_points,
    wall_time,
)
from dashboards.figures.timeseries import compact
from dashboards.performance_words import (
    moment_key,
    view_decimals,
    with_interval,
)
from services.performance_views import (
    METRIC_WORDS,
    PerformanceView,
    Point,
    provisional,
)
from services.units import Preferences

HEIGHT = 600
VALUE, COVERAGE, GAP = "y", "y2", "y3"
LEAST = 0.02
"""Smallest height of the axis of a metric from 0 to 1: noise is not drawn as drama."""
RANKS = {"realised": 1, "estimated": 2, "weighted": 4}
"""Order in the legend; the reference is third."""
ALPHAS = {"realised": 0.26, "estimated": 0.15, "gap": 0.2}
HEADERS = {
    "hour": "%a %-d %b %Y, %H:%M",
    "day": "%a %-d %b %Y",
    "week": "week of %-d %b %Y",
    "month": "%B %Y",
}


def figure(view: PerformanceView, prefs: Preferences) -> Figure:
    """Realised and estimated values with bands, label coverage, and the gap.

    Every point stands at the start of its window; bars are as wide as the window.
    The only shape is the threshold, so that it alone can be dragged.
    """
    return _Drawing(view, prefs).figure()


class _Drawing:
    """What the traces of one figure share."""

    def __init__(self, view: PerformanceView, prefs: Preferences) -> None:
        self.view, self.prefs = view, prefs
        self.windows = view.windows
        self.digits = view_decimals(view)
        self.name = METRIC_WORDS[view.metric]
        self.tints = {
            "realised": colour(prefs.theme, "series-1"),
            "estimated": colour(prefs.theme, "series-2"),
            "weighted": colour(prefs.theme, "series-3"),
            "gap": colour(prefs.theme, "text-soft"),
            "bad": colour(prefs.theme, "bad"),
        }
        self.at = time_points([w.start for w in self.windows], prefs.zone)
        self.keys = [moment_key(w.start) for w in self.windows]
        lengths = [int((w.end - w.start).total_seconds()) * 1000 for w in self.windows]
        self.widths = lengths[0] if len(set(lengths)) == 1 else lengths
        self.low, self.high = self._range()
        self.early = provisional(self.windows)

    def figure(self) -> Figure:
        """Panels, traces, legend and the threshold in one figure."""
        first, last = self.windows[0], self.windows[-1]
        half = (first.end - first.start) / 2
        start, end = first.start - half, last.start + half
        diamond = f'<span style="color:{self.tints["bad"]}">◆</span>'
        panels = [
            Panel(VALUE, 0.6, f"<b>{self.name}</b>", self.low, self.high),
            Panel(COVERAGE, 0.1, "<b>Labels arrived</b>", 0, 1.25),
            Panel(GAP, 0.26, f"<b>Realised minus estimated</b> {diamond} leaves band"),
        ]
        drawn = stack(
            panels,
            self._traces(start, end),
            start,
            end,
            self.prefs.zone,
            self.prefs.theme,
            height=HEIGHT,
            zoom=False,
        )
        return self._finished(drawn)

    def _finished(self, drawn: Figure) -> Figure:
        layout, threshold = drawn["layout"], self.view.threshold
        layout["margin"]["t"] = 12
        layout["showlegend"] = True
        layout["legend"] |= {"y": 1, "x": -0.03, "itemwidth": 42}
        layout["shapes"] = [threshold_shape(threshold, self.digits, self.prefs.theme)]
        layout["uirevision"] += f" {self.view.metric}"
        layout["editrevision"] = f"{threshold.side} {threshold.value}"
        layout["xaxis"] |= {
            "hoverformat": HEADERS.get(self.view.window, HEADERS["week"]),
            "fixedrange": True,
        }
        layout["yaxis2"] |= {"tickvals": [0, 1], "ticktext": ["0 %", "100 %"]}
        layout["yaxis3"] |= {
            "zeroline": True,
            "zerolinecolor": colour(self.prefs.theme, "edge"),
            "zerolinewidth": 1,
        }
        return drawn

    def _range(self) -> tuple[float, float]:
        points = [p for w in self.windows for p in (w.realised, w.estimated)]
        reach = [v for p in points for v in (p.value, p.low, p.high)]
        limits = [self.view.threshold.value, self.view.reference.value]
        known = np.array([v for v in (*reach, *limits) if v is not None], dtype=float)
        size = abs(self.view.reference.value or 1.0)
        return room([known], [self.view.threshold.suggested], LEAST * max(size, 1e-9))

    def _traces(self, start: datetime, end: datetime) -> list[dict[str, Any]]:
        realised, estimated = self._points("realised"), self._points("estimated")
        return [
            *self._backdrops(),
            self._band("realised", realised, VALUE),
            self._band("estimated", estimated, VALUE),
            *self._reference(start, end),
            self._line("Density-weighted estimate", "weighted", dash="dot"),
            self._line("Estimated", "estimated", dash="dash"),
            *self._realised(),
            *coverage_bars(
                self.windows, self._across(), COVERAGE, self.keys, self.prefs.theme
            ),
            *self._gap(),
        ]

    def _points(self, name: str) -> list[Point]:
        return [getattr(window, name) for window in self.windows]

    def _numbers(self, points: Sequence[Point]) -> list[float | None]:
        known = [np.nan if p.value is None else p.value for p in points]
        return compact(np.array(known, dtype="float64"), self.digits + 1)

    def _line(
        self, name: str, part: str, *, dash: str = "solid", mode: str = "lines"
    ) -> dict[str, Any]:
        points = self._points(part)
        words = [with_interval(p, self.digits) for p in points]
        dots = part != "realised" and lonely(points)
        return {
            "type": "scatter",
            "mode": "lines+markers" if dots else mode,
            "name": name,
            "legendgroup": part,
            "legendrank": RANKS[part],
            "yaxis": VALUE,
            **self.at,
            "y": self._numbers(points),
            "text": words,
            "customdata": self.keys if part != "weighted" else None,
            "hovertemplate": f"{name} %{{text}}<extra></extra>",
            "line": {"color": self.tints[part], "width": 2, "dash": dash},
            "marker": {"size": 3 if dots else 6},
            "visible": "legendonly" if part == "weighted" else True,
        }

    def _realised(self) -> list[dict[str, Any]]:
        """The realised values; those that rest on few labels are hollow."""
        line = self._line("Realised", "realised", mode="lines+markers")
        if not any(self.early):
            return [line]
        line["text"] = [
            f"{words}, provisional: few labels" if early else words
            for words, early in zip(line["text"], self.early, strict=True)
        ]
        known = self._numbers(self._points("realised"))
        kept = [v if on else None for v, on in zip(known, self.early, strict=True)]
        return [line, provisional_marks(kept, self.at, self.keys, self.prefs.theme)]

    def _band(self, part: str, points: Sequence[Point], panel: str) -> dict[str, Any]:
        """One closed outline for each run of windows that have an interval."""
        x, y = outlines(self.windows, points, self.prefs.zone, self.digits + 1)
        return {
            "type": "scatter",
            "mode": "lines",
            "legendgroup": part,
            "showlegend": False,
            "yaxis": panel,
            "x": x,
            "y": y,
            "fill": "toself",
            "fillcolor": faded(self.tints[part], ALPHAS[part]),
            "line": {"width": 0},
            "hoverinfo": "skip",
        }

    def _reference(self, start: datetime, end: datetime) -> list[dict[str, Any]]:
        value = self.view.reference.value
        if value is None:
            return []
        return [
            {
                "type": "scatter",
                "mode": "lines",
                "name": f"Reference {text.number(value, self.digits)}",
                "legendrank": 3,
                "yaxis": VALUE,
                "x": [wall_time(w, self.prefs.zone) for w in (start, end)],
                "y": [value, value],
                "line": {"color": self.tints["gap"], "width": 1.4, "dash": "2px,3px"},
                "hoverinfo": "skip",
            }
        ]

    def _across(self) -> dict[str, Any]:
        """Where bars stand, and how wide they are."""
        return {**self.at, "width": self.widths}

    def _backdrops(self) -> list[dict[str, Any]]:
        """The picked window, and the windows without a realised value."""
        grey = faded(self.tints["gap"], 0.35)
        missing = [w.realised.value is None for w in self.windows]
        picked = [w.start == self.view.picked for w in self.windows]
        plain = {"color": faded(colour(self.prefs.theme, "accent"), 0.22)}
        hatched = {
            "color": "rgba(0,0,0,0)",
            "pattern": {"shape": "/", "fgcolor": grey, "size": 7, "solidity": 0.12},
        }
        looks = (
            ("Picked window", picked, plain, False),
            ("No realised value", missing, hatched, True),
        )
        return [
            {
                "type": "bar",
                "name": name,
                "yaxis": VALUE,
                **self._across(),
                "y": [self.high - self.low if on else None for on in where],
                "base": self.low,
                "marker": {**marker, "line": {"width": 0}},
                "hoverinfo": "skip",
                "showlegend": legend,
            }
            for name, where, marker, legend in looks
            if any(where)
        ]

    def _gap(self) -> list[dict[str, Any]]:
        points = self._points("gap")
        outside = [w.outside for w in self.windows]
        words = [
            with_interval(p, self.digits, sign=True)
            + (", leaves its band" if o else "")
            for p, o in zip(points, outside, strict=True)
        ]
        tint, bad = self.tints["gap"], self.tints["bad"]
        line = {
            "type": "scatter",
            "mode": "lines+markers",
            "name": "Gap",
            "showlegend": False,
            "yaxis": GAP,
            **self.at,
            "y": self._numbers(points),
            "text": words,
            "hovertemplate": "Gap %{text}<extra></extra>",
            "line": {"color": tint, "width": 1.6},
            "marker": {
                "symbol": ["diamond" if o else "circle" for o in outside],
                "size": [10 if o else 4 for o in outside],
                "color": [bad if o else tint for o in outside],
            },
        }
        return [self._band("gap", points, GAP), line]
