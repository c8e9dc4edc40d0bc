"""Small files of many days are merged day by day."""

from __future__ import annotations

from datetime import timedelta

from data.flush import Flusher
from data.records import Device
from tests.conftest import NOW, SYSTEM, Stores, readings

GAPS = {"wh-1": 180.0}
DAY = timedelta(days=1)


def test_every_day_is_merged_to_one_file(stores: Stores, heater: Device) -> None:
    """Three flushes of four days end as one file for each day, with the same rows."""
    flusher = Flusher(stores.settings, stores.hot)
    for hours in (3, 2, 1):
        for days in range(4):
            start = NOW - days * DAY - timedelta(hours=hours)
            frame = readings("wh-1", start, 60, temperature_c=50.0 + hours)
            stores.telemetry.accept(SYSTEM, frame)
        flusher.flush(NOW, GAPS)
    before = stores.lake.folded(GAPS, NOW - 5 * DAY, NOW, 900)

    flusher.maintain(NOW + timedelta(days=9000))
    flusher.close()

    folder = stores.settings.lake_dir / "main" / "telemetry"
    files = sorted(file.parent.name for file in folder.rglob("*.parquet"))
    assert len(files) == len(set(files)) == 4
    assert stores.lake.folded(GAPS, NOW - 5 * DAY, NOW, 900).equals(before)
    assert int(before["n"].sum()) == 720
