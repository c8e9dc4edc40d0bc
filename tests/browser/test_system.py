"""The System tab in a real browser, on a screen and on a telephone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from selenium.webdriver.common.keys import Keys

from data.talk_records import RejectedMessage
from tests.browser.test_fleet import until
from tests.callbacks.test_system import TABS
from tests.conftest import NOW
from tests.identity import PASSWORD
from tests.portal import open_portal

pytestmark = pytest.mark.browser
PICTURES = os.environ.get("ADMIN_PICTURES")


def picture(site, name: str) -> None:
    """Keep what is on the screen, where somebody asked for it."""
    if PICTURES:
        site.driver.save_screenshot(str(Path(PICTURES) / f"{name}.png"))


@pytest.fixture
def site(stores, dash_duo):
    """A browser that ada has signed in with; the worker and a broken device spoke."""
    with open_portal(stores, TABS) as portal:
        facts = {
            "connected": True, "broker": "127.0.0.1:1883", "waiting": 0,
            "received": 48_210, "stored": 47_990, "rejected": 3, "problem": "",
            "last_commit_ms": 8.4, "unknown": {"humidity": 12},
        }  # fmt: skip
        stores.links.put_status("mqtt", facts, NOW)
        refused = [
            RejectedMessage(NOW, f"iot/v1/wh-{i}/telemetry", "it is not JSON in UTF-8",
                            b'{"temperature_c": 5' + bytes([255]) * 40, 59)
            for i in range(12)
        ]  # fmt: skip
        with stores.device_store.transaction() as tx:
            stores.links.reject(tx, refused)
        dash_duo.start_server(portal.app, navigate=False)
        dash_duo.driver.get(dash_duo.server.url + "/login?next=/admin/system")
        dash_duo.find_element("#login-username").send_keys("ada")
        dash_duo.find_element("#login-password").send_keys(PASSWORD, Keys.ENTER)
        dash_duo.wait_for_text_to_equal("h1", "Administration")
        dash_duo.wait_for_element(".part-name")
        yield dash_duo


def test_an_admin_reads_how_the_installation_is(site):
    """Worker, what waits, refused messages; the rail leads there; no error."""
    text = site.find_element("#system-body").text
    for words in (
        "Talk with the broker",
        "Spoke",
        "127.0.0.1:1883",
        "iot/v1/wh-11/telemetry",
    ):
        assert words in text
    assert "Administration" in site.find_element(".rail-link.active").text
    picture(site, "system-wide")
    assert site.get_logs() == []


def test_it_fits_a_phone(site):
    """At 390 px the page is no wider than the screen; the table scrolls by itself."""
    size = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    site.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    width = "return document.documentElement.scrollWidth"
    until(site, lambda: site.driver.execute_script(width) == 390)
    picture(site, "system-phone")
