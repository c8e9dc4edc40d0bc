"""The frame in a real browser: links, header, menu, both widths, empty log."""

from __future__ import annotations

import pytest
from selenium.common.exceptions import (
    ElementClickInterceptedException,
    ElementNotInteractableException,
)
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from tests.identity import PASSWORD
from tests.portal import open_portal

pytestmark = pytest.mark.browser


@pytest.fixture
def site(stores, dash_duo):
    """A browser that vera has signed in with, on the list of heaters."""
    with open_portal(stores) as portal:
        dash_duo.start_server(portal.app, navigate=False)
        dash_duo.driver.get(dash_duo.server.url + "/login")
        dash_duo.find_element("#login-username").send_keys("vera")
        dash_duo.find_element("#login-password").send_keys(PASSWORD, Keys.ENTER)
        dash_duo.wait_for_text_to_equal("h1", "Water heaters")
        yield dash_duo


def until(site, condition) -> None:
    """Wait for something that the page does by itself."""
    WebDriverWait(site.driver, 15).until(lambda _: condition())


def width(site) -> int:
    """How wide the page is; more than the window means scrolling sideways."""
    return site.driver.execute_script("return document.documentElement.scrollWidth")


def test_going_from_the_list_to_a_device_and_back(site):
    """Links, titles and the back button work without loading the page again."""
    until(site, lambda: site.driver.title == "Fleet · IoTSphere")
    site.driver.execute_script("window.sameDocument = true")
    site.wait_for_element("#fleet-body a").click()
    site.wait_for_text_to_equal("h1", "Boiler A")
    until(site, lambda: site.driver.title == "Operations · Boiler A · IoTSphere")
    site.wait_for_element("#operations-chart .main-svg")
    site.driver.back()
    site.wait_for_text_to_equal("h1", "Water heaters")
    assert site.driver.execute_script("return window.sameDocument")
    assert site.get_logs() == []


def test_range_and_device_are_in_the_address(site):
    """A preset and another device change the address, and the page follows."""
    site.driver.get(site.server.url + "/heaters/wh-1/operations")
    site.wait_for_text_to_equal(
        "#operations-drawn-for", "Boiler A /heaters/wh-1/operations"
    )
    presets = site.driver.find_elements(By.CSS_SELECTOR, ".preset")
    next(p for p in presets if p.text.startswith("14")).click()
    site.wait_for_contains_text("#operations-drawn-for", "?from=now-14d&to=now")
    until(site, lambda: "14 days" in site.find_element(".preset.active").text)
    site.find_element("#shell-switch").click()
    site.wait_for_element(".dash-dropdown-search").send_keys("Boiler C")
    site.driver.switch_to.active_element.send_keys(Keys.ARROW_DOWN, Keys.ENTER)
    site.wait_for_text_to_equal(
        "#operations-drawn-for",
        "Boiler C /heaters/wh-3/operations?from=now-14d&to=now",
    )
    assert site.get_logs() == []


def choose(site, group, place):
    """Click one of several choices, again while its menu is still on its way in."""

    def clicked():
        inputs = site.find_element(group).find_elements(By.CSS_SELECTOR, "input")
        try:
            inputs[place].click()
        except (ElementNotInteractableException, ElementClickInterceptedException):
            return False
        return True

    until(site, clicked)


def test_units_and_theme_change_without_loading_the_page(site):
    """A choice in the menu is drawn at once, in the same document."""
    site.driver.get(site.server.url + "/heaters/wh-1/operations")
    site.wait_for_text_to_equal("#operations-t", "58.5 °C")
    site.driver.execute_script("window.sameDocument = true")
    site.find_element("#shell-open-menu").click()
    site.wait_for_element("#shell-theme")
    choose(site, "#shell-theme", 1)
    light = "rgba(244, 246, 248, 1)"
    body = site.find_element("body")
    until(site, lambda: body.value_of_css_property("background-color") == light)
    choose(site, "#shell-temperature", 1)
    site.wait_for_text_to_equal("#operations-t", "137.4 °F")
    assert site.driver.execute_script("return window.sameDocument")
    assert site.get_logs() == []


def test_a_phone_shows_everything_without_scrolling_sideways(site):
    """At 390 px nothing is wider than the screen and targets are 44 px high."""
    size = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    site.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    for path in ("/heaters", "/heaters/wh-1/operations"):
        site.driver.get(site.server.url + path)
        site.wait_for_element(".page a, .page svg")
        assert width(site) <= 390
    low = site.driver.execute_script(
        "return [...document.querySelectorAll('a, button')].filter("
        "e => e.offsetParent && !e.closest('.skip-link') && "
        "e.getBoundingClientRect().height < 44).map(e => e.outerHTML)"
    )
    assert low == []
    assert site.get_logs() == []


def test_a_session_that_ends_leads_to_the_sign_in(site):
    """When the session is over, the open page goes to the sign-in by itself."""
    site.driver.delete_all_cookies()
    site.wait_for_element("#fleet-body a").click()
    site.wait_for_element("#login-username")
    assert "next=/heaters" in site.driver.current_url


def test_signing_out_is_a_form(site):
    """Signing out from the menu ends at the sign-in page."""
    site.find_element("#shell-open-menu").click()
    site.wait_for_element(".sign-out button").click()
    site.wait_for_element("#login-username")
    assert "/login" in site.driver.current_url
