"""The Drift tab's body, drawn from views as the service makes them."""

from __future__ import annotations

import html
import json
import math
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from plotly.utils import PlotlyJSONEncoder

from dashboards import drift_words as words
from dashboards import parts
from dashboards.figures import distributions, heatmap
from dashboards.figures.drift_series import reconstruction
from dashboards.monitoring import drift as tab
from services.drift_views import (
    MEASURES,
    CategoryRow,
    ConceptPanel,
    DriftCell,
    DriftQuery,
    DriftView,
    FeatureDetail,
    FeatureRow,
    MeasureRow,
    MultivariatePanel,
    MultivariatePoint,
    WindowView,
)
from services.units import Preferences

PREFS = Preferences(time_zone="UTC")
SEARCH = "?model=boiler-fault&from=now-1y&to=now"

FIRST = datetime(2025, 11, 24, tzinfo=UTC)
WEEK = timedelta(days=7)
STATES = ("fine",) * 14 + ("drift", "watch", "missing", "unseen", "few", "none")
LONG = "température_à_la_sortie_du_chauffe-eau_".ljust(74, "x") + "時間_温度差"
"""A name of 80 characters."""


def a_cell(state: str, rows: int, rng: random.Random) -> DriftCell:
    """A cell as the service makes one of this state."""
    if state == "none":
        return DriftCell("none", None, None, None, None, 0)
    times = {"drift": rng.uniform(4, 30), "watch": 3.0}.get(state, rng.uniform(0.6, 2))
    p = {"drift": rng.uniform(0, 0.02), "few": None}.get(state, rng.uniform(0.06, 1))
    missing = 0.41 if state == "missing" else rng.uniform(0, 0.02)
    return DriftCell(state, 0.0137 * times, p, 0.0137, missing, rows)


def a_window(place: int, rows: int = 702) -> WindowView:
    """A week with its verdict."""
    start = FIRST + place * WEEK
    said = f"{place} of the inputs moved; accuracy 0.827 against 0.829."
    looks = (
        ("fine", "none", "fine"),
        ("look", "low", "input_shift"),
        ("look", "critical", "concept_drift"),
        ("look", "high", "data_quality"),
        ("cannot_tell", "none", "cannot_tell"),
        ("none", "none", "none"),
    )
    return WindowView(start, start + WEEK, rows, *looks[place % 6], said)


def numeric_detail(name: str = "temp_out", bars: int = 40) -> FeatureDetail:
    """A numeric feature that moved by half a standard deviation."""
    edges = [-4 + 8 * i / bars for i in range(bars + 1)]

    def shares(mean: float) -> tuple[float, ...]:
        heights = [math.exp(-(((a + 0.1 - mean) / 1) ** 2) / 2) for a in edges[:-1]]
        return tuple(h / sum(heights) * 0.98 for h in heights)

    levels = [i / 50 for i in range(1, 50)]
    return FeatureDetail(
        feature=name,
        type="numeric",
        start=FIRST + 50 * WEEK,
        end=FIRST + 51 * WEEK,
        reference_words="validation set of March 2025",
        reference_rows=10_000,
        rows=702,
        edges=tuple(edges),
        reference_shares=shares(0),
        shares=shares(0.5),
        below=(0.001, 0.0),
        above=(0.001, 0.012),
        quantiles=tuple((p, 4 * p - 2, 4 * p - 1.5) for p in levels),
        categories=(),
        missing=(0.01, 0.412),
        infinite=(0.0, 0.0),
        unseen=(0.0, 0.0),
        measures=tuple(MeasureRow(m, 0.239, 0.0137, 0.0004) for m in MEASURES),
        detectable_shift=0.12,
        harm=-0.021,
        state="drift",
        sentence="Shifted up by 0.50 reference sd; PSI 0.239 where 0.014 is chance.",
        formula="PSI = Σ (q − p) ln(q / p) over the deciles of the reference, shares "
        "floored at 0.0001; 250 reference-quantile bins.",
    )


