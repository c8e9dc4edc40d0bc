"""The Performance tab's page, drawn from real views."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from plotly.utils import PlotlyJSONEncoder

from dashboards import parts
from dashboards.figures.calibration import confusion_figure, reliability, short
from dashboards.figures.performance_chart import figure
from dashboards.monitoring import performance as tab
from dashboards.performance_words import data_address, decimals, period
from services.performance_views import (
    PerformanceQuery,
    PerformanceView,
    Point,
    ThresholdView,
)
from services.units import Preferences
from tests.dashboards.performance_samples import (
    FIRST,
    LONG,
    NONE_YET,
    around,
    calibrations,
    confusion,
    empty,
    huge,
    paired,
    regression,
    sample,
)

PREFS = Preferences(time_zone="Europe/Berlin")
SEARCH = "?model=churn&from=now-13w&to=now&metric=accuracy"


def as_json(shown: Any) -> str:
    """What is sent to the browser."""
    return json.dumps(
        shown, cls=PlotlyJSONEncoder, ensure_ascii=False, separators=(",", ":")
    )


def page(view: Any, search: str = SEARCH, *, may_edit: bool = True) -> str:
    """Head and body as JSON text."""
    head = tab.head(view, PREFS, search)
    return as_json([head, tab.body(view, PREFS, search, may_edit=may_edit)])


def traces(view: Any, name: str, axis: str = "y") -> list[dict[str, Any]]:
    """The traces of one name in one panel of the main chart."""
    drawn = figure(view, PREFS)["data"]
    return [t for t in drawn if t.get("name") == name and t["yaxis"] == axis]


def nodes(node: Any) -> Iterator[dict[str, Any]]:
    """Every component of a page that was made JSON."""
    if isinstance(node, dict):
        if "props" in node:
            yield node["props"]
        for child in node.values():
            yield from nodes(child)
    elif isinstance(node, list):
        for child in node:
            yield from nodes(child)


def test_the_sentence_and_its_state_come_first() -> None:
    """The head begins with the state as a shape and a word, then the sentence."""
    view = sample()
    first, _ = tab.head(view, PREFS, SEARCH)

    text = as_json(first)

    assert view.state == "look"
    assert "bi-exclamation-triangle-fill" in text
    assert text.index('"Accuracy needs a look"') < text.index(
        "Concept drift: accuracy was 0.785"
    )


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, "look"),
        ({"windows": sample().windows[:30]}, "fine"),
        ({"windows": sample().windows[30:31]}, "cannot_tell"),
        ({"windows": ()}, "cannot_tell"),
        (
            {
                "windows": sample().windows[:30],
                "threshold": ThresholdView("accuracy", "below", 0.9, 1, 1, None),
            },
            "look",
        ),
        (
            {
                "windows": sample().windows[50:],
                "threshold": ThresholdView("accuracy", "above", 0.5, 1, 1, None),
            },
            "look",
        ),
    ],
)
def test_the_state_follows_the_newest_value(
    changes: dict[str, Any], state: str
) -> None:
    """A broken limit or a gap outside its band is a look; no value is no verdict."""
    assert sample(**changes).state == state


def few_labels(share: float = 0.06) -> PerformanceView:
    """A view whose accuracy is broken up to week 48, and fine in 49 by few labels."""
    broken, early = around(0.63, 0.03), around(0.85, 0.15)
    windows = list(sample().windows[:50])
    windows[48] = replace(windows[48], realised=broken, outside=True)
    windows[49] = replace(
        windows[49], realised=early, coverage=share, gap=around(0.0, 0.2), outside=False
    )
    return sample(windows=tuple(windows), picked=windows[49].start)


def test_few_early_labels_do_not_make_a_broken_metric_fine() -> None:
    """While most labels are to come, the newest window with enough of them decides."""
    first, _ = tab.head(few_labels(), PREFS, SEARCH)
    text = as_json(first)

    assert few_labels().state == "look"
    assert "Accuracy 0.630 (0.600 to 0.660) in the week of 26 Oct 2026" in text
    assert "below the threshold of 0.810" in text
    assert text.index("newest window with enough") < text.index("Provisional, as most")
    assert few_labels(0.97).state == "fine"
    assert "rovisional" not in page(few_labels(0.97))


def test_values_from_few_labels_are_hollow() -> None:
    """A provisional value has a hollow mark of its own, and is called so."""
    view = few_labels()
    (marks,) = traces(view, "Provisional: few labels")
    (line,) = traces(view, "Realised")

    assert [y for y in marks["y"] if y is not None] == [0.85]
    assert marks["y"][49] == 0.85
    assert line["text"][49] == "0.850 (0.700 to 1.000), provisional: few labels"
    assert '"provisional"' in as_json(tab.head(view, PREFS, SEARCH))
    assert traces(sample(), "Provisional: few labels") == []


def test_an_empty_matrix_is_not_drawn() -> None:
    """Without a single label the card says so in place of a frame without cells."""
    none = replace(confusion(("stays", "leaves")), counts=((0, 0), (0, 0)))
    text = page(sample(confusion=none))

    assert "No label has come yet" in text
    assert "performance-confusion" not in text


def test_an_unknown_model_leads_to_the_list() -> None:
    """What does not exist cannot be started again; all else can."""
    shown = parts.error_state("There is no model x.")
    missing = as_json(tab.failure(shown, "?model=x", known=False))

    assert "/monitoring/models" in missing
    assert "Start again" not in missing
    assert "/monitoring/performance?model=x" in as_json(
        tab.failure(shown, "?model=x&window=hour", known=True)
    )


def test_tiles_show_the_numbers_of_the_view() -> None:
    """Each metric's tile has its value, interval, estimate and reference, and leads
    to that metric while it keeps the rest of the address."""
    view = sample()
    text = page(view)

    for place, tile in enumerate(view.tiles):
        value = 0.7 + 0.011 * place
        for number in (value, value + 0.02, value + 0.03):
            assert f'"{number:.3f}"' in text
        assert f"{value - 0.03:.3f} to {value + 0.03:.3f}" in text
        assert f"from=now-13w&to=now&metric={tile.metric}" in text
    assert "Week of 2 Nov 2026" in text
    assert "834 of 860 labelled (97\u00a0%)" in text


def test_no_value_says_why() -> None:
    """A metric without a value shows a dash with the reason on hover, never a zero."""
    tiles = (replace(sample().tiles[0], realised=NONE_YET),)

    head = json.loads(as_json(tab.head(sample(tiles=tiles), PREFS, SEARCH)))

    (value,) = [n for n in nodes(head) if n.get("className") == "tile-value"]
    assert value["children"] == "–"
    assert value["title"] == "no label has arrived yet"
    body = json.loads(as_json(tab.body(sample(), PREFS, SEARCH, may_edit=False)))
    reasons = [n["title"] for n in nodes(body) if n.get("children") == "–"]
    assert reasons.count("12 labels, 30 are needed") == 4


def test_the_chart_holds_the_numbers_of_the_view() -> None:
    """Realised, estimated, weighted and gap are the view's, with a gap for a gap."""
    view = sample()

    for name, part, axis in (
        ("Realised", "realised", "y"),
        ("Estimated", "estimated", "y"),
        ("Density-weighted estimate", "weighted", "y"),
        ("Gap", "gap", "y3"),
    ):
        (trace,) = traces(view, name, axis)
        wanted = [getattr(w, part).value for w in view.windows]
        assert len(trace["y"]) == 52
        assert [y is None for y in trace["y"]] == [v is None for v in wanted]
        assert [y for y in trace["y"] if y is not None] == pytest.approx(
            [v for v in wanted if v is not None], abs=5e-5
        )
    assert traces(view, "Realised")[0]["y"][20] is None
    (weighted,) = traces(view, "Density-weighted estimate")
    assert weighted["visible"] == "legendonly"
    assert weighted["line"]["dash"] == "dot"
    assert traces(view, "Estimated")[0]["line"]["dash"] == "dash"


