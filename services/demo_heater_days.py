"""The days of the simulated heaters as features, labels and models of them.

A day is a UTC day; everything comes from the daily roll-ups of the readings, as for
any heater. The prediction of a day is made when it is over, so its time is the next
midnight.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta

import numpy as np
import pandas as pd

from data.device_store import DeviceStore
from data.records import Device, LabelledFault
from services.metrics import Metrics

DAY = timedelta(days=1)
DAY_S = 86_400
MOST_SILENT = 0.1
"""Share of the heaters that may be silent when a day is over."""
SETTLES = timedelta(minutes=10)
COVERED = 0.5
"""Share of a day with readings from which it is judged."""
WEEK = 7
FOLDED = (
    "temperature_c", "target_temperature_c", "inlet_temperature_c",
    "ambient_temperature_c", "power_w", "energy_kwh",
)  # fmt: skip
TOTALS = (
    "covered_s", "heating_s", "starts", "meter_kwh", "power_kwh", "volume_l", "kept_s",
    "judged_s", "mode_last",
)  # fmt: skip


class HeaterDays:
    """The days of the simulated heaters, read once for all models that ask.

    Args:
        metrics: the roll-ups.
        store: devices and labelled faults.
        waits: whether readings wait that the roll-ups do not hold yet.
    """

    def __init__(
        self, metrics: Metrics, store: DeviceStore, waits: Callable[[], bool]
    ) -> None:
        self._metrics = metrics
        self._store = store
        self._waits = waits
        self._held: tuple[date, date, pd.DataFrame] | None = None

    def forget(self) -> None:
        """Let go of what was read."""
        self._held = None

    def over(self) -> date | None:
        """The day before which all days are over, by the heaters' own readings.

        ``None`` where nothing was read, or readings are still on their way.
        """
        latest = self._metrics.latest([d.id for d in self._devices()])
        times = sorted(one.ts for one in latest.values())
        if not times or self._waits():
            return None
        return (times[int(MOST_SILENT * len(times))] - SETTLES).date()

    def rows(self, first: date, until: date) -> pd.DataFrame:
        """``heater_days`` of ``[first, until)``."""
        held = self._held
        if held is None or first < held[0] or until > held[1]:
            found = heater_days(self._metrics, self._devices(), first, until)
            self._held = held = first, until, found
        days = held[2]["day"]
        chosen = (days >= np.datetime64(first)) & (days < np.datetime64(until))
        return held[2][chosen].reset_index(drop=True)

    def faults(self) -> list[LabelledFault]:
        """The faults known to have been present."""
        return self._store.labelled_faults()

    def _devices(self) -> list[Device]:
        return [device for device in self._store.all() if device.simulated]


def heater_days(
    metrics: Metrics, devices: Sequence[Device], first: date, until: date
) -> pd.DataFrame:
    """One row for each heater and day of ``[first, until)`` with enough readings."""
    # A week before, for the mean of the last seven days.
    start = _midnight(first - (WEEK - 1) * DAY)
    kinds = ("n", "sum", "min", "last")
    only = {*TOTALS, *(f"{name}_{kind}" for name in FOLDED for kind in kinds)}
    frame = metrics.series(devices, start, _midnight(until), DAY_S, FOLDED, only=only)
    known = pd.DataFrame([_facts(device) for device in devices])
    frame = frame.merge(known, on="device_id") if len(frame) else frame
    days = _features(frame) if len(frame) else frame
    if not len(days):
        return pd.DataFrame({"day": pd.DatetimeIndex([]), "device_id": []})
    return days[days["day"] >= np.datetime64(first)].reset_index(drop=True)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _facts(device: Device) -> dict[str, object]:
    return {
        "device_id": device.id,
        "type": device.type,
        "capacity_l": device.capacity_l,
        "rated_power_w": device.rated_power_w,
        "installed_on": np.datetime64(device.installed_on or "NaT", "D"),
    }


def _features(frame: pd.DataFrame) -> pd.DataFrame:
    """Physical quantities of each heater and day, from its folded readings."""
    f = frame[frame["covered_s"] >= COVERED * DAY_S].copy()
    mean = {m: _over(f[f"{m}_sum"], f[f"{m}_n"]) for m in FOLDED[:4]}
    f["day"] = f["ts"].to_numpy("datetime64[D]").astype("datetime64[us]")
    f["temperature_mean_c"] = mean["temperature_c"]
    f["temperature_min_c"] = f["temperature_c_min"]
    f["target_temperature_c"] = f["target_temperature_c_last"]
    f["deficit_k"] = mean["target_temperature_c"] - mean["temperature_c"]
    f["kept_share"] = _over(f["kept_s"], f["judged_s"])
    f["heating_h"] = f["heating_s"] / 3_600
    f["energy_kwh"] = f["used_kwh"]
    f["drawn_l"] = f["volume_l"]
    f["energy_wh_per_l"] = _over(1_000 * f["used_kwh"], f["volume_l"])
    rated_kwh = f["heating_h"] * f["rated_power_w"] / 1_000
    f["heating_power_share"] = _over(f["power_kwh"], rated_kwh)
    f["ambient_temperature_c"] = mean["ambient_temperature_c"]
    f["age_years"] = (f["ts"] - f["installed_on"]).dt.days / 365.25
    f["mode"] = f["mode_last"]
    f = f.sort_values(["device_id", "day"])
    week = f.groupby("device_id")["energy_kwh"].rolling(WEEK, min_periods=1).mean()
    f["energy_week_kwh"] = week.to_numpy()
    used = f.set_index(["device_id", "day"])["energy_kwh"]
    # The day after the one at hand has the weekday of six days before it.
    ago = pd.MultiIndex.from_arrays([f["device_id"], f["day"] - (WEEK - 1) * DAY])
    f["energy_week_ago_kwh"] = used.reindex(ago).to_numpy()
    return f.sort_values(["day", "device_id"])


def _over(part: pd.Series, whole: pd.Series) -> pd.Series:
    return part.where(whole > 0) / whole.where(whole > 0)
