"""The Performance tab in a real browser: metric, limit, window, challenger."""

from __future__ import annotations

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from tests.browser.monitored import Site, open_monitored

pytestmark = pytest.mark.browser
PATH = "/monitoring/performance"
CHURN = f"{PATH}?model=churn&from=2026-01-05T00:00:00Z&to=2026-03-09T00:00:00Z"
DRAWN = "#performance-chart .main-svg .scatterlayer"
PLOT = "#performance-chart .draglayer .xy .nsewdrag"
TITLE = ".perf-main .card-title"
LIMIT = "#performance-value"


@pytest.fixture(scope="module")
def portal(tmp_path_factory):
    """The application with the models churn and price."""
    with open_monitored(tmp_path_factory.mktemp("performance")) as opened:
        yield opened


def test_a_tile_chooses_the_metric_and_a_click_the_window(portal, dash_duo):
    """Both are in the address, are drawn from it, and the back button undoes them."""
    site = Site(dash_duo, portal, "vera")
    site.open(CHURN, DRAWN)
    assert site.text(TITLE).startswith("Accuracy over time")
    assert site.all("#performance-save") == []
    first = site.text(".perf-picked h2")

    site.click(".perf-tile[href*='metric=auc']")
    site.until(lambda: site.text(TITLE).startswith("AUC over time"))
    site.until(lambda: site.all(DRAWN))
    assert "metric=auc" in site.driver.current_url
    assert site.chosen("#performance-metric") == "auc"

    plot = site.shown(site.all(PLOT)[0])
    ActionChains(site.driver).move_to_element(plot).click().perform()
    site.at("at=2026-02-02")
    site.until(lambda: site.text(".perf-picked h2") == "Week of 2 Feb 2026")
    assert "2 Feb 2026" in site.text(".perf-score .card-title")
    site.driver.back()
    site.until(lambda: site.text(".perf-picked h2") == first)
    site.driver.back()
    site.until(lambda: site.text(TITLE).startswith("Accuracy over time"))
    assert site.logs() == []


def test_a_limit_is_tried_and_then_saved(portal, dash_duo):
    """Typing says what the limit would have done; saved, it is there after a reload."""
    site = Site(dash_duo, portal, "otto")
    site.open(CHURN, DRAWN)
    assert site.chosen(LIMIT) == ""

    site.all(LIMIT)[0].send_keys("0.7")
    site.until(
        lambda: (
            site.text("#performance-preview")
            == "Would have fired once in the past year (of 9 windows)."
        )
    )
    site.until(lambda: site.holds("#performance-chart", "alert below 0.700"))
    site.click("#performance-save")
    site.until(lambda: "Fired once" in site.text("#performance-preview"))

    site.open(CHURN, DRAWN)
    assert site.chosen(LIMIT) == "0.7"
    site.until(lambda: site.holds("#performance-chart", "alert below 0.700"))
    box = site.all(LIMIT)[0]
    box.send_keys(Keys.CONTROL, "a")
    box.send_keys("7")
    site.until(lambda: "Fired" not in site.text("#performance-preview"))
    site.click("#performance-remove")
    site.until(lambda: site.chosen(LIMIT) == "")
    assert site.logs() == []


def test_a_challenger_is_compared_pair_by_pair(portal, dash_duo):
    """The link and the select mean the same, and comparing ends as it began."""
    site = Site(dash_duo, portal, "vera")
    site.open(CHURN, DRAWN)

    site.choose("#performance-against", "2")
    site.at("against=2")
    site.until(lambda: site.all("#performance-paired .main-svg"))
    card = site.text("#performance-body")
    assert "version 2 minus version 1" in card
    assert "over 1\u202f400 predictions that both made" in card
    site.follow("Stop comparing")
    site.until(lambda: not site.all("#performance-paired"))
    site.follow("Compare with 2")
    site.until(lambda: site.all("#performance-paired .main-svg"))
    assert site.logs() == []


def test_hours_bring_their_range_and_errors_a_way_on(portal, dash_duo):
    """Hours are shown over a week; too many windows and no model say what to do."""
    site = Site(dash_duo, portal, "vera")
    site.open(f"{PATH}?model=churn", DRAWN)
    site.choose("#performance-window", "hour")
    site.at("from=now-7d")
    site.until(lambda: site.chosen("#performance-window") == "hour")
    site.until(lambda: "7 days" in site.text(".preset.active"))

    site.open(f"{PATH}?model=churn&window=hour", ".state-error")
    assert "at most 400" in site.text(".state-error")
    site.click(".state-way a[href*='model=churn']")
    site.until(lambda: site.all(DRAWN))

    site.open(f"{PATH}?model=nobody", ".state-error")
    assert "There is no model nobody" in site.text(".state-error")
    site.click(".state-way a")
    site.until(lambda: site.all(".models-table .row-link"))
    assert site.logs() == []


def test_it_fits_a_phone(portal, dash_duo):
    """At 390 pixels the page fits, with a model and without."""
    site = Site(dash_duo, portal, "otto")
    site.phone()
    for address, drawn in ((CHURN, DRAWN), (PATH, "#performance-body .state")):
        site.open(address, drawn)
        assert site.width() <= 390
    assert "python cli.py import inferences" in site.text("#performance-body")
    assert site.logs() == []