def test_bands_end_where_the_values_end() -> None:
    """The realised band is one outline for each run of windows with an interval."""
    (band,) = [
        t
        for t in figure(sample(), PREFS)["data"]
        if t.get("legendgroup") == "realised" and t.get("fill") == "toself"
    ]

    assert band["y"].count(None) == 2  # the few and the empty window part three runs
    assert len(band["y"]) == 2 * (48 + 3 * 2) + 2
    assert band["x"].count(None) == 2


def test_windows_that_leave_the_band_are_marked() -> None:
    """A gap outside its band is a diamond, another shape than the rest."""
    view = sample()
    (gap,) = traces(view, "Gap", "y3")

    marked = [s == "diamond" for s in gap["marker"]["symbol"]]

    assert marked == [w.outside for w in view.windows]
    assert 0 < sum(marked) < 52


def test_windows_without_a_realised_value_are_hatched() -> None:
    """Few labels, no rows and labels to come are hatched and grey in the strip."""
    view = sample()
    (hatched,) = traces(view, "No realised value")
    (strip,) = traces(view, "Labels arrived", "y2")

    without = [i for i, w in enumerate(view.windows) if w.realised.value is None]

    assert without == [20, 30, 50, 51]
    assert [i for i, y in enumerate(hatched["y"]) if y is not None] == without
    assert len({strip["marker"]["color"][i] for i in without}) == 1
    assert strip["marker"]["color"][20] != strip["marker"]["color"][19]
    assert strip["y"][19] == 0.97
    assert "12 labels, 30 are needed" in strip["text"][20]


