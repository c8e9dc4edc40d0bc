"""What a water heater did in a time range: the History tab and its export."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from data.device_store import DeviceStore
from data.lake import Lake, floor
from data.records import Device
from services import series, windows
from services.access import Principal, requires
from services.buckets import Numbers, Times, bucket_for, coarser, grid, laid_out, means
from services.devices import Devices
from services.event_marks import MARKED_EVENTS, EventMark, marks
from services.metrics import (
    USAGE_BUCKET_S,
    Metrics,
    Period,
    Spread,
    Usage,
    periods,
    spread,
    summed,
)
from services.series import SeriesQuery, SeriesView
from services.windows import Window
from settings import Settings

DRAWN = ("temperature_c", "target_temperature_c", "pressure_bar", "flow_lpm")
LINES: tuple[str, ...] = (
    "temperature_c_min",
    "temperature_c_mean",
    "temperature_c_max",
    "target_temperature_c",
    "pressure_bar_min",
    "pressure_bar_mean",
    "pressure_bar_max",
    "flow_lpm_mean",
    "flow_lpm_max",
)
"""The series of a stretch: metric and which value of its bucket."""
FOLDS: Mapping[str, str] = {
    "n": "sum",
    "flagged_n": "sum",
    "target_temperature_c_last": "last",
    **{
        f"{metric}_{part}": part if part in {"min", "max"} else "sum"
        for metric in ("temperature_c", "pressure_bar", "flow_lpm")
        for part in ("n", "min", "max", "sum")
    },
}
"""The columns the series are made of, and how they fold into wider buckets."""
HOURLY_UPTO = timedelta(days=3)
"""Energy is summed by the hour up to here, by the local day beyond."""


@dataclass(frozen=True, eq=False)
class Stretch:
    """What one time range held, in stored units.

    times: starts of the buckets, naive UTC, without a hole.
    lines: the series of ``LINES`` on ``times``; NaN where there was no reading.
    periods: hours or local days, the first and last cut to the range.
    flagged: readings with a value that is not trusted, out of ``usage.readings``.
    marks: the newest ``MARKED_EVENTS`` of ``event_count`` events.
    """

    window: Window
    times: Times
    lines: Mapping[str, Numbers]
    periods: tuple[Period, ...]
    usage: Usage
    temperature: Spread
    flagged: int
    marks: tuple[EventMark, ...]
    event_count: int

    @property
    def drawable(self) -> bool:
        """Whether any series holds a trusted value."""
        return any(bool(np.isfinite(line).any()) for line in self.lines.values())


COMPARABLE_UPTIME = 0.1
"""Totals of two ranges compare while their uptimes differ by no more than this."""


@dataclass(frozen=True, eq=False)
class HistoryView:
    """The History tab: a range and, when asked for, the one before it.

    span: first and last reading of the device; only looked up when the range is
        empty, to say where the data is.
    """

    device: Device
    zone: ZoneInfo
    now: datetime
    bucket_s: int
    hourly: bool
    shown: Stretch
    previous: Stretch | None
    shift_days: int
    span: tuple[datetime, datetime] | None

    @property
    def comparable(self) -> bool:
        """Whether the totals of both ranges rest on readings of like share."""
        if self.previous is None:
            return False
        difference = self.shown.usage.uptime - self.previous.usage.uptime
        return abs(difference) <= COMPARABLE_UPTIME


class History:
    """Reads what was; nothing here changes anything."""

    def __init__(
        self,
        devices: Devices,
        device_store: DeviceStore,
        metrics: Metrics,
        lake: Lake,
        settings: Settings,
        clock: Callable[[], datetime],
    ) -> None:
        self._devices = devices
        self._device_store = device_store
        self._metrics = metrics
        self._lake = lake
        self._settings = settings
        self._clock = clock

    def view(
        self,
        caller: Principal,
        device_id: str,
        text_from: str | None,
        text_to: str | None,
        zone: ZoneInfo,
        *,
        compare: bool = False,
    ) -> HistoryView:
        """The range two texts name, with the one before it if ``compare``.

        Raises:
            InvalidInput: the range cannot be read, or is too long.
            NotFound: no device has this id.
        """
        requires(caller, "device.read")
        device = self._devices.get(caller, device_id)
        window = self.window(text_from, text_to, zone)
        bucket_s = bucket_for(window.length, device.reporting_interval_s)
        hourly = window.length <= HOURLY_UPTO
        shown = self._stretch(device, window, bucket_s, zone, hourly)
        previous = None
        if compare:
            before = windows.previous(window, zone)
            previous = self._stretch(device, before, bucket_s, zone, hourly)
        return HistoryView(
            device=device,
            zone=zone,
            now=self._clock(),
            bucket_s=bucket_s,
            hourly=hourly,
            shown=shown,
            previous=previous,
            shift_days=windows.shift_days(window, zone),
            span=None if shown.usage.readings else self._lake.span(device.id),
        )

    def export(
        self,
        caller: Principal,
        device_id: str,
        text_from: str | None,
        text_to: str | None,
        zone: ZoneInfo,
        *,
        compare: bool = False,
    ) -> HistoryView:
        """``view`` for those who may take its rows away."""
        requires(caller, "telemetry.export")
        return self.view(caller, device_id, text_from, text_to, zone, compare=compare)

    def series(
        self, caller: Principal, device_id: str, query: SeriesQuery
    ) -> SeriesView:
        """A device's readings for programs, as fine as the query asks or fits.

        Raises:
            InvalidInput: the range cannot be read, or is too long.
            TooLarge: the resolution asked for has too many points.
            NotFound: no device has this id.
        """
        requires(caller, "device.read")
        device = self._devices.get(caller, device_id)
        window = self.window(query.text_from, query.text_to, query.zone)
        most, interval_s = self._settings.max_points, device.reporting_interval_s
        width_s = series.width_for(query, window.length, interval_s, most)
        if width_s == 0:
            frame = self._lake.readings(device.id, window.start, window.end, most + 1)
            if len(frame) <= most:
                items = series.from_readings(frame, query)
                flagged = series.flagged_readings(frame, query.metrics)
                return SeriesView(items, series.RAW, flagged, window)
            if query.resolution == series.RAW or query.flagged:
                raise series.too_many(most, series.RAW)
            width_s = series.coarse_for(window.length, most)
        frame = self._metrics.series(
            [device],
            window.start,
            window.end,
            width_s,
            query.metrics,
            only=series.bucket_columns(query.metrics),
        )
        items = series.from_buckets(frame, query)
        flagged = int(frame["flagged_n"].sum())
        return SeriesView(items, series.named(width_s), flagged, window)

    def window(
        self, text_from: str | None, text_to: str | None, zone: ZoneInfo
    ) -> Window:
        """The range two texts name, within the longest that is answered."""
        longest = self._settings.max_window_days
        return windows.parse(text_from, text_to, self._clock(), zone, longest)

    def _stretch(
        self,
        device: Device,
        window: Window,
        bucket_s: int,
        zone: ZoneInfo,
        hourly: bool,
    ) -> Stretch:
        start, end = window.start, window.end
        quarters = self._metrics.quarters([device], start, end, DRAWN, FOLDS)
        target = quarters["target_temperature_c_last"]
        # A target stands until it is changed, as long as the device is heard.
        quarters["target_temperature_c_last"] = target.ffill()
        if bucket_s % USAGE_BUCKET_S == 0:
            frame = coarser(quarters, bucket_s, FOLDS)
        else:
            frame = self._metrics.series(
                [device], start, end, bucket_s, DRAWN, only=FOLDS
            )
        times = grid(start, end, bucket_s)
        first = floor(start, USAGE_BUCKET_S)
        edges = _edges(first, end, zone, hourly)
        events, event_count = self._device_store.events(
            device.id, start=start, end=end, limit=MARKED_EVENTS
        )
        return Stretch(
            window=window,
            times=times,
            lines=_lines(frame, times),
            periods=periods(quarters, edges),
            usage=summed(quarters, first, end, min(end, self._clock())),
            temperature=spread(quarters, "temperature_c"),
            flagged=int(quarters["flagged_n"].sum()),
            marks=marks(events, window),
            event_count=event_count,
        )


def _edges(
    start: datetime, end: datetime, zone: ZoneInfo, hourly: bool
) -> list[datetime]:
    """Edges of the energy bars: clock hours or local days, cut to the range."""
    whole = windows.local_hours if hourly else windows.local_days
    inner = [edge for edge in whole(start, end, zone) if start < edge < end]
    return [start, *inner, end]


def _lines(frame: pd.DataFrame, times: Times) -> dict[str, Numbers]:
    shaped = frame.assign(
        temperature_c_mean=means(frame, "temperature_c"),
        pressure_bar_mean=means(frame, "pressure_bar"),
        flow_lpm_mean=means(frame, "flow_lpm"),
        target_temperature_c=frame["target_temperature_c_last"].ffill(),
    )
    return laid_out(shaped, times, LINES)
