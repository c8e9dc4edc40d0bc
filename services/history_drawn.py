"""The numbers of the History tab as they are drawn: the reader's units, rounded.

The figure and its export both take these, so the file holds what the chart shows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

import numpy as np
import pandas as pd

from services.buckets import Numbers, Times
from services.exports import Cell, Table, file_name
from services.history import LINES, HistoryView, Stretch
from services.units import QUANTITIES, Preferences, convert, unit
from services.windows import Window

DECIMALS: Mapping[str, int] = {
    "temperature_c": 2,
    "target_temperature_c": 1,
    "pressure_bar": 2,
    "flow_lpm": 2,
    "energy_kwh": 2,
}
"""Digits a drawn number keeps: a mean may lie between two steps of the sensor."""
ENERGY = "energy"
READINGS = "readings"
PARTS = (READINGS, ENERGY)
"""What can be exported: the buckets of the lines, or the bars of energy."""
_WORDS = {"min": "lowest", "mean": "mean", "max": "highest"}


@dataclass(frozen=True, eq=False)
class Drawn:
    """One stretch in the reader's units: ``lines`` as in ``Stretch``, energy bars."""

    times: Times
    lines: Mapping[str, Numbers]
    energy_kwh: tuple[float | None, ...]


def metric_of(line: str) -> str:
    """The metric of a name in ``LINES``."""
    stem, _, part = line.rpartition("_")
    return stem if part in _WORDS else line


def drawn(stretch: Stretch, prefs: Preferences) -> Drawn:
    """A stretch in the reader's units, rounded as it is drawn."""
    lines = {}
    for name, stored in stretch.lines.items():
        metric = metric_of(name)
        lines[name] = _shown(stored, metric, prefs)
    energy = np.array([p.energy_kwh for p in stretch.periods], dtype="float64")
    bars = _shown(energy, "energy_kwh", prefs)
    return Drawn(
        times=stretch.times,
        lines=lines,
        energy_kwh=tuple(None if np.isnan(v) else float(v) for v in bars),
    )


def _shown(stored: Numbers, metric: str, prefs: Preferences) -> Numbers:
    # The conversions are linear, so they take a whole array as well as a number.
    shown = convert(cast("float", stored), QUANTITIES[metric].kind, prefs)
    return np.round(cast("Numbers", shown), DECIMALS[metric])


def table(view: HistoryView, part: str, prefs: Preferences) -> Table:
    """The rows drawn: one for each bucket, or one for each bar of energy.

    Times are local with their offset; the zone is in the column's title. With a
    previous range its columns follow, each row beside the bucket it is drawn over.
    """
    name = file_name(view.device.id, part, *_days(view.shown.window, prefs))
    if part == ENERGY:
        columns, rows = _energy_rows(view, prefs)
    else:
        columns, rows = _bucket_rows(view, prefs)
    return Table(name, columns, rows)


def _bucket_rows(
    view: HistoryView, prefs: Preferences
) -> tuple[tuple[str, ...], list[tuple[Cell, ...]]]:
    zone = prefs.time_zone
    titles = [f"ts ({zone})", *(title(line, prefs) for line in LINES)]
    now = drawn(view.shown, prefs)
    columns = [_local(now.times, prefs), *(now.lines[line].tolist() for line in LINES)]
    if view.previous is not None:
        before = drawn(view.previous, prefs)
        titles.append(f"previous ts ({zone})")
        titles += [f"previous {title(line, prefs)}" for line in LINES]
        columns.append(_local(before.times, prefs))
        columns += [before.lines[line].tolist() for line in LINES]
    count = max(len(now.times), len(columns[-1]))
    padded = [column + [None] * (count - len(column)) for column in columns]
    return tuple(titles), list(zip(*padded, strict=True))


def _energy_rows(
    view: HistoryView, prefs: Preferences
) -> tuple[tuple[str, ...], list[tuple[Cell, ...]]]:
    zone, kwh = prefs.time_zone, unit("energy", prefs)
    titles = [f"from ({zone})", f"to ({zone})", f"energy ({kwh})"]
    columns = _bars(view.shown, prefs)
    if view.previous is not None:
        titles += [f"previous {title}" for title in titles]
        columns += _bars(view.previous, prefs)
    count = max(len(column) for column in columns)
    padded = [column + [None] * (count - len(column)) for column in columns]
    return tuple(titles), list(zip(*padded, strict=True))


def _bars(stretch: Stretch, prefs: Preferences) -> list[list[Cell]]:
    return [
        [_minute(p.start, prefs) for p in stretch.periods],
        [_minute(p.end, prefs) for p in stretch.periods],
        list(drawn(stretch, prefs).energy_kwh),
    ]


def title(line: str, prefs: Preferences) -> str:
    """The title of a line's column: ``Tank temperature, mean (°C)``."""
    what = QUANTITIES[metric_of(line)]
    word = _WORDS.get(line.rpartition("_")[2])
    label = f"{what.label}, {word}" if word else what.label
    return f"{label} ({unit(what.kind, prefs)})"


def _local(times: Times, prefs: Preferences) -> list[Cell]:
    local = pd.DatetimeIndex(times).tz_localize("UTC").tz_convert(prefs.zone)
    return [moment.isoformat() for moment in local]


def _minute(when: datetime, prefs: Preferences) -> Cell:
    return when.astimezone(prefs.zone).isoformat(timespec="seconds")


def _days(window: Window, prefs: Preferences) -> tuple[str, str]:
    ends = (window.start, window.end)
    first, last = (w.astimezone(UTC).astimezone(prefs.zone) for w in ends)
    return f"{first:%Y%m%dT%H%M}", f"{last:%Y%m%dT%H%M}"
