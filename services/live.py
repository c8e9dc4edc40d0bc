"""The present of one heater, from the operational database alone.

A live page asks every two seconds, so nothing here touches the lake: the newest
values are one row, and readings stay hot for ten minutes after their flush.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from data.hot_store import from_us, to_us
from data.records import Device, Latest, LatestValue, metric_mask, quality_reasons
from services.metrics import connectivity, gap_s
from services.status import heating_status

MEASURED = ("temperature_c", "pressure_bar", "flow_lpm", "power_w")
"""The metrics with a gauge."""
CHARTED = ("temperature_c", "target_temperature_c", "power_w")
"""The lines of the live chart."""
NOISE: Mapping[str, float] = {
    "temperature_c": 0.3,
    "pressure_bar": 0.05,
    "flow_lpm": 0.5,
    "power_w": 50.0,
}
"""A smaller change than this is no trend, in the metric's stored unit."""
TREND_FROM, TREND_TO = timedelta(minutes=10), timedelta(minutes=3)
"""The newest value is compared with those this long before it."""

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Point = tuple[datetime, float | None]
Line = tuple[Point, ...]


@dataclass(frozen=True)
class LiveValue:
    """The newest good value of a metric or state, and what is wrong with it.

    ``trend`` is ``up``, ``down``, ``steady`` or ``None``. ``flagged_at`` is set
    when something newer came that is not to be trusted, for ``reasons``.
    """

    value: float | str | None = None
    ts: datetime | None = None
    stale: bool = False
    trend: str | None = None
    flagged_at: datetime | None = None
    reasons: tuple[str, ...] = ()

    @property
    def number(self) -> float | None:
        """The value when it is a number."""
        return float(self.value) if isinstance(self.value, int | float) else None


@dataclass(frozen=True)
class LiveView:
    """A heater as it is now.

    ``values`` has an entry for each of ``MEASURED``, for the target and the mode.
    """

    now: datetime
    device: Device
    connectivity: str
    last_seen: datetime | None
    status: str
    values: Mapping[str, LiveValue]


def live_view(
    device: Device, latest: Latest | None, hot: pa.Table | None, now: datetime
) -> LiveView:
    """What is known now; ``hot`` are recent readings for the trends."""
    last = latest.ts if latest else None
    state = connectivity(last, device.reporting_interval_s, now)
    limit = timedelta(seconds=gap_s(device.reporting_interval_s))
    names = (*MEASURED, "target_temperature_c", "mode")
    return LiveView(
        now=now,
        device=device,
        connectivity=state,
        last_seen=last,
        status=heating_status(latest, state, device.reporting_interval_s),
        values={name: _live(name, latest, hot, now - limit) for name in names},
    )


def _live(
    name: str, latest: Latest | None, hot: pa.Table | None, since: datetime
) -> LiveValue:
    if latest is None:
        return LiveValue()
    good, bad = latest.values.get(name), latest.flagged.get(name)
    rejected = bad if bad and (good is None or bad.ts > good.ts) else None
    stale = good is not None and good.ts < since
    return LiveValue(
        value=good.value if good else None,
        ts=good.ts if good else None,
        stale=stale,
        trend=trend(name, good, hot) if good and not stale and not rejected else None,
        flagged_at=rejected.ts if rejected else None,
        reasons=_reasons(name, rejected, latest),
    )


def _reasons(
    name: str, rejected: LatestValue | None, latest: Latest
) -> tuple[str, ...]:
    """Only the newest reading's reasons are known without a search."""
    if rejected is None or rejected.ts != latest.ts:
        return ()
    return tuple(quality_reasons(latest.quality).get(name, ()))


def trend(name: str, newest: LatestValue, hot: pa.Table | None) -> str | None:
    """Where a value goes: against the mean of three to ten minutes before it."""
    if hot is None or name not in NOISE or not isinstance(newest.value, int | float):
        return None
    times, values = good_values(hot, name)
    at = to_us(newest.ts)
    start, end = (at - d // timedelta(microseconds=1) for d in (TREND_FROM, TREND_TO))
    before = values[(times >= start) & (times <= end)]
    if not len(before):
        return None
    change = float(newest.value) - float(before.mean())
    if abs(change) < NOISE[name]:
        return "steady"
    return "up" if change > 0 else "down"


def good_values(hot: pa.Table, name: str) -> tuple[Ints, Floats]:
    """Times in microseconds and the good values of a metric, oldest first."""
    times = hot["ts"].cast(pa.int64()).to_numpy().astype(np.int64)
    values = hot[name].to_numpy().astype(np.float64)
    quality = hot["quality"].to_numpy().astype(np.int64)
    order = np.argsort(times, kind="stable")
    keep = np.isfinite(values) & ((quality & metric_mask(name)) == 0)
    order = order[keep[order]]
    return times[order], values[order]


def line(
    times_us: Sequence[int], values: Sequence[float], gap: float, last: datetime | None
) -> Line:
    """Points of a line with ``None`` where a gap of more than ``gap`` seconds lies.

    ``last`` is the point the line ended with so far, if any.
    """
    points: list[Point] = []
    for us, value in zip(times_us, values, strict=True):
        at = from_us(us)
        if last is not None and (at - last).total_seconds() > gap:
            points.append((at, None))
        points.append((at, float(value)))
        last = at
    return tuple(points)
