"""The Reports tab in a real browser: a PDF is made, downloaded and read."""

from __future__ import annotations

import io
import os
import time
from pathlib import Path

import pytest
from pypdf import PdfReader
from selenium.webdriver.common.keys import Keys

from dashboards.registry import TABS
from services.access import Principal, Role
from services.fleet import FleetQuery
from tests.browser.test_fleet import until
from tests.identity import PASSWORD
from tests.portal import open_portal
from workers.reports import ReportLoop

pytestmark = pytest.mark.browser
PICTURES = os.environ.get("REPORT_PICTURES")
REPORTS = tuple(tab for tab in TABS if tab.key == "reports")
ADA = Principal("ada", Role.ADMIN)


def picture(site, name: str) -> None:
    """Keep what is on the screen, where somebody asked for it."""
    if PICTURES:
        site.driver.save_screenshot(str(Path(PICTURES) / f"{name}.png"))


@pytest.fixture
def site(stores, dash_duo, tmp_path):
    """A browser that ada has signed in with, on the report on the fleet."""
    with open_portal(stores, REPORTS) as portal:
        dash_duo.portal = portal
        dash_duo.folder = tmp_path / "downloads"
        dash_duo.folder.mkdir()
        dash_duo.start_server(portal.app, navigate=False)
        where = {"behavior": "allow", "downloadPath": str(dash_duo.folder)}
        dash_duo.driver.execute_cdp_cmd("Page.setDownloadBehavior", where)
        page = "/monitoring/reports%3Ftemplate=fleet%26from=now-1d/d%26to=now/d"
        dash_duo.driver.get(f"{dash_duo.server.url}/login?next={page}")
        dash_duo.find_element("#login-username").send_keys("ada")
        dash_duo.find_element("#login-password").send_keys(PASSWORD, Keys.ENTER)
        dash_duo.wait_for_element("#reports-sections input")
        yield dash_duo


def make_all(site) -> None:
    """What the worker does: make what waits."""
    loop = ReportLoop(site.portal.services.reports)
    deadline = time.monotonic() + 30
    loop.step()
    while not loop.idle():
        assert time.monotonic() < deadline, "the report does not end"
        time.sleep(0.05)


def test_a_pdf_is_made_and_downloaded(site):
    """Press, wait, download: a PDF that names every heater, as the preview does."""
    site.wait_for_text_to_equal(
        "#reports-template option:checked", "Fleet of water heaters"
    )
    site.find_element("#reports-make-pdf").click()
    site.wait_for_contains_text("#reports-runs", "Waiting")
    make_all(site)
    site.wait_for_element(".report-download", timeout=20).click()
    until(site, lambda: list(site.folder.glob("*.pdf")))
    (file,) = site.folder.glob("*.pdf")

    reader = PdfReader(io.BytesIO(file.read_bytes()))
    text = " ".join(page.extract_text() for page in reader.pages)
    rows = site.portal.services.fleet.found(ADA, FleetQuery())
    assert rows
    for row in rows:
        assert row.name in text
    assert file.name.startswith("fleet_")

    site.find_element("#reports-preview").click()
    site.wait_for_element(".report-preview", timeout=20)
    shown = site.find_element(".report-preview").text
    for row in rows:
        assert row.name in shown
    picture(site, "reports-wide")
    assert site.get_logs() == []


def named(site) -> str:
    """What the name's box holds; it is filled anew while the drawer still comes in."""
    box = site.find_element("#reports-schedule-name")
    if box.get_attribute("value") != "Weekly fleet":
        box.clear()
        box.send_keys("Weekly fleet")
        time.sleep(0.5)
    return box.get_attribute("value")


def saved(site) -> bool:
    """Whether the list has it; else the button of a drawer that moved is pressed."""
    if "Weekly fleet" not in site.find_element("#reports-schedules").text:
        site.find_element("#reports-schedule-save").click()
        time.sleep(2.0)
    return "Weekly fleet" in site.find_element("#reports-schedules").text


def test_a_schedule_is_added_and_shows_when_it_comes(site):
    """The drawer makes a schedule of the form; the list shows its next time."""
    site.wait_for_element("#reports-schedule-add").click()
    site.wait_for_element("#reports-schedule-name")
    until(site, lambda: named(site) == "Weekly fleet")
    until(site, lambda: saved(site))

    assert "Every Monday at 06:00" in site.find_element("#reports-schedules").text
    assert "16 Mar 2026, 06:00 UTC" in site.find_element("#reports-schedules").text


def test_it_fits_a_phone(site):
    """At 390 px the page is no wider than the screen."""
    size = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    site.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    width = "return document.documentElement.scrollWidth"
    until(site, lambda: site.driver.execute_script(width) == 390)
    picture(site, "reports-phone")
