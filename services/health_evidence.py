"""What the last day says about each device, gathered for all devices at once."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from data.records import Band, Device, Latest

WINDOW = timedelta(hours=24)
BUCKET_S = 3_600
METRICS = (
    "temperature_c",
    "outlet_temperature_c",
    "pressure_bar",
    "flow_lpm",
    "power_w",
    "voltage_v",
)
"""The metrics that health looks at."""
COLUMNS = (
    "n",
    "flagged_n",
    "mode_last",
    "covered_s",
    "heating_s",
    "power_kwh",
    "kept_s",
    "judged_s",
    *(f"{metric}_{kind}" for metric in METRICS for kind in ("n", "min", "max", "sum")),
)
"""What ``gather`` reads of each bucket."""
SCALD_C = 60.0
"""Water this hot burns skin within seconds: tapped unmixed it is dangerous."""
POWER_KNOWN = 0.95
"""An hour counts for the heating power when this share of its readings has it."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Breach:
    """A limit of a band that was passed: for how long, and how far.

    hours: hours with a reading beyond an alarm limit, or whose mean was outside
        the normal band. worst: the furthest such reading or mean.
    """

    limit: float
    hours: int
    worst: float


@dataclass(frozen=True)
class Evidence:
    """One device and its last 24 hours; ``None`` where nothing can be said.

    The window begins with the hour that was running 24 hours ago.

    kept, judged_s: share of the judged time with the tank no more than 5 K below
        target, and that time.
    heating_w: mean power while heating; heating_v the mean voltage of those hours.
    hottest_c: highest good tank temperature. hot_hours: hours whose mean was above
        ``SCALD_C``.
    breaches: by (metric, limit), limit a field name of ``Band``.
    """

    device: Device
    latest: Latest | None
    connectivity: str
    age_s: float | None
    readings: int
    flagged: int
    covered_s: float
    temperatures: int
    kept: float | None
    judged_s: float
    heating_s: float
    heating_w: float | None
    heating_v: float | None
    heating_measured_s: float
    hottest_c: float | None
    hot_hours: int
    ever_off: bool
    mode_known: bool
    breaches: Mapping[tuple[str, str], Breach]


def gather(
    devices: Sequence[Device],
    frame: pd.DataFrame,
    latest: Mapping[str, Latest],
    connectivity: Mapping[str, tuple[str, float | None]],
) -> list[Evidence]:
    """The evidence of each device, in the order of ``devices``.

    Args:
        devices: the devices to judge.
        frame: hourly buckets of ``Metrics.series`` with ``METRICS``.
        latest: the newest values by device.
        connectivity: state and age of the last reading in seconds by device.
    """
    place = {device.id: i for i, device in enumerate(devices)}
    codes = np.array([place[i] for i in frame["device_id"]], dtype=np.int64)
    days = _Days(frame, codes, len(devices))
    totals = {
        name: days.total(frame[name].to_numpy(float))
        for name in ("n", "flagged_n", "covered_s", "kept_s", "judged_s", "heating_s")
    }
    totals["temperatures"] = days.total(frame["temperature_c_n"].to_numpy(float))
    power_w, volts, measured_s = days.heating()
    hottest = days.highest(frame["temperature_c_max"].to_numpy(float))
    hot = days.total(days.mean("temperature_c") > SCALD_C)
    modes = frame["mode_last"].astype(object)
    off = days.total((modes == "off").to_numpy())
    known = days.total(modes.notna().to_numpy())
    breaches = days.breaches(devices)
    return [
        Evidence(
            device=device,
            latest=latest.get(device.id),
            connectivity=connectivity[device.id][0],
            age_s=connectivity[device.id][1],
            readings=int(totals["n"][i]),
            flagged=int(totals["flagged_n"][i]),
            covered_s=float(totals["covered_s"][i]),
            temperatures=int(totals["temperatures"][i]),
            kept=_share(totals["kept_s"][i], totals["judged_s"][i]),
            judged_s=float(totals["judged_s"][i]),
            heating_s=float(totals["heating_s"][i]),
            heating_w=_known(power_w[i]),
            heating_v=_known(volts[i]),
            heating_measured_s=float(measured_s[i]),
            hottest_c=_known(hottest[i]),
            hot_hours=int(hot[i]),
            ever_off=bool(off[i]),
            mode_known=bool(known[i]),
            breaches=breaches[i],
        )
        for i, device in enumerate(devices)
    ]


