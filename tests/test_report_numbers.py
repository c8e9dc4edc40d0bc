"""One number on the screen, in a report and in both files: they agree."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from bootstrap import build
from data.records import Device
from services import history_drawn
from services.exports import csv_bytes
from services.performance_views import PerformanceQuery
from services.reports.csv_files import table_stream
from services.reports.document import Table
from services.units import Preferences
from settings import Settings
from tests.conftest import NOW, SYSTEM, VIEWER, Stores, readings
from tests.services.monitoring.world import MONDAY, WEEK, fill, open_world
from tests.services.reports.composing import column, compose, table

UTC = ZoneInfo("UTC")


def numbers(written: bytes, name: str) -> list[float | None]:
    """A column of a CSV file; an empty cell is no number."""
    rows = list(csv.DictReader(io.StringIO(written.decode("utf-8-sig"))))
    key = next(k for k in rows[0] if k.startswith(name))
    return [float(row[key]) if row[key] else None for row in rows]


def file_of(found: Table) -> bytes:
    """A table of a report as its file."""
    return b"".join(table_stream(found, UTC))


def test_performance_is_one_number(tmp_path: Path) -> None:
    """Each week's accuracy agrees on the tab, in both files and in the report."""
    settings = Settings(home_dir=tmp_path, secret_key="k7!" + "Zq3xW9vB" * 5)
    start = MONDAY - WEEK
    with open_world(settings) as world:
        fill(world)
        query = PerformanceQuery(
            "churn", text_from=start.isoformat(), text_to=NOW.isoformat()
        )
        view = world.performance.view(VIEWER, query, UTC)
        exported = csv_bytes(world.performance.export(VIEWER, query, UTC))
        document = compose(settings, VIEWER, "performance", start, NOW, NOW)
    found = table(document, "windows-churn")

    for name in ("realised", "estimated", "gap"):
        seen = [getattr(w, name).value for w in view.windows]
        assert sum(v is not None for v in seen) >= 8
        assert column(found, name) == seen
        assert numbers(exported, name) == seen
    titles = {"realised": "Realised", "estimated": "Estimated", "gap": "Gap"}
    for name, title in titles.items():
        assert numbers(file_of(found), title) == column(found, name)


@pytest.mark.parametrize("unit", ["C", "F"])
def test_energy_and_temperature_are_one_number(stores: Stores, unit: str) -> None:
    """Each day's energy agrees on the tab, in its export, the report and its file."""
    stores.add(Device(id="wh-1", name="Boiler", type="electric"))
    start, minutes = NOW - timedelta(days=5), 5 * 1440
    frame = readings("wh-1", start, minutes)
    k = np.arange(minutes)
    frame["power_w"] = np.where(k % 90 < 20, 2700.0, 0.0)
    frame["temperature_c"] = np.round(52 + 4 * np.sin(k / 60), 1)
    stores.telemetry.accept_bulk(SYSTEM, frame.drop(index=range(2000, 2600)))
    stores.flush()
    prefs = Preferences(temperature_unit=unit)
    services = build(stores.settings, stores.clock)
    span = (start.isoformat(), NOW.isoformat())
    view = services.history.view(VIEWER, "wh-1", *span, UTC)
    exported = csv_bytes(history_drawn.table(view, history_drawn.ENERGY, prefs))
    services.close()
    document = compose(
        stores.settings, VIEWER, "heater", start, NOW, NOW, preferences=prefs
    )
    found = table(document, "days-wh-1")

    drawn = list(history_drawn.drawn(view.shown, prefs).energy_kwh)
    assert len(drawn) == 6
    assert column(found, "energy") == drawn
    assert numbers(exported, "energy") == drawn
    assert numbers(file_of(found), "Energy") == drawn
    means = [p.temperature_c.mean or 0.0 for p in view.shown.periods]
    shown = [m * 9 / 5 + 32 if unit == "F" else m for m in means]
    assert column(found, "mean") == pytest.approx(shown, abs=0.051)
    assert numbers(file_of(found), "Mean") == column(found, "mean")
