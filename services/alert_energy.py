"""Energy of a day against what the heater's own past leads to expect.

A plane is fitted to the days before: kWh = a + b * litres drawn + c * rise of the tank
temperature from the day's begin to its end. ``a`` is what the tank loses anyway, ``b``
what a litre costs, and ``c`` settles heat that was stored for the next day or taken
from the day before. A day counts as too much only above the one-sided 99 % prediction
interval, so a heater whose days vary is given more room. Days are whole 24 hours that
end at the last full hour.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from data.hot_store import to_us
from data.lake import Lake, floor
from services.alert_conditions import Bools, Floats, Ints
from services.alert_subjects import SECOND_US, Subjects

METRIC = "energy_excess_pct"
PAST_DAYS, LEAST_DAYS = 28, 14
CONFIDENCE = 0.99
COVERED = 0.9
"""A day counts when this much of it is covered by both meters."""
LOOKED_BACK = timedelta(days=PAST_DAYS + 2)
"""The newest day, those before, and one more to see what came before the first."""
METERS = ("energy_kwh", "flow_lpm", "temperature_c")
READ = (
    "n",
    "last_ts",
    "covered_s",
    "meter_kwh",
    "volume_l",
    "energy_kwh_n",
    "flow_lpm_n",
    "temperature_c_last",
)
DAY_H, DAY_S = 24, 86_400.0
HOUR_US = 3_600 * SECOND_US
UNKNOWN_S = 1e9
FLAT = 1e-9
CARRIED_H = 2
"""So long a tank temperature stands for hours without one."""
Days = tuple[Floats, Floats, Floats]
"""kWh, litres and rise in K of days; NaN = the day does not count."""


def excess_pct(kwh: Floats, litres: Floats, rise_k: Floats) -> Floats:
    """Percent by which each newest day is above what the days before predict.

    Ordinary least squares of n days on x = (litres, rise), both centred and scaled:
    y^ = mean(y) + x0'b with b = S^-1 X'y, S = X'X; s² = sum of squared residuals /
    (n - 3). The value is 100 (y0 - y^) / y^ where y0 > y^ + t(0.99, n - 3) s
    sqrt(1 + 1/n + x0'S^-1 x0), else 0. (Montgomery, Peck and Vining, Introduction to
    Linear Regression Analysis, 5th ed. 2012, section 3.5.)

    Args:
        kwh: (N, days) energy, the newest day last; NaN = the day does not count.
        litres: (N, days) water drawn.
        rise_k: (N, days) tank temperature at the end less that at the begin.

    Returns:
        (N,) percent; NaN with fewer than ``LEAST_DAYS`` days before, without a newest
        day or with more litres than on any day before, where litres or rise never
        differ or go hand in hand, and where no energy is expected.
    """
    given = np.stack([litres, rise_k], axis=-1)
    known = np.isfinite(kwh[:, :-1]) & np.isfinite(given[:, :-1]).all(axis=-1)
    count = known.sum(axis=1)
    n = np.where(count >= LEAST_DAYS, count, np.nan)
    x, x0 = _scaled(given, known, n)
    y = np.where(known, kwh[:, :-1], 0.0)
    mean = y.sum(axis=1) / n
    y = np.where(known, y - mean[:, None], 0.0)
    inverse = _inverse(np.einsum("nij,nik->njk", x, x), n)
    b = np.einsum("njk,nik,ni->nj", inverse, x, y)
    left = y - np.einsum("nij,nj->ni", x, b)
    s = np.sqrt((left**2).sum(axis=1) / (n - 3))
    expected = mean + (x0 * b).sum(axis=1)
    most = np.where(known, litres[:, :-1], 0.0).max(axis=1)
    told = (expected > FLAT) & (litres[:, -1] <= most)
    expected = np.where(told, expected, np.nan)
    apart = np.einsum("nj,njk,nk->n", x0, inverse, x0)
    room = stdtrit(n - 3, CONFIDENCE) * s * np.sqrt(1 + 1 / n + apart)
    over = kwh[:, -1] - expected
    return np.asarray(np.where(over <= room, 0.0, 100 * over / expected))


def _scaled(given: Floats, known: Bools, n: Floats) -> tuple[Floats, Floats]:
    """The days before, 0 where unknown, and the newest, in units of their spread."""
    seen = known[:, :, None]
    past = np.where(seen, given[:, :-1], 0.0)
    mean = (past.sum(axis=1) / n[:, None])[:, None]
    past = np.where(seen, past - mean, 0.0)
    spread = np.sqrt((past**2).sum(axis=1) / n[:, None])[:, None]
    spread = np.where(spread > FLAT * (1 + np.abs(mean)), spread, np.nan)
    newest = (given[:, -1:] - mean) / spread
    return np.where(seen, past / spread, 0.0), newest[:, 0]


def _inverse(squares: Floats, n: Floats) -> Floats:
    """Each matrix's inverse; NaN where there is none."""
    share = squares / n[:, None, None]
    good = np.isfinite(share).all(axis=(1, 2))
    share[~good] = 0.0
    good &= np.linalg.det(share) > FLAT
    share[~good] = np.eye(share.shape[1])
    inverse = np.linalg.inv(share) / n[:, None, None]
    inverse[~good] = np.nan
    return np.asarray(inverse)