def _share(part: float, whole: float) -> float | None:
    return float(part / whole) if whole else None


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


class _Days:
    """Hourly buckets of many devices, folded to one number for each device."""

    def __init__(
        self, frame: pd.DataFrame, codes: npt.NDArray[np.int64], devices: int
    ) -> None:
        self._frame = frame
        self._codes = codes
        self._devices = devices

    def total(self, values: npt.NDArray[np.bool_] | Floats) -> Floats:
        """The sum of the hours of each device; a missing hour adds nothing."""
        numbers = np.nan_to_num(values.astype(float))
        found = np.bincount(self._codes, weights=numbers, minlength=self._devices)
        return found.astype(np.float64)

    def highest(self, values: Floats) -> Floats:
        """The highest hour of each device, NaN where there is none."""
        found = np.full(self._devices, -np.inf)
        np.maximum.at(found, self._codes, np.nan_to_num(values, nan=-np.inf))
        found[np.isinf(found)] = np.nan
        return found

    def mean(self, metric: str) -> Floats:
        """The mean of each hour; NaN without a good value."""
        count = self._frame[f"{metric}_n"].to_numpy(float)
        total = self._frame[f"{metric}_sum"].to_numpy(float)
        out = np.full(len(count), np.nan)
        found: Floats = np.divide(total, count, out=out, where=count > 0)
        return found

    def heating(self) -> tuple[Floats, Floats, Floats]:
        """Mean power while heating, mean voltage then, and that time in seconds.

        Hours in which some readings lack power are left out: a missing value
        must not read as a weak element.
        """
        count = self._frame["n"].to_numpy(float)
        powered = self._frame["power_w_n"].to_numpy(float)
        heated_s = self._frame["heating_s"].to_numpy(float)
        use = (heated_s > 0) & (powered >= POWER_KNOWN * count)
        heated_s = np.where(use, heated_s, 0.0)
        total_s = self.total(heated_s)
        joules = self.total(
            np.where(use, self._frame["power_kwh"].to_numpy(float), 0.0) * 3.6e6
        )
        volts = self.mean("voltage_v")
        with_volts = np.where(np.isfinite(volts), heated_s, 0.0)
        with np.errstate(invalid="ignore", divide="ignore"):
            power_w = joules / total_s
            mean_v = self.total(volts * with_volts) / self.total(with_volts)
        return power_w, mean_v, total_s

    def breaches(
        self, devices: Collection[Device]
    ) -> list[dict[tuple[str, str], Breach]]:
        """The limits that each device has passed."""
        found: list[dict[tuple[str, str], Breach]] = [{} for _ in devices]
        mode_off = (self._frame["mode_last"].astype(object) == "off").to_numpy()
        for metric in METRICS:
            bands = [device.bands.get(metric) for device in devices]
            for limit, side, column in _LIMITS:
                values = (
                    self.mean(metric)
                    if column == "mean"
                    else self._frame[f"{metric}_{column}"].to_numpy(float)
                )
                if metric.endswith("temperature_c") and side < 0:
                    # A heater that is switched off may be as cold as it likes.
                    values = np.where(mode_off, np.nan, values)
                self._collect(found, bands, (metric, limit), side * values, side)
        return found

    def _collect(
        self,
        found: list[dict[tuple[str, str], Breach]],
        bands: Sequence[Band | None],
        key: tuple[str, str],
        signed: Floats,
        side: int,
    ) -> None:
        stated = [None if band is None else getattr(band, key[1]) for band in bands]
        if all(value is None for value in stated):
            return
        limits = np.array([np.nan if v is None else v for v in stated], dtype=float)
        beyond = signed > side * limits[self._codes]
        hours = self.total(beyond)
        worst = self.highest(np.where(beyond, signed, np.nan))
        for i in np.flatnonzero(hours):
            found[i][key] = Breach(
                float(limits[i]), int(hours[i]), float(side * worst[i])
            )


_LIMITS: tuple[tuple[str, int, str], ...] = (
    ("alarm_high", 1, "max"),
    ("alarm_low", -1, "min"),
    ("normal_high", 1, "mean"),
    ("normal_low", -1, "mean"),
)
"""Limit, side, and what of an hour is compared with it."""
