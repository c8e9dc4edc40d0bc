"""The process that the alert kill tests kill: readings come, it judges, it tells.

Minute after minute the same readings come to every run; the number of a minute is
written down, and synced, once it was judged.
"""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd

import bootstrap
from services.access import SYSTEM
from tests.faults.victim import settings

START = datetime(2026, 5, 1, tzinfo=UTC)
DEVICES = ("one", "two", "three")


def minute(number: int) -> datetime:
    """The time of a minute of the world that the victim lives in."""
    return START + timedelta(minutes=number)


def frame(number: int) -> pd.DataFrame:
    """The readings of a minute: each tank is hot for some minutes, then is not."""
    hot = [(number // (2 + place)) % 2 for place in range(len(DEVICES))]
    return pd.DataFrame(
        {
            "device_id": list(DEVICES),
            "ts": minute(number).replace(tzinfo=None),
            "temperature_c": [80.0 if one else 50.0 for one in hot],
        }
    )


def judge(home: Path, first: int, last: int) -> None:
    """Live the minutes from one to another."""
    now = [minute(first)]
    services = bootstrap.build(settings(home), clock=lambda: now[0])
    with (home / "minutes").open("a") as written:
        for number in range(first, last):
            now[0] = minute(number)
            services.telemetry.accept_bulk(SYSTEM, frame(number))
            services.evaluation.step(now[0])
            written.write(f"{number}\n")
            written.flush()
            os.fsync(written.fileno())
    services.close()


if __name__ == "__main__":
    judge(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