def energy_excess(lake: Lake, gaps: dict[str, float], subjects: Subjects,
                  now: datetime) -> Floats:  # fmt: skip
    """The excess of every heater by place; one question to the lake."""
    end = floor(now, 3_600)
    start = end - LOOKED_BACK
    found = np.full(len(subjects), np.nan)
    frame = lake.folded(gaps, start, end, 3_600, METERS, only=READ)
    if frame.empty:
        return found
    at = subjects.at_each(frame["device_id"])
    places, rows = np.unique(at, return_inverse=True)
    hours = LOOKED_BACK // timedelta(hours=1)
    days = _days(frame, rows, len(places), to_us(start), hours)
    asked = slice(-1 - DAY_H * PAST_DAYS, None, DAY_H)
    found[places] = excess_pct(*(one[:, asked] for one in days))
    return found


def excess_at(part: pd.DataFrame, ticks: Ints) -> Floats:
    """The excess of one heater as it was known at each tick, from its buckets."""
    ts = _us(part, "ts")
    begin = int(ts[0] // HOUR_US * HOUR_US)
    ends = (ticks - begin) // HOUR_US
    asked, back = np.unique(ends, return_inverse=True)
    hours = max(int(asked[-1]), int((ts[-1] - begin) // HOUR_US) + 1, DAY_H)
    days = _days(part, np.zeros(len(part), np.int64), 1, begin, hours)
    columns = asked[:, None] - DAY_H * (1 + np.arange(PAST_DAYS, -1, -1))
    seen, place = columns >= 0, np.maximum(columns, 0)
    value = excess_pct(*(np.where(seen, one[0][place], np.nan) for one in days))
    return np.asarray(value[back])


def _days(frame: pd.DataFrame, at: Ints, size: int, begin_us: int, hours: int) -> Days:
    """The 24 hours from each hour on, each (size, hours - 23).

    NaN where less than ``COVERED`` is known. The meter runs on through a gap, so what
    is covered is held against the whole time back to the reading before.
    """
    metered = np.flatnonzero(_numbers(frame, "energy_kwh_n") > 0)
    frame, at = frame.iloc[metered], at[metered]
    reach = np.diff(_us(frame, "last_ts"), prepend=0) / SECOND_US
    reach[np.diff(at, prepend=-1) != 0] = UNKNOWN_S
    both = np.minimum(_numbers(frame, "energy_kwh_n"), _numbers(frame, "flow_lpm_n"))
    good = _numbers(frame, "covered_s") * both / np.maximum(_numbers(frame, "n"), 1)
    slot = at * hours + (_us(frame, "ts") - begin_us) // HOUR_US

    def summed(values: Floats) -> Floats:
        each = np.bincount(slot, values, size * hours).reshape(size, hours)
        total = np.cumsum(np.c_[np.zeros(size), each], axis=1)
        return np.asarray(total[:, DAY_H:] - total[:, :-DAY_H])

    tank = np.full(size * hours, np.nan)
    warm = frame["temperature_c_last"].to_numpy("float64", na_value=np.nan)
    tank[slot[~np.isnan(warm)]] = warm[~np.isnan(warm)]
    held = pd.DataFrame(tank.reshape(size, hours)).ffill(axis=1, limit=CARRIED_H)
    ends = np.c_[np.full(size, np.nan), held.to_numpy()]
    known = summed(good) >= COVERED * np.maximum(summed(reach), DAY_S)
    kwh = np.where(known, summed(_numbers(frame, "meter_kwh")), np.nan)
    return kwh, summed(_numbers(frame, "volume_l")), ends[:, DAY_H:] - ends[:, :-DAY_H]


def _us(frame: pd.DataFrame, name: str) -> Ints:
    return frame[name].to_numpy("datetime64[us]").astype("int64")


def _numbers(frame: pd.DataFrame, name: str) -> Floats:
    return frame[name].to_numpy("float64", na_value=0.0)
