"""The performance report on real stores: its numbers are the tab's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from services.monitoring.scope import MOST_WINDOWS
from services.performance_views import PerformanceQuery, PerformanceView
from services.reports.compose_windows import window_of
from services.reports.document import Document, LineChart
from services.units import Preferences
from settings import Settings
from tests.conftest import NOW, VIEWER
from tests.services.monitoring.world import CHURN, MONDAY, WEEK, World, fill, open_world
from tests.services.reports.composing import (
    block,
    column,
    compose,
    figure,
    table,
    texts,
)

BERLIN = Preferences(time_zone="Europe/Berlin")
START = MONDAY - 2 * WEEK


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Churn and price with their weeks; see ``fill``."""
    home = tmp_path_factory.mktemp("report-performance")
    with open_world(Settings(home_dir=home, secret_key="k7!" + "Zq3xW9vB" * 5)) as made:
        fill(made)
        yield made


def report(world: World, **asked: object) -> Document:
    """The report of a viewer."""
    start, end = asked.pop("start", START), asked.pop("end", NOW)
    return compose(
        world.settings, VIEWER, "performance", start, end, NOW, **asked  # type: ignore[arg-type]
    )  # fmt: skip


def tab(world: World, model: str, zone: str = "UTC") -> PerformanceView:
    """The tab on the same range."""
    query = PerformanceQuery(
        model, text_from=START.isoformat(), text_to=NOW.isoformat()
    )
    return world.performance.view(VIEWER, query, ZoneInfo(zone))


def test_every_window_has_the_numbers_of_the_tab(world: World) -> None:
    """Rows, labels, values, bands and gaps of each week are those of the view."""
    document, view = report(world), tab(world, "churn")
    found = table(document, "windows-churn")

    assert column(found, "start") == [w.start for w in view.windows]
    assert column(found, "rows") == [w.rows for w in view.windows]
    assert column(found, "labelled") == [w.labelled for w in view.windows]
    for name in ("realised", "estimated", "gap"):
        points = [getattr(w, name) for w in view.windows]
        assert column(found, name) == [p.value for p in points]
        assert column(found, f"{name}_low") == [p.low for p in points]
        assert column(found, f"{name}_high") == [p.high for p in points]
    assert column(found, "note").count("gap leaves its band") == 1


def test_the_chart_draws_the_rows_of_the_table(world: World) -> None:
    """Lines and bands hold what the table says, and what is missing is a gap."""
    document = report(world)
    chart, found = block(document, "trend-churn"), table(document, "windows-churn")
    assert isinstance(chart, LineChart)
    realised = chart.lines[0]

    assert list(realised.y) == column(found, "realised")
    assert list(realised.low) == column(found, "realised_low")
    assert realised.y[0] is None
    assert [limit.name for limit in chart.limits] == ["Reference"]


def test_key_figures_are_the_tiles_of_the_tab(world: World) -> None:
    """Each metric of the picked window is the tile's, with its decimals."""
    view = tab(world, "churn")
    document = report(world, models=("churn",))
    tile = next(t for t in view.tiles if t.metric == "auc")

    assert figure(document, "AUC").value == tile.realised.value
    assert figure(document, "AUC").decimals == 3
    window = next(w for w in view.windows if w.start == view.picked)
    assert figure(document, "Predictions").value == window.rows
    assert figure(document, "Labels arrived").value == window.coverage * 100
    assert figure(document, "Realised minus estimated").value == window.gap.value
    assert any(view.sentence in text for text in texts(document))


def test_the_summary_lists_every_model_first(world: World) -> None:
    """Both models stand in the first table, with their values as they are written."""
    document = report(world)
    summary = table(document, "summary")

    assert document.sections[0].key == "summary"
    assert column(summary, "model") == ["churn", "price"]
    picked = {
        name: next(w for w in view.windows if w.start == view.picked)
        for name in ("churn", "price")
        for view in [tab(world, name)]
    }
    values = [picked[name].realised.value or 0.0 for name in ("churn", "price")]
    written = [round(values[0], 3), round(values[1], 2)]  # as the tab writes them
    assert column(summary, "realised") == written
    assert ("Reference", "churn: 9f2c61d4a7b0") in document.facts


def test_composed_twice_it_is_equal(world: World) -> None:
    """The same data and clock give the same document, whoever else reads meanwhile."""
    assert report(world, preferences=BERLIN) == report(world, preferences=BERLIN)


def test_sections_that_were_not_asked_for_are_left_out(world: World) -> None:
    """With one section there is its table alone."""
    document = report(world, sections=("windows",), models=("churn",))

    assert [t.key for _, t in document.tables()] == ["windows-churn"]


def test_a_range_without_predictions_says_where_there_are_some(world: World) -> None:
    """An empty range has the tab's words and no table of zeros."""
    document = report(
        world, start=START - 20 * WEEK, end=START - 10 * WEEK, models=("churn",),
        sections=("verdict", "windows"),
    )  # fmt: skip

    assert "There are some from" in texts(document)[0]
    assert list(document.tables()) == []


def test_a_model_without_reference_says_what_to_do(settings: Settings) -> None:
    """Nothing is made up for a model that cannot be judged."""
    with open_world(settings) as fresh:
        fresh.add(replace(CHURN, name="bare"))
        document = report(fresh)

    assert "python cli.py reference set --model bare" in texts(document)[0]
    assert column(table(document, "summary"), "realised") == [None]


def test_a_long_range_has_wider_windows() -> None:
    """More than 400 days or weeks become weeks or months; fewer stay as they are."""
    year, five = NOW - timedelta(days=370), NOW - timedelta(days=1826)

    assert window_of("day", year, NOW) == "day"
    assert window_of("day", five, NOW) == "week"
    assert window_of("hour", year, NOW) == "day"
    assert MOST_WINDOWS == 400


def test_a_report_on_five_years_says_that_its_windows_are_wider(world: World) -> None:
    """A model judged by the day is shown by the week, and a footnote says so."""
    with open_days(world) as name:
        document = report(world, start=NOW - timedelta(days=1826), models=(name,))

    assert any("each of its windows here is a week" in n for n in document.footnotes)
    assert table(document, f"windows-{name}").columns[0].title == "Week from"


@contextmanager
def open_days(world: World) -> Iterator[str]:
    """Churn judged by the day while the test runs; its name."""
    judge_by(world, "day")
    yield "churn"
    judge_by(world, "week")


def judge_by(world: World, window: str) -> None:
    """Change how long the windows of churn are."""
    model = world.store.model("churn")
    assert model is not None
    with world.store.transaction() as tx:
        assert world.store.replace(tx, model, replace(model.spec, window=window), NOW)
