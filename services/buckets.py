"""How wide the buckets of a chart are, and readings laid out on their grid."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from data.lake import floor, naive

Numbers = npt.NDArray[np.float64]
Times = npt.NDArray[np.datetime64]

CHART_POINTS = 750
"""Most points of one drawn series: about one for each pixel of a wide chart."""
WIDTHS_S: tuple[int, ...] = (
    60,
    120,
    180,
    300,
    600,
    900,
    1_800,
    3_600,
    7_200,
    10_800,
    14_400,
    21_600,
    43_200,
    86_400,
    172_800,
    604_800,
)
"""Bucket widths a reader can think in; from 15 minutes on the roll-ups answer."""
READINGS_PER_BUCKET = 2
"""With fewer expected readings a bucket could be empty though none is missing."""


def bucket_for(
    length: timedelta, reporting_interval_s: int, most: int = CHART_POINTS
) -> int:
    """The narrowest bucket in seconds that keeps a range to ``most`` points.

    A bucket without a reading is shown as a gap, so it is never so narrow that a
    device that reports on time would leave one empty.
    """
    least = READINGS_PER_BUCKET * reporting_interval_s
    for width in WIDTHS_S:
        if width >= least and length <= most * timedelta(seconds=width):
            return width
    return WIDTHS_S[-1]


def grid(start: datetime, end: datetime, bucket_s: int) -> Times:
    """The starts of the buckets of ``[start, end)``, naive UTC; the first floored."""
    first = np.datetime64(naive(floor(start, bucket_s)), "us")
    last = np.datetime64(naive(end), "us")
    return np.arange(first, last, np.timedelta64(bucket_s, "s"))


def coarser(
    frame: pd.DataFrame, bucket_s: int, kinds: Mapping[str, str]
) -> pd.DataFrame:
    """Folded readings of one device in wider buckets.

    Args:
        frame: in time order, in buckets that divide ``bucket_s``.
        bucket_s: the wider bucket, counted from 1970.
        kinds: column -> ``sum``, ``min``, ``max`` or ``last``; others are left out.
    """
    starts = frame["ts"].to_numpy("datetime64[s]").astype("int64") // bucket_s
    if not len(starts):
        return frame
    firsts = np.flatnonzero(np.r_[True, starts[1:] != starts[:-1]])
    lasts = np.r_[firsts[1:], len(starts)] - 1
    folds: dict[str, Callable[[Numbers], Numbers]] = {
        "sum": lambda values: np.add.reduceat(np.nan_to_num(values), firsts),
        "min": lambda values: np.fmin.reduceat(values, firsts),
        "max": lambda values: np.fmax.reduceat(values, firsts),
        "last": lambda values: values[lasts],
    }
    times = (starts[firsts] * bucket_s).astype("datetime64[s]").astype("datetime64[us]")
    columns = {
        name: folds[kind](frame[name].to_numpy("float64", na_value=np.nan))
        for name, kind in kinds.items()
    }
    return pd.DataFrame({"ts": times, **columns})


def laid_out(
    frame: pd.DataFrame, times: Times, columns: Sequence[str]
) -> dict[str, Numbers]:
    """Columns of folded readings on a grid; NaN where a bucket has no reading."""
    places = np.searchsorted(times, frame["ts"].to_numpy("datetime64[us]"))
    found = {}
    for name in columns:
        found[name] = np.full(len(times), np.nan)
        found[name][places] = frame[name].to_numpy("float64", na_value=np.nan)
    return found


def means(frame: pd.DataFrame, metric: str) -> Numbers:
    """The mean of the good readings of each bucket; NaN without one."""
    counts = frame[f"{metric}_n"].to_numpy("float64")
    sums = frame[f"{metric}_sum"].to_numpy("float64", na_value=np.nan)
    found: Numbers = sums / np.where(counts > 0, counts, np.nan)
    return found
