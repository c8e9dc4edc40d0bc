"""The pages of monitored models: a thousand models listed, switches between tabs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from statistics import median
from zoneinfo import ZoneInfo

from selenium import webdriver

from benchmarks import browser
from benchmarks.drift_views import SMALL
from benchmarks.monitoring_store import NOW, SINCE, WEEKS, Stores, spec
from benchmarks.result import Result, median_ms
from dashboards.monitoring import drift as drift_tab
from dashboards.monitoring import performance as performance_tab
from dashboards.monitoring.models import body
from data.judgement_store import JudgedWindow, JudgementStore, ModelFacts
from data.model_store import ModelStore
from data.session import open_engine
from services.access import SYSTEM
from services.drift_views import DriftQuery
from services.models_views import ModelsQuery
from services.performance_views import PerformanceQuery
from services.units import Preferences

MODELS = 1_000
OPENINGS, SWITCHES = 5, 9
SETTLED_S = 0.5
ZONE = ZoneInfo("UTC")
WEEK = timedelta(weeks=1)
STATES = (
    ("fine", "fine", "none"),
    ("input_shift", "look", "medium"),
    ("cannot_tell", "cannot_tell", "none"),
)
ROW = ".models-table .row-link"
SEEN = """
performance.setResourceTimingBufferSize(1000);
const look = () => document.querySelector("%s")
  ? requestAnimationFrame(() => { window.firstSeen = performance.now(); })
  : requestAnimationFrame(look);
requestAnimationFrame(look);
"""
SENT = """
return performance.getEntriesByType("resource")
  .concat(performance.getEntriesByType("navigation"))
  .reduce((sum, entry) => sum + entry.transferSize, 0);
"""
SWITCH = """
const done = arguments[arguments.length - 1];
const started = performance.now();
document.querySelector(".tab-link[href*='/drift']").click();
const look = () => document.querySelector("#drift-map .heatmaplayer image")
  ? requestAnimationFrame(() => done(performance.now() - started))
  : requestAnimationFrame(look);
look();
"""


def run(stores: Stores) -> list[Result]:
    """The list out of the operational database, as service, page and in Chromium."""
    _fill(stores)
    models = stores.services.models
    view = models.page(SYSTEM, ModelsQuery())
    assert view.size >= MODELS
    results = [
        Result("drift", "list of 1,000 models x 52 weeks, service",
               median_ms(lambda: models.page(SYSTEM, ModelsQuery())), "ms"),
        Result("drift", "page of the Models tab built",
               median_ms(lambda: body(view, Preferences(), "")), "ms", bar=60),
        *_built(stores),
    ]  # fmt: skip
    if not browser.installed():
        return results
    with browser.opened(stores.settings, stores.services) as (driver, address):
        return [*results, *_opened(driver, address), *_switched(driver, address)]


def _built(stores: Stores) -> list[Result]:
    """Components of a year of 52 windows from its view."""
    prefs, search = Preferences(), f"?model={SMALL}"
    services = stores.services
    moved = services.drift.view(SYSTEM, DriftQuery(SMALL), ZONE)
    worth = services.performance.view(SYSTEM, PerformanceQuery(SMALL), ZONE)

    def drift() -> object:
        return drift_tab.body(moved, prefs, drift_tab.PATH, search)

    def performance() -> object:
        return performance_tab.body(worth, prefs, search, may_edit=True)

    return [
        Result("drift", "page of the Drift tab built", median_ms(drift), "ms", bar=60),
        Result("drift", "page of the Performance tab built", median_ms(performance),
               "ms", bar=60),
    ]  # fmt: skip


def _fill(stores: Stores) -> None:
    """Models with a verdict for each of 52 weeks."""
    engine = open_engine(stores.settings.operational_url)
    store, judgements = ModelStore(engine), JudgementStore(engine)
    with store.transaction() as tx:
        for number in range(MODELS):
            wanted = replace(
                spec(f"model-{number:04}"), owner=f"Team {number % 12}",
                tags=(f"tag-{number % 9}",),
            )  # fmt: skip
            key = store.add(tx, wanted, NOW)
            store.put_version(tx, key, "1", NOW)
            judgements.put_windows(tx, _judged(key, number))
            last = NOW - timedelta(hours=1)
            facts = ModelFacts(key, "1", 700 * WEEKS, SINCE, last, 6.0, 1)
            judgements.put_facts(tx, facts)


def _judged(model_id: int, number: int) -> Iterator[JudgedWindow]:
    for week in range(WEEKS):
        kind, state, severity = STATES[(number * 7 + week) % 11 % 3]
        start = SINCE + week * WEEK
        yield JudgedWindow(
            model_id, "1", start, start + WEEK, kind, state, severity,
            f"{kind} in week {week} of model {number}.", ["f0"], "accuracy",
            0.8 + (number + week) % 17 / 100, 700, 0.9,
        )  # fmt: skip


def _opened(driver: webdriver.Chrome, address: str) -> list[Result]:
    """Opening the list by its address: the first row, and what was sent.

    Signing in has brought the program's files already; nothing cached is told beside.
    """
    script = {"source": SEEN % ROW}
    driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", script)
    cold, sent, warm = [], [], []
    for _ in range(OPENINGS):
        driver.get("about:blank")
        driver.execute_cdp_cmd("Network.clearBrowserCache", {})
        cold.append(_first_row(driver, address))
        sent.append(_number(driver, SENT) / 1e6)
        warm.append(_first_row(driver, address))
    name = "Models tab of 1,000 models: first row"
    return [
        Result("drift", name, median(warm), "ms", bar=1_000),
        Result("drift", f"{name}, nothing cached", median(cold), "ms"),
        Result("drift", "Models tab of 1,000 models: sent, nothing cached", max(sent),
               "MB", bar=1.5),
    ]  # fmt: skip


def _first_row(driver: webdriver.Chrome, address: str) -> float:
    driver.get(f"{address}/monitoring/models")
    browser.appeared(driver, ROW)
    time.sleep(SETTLED_S)
    return _number(driver, "return window.firstSeen")


def _switched(driver: webdriver.Chrome, address: str) -> list[Result]:
    """From the click on the tab to the frame with the heat map."""
    results = []
    for tab, drawn in (
        ("performance", "#performance-chart .scatterlayer path"),
        ("models", "#models-list .panel"),
    ):
        taken = []
        for _ in range(SWITCHES):
            driver.get(f"{address}/monitoring/{tab}?model={SMALL}")
            browser.appeared(driver, drawn)
            browser.appeared(driver, ".tab-link[href*='/drift'][href*='model=']")
            taken.append(float(driver.execute_async_script(SWITCH)))
        name = f"switch from {tab.capitalize()} to the drawn heat map"
        # The first one loads the chart library's modules; the others are the switch.
        results.append(Result("drift", name, median(taken[1:]), "ms", bar=600))
    return results


def _number(driver: webdriver.Chrome, script: str) -> float:
    return float(driver.execute_script(script))  # type: ignore[no-untyped-call]
