"""The Notifications tab in a real browser, on a screen and on a telephone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from selenium.webdriver.common.keys import Keys

from data.report_records import Parcel, Try
from services.notify_routes import RouteDraft
from tests.browser.test_fleet import until
from tests.callbacks.test_notifications import TABS
from tests.conftest import ADMIN, NOW
from tests.identity import PASSWORD
from tests.portal import open_portal
from workers.outbox import LEASE

pytestmark = pytest.mark.browser
PICTURES = os.environ.get("ADMIN_PICTURES")
LONG = "facility-management-duty-roster@maintenance.west-campus.example"


def picture(site, name: str) -> None:
    """Keep what is on the screen, where somebody asked for it."""
    if PICTURES:
        site.driver.save_screenshot(str(Path(PICTURES) / f"{name}.png"))


def fill(services) -> None:
    """Two routes, a delivery that arrived and one that failed."""
    quiet = {"start": "22:00", "end": "07:00", "zone": "Europe/Berlin"}
    duty = {"targets": ["duty@plant.example", LONG], "severities": ["critical", "high"]}
    services.notifications.routes.save(ADMIN, RouteDraft("Duty", "mail", duty))
    owner = {"targets": ["ml@plant.example"], "sources": ["model"], "quiet": quiet,
             "digest_minutes": 60}  # fmt: skip
    services.notifications.routes.save(ADMIN, RouteDraft("Model owners", "mail", owner))
    outbox = services.notifications._outbox
    for target, said in (
        (LONG, "550 5.1.1 No such user here"),
        ("duty@plant.example", ""),
    ):
        with outbox.transaction() as tx:
            words = "[HIGH] Boiler room: Too hot raised"
            outbox.put(tx, Parcel(f"k:{target}", "mail", target, words, {}, NOW, NOW,
                                  route_id=1))  # fmt: skip
        claimed = outbox.claim(outbox.page(state="waiting"), NOW, NOW + LEASE)
        attempt = Try(0, NOW, not said, said or "taken by the mail server", 143)
        if said:
            outbox.failed(claimed, attempt, None)
        else:
            outbox.done(claimed, attempt)


@pytest.fixture
def site(stores, dash_duo):
    """A browser that ada has signed in with."""
    with open_portal(stores, TABS) as portal:
        fill(portal.services)
        dash_duo.start_server(portal.app, navigate=False)
        dash_duo.driver.set_window_size(1440, 900)
        dash_duo.driver.get(dash_duo.server.url + "/login?next=/admin/notifications")
        dash_duo.find_element("#login-username").send_keys("ada")
        dash_duo.find_element("#login-password").send_keys(PASSWORD, Keys.ENTER)
        dash_duo.wait_for_element("#notifications-routes tbody tr", timeout=20)
        dash_duo.wait_for_element("#notifications-log tbody tr", timeout=20)
        yield dash_duo


def press(site, selector: str) -> None:
    """Click where the page may have to scroll first."""
    element = site.wait_for_element(selector, timeout=20)
    site.driver.execute_script("arguments[0].click()", element)


def test_a_route_is_added_tried_and_its_failure_tried_again(site):
    """A wrong address is told beside its field, a right one closes the form."""
    picture(site, "notifications-wide")
    press(site, "#notifications-routes .btn-primary")
    site.wait_for_element("#notifications-field-name", timeout=20).send_keys("Night")
    targets = site.find_element("#notifications-field-targets")
    targets.send_keys("nobody")
    press(site, "#notifications-form-save")
    error = "#notifications-error-targets"
    until(site, lambda: "no mail address" in site.find_element(error).text)
    picture(site, "notifications-form")
    targets.send_keys("@plant.example")
    press(site, "#notifications-form-save")
    rows = "#notifications-routes tbody tr"
    until(site, lambda: len(site.find_elements(rows)) == 3)
    press(site, "#notifications-routes .route-actions button")
    site.wait_for_contains_text("#notifications-said", "SMTP_HOST", timeout=20)
    picture(site, "notifications-tested")
    press(site, "#notifications-log button:not([hidden])")
    log = "#notifications-log .delivery-states"
    until(site, lambda: "Waiting 1" in site.find_element(log).text)

    assert site.get_logs() == []


def test_it_fits_a_phone(site):
    """At 390 px neither the lists nor the form are wider than the screen."""
    size = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    site.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    width = "return document.documentElement.scrollWidth"
    until(site, lambda: site.driver.execute_script(width) == 390)
    picture(site, "notifications-phone")
    press(site, "#notifications-routes .route-actions a")
    site.wait_for_element("#notifications-field-name", timeout=20)
    until(site, lambda: site.driver.execute_script(width) == 390)
    picture(site, "notifications-form-phone")
