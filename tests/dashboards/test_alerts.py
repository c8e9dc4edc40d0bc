"""The Alerts tab drawn from empty, plain, hostile and full views."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from dashboards import alert_detail, alert_patterns
from dashboards.alert_words import amount
from dashboards.figures import alert_counts, alert_evidence
from dashboards.monitoring import alerts as tab
from dashboards.shell import alert_badge
from data.alert_log_store import ALERT_STATES
from data.alert_pattern_store import Untouched
from data.alert_records import SEVERITIES, Alert, AlertEvent
from services.alert_patterns import Bar, Chatter, PatternsView, Precision
from services.alert_thresholds import Raise
from services.alert_views import (
    AlertDetailView,
    AlertsQuery,
    AlertsView,
    Badge,
    evidence_of,
)
from services.stats.intervals import proportion
from services.units import Preferences
from tests.alert_rows import evidence
from tests.conftest import NOW

PREFS = Preferences()
FAHRENHEIT = Preferences(temperature_unit="F", theme="light")
HOUR = timedelta(hours=1)
HOSTILE = '<img src=x onerror=alert(1)> "\u202e' + "ü" * 400


def alert(number: int = 1, **changes: Any) -> Alert:
    """An alert that is active and that nobody has seen."""
    raised = NOW - HOUR
    plain = Alert(
        rule_id=1, rule_key="tank-too-hot", rule_name="Tank too hot",
        source="device", subject="wh-1", subject_name="Boiler A",
        metric="temperature_c", severity="critical",
        message="Tank at 82.5 °C", action="Switch it off.",
        started_at=raised - timedelta(minutes=5), raised_at=raised, last_at=NOW,
        value=82.5, evidence=evidence(1, 82.5, raised), id=number,
    )  # fmt: skip
    return replace(plain, **changes)


def view(*rows: Alert, **changes: Any) -> AlertsView:
    """A page of alerts."""
    plain = AlertsView(
        now=NOW, query=AlertsQuery(), size=len(rows),
        counts=dict.fromkeys(ALERT_STATES, len(rows)),
        severities=dict.fromkeys(SEVERITIES, 0) | {"critical": len(rows)},
        found=len(rows), pages=1, rows=rows, metrics=("temperature_c",),
        owners=("operator",), may_write=True,
    )  # fmt: skip
    return replace(plain, **changes)


def said(component: Any) -> str:
    """Components as JSON text."""
    return json.dumps(component, default=plain, ensure_ascii=False)


def plain(value: Any) -> Any:
    """A component inside JSON."""
    return value.to_plotly_json()


def body(shown: AlertsView, search: str = "", picked: tuple[int, ...] = ()) -> str:
    """The list as text."""
    return said(tab.body(shown, PREFS, search, picked))


def test_an_empty_log_leads_to_the_rules() -> None:
    """Before the first alert there is a word and a way, and no table."""
    text = body(view())

    assert "No alert yet" in text
    assert "/monitoring/alerts?view=rules" in text
    assert "alert-table" not in text


def test_nothing_open_is_good_news_and_no_failed_search() -> None:
    """Without filters it says that nobody is needed; with one, that nothing passes."""
    quiet = view(size=9)
    searched = replace(quiet, query=AlertsQuery(text="x"))

    assert "Nothing needs anybody now" in body(quiet)
    assert "No alert passes these filters" in body(searched, "?q=x&state=all")
    assert '"href": "/monitoring/alerts"' in body(searched, "?q=x&state=all")


def test_a_row_leads_to_the_alert_and_to_its_subject() -> None:
    """Message and subject are links; a model's goes to its performance."""
    text = body(
        view(alert(7), alert(8, source="model", subject="a b", subject_name="a b")),
        "?severity=critical",
    )

    assert "/monitoring/alerts?severity=critical&alert=7" in text
    assert "/heaters/wh-1/operations" in text
    assert "/monitoring/performance?model=a%20b" in text


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "Active"),
        ({"acknowledged_at": NOW, "acknowledged_by": "otto"}, "by otto"),
        ({"active": False, "cleared_at": NOW}, 'Cleared"'),
        ({"shelved_until": NOW + HOUR}, "until 10 Mar 2026, 13:00 UTC"),
        ({"resolved_at": NOW, "verdict": "noise"}, "noise"),
        (
            {"active": False, "cleared_at": NOW, "acknowledged_at": NOW},
            "Cleared, acknowledged",
        ),
    ],
)
def test_a_row_says_where_the_alert_stands(changes: dict[str, Any], words: str) -> None:
    """Each state has its own words and shape, not only a colour."""
    text = body(view(alert(**changes)))

    assert words in text
    assert "alert-state bi" not in text
    assert "bi-" in text


