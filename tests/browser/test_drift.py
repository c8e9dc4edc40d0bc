"""The Drift tab in a real browser: map, cell, strip, choices, Python and file."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from selenium.webdriver.common.action_chains import ActionChains

from tests.browser.monitored import Site, open_monitored

pytestmark = pytest.mark.browser
PATH = "/monitoring/drift"
CHURN = f"{PATH}?model=churn&from=2026-01-05T00:00:00Z&to=2026-03-09T00:00:00Z"
WEEKS = 9
DRAWN = "#drift-map .heatmaplayer image"
MAP = "#drift-map .draglayer .xy .nsewdrag"
STRIP = "#drift-strip .draglayer .xy .nsewdrag"
DETAIL = ".drift-detail .detail-words"


@pytest.fixture(scope="module")
def portal(tmp_path_factory):
    """The application with the models churn and price."""
    with open_monitored(tmp_path_factory.mktemp("drift")) as opened:
        yield opened


def press(site, selector: str, column: int, row: int = 0, rows: int = 1) -> None:
    """Click the middle of a cell of the map or the strip."""
    plot = site.shown(site.all(selector)[0])
    x = plot.size["width"] * (column + 0.5) / WEEKS
    y = plot.size["height"] * (row + 0.5) / rows
    pointer = ActionChains(site.driver)
    pointer.move_to_element_with_offset(plot, round(x), round(y)).click().perform()


def features(site) -> list[str]:
    """The rows of the map, from the top."""
    return [name.text for name in site.all(".map-row .map-name")]


def test_a_click_on_a_cell_shows_it_whole(portal, dash_duo):
    """Feature and window of the cell are in the address, the selects and the detail."""
    site = Site(dash_duo, portal, "vera")
    site.open(CHURN, DRAWN)
    assert sorted(features(site)) == ["age", "plan"]
    second = features(site)[1]

    press(site, MAP, 4, row=1, rows=2)
    site.at(f"feature={second}")
    site.at("at=2026-02-02T00:00:00Z")
    site.until(lambda: site.chosen("#drift-feature") == second)
    site.until(lambda: site.chosen("#drift-at") == "2026-02-02T00:00:00Z")
    assert second in site.text(DETAIL)
    assert "Week of 2 Feb 2026" in site.text("#drift-verdict")
    site.driver.back()
    site.until(lambda: "Week of 2 Mar 2026" in site.text("#drift-verdict"))
    assert site.logs() == []


def test_every_click_on_the_strip_counts(portal, dash_duo):
    """A click right after the strip was drawn anew picks its window as any other."""
    site = Site(dash_duo, portal, "vera")
    site.open(CHURN, DRAWN)
    for column, day in ((6, "2026-02-16"), (2, "2026-01-19"), (3, "2026-01-26")):
        press(site, STRIP, column)
        site.at(f"at={day}")
        site.until(lambda day=day: site.chosen("#drift-at").startswith(day))
    assert site.logs() == []


def test_measure_reference_and_segment_are_chosen(portal, dash_duo):
    """Each choice is in the address and on the page, and steps back one by one."""
    site = Site(dash_duo, portal, "vera")
    site.open(CHURN, DRAWN)
    title = "#drift-map-head .card-title"

    site.choose("#drift-measure", "hellinger")
    site.at("measure=hellinger")
    site.until(lambda: site.text(title).startswith("Hellinger distance"))
    site.choose("#drift-reference", "rolling")
    site.at("reference=rolling")
    site.until(lambda: "the 4 windows before" in site.text("#drift-map-notes"))
    site.choose("#drift-segment", "region=south")
    site.at("segment=region%3Dsouth")
    rows = "#drift-verdict .place"
    site.until(lambda: "700 rows" not in site.text(rows) and site.text(rows))

    site.driver.back()
    site.until(lambda: site.chosen("#drift-segment") == "*")
    site.driver.back()
    site.until(lambda: site.chosen("#drift-reference") == "pinned")
    assert site.chosen("#drift-measure") == "hellinger"
    assert site.logs() == []


def test_the_same_as_python_and_as_a_file(portal, dash_duo):
    """The snippet names the query; the file has a row for every cell of the map."""
    site = Site(dash_duo, portal, "vera")
    site.open(f"{CHURN}&measure=ks", DRAWN)
    site.click(".drift-python summary")
    site.until(lambda: "churn" in site.text(".drift-python pre"))
    assert "ks" in site.text(".drift-python pre")

    site.click("#drift-map-head a[href*=csv]")
    folder = Path(dash_duo.download_path)
    site.until(lambda: [*folder.glob("*.csv")])
    (file,) = folder.glob("*.csv")
    lines = [*csv.reader(file.read_text("utf-8-sig").splitlines())]
    cells = len(features(site)) * len(site.all("#drift-at option[value^='20']"))
    assert len(lines) - 1 == cells == 2 * WEEKS
    assert {name for line in lines for name in line} >= set(features(site))
    assert site.logs() == []


def test_it_fits_a_phone_and_says_what_is_not_there(portal, dash_duo):
    """At 390 pixels the page fits; hours get their range; no model leads on."""
    site = Site(dash_duo, portal, "vera")
    site.phone()
    site.open(CHURN, DRAWN)
    assert site.width() <= 390
    site.choose("#drift-window", "hour")
    site.at("window=hour")
    site.open(f"{PATH}?model=churn", DRAWN)
    site.choose("#drift-window", "hour")
    site.at("from=now-7d")

    site.open(f"{PATH}?model=nobody", ".state-error")
    assert "There is no model nobody" in site.text(".state-error")
    assert site.text(".state-way") == "Choose a model"
    site.open(PATH, "#drift-body .state")
    assert "python cli.py reference set" in site.text("#drift-body")
    assert site.width() <= 390
    assert site.logs() == []