def categorical_detail() -> FeatureDetail:
    """A categorical feature with many levels, new ones and missing values."""
    known = [
        CategoryRow(f"level {i}", 0.9 / 2 ** min(i + 1, 12), 0.03, "known")
        for i in range(30)
    ]
    news = [CategoryRow(f"brand new {i}", 0.0, 0.01 * i, "unseen") for i in range(8)]
    rest = [CategoryRow("other", 0.002, 0.003, "other")]
    rows = (*known, *news, *rest, CategoryRow("missing", 0.01, 0.02, "missing"))
    detail = numeric_detail("site")
    changes: dict[str, Any] = {
        "type": "categorical",
        "edges": (),
        "reference_shares": (),
        "shares": (),
        "quantiles": (),
        "categories": rows,
        "unseen": (0.0, 0.28),
        "missing": (0.01, 0.02),
        "state": "unseen",
    }
    return FeatureDetail(**{**detail.__dict__, **changes})


def concept(windows: int) -> ConceptPanel:
    """A model whose scores mean less than they did."""
    groups = tuple(
        (s, s, s * 0.8, s * 0.8 - 0.04, s * 0.8 + 0.04, 70)
        for s in [0.05 + 0.1 * i for i in range(10)]
    )
    gap = tuple(
        (FIRST + i * WEEK, *((None,) * 3 if i % 9 == 4 else (-i / 900, -0.03, 0.02)))
        for i in range(windows)
    )
    return ConceptPanel("Accuracy", groups, gap, "Scores mean less than they did.")


def multivariate(windows: int) -> MultivariatePanel:
    """A correlation that turned round after 40 weeks."""
    points = tuple(
        MultivariatePoint(
            FIRST + i * WEEK,
            0.5 + (0.2 if i > 40 else 0.01),
            0.56,
            1.1 + (0.3 if i > 40 else 0),
            1.0,
            1.2,
        )
        for i in range(windows)
    )
    columns = (("temp_out", 0.41), ("pressure", 0.2))
    said = "No single input moved, but temp_out and pressure no longer go together."
    return MultivariatePanel(points, columns, ("temp_out", "pressure"), said)


def a_view(
    features: int = 25,
    windows: int = 52,
    detail: FeatureDetail | None = None,
    **changes: Any,
) -> DriftView:
    """A whole view of the size asked for; the newest window is picked."""
    rng = random.Random(7)
    detail = detail or numeric_detail()
    names = [detail.feature, LONG, *(f"feature_{i}" for i in range(2, features))]
    starts = [a_window(i) for i in range(windows)]
    rows = tuple(
        FeatureRow(
            name,
            "numeric",
            0.4 / (i + 1),
            None if i > 20 else -0.02 / (i + 1),
            tuple(a_cell(rng.choice(STATES), 702, rng) for _ in starts),
        )
        for i, name in enumerate(names[:features])
    )
    whole: dict[str, Any] = {
        "query": DriftQuery("boiler-fault"),
        "kind": "binary",
        "version": "3",
        "versions": ("1", "2", "3"),
        "segments": ("site=north", "site=south"),
        "measure": "psi",
        "window": "week",
        "reference": "pinned",
        "windows": tuple(starts),
        "features": rows,
        "picked_feature": detail.feature,
        "picked_start": starts[-1].start,
        "detail": detail,
        "concept": concept(windows),
        "multivariate": multivariate(windows),
        "verdict": starts[-1],
        "harmful": (detail.feature, LONG),
        "least_rows": 100,
        "q": 0.05,
        "reference_hash": "3f8a91c0d2e4b6a8",
        "reference_rows": 10_000,
        "python": "from iotsphere import Client\nClient().drift('boiler-fault')",
        "notes": ("The newest window is not over yet.",),
        "problem": None,
        "start": FIRST,
        "end": FIRST + windows * WEEK,
        "now": FIRST + windows * WEEK,
    }
    return DriftView(**{**whole, **changes})


def as_text(shown: Any) -> str:
    """Components as the browser gets them."""
    return json.dumps(
        shown, cls=PlotlyJSONEncoder, ensure_ascii=False, separators=(",", ":")
    )