def test_severity_has_a_shape_for_each() -> None:
    """Four severities, four icons, four words."""
    text = body(view(*(alert(i, severity=s) for i, s in enumerate(SEVERITIES))))
    icons = ("x-octagon", "exclamation-diamond", "exclamation-triangle", "info-circle")

    assert all(f"bi-{icon}-fill" in text for icon in icons)


def test_boxes_are_for_those_who_may_and_keep_their_tick() -> None:
    """A viewer sees none; drawn anew, what was ticked is ticked."""
    rows = (alert(1), alert(2))
    mine = body(view(*rows), picked=(2,))
    theirs = body(view(*rows, may_write=False))

    assert mine.count('"role": "alerts-pick"') == 2
    assert mine.count('"value": true') == 1
    assert "alerts-pick" not in theirs


def test_what_a_link_has_chosen_can_be_taken_away() -> None:
    """Device, model and rule of the address stand above the list, each removable."""
    text = body(view(alert()), "?device=wh-1&rule=tank-too-hot")

    assert "Heater: wh-1" in text
    assert '"href": "/monitoring/alerts?rule=tank-too-hot"' in text


def test_a_full_page_is_small() -> None:
    """Fifty alerts with boxes are below 140 kB."""
    rows = [alert(i, message=f"{i} " + "x" * 100) for i in range(50)]

    assert len(body(view(*rows, found=5000, pages=100))) < 140_000


def detail(shown: Alert, prefs: Preferences = PREFS, **changes: Any) -> str:
    """One alert as text."""
    events = (
        AlertEvent(1, NOW, "commented", "otto", "Looked at it", None, 2),
        AlertEvent(1, NOW - HOUR, "activated", "system", "Tank hot", 82.5, 1),
    )
    made = AlertDetailView(
        now=NOW, alert=shown, events=events, siblings=(), sibling_events=(),
        evidence=evidence_of(shown), may_write=True,
    )  # fmt: skip
    made = replace(made, **changes)
    return said(alert_detail.detail(made, prefs, "?q=a&alert=1"))


def test_one_alert_says_what_and_what_to_do() -> None:
    """Sentence, action, condition, history with who, and the way back."""
    text = detail(alert())

    for words in ("Tank at 82.5 °C", "Switch it off.", "above 75\u00a0°C",
                  "Looked at it", "the rule", "82.5\u00a0°C"):  # fmt: skip
        assert words in text
    assert '"href": "/monitoring/alerts?q=a"' in text


def test_units_are_the_readers() -> None:
    """Limit, value and chart are in degrees Fahrenheit for who reads those."""
    text = detail(alert(), FAHRENHEIT)

    assert "above 167\u00a0°F" in text
    assert "180.5\u00a0°F" in text
    assert "Tank temperature (°F)" in text
    assert amount("temperature_c", None, FAHRENHEIT) == "–"


@pytest.mark.parametrize(
    ("changes", "offered"),
    [
        ({}, "acknowledge resolve assign shelve comment"),
        ({"acknowledged_at": NOW}, "resolve assign shelve comment"),
        ({"shelved_until": NOW + HOUR}, "acknowledge resolve assign unshelve comment"),
        ({"resolved_at": NOW}, "reopen comment"),
        ({"active": False, "acknowledged_at": NOW}, "reopen comment resolve"),
    ],
)
def test_buttons_fit_the_state(changes: dict[str, Any], offered: str) -> None:
    """Only what can be done is offered, and to viewers nothing."""
    text = detail(alert(**changes))
    found = [part.split('"')[0] for part in text.split('"action": "')[1:]]

    assert found == offered.split()
    assert "alerts-act" not in detail(alert(**changes), may_write=False)


def test_an_alert_without_evidence_says_so() -> None:
    """No series: a word instead of an empty chart."""
    text = detail(alert(evidence={}))

    assert "No chart for this alert" in text
    assert "not kept" in text


def test_hostile_words_stay_words() -> None:
    """Markup in names and notes is text, links stay inside, charts are escaped."""
    bad = alert(message=HOSTILE, subject=HOSTILE, subject_name=HOSTILE, note=HOSTILE,
                owner=HOSTILE, rule_name=HOSTILE, resolved_at=NOW)  # fmt: skip
    text = detail(bad)
    figure = alert_counts.pareto([Bar("k", HOSTILE, "device", 3, 1.0)], "dark")

    assert "javascript:" not in text
    assert '"href": "/heaters/%3Cimg' in text
    assert "<img" not in json.dumps(figure)


