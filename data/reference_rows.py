"""The pinned rows of a reference, read from its own file."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

SAMPLE_SEED = 7


def reference_frame(path: str, most: int) -> pd.DataFrame:
    """Up to ``most`` rows in canonical columns, in order, the same every time.

    Raises:
        FileNotFoundError: the file is gone.
    """
    table = pq.read_table(path)
    if table.num_rows > most:
        rng = np.random.default_rng(SAMPLE_SEED)
        places = np.sort(rng.choice(table.num_rows, most, replace=False))
        table = table.take(places)
    frame: pd.DataFrame = table.to_pandas()
    return frame
