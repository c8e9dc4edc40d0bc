"""The Models tab in a real browser: filter, search, open, back, archive, restore."""

from __future__ import annotations

import pytest
from selenium.webdriver.common.keys import Keys

from tests.browser.monitored import Site, open_monitored

pytestmark = pytest.mark.browser
PATH = "/monitoring/models"
ROWS = ".models-table .row-link"
ASK, CONFIRM, CANCEL = "#models-ask", "#models-confirm", "#models-cancel"


@pytest.fixture(scope="module")
def portal(tmp_path_factory):
    """The application with the models churn and price."""
    with open_monitored(tmp_path_factory.mktemp("models")) as opened:
        yield opened


def names(site) -> list[str]:
    """The models on the page."""
    return sorted(row.text for row in site.all(ROWS))


def tile(site, state: str) -> str:
    """The number that a tile shows."""
    return site.text(f".counts a[href*='state={state}'] .count-value")


def test_tiles_search_open_and_back(portal, dash_duo):
    """A tile and the search narrow the list, and the back button undoes each step."""
    site = Site(dash_duo, portal, "vera")
    site.open(PATH, ROWS)
    assert names(site) == ["churn", "price"]

    site.click(".counts a[href*='state=archived']")
    site.until(lambda: "No model passes" in site.text("#models-list"))
    site.driver.back()
    site.until(lambda: names(site) == ["churn", "price"])

    site.all("#models-text")[0].send_keys("chu")
    site.at("q=chu")
    site.until(lambda: names(site) == ["churn"])
    site.click(ROWS)
    site.until(lambda: site.text(".model-card .model-title") == "churn")
    assert site.all(ASK) == []
    site.driver.back()
    site.until(lambda: names(site) == ["churn"])
    assert site.chosen("#models-text") == "chu"

    site.all("#models-text")[0].send_keys(Keys.CONTROL, "a", Keys.DELETE)
    site.until(lambda: names(site) == ["churn", "price"])
    assert site.logs() == []


def test_archive_and_restore_ask_first(portal, dash_duo):
    """An operator archives after a question, and the model comes back whole."""
    site = Site(dash_duo, portal, "otto")
    site.open(f"{PATH}?model=price", ASK)

    site.click(ASK)
    site.until(lambda: "Archive price?" in site.text("#models-question"))
    site.click(CANCEL)
    site.until(lambda: not site.all("#models-question"))
    assert site.text(ASK) == "Archive"

    site.click(ASK)
    site.click(CONFIRM)
    site.until(lambda: site.text(ASK) == "Restore")
    site.click(".model-detail .back-link")
    site.until(lambda: names(site) == ["churn"])
    assert tile(site, "archived") == "1"

    site.click(".counts a[href*='state=archived']")
    site.until(lambda: names(site) == ["price"])
    site.click(ROWS)
    site.until(lambda: site.text(ASK) == "Restore")
    site.click(ASK)
    site.until(lambda: "Restore price?" in site.text("#models-question"))
    site.click(CONFIRM)
    site.until(lambda: site.text(ASK) == "Archive")
    site.open(PATH, ROWS)
    assert names(site) == ["churn", "price"]
    assert site.logs() == []


def test_list_and_model_fit_a_phone(portal, dash_duo):
    """At 390 pixels neither is wider than the screen; an unknown model says so."""
    site = Site(dash_duo, portal, "vera")
    site.phone()
    for address, drawn in (
        (PATH, ROWS),
        (f"{PATH}?model=churn", ".model-card"),
        (f"{PATH}?model=nobody", ".back-link"),
    ):
        site.open(address, drawn)
        assert site.width() <= 390
    assert "There is no model nobody" in site.text("#models-list")
    assert site.logs() == []
