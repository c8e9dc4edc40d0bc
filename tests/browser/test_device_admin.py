"""Secrets, removal and lists of heaters in a real browser."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from selenium.webdriver.common.by import By

from data.records import Device
from tests.browser.test_fleet import names, pressed, site, typed, until
from tests.callbacks.test_fleet import TABS
from tests.conftest import ADMIN

__all__ = ["TABS", "site"]
pytestmark = pytest.mark.browser
SECRET = "#fleet-credential-secret"
PICTURES = os.environ.get("ADMIN_PICTURES")


def at(site, search: str) -> None:
    """Open the Fleet tab at an address."""
    site.driver.get(f"{site.server.url}/heaters{search}")


def picture(site, name: str) -> None:
    """Keep what is on the screen, where somebody asked for it."""
    if PICTURES:
        site.driver.save_screenshot(str(Path(PICTURES) / f"{name}.png"))


def phone(site) -> None:
    """Make the screen a telephone's."""
    size = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    site.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


def wide(site) -> int:
    """The width of the widest thing in the drawer beyond the drawer's own."""
    script = (
        "const d = document.querySelector('.drawer .offcanvas-body');"
        "return d.scrollWidth - d.clientWidth"
    )
    return int(site.driver.execute_script(script))


def test_a_secret_is_issued_copied_and_revoked(site, stores):
    """It stands in a field with a copy button, and is gone when the form reopens."""
    at(site, "?edit=wh-1")
    site.wait_for_element("#fleet-credential-issue")
    pressed(site, "#fleet-credential-issue")
    until(site, lambda: site.find_element(SECRET).get_attribute("value"))
    secret = site.find_element(SECRET).get_attribute("value")
    credentials = stores.links.hashes()
    assert credentials["wh-1"].startswith("$7$")
    assert len(secret) == 43
    assert not site.find_element(SECRET).get_property("disabled")
    site.driver.execute_script(
        "document.querySelector('#fleet-credential').scrollIntoView()"
    )
    picture(site, "secret-wide")
    phone(site)
    until(site, lambda: wide(site) == 0)
    site.driver.execute_script(
        "document.querySelector('#fleet-credential').scrollIntoView()"
    )
    picture(site, "secret-phone")

    at(site, "?edit=wh-1")
    site.wait_for_element("#fleet-credential-revoke")
    assert secret not in site.driver.page_source
    pressed(site, "#fleet-credential-revoke")
    until(site, lambda: "no secret" in site.find_element("#fleet-credential").text)
    assert stores.links.hashes() == {}
    assert site.get_logs() == []


def test_removing_waits_for_the_name(site, stores):
    """The button is dead until the whole name is typed."""
    stores.add(Device(id="spare", name="Spare", life_cycle="inactive"))
    at(site, "?edit=spare")
    site.wait_for_element("#fleet-form-typed")
    button = "#fleet-form-remove"
    assert not site.find_element(button).is_enabled()
    typed(site, "#fleet-form-typed", "Spare")
    until(site, lambda: site.find_element(button).is_enabled())
    picture(site, "remove-wide")
    pressed(site, button)
    until(site, lambda: "spare" not in {d.id for d in stores.devices.list(ADMIN)})
    assert site.get_logs() == []


def test_a_list_is_previewed_and_registered(site, tmp_path):
    """Choose a file, read what it would do, press, and see the heaters."""
    file = tmp_path / "heaters.csv"
    rows = [f"n-{i},North {i},North house,{i}" for i in range(5)]
    file.write_text(
        "id,name,site,floor\n" + "\n".join(rows) + "\nn 9,Bad,,\nwh-1,A,,\n"
    )
    site.find_element(".btn[href*='import=1']").click()
    site.wait_for_element("#fleet-list-file")
    picture(site, "list-empty-wide")
    chooser = site.driver.find_element(By.CSS_SELECTOR, "#fleet-list-file input")
    chooser.send_keys(str(file))
    site.wait_for_text_to_equal("#fleet-list-register", "Register 5 heaters")
    assert "2 rows refused" in site.find_element("#fleet-list-preview").text
    picture(site, "list-wide")
    phone(site)
    until(site, lambda: wide(site) == 0)
    picture(site, "list-phone")

    pressed(site, "#fleet-list-register")
    until(site, lambda: "North 4" in names(site))
    until(site, lambda: "import" not in site.driver.current_url)
    assert site.get_logs() == []


def test_buttons_of_the_list_fit_a_phone(site):
    """The two ways to register stand side by side or below each other, whole."""
    phone(site)
    until(
        site,
        lambda: (
            site.driver.execute_script("return document.documentElement.scrollWidth")
            == 390
        ),
    )
    picture(site, "fleet-phone")
