"""The one door for readings: validate, flag, drop duplicates, commit, receipt."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from data import staging
from data.device_store import DeviceStore
from data.hot_store import Batch, DeviceState, HotStore, from_us, to_us
from data.records import METRICS, STATES, Device, metric_mask
from services.access import Principal, requires
from services.incoming import Checked, check
from services.quality import flags

BULK_ROWS = 5_000
"""From here on a staged file is cheaper than rows in the hot table."""
OLDEST_LIVE = timedelta(days=400)
OLDEST_BULK = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Rejection:
    """A row that was not taken: its place in what was sent, and why."""

    row: int
    reason: str


@dataclass(frozen=True)
class Receipt:
    """What became of a batch; every taken row is on disk."""

    read: int
    taken: int
    flagged: int
    duplicates: int
    rejected: tuple[Rejection, ...]
    devices: tuple[str, ...]
    first_ts: datetime | None
    last_ts: datetime | None


class Telemetry:
    """Accepts readings, one by one or by the million, under the same rules."""

    def __init__(
        self,
        hot: HotStore,
        devices: DeviceStore,
        staging_dir: Path,
        clock: Callable[[], datetime],
    ) -> None:
        self._hot = hot
        self._devices = devices
        self._staging_dir = staging_dir
        self._clock = clock

    def accept(
        self, caller: Principal, frame: pd.DataFrame, *, register_unknown: bool = False
    ) -> Receipt:
        """Take readings into the hot table in one synced transaction.

        Args:
            caller: needs ``telemetry.write``.
            frame: columns out of ``READING_COLUMNS``; ``ts`` naive UTC.
            register_unknown: make devices of ids that nobody registered.

        Raises:
            InvalidInput: a column is missing or unknown. Rows that cannot be
                taken are in the receipt instead.
        """
        now = self._clock()
        return self._take(
            caller, frame, now, now - OLDEST_LIVE, register_unknown, bulk=False
        )

    def accept_bulk(
        self, caller: Principal, frame: pd.DataFrame, *, register_unknown: bool = False
    ) -> Receipt:
        """Take many readings at once, of any age, as one synced staged file.

        The same validation as ``accept``; small frames go to the hot table.
        """
        return self._take(
            caller,
            frame,
            self._clock(),
            OLDEST_BULK,
            register_unknown,
            bulk=len(frame) >= BULK_ROWS,
        )

    def _take(
        self,
        caller: Principal,
        frame: pd.DataFrame,
        now: datetime,
        oldest: datetime,
        register_unknown: bool,
        *,
        bulk: bool,
    ) -> Receipt:
        requires(caller, "telemetry.write")
        ids = (
            [str(i) for i in frame["device_id"].unique()]
            if "device_id" in frame
            else []
        )
        life_cycles = self._devices.life_cycles(ids)
        checked = check(frame, life_cycles, now, oldest, register_unknown)
        rows = checked.rows
        devices = tuple(str(i) for i in rows["device_id"].unique())
        unknown = [i for i in devices if i not in life_cycles]
        if unknown:
            self._register(rows, unknown, now)
        if rows.empty:
            return _receipt(checked, 0, 0, devices)
        with self._hot.batch(devices) as batch:
            states = _states(batch, devices)
            rows["quality"] = flags(rows, states, now)
            known = {i: batch.states[i].ts_us for i in batch.states}
            newest = rows["device_id"].map(known).fillna(-1).to_numpy()
            rows["late"] = rows["ts_us"].to_numpy() <= newest
            rows["received_us"] = to_us(now)
            taken = self._store(batch, rows, now, bulk)
            _advance(states, rows, now)
            batch.save(states)
        return _receipt(checked, taken, int((rows["quality"] != 0).sum()), devices)

    def _store(
        self, batch: Batch, rows: pd.DataFrame, now: datetime, bulk: bool
    ) -> int:
        if bulk:
            rows = rows.assign(
                ts=rows["ts_us"].astype("datetime64[us]"),
                received_at=rows["received_us"].astype("datetime64[us]"),
            )
            path = staging.write(rows, self._staging_dir)
            batch.stage(str(path), len(rows), now)
            return len(rows)
        names = [
            "device_id",
            "ts_us",
            *METRICS,
            *STATES,
            "quality",
            "received_us",
            "late",
        ]
        table = rows[names].astype(object)
        return batch.insert(table.where(table.notna(), None).to_dict("records"))

    def _register(self, rows: pd.DataFrame, ids: list[str], now: datetime) -> None:
        """Register devices under their id, with the interval their data shows."""
        new = []
        for device_id in ids:
            times = rows.loc[rows["device_id"] == device_id, "ts_us"].to_numpy()
            step_s = float(np.median(np.diff(times))) / 1e6 if len(times) > 1 else 60
            interval = int(min(max(round(step_s), 1), 3_600))
            new.append(
                Device(id=device_id, name=device_id, reporting_interval_s=interval)
            )
        with self._devices.transaction() as tx:
            self._devices.add(tx, new, now)


def _states(batch: Batch, devices: tuple[str, ...]) -> dict[str, DeviceState]:
    """A working copy of each device's state, made where there is none."""
    return {
        i: DeviceState(**vars(batch.states[i])) if i in batch.states else _new_state()
        for i in devices
    }


def _new_state() -> DeviceState:
    return DeviceState(ts_us=-1, received_us=-1)


def _advance(
    states: Mapping[str, DeviceState], rows: pd.DataFrame, now: datetime
) -> None:
    """Move each device's latest values on to what these rows say."""
    ids = rows["device_id"].to_numpy()
    starts = np.flatnonzero(np.r_[True, ids[1:] != ids[:-1]])
    ends = np.r_[starts[1:], len(ids)] - 1
    times, quality = rows["ts_us"].to_numpy(), rows["quality"].to_numpy()
    for end in ends:
        state = states[str(ids[end])]
        if times[end] > state.ts_us:
            state.ts_us, state.quality = int(times[end]), int(quality[end])
            state.received_us = to_us(now)
    for name in (*METRICS, *STATES):
        values = rows[name].to_numpy()
        present = rows[name].notna().to_numpy()
        bad = (quality & metric_mask(name)) != 0 if name in METRICS else ~present
        for kind, mask in (("good", present & ~bad), ("flagged", present & bad)):
            places = np.where(mask, np.arange(len(rows)), -1)
            for place in np.maximum.reduceat(places, starts):
                if place >= 0:
                    into = getattr(states[str(ids[place])], kind)
                    _newer(into, name, values[place], int(times[place]))


def _newer(into: dict[str, list[Any]], name: str, value: Any, ts_us: int) -> None:
    held = into.get(name)
    if held is None or held[1] < ts_us:
        into[name] = [value.item() if isinstance(value, np.generic) else value, ts_us]


def _receipt(
    checked: Checked, taken: int, flagged: int, devices: tuple[str, ...]
) -> Receipt:
    times = checked.rows["ts_us"]
    return Receipt(
        read=checked.read,
        taken=taken,
        flagged=flagged,
        duplicates=checked.duplicates + len(checked.rows) - taken,
        rejected=tuple(Rejection(row, why) for row, why in checked.rejected),
        devices=devices,
        first_ts=from_us(int(times.min())) if len(times) else None,
        last_ts=from_us(int(times.max())) if len(times) else None,
    )
