"""A chunk of a file as a frame of readings, with the rows that cannot be taken."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from data.records import METRICS, READING_COLUMNS, STATES
from services.imports import times, units
from services.imports.plans import Layout
from services.imports.reading import Chunk, Integers, Reject
from services.imports.values import DeviceIds, Dropped, numbers, states

SUFFIXES = (".gz", ".csv", ".tsv", ".txt", ".parquet", ".jsonl", ".ndjson", ".json")
Objects = npt.NDArray[np.object_]


@dataclass(frozen=True)
class Converted:
    """Rows that can be taken, in READING_COLUMNS, with the line of each."""

    frame: pd.DataFrame
    lines: Integers
    rejected: list[Reject]


def convert(
    chunk: Chunk, layout: Layout, path: Path, ids: DeviceIds, dropped: Dropped
) -> Converted:
    """Apply a layout to a chunk; the first thing wrong with a row is its reason."""
    count = len(chunk.lines)
    reasons = np.full(count, None, object)
    devices = _devices(chunk, layout, path, ids, reasons)
    ts = _times(chunk, layout, devices, reasons)
    columns: dict[str, object] = {"device_id": devices, "ts": ts}
    known = np.zeros(count, bool)
    for plan in layout.columns:
        column = _column(chunk, plan.column)
        if plan.field in METRICS:
            read, bad = numbers(column, layout.decimal)
            _blame(reasons, bad, f"{plan.column}: not a number")
            columns[plan.field] = units.to_stored(plan.field, plan.unit, read)
            known |= ~np.isnan(read)
        elif plan.field in STATES:
            found = states(column, plan.field, dropped)
            columns[plan.field] = found
            known |= pd.notna(found)
    _blame(reasons, ~known, "no values")
    good = pd.isna(reasons)
    frame = pd.DataFrame({k: columns[k] for k in READING_COLUMNS if k in columns})
    rejected = chunk.rejected + [
        Reject(int(chunk.lines[place]), str(reasons[place]), chunk.raw(int(place)))
        for place in np.flatnonzero(~good)
    ]
    return Converted(frame[good].reset_index(drop=True), chunk.lines[good], rejected)


def _column(chunk: Chunk, name: str) -> pa.Array:
    column = chunk.columns.get(name)
    return pa.nulls(len(chunk.lines), pa.string()) if column is None else column


def _blame(reasons: Objects, where: npt.NDArray[np.bool_], reason: str) -> None:
    if where.any():
        reasons[where & pd.isna(reasons)] = reason


def _devices(
    chunk: Chunk, layout: Layout, path: Path, ids: DeviceIds, reasons: Objects
) -> Objects:
    plan = next((p for p in layout.columns if p.field == "device_id"), None)
    if plan is None:
        name = layout.device.replace("{file}", stem(path))
        stored, problem = ids.stored(name)
        reasons[:] = problem
        return np.full(len(reasons), stored, object)
    devices, problems = ids.column(_column(chunk, plan.column))
    reasons[:] = problems
    return devices


def _times(
    chunk: Chunk, layout: Layout, devices: Objects, reasons: Objects
) -> npt.NDArray[np.datetime64]:
    if layout.time is None:
        raise ValueError("a layout without times cannot be imported")
    arrays = tuple(_column(chunk, name) for name in layout.time.columns)
    found, problems = times.to_utc(arrays, layout.time, devices)
    free = pd.isna(reasons) & pd.notna(problems)
    reasons[free] = problems[free]
    return found


def stem(path: Path) -> str:
    """The file's name without its extensions: ``a.csv.gz`` is ``a``."""
    name = path.name
    for suffix in SUFFIXES:
        name = name.removesuffix(suffix)
    return name
