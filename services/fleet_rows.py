"""The rows of the fleet: made for all heaters at once, put in order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from data.lake import floor
from data.records import Device, Latest, LatestValue
from services.buckets import grid
from services.devices import place_of
from services.health import LOOK, SEVERITIES, HealthView
from services.metrics import USAGE_BUCKET_S, Metrics, connectivity, summed
from services.status import heating_status

DAY = timedelta(hours=24)
HOUR_S = 3_600
SUM, COUNT = "temperature_c_sum", "temperature_c_n"
SILENT = frozenset({"offline", "never"})
FINE_RANK, UNTOLD_RANK, IDLE_RANK = len(SEVERITIES) + 1, len(SEVERITIES), 9


@dataclass(frozen=True)
class FleetRow:
    """One heater as the fleet shows it; ``None`` where nothing is known.

    heating: a status of ``services.status``. attention: whether it needs somebody
    now. energy_kwh: used in the last 24 hours. hourly_c: mean tank temperature of
    the last 24 clock hours, oldest first, ``None`` for a gap.
    """

    device_id: str
    name: str
    serial: str | None
    building: str | None
    place: str
    make: str | None
    model: str | None
    type: str | None
    simulated: bool
    life_cycle: str
    connectivity: str
    last_seen: datetime | None
    temperature_c: LatestValue | None
    target_c: LatestValue | None
    mode: LatestValue | None
    heating: str
    health: HealthView
    flagged: bool
    attention: bool
    energy_kwh: float | None = None
    hourly_c: tuple[float | None, ...] = ()

    @property
    def active(self) -> bool:
        """Whether the heater is in use."""
        return self.life_cycle == "active"


def row_of(
    device: Device, latest: Latest | None, health: HealthView, now: datetime
) -> FleetRow:
    """One heater's row, without what only a page shows."""
    last = latest.ts if latest else None
    values = latest.values if latest else {}
    state = connectivity(last, device.reporting_interval_s, now)
    return FleetRow(
        device_id=device.id,
        name=device.name,
        serial=device.serial,
        building=device.building,
        place=place_of(device),
        make=device.manufacturer,
        model=device.model,
        type=device.type,
        simulated=device.simulated,
        life_cycle=device.life_cycle,
        connectivity=state,
        last_seen=last,
        temperature_c=values.get("temperature_c"),
        target_c=values.get("target_temperature_c"),
        mode=values.get("mode"),
        heating=heating_status(latest, state, device.reporting_interval_s),
        health=health,
        flagged=_flagged(latest, now),
        attention=device.life_cycle == "active"
        and (health.verdict == LOOK or state in SILENT),
    )


def _flagged(latest: Latest | None, now: datetime) -> bool:
    """Whether a value of the last 24 hours is not to be trusted."""
    if latest is None:
        return False
    return any(value.ts >= now - DAY for value in latest.flagged.values())


def words_of(device: Device) -> str:
    """What a search looks through, in lower case."""
    parts = (
        device.name,
        device.id,
        device.serial,
        place_of(device),
        device.manufacturer,
        device.model,
    )
    return "\n".join(part for part in parts if part).casefold()


@dataclass(frozen=True)
class LastDay:
    """What a page shows of the last 24 hours of one heater."""

    energy_kwh: float | None
    hourly_c: tuple[float | None, ...]


def last_days(
    metrics: Metrics, devices: Sequence[Device], now: datetime
) -> dict[str, LastDay]:
    """The last 24 hours of each device, from one query."""
    if not devices:
        return {}
    start = floor(now - DAY, USAGE_BUCKET_S)
    frame = metrics.quarters(devices, start, now, ("temperature_c",), only=(SUM, COUNT))
    hourly = _hourly(frame, devices, start, now)
    parts = dict(list(frame.groupby("device_id")))
    none = frame.iloc[:0]
    return {
        d.id: LastDay(
            energy_kwh=summed(parts.get(d.id, none), start, now, now).energy_kwh,
            hourly_c=tuple(None if np.isnan(v) else float(v) for v in means),
        )
        for d, means in zip(devices, hourly, strict=True)
    }


def _hourly(
    frame: pd.DataFrame, devices: Sequence[Device], start: datetime, now: datetime
) -> npt.NDArray[np.float64]:
    """Mean temperature by device and clock hour; NaN without a good reading."""
    hours = grid(start, now, HOUR_S)
    place = {device.id: i for i, device in enumerate(devices)}
    times = frame["ts"].to_numpy("datetime64[us]")
    slot = np.searchsorted(hours, times, "right") - 1
    slot += len(hours) * frame["device_id"].map(place).to_numpy(np.int64)
    cells = len(devices) * len(hours)
    total, count = (
        np.bincount(slot, np.nan_to_num(frame[c].to_numpy(float)), minlength=cells)
        for c in (SUM, COUNT)
    )
    means: npt.NDArray[np.float64] = np.divide(
        total, count, out=np.full(cells, np.nan), where=count > 0
    )
    return means.reshape(len(devices), len(hours))


def ordered(rows: Sequence[FleetRow], sort: str, descending: bool) -> list[FleetRow]:
    """Rows in order; those without the value come last either way.

    ``worst`` begins with the heater that needs somebody most.
    """
    key = KEYS[sort]
    by_name = sorted(rows, key=_name)
    known = [row for row in by_name if key(row) is not None]
    known.sort(key=key, reverse=descending)  # type: ignore[arg-type]
    return known + [row for row in by_name if key(row) is None]


def urgency(row: FleetRow) -> tuple[int, int]:
    """The order of ``worst``: severity, then score; both low for the worst.

    A silent heater is as urgent as a finding of high severity: it may be without
    power, and nobody can see what it does.
    """
    score = 100 if row.health.score is None else row.health.score
    if not row.active:
        return IDLE_RANK + (row.life_cycle == "inactive"), score
    rank = UNTOLD_RANK if row.health.score is None else FINE_RANK
    severity = row.health.severity
    if row.health.verdict == LOOK and severity is not None:
        rank = SEVERITIES.index(severity)
    if row.connectivity in SILENT:
        rank = min(rank, SEVERITIES.index("high"))
    return rank, score


def _name(row: FleetRow) -> tuple[str, str]:
    return row.name.casefold(), row.device_id


def _number(value: LatestValue | None) -> float | None:
    return None if value is None else float(value.value)


KEYS: dict[str, Callable[[FleetRow], object]] = {
    "worst": urgency,
    "name": _name,
    "place": lambda row: row.place.casefold() or None,
    "seen": lambda row: row.last_seen,
    "temperature": lambda row: _number(row.temperature_c),
    "target": lambda row: _number(row.target_c),
    "mode": lambda row: str(row.mode.value) if row.mode else None,
    "health": lambda row: row.health.score,
}
"""What each sort compares; ``None`` is not known."""