def test_a_click_names_the_window() -> None:
    """What a click sends is the start of the window, for the address."""
    (realised,) = traces(sample(), "Realised")

    assert realised["customdata"][3] == "2025-12-15T00:00:00Z"
    assert (
        realised["customdata"]
        == traces(sample(), "Labels arrived", "y2")[0]["customdata"]
    )


def test_the_threshold_is_the_only_shape() -> None:
    """So dragging moves the threshold alone; without one the shape is not seen."""
    (shape,) = figure(sample(), PREFS)["layout"]["shapes"]
    (unseen,) = figure(regression(), PREFS)["layout"]["shapes"]

    assert (shape["y0"], shape["y1"], shape["visible"]) == (0.81, 0.81, True)
    assert shape["label"]["text"] == "alert below 0.810"
    assert unseen["visible"] is False


def test_only_who_may_edit_gets_the_form() -> None:
    """Without the permission there are words and a line that cannot be moved."""
    edited, read = page(sample()), page(sample(), may_edit=False)

    assert '"performance-save"' in edited
    assert "Use suggested 0.812" in edited
    assert '"shapePosition":true' in edited
    assert '"performance-save"' not in read
    assert "Accuracy alerts below 0.810." in read
    assert "Fired 5 times in the past year (of 49 windows)." in read
    assert '"shapePosition":false' in read


def test_regression_has_its_own_metrics_and_no_empty_panel() -> None:
    """MAE, RMSE, R² and bias are shown; calibration and confusion are left out."""
    text = page(regression())

    for words in ("MAE over time", "1\u202f784", "RMSE", "R²", "0.713", "12.43"):
        assert words in text, words
    assert "Calibration" not in text
    assert "Confusion" not in text
    assert "performance-value" in text


def test_a_challenger_is_compared_pair_by_pair() -> None:
    """The difference with its interval is drawn and said, or how to log one is."""
    view = sample(paired=paired(), challengers=("4-candidate",))
    text = page(view)

    assert view.paired is not None
    assert view.paired.sentence in text
    assert (
        "Accuracy of version 4-candidate minus version 3: +0.010 (+0.008 to +0.012) "
        "over 31\u202f870 predictions" in text
    )
    other = page(replace(view, metric="f1"))
    assert "Accuracy of version 4-candidate minus" in other
    assert "under the same prediction ids" in page(sample())
    offered = page(sample(challengers=("4-candidate",)))
    assert "against=4-candidate" in offered


def test_calibration_of_the_class_that_is_asked_for() -> None:
    """The worst class is drawn first; a link leads to each other one."""
    view = sample(kind="multiclass", calibration=calibrations(("a", "b", "c")))

    assert "Class c: calibration error 0.020 (0.016 to 0.024)" in page(view)
    asked = page(view, SEARCH + "&class=b")
    assert "Class b: calibration error 0.010" in asked
    assert "metric=accuracy&class=a" in asked
    drawn = reliability(view.calibration[1], "dark")["data"]
    assert drawn[0]["x"] == drawn[0]["y"] == [0, 1]
    assert drawn[1]["marker"]["symbol"] == "circle-open"
    assert drawn[3]["y"] == [p.rows for p in view.calibration[1].window]


@pytest.mark.parametrize("count", [2, 20])
def test_the_confusion_matrix_has_counts_and_row_shares(count: int) -> None:
    """Rows are predictions, shares of a row sum to 1, and each class is labelled."""
    classes = tuple(f"{LONG} {i}" for i in range(count))
    matrix = confusion(classes)
    drawn = confusion_figure(matrix, "light")
    (heat,) = drawn["data"]

    assert heat["customdata"] == [list(row) for row in matrix.counts]
    assert [sum(row) for row in heat["z"]] == pytest.approx([1] * count, abs=2e-3)
    assert drawn["layout"]["xaxis"]["type"] == "category"
    assert len(set(drawn["layout"]["yaxis"]["ticktext"])) == count
    assert max(map(len, drawn["layout"]["yaxis"]["ticktext"])) <= 16
    assert short("leaves") == "leaves"


