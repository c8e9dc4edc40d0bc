"""The Operations tab in a real browser: live values, live chart, both widths."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from app import create_app
from bootstrap import build
from dashboards.registry import heater_tab
from data.records import Band, Device
from tests.conftest import NOW, SYSTEM, readings
from tests.identity import PASSWORD, open_identity

pytestmark = pytest.mark.browser

TAB = heater_tab("operations", "Operations", "device.read")
PAGE = "/heaters/wh-1/operations"
PLOT = "#operations-chart .js-plotly-plot"


def reading(minutes_ago=0, minutes=1, **columns):
    """Readings every minute, the last ``minutes_ago`` before now."""
    start = NOW - timedelta(minutes=minutes_ago + minutes - 1)
    plain = {"temperature_c": 55.0, "target_temperature_c": 60.0, "power_w": 2950.0}
    return readings("wh-1", start, minutes, **(plain | columns))


@pytest.fixture
def site(stores, dash_duo):
    """A browser that vera has signed in with, on a heater with an hour of readings."""
    bands = {"temperature_c": Band(0, 90, 45, 67, 35, 73)}
    stores.add(Device(id="wh-1", name="Boiler A", bands=bands))
    stores.telemetry.accept(SYSTEM, reading(minutes_ago=1, minutes=60))
    with open_identity(stores.settings, stores.clock) as identity:
        services = dataclasses.replace(
            build(stores.settings, stores.clock), accounts=identity.accounts
        )
        dash_duo.start_server(
            create_app(stores.settings, services, (TAB,)), navigate=False
        )
        dash_duo.driver.get(f"{dash_duo.server.url}/login?next={PAGE}")
        dash_duo.find_element("#login-username").send_keys("vera")
        dash_duo.find_element("#login-password").send_keys(PASSWORD, Keys.ENTER)
        dash_duo.wait_for_text_to_equal("#operations-temperature-number", "55.0")
        yield dash_duo
        services.close()


def until(site, condition) -> None:
    """Wait for something that the page does by itself."""
    WebDriverWait(site.driver, 20).until(lambda _: condition())


def drawn(site, what):
    """A value of the live chart as it is drawn."""
    script = f"return document.querySelector('{PLOT}').{what}"
    return site.driver.execute_script(script)


def test_new_reading_reaches_gauge_and_chart(site, stores):
    """Value, bar and line follow a reading without the page being loaded again."""
    until(site, lambda: drawn(site, "data[0].x.length") == 60)
    stores.clock.forward(seconds=30)
    stores.telemetry.accept(SYSTEM, reading(temperature_c=56.5))
    site.wait_for_text_to_equal("#operations-temperature-number", "56.5")
    until(site, lambda: drawn(site, "data[0].x.length") == 61)
    assert drawn(site, "data[0].y[60]") == 56.5
    bar = "document.querySelector('#operations-temperature .js-plotly-plot')"
    assert site.driver.execute_script(f"return {bar}.data[0].x[0]") == 56.5
    until(site, lambda: drawn(site, "layout.xaxis.range[1]")[11:19] == "12:00:30")
    assert site.get_logs() == []


def test_page_goes_stale_and_comes_back_by_itself(site, stores):
    """Silence greys the page and names its age; the next reading ends that."""
    stores.clock.forward(minutes=4)
    site.wait_for_text_to_equal("#operations-temperature-age", "5 min ago")
    site.wait_for_class_to_equal("#operations-temperature-box", "live-gauge stale")
    site.wait_for_contains_text("#operations-machine-value", "Late")
    late = reading(minutes_ago=-4, temperature_c=888.8)
    stores.telemetry.accept(SYSTEM, late)
    site.wait_for_contains_text("#operations-machine-value", "Online")
    site.wait_for_contains_text("#operations-temperature-age", "Flagged: sensor fault")
    assert site.get_logs() == []


@pytest.mark.parametrize("size", [(1440, 900), (390, 844)])
def test_page_fits_its_window(site, size):
    """Nothing makes the page scroll sideways."""
    width, height = size
    site.driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False},
    )
    site.driver.get(site.server.url + PAGE)
    site.wait_for_element(PLOT + " .main-svg")
    wide = "return document.documentElement.scrollWidth"
    until(site, lambda: site.driver.execute_script(wide) <= width)
    assert site.get_logs() == []
