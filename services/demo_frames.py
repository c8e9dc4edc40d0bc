"""Readings of simulated heaters in frames that fit in memory."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from services.demo_catalogue import Member
from services.tank.heater import Heater, Run, telemetry

BATCH_HEATERS = 2
"""Heaters per bulk frame: 90 days of two are 260,000 rows, some 100 MB on the way."""


def frames(lived: Sequence[tuple[Member, Run]]) -> list[pd.DataFrame]:
    """What heaters have measured; no frame for heaters that were all offline."""
    most = BATCH_HEATERS * 130_000
    groups: list[list[tuple[Heater, Run]]] = []
    rows = most
    for member, run in lived:
        if rows + len(run.ts_s) > most:
            groups.append([])
            rows = 0
        groups[-1].append((member.heater, run))
        rows += len(run.ts_s)
    return [frame for frame in map(telemetry, groups) if len(frame)]
