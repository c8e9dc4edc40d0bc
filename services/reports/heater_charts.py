"""The charts of the History tab for a report: the same lines, rounded as drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import numpy as np
import pandas as pd

from services.buckets import Numbers, Times
from services.history import HistoryView
from services.history_drawn import drawn
from services.reports.document import BarChart, Block, Limit, Line, LineChart, Tone
from services.units import QUANTITIES, Preferences, convert, unit
from services.wording import duration, local_date, local_time

BOUNDS: tuple[tuple[str, str, Tone], ...] = (
    ("alarm_low", "Alarm below", "bad"),
    ("normal_low", "Normal from", "plain"),
    ("normal_high", "Normal up to", "plain"),
    ("alarm_high", "Alarm above", "bad"),
)


def charts(view: HistoryView, prefs: Preferences) -> tuple[Block, ...]:
    """Temperature with its target, energy, pressure and flow; empty ones left out."""
    each = f"Each point is {duration(view.bucket_s)}."
    found: list[Block] = []
    for metric, lines in _lines(view, prefs).items():
        known = [one for one in lines if any(y is not None for y in one.y)]
        if known:
            found.append(_chart(view, metric, known, prefs, each))
    bars = _energy(view, prefs)
    if bars is not None:
        found.insert(min(1, len(found)), bars)
    return tuple(found)


def _lines(view: HistoryView, prefs: Preferences) -> Mapping[str, Sequence[Line]]:
    """The lines of each chart, by its metric."""
    shown = drawn(view.shown, prefs).lines
    at = _moments(view.shown.times)
    values = {name: _values(numbers) for name, numbers in shown.items()}
    target = values["target_temperature_c"]
    ground = _values(shown["flow_lpm_max"] * 0.0)

    def spread(name: str, metric: str) -> Line:
        mean, low, high = (values[f"{metric}_{p}"] for p in ("mean", "min", "max"))
        return Line(name, at, mean, low, high)

    mean, most = values["flow_lpm_mean"], values["flow_lpm_max"]
    flow = Line("Flow, mean, and up to the highest", at, mean, ground, most)
    return {
        "temperature_c": (
            spread("Tank temperature, mean", "temperature_c"),
            Line("Target temperature", at, target, style="steps"),
        ),
        "pressure_bar": (spread("Pressure, mean", "pressure_bar"),),
        "flow_lpm": (flow,),
    }


def _chart(
    view: HistoryView,
    metric: str,
    lines: Sequence[Line],
    prefs: Preferences,
    note: str,
) -> LineChart:
    what = QUANTITIES[metric]
    band = view.device.bands.get(metric)
    limits = []
    for name, words, tone in BOUNDS:
        value = getattr(band, name) if band else None
        if value is not None:
            limits.append(Limit(words, convert(value, what.kind, prefs), tone))
    key = f"{metric}-{view.device.id}"
    words = unit(what.kind, prefs)
    return LineChart(key, what.label, words, tuple(lines), tuple(limits), note)


def _energy(view: HistoryView, prefs: Preferences) -> BarChart | None:
    bars = drawn(view.shown, prefs).energy_kwh
    if all(value is None for value in bars):
        return None
    each, words = ("hour", local_time) if view.hourly else ("day", local_date)
    names = tuple(words(period.start, prefs) for period in view.shown.periods)
    title, kwh = f"Energy for each {each}", unit("energy", prefs)
    key = f"energy-{view.device.id}"
    return BarChart(key, title, kwh, names, (("Energy", bars),))


def _moments(times: Times) -> tuple[datetime, ...]:
    return tuple(pd.DatetimeIndex(times).tz_localize("UTC").to_pydatetime())


def _values(numbers: Numbers) -> tuple[float | None, ...]:
    known = np.isfinite(numbers).tolist()
    pairs = zip(numbers.tolist(), known, strict=True)
    return tuple(value if is_known else None for value, is_known in pairs)
