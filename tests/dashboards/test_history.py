"""The History tab's body, drawn from real views."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pytest

from dashboards.figures.history_chart import figure
from dashboards.water_heater import history as tab
from data.records import Band, Device, Event
from services.exports import csv_bytes
from services.history import LINES, History
from services.history_drawn import metric_of, table
from services.units import Preferences
from tests.conftest import NOW, SYSTEM, VIEWER, Stores
from tests.services.test_history import history, lively, month

__all__ = ["history", "month"]
PATH = "/heaters/wh-1/history"
US = Preferences(
    temperature_unit="F", volume_unit="gal", pressure_unit="psi",
    time_zone="America/New_York", theme="light",
)  # fmt: skip
BANDS = {"temperature_c": Band(10, 90, 50, 60, 40, 75), "pressure_bar": Band(0, 10)}


def drawn_body(view: Any, prefs: Preferences, search: str = "") -> str:
    """The whole body as JSON text."""
    shown = tab.body(view, prefs, PATH, search)
    return json.dumps(
        [c.to_plotly_json() for c in shown],
        default=lambda c: c.to_plotly_json(),
        ensure_ascii=False,
    )


def series(
    traces: list[dict[str, Any]], axis: str, name: str, times: list[str]
) -> list[float | None]:
    """The numbers of one series at the times of the file's rows."""
    known: dict[str, float | None] = {}
    for trace in traces:
        if trace["yaxis"] != axis or trace["name"] != name or "x0" not in trace:
            continue
        first = datetime.fromisoformat(trace["x0"])
        step = timedelta(milliseconds=trace["dx"])
        for place, number in enumerate(trace["y"]):
            known[(first + place * step).isoformat()] = number
    return [known.get(time[:19]) for time in times]


@pytest.mark.parametrize("prefs", [Preferences(), US])
def test_the_file_holds_the_numbers_of_the_figure(
    history: History, month: object, prefs: Preferences
) -> None:
    """Each number of the CSV is the number in the figure's array at that place."""
    view = history.view(VIEWER, "wh-1", "now-7d", "now", prefs.zone)
    traces = figure(view, prefs)["data"]
    text = csv_bytes(table(view, "readings", prefs)).decode()
    _, *rows = csv.reader(io.StringIO(text, newline=""))
    times, *cells = zip(*rows, strict=True)
    columns = [[float(c) if c else None for c in column] for column in cells]
    names = {
        "temperature_c": ("y", "Tank temperature"),
        "pressure_bar": ("y3", "Pressure"),
        "flow_lpm": ("y4", "Flow"),
    }
    words = {"min": "lowest", "mean": "mean", "max": "highest"}
    for line, column in zip(LINES, columns, strict=True):
        if line == "target_temperature_c":
            assert series(traces, "y", "Target temperature", times) == column
        else:
            axis, name = names[metric_of(line)]
            word = words[line.rpartition("_")[2]]
            assert series(traces, axis, f"{name}, {word}", times) == column, line
        assert any(number is not None for number in column)
    assert len(rows) > 600


def test_the_energy_file_holds_the_bars(history: History, month: object) -> None:
    """The rows of the energy file are the heights of the bars."""
    view = history.view(VIEWER, "wh-1", "now-7d", "now", US.zone)
    (trace,) = [t for t in figure(view, US)["data"] if t["name"] == "Energy"]

    assert trace["y"] == [row[2] for row in table(view, "energy", US).rows]
    assert trace["x"][1] == "2026-03-04T00:00:00"


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin"])
def test_thirty_days_stay_below_sixty_kilobytes(
    history: History, stores: Stores, zone: str
) -> None:
    """The figure of 30 days compared with the month before is at most 60 kB of JSON."""
    stores.clock.now = datetime(2026, 4, 10, 12, tzinfo=UTC)
    stores.add(Device(id="wh-1", name="Boiler", bands=BANDS))
    start = stores.clock.now - timedelta(days=68)
    stores.telemetry.accept_bulk(SYSTEM, lively(start, 68 * 1440))
    stores.flush()
    with stores.device_store.transaction() as tx:
        at = stores.clock.now
        new = [Event("wh-1", at - timedelta(hours=h), "status", "info", f"Event {h}")
               for h in range(0, 1400, 12)]  # fmt: skip
        stores.device_store.add_events(tx, new)
    prefs = Preferences(time_zone=zone)

    sizes = {}
    for compare in (False, True):
        view = history.view(
            VIEWER, "wh-1", "now-30d", "now", ZoneInfo(zone), compare=compare
        )
        drawn = figure(view, prefs)
        sizes[compare] = len(orjson.dumps(drawn))
        assert max(len(t["y"]) for t in drawn["data"]) <= 751

    assert sizes[False] <= 45_000
    assert sizes[True] <= 60_000


