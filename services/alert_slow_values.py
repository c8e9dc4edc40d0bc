"""The values of heaters that take the roll-ups of days: looked at every few minutes."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from data.hot_store import to_us
from data.lake import Lake
from data.records import Device
from services.alert_conditions import Bools, Floats, Ints
from services.alert_energy import METRIC, energy_excess
from services.alert_subjects import SECOND_US, Subjects
from services.alert_values import Moment
from services.ledger_sums import COOL_C, HOUR_S, JITTER_S, KILL_C, counted_s
from services.metrics import gap_s

LOOKED_BACK = timedelta(days=15)
DAY = timedelta(days=1)
SLOW: tuple[str, ...] = (
    "safe_hour_days",
    "warm_hour_h",
    "no_still_hour_h",
    "flagged_share",
    METRIC,
)
_READ = (
    "n",
    "flagged_n",
    "first_ts",
    "last_ts",
    "covered_s",
    "temperature_c_n",
    "temperature_c_min",
    "flow_lpm_n",
    "flow_lpm_max",
)


def slow_moments(lake: Lake, subjects: Subjects, now: datetime) -> dict[str, Moment]:
    """Days since a safe hour, hours since an hour without flow, flagged share, energy.

    Two questions to the lake for all heaters. Of a heater with readings over the
    whole time and none of such hours, the age is the time that was looked at.
    """
    devices = [d for d in subjects.known.values() if isinstance(d, Device)]
    found = {name: np.full(len(subjects), np.nan) for name in SLOW}
    gaps = {d.id: gap_s(d.reporting_interval_s) for d in devices}
    if gaps:
        frame = lake.folded(
            gaps, now - LOOKED_BACK, now, 900, ("temperature_c", "flow_lpm"), only=_READ
        )
        _fill(found, frame, subjects, now)
        found[METRIC] = energy_excess(lake, gaps, subjects, now)
        for device in devices:
            if device.type == "tankless":
                for name in ("safe_hour_days", "warm_hour_h"):
                    found[name][subjects.places[device.id]] = np.nan
    return {name: Moment.of(value) for name, value in found.items()}


def _fill(
    found: dict[str, Floats], frame: pd.DataFrame, subjects: Subjects, now: datetime
) -> None:
    if frame.empty:
        return
    at = subjects.at_each(frame["device_id"])
    last = frame["last_ts"].to_numpy("datetime64[us]").astype("int64")
    first = frame["first_ts"].to_numpy("datetime64[us]").astype("int64")
    covered = frame["covered_s"].to_numpy("float64", na_value=0.0)
    joined = np.r_[False, (at[1:] == at[:-1])]
    joined[1:] &= covered[1:] >= np.diff(last) / SECOND_US - JITTER_S
    lowest = frame["temperature_c_min"].to_numpy("float64", na_value=np.nan)
    flow = frame["flow_lpm_max"].to_numpy("float64", na_value=np.nan)
    known = frame["flow_lpm_n"].to_numpy("float64") > 0
    now_us = to_us(now)
    tank_s = counted_s(frame)
    hot = ages(at, lowest >= KILL_C, joined, tank_s, first, last, now_us)
    warm = ages(at, lowest >= COOL_C, joined, tank_s, first, last, now_us)
    still = ages(at, known & (flow <= 0.0), joined, covered, first, last, now_us)
    place = np.unique(at)
    found["safe_hour_days"][place] = hot / 86_400
    found["warm_hour_h"][place] = warm / 3_600
    metered = np.isin(place, at[known])
    found["no_still_hour_h"][place] = np.where(metered, still / 3_600, np.nan)
    _flagged(found["flagged_share"], frame, at, last >= to_us(now - DAY))


def ages(
    at: Ints,
    holds: Bools,
    joined: Bools,
    seconds: Floats,
    first: Ints,
    last: Ints,
    now_us: int,
) -> Floats:
    """Seconds since the end of the newest whole hour that holds, by ascending place.

    Args:
        at: the place of each quarter hour, in blocks, by time within each.
        holds: whether what is looked for holds in it.
        joined: whether no gap lies between it and the one before.
        seconds: how much of it counts.
        first: its first reading, microseconds.
        last: its last reading.
        now_us: the time of the look.
    """
    run = np.cumsum(~(joined & holds & np.r_[False, holds[:-1]]))
    long = np.bincount(run, np.where(holds, seconds, 0.0)) >= HOUR_S - JITTER_S
    ends = np.where(holds & long[run], last, np.iinfo(np.int64).min)
    frame = pd.DataFrame({"at": at, "end": ends, "first": first})
    newest = frame.groupby("at").agg({"end": "max", "first": "min"})
    begun = newest["end"].to_numpy()
    since = np.where(begun > 0, begun, newest["first"].to_numpy())
    return np.asarray(np.maximum(now_us - since, 0) / SECOND_US)


def _flagged(into: Floats, frame: pd.DataFrame, at: Ints, newest: Bools) -> None:
    """Percent of the readings that carry a flagged value."""
    size = len(into)
    n = np.bincount(at[newest], frame["n"].to_numpy("float64")[newest], size)
    bad = np.bincount(at[newest], frame["flagged_n"].to_numpy("float64")[newest], size)
    with np.errstate(invalid="ignore", divide="ignore"):
        into[:] = np.where(n > 0, 100 * bad / n, np.nan)
