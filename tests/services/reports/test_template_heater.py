"""The heater and fleet reports on real stores: their numbers are the tabs'."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from bootstrap import Services, build
from data.records import Band, Device, Event
from services.errors import Forbidden
from services.fleet import FleetQuery
from services.history_drawn import drawn
from services.maintenance import Entry
from services.reports.document import BarChart, Document, LineChart
from services.units import Preferences, convert
from tests.conftest import NOW, OPERATOR, SYSTEM, VIEWER, Stores, readings
from tests.services.reports.composing import (
    block,
    column,
    compose,
    figure,
    table,
    texts,
)
from tests.services.test_history import Nobody

DAYS = 4
START = NOW - timedelta(days=DAYS)
BERLIN = ZoneInfo("Europe/Berlin")
AMERICAN = Preferences(
    temperature_unit="F", volume_unit="gal", pressure_unit="psi",
    time_zone="America/New_York",
)  # fmt: skip
TANK = Device(
    id="wh-1", name="Boiler", type="electric", capacity_l=200, rated_power_w=3000,
    bands={"temperature_c": Band(0, 100, 45, 62, alarm_high=75)},
    setpoint_min_c=40, setpoint_max_c=65,
)  # fmt: skip


def lively(start: datetime, minutes: int, device: str = "wh-1") -> pd.DataFrame:
    """Readings a minute apart that move, with a fault value and a gap of two hours."""
    k = np.arange(minutes)
    frame = readings(device, start, minutes, target_temperature_c=55.0)
    frame["temperature_c"] = np.round(52 + 5 * np.sin(k / 70), 1)
    frame["pressure_bar"] = np.round(3 + 0.2 * np.sin(k / 90), 2)
    frame["flow_lpm"] = np.where(k % 50 < 4, 6.0, 0.0)
    frame["power_w"] = np.where(k % 100 < 30, 3000.0, 0.0)
    frame["heating"] = frame["power_w"] > 0
    frame.loc[::997, "temperature_c"] = 888.8
    return frame.drop(index=range(600, 720))


@pytest.fixture
def services(stores: Stores) -> Services:
    """One heater with four days, another without a reading, and the tabs."""
    stores.add(TANK, Device(id="wh-2", name="Annexe", type="gas"))
    stores.telemetry.accept_bulk(SYSTEM, lively(START, DAYS * 1440))
    with stores.device_store.transaction() as tx:
        at = NOW - timedelta(days=1)
        stores.device_store.add_events(
            tx, [Event("wh-1", at, "fault", "high", "Element failed", "device")]
        )
    stores.flush()
    made: Services = build(stores.settings, stores.clock)
    entry = Entry("anode", date(2026, 3, 8), "Replaced", "Ida", date(2027, 3, 8))
    made.care.maintenance.add(OPERATOR, "wh-1", entry)
    return made


def report(stores: Stores, template: str = "heater", **asked: object) -> Document:
    """A report on the four days."""
    start, end = asked.pop("start", START), asked.pop("end", NOW)
    return compose(
        stores.settings, VIEWER, template, start, end, NOW, **asked  # type: ignore[arg-type]
    )  # fmt: skip


def test_key_figures_are_those_of_the_history_tab(
    stores: Stores, services: Services
) -> None:
    """Energy, water, mean temperature, uptime and kept share are the tab's."""
    document = report(stores, devices=("wh-1",))
    shown = services.history.view(
        VIEWER, "wh-1", START.isoformat(), NOW.isoformat(), ZoneInfo("UTC")
    ).shown

    assert shown.usage.energy_kwh is not None
    assert shown.usage.energy_kwh > 10
    assert figure(document, "Energy").value == shown.usage.energy_kwh
    assert figure(document, "Hot water drawn").value == shown.usage.volume_l
    assert figure(document, "Mean temperature").value == shown.temperature.mean
    assert figure(document, "Uptime").value == shown.usage.uptime * 100
    assert figure(document, "Readings").value == shown.usage.readings
    assert "not trusted" in figure(document, "Readings").note


