"""The Details tab in a real browser: units kept for the person, events filtered."""

from __future__ import annotations

import pytest

from tests.browser.test_fleet import pressed, site, until

__all__ = ["site"]
pytestmark = pytest.mark.browser


def test_details_switch_units_and_filter_events(site):
    """°F is kept for the person and redraws; the event filter is in the address."""
    site.driver.get(site.server.url + "/heaters/wh-1/details")
    site.wait_for_element(".details-tiles")
    tile = ".details-tiles .tile-value"
    assert "°C" in site.find_element(tile).text

    site.find_element(".unit-switch .form-check:last-child input").click()
    until(site, lambda: "°F" in site.find_element(tile).text)
    site.driver.refresh()
    until(site, lambda: "°F" in site.find_element(tile).text)

    pressed(site, ".presets a[href*='category=alert']")
    until(site, lambda: "Events (1)" in site.find_element("#details-body").text)
    assert "Too hot for a moment" in site.find_element("#details-body").text
    pressed(site, ".presets a[href*='category=maintenance']")
    until(site, lambda: "No event of this kind" in site.find_element("main").text)
    assert site.driver.current_url.endswith("?category=maintenance")
    assert site.get_logs() == []
