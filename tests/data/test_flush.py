"""The flusher loses nothing, doubles nothing and tidies up."""

from __future__ import annotations

from datetime import timedelta

import pytest

from data import flush
from data.engine import Reader
from data.flush import Flusher
from data.records import Device
from tests.conftest import NOW, SYSTEM, Stores, readings

HOUR = timedelta(hours=1)
GAPS = {"wh-1": 180.0}


def count(stores: Stores) -> tuple[int, int]:
    """Readings of the device, raw and by the roll-ups."""
    raw = len(stores.lake.readings("wh-1", NOW - 99 * HOUR, NOW + HOUR, 10**6))
    folded = stores.lake.folded(GAPS, NOW - 99 * HOUR, NOW + HOUR, 3600, ())
    return raw, int(folded["n"].sum())


def test_failure_before_the_commit_leaves_nothing_behind(
    stores: Stores, heater: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A flush that dies before its commit is as if it had never begun."""
    stores.telemetry.accept(SYSTEM, readings("wh-1", NOW - HOUR, 60, power_w=1.0))
    flusher = Flusher(stores.settings, stores.hot)

    def broken(_path: object) -> None:
        raise OSError("disk full")

    with monkeypatch.context() as patched:
        patched.setattr(flush, "_sync", broken)
        with pytest.raises(OSError, match="disk full"):
            flusher.flush(NOW, GAPS)
    assert count(stores) == (60, 60)

    assert flusher.flush(NOW, GAPS).rows == 60
    flusher.close()
    assert count(stores) == (60, 60)


def test_death_between_commit_and_tidying_counts_once(
    stores: Stores, heater: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows that are in the lake and still hot are counted once, and flushed once."""
    frame = readings("wh-1", NOW - 90 * HOUR, 5400, power_w=1.0)
    stores.telemetry.accept_bulk(SYSTEM, frame.iloc[:5100])
    stores.telemetry.accept(SYSTEM, frame.iloc[5100:])
    flusher = Flusher(stores.settings, stores.hot)

    def died(*_args: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(stores.hot, "forget", died)
        with pytest.raises(KeyboardInterrupt):
            flusher.flush(NOW, GAPS)
    assert count(stores) == (5400, 5400)

    assert flusher.flush(NOW, GAPS).rows == 0
    flusher.close()
    assert count(stores) == (5400, 5400)
    assert list(stores.settings.staging_dir.iterdir()) == []


def test_flushed_rows_stay_hot_for_ten_minutes(stores: Stores, heater: Device) -> None:
    """A live page finds the last minutes without asking the lake."""
    stores.telemetry.accept(SYSTEM, readings("wh-1", NOW - HOUR, 5, power_w=1.0))
    stores.flush()
    assert stores.hot.rows("wh-1", NOW - HOUR, NOW).num_rows == 5

    stores.clock.forward(minutes=11)
    stores.telemetry.accept(SYSTEM, readings("wh-1", NOW, 1, power_w=1.0))
    stores.flush()
    assert stores.hot.rows("wh-1", NOW - HOUR, NOW).num_rows == 0


def test_maintenance_keeps_every_reading(stores: Stores, heater: Device) -> None:
    """Merging, rewriting and deleting old files changes no answer."""
    flusher = Flusher(stores.settings, stores.hot)
    for part in range(6):
        start = NOW - 6 * HOUR + part * HOUR
        stores.telemetry.accept(
            SYSTEM, readings("wh-1", start, 60, power_w=100.0 + part)
        )
        flusher.flush(NOW, GAPS)
    before = stores.lake.folded(GAPS, NOW - 9 * HOUR, NOW, 900)
    folder = stores.settings.lake_dir / "main" / "telemetry"
    many = len(list(folder.rglob("*.parquet")))

    flusher.maintain(NOW + timedelta(days=9000))
    flusher.close()

    after = stores.lake.folded(GAPS, NOW - 9 * HOUR, NOW, 900)
    assert after.equals(before)
    assert count(stores) == (360, 360)
    assert len(list(folder.rglob("*.parquet"))) < many


def test_a_home_that_was_moved_still_opens(stores: Stores, heater: Device) -> None:
    """The lake is read and written where the settings say, not where it was made."""
    before = readings("wh-1", NOW - 30 * HOUR, 60, power_w=1.0)
    stores.telemetry.accept_bulk(SYSTEM, before)
    Flusher(stores.settings, stores.hot).close()
    stores.flush()
    stores.reader.close()
    home = stores.settings.home_dir
    moved = home.rename(home.with_name("moved"))
    if stores.settings.lake_catalog is None:
        home.mkdir()  # a stranger's folder where the old one was
    settings = stores.settings.model_copy(update={"home_dir": moved})

    reader = Reader(settings)
    with reader.cursor() as cursor:
        assert cursor.execute("SELECT count(*) FROM lake.telemetry").fetchone() == (60,)
    reader.close()
