"""The alerts report on real stores: its numbers are those of the Alerts tab."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from data.account_store import AccountStore
from data.alert_pattern_store import AlertPatternStore
from data.session import open_engine
from services.access import Principal, Role
from services.alert_patterns import AlertPatterns
from services.alerts import Alerts
from services.errors import Forbidden
from services.reports.document import Document
from services.units import Preferences
from tests.alert_rows import AlertRows
from tests.conftest import NOW, OPERATOR, VIEWER, Device, Stores
from tests.services.reports.composing import (
    block,
    column,
    compose,
    figure,
    table,
    texts,
)
from tests.services.test_history import Nobody

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
START = NOW.replace(hour=0) - 29 * DAY
"""Where the Alerts tab begins its 30 days."""
NOBODY = Nobody("x", Role.VIEWER)


class World:
    """Alerts, and what people did about them."""

    def __init__(self, stores: Stores) -> None:
        self.stores = stores
        engine = open_engine(stores.settings.operational_url)
        self.rows = AlertRows(engine)
        self.alerts = Alerts(
            self.rows.log, AccountStore(engine), stores.audit, stores.clock
        )
        self.patterns = AlertPatterns(AlertPatternStore(engine), stores.clock)

    def report(self, caller: Principal = VIEWER, **asked: object) -> Document:
        """The report on the days that the tab calls 30 days."""
        start, end = asked.pop("start", START), asked.pop("end", NOW)
        return compose(
            self.stores.settings, caller, "alerts", start, end, NOW, **asked  # type: ignore[arg-type]
        )  # fmt: skip


@pytest.fixture
def world(stores: Stores) -> World:
    """Five alerts of two heaters and a model, one of them older than the range."""
    made = World(stores)
    stores.add(Device(id="wh-1", name="Boiler"), Device(id="wh-2", name="Annexe"))
    made.rows.fire(START - DAY, subject="wh-2")
    first = made.rows.fire(NOW - 3 * DAY, subject_name="Boiler", peak=80.0)
    made.rows.clear(first, NOW - 3 * DAY + HOUR)
    made.rows.again(first, NOW - 2 * DAY)
    second = made.rows.fire(NOW - 2 * DAY, 2, subject_name="Boiler")
    made.rows.fire(NOW - 2 * DAY, 2, "wh-2")
    made.rows.fire(NOW - DAY, 4, "churn")
    stores.clock.now = NOW - DAY
    made.alerts.acknowledge(OPERATOR, second.id)
    stores.clock.now = NOW - HOUR
    made.alerts.resolve(OPERATOR, second.id, "seen to", "useful")
    stores.clock.now = NOW
    return made


def test_totals_are_those_of_the_tab(world: World) -> None:
    """Alerts, activations and both medians are what the patterns of 30 days say."""
    document = world.report()
    view = world.patterns.of(VIEWER, ZoneInfo("UTC"), "30d")

    assert figure(document, "Alerts raised").value == view.alerts == 4
    assert figure(document, "Activations").value == view.activations == 5
    assert figure(document, "Median time to acknowledge").value == "1 d"
    assert figure(document, "Median time to resolve").value == "1 d 23 h"
    handling = table(document, "handling")
    high = column(handling, "severity").index("High")
    assert view.median_to_resolve is not None
    minutes = view.median_to_resolve.total_seconds() / 60
    assert column(handling, "to_resolve")[high] == minutes
    assert column(handling, "to_resolve")[0] is None


def test_the_commonest_rules_and_subjects_are_those_of_the_tab(world: World) -> None:
    """Both Pareto tables have the bars of the tab in its order."""
    document = world.report()
    view = world.patterns.of(VIEWER, ZoneInfo("UTC"), "30d")

    for key, bars in (("rules", view.rules), ("subjects", view.subjects)):
        found = table(document, key)
        assert column(found, "key") == [b.key for b in bars]
        assert column(found, "activations") == [b.count for b in bars]
        assert column(found, "share") == [b.share * 100 for b in bars]


def test_every_alert_stands_with_its_state_in_the_readers_units(world: World) -> None:
    """Newest first; a temperature is in °F for who reads °F; sums fit the table."""
    reader = Preferences(temperature_unit="F", time_zone="Europe/Berlin")
    document = world.report(preferences=reader)
    found = table(document, "alerts")

    assert column(found, "state") == ["active", "active", "resolved", "active"]
    assert column(found, "value")[-1] == 176.0
    assert column(found, "unit")[-1] == "°F"
    assert column(found, "activations") == [1, 1, 1, 2]
    totals = table(document, "totals")
    assert column(totals, "all") == [1, 2, 0, 1]
    assert column(totals, "resolved") == [0, 1, 0, 0]


def test_the_timeline_counts_each_alert_once_on_its_local_day(world: World) -> None:
    """The bars add up to all alerts, and a day begins at the reader's midnight."""
    late = NOW.replace(hour=23, minute=30) - 5 * DAY
    world.rows.fire(late, 3, "wh-2")
    for zone, day in (("UTC", "5 Mar 2026"), ("Asia/Tokyo", "6 Mar 2026")):
        reader = Preferences(time_zone=zone)
        chart = block(world.report(preferences=reader), "timeline")
        medium = dict(chart.series)["Medium"]
        assert chart.categories[medium.index(1.0)] == day
        assert sum(sum(values) for _, values in chart.series) == 5


def test_named_subjects_leave_out_all_others(world: World) -> None:
    """A report on a model or a heater has its alerts alone."""
    document = world.report(devices=("wh-2",))

    assert column(table(document, "alerts"), "subject") == ["wh-2"]
    assert figure(document, "Activations").value == 1
    assert document.subtitle == "Annexe"


def test_a_quiet_range_says_so(world: World) -> None:
    """Without an alert there is a sentence and no table."""
    document = world.report(start=START - 20 * DAY, end=START - 10 * DAY)

    assert texts(document) == ["No alert was raised in this range."]
    assert list(document.tables()) == []


def test_more_alerts_than_a_page_are_all_counted(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading two at a time gives the document of all at once, equal each time."""
    whole = world.report()
    monkeypatch.setattr("services.reports.template_alerts.PAGE", 2)

    assert world.report() == whole


def test_who_may_not_read_alerts_makes_no_report_of_them(world: World) -> None:
    """The template needs alert.read."""
    with pytest.raises(Forbidden):
        world.report(NOBODY)
