"""The form of incoming readings: what a row must have to be taken at all."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from data.hot_store import to_us
from data.records import (
    DEVICE_ID_PATTERN,
    METRICS,
    MODES,
    READING_COLUMNS,
    STATES,
)
from services.errors import InvalidInput

FUTURE_LIMIT = timedelta(minutes=10)
ERROR_CODE_LENGTH = 32
NO_TIME = np.iinfo(np.int64).min


@dataclass
class Checked:
    """Rows that may be taken, sorted by device and time, and those that may not."""

    rows: pd.DataFrame
    read: int
    duplicates: int
    rejected: list[tuple[int, str]]


def check(
    frame: pd.DataFrame,
    life_cycles: Mapping[str, str],
    now: datetime,
    oldest: datetime,
    register_unknown: bool,
) -> Checked:
    """Sort out what can be taken; nothing is guessed and nothing repaired.

    Raises:
        InvalidInput: columns are missing or unknown.
    """
    _check_columns(frame)
    rows = _typed(frame)
    reasons = np.full(len(rows), None, dtype=object)
    _reject_values(frame, rows, reasons)
    _reject_states(rows, reasons)
    _reject_times(rows, now, oldest, reasons)
    _reject_devices(rows, life_cycles, register_unknown, reasons)
    refused = reasons != None  # noqa: E711 - element by element
    rejected = [(int(i), str(reasons[i])) for i in np.flatnonzero(refused)]
    kept = _sorted(rows.loc[~refused] if refused.any() else rows)
    unique = kept.loc[~_repeated(kept)].reset_index(drop=True)
    return Checked(unique, len(frame), len(kept) - len(unique), rejected)


def _sorted(rows: pd.DataFrame) -> pd.DataFrame:
    """By device and time; millions of rows that are so already stay untouched."""
    ids, _names = pd.factorize(rows["device_id"], sort=True)
    times = rows["ts_us"].to_numpy()
    later = (ids[1:] > ids[:-1]) | ((ids[1:] == ids[:-1]) & (times[1:] >= times[:-1]))
    return rows if later.all() else rows.iloc[np.lexsort((times, ids))]


def _repeated(rows: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Which sorted rows have the key of the row before them."""
    ids, times = rows["device_id"].to_numpy(), rows["ts_us"].to_numpy()
    same = np.zeros(len(rows), dtype=bool)
    same[1:] = (ids[1:] == ids[:-1]) & (times[1:] == times[:-1])
    return same


def _check_columns(frame: pd.DataFrame) -> None:
    unknown = [str(name) for name in frame.columns if name not in READING_COLUMNS]
    if unknown:
        raise InvalidInput(
            f"unknown column {', '.join(unknown)}; "
            f"known are {', '.join(READING_COLUMNS)}"
        )
    missing = [name for name in ("device_id", "ts") if name not in frame.columns]
    if missing:
        raise InvalidInput(f"column {' and '.join(missing)} is missing")


def _typed(frame: pd.DataFrame) -> pd.DataFrame:
    """Every column of a reading in its own type; what does not fit is missing."""
    times = pd.to_datetime(frame["ts"], errors="coerce")
    if times.dt.tz is not None:
        times = times.dt.tz_convert("UTC").dt.tz_localize(None)
    stamps = times.astype("datetime64[us]")
    columns: dict[str, object] = {
        "device_id": _words(frame["device_id"], ""),
        "ts_us": stamps.astype("int64").where(stamps.notna(), NO_TIME).to_numpy(),
    }
    for name in METRICS:
        columns[name] = (
            pd.to_numeric(frame[name], errors="coerce").to_numpy(float)
            if name in frame
            else np.full(len(frame), np.nan)
        )
    for name in STATES:
        column = frame.get(name)
        columns[name] = np.full(len(frame), None) if column is None else _words(column)
    return pd.DataFrame(columns).astype(dict.fromkeys(("device_id", *STATES), object))


def _words(column: pd.Series, missing: str | None = None) -> npt.NDArray[np.object_]:
    """A column of few distinct values as objects, without a pass per value."""
    codes, values = pd.factorize(column)
    known = np.empty(len(values) + 1, dtype=object)
    known[:-1], known[-1] = values, missing
    return known[codes]


def _mark(
    reasons: npt.NDArray[np.object_], where: npt.NDArray[np.bool_], reason: str
) -> None:
    """Give rows their first reason."""
    reasons[where & (reasons == None)] = reason  # noqa: E711 - element by element


def _reject_values(
    frame: pd.DataFrame, rows: pd.DataFrame, reasons: npt.NDArray[np.object_]
) -> None:
    present = np.zeros(len(rows), dtype=bool)
    for name in METRICS:
        values = rows[name].to_numpy(float)
        present |= ~np.isnan(values)
        if name not in frame:
            continue
        _mark(reasons, np.isinf(values), f"{name} is infinite")
        if not pd.api.types.is_numeric_dtype(frame[name].dtype):
            lost = np.isnan(values) & frame[name].notna().to_numpy()
            _mark(reasons, lost, f"{name} is not a number")
    for name in STATES:
        present |= rows[name].notna().to_numpy()
    _mark(reasons, ~present, "the row has no value")


def _reject_states(rows: pd.DataFrame, reasons: npt.NDArray[np.object_]) -> None:
    for name, allowed, say in (
        ("mode", set(MODES), f"mode is not one of {', '.join(MODES)}"),
        ("heating", {True, False}, "heating is not true or false"),
    ):
        column = rows[name]
        wrong = [v for v in column.dropna().unique() if v not in allowed]
        if wrong:
            _mark(reasons, column.isin(wrong).to_numpy(), say)
    codes = rows["error_code"]
    long = [c for c in codes.dropna().unique() if len(str(c)) > ERROR_CODE_LENGTH]
    if long:
        say = f"error_code is longer than {ERROR_CODE_LENGTH} characters"
        _mark(reasons, codes.isin(long).to_numpy(), say)


def _reject_times(
    rows: pd.DataFrame,
    now: datetime,
    oldest: datetime,
    reasons: npt.NDArray[np.object_],
) -> None:
    times = rows["ts_us"].to_numpy()
    missing = times == NO_TIME
    _mark(reasons, missing, "ts is missing or not a time")
    _mark(reasons, times < to_us(oldest), f"ts is before {oldest:%Y-%m-%d}")
    ahead = times > to_us(now + FUTURE_LIMIT)
    _mark(reasons, ahead, "ts is more than 10 minutes in the future")


def _reject_devices(
    rows: pd.DataFrame,
    life_cycles: Mapping[str, str],
    register_unknown: bool,
    reasons: npt.NDArray[np.object_],
) -> None:
    codes, names = pd.factorize(rows["device_id"])
    for code, device_id in enumerate(names):
        if life_cycles.get(device_id) in {"pending", "active"}:
            continue
        here = codes == code
        if not re.fullmatch(DEVICE_ID_PATTERN, device_id):
            shown = device_id[:64] or "(empty)"
            _mark(reasons, here, f"device_id {shown!r} is not 1-64 of A-Z a-z 0-9 _ -")
        elif device_id not in life_cycles:
            if not register_unknown:
                _mark(reasons, here, f"device {device_id} is not registered")
        else:
            _mark(reasons, here, f"device {device_id} is {life_cycles[device_id]}")
