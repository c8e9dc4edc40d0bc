"""The process that the kill tests of models kill: it takes predictions and counts them.

A delivery stands in the file of promises only after it was acknowledged.
"""

from __future__ import annotations

import os
import sys
from datetime import timedelta
from pathlib import Path
from threading import Thread

import numpy as np
import pandas as pd
import pyarrow as pa

import bootstrap
from services.access import SYSTEM
from tests.faults.victim import NOW, settings

ROWS = 40
START = NOW - timedelta(days=300)


def delivery(number: int) -> pa.Table:
    """Predictions with their labels; the first five come a second time in the next."""
    first = number * ROWS
    places = np.arange(max(first - 5, 0), first + ROWS)
    stamps = pd.to_datetime(START) + pd.to_timedelta(places, "min")
    return pa.table(
        {
            "prediction_id": [f"p{place}" for place in places],
            "ts": pa.array([f"{stamp:%Y-%m-%dT%H:%M:%SZ}" for stamp in stamps]),
            "age": places % 17 * 1.0,
            "prediction": places % 2,
            "left": places % 3 % 2,
        }
    )


def send(home: Path, first: int) -> None:
    """Send deliveries for ever, some of them twice under their key."""
    services = bootstrap.build(settings(home), clock=lambda: NOW)
    with (home / "acked").open("a") as acked:
        number = first
        while True:
            for _again in range(2 if number % 3 == 0 else 1):
                services.inferences.accept(
                    SYSTEM, "churn", [delivery(number)], source="test", key=f"k{number}"
                )
            acked.write(f"{number}\n")
            acked.flush()
            os.fsync(acked.fileno())
            number += 1


def main() -> None:
    """The sender in a thread, the flusher in the main thread, until killed."""
    home = Path(sys.argv[1])
    Thread(target=send, args=(home, int(sys.argv[2])), daemon=True).start()
    loop = bootstrap.build_flush_loop(settings(home), clock=lambda: NOW)
    print("ready", flush=True)
    while True:
        loop.step()


if __name__ == "__main__":
    main()
