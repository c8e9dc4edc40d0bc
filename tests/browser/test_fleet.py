"""The Fleet tab in a real browser: filter, register, edit, open, on a phone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from data.records import Event
from tests.callbacks.test_fleet import TABS
from tests.conftest import NOW, SYSTEM, readings
from tests.identity import PASSWORD
from tests.portal import SAMPLES, open_portal

pytestmark = pytest.mark.browser
ROWS = ".heater-row .row-link"


@pytest.fixture
def site(stores, dash_duo):
    """A browser that ada has signed in with; wh-1 has reported for an hour."""
    with open_portal(stores, (*TABS, SAMPLES[1])) as portal:
        start = NOW - timedelta(hours=1)
        frame = readings("wh-1", start, 60, temperature_c=50.0, mode="eco")
        frame["temperature_c"] += [i % 5 / 10 for i in range(60)]
        stores.telemetry.accept(SYSTEM, frame)
        with stores.device_store.transaction() as tx:
            event = Event("wh-1", NOW, "alert", "high", "Too hot for a moment")
            stores.device_store.add_events(tx, [event])
        dash_duo.start_server(portal.app, navigate=False)
        dash_duo.driver.get(dash_duo.server.url + "/login")
        dash_duo.find_element("#login-username").send_keys("ada")
        dash_duo.find_element("#login-password").send_keys(PASSWORD, Keys.ENTER)
        dash_duo.wait_for_text_to_equal("h1", "Water heaters")
        dash_duo.wait_for_element(ROWS)
        yield dash_duo


def until(site, condition) -> None:
    """Wait for something that the page does by itself."""
    WebDriverWait(site.driver, 15, ignored_exceptions=[Exception]).until(
        lambda _: condition()
    )


def names(site) -> list[str]:
    """The heaters on the page, in order."""
    return [row.text for row in site.find_elements(ROWS)]


def typed(site, selector: str, words: str) -> None:
    """Replace what a field holds."""
    field = site.find_element(selector)
    field.send_keys(Keys.CONTROL, "a")
    field.send_keys(words)


def pressed(site, selector: str) -> None:
    """Click something that may be below the screen."""
    element = site.find_element(selector)
    site.driver.execute_script("arguments[0].click()", element)


def test_filters_write_the_address_and_back_undoes_them(site):
    """Typing narrows the list, the back button and a count widen it again."""
    assert len(names(site)) == 3
    typed(site, "#fleet-text", "boiler wh-2")
    until(site, lambda: names(site) == ["Boiler B"])
    assert "q=boiler%20wh-2" in site.driver.current_url

    site.driver.back()
    until(site, lambda: len(names(site)) == 3)
    until(site, lambda: not site.find_element("#fleet-text").get_attribute("value"))

    site.find_element(".count[href*='state=inactive']").click()
    site.wait_for_text_to_equal(".state-title", "No heater passes these filters")
    site.find_element(".state .btn").click()
    until(site, lambda: len(names(site)) == 3)
    site.find_element(".sort-link[href*='sort=name']").click()
    until(site, lambda: names(site) == ["Boiler A", "Boiler B", "Boiler C"])
    assert site.get_logs() == []


def test_a_heater_is_registered_edited_and_opened(site):
    """Errors stand at their fields; then the heater is in the list and opens."""
    site.find_element(".btn-primary[href*='register=1']").click()
    site.wait_for_element("#fleet-form-save")
    typed(site, "#fleet-field-id", "wh 9")
    site.find_element("#fleet-form-save").click()
    until(site, lambda: "1 to 64" in site.find_element("#fleet-error-id").text)
    assert site.find_element("#fleet-error-name").text

    typed(site, "#fleet-field-id", "wh-9")
    typed(site, "#fleet-field-name", "Attic")
    site.find_element("#fleet-form-save").click()
    until(site, lambda: "Attic" in names(site))
    until(site, lambda: "register" not in site.driver.current_url)
    until(site, lambda: "Attic is registered" in site.find_element(".toasts").text)

    site.find_element(".row-action[href*='edit=wh-9']").click()
    until(site, lambda: "Edit Attic" in site.find_element(".drawer").text)
    site.find_element(".drawer .btn-close").click()
    until(site, lambda: "edit" not in site.driver.current_url)

    pressed(site, ROWS + "[href*='wh-9']")
    until(site, lambda: site.driver.current_url.endswith("/heaters/wh-9/operations"))
    assert site.get_logs() == []


def test_rows_are_cards_on_a_phone(site):
    """At 390 px nothing is wider than the screen and every cell has its title."""
    size = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    site.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    width = "return document.documentElement.scrollWidth"
    until(site, lambda: site.driver.execute_script(width) == 390)
    row = site.find_element(".heater-row")
    label = "return getComputedStyle(arguments[0], '::before').content"
    cells = row.find_elements(By.TAG_NAME, "td")

    assert site.driver.execute_script(label, cells[2]) == '"Tank / target"'
    assert not site.find_element(".fleet-table thead").is_displayed()