def drawn(view: DriftView, search: str = SEARCH, prefs: Preferences = PREFS) -> str:
    """Verdict and body as text."""
    first = tab.verdict(view, prefs, tab.PATH, search)
    return as_text([first, *tab.body(view, prefs, tab.PATH, search)])


@pytest.mark.parametrize("state", ["fine", "none", "look", "cannot_tell"])
def test_harmful_features_are_never_fine(state: str) -> None:
    """With a harmful feature the verdict names it and says neither fine nor none."""
    said = "No drift in any of the inputs."
    window = replace(a_window(0), state=state, verdict="input_shift", sentence=said)
    view = a_view(verdict=window, harmful=("temp_out",))
    shown = as_text(tab.verdict(view, PREFS, tab.PATH, SEARCH))
    kind, word = words.verdict_of(window, view.harmful)

    assert "temp_out" in shown
    assert (kind, word) != ("good", "Fine")
    assert word != "No data"
    if state in {"fine", "none"}:
        assert said not in shown
        assert "1 feature moved in a way that can hurt the model." in shown


def test_the_three_states_have_their_own_shape_and_word() -> None:
    """Fine, look and cannot tell differ by icon and word, not by colour alone."""
    found = {
        words.verdict_of(replace(a_window(0), state=state, severity="high"), ())
        for state in ("fine", "look", "cannot_tell", "none")
    }
    assert {parts.CHIP_ICONS[kind] for kind, _ in found} >= {
        "check-circle-fill", "exclamation-diamond-fill", "question-circle",
    }  # fmt: skip
    assert {"Fine", "Cannot tell", "No data"} < {word for _, word in found}
    assert len(found) == 4


def test_the_map_holds_the_numbers_of_the_view() -> None:
    """Each cell has value, expectation, p and missing share of its feature."""
    view = a_view(5, 8)
    trace = heatmap.heat_map(view, view.features, PREFS)["data"][0]

    for row, facts in zip(view.features, trace["customdata"], strict=True):
        for cell, told in zip(row.cells, facts, strict=True):
            if cell.value is None or cell.expected is None or cell.missing is None:
                assert told[:2] == ["–", "–"]
                continue
            assert told[0] == pytest.approx(cell.value, abs=0.0005)
            assert told[1] == pytest.approx(cell.expected, abs=0.0005)
            assert told[3] == pytest.approx(cell.missing * 100, abs=0.05)
    assert trace["y"] == [row.name for row in view.features]
    assert trace["x"][0] == "24 Nov 2025, 702 rows"


@pytest.mark.parametrize(
    ("value", "expected", "state", "place"),
    [
        (0.01, 0.01, "fine", 0),
        (0.005, 0.01, "fine", 0),
        (0.0, 0.01, "fine", 0),
        (0.04, 0.01, "drift", 8),
        (9.0, 0.01, "drift", 16),
        (0.04, 0.01, "few", -4),
        (None, 0.01, "missing", -4),
        (0.04, None, "watch", -4),
        (None, None, "none", None),
    ],
)
def test_colour_is_relative_to_what_chance_gives(
    value: float | None, expected: float | None, state: str, place: int | None
) -> None:
    """A doubling of the expectation is four steps; grey cannot be compared."""
    cell = DriftCell(state, value, 0.01, expected, 0.0, 700)

    assert heatmap.strength(cell) == place


def test_the_dates_are_categories_with_room() -> None:
    """Windows are dates on a category axis, few of them written, none at the edge."""
    for count in (1, 2, 4, 13, 52, 366):
        layout = heatmap.strip(a_view(2, count), PREFS)["layout"]["xaxis"]
        assert layout["type"] == "category"
        assert 1 <= len(layout["tickvals"]) <= heatmap.MOST_TICKS
    ticks = heatmap.strip(a_view(2, 52), PREFS)["layout"]["xaxis"]["ticktext"]
    assert ticks[0] == "15 Dec"