def test_the_chart_shows_limit_moment_and_gap() -> None:
    """Threshold line, mark of the moment, and a hole where readings are missing."""
    shown = alert()
    figure = alert_evidence.figure(
        evidence_of(shown), shown.started_at, shown.raised_at, "T", lambda v: v, PREFS
    )
    line, shapes = figure["data"][0], figure["layout"]["shapes"]

    assert line["y"].count(None) == 1
    assert line["connectgaps"] is False
    assert {s["label"]["text"] for s in shapes if "label" in s} == {
        "limit 75", "fired",
    }  # fmt: skip
    low, high = figure["layout"]["yaxis"]["range"]
    assert low < min(v for v in line["y"] if v is not None)
    assert high > 82.5


def test_evenly_spaced_points_have_no_gap() -> None:
    """Only what is four times as far apart as usual is a hole."""
    even = [(NOW + i * HOUR, 1.0) for i in range(5)]
    far = [*even, (NOW + 9.5 * HOUR, 1.0)]

    assert alert_evidence.with_gaps(even) == even
    assert [v for _, v in alert_evidence.with_gaps(far)].count(None) == 1


def patterns(**changes: Any) -> PatternsView:
    """Patterns of a week with one busy day."""
    days = tuple(((NOW - timedelta(days=6 - i)).date(), 5 * (i == 2)) for i in range(7))
    measured = proportion(3, 5)
    made = PatternsView(
        now=NOW, period="7d", days=days, activations=5, alerts=2, per_day=5 / 7,
        median_to_acknowledge=timedelta(minutes=12), acknowledged=2,
        median_to_resolve=None, resolved=0,
        rules=(Bar("tank-too-hot", "Tank too hot", "device", 5, 1.0),),
        subjects=(Bar("wh-1", "Boiler A", "device", 5, 1.0),),
        chattering=(
            Chatter("tank-too-hot", "Tank too hot", "device", "wh-1", "Boiler A",
                    3, 5, 5),
        ),
        stale=(Untouched(9, "R", "high", "model", "churn", "churn", "Old", NOW),),
        precisions=(
            Precision("tank-too-hot", "Tank too hot", 3, 2, measured,
                      (Raise(80.0, 75.0, 2, 2, 1, 3),)),
        ),
        cut=False,
    )  # fmt: skip
    return replace(made, **changes)


def test_patterns_lead_to_the_rule_with_its_new_limit() -> None:
    """The proposal is a link to the form with the threshold filled in."""
    text = said(alert_patterns.body(patterns(), PREFS, "?view=patterns"))

    assert "?view=rules&rule=tank-too-hot&threshold=80" in text
    assert "spares 2 of 2 noise, costs 1 of 3 useful" in text
    assert "60\u00a0% (23\u00a0% to 88\u00a0%)" in text
    assert "12 min" in text
    assert "3 or more activations within 10 minutes" in text
    assert "?state=all&rule=tank-too-hot&device=wh-1" in text


def test_a_quiet_period_says_so() -> None:
    """Without activations there is a word and the other periods."""
    quiet = patterns(activations=0, stale=())
    text = said(alert_patterns.body(quiet, PREFS, "?view=patterns"))

    assert "No alert in the last 7 days" in text
    assert "period=365d" in text


def test_the_calendar_has_every_day_once() -> None:
    """Days of the period stand in their week; days outside are holes."""
    figure = alert_counts.calendar(patterns().days, "light")
    cells = [cell for row in figure["data"][0]["z"] for cell in row]

    assert sum(cell is not None for cell in cells) == 7
    assert sum(cell or 0 for cell in cells) == 5


@pytest.mark.parametrize(
    ("counts", "shown", "words"),
    [
        ({"low": 1}, "1", "1 alert needs somebody"),
        (
            {"high": 2, "low": 1}, "3!",
            "3 alerts need somebody, 2 of them critical or high",
        ),
        ({"medium": 5000}, "999+", "5000 alerts need somebody"),
    ],
)  # fmt: skip
def test_the_badge_speaks(counts: dict[str, int], shown: str, words: str) -> None:
    """A number for the eye, a sentence for the ear, a sign beside the colour."""
    text = said(alert_badge(Badge(dict.fromkeys(SEVERITIES, 0) | counts)))

    assert f'"{shown}"' in text
    assert words in text
    assert ("urgent" in text) == ("!" in shown)
    assert alert_badge(Badge(dict.fromkeys(SEVERITIES, 0))) is None
