"""The History tab in a real browser: draw, zoom, back, compare, empty log."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path

import pytest
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from dashboards.registry import heater_tab
from tests.conftest import NOW, SYSTEM
from tests.identity import PASSWORD
from tests.portal import SAMPLES, open_portal
from tests.services.test_history import lively

pytestmark = pytest.mark.browser
TABS = (*SAMPLES, heater_tab("history", "History", "device.read"))
PLOT = "#history-chart .draglayer .xy .nsewdrag"
STALE = (StaleElementReferenceException,)
DRAWN = "#history-chart .main-svg"


@pytest.fixture
def site(stores, dash_duo):
    """A browser that vera has signed in with; wh-1 has a month of readings."""
    with open_portal(stores, TABS) as portal:
        frame = lively(NOW - timedelta(days=31), 31 * 1440)
        stores.telemetry.accept_bulk(SYSTEM, frame)
        stores.flush()
        dash_duo.start_server(portal.app, navigate=False)
        dash_duo.driver.get(dash_duo.server.url + "/login")
        dash_duo.find_element("#login-username").send_keys("vera")
        dash_duo.find_element("#login-password").send_keys(PASSWORD, Keys.ENTER)
        dash_duo.wait_for_text_to_equal("h1", "Water heaters")
        yield dash_duo


def until(site, condition) -> None:
    """Wait for something that the page does by itself."""
    WebDriverWait(site.driver, 15, ignored_exceptions=STALE).until(
        lambda _: condition()
    )


def card_title(site) -> str:
    """The range in words above the charts."""
    return site.find_element(".history-card h2").text


def whole_range(site):
    """Whether the address names the range before the zoom, within a second."""
    for _ in range(10):
        if site.driver.current_url.endswith("?from=now-7d&to=now"):
            return True
        time.sleep(0.1)
    return False


def test_zoom_back_double_click_and_links(site):
    """A zoom is in the address, the back button undoes it, a double click as well."""
    site.driver.get(site.server.url + "/heaters/wh-1/history")
    site.wait_for_element(DRAWN)
    whole = card_title(site)
    assert "(7 d)" in whole

    plot = site.find_element(PLOT)
    drag = ActionChains(site.driver).move_to_element_with_offset(plot, 400, 50)
    drag.click_and_hold().move_by_offset(150, 0).move_by_offset(100, 0).release()
    drag.perform()
    until(site, lambda: "out=now-7d,now" in site.driver.current_url)
    until(site, lambda: card_title(site) != whole)

    site.driver.back()
    until(site, lambda: card_title(site) == whole)
    site.driver.forward()
    until(site, lambda: card_title(site) != whole)
    plot = site.find_element(PLOT)
    for _ in range(5):  # two clicks count as one double click within 300 ms only
        place = ActionChains(site.driver).move_to_element_with_offset(plot, 300, 50)
        place.double_click().perform()
        if whole_range(site):
            break
    assert whole_range(site)
    until(site, lambda: card_title(site) == whole)

    site.find_element(".actions .action").click()
    until(site, lambda: "compare=previous" in site.driver.current_url)
    until(site, lambda: "Compared with" in site.find_element(".history-notes").text)
    assert site.get_logs() == []


def test_the_crosshair_reads_every_chart(site):
    """Pointing at one chart names the values of all of them at that time."""
    site.driver.get(site.server.url + "/heaters/wh-1/history?from=now-24h&to=now")
    site.wait_for_element(DRAWN)
    plot = site.find_element(PLOT)
    ActionChains(site.driver).move_to_element_with_offset(plot, 500, 60).perform()
    until(site, lambda: site.driver.find_elements(By.CSS_SELECTOR, ".hoverlayer text"))
    words = site.find_element("#history-chart .hoverlayer").text
    for name in ("Tank temperature, mean", "Energy", "Pressure, mean", "Flow, highest"):
        assert name in words
    assert site.get_logs() == []


def test_the_files_are_downloaded(site):
    """Both exports are saved under names of the device and the range."""
    site.driver.get(site.server.url + "/heaters/wh-1/history?from=now-24h&to=now")
    site.wait_for_element(DRAWN)
    for link in site.driver.find_elements(By.CSS_SELECTOR, ".actions a[href*=csv]"):
        link.click()
    folder = Path(site.download_path)
    names = {f"wh-1_{part}_20260309T1200_20260310T1200.csv"
             for part in ("readings", "energy")}  # fmt: skip
    until(site, lambda: names <= {file.name for file in folder.iterdir()})
    lines = (folder / min(names)).read_text("utf-8").splitlines()
    assert lines[0] == "from (UTC),to (UTC),energy (kWh)"
    assert len(lines) == 25


def test_nothing_is_wider_than_a_phone(site):
    """At 390 pixels the page fits, drawn and empty."""
    site.driver.set_window_size(500, 900)
    site.driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True},
    )
    for address in ("/heaters/wh-1/history?compare=previous", "/heaters/wh-2/history"):
        site.driver.get(site.server.url + address)
        site.wait_for_element("#history-body .panel, #history-body .state")
        wide = site.driver.execute_script("return document.documentElement.scrollWidth")
        assert wide <= 390
    assert site.get_logs() == []


def test_switching_to_the_tab_keeps_the_range(site):
    """The click on the tab draws the thirty days that the address named before."""
    site.driver.get(site.server.url + "/heaters/wh-1/operations?from=now-30d&to=now")
    site.wait_for_element("#operations-chart .main-svg")
    site.wait_for_element(".tab-link[href*='/history']")
    site.find_element(".tab-link[href*='/history']").click()
    site.wait_for_element(DRAWN)
    assert "(30 d)" in card_title(site)
    assert site.get_logs() == []