def test_charts_hold_the_lines_of_the_history_tab(
    stores: Stores, services: Services
) -> None:
    """Temperature with its target and limits, gaps as gaps, energy bars: as drawn."""
    document = report(stores, devices=("wh-1",))
    view = services.history.view(
        VIEWER, "wh-1", START.isoformat(), NOW.isoformat(), ZoneInfo("UTC")
    )
    lines = drawn(view.shown, Preferences()).lines
    chart = block(document, "temperature_c-wh-1")
    assert isinstance(chart, LineChart)
    mean = [None if np.isnan(v) else v for v in lines["temperature_c_mean"]]

    assert list(chart.lines[0].y) == mean
    assert None in chart.lines[0].y[1:-1]
    assert max(v for v in chart.lines[0].high if v is not None) < 60
    assert [one.name for one in chart.lines][1] == "Target temperature"
    assert [limit.value for limit in chart.limits] == [45, 62, 75]
    bars = block(document, "energy-wh-1")
    assert isinstance(bars, BarChart)
    assert bars.series[0][1] == drawn(view.shown, Preferences()).energy_kwh


def test_a_reader_in_america_gets_fahrenheit_gallons_and_psi(
    stores: Stores, services: Services
) -> None:
    """Figures, charts, limits and the ledger are in the reader's units and zone."""
    document = report(stores, devices=("wh-1",), preferences=AMERICAN)
    plain = report(stores, devices=("wh-1",))

    mean = figure(document, "Mean temperature")
    assert mean.unit == "°F"
    assert mean.value == convert(
        figure(plain, "Mean temperature").value, "temperature", AMERICAN
    )
    assert figure(document, "Hot water drawn").unit == "gal"
    assert block(document, "temperature_c-wh-1").limits[0].value == 113
    assert block(document, "pressure_bar-wh-1").unit == "psi"
    assert dict(document.facts)["Units"] == "°F, gal, psi, kWh, W"
    assert dict(document.facts)["To (not included)"].endswith("UTC-04:00")
    ledger = table(document, "ledger-wh-1")
    assert column(ledger, "what")[0] == "Time in 77 to 113\N{NO-BREAK SPACE}°F"
    hours = column(ledger, "range")[0]
    assert hours == column(table(plain, "ledger-wh-1"), "range")[0]


def test_the_ledger_is_that_of_the_details_tab(
    stores: Stores, services: Services
) -> None:
    """The columns of 7 and 30 days are the card's, that of the range its own span."""
    found = table(report(stores, devices=("wh-1",)), "ledger-wh-1")
    card = services.care.ledger.of(VIEWER, "wh-1")
    own = services.care.ledger.span(VIEWER, "wh-1", START, NOW)

    for key, span in zip(
        ("range", "last_7_days", "last_30_days"), (own, *card.spans), strict=True
    ):
        cells = column(found, key)
        assert cells[0] == span.in_band_h
        assert cells[2] == span.below_50_h
        assert cells[5] == span.highest_c
    document = report(stores, devices=("wh-1",))
    assert any("free of germs" in note for note in document.footnotes)


def test_events_and_maintenance_of_the_range_are_listed(
    stores: Stores, services: Services
) -> None:
    """What happened and what was done lies in the range; older entries are left out."""
    document = report(stores, devices=("wh-1",))
    older = report(
        stores, devices=("wh-1",), start=START - timedelta(days=30), end=START
    )

    said = " ".join(str(c) for c in column(table(document, "events-wh-1"), "what"))
    assert "Element failed" in said
    assert column(table(document, "maintenance-wh-1"), "note") == ["Replaced"]
    assert "Anode due 8 Mar 2027." in texts(document)
    assert "No entry in the maintenance log in this range." in texts(older)


