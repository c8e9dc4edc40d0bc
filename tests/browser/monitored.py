"""Two monitored models behind the real application, and a browser signed in to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait

from dashboards.registry import monitoring_tab
from settings import Settings
from tests.conftest import Clock, open_stores
from tests.identity import PASSWORD
from tests.portal import SAMPLES, Portal, open_portal
from tests.services.monitoring.world import fill, open_world

TABS = (
    SAMPLES[0],
    monitoring_tab("models", "Models", "model.read"),
    monitoring_tab("performance", "Performance", "model.read", per_model=True),
    monitoring_tab("drift", "Drift", "model.read", per_model=True),
)


@contextmanager
def open_monitored(home: Path) -> Iterator[Portal]:
    """The models churn and price with their past, judged as the worker does."""
    settings = Settings(home_dir=home / "var", secret_key="k7!" + "Zq3xW9vB" * 5)
    with contextmanager(open_stores)(settings, Clock()) as stores:
        with open_world(settings) as world:
            fill(world)
        with open_portal(stores, TABS) as portal:
            portal.services.judging.step()
            yield portal


class Site:
    """A browser that somebody has signed in with."""

    def __init__(self, duo, portal: Portal, user: str) -> None:
        self.duo, self.driver, self.portal = duo, duo.driver, portal
        duo.start_server(portal.app, navigate=False)
        self.driver.get(duo.server.url + "/login")
        duo.find_element("#login-username").send_keys(user)
        duo.find_element("#login-password").send_keys(PASSWORD, Keys.ENTER)
        duo.wait_for_text_to_equal("h1", "Water heaters")

    def open(self, address: str, drawn: str) -> None:
        """Go to an address and wait for a part of the page."""
        self.driver.get(self.duo.server.url + address)
        self.duo.wait_for_element(drawn, timeout=15)

    def all(self, selector: str) -> list:
        """Every element there now."""
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def text(self, selector: str) -> str:
        """What an element says; nothing where it is not there."""
        found = self.all(selector)
        return found[0].text if found else ""

    def click(self, selector: str) -> None:
        """Click what can be clicked, as soon as it can."""
        self.until(lambda: self.shown(self.all(selector)[0]).click() or True)

    def follow(self, words: str) -> None:
        """Click the link of these words."""
        self.until(
            lambda: (
                self.shown(self.driver.find_element(By.LINK_TEXT, words)).click()
                or True
            )
        )

    def shown(self, element):
        """The element, scrolled to at once: the page's own scrolling takes a while."""
        self.driver.execute_script(
            "arguments[0].scrollIntoView({behavior: 'instant', block: 'center'})",
            element,
        )
        return element

    def holds(self, selector: str, words: str) -> bool:
        """Whether a part of the page has these words, also where it is drawn."""
        held = "return document.querySelector(arguments[0]).textContent"
        return words in self.driver.execute_script(held, selector)

    def choose(self, selector: str, value: str) -> None:
        """Choose an option of a select."""
        self.until(lambda: Select(self.all(selector)[0]).select_by_value(value) or True)

    def chosen(self, selector: str) -> str:
        """The value that a select or a box holds."""
        return self.all(selector)[0].get_attribute("value")

    def until(self, condition) -> None:
        """Wait for something that the page does by itself."""
        WebDriverWait(self.driver, 15, 0.1, ignored_exceptions=[Exception]).until(
            lambda _: condition()
        )

    def at(self, words: str) -> None:
        """Wait until the address holds these words."""
        self.until(lambda: words in self.driver.current_url)

    def phone(self) -> None:
        """Make the window as wide as a phone."""
        self.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True},
        )

    def width(self) -> int:
        """How wide the page is, in pixels."""
        return self.driver.execute_script("return document.documentElement.scrollWidth")

    def logs(self) -> list:
        """What the browser complained of."""
        return self.duo.get_logs()