def test_both_distributions_share_their_bars() -> None:
    """Reference, window and difference are drawn over the same edges."""
    detail = numeric_detail()
    now, before, gap = distributions.numeric(detail, "dark")["data"]

    assert now["y"] == [round(s * 100, 3) for s in detail.shares]
    assert before["y"][1:-1] == [round(s * 100, 3) for s in detail.reference_shares]
    assert before["x"][1:] == pytest.approx(detail.edges)
    assert (now["x"], now["width"]) == (gap["x"], gap["width"])
    assert gap["y"] == pytest.approx(
        [
            100 * (c - r)
            for c, r in zip(detail.shares, detail.reference_shares, strict=True)
        ],
        abs=0.002,
    )


def test_categories_are_summed_and_none_is_lost() -> None:
    """Twenty categories, the others together, new ones, missing: all are there."""
    detail = categorical_detail()
    rows = distributions.category_shares(detail)
    names = [name for name, _, _ in rows]

    assert names[0] == "level 0"
    assert names[20:22] == ["11 more", "New: brand new 7"]
    assert names[-2:] == ["3 more new", "Missing"]
    known = [c for c in detail.categories if c.kind != "missing"]
    assert sum(r for _, r, _ in rows[:-1]) == pytest.approx(
        sum(c.reference for c in known)
    )
    assert sum(c for _, _, c in rows[:-1]) == pytest.approx(
        sum(c.current for c in known)
    )


def test_names_cannot_become_markup() -> None:
    """A name with markup is written as text in the charts and found again."""
    view = a_view(3, 4, numeric_detail("<b>bold</b> & co"))
    trace = heatmap.heat_map(view, view.features, PREFS)["data"][0]

    assert trace["y"][0] == "&lt;b&gt;bold&lt;/b&gt; &amp; co"
    assert html.unescape(trace["y"][0]) == view.features[0].name


def test_the_body_shows_everything() -> None:
    """Map, legend, detail, measures, panels, snippet and download are all there."""
    text = drawn(a_view())
    for said in (
        "PSI by feature and window", "Drift: adjusted p below 0.05",
        "Too few rows (below 100)", "Harm", "−0.020",
        "pinned reference, 10\u202f000 rows",
        "Shifted up by 0.50 reference sd", "Jensen-Shannon distance (base 2)",
        "0.12 reference sd", "250 reference-quantile bins", "3f8a91c0d2e4",
        "Scores mean less than they did.", "temp_out and pressure",
        "Copy as Python", "Client().drift(", "The newest window is not over yet.",
        "/api/v1/models/boiler-fault/drift?format=csv&version=3&measure=psi",
        "from=2025-11-24T00:00:00Z&to=2026-11-23T00:00:00Z",
        "feature=temp_out&at=2026-11-16T00:00:00Z", LONG,
    ):  # fmt: skip
        assert said in text, said


def test_every_chart_has_words() -> None:
    """Each graph is an image with a label for those who cannot see it."""
    for view in (a_view(), a_view(detail=categorical_detail())):
        text = drawn(view)
        assert text.count('"type":"Graph"') == text.count('"role":"img"')
        assert text.count('"type":"Graph"') >= 7
    assert "moved in" in text


def test_the_axis_of_the_error_is_that_of_its_band() -> None:
    """A band far from 0 fills its chart, also where a window has no result."""
    view = a_view(6, 10)
    given = view.multivariate
    assert given is not None
    first = replace(given.points[0], reconstruction=None, reconstruction_low=None,
                    reconstruction_high=None)  # fmt: skip
    band = [
        replace(p, reconstruction=2.0, reconstruction_low=1.9, reconstruction_high=2.2)
        for p in given.points[1:]
    ]
    panel = replace(given, points=(first, *band))
    low, high = reconstruction(panel, PREFS)["layout"]["yaxis"]["range"]

    assert 1.8 < low < 1.9
    assert 2.2 < high < 2.3


