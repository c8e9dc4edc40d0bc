"""Which values of a reading are not to be trusted, and why.

A flagged value is stored and never plotted, averaged or fed to a model. The rules
use physics and the device's own last readings, not fleet-wide habits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from data.hot_store import DeviceState, to_us
from data.records import METRICS, quality_bit

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

POSSIBLE: Mapping[str, tuple[float, float]] = {
    "temperature_c": (-10.0, 110.0),
    "target_temperature_c": (0.0, 99.0),
    "inlet_temperature_c": (-5.0, 60.0),
    "outlet_temperature_c": (-10.0, 110.0),
    "ambient_temperature_c": (-50.0, 70.0),
    "pressure_bar": (-0.5, 25.0),
    "flow_lpm": (0.0, 500.0),
    "power_w": (-50.0, 150_000.0),
    "energy_kwh": (0.0, 1e8),
    "voltage_v": (0.0, 600.0),
}
"""What a working sensor on any water heater can say; a relief valve opens at 99 °C
and 10.3 bar, so nothing above these limits is water in a closed tank."""

FAULT_CODES = (
    888.8, 888.0, 999.9, 999.0, 9999.0, -99.9, -100.0, -127.0, -888.8, -999.0, -999.9,
    -9999.0, 32767.0, -32768.0, 65535.0,
)  # fmt: skip
"""Numbers that loggers and sensor chips write for "no value" (-127: DS18B20)."""

OTHER_UNIT: Mapping[str, Callable[[Floats], Floats]] = {
    "temperature_c": lambda x: (x - 32) / 1.8,
    "target_temperature_c": lambda x: (x - 32) / 1.8,
    "outlet_temperature_c": lambda x: (x - 32) / 1.8,
    "pressure_bar": lambda x: x * 0.0689476,
}
"""What an impossible value would be if it were °F or psi."""
LIKELY = {"pressure_bar": (0.5, 12.0)}
LIKELY_TEMPERATURE_C = (30.0, 99.0)

CLOCK_AHEAD = timedelta(seconds=60)
SPIKE_K = 25.0
SPIKE_WITHIN_S = 600.0
METER_MAX_W = 150_000.0
METER_SLACK_KWH = 1.0
STUCK_AFTER_S = 6 * 3600.0
STUCK_HEATED_S = 3600.0
STUCK_STEP_S = 900.0
HEATING_POWER_W = 100.0
CHECKED = ("ts_us", "temperature_c", "energy_kwh", "power_w", "heating")
"""Columns whose values are compared with the device's own last ones."""
Part = Mapping[str, npt.NDArray[Any]]


def flags(
    frame: pd.DataFrame, states: Mapping[str, DeviceState], now: datetime
) -> npt.NDArray[np.int64]:
    """Quality bits per row of ``frame``.

    Args:
        frame: readings sorted by device and time, with ``device_id``, ``ts_us``,
            all of ``METRICS`` as floats and ``heating`` as objects.
        states: what is known of each device; updated with what the next batch
            needs to go on.
        now: the server's time.
    """
    quality = np.zeros(len(frame), dtype=np.int64)
    for metric in METRICS:
        _flag_impossible(frame[metric].to_numpy(float), metric, quality)
    ahead = frame["ts_us"].to_numpy() > to_us(now + CLOCK_AHEAD)
    if ahead.any():
        for metric in METRICS:
            present = ahead & frame[metric].notna().to_numpy()
            quality[present] |= quality_bit(metric, "clock")
    # Arrays once, then slices: a slice of a frame costs a hundred times as much, and
    # a batch may hold a reading each of a thousand devices.
    columns = {name: frame[name].to_numpy() for name in CHECKED}
    for device_id, rows in _device_slices(frame["device_id"].to_numpy()):
        part = {name: values[rows] for name, values in columns.items()}
        state = states.get(device_id)
        _flag_spikes(part, "temperature_c", state, quality[rows])
        _flag_spikes(part, "energy_kwh", state, quality[rows])
        _flag_stuck(part, state, quality[rows])
    return quality


def _device_slices(ids: npt.NDArray[Any]) -> list[tuple[str, slice]]:
    if len(ids) == 0:
        return []
    starts = np.flatnonzero(np.r_[True, ids[1:] != ids[:-1]])
    ends = np.r_[starts[1:], len(ids)]
    return [
        (str(ids[start]), slice(int(start), int(end)))
        for start, end in zip(starts, ends, strict=True)
    ]


