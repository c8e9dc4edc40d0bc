"""Control in a real browser: wished, followed, confirmed, refused; on a phone too."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest
from selenium.webdriver.common.keys import Keys

from data.records import Device
from services.courier_desk import Answer, Presence, Report
from tests.browser.test_fleet import pressed, typed, until
from tests.callbacks.test_fleet import TABS
from tests.conftest import NOW, SYSTEM, readings
from tests.identity import PASSWORD
from tests.portal import open_portal

pytestmark = pytest.mark.browser
ROW = "#details-row-target-temperature-c"
STANDING = f"{ROW} .control-standing"
TARGET = "#details-control-target"
SET = "#details-set-target-temperature-c"
NOTE = "#details-note-target-temperature-c"
HEATER = Device(
    id="wh-7", name="Attic", type="electric", capacity_l=200, rated_power_w=3000,
    modes=("off", "eco", "electric"), setpoint_min_c=40, setpoint_max_c=65,
    mixing_valve=True, simulated=True,
)  # fmt: skip


class Heater:
    """The test plays the device: what it says goes the way of any device's words."""

    def __init__(self, stores) -> None:
        self._stores = stores
        link = stores.links.links(["wh-7"]).get("wh-7")
        self._seq = link.seq if link else 0

    def come(self) -> None:
        """Connect."""
        self._say(Presence("wh-7", True, self._stores.clock(), 1))

    def take(self) -> int:
        """Get what is to be handed over, and say that it is taken."""
        (command,) = self._stores.courier.outgoing()
        self._stores.courier.handed_over([command])
        return command.id

    def answer(self, command_id: int, accepted: bool, reason: str = "") -> None:
        """Accept or refuse a command."""
        self._say(Answer("wh-7", command_id, accepted, reason))

    def report(self, version: int, **state: object) -> None:
        """Say what it is set to, and which wishes it has seen."""
        self._seq += 1
        now = self._stores.clock()
        self._say(Report("wh-7", state, now, version, 1, self._seq))

    def _say(self, said) -> None:
        self._stores.courier.listen([said])


@pytest.fixture
def portal(stores):
    """The application with one heater that reports 50 °C and eco."""
    with open_portal(stores, TABS) as opened:
        stores.add(HEATER)
        start = NOW - timedelta(hours=1)
        stores.telemetry.accept(SYSTEM, readings("wh-7", start, 60, temperature_c=49.0))
        heater = Heater(stores)
        heater.report(0, target_temperature_c=50.0, mode="eco", power=True)
        stores.courier.listen([Presence("wh-7", False, NOW, 1)])
        yield opened


@pytest.fixture
def site(portal, dash_duo):
    """A browser at the sign-in."""
    dash_duo.start_server(portal.app, navigate=False)
    return dash_duo


def opened(site, name: str) -> None:
    """Sign in and open the heater."""
    site.driver.get(site.server.url + "/login?next=/heaters/wh-7/details")
    site.find_element("#login-username").send_keys(name)
    site.find_element("#login-password").send_keys(PASSWORD, Keys.ENTER)
    site.wait_for_element(STANDING)


def picture(site, name: str) -> None:
    """Keep what is seen at two sizes, for people, when they ask for it."""
    folder = os.environ.get("IOTSPHERE_PICTURES")
    if not folder:
        return
    for width, height in ((1440, 900), (390, 844)):
        size = {"width": width, "height": height, "deviceScaleFactor": 1}
        site.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride", {**size, "mobile": width < 500}
        )
        scroll = "document.querySelector('.control').scrollIntoView()"
        site.driver.execute_script(scroll)
        file = Path(folder) / f"{name}-{width}.png"
        site.driver.save_screenshot(str(file))
    site.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def says(site, words: str, selector: str = STANDING) -> None:
    """Wait until a part of the page says something."""
    until(site, lambda: words in site.find_element(selector).text)


def test_a_wish_is_pending_then_applied_and_never_fact_before(site, stores):
    """Set 52: pending while it is offline, applied when the device reports it."""
    heater = Heater(stores)
    opened(site, "otto")
    typed(site, TARGET, "52")
    says(site, "Legionella", NOTE)
    pressed(site, SET)
    says(site, "offline, will be sent when it is back")
    assert "50.0" in site.find_element(f"{ROW} dd").text
    picture(site, "pending")

    typed(site, TARGET, "47")  # what a person types stays while the rest is redrawn
    heater.come()
    says(site, "online, is being sent")
    command = heater.take()
    says(site, "no answer yet")
    heater.answer(command, True)
    says(site, "has not reported it yet")
    heater.report(stores.shadows.get("wh-7").version, target_temperature_c=52.0)
    says(site, "Applied")
    says(site, "52.0", f"{ROW} dd")
    assert site.find_element(TARGET).get_attribute("value") == "47"
    says(site, "Applied", "#details-commands")
    picture(site, "applied")
    pressed(site, "#details-withdraw-target-temperature-c")
    says(site, "Withdrawn")
    assert site.get_logs() == []


def test_a_device_refuses_and_the_reason_is_read(site, stores):
    """The reason a device gives stands at the key and in the log."""
    heater = Heater(stores)
    opened(site, "otto")
    heater.come()
    site.find_element("#details-control-mode").send_keys("Electric")
    pressed(site, "#details-set-mode")
    says(site, "Pending", "#details-row-mode")
    heater.answer(heater.take(), False, "element is locked")
    says(site, "element is locked", "#details-row-mode")
    says(site, "Refused", "#details-row-mode")
    says(site, "element is locked", "#details-commands")
    picture(site, "refused")
    assert site.get_logs() == []


def test_a_hot_wish_asks_first(site, stores):
    """58 °C opens the question; Cancel wishes nothing, the other button does."""
    opened(site, "otto")
    typed(site, TARGET, "58")
    says(site, "scalds", NOTE)
    pressed(site, SET)
    says(site, "Set 58.0", "#details-control-confirm")
    says(site, "scalds", "#details-control-question")
    picture(site, "confirm")
    site.find_element("#details-control-cancel").click()
    until(site, lambda: not site.find_elements(".modal.show"))
    assert stores.shadows.get("wh-7").desired == {}

    pressed(site, SET)
    says(site, "Set 58.0", "#details-control-confirm")
    site.find_element("#details-control-confirm").click()
    says(site, "Pending")
    until(site, lambda: not site.find_elements(".modal.show"))
    assert stores.shadows.get("wh-7").desired == {"target_temperature_c": 58.0}

    typed(site, TARGET, "80")
    says(site, "takes 40.0 to 65.0", NOTE)
    pressed(site, SET)
    says(site, "Not set", NOTE)
    assert stores.shadows.get("wh-7").desired == {"target_temperature_c": 58.0}
    assert site.get_logs() == []


def test_a_viewer_reads_and_cannot_set(site, stores):
    """A viewer sees every standing, no input, and which role it needs."""
    opened(site, "vera")
    says(site, "needs the role Operator", ".control")
    assert site.find_elements(".control input, .control button, .control select") == []
    picture(site, "viewer")
    assert site.get_logs() == []


def test_control_fits_a_phone(site, stores):
    """At 390 px nothing is wider than the screen and every button can be reached."""
    opened(site, "otto")
    size = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    site.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    width = "return document.documentElement.scrollWidth"
    until(site, lambda: site.driver.execute_script(width) == 390)
    for button in site.find_elements(".control button"):
        if button.is_displayed():
            box = button.rect
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= 390