def test_a_metric_is_written_as_everywhere() -> None:
    """The concept panel names the metric with a capital, as the Performance tab."""
    view = a_view(6, 10)
    assert view.concept is not None
    shown = replace(view, concept=replace(view.concept, metric="accuracy"))

    assert "Accuracy: realised minus estimated" in drawn(shown)


def test_panels_without_numbers_say_why() -> None:
    """Without labels, results or a distribution there are reasons and no charts."""
    text = drawn(replace(a_view(concept=None, multivariate=None), detail=None))

    assert "Cannot tell without labels" in text
    assert "Not computed for this range" in text
    assert "No distribution for this cell" in text
    assert text.count('"type":"Graph"') == 2


def test_an_empty_model_says_what_to_do() -> None:
    """Without windows the problem stands there with the commands that solve it."""
    said = "The model has no reference yet."
    view = a_view(0, 1, picked_start=None, verdict=None, harmful=(), problem=said)
    view = replace(view, windows=(), detail=None)
    text = drawn(view)

    assert tab.verdict(view, PREFS, tab.PATH, SEARCH) is None
    assert "The model has no reference yet." in text
    for command in ("model apply FILE", "reference set --model NAME FILE"):
        assert command in text
    assert '"type":"Graph"' not in text


def test_the_filter_narrows_the_rows() -> None:
    """The text of the address is looked for in the names; nothing found says so."""
    some = drawn(a_view(), f"{SEARCH}&q=TEMP_")
    none = drawn(a_view(), f"{SEARCH}&q=zzz")

    assert "1 of 25 features" in some
    assert "No feature has this in its name" in none
    assert "Show all features" in none


def test_steps_lead_to_the_neighbouring_windows() -> None:
    """The verdict links to the window before, the one after and the newest."""
    view = a_view(picked_start=FIRST + 10 * WEEK)
    text = as_text(tab.verdict(view, PREFS, tab.PATH, SEARCH))

    for start in (FIRST + 9 * WEEK, FIRST + 11 * WEEK, FIRST + 51 * WEEK):
        assert f"at={start:%Y-%m-%d}T00:00:00Z" in text


def test_a_year_of_25_features_is_small() -> None:
    """The body of 25 features in 52 windows is at most 130 kB."""
    shown = tab.body(a_view(), PREFS, tab.PATH, SEARCH)

    assert len(as_text(shown).encode()) <= 130_000


def test_signs_stand_on_their_cells_in_a_colour_that_can_be_read() -> None:
    """Every cell with a finding has its sign, and no other; none catches the mouse."""
    view = a_view()
    for theme in ("dark", "light"):
        prefs = replace(PREFS, theme=theme)
        cells, signs = heatmap.heat_map(view, view.features, prefs)["data"]
        expected = [
            (x, y, heatmap.SIGNS[cell.state])
            for y, row in zip(cells["y"], view.features, strict=True)
            for x, cell in zip(cells["x"], row.cells, strict=True)
            if cell.state in heatmap.SIGNS
        ]

        assert [*zip(signs["x"], signs["y"], signs["text"], strict=True)] == expected
        assert len(set(signs["textfont"]["color"])) == 2
        assert signs["hoverinfo"] == "skip"


def test_the_map_is_drawn_before_the_cards_below_it() -> None:
    """What is drawn first has the map alone; both parts together are the body."""
    view = a_view()
    first = tab.first(view, PREFS, tab.PATH, SEARCH)

    assert first.rest is None
    assert first._replace(rest=None).map is not None
    whole = tab.body(view, PREFS, tab.PATH, SEARCH)
    assert as_text(whole.map) == as_text(first.map)
    assert as_text(whole.rest) == as_text(tab.rest(view, PREFS))


def test_sixty_features_and_every_unit_are_drawn() -> None:
    """A large view in any theme, zone and window length raises nothing."""
    for unit in ("hour", "day", "week", "month"):
        prefs = Preferences(time_zone="Asia/Kathmandu", theme="light")
        view = a_view(60, 52, categorical_detail(), window=unit)
        assert len(set(words.columns(view, prefs))) == 52
        assert LONG in drawn(view, prefs=prefs)
