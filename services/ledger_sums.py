"""The numbers of the ledger of Legionella and scald, each with its formula.

They come from the quarter hours of ``services.metrics``. The *counted time* of a
quarter is its covered time (steps no longer than the device's gap limit) times the
share of its readings whose tank temperature is trusted; its temperature is the mean
of those. So a flagged value and a long gap count nowhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

BAND_LOW_C, BAND_HIGH_C = 25.0, 45.0
"""Where Legionella grow."""
KILL_C = 60.0
COOL_C = 50.0
SCALD_C = 54.0
HOUR_S = 3_600.0
JITTER_S = 1.0
"""Times are stored in microseconds and may be rounded by a sender."""
INLET_SPAN = timedelta(hours=24)

Numbers = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class LedgerSpan:
    """What a range says; hours and shares of the counted time, ``None`` = not known.

    covered: counted time by the length of the range. in_band_h and degree_hours: see
    the functions of these names. hot_54 and hot_60: shares of the counted time.
    still_longest_s: longest span without flow; still_open: it reaches the range's
    start, so it may be longer.
    """

    start: datetime
    end: datetime
    counted_h: float
    covered: float
    in_band_h: float | None
    degree_hours: float | None
    below_50_h: float | None
    hot_54: float | None
    hot_60: float | None
    highest_c: float | None
    still_longest_s: float | None
    still_open: bool


def counted_s(frame: pd.DataFrame) -> Numbers:
    """Seconds of each quarter that count: covered, with a trusted tank temperature.

    ``covered_s * temperature_c_n / n``.
    """
    good = frame["temperature_c_n"].to_numpy("float64")
    share: Numbers = good / np.maximum(frame["n"].to_numpy("float64"), 1.0)
    return frame["covered_s"].to_numpy("float64", na_value=0.0) * share


def means_c(frame: pd.DataFrame) -> Numbers:
    """Mean trusted tank temperature of each quarter, °C; NaN without one."""
    counts = frame["temperature_c_n"].to_numpy("float64")
    sums = frame["temperature_c_sum"].to_numpy("float64", na_value=np.nan)
    found: Numbers = sums / np.where(counts > 0, counts, np.nan)
    return found


def in_band_hours(seconds: Numbers, means: Numbers) -> float:
    """Hours in 25..45 °C: sum of counted hours whose mean lies in the band."""
    return float(seconds[_in_band(means)].sum()) / HOUR_S


def degree_hours(seconds: Numbers, means: Numbers) -> float:
    """K·h above 25 °C while in the band: sum of (mean - 25) x hours in 25..45 °C."""
    inside = _in_band(means)
    return float(((means[inside] - BAND_LOW_C) * seconds[inside]).sum()) / HOUR_S


def _in_band(means: Numbers) -> Flags:
    found: Flags = (means >= BAND_LOW_C) & (means <= BAND_HIGH_C)
    return found


def share_above(seconds: Numbers, means: Numbers, least_c: float) -> float | None:
    """Share of the counted time with a mean of ``least_c`` or more, 0..1."""
    total = float(seconds.sum())
    return float(seconds[means >= least_c].sum()) / total if total else None


def runs(frame: pd.DataFrame, holds: Flags, seconds: Numbers) -> list[tuple[int, int]]:
    """First and last row of each stretch of quarters that hold, without a gap.

    A gap is time in or before a quarter that its covered time leaves out; the quarter
    after one begins a new stretch. Stretches without counted time are left out.
    """
    last = frame["last_ts"].to_numpy("datetime64[us]").astype("int64") / 1e6
    covered = frame["covered_s"].to_numpy("float64", na_value=0.0)
    linked = np.r_[False, covered[1:] >= np.diff(last) - JITTER_S]
    firsts = np.flatnonzero(holds & ~(linked & np.r_[False, holds[:-1]]))
    lasts = np.flatnonzero(holds & ~np.r_[linked[1:] & holds[1:], False])
    found = zip(firsts.tolist(), lasts.tolist(), strict=True)
    return [(a, b) for a, b in found if seconds[a : b + 1].sum() > 0]


def last_hot_hour(frame: pd.DataFrame) -> datetime | None:
    """End of the newest whole hour at 60 °C or more, ``None`` = none.

    Quarter hours in a row, without a gap, in which every trusted reading was 60 °C or
    more, with at least an hour of counted time. An hour that begins inside a quarter
    is missed here; ``services.ledger_hot`` looks for it.
    """
    if frame.empty:
        return None
    lowest = frame["temperature_c_min"].to_numpy("float64", na_value=np.nan)
    seconds = counted_s(frame)
    long = [
        b
        for a, b in runs(frame, lowest >= KILL_C, seconds)
        if seconds[a : b + 1].sum() >= HOUR_S - JITTER_S
    ]
    return _last_ts(frame, long[-1]) if long else None


def still_spans(frame: pd.DataFrame) -> list[tuple[int, int, float]] | None:
    """First row, last row and seconds of each span without flow; ``None`` = unknown.

    Quarter hours in a row, without a gap, in which every trusted flow reading was 0.
    """
    known = frame["flow_lpm_n"].to_numpy("float64") > 0
    if not known.any():
        return None
    flow = frame["flow_lpm_max"].to_numpy("float64", na_value=np.nan)
    covered = frame["covered_s"].to_numpy("float64", na_value=0.0)
    found = runs(frame, known & (flow <= 0.0), covered)
    return [(a, b, float(covered[a : b + 1].sum())) for a, b in found]


def present_still(frame: pd.DataFrame) -> float | None:
    """Seconds without flow up to the newest reading; ``None`` = no flow is known."""
    spans = still_spans(frame)
    if spans is None:
        return None
    return spans[-1][2] if spans and spans[-1][1] == len(frame) - 1 else 0.0


def inlet(frame: pd.DataFrame, now: datetime) -> float | None:
    """The inlet as water comes in: lowest quarter's mean of the last 24 hours, °C.

    The pipe warms up while nothing flows, so the lowest is nearest to the water.
    """
    since = pd.Timestamp(now - INLET_SPAN).tz_convert(None)
    part = frame[(frame["ts"] >= since) & (frame["inlet_temperature_c_n"] > 0)]
    if part.empty:
        return None
    means = part["inlet_temperature_c_sum"] / part["inlet_temperature_c_n"]
    return float(means.min())


def summed_span(frame: pd.DataFrame, start: datetime, end: datetime) -> LedgerSpan:
    """The numbers of a range from its quarters."""
    seconds, means = counted_s(frame), means_c(frame)
    counted = float(seconds.sum())
    length = max((end - start).total_seconds(), 1.0)
    still = still_spans(frame)
    longest = max(still or [], key=lambda span: span[2], default=None)
    highest = frame["temperature_c_max"].max()
    return LedgerSpan(
        start=start,
        end=end,
        counted_h=counted / HOUR_S,
        covered=min(counted / length, 1.0),
        in_band_h=in_band_hours(seconds, means) if counted else None,
        degree_hours=degree_hours(seconds, means) if counted else None,
        below_50_h=float(seconds[means < COOL_C].sum()) / HOUR_S if counted else None,
        hot_54=share_above(seconds, means, SCALD_C),
        hot_60=share_above(seconds, means, KILL_C),
        highest_c=None if pd.isna(highest) else float(highest),
        still_longest_s=None if still is None else longest[2] if longest else 0.0,
        still_open=longest is not None and longest[0] == 0,
    )


def _last_ts(frame: pd.DataFrame, row: int) -> datetime:
    stamp: datetime = pd.Timestamp(frame["last_ts"].iloc[row]).to_pydatetime()
    return stamp.replace(tzinfo=UTC)
