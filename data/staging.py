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
    folder.mkdir(parents=True, exist_ok=True)
    table = pa.table(
        {
            name: pa.array(frame[name], type=kind, from_pandas=True)
            for name, kind in STAGED_TYPES.items()
        }
    )
    path = folder / f"{uuid4().hex}.parquet"
    with path.open("wb") as handle:
        pq.write_table(table, handle, compression="lz4")
        handle.flush()
        os.fsync(handle.fileno())
    entry = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(entry)
    finally:
        os.close(entry)
    return path