def test_segments_lead_to_their_own_page() -> None:
    """Each row has its numbers, the worse one a mark, and a link to the segment."""
    text = page(sample())

    assert "segment=region%3Dsouth" in text
    assert "0.781 (0.775 to 0.787)" in text
    assert text.count('"Worse"') == 1
    assert "17\u202f020" in text


def test_the_file_is_asked_for_with_the_query_of_the_page() -> None:
    """The data link holds the address's query, and the default range if it has none."""
    view = sample(query=PerformanceQuery("churn"))

    assert data_address(view, SEARCH + "&class=b") == (
        "/api/v1/models/churn/performance?format=csv&from=now-13w&to=now"
        "&metric=accuracy"
    )
    assert data_address(view, "?model=churn").endswith("csv&from=now-1y&to=now")
    odd = sample(query=PerformanceQuery("a/b?c"))
    assert data_address(odd, "").startswith("/api/v1/models/a%2Fb%3Fc/performance?")


def test_charts_have_words_and_tables() -> None:
    """Each chart is an image with a sentence, and its numbers stand in a table."""
    text = page(sample(paired=paired()))
    said = [
        props["aria-label"]
        for props in nodes(json.loads(text))
        if props.get("role") == "img"
    ]

    assert len(said) == 4
    assert said[0].startswith("Accuracy realised in 48 of 52 windows")
    assert "reference 0.842" in said[0]
    assert said[0].endswith("leaves its band in 4 windows.")
    assert "The numbers as a table" in text
    assert "True class" in text


def test_a_problem_says_which_commands_help() -> None:
    """Without data there are no charts but the reason and what to run."""
    text = page(empty())

    assert "Version 3 of churn has no reference" in text
    assert '"python cli.py reference set --model churn FILE"' in text
    assert "performance-chart" not in text
    silent = page(sample(windows=()))
    assert "There is no prediction in this range" in silent
    assert "reference set" not in silent
    chosen = as_json(tab.no_model())
    assert "python cli.py model apply FILE" in chosen
    assert "/monitoring/models" in chosen


def test_a_year_of_weeks_is_small() -> None:
    """52 windows make at most 120 kB, 60 kB of them the chart."""
    view = sample(paired=paired(), challengers=("4-candidate",))
    assert len(as_json(figure(view, PREFS)).encode()) <= 60_000

    drawn = tab.body(view, PREFS, SEARCH, may_edit=True)

    assert len(as_json(drawn).encode()) <= 120_000


def test_a_huge_view_is_drawn_whole() -> None:
    """20 classes, 60 segments and long names are all there."""
    text = page(huge())

    assert text.count('"perf-class') >= 20
    assert text.count("segment=site") == 60
    assert len(text.encode()) < 300_000


@pytest.mark.parametrize(
    ("window", "words"),
    [
        ("hour", "24 Nov 2025, 01:00"),
        ("day", "Mon 24 Nov 2025"),
        ("week", "week of 24 Nov 2025"),
        ("month", "November 2025"),
    ],
)
def test_windows_are_named_by_dates(window: str, words: str) -> None:
    """A window is named by its first moment in the reader's zone."""
    assert period(FIRST, window, PREFS) == words


def test_numbers_in_the_labels_unit_keep_four_digits() -> None:
    """An error of 0.01 and one of 2,000 are both written with four digits."""
    assert decimals("mae", [0.0123, None]) == 5
    assert decimals("mae", [2100.0]) == 0
    assert decimals("bias", [0.0, None]) == 3
    assert decimals("auc", [2100.0]) == 3


def test_one_window_alone_is_drawn() -> None:
    """A single window has its dot and a band as wide as the window."""
    view = sample(windows=sample().windows[:1], reference=Point(None))
    (realised,) = traces(view, "Realised")
    drawn = figure(view, PREFS)

    assert realised["mode"] == "lines+markers"
    (band,) = [
        t
        for t in drawn["data"]
        if t.get("legendgroup") == "realised" and t.get("fill") == "toself"
    ]
    assert band["x"][0] == band["x"][5] == "2025-11-20T13:00"
    assert band["x"][2] == band["x"][3] == "2025-11-27T13:00"
    assert traces(view, "Estimated")[0]["mode"] == "lines+markers"
