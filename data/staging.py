"""Bulk files: written and synced before the row that makes them acknowledged."""

from __future__ import annotations

import os
from pathlib import Path
from uuid import uuid4

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from data.hot_store import READING_TYPES

STAGED_TYPES = {**READING_TYPES, "late": pa.bool_()}


def write(frame: pd.DataFrame, folder: Path) -> Path:
    """Write readings to a new synced Parquet file; its path."""
    table = pa.table(
        {
            name: pa.array(frame[name], type=kind, from_pandas=True)
            for name, kind in STAGED_TYPES.items()
        }
    )
    return write_table(table, fresh_file(folder))


def fresh_file(folder: Path) -> Path:
    """A path in the folder that nobody uses."""
    return folder / f"{uuid4().hex}.parquet"


def write_table(table: pa.Table, path: Path, compression: str = "lz4") -> Path:
    """Write a table to a new file and sync file and folder; the path."""
    folder = path.parent
    folder.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as handle:
        # Looking for repeated numbers takes longer than all the rest of the writing.
        texts = [f.name for f in table.schema if not pa.types.is_floating(f.type)]
        pq.write_table(table, handle, compression=compression, use_dictionary=texts)
        handle.flush()
        os.fsync(handle.fileno())
    entry = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(entry)
    finally:
        os.close(entry)
    return path