def _flag_impossible(
    values: Floats, metric: str, quality: npt.NDArray[np.int64]
) -> None:
    low, high = POSSIBLE[metric]
    bad = (values < low) | (values > high)
    if not bad.any():
        return
    code = bad & np.isclose(values[:, None], FAULT_CODES, rtol=0, atol=1e-6).any(axis=1)
    doubt = np.zeros_like(bad)
    if metric in OTHER_UNIT:
        other = OTHER_UNIT[metric](values)
        likely_low, likely_high = LIKELY.get(metric, LIKELY_TEMPERATURE_C)
        doubt = bad & ~code & (other >= likely_low) & (other <= likely_high)
    quality[code] |= quality_bit(metric, "fault_code")
    quality[doubt] |= quality_bit(metric, "unit_doubt")
    quality[bad & ~code & ~doubt] |= quality_bit(metric, "range")


def _too_far(metric: str, change: Floats, seconds: Floats) -> Bools:
    if metric == "energy_kwh":
        most = METER_MAX_W * seconds / 3.6e6 + METER_SLACK_KWH
        return np.asarray(change > most)
    return np.asarray((np.abs(change) > SPIKE_K) & (seconds <= SPIKE_WITHIN_S))


def _flag_spikes(
    part: Part,
    metric: str,
    state: DeviceState | None,
    quality: npt.NDArray[np.int64],
) -> None:
    """Flag a value far from both the last reading and the last good one.

    A second reading that agrees with the first far one is believed, so a real
    change loses one reading and no more.
    """
    values = part[metric]
    times = part["ts_us"] / 1e6
    usable = ~np.isnan(values) & (quality == 0)
    index = np.flatnonzero(usable)
    last = state.checks.get(f"last_{metric}") if state else None
    good = state.good.get(metric) if state else None
    if len(index) == 0:
        return
    x, t = values[index], times[index]
    before_x, before_t = np.r_[np.nan, x[:-1]], np.r_[np.nan, t[:-1]]
    if last is not None and last[1] / 1e6 < t[0]:
        before_x[0], before_t[0] = last[0], last[1] / 1e6
    with np.errstate(invalid="ignore"):
        candidates = np.flatnonzero(_too_far(metric, x - before_x, t - before_t))
    spiked = np.zeros(len(x), dtype=bool)
    for i in candidates:
        trusted = np.flatnonzero(~spiked[:i])
        if len(trusted):
            base = (x[trusted[-1]], t[trusted[-1]])
        elif good is not None:
            base = (good[0], good[1] / 1e6)
        else:
            continue
        step = np.array([x[i] - base[0]]), np.array([t[i] - base[1]])
        spiked[i] = bool(_too_far(metric, *step)[0])
    quality[index[spiked]] |= quality_bit(metric, "spike")
    if state is not None and (last is None or last[1] / 1e6 < t[-1]):
        state.checks[f"last_{metric}"] = [float(x[-1]), int(t[-1] * 1e6)]


def _flag_stuck(
    part: Part, state: DeviceState | None, quality: npt.NDArray[np.int64]
) -> None:
    """Flag a tank temperature that has not moved through an hour of heating."""
    values = part["temperature_c"]
    index = np.flatnonzero(~np.isnan(values))
    if len(index) == 0:
        return
    x = values[index]
    t = part["ts_us"][index] / 1e6
    heats = _heats(part)[index]
    step = np.diff(t, prepend=t[0])
    heated = np.cumsum(np.where(heats & (step <= STUCK_STEP_S), step, 0.0))
    since, heated_before = t.copy(), heated.copy()
    starts = np.flatnonzero(np.r_[True, x[1:] != x[:-1]])
    run = np.cumsum(np.r_[True, x[1:] != x[:-1]]) - 1
    since, heated_before = t[starts][run], heated[starts][run]
    known = state.checks.get("same") if state else None
    if known is not None and known[0] == x[0] and known[1] <= t[0]:
        first = run == 0
        since[first] = known[1]
        heated_before[first] -= known[2]
    stuck = (t - since >= STUCK_AFTER_S) & (heated - heated_before >= STUCK_HEATED_S)
    quality[index[stuck]] |= quality_bit("temperature_c", "stuck")
    if state is not None and t[-1] * 1e6 > state.ts_us:
        held = float(heated[-1] - heated_before[-1])
        state.checks["same"] = [float(x[-1]), float(since[-1]), held]


def _heats(part: Part) -> Bools:
    """Whether each reading says that it heats, or draws the power of heating."""
    heating = part["heating"]
    powered = np.nan_to_num(part["power_w"]) >= HEATING_POWER_W
    unsaid = heating == None  # noqa: E711 - element by element
    return np.asarray(np.where(unsaid, powered, heating == True))  # noqa: E712