def test_the_body_of_a_full_view(
    history: History, stores: Stores, month: object
) -> None:
    """Tiles, comparison, notes, export links, tables and limits are all there."""
    device = replace(stores.devices.get(VIEWER, "wh-1"), bands=BANDS)
    view = history.view(VIEWER, "wh-1", "now-7d", "now", US.zone, compare=True)
    view = replace(view, device=device)

    text = drawn_body(view, US, "?from=now-7d&to=now&compare=previous")

    for words in (
        "Mean temperature", "Hot water drawn", " gal", "°F", "Temperature kept",
        "Hide comparison", "Compared with", "points against before",
        "/api/v1/devices/wh-1/telemetry.csv?from=2026-03-03T13:00:00Z",
        "part=energy&compare=previous", "normal to 140.0", "Each point is 15 min",
        "Energy and temperature for each day",
    ):  # fmt: skip
        assert words in text, words
    assert "Zoom out" not in text


def test_only_like_ranges_are_compared(history: History, month: object) -> None:
    """Totals are not compared with a range that has far fewer readings."""
    view = history.view(
        VIEWER, "wh-1", "now-14d", "now", Preferences().zone, compare=True
    )

    text = drawn_body(view, Preferences())

    assert not view.comparable
    assert "so the totals are not compared" in text
    assert "against before" not in text


@pytest.mark.parametrize(
    ("start", "end", "says"),
    [
        ("2026-01-01", "2026-01-08", "This range is before the first reading"),
        ("2026-03-05T04:00", "2026-03-05T06:00", "No reading in this range"),
        ("2026-03-11", "2026-03-12", "This range is after the last reading"),
    ],
)
def test_an_empty_range_leads_to_the_data(
    history: History, month: object, start: str, end: str, says: str
) -> None:
    """Without a reading the tab says why, and links to readings that exist."""
    zone = Preferences().zone
    view = history.view(VIEWER, "wh-1", start, end, zone)

    (state,) = tab.body(view, Preferences(), PATH, f"?from={start}&to={end}&out=a,b")

    text = json.dumps(state.to_plotly_json(), default=lambda c: c.to_plotly_json())
    assert says in text
    href = state.children[-1].href
    query = tab.links.parse_search(href.partition("?")[2])
    assert "out" not in query
    there = history.view(VIEWER, "wh-1", query["from"], query["to"], zone)
    assert there.shown.drawable


def test_silent_and_broken_heaters_say_so(
    history: History, stores: Stores, heater: Device
) -> None:
    """Never a reading and nothing but bad values are two different messages."""
    prefs = Preferences()
    silent = history.view(VIEWER, "wh-1", "now-7d", "now", prefs.zone)
    bad = lively(NOW - timedelta(hours=1), 60)
    bad[["temperature_c", "target_temperature_c", "pressure_bar", "flow_lpm"]] = -999.9
    stores.telemetry.accept(SYSTEM, bad)
    broken = history.view(VIEWER, "wh-1", "now-7d", "now", prefs.zone)

    assert "No reading yet" in drawn_body(silent, prefs)
    assert "Only values that are not trusted" in drawn_body(broken, prefs)


def test_one_reading_is_a_dot(history: History, stores: Stores, heater: Device) -> None:
    """A single reading is drawn, as a dot."""
    stores.telemetry.accept(SYSTEM, lively(NOW - timedelta(minutes=30), 1))
    view = history.view(VIEWER, "wh-1", "now-24h", "now", Preferences().zone)

    dots = [
        t for t in figure(view, Preferences())["data"] if t.get("mode") == "markers"
    ]

    assert dots[0]["y"] == [55.0]
    assert dots[0]["x"] == ["2026-03-10T11:30:00"]


def test_the_address_keeps_the_way_out_of_a_zoom() -> None:
    """Zooming twice keeps the first range, and zooming out restores it."""
    first = "?from=now-7d&to=now&compare=previous"
    once = tab.zoomed_in(first, NOW, NOW + timedelta(hours=5))
    twice = tab.zoomed_in(once, NOW, NOW + timedelta(hours=1))

    assert "out=now-7d,now" in twice
    assert "from=2026-03-10T12:00:00Z&to=2026-03-10T13:00:00Z" in twice
    out = tab.zoomed_out(twice)
    assert out is not None
    assert tab.links.parse_search(out) == tab.links.parse_search(first)
    assert tab.zoomed_out(first) is None
    assert "out=now-7d,now" in tab.zoomed_in("", NOW, NOW + timedelta(hours=1))


def test_on_a_touch_screen_a_drag_scrolls(history: History, month: object) -> None:
    """Zooming by drag is off where a drag must move the page."""
    view = history.view(VIEWER, "wh-1", "now-7d", "now", Preferences().zone)

    assert figure(view, Preferences(), zoom=False)["layout"]["dragmode"] is False
    assert figure(view, Preferences())["layout"]["dragmode"] == "zoom"
