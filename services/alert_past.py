"""The past of heaters as rules are replayed on it: buckets instead of readings."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import numpy as np
import pandas as pd

from data.hot_store import to_us
from data.lake import Lake
from data.records import METRICS, Device
from services.alert_conditions import Bools, Condition, Floats, Ints, Points
from services.alert_energy import LOOKED_BACK as ENERGY_BACK
from services.alert_energy import METRIC, READ, excess_at
from services.alert_rules import BANDED, RuleSpec
from services.alert_slow_values import LOOKED_BACK
from services.alert_subjects import SECOND_US, Subjects
from services.alert_values import DRAWING_LPM, Readings
from services.ledger_sums import COOL_C, HOUR_S, JITTER_S, KILL_C, counted_s
from services.metrics import OFFLINE_AFTER_INTERVALS

REPLAYED: frozenset[str] = frozenset(
    {
        *METRICS,
        "offline_min",
        "offline_intervals",
        "stale_min",
        "safe_hour_days",
        "warm_hour_h",
        "no_still_hour_h",
        "flagged_share",
        METRIC,
    }
)
"""What the roll-ups of the past can tell."""
DAY_US = 86_400 * SECOND_US
TANK_AGES: Mapping[str, float] = {"safe_hour_days": KILL_C, "warm_hour_h": COOL_C}
"""Ages of whole hours of a tank -> at what temperature at least."""
AGES: tuple[str, ...] = (*TANK_AGES, "no_still_hour_h")


def read_past(
    lake: Lake,
    gaps: Mapping[str, float],
    spec: RuleSpec,
    start: datetime,
    now: datetime,
    bucket_s: int,
) -> pd.DataFrame:
    """The buckets of some heaters, with what a rule needs of each."""
    measured = [m.key for m in spec.metrics if m.key in METRICS]
    named = list(dict.fromkeys([*measured, "temperature_c", "flow_lpm"]))
    wanted = {"n", "flagged_n", "first_ts", "last_ts", "mode_last"}
    wanted |= {f"{m}_{part}" for m in named for part in ("n", "min", "max", "sum")}
    if spec.when == "heating":
        wanted.add("heating_s")
    if any(m.key in AGES for m in spec.metrics):
        wanted.add("covered_s")
        start -= LOOKED_BACK
    if any(m.key == METRIC for m in spec.metrics):
        named.append("energy_kwh")
        wanted |= set(READ)
        bucket_s = max(bucket_s, 3_600) if len(spec.metrics) == 1 else bucket_s
        start -= ENERGY_BACK
    return lake.folded(gaps, start, now, bucket_s, named, only=wanted)


def bucket_points(
    past: pd.DataFrame, spec: RuleSpec, condition: Condition, subjects: Subjects
) -> Points:
    """A value for each bucket: its extreme, or its mean where the rule waits."""
    at = subjects.at_each(past["device_id"])
    ts = past["ts"].to_numpy("datetime64[us]").astype("int64")
    order = np.lexsort((at, ts))
    values = {
        m.key: _value(past, m.key, spec, condition, at)[order] for m in spec.metrics
    }
    drawing = _numbers(past, "flow_lpm_max") >= DRAWING_LPM
    heating = _numbers(past, "heating_s") > 0 if "heating_s" in past else drawing
    off = (past["mode_last"] == "off").to_numpy(bool, na_value=False)
    readings = Readings(
        at[order], ts[order], values, off[order], drawing[order], heating[order]
    )
    return readings.points(spec, condition.low)


def _value(
    past: pd.DataFrame, metric: str, spec: RuleSpec, condition: Condition, at: Ints
) -> Floats:
    n = _numbers(past, f"{metric}_n")
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = _numbers(past, f"{metric}_sum") / np.where(n > 0, n, np.nan)
    if spec.for_s or spec.expression or spec.operator == BANDED[1]:
        return np.asarray(mean)
    low, high = (_numbers(past, f"{metric}_{end}") for end in ("min", "max"))
    if spec.operator.startswith(">"):
        return high
    if spec.operator.startswith("<"):
        return low
    return np.asarray(np.where(low < condition.low[at], low, high))


def moment_points(
    past: pd.DataFrame,
    spec: RuleSpec,
    subjects: Subjects,
    start: datetime,
    now: datetime,
) -> Points:
    """Values at the end of every quarter hour, of every heater with data."""
    if past.empty:
        nothing = np.zeros(0, dtype=np.int64)
        return Points.of(nothing, nothing, np.zeros(0))
    ticks = np.arange(to_us(start), to_us(now), 900 * SECOND_US)
    at = subjects.at_each(past["device_id"])
    cuts = np.flatnonzero(np.diff(at, prepend=-1))
    found: list[tuple[Ints, Ints, Floats]] = []
    ends = [*list(cuts)[1:], len(at)]
    for a, b in zip(cuts, ends, strict=True):
        part = past.iloc[a:b]
        device = subjects.known[subjects.ids[int(at[a])]]
        assert isinstance(device, Device)  # noqa: S101 - only heaters are asked for
        given = {m.key: _moments(m.key, part, device, ticks) for m in spec.metrics}
        found.append((np.full(len(ticks), at[a]), ticks, spec.parsed.of(given)))
    places, times, values = (np.concatenate(one) for one in zip(*found, strict=True))
    order = np.lexsort((places, times))
    return Points.of(places[order], times[order], values[order])


def _moments(name: str, part: pd.DataFrame, device: Device, ticks: Ints) -> Floats:
    """A metric of the moment of one heater at each tick."""
    last = part["last_ts"].to_numpy("datetime64[us]").astype("int64")
    first = part["first_ts"].to_numpy("datetime64[us]").astype("int64")
    if name in (METRIC, "flagged_share"):
        return excess_at(part, ticks) if name == METRIC else _flagged(part, last, ticks)
    if name in AGES:
        begins = _begins(name, part, device, first, last)
        if begins[0] < 0:
            return np.full(len(ticks), np.nan)
        unit_us = DAY_US if name.endswith("_days") else 3_600 * SECOND_US
        return _age(ticks, begins, first[0]) / unit_us
    warm = _numbers(part, "temperature_c_n") > 0
    age = _age(ticks, last, first[0], first)
    missed = age / (max(device.reporting_interval_s, 1) * SECOND_US)
    if name == "offline_intervals":
        return missed
    if name == "stale_min":
        stale = _age(ticks, last[warm], first[0], first[warm]) if warm.any() else age
        told = np.where(missed < OFFLINE_AFTER_INTERVALS, stale, np.nan)
        return np.asarray(told / 60 / SECOND_US)
    gone = np.where(missed >= OFFLINE_AFTER_INTERVALS, age, np.where(age >= 0, 0, age))
    return np.asarray(gone / 60 / SECOND_US)


def _age(ticks: Ints, last: Ints, never: int, first: Ints | None = None) -> Floats:
    """Time since the newest of some times at each tick; NaN before ``never``.

    ``first``: from each of these to the ``last`` of the same place there is no age.
    """
    place = np.searchsorted(last, ticks, side="right") - 1
    age = (ticks - np.where(place >= 0, last[np.maximum(place, 0)], never)).astype(
        float
    )
    if first is not None:
        following = np.minimum(place + 1, len(first) - 1)
        within = (first[following] <= ticks) & (ticks <= last[following])
        age[within] = 0.0
    age[ticks < never] = np.nan
    return age


def _begins(
    name: str, part: pd.DataFrame, device: Device, first: Ints, last: Ints
) -> Ints:
    """The ends of the whole hours that end an age, in order; -1 = it never counts."""
    covered = _numbers(part, "covered_s", 0.0)
    joined = np.r_[False, covered[1:] >= np.diff(last) / SECOND_US - JITTER_S]
    if name in TANK_AGES:
        if device.type == "tankless":
            return np.array([-1])
        holds = _numbers(part, "temperature_c_min") >= TANK_AGES[name]
        seconds = counted_s(part)
    else:
        known = _numbers(part, "flow_lpm_n") > 0
        if not known.any():
            return np.array([-1])
        holds = known & (_numbers(part, "flow_lpm_max") <= 0.0)
        seconds = covered
    return np.asarray(np.r_[first[0], last[_whole(holds, joined, seconds)]])


def _whole(holds: Bools, joined: Bools, seconds: Floats) -> Bools:
    """The buckets at whose end a run has held for an hour."""
    run = np.cumsum(~(joined & holds & np.r_[False, holds[:-1]]))
    total = np.cumsum(np.where(holds, seconds, 0.0))
    starts = np.flatnonzero(np.r_[True, run[1:] != run[:-1]])
    before = np.r_[0.0, total[starts[1:] - 1]]
    held = total - np.repeat(before, np.diff(np.r_[starts, len(run)]))
    return np.asarray(holds & (held >= HOUR_S - JITTER_S))


def _flagged(part: pd.DataFrame, last: Ints, ticks: Ints) -> Floats:
    n = np.r_[0.0, np.cumsum(_numbers(part, "n"))]
    bad = np.r_[0.0, np.cumsum(_numbers(part, "flagged_n"))]
    until = np.searchsorted(last, ticks, side="right")
    since = np.searchsorted(last, ticks - DAY_US, side="right")
    with np.errstate(invalid="ignore", divide="ignore"):
        share = 100 * (bad[until] - bad[since]) / (n[until] - n[since])
    return np.asarray(np.where(np.isfinite(share), share, np.nan))


def _numbers(part: pd.DataFrame, name: str, missing: float = np.nan) -> Floats:
    return part[name].to_numpy("float64", na_value=missing)
