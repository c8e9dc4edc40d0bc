"""The Models tab's list and detail, drawn from small, whole and huge views."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

import pytest

from dashboards import model_detail
from dashboards.figures.health_strip import CELLS, LOOKS, WORDS, health_strip
from dashboards.figures.label_delay import MOST_POINTS, label_delay
from dashboards.model_facts import delay_words
from dashboards.model_header import choose_header, model_header
from dashboards.model_words import amount, days, verdict_said
from dashboards.models_table import strip_words
from dashboards.monitoring import models as tab
from dashboards.registry import monitoring_tab
from services.models_views import STATES, VERDICTS, HealthCell
from services.units import Preferences
from tests.conftest import NOW
from tests.dashboards import model_views as made

PREFS = Preferences()
LONG = "Nachfrageprognose für Wärmepumpen 需求预测 " * 2
TABS = (
    monitoring_tab("models", "Models", "model.read"),
    monitoring_tab("performance", "Performance", "model.read", per_model=True),
    monitoring_tab("drift", "Drift", "model.read", per_model=True),
)


def said(component: Any) -> str:
    """Components as JSON text."""
    return json.dumps(component, default=plain, ensure_ascii=False)


def plain(value: Any) -> Any:
    """A component inside JSON."""
    return value.to_plotly_json()


def body(*rows: Any, search: str = "?q=a&page=2", **query: Any) -> str:
    """The list as text."""
    return said(tab.body(made.view(*rows, **query), PREFS, search))


def detail(view: Any, *, may_edit: bool = True) -> str:
    """The detail as text."""
    drawn = model_detail.detail(view, PREFS, "?q=a&model=churn", may_edit=may_edit)
    return said(drawn)


def test_a_row_shows_the_numbers_of_its_view() -> None:
    """Verdict, severity, sentence, measure, rows, labels, age, owner and tags."""
    text = body(made.row())
    for words in (
        "churn", "Binary · version 3 (of 3)", "Concept drift · Critical",
        "Accuracy 0.71 where 0.86 was estimated", "AUC 0.831", "412 rows",
        "82\u00a0% in", "after 6.4\u00a0d", "3 h ago", "Risk team · retail · eu",
    ):  # fmt: skip
        assert words in text, words


def test_a_row_leads_to_its_model_and_keeps_the_filters() -> None:
    """The name links to the detail; the way back finds the same list."""
    assert '"/monitoring/models?q=a&page=2&model=churn"' in body(made.row())
    assert '"/monitoring/models?q=a"' in detail(made.detail())


def test_a_model_without_anything_has_no_numbers() -> None:
    """Dashes and words stand for what is unknown, never a zero."""
    text = body(made.BARE)

    assert "no window yet" in text
    assert "none yet" in text
    assert "never" in text
    assert "0.0" not in text
    assert "strip-cell" in text
    assert "52 windows:" not in text


def test_badges_tell_simulated_and_archived_models() -> None:
    """A simulated model and an archived one say so, others do not."""
    text = body(made.row(simulated=True, archived=True))

    assert "tag-simulated" in text
    assert '"archived"' in text
    assert "tag-simulated" not in body(made.row())


def test_no_models_says_how_to_get_some() -> None:
    """An empty inventory shows the three commands that fill it."""
    text = body()

    assert "No models yet" in text
    for command in ("model apply", "reference set --model", "import inferences"):
        assert command in text


def test_nothing_found_leads_back_to_all() -> None:
    """A filter that lets nothing through offers to drop it, but keeps the order."""
    view = replace(made.view(), size=9)
    text = said(tab.body(view, PREFS, "?q=a&kind=binary&state=look&sort=name"))

    assert "No model passes these filters" in text
    assert '"/monitoring/models?sort=name"' in text


def test_a_full_page_is_drawn_once_each_and_small() -> None:
    """Twenty rows of a thousand with long names stand once each, below 150 kB."""
    rows = [made.row(f"{LONG}{i:03}", i % 6) for i in range(20)]
    text = body(*rows, found=1000, page=2)

    assert text.count('"heater-row"') == 20
    assert "21 to 40 of 1\u202f000 models" in text
    assert "page=50" in text
    assert len(text.encode()) < 150_000


def test_the_counts_are_links_that_keep_the_search() -> None:
    """A count leads to its state, keeps the filters and drops the page."""
    text = said(tab.counts(made.view(made.row(), state="look"), "?q=a&page=2"))

    assert "/monitoring/models?q=a&state=late_labels" in text
    assert '"/monitoring/models?q=a"' in text
    assert text.count("(shown)") == 1


@pytest.mark.parametrize("sort", ["name", "last_data", "label_lag"])
def test_every_order_of_a_column_has_a_word(sort: str) -> None:
    """Both directions that a column's title asks for can be shown by the control."""
    assert {sort, f"-{sort}"} <= set(tab.ORDERS)
    for descending in (False, True):
        text = body(made.row(), sort=sort, descending=descending)
        assert ("descending" if descending else '"ascending"') in text


