"""The Rules view of the Alerts tab in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from dashboards.registry import heater_tab, monitoring_tab
from services.access import SYSTEM
from settings import Settings
from tests.browser.monitored import Site
from tests.conftest import NOW, Clock, open_stores, readings
from tests.portal import SAMPLES, Portal, open_portal

pytestmark = pytest.mark.browser
RULES = "/monitoring/alerts?view=rules"
TABS = (
    SAMPLES[0],
    heater_tab("history", "History", "device.read"),
    monitoring_tab("alerts", "Alerts", "alert.read"),
)


@pytest.fixture
def portal(tmp_path) -> Iterator[Portal]:
    """The application with the default rules and a heater that once was hot."""
    settings = Settings(home_dir=tmp_path / "var", secret_key="k7!" + "Zq3xW9vB" * 5)
    with (
        contextmanager(open_stores)(settings, Clock()) as stores,
        open_portal(stores, TABS) as opened,
    ):
        frame = readings("wh-1", NOW - timedelta(hours=6), 360, temperature_c=50.0)
        frame.loc[frame.index[120:180], "temperature_c"] = 72.0
        stores.telemetry.accept_bulk(SYSTEM, frame)
        stores.flush()
        opened.services.rules.seed()
        yield opened


def typed(site: Site, **values: str) -> None:
    """Type into fields of the form by their names."""
    for name, value in values.items():
        field = site.shown(site.all(f"#alerts-rule-{name.replace('_', '-')}")[0])
        field.clear()
        field.send_keys(value)


def test_a_rule_is_made_tried_on_the_past_and_removed(portal, dash_duo):
    """What is wrong is said at its field, the past is counted, a rule goes again."""
    site = Site(dash_duo, portal, "ada")
    site.open(RULES, ".rule-name")
    before = len(site.all(".rule-name"))
    site.follow("New rule")
    site.duo.wait_for_element("#alerts-rule-name", timeout=15)
    typed(site, name="Hot tank", key="hot-tank", threshold="seventy")
    typed(site, message="{name} is at {value}", action="Look at it.")
    site.click("#alerts-rule-save")
    site.until(lambda: "not a number" in site.text("#alerts-rule-threshold-error"))

    typed(site, threshold="70")
    site.click("#alerts-rule-preview")
    site.until(lambda: "would have fired once" in site.text("#alerts-rule-previewed"))
    assert site.text("#alerts-rule-threshold-error") == ""

    site.click("#alerts-rule-save")
    site.at("rule=hot-tank")
    site.until(lambda: site.holds("#alerts-rules-place", "changed by ada"))
    site.click("#alerts-rule-able")
    site.until(lambda: site.text("#alerts-rule-able") == "Switch on")
    site.open(RULES, ".rule-name")
    assert len(site.all(".rule-name")) == before + 1

    site.follow("Hot tank")
    site.click("#alerts-rule-ask")
    site.click("#alerts-rule-confirm")
    site.until(lambda: len(site.all(".rule-name")) == before)
    assert site.logs() == []


def test_the_form_follows_what_is_chosen(portal, dash_duo):
    """Models have other metrics and no mixing valve; a band hides the threshold."""
    site = Site(dash_duo, portal, "ada")
    site.open(f"{RULES}&rule=new", "#alerts-rule-name")
    site.choose("#alerts-rule-source", "model")
    site.until(lambda: not site.all("#alerts-rule-mixing-valve")[0].is_displayed())
    site.until(lambda: site.chosen("#alerts-rule-metric") == "accuracy")
    site.choose("#alerts-rule-operator", "outside")
    site.until(lambda: site.shown(site.all("#alerts-rule-low")[0]).is_displayed())

    assert not site.all("#alerts-rule-threshold")[0].is_displayed()
    assert site.logs() == []


def test_an_operator_looks_and_a_proposal_is_not_saved(portal, dash_duo):
    """A link may propose a threshold; who may not change rules sees no button."""
    site = Site(dash_duo, portal, "otto")
    site.open(f"{RULES}&rule=offline&threshold=30", "#alerts-rule-name")
    site.until(lambda: site.holds("#alerts-rules-place", "Not saved yet"))
    assert site.chosen("#alerts-rule-threshold") == "30"
    assert not site.all("#alerts-rule-save")[0].is_displayed()
    assert portal.services.rules.get(SYSTEM, "offline").spec.threshold == 10.0

    site.phone()
    site.open(f"{RULES}&rule=yaml", "#alerts-rules-yaml")
    assert "key: offline" in site.chosen("#alerts-rules-yaml")
    assert site.width() == 390
    assert site.logs() == []
