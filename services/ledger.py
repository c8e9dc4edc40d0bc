"""The Legionella and scald ledger of a heater: exposure counted, nothing promised.

It is a risk index from the one tank sensor a heater has, read with its gaps. It can
show that something asks for a look; it never shows that the water is free of germs.
The formulas are in ``services.ledger_sums`` and ``services.ledger_now``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import pandas as pd

from data.lake import Lake
from data.records import Device, Latest
from services.access import Principal, requires
from services.devices import Devices
from services.errors import InvalidInput
from services.ledger_hot import hot_hour, stretches
from services.ledger_now import Told, recovery_minutes, usable_litres
from services.ledger_sums import (
    LedgerSpan,
    inlet,
    last_hot_hour,
    present_still,
    summed_span,
)
from services.ledger_verdict import Reason, judged
from services.metrics import USAGE_BUCKET_S, Metrics, connectivity, gap_s
from services.quality import CLOCK_AHEAD
from services.windows import EARLIEST

DEFAULT_DAYS = (7, 30)
OLDER_HELD = timedelta(minutes=10)
MOST_HELD = 1_000
MOST_READINGS = 50_000
METRIC_NAMES = ("temperature_c", "flow_lpm", "inlet_temperature_c")
HOT_COLUMNS = ("n", "last_ts", "covered_s", "temperature_c_n", "temperature_c_min")
COLUMNS = (
    *HOT_COLUMNS,
    "temperature_c_sum",
    "temperature_c_max",
    "flow_lpm_n",
    "flow_lpm_max",
    "inlet_temperature_c_n",
    "inlet_temperature_c_sum",
)


@dataclass(frozen=True)
class LedgerView:
    """The ledger of one heater as it stands now.

    hot_hour_at: end of the newest whole hour at 60 °C or more in the stored history,
    ``None`` = never. still_s: present span without flow, ``None`` = not known.
    """

    now: datetime
    device: Device
    spans: tuple[LedgerSpan, ...]
    hot_hour_at: datetime | None
    still_s: float | None
    temperature_c: float | None
    inlet_c: float | None
    usable: Told
    recovery: Told
    verdict: str
    reasons: tuple[Reason, ...]


class Ledger:
    """Answers what a heater's water has been through."""

    def __init__(
        self,
        devices: Devices,
        metrics: Metrics,
        lake: Lake,
        clock: Callable[[], datetime],
    ) -> None:
        self._devices = devices
        self._metrics = metrics
        self._lake = lake
        self._clock = clock
        self._older: dict[str, tuple[datetime, datetime | None]] = {}

    def of(self, caller: Principal, device_id: str) -> LedgerView:
        """The ledger now, with the last 7 and 30 days.

        Raises:
            NotFound: no device has this id.
        """
        requires(caller, "device.read")
        device = self._devices.get(caller, device_id)
        now = self._clock()
        longest = now - timedelta(days=max(DEFAULT_DAYS))
        frame = self._quarters(device, longest, now + CLOCK_AHEAD)
        spans = tuple(
            self._span(frame, now - timedelta(days=days), now) for days in DEFAULT_DAYS
        )
        latest = self._metrics.latest([device_id]).get(device_id)
        hot_at = self._hot_hour(device, frame)
        hot_at = hot_at or self._older_hot_hour(device, longest, now)
        tank_c, target_c = _fresh(device, latest, now)
        inlet_c = inlet(frame, now)
        still_s = present_still(frame)
        if tank_c is None:
            still_s = None  # the newest reading is old: nobody knows what flows now
        verdict, reasons = judged(device, spans[0], hot_at, still_s, now)
        return LedgerView(
            now=now,
            device=device,
            spans=spans,
            hot_hour_at=hot_at,
            still_s=still_s,
            temperature_c=tank_c,
            inlet_c=inlet_c,
            usable=usable_litres(device, tank_c, inlet_c),
            recovery=recovery_minutes(device, tank_c, target_c, _power(latest, now)),
            verdict=verdict,
            reasons=reasons,
        )

    def span(
        self, caller: Principal, device_id: str, start: datetime, end: datetime
    ) -> LedgerSpan:
        """The ledger of a range, its start floored to a quarter hour.

        Raises:
            NotFound: no device has this id.
            InvalidInput: the range is empty.
        """
        requires(caller, "device.read")
        device = self._devices.get(caller, device_id)
        if end <= start:
            raise InvalidInput("The range ends before it begins.")
        frame = self._quarters(device, start, end)
        return self._span(frame, start, min(end, self._clock()))

    def _hot_hour(self, device: Device, frame: pd.DataFrame) -> datetime | None:
        known = last_hot_hour(frame)
        for start, end in stretches(frame, known):
            readings = self._lake.readings(device.id, start, end, MOST_READINGS)
            found = hot_hour(readings, gap_s(device.reporting_interval_s))
            if found is not None:
                return max(found, known) if known else found
        return known

    def _older_hot_hour(
        self, device: Device, before: datetime, now: datetime
    ) -> datetime | None:
        """The hot hour of all that is older; looked up now and then."""
        held = self._older.get(device.id)
        if held is None or not timedelta() <= now - held[0] < OLDER_HELD:
            if len(self._older) >= MOST_HELD:
                self._older.clear()
            frame = self._quarters(device, EARLIEST, before, HOT_COLUMNS)
            held = self._older[device.id] = now, last_hot_hour(frame)
        return held[1]

    def _quarters(
        self,
        device: Device,
        start: datetime,
        end: datetime,
        columns: tuple[str, ...] = COLUMNS,
    ) -> pd.DataFrame:
        names = [name for name in METRIC_NAMES if f"{name}_n" in columns]
        return self._metrics.series(
            [device], start, end, USAGE_BUCKET_S, names, only=columns
        )

    def _span(self, frame: pd.DataFrame, start: datetime, end: datetime) -> LedgerSpan:
        edge = pd.Timestamp(start).tz_convert(None).floor(f"{USAGE_BUCKET_S}s")
        return summed_span(frame[frame["ts"] >= edge], start, end)


def _fresh(
    device: Device, latest: Latest | None, now: datetime
) -> tuple[float | None, float | None]:
    """Tank and target temperature, if they are of now."""
    found: list[float | None] = []
    for name in ("temperature_c", "target_temperature_c"):
        held = latest.values.get(name) if latest else None
        state = connectivity(
            held.ts if held else None, device.reporting_interval_s, now
        )
        fresh = held is not None and state in {"online", "late"}
        found.append(float(held.value) if held is not None and fresh else None)
    return found[0], found[1]


def _power(latest: Latest | None, now: datetime) -> float | None:
    held = latest.values.get("power_w") if latest else None
    if held is None or now - held.ts > timedelta(minutes=10):
        return None
    return float(held.value)