def test_every_state_has_a_height_of_its_own() -> None:
    """Colour never stands alone: each look of a bar has another height."""
    assert len({height for height, _ in LOOKS.values()}) == len(LOOKS)
    assert set(STATES) <= set(LOOKS) == set(WORDS)


def test_the_strip_ends_with_the_newest_window_at_the_right() -> None:
    """One window of a year is the last bar; cannot tell is striped."""
    cell = made.strip(1, last=3)[0]
    drawn = unquote(health_strip([cell], "words", "dark").src)

    assert f"M{(CELLS - 1) * 4} 24v-11" in drawn
    assert "stroke-dasharray" in drawn
    assert drawn.count("M") == 1


def test_a_longer_past_is_cut_at_the_old_end() -> None:
    """Of more windows than fit, the newest are drawn."""
    cells = made.strip(60, last=5)
    drawn = unquote(health_strip(cells, "words", "light").src)

    assert drawn.count("M") == CELLS
    assert f"M{(CELLS - 1) * 4} 24v-2'" in drawn


def test_the_strip_is_told_in_words() -> None:
    """The text alternative counts the windows of each look."""
    cells = (*made.strip(1, last=4), *made.strip(1, last=0), *made.strip(1, last=0))

    assert strip_words(cells) == ("Newest 3 windows: 1 critical or high, 2 fine")
    assert strip_words(cells) in body(made.row(strip=cells))


@pytest.mark.parametrize("verdict", VERDICTS)
def test_what_needs_a_look_is_never_called_fine(verdict: str) -> None:
    """Every verdict that needs a look is written by its own name."""
    assert verdict_said("look", "high", verdict) == f"{VERDICTS[verdict]} · High"
    assert verdict_said("cannot_tell", "none", verdict) == "Cannot tell"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0.8312, "0.831"), (1234.5, "1\u202f234"), (12.345, "12.3"), (0.0, "0.000"),
        (0.01234, "0.0123"), (0.000012, "1.20e\u221205"), (-3.14159, "\u22123.14"),
        (None, "–"), (float("nan"), "–"),
    ],
)  # fmt: skip
def test_measures_keep_three_digits_at_any_scale(
    value: float | None, words: str
) -> None:
    """An AUC and an error in thousands are both readable."""
    assert amount(value) == words


def test_spans_are_in_days_or_hours() -> None:
    """Below two days a span is written in hours."""
    assert days(0.25) == "6\u00a0h"
    assert days(7.0) == "7\u00a0d"
    assert days(6.4) == "6.4\u00a0d"
    assert days(None) == "–"


def test_the_detail_shows_the_whole_view() -> None:
    """Facts, lineage, schema, delay, deliveries, thresholds and file stand there."""
    text = detail(made.detail())
    for words in (
        "Will the customer leave in 30 days?", "one week", "400 days", "9f86d081884c",
        "10\u202f000 rows · train.parquet", "No reference", "run: a41f", "feature_0",
        "40.0\u00a0%", "1.3\u00a0%", "retired", "prediction_id", "no, yes",
        "accuracy below 0.82", "week-10.parquet", "New column: channel.", "by ada",
        "name: churn\\nkind: binary\\n", "/api/v1/models/churn?format=yaml",
        "/monitoring/performance?model=churn", "/monitoring/drift?model=churn",
    ):  # fmt: skip
        assert words in text, words


def test_each_window_is_there_in_words() -> None:
    """The strip's text has every window, newest first, with its sentence and link."""
    text = detail(made.detail())

    assert "The 52 windows in words" in text
    assert text.count("/monitoring/drift?model=churn&at=") == 52
    assert text.index("3 Mar 2026") < text.index("24 Feb 2026")


def test_the_delay_curve_has_its_numbers_in_words() -> None:
    """The sentence beside the chart says when half and most labels have come."""
    view = made.detail()
    words = "Labels arrived: 50\u00a0% after 7\u00a0d, 90\u00a0% after 30\u00a0d."
    assert delay_words(view) == words
    assert f'"aria-label": "{words}"' in detail(view)

    slow = replace(view, label_delay_shares=(0.0, 0.01, 0.02, 0.1, 0.3))
    assert delay_words(slow) == (
        "Only 30\u00a0% of the labels arrived within 30\u00a0d."
    )


