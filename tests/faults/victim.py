"""The process that the kill tests kill: it accepts readings and flushes them.

Each batch that ``accept`` acknowledged is written down, and synced, only after the
acknowledgement: what stands in the file was promised.
"""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread

import bootstrap
from services.access import SYSTEM
from settings import Settings
from tests.conftest import readings

ROWS = 200
BULK_EVERY = 12
BULK_ROWS = 6_000


def batch(device_id: str, number: int) -> tuple[datetime, int]:
    """Start and size of a device's batch: every twelfth is a bulk file.

    A bulk file overlaps the batches after it, so the same reading comes twice.
    """
    rows = BULK_ROWS if number % BULK_EVERY == 0 else ROWS
    return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=number * ROWS), rows


def send(home: Path, device_id: str, first: int) -> None:
    """Send batches for ever, each twice now and then, as a real sender would."""
    services = bootstrap.build(settings(home), clock=lambda: NOW)
    with (home / f"{device_id}.acked").open("a") as acked:
        number = first
        while True:
            start, rows = batch(device_id, number)
            frame = readings(device_id, start, rows, power_w=float(number))
            services.telemetry.accept_bulk(SYSTEM, frame)
            if number % 5 == 0:
                services.telemetry.accept_bulk(SYSTEM, frame)
            acked.write(f"{number}\n")
            acked.flush()
            os.fsync(acked.fileno())
            number += 1


NOW = datetime(2060, 1, 1, tzinfo=UTC)


def settings(home: Path) -> Settings:
    """Flush all the time, so that kills hit every step of it."""
    return Settings(
        home_dir=home,
        secret_key="k7!" + "Zq3xW9vB" * 5,
        flush_age_s=0.001,
        flush_rows=1,
    )


def main() -> None:
    """Senders in threads, the flusher in the main thread, until killed."""
    home = Path(sys.argv[1])
    for number, device_id in enumerate(("one", "two")):
        first = int(sys.argv[2 + number])
        Thread(target=send, args=(home, device_id, first), daemon=True).start()
    loop = bootstrap.build_flush_loop(settings(home), clock=lambda: NOW)
    print("ready", flush=True)
    while True:
        loop.step()


if __name__ == "__main__":
    main()
