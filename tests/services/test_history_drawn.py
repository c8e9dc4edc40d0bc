"""What is drawn is what is exported, in the reader's units."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pytest

from data.records import Device
from services.history import LINES, History
from services.history_drawn import drawn, metric_of, table
from services.units import Preferences
from tests.conftest import NOW, SYSTEM, VIEWER, Stores
from tests.services.test_history import history, lively, month

__all__ = ["history", "month"]
US = Preferences(
    temperature_unit="F",
    volume_unit="gal",
    pressure_unit="psi",
    time_zone="America/New_York",
)


def test_drawn_numbers_are_in_the_readers_units(
    history: History, stores: Stores, heater: Device
) -> None:
    """54 °C is 129.2 °F, 3 bar is 43.51 psi and 6 L/min is 1.59 gal/min."""
    frame = lively(
        NOW - timedelta(hours=3),
        180,
        temperature_c=54.0,
        pressure_bar=3.0,
        flow_lpm=6.0,
    )
    stores.telemetry.accept(SYSTEM, frame)
    view = history.view(VIEWER, "wh-1", "now-2h", "now", US.zone)

    lines = drawn(view.shown, US).lines

    assert np.nanmax(lines["temperature_c_max"]) == pytest.approx(129.2)
    assert np.nanmax(lines["pressure_bar_mean"]) == pytest.approx(43.51)
    assert np.nanmax(lines["flow_lpm_max"]) == pytest.approx(1.59)
    assert view.shown.lines["temperature_c_max"][0] == 54.0


@pytest.mark.parametrize("prefs", [Preferences(), US])
@pytest.mark.parametrize("compare", [False, True])
def test_the_export_has_each_number_drawn(
    history: History, month: object, prefs: Preferences, compare: bool
) -> None:
    """Row by row and column by column the table holds the numbers of the chart."""
    view = history.export(VIEWER, "wh-1", "now-7d", "now", prefs.zone, compare=compare)

    exported = table(view, "readings", prefs)

    columns = list(zip(*exported.rows, strict=True))
    stretches = [view.shown] + ([view.previous] if view.previous else [])
    assert len(exported.columns) == len(stretches) * (len(LINES) + 1)
    for s, stretch in enumerate(stretches):
        numbers = drawn(stretch, prefs).lines
        at = s * (len(LINES) + 1)
        count = len(stretch.times)  # the week before may be an hour longer
        assert set(columns[at][count:]) <= {None}
        times = [datetime.fromisoformat(cell) for cell in columns[at][:count]]
        assert [t.timestamp() for t in times] == (
            stretch.times.astype("datetime64[s]").astype(int).tolist()
        )
        for i, line in enumerate(LINES):
            np.testing.assert_array_equal(
                np.array(columns[at + 1 + i][:count], dtype=float), numbers[line]
            )


def test_the_export_of_energy_has_each_bar(history: History, month: object) -> None:
    """The energy file has one row for each bar, with both ends in local time."""
    view = history.export(VIEWER, "wh-1", "now-7d", "now", US.zone)

    exported = table(view, "energy", US)

    rows = list(exported.rows)
    assert exported.columns == (
        "from (America/New_York)", "to (America/New_York)", "energy (kWh)",
    )  # fmt: skip
    assert [row[2] for row in rows] == list(drawn(view.shown, US).energy_kwh)
    assert rows[1][0] == "2026-03-04T00:00:00-05:00"
    assert exported.name == "wh-1_energy_20260303T0800_20260310T0800.csv"


def test_titles_state_unit_and_zone(history: History, month: object) -> None:
    """Each column says what it is in which unit, and the time in which zone."""
    view = history.export(VIEWER, "wh-1", "now-7d", "now", US.zone)

    titles = table(view, "readings", US).columns

    assert titles[0] == "ts (America/New_York)"
    assert titles[2] == "Tank temperature, mean (°F)"
    assert titles[4] == "Target temperature (°F)"
    assert titles[-1] == "Flow, highest (gal/min)"
    assert [metric_of(line) for line in LINES[3:6]] == [
        "target_temperature_c", "pressure_bar", "pressure_bar",
    ]  # fmt: skip