def test_the_delay_curve_is_thinned_but_keeps_its_end() -> None:
    """Two thousand points become a few hundred, the last among them."""
    drawn = label_delay([*range(2000)], [i / 2000 for i in range(2000)], "dark")
    line = drawn["data"][0]

    assert len(line["x"]) <= MOST_POINTS + 1
    assert (line["x"][-1], line["y"][-1]) == (1999.0, 100.0)
    assert label_delay([], [], "dark")["data"][0]["x"] == []


def test_archiving_is_offered_to_those_who_may() -> None:
    """Who may not write sees no button; an archived model offers to be restored."""
    assert "models-ask" not in detail(made.detail(), may_edit=False)
    assert '"Archive"' in detail(made.detail())
    assert '"Restore"' in detail(made.detail(made.row(archived=True)))


def test_a_new_model_says_what_it_waits_for() -> None:
    """Each card of a model without data has its own empty state."""
    text = detail(
        made.detail(
            made.BARE, features=0, versions=(), deliveries=(), label_delay_days=(),
            label_delay_shares=(), thresholds=(), classes=(), segments=(),
            retention_days=None,
        )
    )  # fmt: skip
    for words in (
        "No window yet", "No version yet", "Nothing came yet", "No label yet",
        "none set", "for ever",
    ):  # fmt: skip
        assert words in text, words


def test_data_cannot_become_markup_or_lead_out() -> None:
    """Names of models and features are text, and links stay inside."""
    evil = "../../x?y=1#<script>"
    text = detail(made.detail(made.row(evil, strip=made.strip(2))))

    assert '"type": "Script"' not in text
    assert "/api/v1/models/../../x%3Fy%3D1%23%3Cscript%3E?format=yaml" in text
    assert "model=../../x%3Fy%3D1%23%3Cscript%3E" in text


def test_a_large_model_stays_small_enough() -> None:
    """Sixty features, a year of windows and 50 deliveries draw below 300 kB."""
    view = made.detail(features=60)
    text = detail(replace(view, deliveries=view.deliveries * 50))

    assert text.count("feature_") >= 60
    assert len(text.encode()) < 300_000


def test_a_model_that_is_not_there_is_named() -> None:
    """An unknown model leads back to the list."""
    text = said(model_detail.missing("gone", "?model=gone&q=a"))

    assert "There is no model gone" in text
    assert '"/monitoring/models?q=a"' in text


def heads(view: Any, search: str) -> str:
    """The header of the Performance tab as text."""
    return said(model_header(view, TABS[1], TABS, search=search, now=NOW, prefs=PREFS))


def test_the_header_tells_the_model_and_how_it_is() -> None:
    """Name, kind, version, champion, verdict, age and badges stand in the header."""
    text = heads(made.header(archived=True), "?model=churn")
    for words in (
        '"churn"', "Binary classifier", "version 3", '"champion"',
        "Concept drift · Critical", "3 h ago", "tag-simulated", '"archived"',
    ):  # fmt: skip
        assert words in text, words
    assert '"champion"' not in heads(made.header(version="2"), "?model=churn")


def test_header_links_keep_what_the_tabs_share() -> None:
    """Tabs keep model, version, segment, window and range; a switch drops two."""
    search = (
        "?model=churn&version=2&segment=country%3DDE&window=week&from=now-1y&to=now"
        "&metric=auc"
    )
    text = heads(made.header(), search)

    kept = "model=churn&version=2&segment=country%3DDE&window=week&from=now-1y&to=now"
    assert f'"/monitoring/drift?{kept}"' in text
    kept = "window=week&from=now-1y&to=now"
    assert f'"/monitoring/performance?model=price&{kept}"' in text
    assert f'"/monitoring/performance?model=alpha&{kept}"' in text


def test_without_a_model_the_header_offers_the_choice() -> None:
    """No model chosen: the dashboard's name, the switcher, links without a model."""
    options = (("a", "a"), ("b", "b"))
    text = said(choose_header(options, TABS[2], TABS, "?model=gone&from=now-1y"))

    assert "Model monitoring" in text
    assert "Choose a model" in text
    assert '"options": ["a", "b"]' in text
    assert "gone" not in text
    assert '"/monitoring/performance?from=now-1y"' in text


def test_labels_that_differ_from_names_are_shown() -> None:
    """A model with a label of its own is offered by label and chosen by name."""
    text = said(choose_header((("a", "A one"), ("b", "b")), TABS[1], TABS, ""))

    assert '{"label": "A one", "value": "a"}' in text


def test_a_window_of_every_state_can_be_drawn() -> None:
    """No state or severity of the view is without a look."""
    cells = [
        HealthCell(NOW, NOW, state, severity, "fine", "")
        for state in STATES
        for severity in ("critical", "high", "medium", "low", "none")
    ]
    drawn = unquote(health_strip(cells, "words", "dark").src)

    assert drawn.count("M") == len(cells)
