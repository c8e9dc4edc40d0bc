"""One definition per number: every tab, export and endpoint asks here.

The totals come from the folded partials of ``data/partials.py``: a step counts
when it is no longer than the device's gap limit, and belongs to the later reading.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from data.hot_store import DeviceState, HotStore, from_us
from data.lake import Lake, floor, naive
from data.partials import TOTALS
from data.records import METRICS, Device, Latest, LatestValue

Numbers = npt.NDArray[np.float64]
USAGE_BUCKET_S = 900
"""Totals are summed from 15-minute buckets, so a range starts on a quarter hour."""
USAGE_COLUMNS = (
    "n",
    "flow_lpm_n",
    "power_w_n",
    "energy_kwh_n",
    "start_last",
    *TOTALS,
)
"""What ``summed`` reads of each bucket."""
LATE_AFTER_INTERVALS = 3
OFFLINE_AFTER_INTERVALS = 10
SHORTEST_LATE_S = 180
SHORTEST_OFFLINE_S = 600


@dataclass(frozen=True)
class Usage:
    """What a heater did in a time range; ``None`` where nothing can be said.

    energy_kwh: from the meter, or from power over time on devices without one.
    uptime: share of the range covered by readings, 0..1.
    kept: share of the judged time with the tank no more than 5 K below target.
    cycles: how often heating began.
    """

    start: datetime
    end: datetime
    readings: int
    energy_kwh: float | None
    volume_l: float | None
    heating_s: float | None
    cycles: int | None
    uptime: float
    kept: float | None


@dataclass(frozen=True)
class Spread:
    """Lowest, mean and highest of the good values of one metric; ``n`` of them."""

    low: float | None
    mean: float | None
    high: float | None
    n: int


NOTHING = Spread(None, None, None, 0)


@dataclass(frozen=True)
class Period:
    """One hour or day of a heater: energy used and the spread of temperature.

    ``energy_kwh`` is ``None`` when no reading of the period says anything of it.
    """

    start: datetime
    end: datetime
    energy_kwh: float | None
    temperature_c: Spread


def gap_s(reporting_interval_s: int) -> float:
    """Two readings further apart than this have a gap between them, in seconds."""
    return float(max(SHORTEST_LATE_S, LATE_AFTER_INTERVALS * reporting_interval_s))


def connectivity(last: datetime | None, interval_s: int, now: datetime) -> str:
    """``online``, ``late``, ``offline`` or ``never``, by the last reading's age."""
    if last is None:
        return "never"
    age_s = (now - last).total_seconds()
    if age_s <= max(SHORTEST_LATE_S, LATE_AFTER_INTERVALS * interval_s):
        return "online"
    if age_s <= max(SHORTEST_OFFLINE_S, OFFLINE_AFTER_INTERVALS * interval_s):
        return "late"
    return "offline"


def latest_of(device_id: str, state: DeviceState) -> Latest:
    """The newest reading of a device with the newest good value of each metric."""
    return Latest(
        device_id=device_id,
        ts=from_us(state.ts_us),
        received_at=from_us(state.received_us),
        quality=state.quality,
        values=_values(state.good),
        flagged=_values(state.flagged),
    )


def _values(held: Mapping[str, list[object]]) -> dict[str, LatestValue]:
    return {
        name: LatestValue(value, from_us(int(ts)))  # type: ignore[arg-type,call-overload]
        for name, (value, ts) in held.items()
    }


