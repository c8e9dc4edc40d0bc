"""The newest whole hour at 60 °C, looked at reading by reading where it may hide.

Quarter hours miss an hour that begins inside one of them, and a pasteurising cycle
ends after an hour: so the newest stretches that touch 60 °C are read again, finely.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd

from data.records import metric_mask
from services.ledger_sums import HOUR_S, JITTER_S, KILL_C, counted_s, runs

MOST_STRETCHES = 2
MOST_SPAN = timedelta(hours=12)
"""Of a longer stretch only its end is read."""
QUARTER = timedelta(minutes=15)


def stretches(
    frame: pd.DataFrame, after: datetime | None
) -> list[tuple[datetime, datetime]]:
    """Ranges, newest first, of quarters that touch 60 °C for an hour or more.

    ``after`` is the end of the hour that is known: older stretches tell nothing new.
    """
    if frame.empty:
        return []
    highest = frame["temperature_c_max"].to_numpy("float64", na_value=np.nan)
    seconds = counted_s(frame)
    found = []
    for a, b in reversed(runs(frame, highest >= KILL_C, seconds)):
        end = _aware(frame["ts"].iloc[b]) + QUARTER
        if after is not None and end <= after + QUARTER:
            break
        if seconds[a : b + 1].sum() >= HOUR_S - JITTER_S:
            found.append((max(_aware(frame["ts"].iloc[a]), end - MOST_SPAN), end))
    return found[:MOST_STRETCHES]


def hot_hour(readings: pd.DataFrame, gap_s: float) -> datetime | None:
    """End of the newest hour without a gap or a trusted reading below 60 °C.

    The time before a reading is its own, as everywhere; before the first one of an
    hour it is not known to be hot, and does not count. Readings whose temperature is
    flagged are passed over, and may not be further apart than the gap limit.
    """
    bad = (readings["quality"].to_numpy("int64") & metric_mask("temperature_c")) != 0
    values = readings["temperature_c"].to_numpy("float64", na_value=np.nan)
    kept = ~bad & ~np.isnan(values)
    times = readings["ts"].to_numpy("datetime64[us]")[kept]
    hot = values[kept] >= KILL_C
    if not hot.any():
        return None
    at = times.astype("int64") / 1e6
    joined = np.r_[False, (np.diff(at) <= gap_s) & hot[:-1]] & hot
    firsts = np.flatnonzero(hot & ~joined)
    lasts = np.flatnonzero(hot & ~np.r_[joined[1:], False])
    step = float(np.median(np.diff(at))) if len(at) > 1 else 0.0
    whole = at[lasts] - at[firsts] >= HOUR_S - step - JITTER_S
    return _aware(times[lasts[whole][-1]]) if whole.any() else None


def _aware(moment: object) -> datetime:
    stamp: datetime = pd.Timestamp(moment).to_pydatetime()  # type: ignore[arg-type]
    return stamp.replace(tzinfo=UTC)
