"""A device's readings as programs get them: raw, or folded into buckets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from data.records import METRICS, STATES, metric_mask, quality_reasons
from services.buckets import WIDTHS_S, means
from services.errors import InvalidInput, TooLarge
from services.windows import Window

AUTO, RAW = "auto", "raw"
WIDTHS = {"15m": 900, "1h": 3_600}
RESOLUTIONS = (AUTO, RAW, *WIDTHS)
COARSE_S = tuple(width for width in WIDTHS_S if width >= 900)
LAST = ("target_temperature_c", "energy_kwh")
"""Settings and meters: of a bucket their last value counts, not the mean."""

UTC_ZONE = ZoneInfo("UTC")
Item = dict[str, Any]


@dataclass(frozen=True)
class SeriesQuery:
    """What a program asks for; times as in ``services.windows``."""

    text_from: str | None = None
    text_to: str | None = None
    zone: ZoneInfo = UTC_ZONE
    resolution: str = AUTO
    metrics: tuple[str, ...] = METRICS
    flagged: bool = False

    def __post_init__(self) -> None:
        if self.resolution not in RESOLUTIONS:
            raise InvalidInput(f"resolution must be one of {', '.join(RESOLUTIONS)}.")
        unknown = [name for name in self.metrics if name not in METRICS]
        if unknown or not self.metrics:
            raise InvalidInput(f"metrics must be among {', '.join(METRICS)}.")
        if self.flagged and self.resolution not in {AUTO, RAW}:
            raise InvalidInput(
                "flagged=1 needs resolution=raw: a value that is not trusted is never "
                "part of a mean."
            )


@dataclass(frozen=True)
class SeriesView:
    """The answer: items oldest first, how wide they are, how many were flagged."""

    items: tuple[Item, ...]
    resolution: str
    flagged: int
    window: Window


def width_for(query: SeriesQuery, length: timedelta, interval_s: int, most: int) -> int:
    """Bucket in seconds that answers a query, 0 for the readings themselves.

    Raises:
        TooLarge: the resolution asked for has more points than ``most``.
    """
    expected = length / timedelta(seconds=interval_s)
    if query.resolution == RAW or query.flagged:
        return 0
    if query.resolution in WIDTHS:
        width = WIDTHS[query.resolution]
        if length > most * timedelta(seconds=width):
            raise too_many(most, query.resolution)
        return width
    if expected <= most:
        return 0
    return coarse_for(length, most)


def coarse_for(length: timedelta, most: int) -> int:
    """The narrowest bucket of the roll-ups that keeps a range to ``most`` points."""
    fitting = (w for w in COARSE_S if length <= most * timedelta(seconds=w))
    return next(fitting, COARSE_S[-1])


def too_many(most: int, resolution: str) -> TooLarge:
    """The refusal of more points than are answered."""
    return TooLarge(
        f"The range has more than {most} points at resolution={resolution} (setting "
        "IOTSPHERE_MAX_POINTS): ask for a shorter range or resolution=auto."
    )


def named(width_s: int) -> str:
    """A bucket as the answer names it: ``raw``, ``15m``, ``1h``, ``2h`` or ``1d``."""
    for size, letter in ((86_400, "d"), (3_600, "h"), (60, "m")):
        if width_s and width_s % size == 0:
            return f"{width_s // size}{letter}"
    return RAW


def from_readings(frame: pd.DataFrame, query: SeriesQuery) -> tuple[Item, ...]:
    """One item for each reading with a value; flagged values only when asked for."""
    columns: dict[str, list[Any]] = {}
    quality = frame["quality"].to_numpy("int64")
    for name in query.metrics:
        values = frame[name].to_numpy("float64", na_value=np.nan)
        bad = (quality & metric_mask(name)) != 0
        columns[name] = _plain(
            values if query.flagged else np.where(bad, np.nan, values)
        )
    for name in STATES:
        states = frame[name].astype(object)
        columns[name] = list(states.where(states.notna(), None))
    times = _stamps(frame["ts"])
    items = [
        {"ts": ts, **dict(zip(columns, row, strict=True))}
        for ts, row in zip(times, zip(*columns.values(), strict=True), strict=True)
    ]
    if query.flagged:
        for item, bits in zip(items, quality, strict=True):
            reasons = quality_reasons(int(bits))
            item["flagged"] = {m: r for m, r in reasons.items() if m in query.metrics}
    return tuple(i for i in items if any(i[name] is not None for name in columns))


def flagged_readings(frame: pd.DataFrame, metrics: Sequence[str]) -> int:
    """How many readings hold a flagged value of one of the metrics."""
    mask = 0
    for name in metrics:
        mask |= metric_mask(name)
    return int(((frame["quality"].to_numpy("int64") & mask) != 0).sum())


def from_buckets(frame: pd.DataFrame, query: SeriesQuery) -> tuple[Item, ...]:
    """One item for each bucket with a reading: mean, lowest and highest."""
    columns: dict[str, list[Any]] = {"n": frame["n"].astype(int).to_list()}
    for name in query.metrics:
        if name in LAST:
            last = frame[f"{name}_last"].to_numpy("float64", na_value=np.nan)
            columns[name] = _plain(last)
            continue
        columns[name] = _plain(means(frame, name))
        for part in ("min", "max"):
            column = frame[f"{name}_{part}"].to_numpy("float64", na_value=np.nan)
            columns[f"{name}_{part}"] = _plain(column)
    times = _stamps(frame["ts"])
    return tuple(
        {"ts": ts, **dict(zip(columns, row, strict=True))}
        for ts, row in zip(times, zip(*columns.values(), strict=True), strict=True)
    )


def bucket_columns(metrics: Sequence[str]) -> set[str]:
    """The folded columns that ``from_buckets`` reads."""
    kinds = ("n", "min", "max", "sum", "last")
    return {"n", "flagged_n", *(f"{m}_{kind}" for m in metrics for kind in kinds)}


def _plain(values: Any) -> list[float | None]:
    return [None if np.isnan(v) else float(v) for v in np.round(values, 4)]


def _stamps(ts: pd.Series) -> list[datetime]:
    return [moment.replace(tzinfo=UTC) for moment in ts.dt.to_pydatetime()]
