"""The parts pages are built of."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote

import pytest
from plotly.graph_objects import Figure

from dashboards import header, parts, ranges, shell
from dashboards.figures.gauges import (
    Gauge,
    bullet,
    gauge_card,
    limits_sentence,
    verdict,
)
from dashboards.figures.sparkline import sparkline
from dashboards.registry import heater_tab
from data.records import Band
from services.devices import DeviceHeaderView
from services.units import Preferences

PREFS = Preferences()
US = Preferences(temperature_unit="F", theme="light")
NOW = datetime(2026, 11, 23, 13, 5, tzinfo=UTC)
BAND = Band(10, 90, 50, 65, 40, 75)
FLEET = heater_tab("fleet", "Fleet", "fleet.read", "/heaters")
DETAILS = heater_tab("details", "Details", "device.read")
HISTORY = heater_tab("history", "History", "device.read")
TABS = (FLEET, DETAILS, HISTORY)


def as_json(component: object) -> str:
    """A component as the browser gets it."""
    return json.dumps(component, default=lambda c: c.to_plotly_json())


def view(**changes: object) -> DeviceHeaderView:
    """A device's header, online with two neighbours."""
    values: dict[str, object] = {
        "device_id": "b",
        "name": "Boiler B",
        "place": "North wing",
        "connectivity": "online",
        "last_seen": NOW - timedelta(minutes=4),
        "simulated": True,
        "life_cycle": "active",
        "options": (("a", "Boiler A"), ("b", "Boiler B"), ("c", "Boiler C")),
    }
    return DeviceHeaderView(**{**values, **changes})


def device_header(changed: DeviceHeaderView, search: str = "") -> str:
    """The header of a device's history as JSON."""
    return as_json(
        header.device_header(
            changed, HISTORY, TABS, search=search, now=NOW, prefs=PREFS
        )
    )


def test_graphs_never_offer_to_upload_data():
    """Every graph is made without the cloud button and without the logo."""
    config = parts.graph("t-graph", {"data": [], "layout": {}}).config
    assert config["showSendToCloud"] is False
    assert config["displaylogo"] is False
    assert config["displayModeBar"] is False


def test_charts_say_what_they_show():
    """A chart carries its sentence for those who cannot see it."""
    made = as_json(parts.chart("t-g", {"data": [], "layout": {}}, "Rose from 50 to 60"))
    assert '"aria-label": "Rose from 50 to 60"' in made
    assert '"role": "img"' in made


def test_every_status_has_its_own_shape():
    """No two kinds of status share an icon, so colour never stands alone."""
    assert len(set(parts.CHIP_ICONS.values())) == len(parts.CHIP_ICONS)
    severities = ["critical", "high", "medium", "low"]
    assert len({parts.SEVERITY[s][0] for s in severities}) == 4


@pytest.mark.parametrize(
    ("value", "kind"),
    [(None, "unknown"), (39, "bad"), (76, "bad"), (45, "watch"), (70, "watch")],
)
def test_gauge_verdict_outside_the_band(value, kind):
    """A value outside its band or limits, or no value, is not fine."""
    assert verdict(value, BAND)[0] == kind


def test_gauge_verdict_inside_and_without_band():
    """Inside the band is fine; without a stated band nobody can tell."""
    assert verdict(60, BAND) == ("good", "Normal")
    assert verdict(60, Band(0, 100))[0] == "unknown"


@pytest.mark.parametrize("prefs", [PREFS, US])
@pytest.mark.parametrize("value", [None, -5.0, 58.5, 500.0])
def test_gauge_figures_are_valid_and_small(prefs, value):
    """Plotly accepts the figure of any value, and it stays below 4 kB."""
    figure = bullet(Gauge("temperature_c", value, NOW, BAND, 60.0), prefs)
    assert Figure(figure).data[1].x[0] == (60.0 if prefs is PREFS else 140.0)
    assert len(json.dumps(figure)) < 4000


def test_gauge_bar_stays_on_its_scale():
    """A value beyond the scale fills the track and does not leave it."""
    bar = bullet(Gauge("temperature_c", 500.0, NOW, BAND), PREFS)["data"][0]
    assert bar["base"] + bar["x"][0] == 90


