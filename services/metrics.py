"""One definition per number: every tab, export and endpoint asks here.

The totals come from the folded partials of ``data/partials.py``: a step counts
when it is no longer than the device's gap limit, and belongs to the later reading.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import pandas as pd

from data.hot_store import DeviceState, HotStore, from_us
from data.lake import Lake, floor
from data.records import METRICS, Device, Latest, LatestValue

USAGE_BUCKET_S = 900
"""Totals are summed from 15-minute buckets, so a range starts on a quarter hour."""
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


def gap_s(reporting_interval_s: int) -> float:
    """Two readings further apart than this have a gap between them, in seconds."""
    return float(max(SHORTEST_LATE_S, LATE_AFTER_INTERVALS * reporting_interval_s))


def connectivity(last: datetime | None, interval_s: int, now: datetime) -> str:
    """``online``, ``late``, ``offline`` or ``never``, from the age of the last reading."""
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
    ) -> pd.DataFrame:
        """Folded readings with ``used_kwh``, the energy used in each bucket.

        The frame is that of ``Lake.folded``; ``used_kwh`` comes from the meter of
        devices that have one, else from power over time.
        """
        gaps = {d.id: gap_s(d.reporting_interval_s) for d in devices}
        frame = self._lake.folded(gaps, start, end, bucket_s, metrics)
        metered = {i for i, s in self._hot.states(list(gaps)).items() if _metered(s)}
        on_meter = frame["device_id"].isin(list(metered))
        frame["used_kwh"] = frame["meter_kwh"].where(on_meter, frame["power_kwh"])
        return frame

    def usage(
        self, devices: Collection[Device], start: datetime, end: datetime
    ) -> dict[str, Usage]:
        """What each device did in ``[start, end)``, start floored to 15 minutes."""
        start = floor(start, USAGE_BUCKET_S)
        frame = self.series(
            devices, start, end, USAGE_BUCKET_S, ("flow_lpm", "power_w", "energy_kwh")
        )
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
