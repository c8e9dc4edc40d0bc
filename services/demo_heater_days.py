"""The days of the simulated heaters as features, labels and models of them.

A day is a UTC day; everything comes from the daily roll-ups of the readings, as for
any heater. The prediction of a day is made when it is over, so its time is the next
midnight.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import numpy as np
import pandas as pd

from data.model_records import ModelSpec
from data.records import Device, LabelledFault
from services.demo_specs import DAILY_ENERGY, ELEMENT_FAILURE
from services.metrics import Metrics

DAY = timedelta(days=1)
DAY_S = 86_400
LEAST_TRAINING_DAYS = 45
REFERENCE_DAYS = 14
LEAST_LOGGED_DAYS = 7
LEAST_FAULTY_DAYS = 30
"""Heater-days with a fault that must be known before a model is trained on them."""
FAULT_WITHIN_DAYS = 7
COVERED, WHOLE = 0.5, 0.95
"""Share of a day with readings from which it is judged, and from which its energy
counts as measured."""
ELEMENT_FAULTS = frozenset({"element_open", "element_weak"})
WEEK = 7
FOLDED = (
    "temperature_c", "target_temperature_c", "inlet_temperature_c",
    "ambient_temperature_c", "power_w", "energy_kwh",
)  # fmt: skip
TOTALS = (
    "covered_s", "heating_s", "starts", "meter_kwh", "power_kwh", "volume_l", "kept_s",
    "judged_s", "mode_last",
)  # fmt: skip
WEEKDAYS = np.array(["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"], dtype=object)


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
        return pd.DataFrame({"day": [], "device_id": []})
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
    f["weekday"] = WEEKDAYS[((f["ts"] + DAY).dt.weekday).to_numpy()]
    f = f.sort_values(["device_id", "day"])
    week = f.groupby("device_id")["energy_kwh"].rolling(WEEK, min_periods=1).mean()
    f["energy_week_kwh"] = week.to_numpy()
    return f.sort_values(["day", "device_id"])


def _over(part: pd.Series, whole: pd.Series) -> pd.Series:
    return part.where(whole > 0) / whole.where(whole > 0)


Labelled = Callable[[pd.DataFrame, Sequence[LabelledFault]], pd.Series]


def element_fault(days: pd.DataFrame, faults: Sequence[LabelledFault]) -> pd.Series:
    """``fault`` where an element is faulty at the end of the day or within a week."""
    made = days["day"] + DAY
    found = np.zeros(len(days), dtype=bool)
    for fault in faults:
        if fault.family not in ELEMENT_FAULTS:
            continue
        begun = made + FAULT_WITHIN_DAYS * DAY > _naive(fault.started_at)
        lasts = fault.ended_at is None or made < _naive(fault.ended_at)
        found |= ((days["device_id"] == fault.device_id) & begun & lasts).to_numpy()
    return pd.Series(np.where(found, "fault", "healthy"), index=days.index)


def next_day_energy(days: pd.DataFrame, _faults: Sequence[LabelledFault]) -> pd.Series:
    """Energy of the day after in kWh; none where its readings have gaps."""
    whole = days[days["covered_s"] >= WHOLE * DAY_S]
    used = whole.set_index(["device_id", "day"])["used_kwh"]
    next_days = pd.MultiIndex.from_arrays([days["device_id"], days["day"] + DAY])
    return pd.Series(used.reindex(next_days).to_numpy(), index=days.index)


def _naive(moment: datetime) -> np.datetime64:
    return np.datetime64(moment.astimezone(UTC).replace(tzinfo=None), "us")


@dataclass(frozen=True)
class DayModel:
    """A model of heater-days. known_after_days: from prediction to label."""

    spec: ModelSpec
    label: Labelled
    known_after_days: int
    rare: str | None = None


DAY_MODELS: tuple[DayModel, ...] = (
    DayModel(ELEMENT_FAILURE, element_fault, FAULT_WITHIN_DAYS, rare="fault"),
    DayModel(DAILY_ENERGY, next_day_energy, 1),
)
