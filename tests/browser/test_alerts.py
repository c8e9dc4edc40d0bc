"""The Alerts tab in a real browser: live list, badge, steps of a life, patterns."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from selenium.webdriver.common.keys import Keys

from dashboards.registry import heater_tab, monitoring_tab
from settings import Settings
from tests.alert_rows import AlertRows
from tests.browser.monitored import Site
from tests.conftest import NOW, Clock, open_stores
from tests.portal import SAMPLES, Portal, open_portal

pytestmark = pytest.mark.browser
PATH = "/monitoring/alerts"
ROWS = ".alert-table .row-link"
TABS = (
    SAMPLES[0],
    heater_tab("history", "History", "device.read"),
    monitoring_tab("alerts", "Alerts", "alert.read"),
)
HOUR = timedelta(hours=1)


@pytest.fixture
def portal(tmp_path) -> Iterator[Portal]:
    """The application with three open alerts."""
    settings = Settings(home_dir=tmp_path / "var", secret_key="k7!" + "Zq3xW9vB" * 5)
    with (
        contextmanager(open_stores)(settings, Clock()) as stores,
        open_portal(stores, TABS) as opened,
    ):
        rows = AlertRows(opened.identity.engine)
        for number, rule in enumerate((3, 1, 2), 1):
            rows.fire(NOW - number * HOUR, rule, f"wh-{number}")
        yield opened


def badge(site: Site) -> str:
    """What the rail says to the ear."""
    found = site.all(".rail-badge")
    return found[0].get_attribute("title") if found else ""


def press(site: Site, where: str, words: str) -> None:
    """Click the button of these words."""
    site.until(
        lambda: (
            next(
                site.shown(b)
                for b in site.all(f"{where} button")
                if b.text.strip() == words
            ).click()
            or True
        )
    )


def test_an_alert_appears_by_itself_and_is_acknowledged(portal, dash_duo):
    """Worst first; a new one comes while a box is ticked, which stays so."""
    site = Site(dash_duo, portal, "otto")
    assert badge(site).startswith("3 alerts need somebody, 2 of them")
    site.open(PATH, ROWS)
    first = [row.text for row in site.all(ROWS)]
    assert [words.split(":")[0] for words in first] == [
        "Tank too hot", "Pressure high", "Heater offline",
    ]  # fmt: skip

    site.until(lambda: site.all(".alert-table td .form-check-input")[1].click() or True)
    site.until(lambda: site.text("#alerts-chosen") == "1 chosen")
    AlertRows(portal.identity.engine).fire(NOW, 1, "wh-9")
    site.until(lambda: len(site.all(ROWS)) == 4)
    site.until(lambda: badge(site).startswith("4 alerts need somebody"))
    boxes = [b.is_selected() for b in site.all(".alert-table td .form-check-input")]
    assert boxes == [False, False, True, False]

    press(site, "#alerts-bulk", "Acknowledge")
    site.until(lambda: badge(site).startswith("3 alerts need"))
    site.click(".counts a[href*='state=acknowledged']")
    site.until(lambda: [r.text for r in site.all(ROWS)] == [first[1]])
    site.driver.back()
    site.until(lambda: len(site.all(ROWS)) == 4)
    assert site.logs() == []


def test_an_alert_is_resolved_with_a_verdict(portal, dash_duo):
    """The form keeps what is typed while news come; the history says who said what."""
    site = Site(dash_duo, portal, "otto")
    site.open(f"{PATH}?sort=worst", ROWS)
    site.click(ROWS)
    site.until(lambda: "Tank too hot" in site.text(".alert-title"))
    press(site, ".alert-buttons", "Resolve")
    site.until(lambda: site.shown(site.all("#alerts-words")[0]).click() or True)
    site.all("#alerts-words")[0].send_keys("valve", Keys.ENTER, "changed")
    rows = AlertRows(portal.identity.engine)
    rows.clear(rows.log.siblings(1, "wh-2")[0], NOW)
    site.until(lambda: site.holds("#alerts-history", "Cleared by itself"))
    assert site.chosen("#alerts-words") == "valve\nchanged"

    # Pressed at once it is told that the alert has changed, and then it is done.
    site.click("#alerts-verdict input")
    press(site, ".modal-footer", "Resolve")
    site.until(lambda: "look again" in site.text("#alerts-message"))
    press(site, ".modal-footer", "Resolve")
    site.until(lambda: site.holds("#alerts-facts", "Useful"))
    site.until(lambda: not site.all(".modal-footer"))
    assert "otto" in site.text("#alerts-history")
    assert site.text(".alert-buttons") == "Reopen\nComment"

    site.follow("Patterns")
    site.until(lambda: site.all("#alerts-calendar .js-plotly-plot"))
    site.until(lambda: site.holds(".alert-patterns", "100\u00a0% (21"))
    site.follow("Rules")
    site.until(lambda: not site.all(".alert-patterns"))
    assert site.logs() == []


def test_a_viewer_on_a_phone_looks_and_does_nothing(portal, dash_duo):
    """No page is wider than the phone, and there is no box and no button."""
    site = Site(dash_duo, portal, "vera")
    site.phone()
    for address, drawn in (
        (PATH, ROWS),
        (f"{PATH}?alert=1", "#alerts-evidence .js-plotly-plot"),
        (f"{PATH}?view=patterns", "#alerts-calendar .js-plotly-plot"),
        (f"{PATH}?q=nothing", ".state-title"),
    ):
        site.open(address, drawn)
        assert site.width() == 390, address
        assert site.all(".pick-cell") == site.all(".alert-buttons button") == []
    assert site.logs() == []