class Metrics:
    """Folds the readings of devices into the numbers of the product."""

    def __init__(
        self, lake: Lake, hot: HotStore, clock: Callable[[], datetime]
    ) -> None:
        self._lake = lake
        self._hot = hot
        self._clock = clock

    def latest(self, device_ids: Sequence[str] | None = None) -> dict[str, Latest]:
        """What is known now of each device named, or of all; silent ones are absent."""
        states = self._hot.states(device_ids)
        return {i: latest_of(i, s) for i, s in states.items() if s.ts_us >= 0}

    def series(
        self,
        devices: Collection[Device],
        start: datetime,
        end: datetime,
        bucket_s: int,
        metrics: Sequence[str] = METRICS,
        *,
        only: Collection[str] | None = None,
    ) -> pd.DataFrame:
        """Folded readings with ``used_kwh``, the energy used in each bucket.

        The frame is that of ``Lake.folded``; ``used_kwh`` comes from the meter of
        devices that have one, else from power over time. ``only`` names the
        columns wanted, without which ``used_kwh`` is absent as well.
        """
        gaps = {d.id: gap_s(d.reporting_interval_s) for d in devices}
        frame = self._lake.folded(gaps, start, end, bucket_s, metrics, only=only)
        if "meter_kwh" not in frame:
            return frame
        metered = {i for i, s in self._hot.states(list(gaps)).items() if _metered(s)}
        on_meter = frame["device_id"].isin(list(metered))
        frame["used_kwh"] = frame["meter_kwh"].where(on_meter, frame["power_kwh"])
        return frame

    def flagged(self, device_id: str, start: datetime, end: datetime) -> pd.DataFrame:
        """The readings with a flagged value: ``ts``, ``quality`` and every metric."""
        return self._lake.flagged(device_id, start, end)

    def quarters(
        self,
        devices: Collection[Device],
        start: datetime,
        end: datetime,
        metrics: Sequence[str] = (),
        only: Collection[str] = (),
    ) -> pd.DataFrame:
        """``series`` in the 15-minute buckets that ``summed`` and ``periods`` take.

        ``only`` names columns wanted besides ``USAGE_COLUMNS``.
        """
        names = tuple(dict.fromkeys((*metrics, "flow_lpm", "power_w", "energy_kwh")))
        wanted = {*USAGE_COLUMNS, *only}
        return self.series(devices, start, end, USAGE_BUCKET_S, names, only=wanted)

    def usage(
        self, devices: Collection[Device], start: datetime, end: datetime
    ) -> dict[str, Usage]:
        """What each device did in ``[start, end)``, start floored to 15 minutes."""
        start = floor(start, USAGE_BUCKET_S)
        frame = self.quarters(devices, start, end)
        parts = dict(list(frame.groupby("device_id")))
        known = min(end, self._clock())
        return {
            d.id: summed(parts.get(d.id, frame.iloc[:0]), start, end, known)
            for d in devices
        }


def _metered(state: DeviceState) -> bool:
    return "energy_kwh" in state.good


def summed(
    frame: pd.DataFrame, start: datetime, end: datetime, known_until: datetime
) -> Usage:
    """The usage of one device from its buckets; the future is not counted as down."""
    total_s = max((known_until - start) / timedelta(seconds=1), 0.0)
    readings = int(frame["n"].sum())
    judged_s = float(frame["judged_s"].sum())
    powered = int(frame["power_w_n"].sum() + frame["energy_kwh_n"].sum())
    heats = bool(frame["start_last"].notna().any())
    covered_s = float(frame["covered_s"].sum())
    return Usage(
        start=start,
        end=end,
        readings=readings,
        energy_kwh=float(frame["used_kwh"].sum()) if powered else None,
        volume_l=float(frame["volume_l"].sum()) if frame["flow_lpm_n"].sum() else None,
        heating_s=float(frame["heating_s"].sum()) if heats else None,
        cycles=int(frame["starts"].sum()) if heats else None,
        uptime=min(covered_s / total_s, 1.0) if total_s else 0.0,
        kept=float(frame["kept_s"].sum()) / judged_s if judged_s else None,
    )


def spread(frame: pd.DataFrame, metric: str) -> Spread:
    """The spread of a metric over buckets; every good reading weighs the same."""
    n = int(frame[f"{metric}_n"].sum())
    if n == 0:
        return NOTHING
    return Spread(
        low=float(frame[f"{metric}_min"].min()),
        mean=float(frame[f"{metric}_sum"].sum()) / n,
        high=float(frame[f"{metric}_max"].max()),
        n=n,
    )


def periods(frame: pd.DataFrame, edges: Sequence[datetime]) -> tuple[Period, ...]:
    """What one device did between each edge and the next.

    Args:
        frame: its quarters, with ``temperature_c``.
        edges: aware times on quarter hours, ascending.
    """
    count = len(edges) - 1
    bounds = np.array([naive(edge) for edge in edges], dtype="datetime64[us]")
    slots = np.searchsorted(bounds, frame["ts"].to_numpy("datetime64[us]"), "right") - 1
    part, slots = frame[slots < count], slots[slots < count]

    def total(name: str) -> Numbers:
        weights = part[name].to_numpy("float64", na_value=0.0)
        return np.bincount(slots, weights, minlength=count).astype("float64")

    low, high = np.full(count, np.inf), np.full(count, -np.inf)
    np.fmin.at(low, slots, part["temperature_c_min"].to_numpy("float64"))
    np.fmax.at(high, slots, part["temperature_c_max"].to_numpy("float64"))
    powered = total("power_w_n") + total("energy_kwh_n")
    used, warm = total("used_kwh"), total("temperature_c_sum")
    n = total("temperature_c_n")
    return tuple(
        Period(
            edges[i],
            edges[i + 1],
            float(used[i]) if powered[i] else None,
            Spread(float(low[i]), float(warm[i] / n[i]), float(high[i]), int(n[i]))
            if n[i]
            else NOTHING,
        )
        for i in range(count)
    )