def test_a_range_without_readings_says_so(stores: Stores, services: Services) -> None:
    """An empty range names the days with data; a silent heater says it is silent."""
    start = START - timedelta(days=30)
    empty = report(stores, devices=("wh-1",), start=start, end=START)
    silent = report(stores, devices=("wh-2",))

    assert texts(empty)[0] == (
        "No reading lies in this range; there are some from 6 Mar 2026 to 10 Mar 2026."
    )
    assert texts(silent)[0] == "No reading of this heater has come yet."
    assert not any(isinstance(t, LineChart) for s in empty.sections for t in s.blocks)


def test_the_day_of_the_changed_clock_has_its_hours(stores: Stores) -> None:
    """In Berlin 29 March 2026 has 23 hours: its row has 23 hours of energy."""
    stores.add(TANK)
    first = datetime(2026, 3, 26, tzinfo=BERLIN).astimezone(UTC)
    stores.clock.now = now = datetime(2026, 4, 1, tzinfo=BERLIN).astimezone(UTC)
    minutes = int((now - first).total_seconds()) // 60
    frame = readings("wh-1", first, minutes, power_w=1000.0)
    frame["temperature_c"] = 50 + np.arange(minutes) % 3 / 10
    stores.telemetry.accept_bulk(SYSTEM, frame)
    stores.flush()
    reader = Preferences(time_zone="Europe/Berlin")
    document = compose(
        stores.settings, VIEWER, "heater", first, now, now, preferences=reader
    )
    fleet = compose(
        stores.settings, VIEWER, "fleet", first, now, now, preferences=reader
    )

    days = table(document, "days-wh-1")
    starts = [cell.astimezone(BERLIN) for cell in column(days, "from")]  # type: ignore[union-attr]
    assert [s.day for s in starts] == [26, 27, 28, 29, 30, 31]
    assert {s.hour for s in starts} == {0}
    energy = column(days, "energy")
    assert energy[1:5] == pytest.approx([24.0, 24.0, 23.0, 24.0], abs=0.05)
    assert column(table(fleet, "energy"), "energy") == pytest.approx(energy, abs=0.01)
    assert dict(document.facts)["From"].endswith("UTC+01:00")
    assert dict(document.facts)["To (not included)"].endswith("UTC+02:00")


def test_the_fleet_report_has_the_numbers_of_the_fleet(
    stores: Stores, services: Services
) -> None:
    """Counts are the page's, totals those of Metrics for the same range."""
    document = report(stores, "fleet")
    page = services.fleet.page(VIEWER, FleetQuery())
    usage = services.metrics.usage(services.devices.list(VIEWER), START, NOW)

    assert figure(document, "Heaters").value == page.counts["all"] == 2
    assert figure(document, "Need attention").value == page.counts["attention"]
    assert figure(document, "Energy").value == usage["wh-1"].energy_kwh
    heaters = table(document, "heaters")
    order = column(heaters, "device_id")
    assert order == [r.device_id for r in page.rows]
    place = order.index("wh-1")
    assert column(heaters, "energy")[place] == usage["wh-1"].energy_kwh
    assert column(heaters, "health")[place] == page.rows[place].health.score
    total = sum(e for e in column(table(document, "energy"), "energy") if e)  # type: ignore[misc]
    assert total == pytest.approx(usage["wh-1"].energy_kwh)
    assert column(heaters, "energy")[order.index("wh-2")] is None


def test_reading_the_fleet_in_portions_changes_no_number(
    stores: Stores, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One heater at a time gives the document of all at once."""
    whole = report(stores, "fleet")
    monkeypatch.setattr("services.reports.template_fleet.DEVICE_DAYS", 1)

    assert report(stores, "fleet") == whole


def test_composed_twice_it_is_equal(stores: Stores, services: Services) -> None:
    """The same data and clock give the same documents."""
    for template in ("heater", "fleet"):
        assert report(stores, template) == report(stores, template)


def test_who_may_not_export_telemetry_makes_neither(stores: Stores) -> None:
    """Both reports hold rows, so that they need what their export needs."""
    for template in ("heater", "fleet"):
        with pytest.raises(Forbidden):
            compose(
                stores.settings, Nobody("x", VIEWER.role), template, START, NOW, NOW
            )