def test_gauge_limits_are_told_in_words():
    """Target, band and limits are readable without seeing the colours."""
    gauge = Gauge("temperature_c", 58.5, NOW, BAND, 60.0)
    said = limits_sentence(gauge, PREFS).replace("\u00a0", " ")
    assert said == "Target 60 °C · normal 50 to 65 · alarm below 40 or above 75 °C"
    made = as_json(gauge_card(gauge, PREFS, NOW, "t-gauge"))
    assert "58.5" in made
    assert "just now" in made


def test_sparkline_breaks_at_a_gap():
    """A missing value ends the line, and the next one starts another."""
    drawing = unquote(sparkline([1, 2, None, 3, 4], "Last day", "dark").src)
    assert drawing.count("M") == 2
    assert unquote(sparkline([], "Last day", "dark").src).count("path") == 0
    assert sparkline([None], "Last day", "dark").alt == "Last day: no data"


def test_device_header_keeps_tab_and_range():
    """Links to tabs and neighbours keep the tab and the time range."""
    made = device_header(view(), "?from=now-14d&to=now&page=3")
    assert "/heaters/a/history?from=now-14d&to=now" in made
    assert "/heaters/c/history?from=now-14d&to=now" in made
    assert "/heaters/b/details?from=now-14d&to=now" in made
    assert "page=3" not in made


def test_device_header_shows_how_old_and_how_real_the_data_is():
    """Status, age and the simulated badge are in the header."""
    made = device_header(view())
    assert "Online" in made
    assert "4 min ago" in made
    assert "simulated" in made
    assert "simulated" not in device_header(view(simulated=False))


def test_header_of_the_first_and_of_an_unlisted_device():
    """Without a neighbour there is no link to one."""
    first = device_header(view(device_id="a"))
    assert "/heaters/b/history" in first
    assert first.count("aria-disabled") == 1
    assert device_header(view(options=())).count("aria-disabled") == 2


def test_deactivated_device_says_so():
    """A device that takes no commands carries that in its header."""
    assert "Deactivated" in device_header(view(life_cycle="inactive"))


def test_frame_has_landmarks_and_a_real_sign_out_form():
    """Main, header, navigation and skip link exist; signing out is a form."""
    made = as_json(shell.frame(TABS, PREFS, name="ada", role="Viewer", demo=True))
    for part in ('"type": "Main"', '"type": "Header"', '"type": "Nav"', "skip-link"):
        assert part in made
    assert '"action": "/logout"' in made
    assert "Demo:" in made
    assert "Demo:" not in as_json(shell.frame(TABS, PREFS))


def test_range_bar_marks_the_range_of_the_address():
    """The preset in the address is marked; a range of dates fills the picker."""
    made = ranges.range_bar("t", "/heaters", "?from=now-14d&to=now&x=1", PREFS)
    assert [i.children[0] for i in made.children[0].children if i.children[1]] == [
        "14 days"
    ]
    berlin = Preferences(time_zone="Europe/Berlin")
    search = "?from=2026-10-31T23:00:00Z&to=2026-11-04T23:00:00Z"
    picker = ranges.range_bar("t", "/heaters", search, berlin).children[1].children[1]
    assert (picker.start_date, picker.end_date) == ("2026-11-01", "2026-11-04")


@pytest.mark.parametrize("search", ["?from=%00&to=x", "?from=2026-13-40&to=", "?from="])
def test_range_bar_survives_any_address(search):
    """A range that cannot be read leaves the picker empty."""
    picker = ranges.range_bar("t", "/heaters", search, PREFS).children[1].children[1]
    assert picker.start_date is None


def test_tables_have_captions_and_scroll_on_their_own():
    """A table names its content and can be scrolled by keyboard."""
    made = parts.data_table("Heaters", ["Name", "°C"], [["a", "1"]], numeric={1})
    assert made.tabIndex == 0
    assert '"scope": "col"' in as_json(made)


def test_an_error_names_its_reference():
    """An error state carries the number to quote."""
    assert "a1b2c3" in as_json(parts.error_state("It failed.", "a1b2c3"))
