"""References that are not pinned: the same season a year before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest

from data.counts import Counts
from services.monitoring.references import season, season_edges

DAY = timedelta(days=1)
FIRST = datetime(2024, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("window", ["day", "week"])
def test_a_season_is_the_sum_of_its_five_weeks(window: str) -> None:
    """Read at once, neighbouring years give what each of them read alone adds up to."""
    days = np.random.default_rng(1).integers(0, 50, (900, 4))
    step = DAY if window == "day" else 7 * DAY
    edges = tuple(datetime(2025, 3, 3, tzinfo=UTC) + k * step for k in range(9))
    years = season_edges(window, edges)
    every = sorted({edge for one in years for edge in one})

    def counted(bounds: list[datetime] | tuple[datetime, ...]) -> np.ndarray:
        places = [(edge - FIRST).days for edge in bounds]
        return np.stack([days[a:b].sum(axis=0) for a, b in pairwise(places)])

    found = season(Counts(len(every) - 1, {"f0": counted(every)}), every, years)

    assert found.windows == 8
    expected = np.sum([counted(one) for one in years], axis=0)
    assert (found.columns["f0"] == expected).all()
