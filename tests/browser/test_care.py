"""Plan, maintenance, ledger and bulk commands in a real browser."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import pytest

from tests.browser.test_fleet import pressed, site, typed, until

__all__ = ["site"]
pytestmark = pytest.mark.browser
CARE = "#details-care"


def shot(site, name: str) -> None:
    """Keep pictures of both widths where somebody wants to look."""
    folder = os.environ.get("IOTSPHERE_LOOK")
    if not folder:
        return
    for width, height in ((1440, 900), (390, 844)):
        site.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False},
        )
        picture = site.driver.execute_cdp_cmd(
            "Page.captureScreenshot", {"captureBeyondViewport": True}
        )

        Path(folder, f"{name}-{width}.png").write_bytes(
            base64.b64decode(picture["data"])
        )
    site.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def text_of(site, selector: str) -> str:
    """What a part of the page says."""
    return site.find_element(selector).text


def test_a_plan_and_an_entry_are_written_on_details(site):
    """Rows are added and removed, a hot target asks, the week and the log show it."""
    site.driver.get(site.server.url + "/heaters/wh-1/details")
    until(site, lambda: "Legionella and scald" in text_of(site, CARE))
    shot(site, "care-empty")

    pressed(site, "#details-plan-open")
    site.wait_for_element("#details-plan-add")
    pressed(site, "#details-plan-add")
    until(site, lambda: len(site.find_elements(".plan-row")) == 2)
    typed(site, ".plan-row:first-child .input-group input", "58")
    shot(site, "plan-form")
    pressed(site, ".plan-row:last-child .plan-fields button")
    until(site, lambda: len(site.find_elements(".plan-row")) == 1)
    pressed(site, "#details-plan-save")
    until(site, lambda: "scalds" in text_of(site, "#details-plan-message"))
    pressed(site, "#details-plan-confirm")
    pressed(site, "#details-plan-save")
    until(site, lambda: "06:00 → 58.0" in text_of(site, CARE))

    pressed(site, "#details-work-open")
    site.wait_for_element("#details-work-note")
    shot(site, "work-form")
    typed(site, "#details-work-note", "New anode")
    site.driver.execute_script(
        "var s = document.querySelector('#details-work-kind');"
        "Object.getOwnPropertyDescriptor(HTMLSelectElement.prototype, 'value')"
        ".set.call(s, 'anode');"
        "s.dispatchEvent(new Event('change', {bubbles: true}))"
    )
    pressed(site, "#details-work-save")
    until(site, lambda: "New anode" in text_of(site, CARE))
    shot(site, "care-full")
    assert site.get_logs() == []


def test_a_bulk_command_is_started_and_stopped_on_fleet(site):
    """The form counts the heaters of the filter; progress shows stages; stop works."""
    site.wait_for_element("#fleet-bulk-open")
    pressed(site, "#fleet-bulk-open")
    until(site, lambda: "shows 3 heaters" in text_of(site, "#fleet-bulk-count"))
    typed(site, "#fleet-bulk-target", "50")
    until(site, lambda: "3 heaters asked" in text_of(site, "#fleet-bulk-preview"))
    shot(site, "bulk-form")
    pressed(site, "#fleet-bulk-start")
    until(site, lambda: "Tick the box" in text_of(site, "#fleet-bulk-message"))
    pressed(site, "#fleet-bulk-confirm")
    pressed(site, "#fleet-bulk-start")
    until(site, lambda: "Stage 1 of 3" in text_of(site, "#fleet-bulk-progress"))
    shot(site, "bulk-progress")
    pressed(site, "#fleet-bulk-stop")
    until(site, lambda: "Stopped: by ada" in text_of(site, "#fleet-bulk-progress"))
    pressed(site, "#fleet-bulk-close")
    until(site, lambda: not text_of(site, "#fleet-bulk-progress"))
    assert site.get_logs() == []
