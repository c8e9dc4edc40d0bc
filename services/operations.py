"""One heater in operation: its state now, its totals, and what has just come in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pandas as pd
import pyarrow as pa

from data.hot_store import HotStore, to_us
from data.lake import floor, naive
from data.records import Device, Latest
from services.access import Principal, requires
from services.devices import Devices
from services.health import Health, HealthView
from services.live import (
    CHARTED,
    MEASURED,
    TREND_FROM,
    Line,
    LiveView,
    good_values,
    line,
)
from services.live import live_view as view_of
from services.metrics import USAGE_BUCKET_S, Metrics, Usage, gap_s, summed
from services.quality import CLOCK_AHEAD
from services.windows import moment

CHART_WINDOW = timedelta(hours=2)
CHART_BUCKET_S = 20
"""A device that reports more often is drawn by its last reading of each bucket."""
HOT_FOR = timedelta(minutes=9)
"""Readings are hot for ten minutes: a page away for longer draws its chart anew."""
WATCHED = tuple(dict.fromkeys((*MEASURED, *CHARTED)))
REDRAW_AFTER = timedelta(minutes=15)
"""So long a chart only grows; then it is drawn anew, without what has grown old."""


@dataclass(frozen=True)
class NumbersView:
    """Health and totals of one heater.

    today: from midnight in the reader's zone. week: the last 7 days.
    modes: share of the reported time of the week spent in each mode, largest first.
    """

    now: datetime
    device: Device
    health: HealthView
    today: Usage
    week: Usage
    modes: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class ChartView:
    """The lines of the live chart by metric; a point without a value is a gap."""

    now: datetime
    device: Device
    lines: Mapping[str, Line]


@dataclass(frozen=True)
class OperationsView:
    """Everything the Operations tab opens with."""

    live: LiveView
    chart: ChartView
    numbers: NumbersView


@dataclass(frozen=True)
class Seen:
    """What a live page has got so far.

    at: when it last asked. drawn: when its chart was last drawn as a whole.
    last: where each line of it ends.
    """

    at: datetime
    drawn: datetime
    last: Mapping[str, datetime | None]


@dataclass(frozen=True)
class TickView:
    """What is new since a page last asked.

    ``chart`` is the whole chart when ``redraw``, else only its new points.
    """

    live: LiveView
    chart: ChartView
    redraw: bool


class Operations:
    """Watches one heater."""

    def __init__(
        self,
        devices: Devices,
        metrics: Metrics,
        health: Health,
        hot: HotStore,
        clock: Callable[[], datetime],
    ) -> None:
        self._devices = devices
        self._metrics = metrics
        self._health = health
        self._hot = hot
        self._clock = clock

    def view(self, caller: Principal, device_id: str, zone: ZoneInfo) -> OperationsView:
        """The heater now, its last two hours, its totals and its health.

        Raises:
            NotFound: no device has this id.
        """
        requires(caller, "device.read")
        device, now = self._devices.get(caller, device_id), self._clock()
        recent = self._recent(device, now - TREND_FROM, now)
        return OperationsView(
            live=view_of(device, self._latest(device), recent, now),
            chart=self._chart(device, now),
            numbers=self.numbers(caller, device_id, zone),
        )

    def numbers(self, caller: Principal, device_id: str, zone: ZoneInfo) -> NumbersView:
        """Health and totals; "today" begins at midnight in ``zone``.

        Raises:
            NotFound: no device has this id.
        """
        requires(caller, "device.read")
        device, now = self._devices.get(caller, device_id), self._clock()
        week = floor(moment("now-7d", "from", now, zone), USAGE_BUCKET_S)
        today = floor(moment("now/d", "from", now, zone), USAGE_BUCKET_S)
        frame = self._metrics.quarters([device], week, now, only=("mode_last",))
        return NumbersView(
            now=now,
            device=device,
            health=self._health.of([device])[device.id],
            today=summed(frame[frame["ts"] >= naive(today)], today, now, now),
            week=summed(frame, week, now, now),
            modes=mode_shares(frame),
        )

    def tick(self, caller: Principal, device_id: str, seen: Seen) -> TickView:
        """What has come in since ``seen``; reads the operational database only.

        A page that was asleep for longer than readings stay hot gets its whole
        chart again, and so does one whose chart is still empty or has grown old.

        Raises:
            NotFound: no device has this id.
        """
        requires(caller, "device.read")
        device, now = self._devices.get(caller, device_id), self._clock()
        latest = self._latest(device)
        since = max((t for t in seen.last.values() if t), default=None)
        news = latest is not None and (since is None or latest.ts > since)
        late = now - seen.at > HOT_FOR or now - seen.drawn > REDRAW_AFTER
        if news and (since is None or late):
            live = view_of(device, latest, None, now)
            return TickView(live, self._chart(device, now), redraw=True)
        first = now - TREND_FROM
        recent = self._recent(device, min(since or first, first), now)
        fresh = _fresh(device, recent, since, seen.last) if since else {}
        chart = ChartView(now, device, fresh)
        return TickView(view_of(device, latest, recent, now), chart, redraw=False)

    def _latest(self, device: Device) -> Latest | None:
        return self._metrics.latest([device.id]).get(device.id)

    def _recent(self, device: Device, start: datetime, now: datetime) -> pa.Table:
        return self._hot.recent(device.id, start, now + CLOCK_AHEAD, WATCHED)

    def _chart(self, device: Device, now: datetime) -> ChartView:
        frame = self._metrics.series(
            [device], now - CHART_WINDOW, now + CLOCK_AHEAD, CHART_BUCKET_S, CHARTED
        )
        gap = gap_s(device.reporting_interval_s)
        lines = {name: _line_of(frame, name, gap) for name in CHARTED}
        return ChartView(now, device, lines)


def mode_shares(frame: pd.DataFrame) -> tuple[tuple[str, float], ...]:
    """The share of the reported time in each mode, largest first.

    A quarter hour counts wholly for the mode it ended in. Empty when no mode was
    ever reported; quarters without one are left out.
    """
    known = frame[frame["mode_last"].notna() & (frame["covered_s"] > 0)]
    total_s = float(known["covered_s"].sum())
    if not total_s:
        return ()
    spent = known.groupby("mode_last")["covered_s"].sum().sort_values(ascending=False)
    return tuple((str(mode), float(s) / total_s) for mode, s in spent.items())


def _line_of(frame: pd.DataFrame, name: str, gap: float) -> Line:
    part = frame[frame[f"{name}_last"].notna()]
    times = part["last_ts"].to_numpy("datetime64[us]").astype("int64")
    return line(times.tolist(), part[f"{name}_last"].tolist(), gap, None)


def _fresh(
    device: Device,
    recent: pa.Table,
    since: datetime,
    last: Mapping[str, datetime | None],
) -> dict[str, Line]:
    """The points of each line after ``since``."""
    gap = gap_s(device.reporting_interval_s)
    found = {}
    for name in CHARTED:
        times, values = good_values(recent, name)
        new = times > to_us(since)
        found[name] = line(
            times[new].tolist(), values[new].tolist(), gap, last.get(name)
        )
    return found
