"""The Performance tab through the door: drawn from the address, written to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from callbacks.model_addresses import changed
from callbacks.monitoring.performance import dragged, parse_limit, read_query
from dashboards.monitoring.performance import KEYS
from dashboards.registry import Tab
from services.access import Principal, requires
from services.errors import InvalidInput, NotFound
from services.performance_views import (
    PerformanceQuery,
    PerformanceView,
    ThresholdView,
)
from settings import Settings
from tests.conftest import Clock, open_stores
from tests.dashboards.performance_samples import sample
from tests.portal import SAMPLES, Portal, call, open_portal

TABS = (
    SAMPLES[0],
    Tab(
        key="performance",
        title="Performance",
        dashboard="monitoring",
        path="/monitoring/performance",
        permission="model.read",
        layout="dashboards.monitoring.performance",
        callbacks="callbacks.monitoring.performance",
    ),
)
HELD = ["accuracy", "week", "*", "3", "*"]
FORM = {"metric": "accuracy", "side": "below", "digits": 3, "suggested": 0.8125}
CONTROLS = ("metric", "window", "segment", "version", "against")


class Service:
    """One model in memory; it judges a threshold by the view's own windows."""

    def __init__(self) -> None:
        self.asked: list[PerformanceQuery] = []
        self.kept: list[tuple[str, str, str, float | None]] = []

    def view(
        self, caller: Principal, query: PerformanceQuery, zone: ZoneInfo
    ) -> PerformanceView:
        """The sample view, for the query."""
        requires(caller, "model.read")
        self.asked.append(query)
        if query.model != "churn":
            raise NotFound(f"There is no model {query.model}.")
        return sample(query=query)

    def preview_threshold(
        self,
        caller: Principal,
        query: PerformanceQuery,
        side: str,
        value: float,
        zone: ZoneInfo,
    ) -> ThresholdView:
        """How many of the sample's windows break the limit."""
        judged = [w.judged for w in sample().windows if w.judged is not None]
        limit = ThresholdView("accuracy", side, value, 0, len(judged), 0.8125)
        return replace(limit, fired=sum(limit.broken_by(v) for v in judged))

    def set_threshold(
        self,
        caller: Principal,
        model: str,
        metric: str,
        side: str,
        value: float | None,
    ) -> None:
        """Keep what was asked for."""
        requires(caller, "model.write")
        self.kept.append((model, metric, side, value))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """The application with the real tab and a service in memory."""
    home = tmp_path_factory.mktemp("performance")
    settings = Settings(home_dir=home, secret_key="k7!" + "Zq3xW9vB" * 5)
    with (
        contextmanager(open_stores)(settings, Clock()) as stores,
        open_portal(stores, TABS) as portal,
    ):
        yield portal


@pytest.fixture
def service(site: Portal) -> Service:
    """The service the tab speaks to."""
    site.services.performance = Service()
    found: Service = site.services.performance
    return found


def drawn(site: Portal, search: str, user: str = "vera") -> str:
    """The text of the answer that draws the page."""
    values = {"shell-location.search": search, "performance-saved.data": 0}
    answer = call(
        site,
        site.browser(user),
        "performance-body.children",
        values,
        ["shell-location.search"],
    )
    assert answer.status_code == 200, answer.text
    text: str = answer.get_data(as_text=True)
    return text


def test_the_page_is_drawn_from_the_address(site: Portal, service: Service) -> None:
    """Every key of the address reaches the service; the default range is a year."""
    search = (
        "?model=churn&version=2&metric=f1&window=day&segment=region%3Dnorth"
        "&against=4&at=2026-11-02T00:00:00Z&from=now-4w&to=now-1w"
    )
    text = drawn(site, search)
    drawn(site, "?model=churn")

    assert "Concept drift: accuracy was 0.785" in text
    assert service.asked == [
        PerformanceQuery(
            "churn", "2", "f1", "day", "region=north", "4",
            "2026-11-02T00:00:00Z", "now-4w", "now-1w",
        ),
        PerformanceQuery("churn", text_from="now-1y", text_to="now"),
    ]  # fmt: skip


def test_only_operators_get_the_form(site: Portal, service: Service) -> None:
    """A viewer reads the threshold; an operator can change it."""
    assert "performance-save" not in drawn(site, "?model=churn")
    assert "performance-save" in drawn(site, "?model=churn", "otto")


def test_no_and_unknown_models_say_so(site: Portal, service: Service) -> None:
    """Without a model the page says where to choose one; an unknown one is named."""
    assert "No model chosen" in drawn(site, "")
    assert service.asked == []
    assert "There is no model ghost." in drawn(site, "?model=ghost")


def choose(site: Portal, search: str, **chosen: str) -> str | None:
    """The address after the controls hold what was chosen."""
    now = dict(zip(CONTROLS, HELD, strict=True)) | chosen
    values: dict[str, Any] = {f"performance-{k}.value": v for k, v in now.items()}
    values |= {"performance-held.data": HELD, "shell-location.search": search}
    key = next(iter(chosen), "metric")
    answer = call(
        site, site.browser("vera"), "performance-goto.search", values,
        [f"performance-{key}.value"],
    )  # fmt: skip
    if answer.status_code == 204:
        return None
    found: str = answer.get_json()["response"]["performance-goto"]["search"]
    return found


def test_controls_write_the_address(site: Portal, service: Service) -> None:
    """A choice goes to its key, "any" removes it, and nothing new writes nothing."""
    search = "?model=churn&at=2026-11-02T00:00:00Z"

    assert choose(site, search) is None
    assert choose(site, search, metric="f1") == f"{search}&metric=f1"
    assert choose(site, search, segment="region=north") == (
        f"{search}&segment=region%3Dnorth"
    )
    now, before = ["f1", "week", "*", "3", "*"], ["f1", "week", "a=b", "3", "4"]
    assert changed(KEYS, now, before) == {"segment": None, "against": None}


def test_short_windows_bring_a_range_they_fit_in(
    site: Portal, service: Service
) -> None:
    """Hours are shown over a week, days over a quarter; another grid has no pick."""
    search = "?model=churn&at=2026-11-02T00:00:00Z"

    assert choose(site, search, window="hour") == (
        "?model=churn&window=hour&from=now-7d&to=now"
    )
    assert choose(site, search, window="day") == (
        "?model=churn&window=day&from=now-13w&to=now"
    )


@pytest.mark.parametrize("held", [None, [], ["accuracy"], "accuracy"])
def test_controls_without_a_page_change_nothing(held: object) -> None:
    """What the page holds is needed to tell a choice from a redraw."""
    assert changed(KEYS, HELD, held) == {}


def test_a_click_picks_the_window(site: Portal, service: Service) -> None:
    """The window's start goes to ``at``; a click on a line without one does not."""
    output, client = "performance-goto-at.search", site.browser("vera")
    values: dict[str, Any] = {"shell-location.search": "?model=churn"}
    points = [{"x": 1}, {"customdata": "2026-11-02T00:00:00Z"}]

    values["performance-chart.clickData"] = {"points": points}
    picked = call(site, client, output, values)
    values["performance-chart.clickData"] = {"points": points[:1]}
    missed = call(site, client, output, values)

    assert picked.get_json()["response"]["performance-goto-at"]["search"] == (
        "?model=churn&at=2026-11-02T00:00:00Z"
    )
    assert missed.status_code == 204


def fill(site: Portal, changed_id: str, **values: Any) -> float | None:
    """The number in the limit's box after the suggestion or a drag."""
    given = {
        "performance-threshold.data": FORM,
        "performance-suggest.n_clicks": values.get("clicks"),
        "performance-chart.relayoutData": values.get("change"),
    }
    answer = call(
        site, site.browser("otto"), "performance-value.value", given, [changed_id]
    )
    if answer.status_code == 204:
        return None
    found: float = answer.get_json()["response"]["performance-value"]["value"]
    return found


def test_the_limit_is_filled_by_suggestion_and_drag(
    site: Portal, service: Service
) -> None:
    """Both write the number of the box; other changes of the chart do not."""
    suggest, relayout = "performance-suggest.n_clicks", "performance-chart.relayoutData"
    moved = {"shapes[0].y0": 0.79649, "shapes[0].y1": 0.79649, "shapes[0].x0": 0.1}

    assert fill(site, suggest, clicks=1) == 0.812
    assert fill(site, relayout, change=moved) == 0.796
    assert fill(site, relayout, change={"autosize": True}) is None
    assert fill(site, suggest) is None
    assert dragged({"shapes[0].y0": "soon"}) is None


def preview(site: Portal, value: object, side: str = "below") -> Any:
    """The answer to a limit that was typed."""
    given = {
        "performance-value.value": value,
        "performance-side.value": side,
        "performance-threshold.data": FORM,
        "shell-location.search": "?model=churn",
    }
    answer = call(
        site, site.browser("otto"), "performance-preview.children", given,
        ["performance-value.value"],
    )  # fmt: skip
    return answer.get_json()["response"]


def test_typing_shows_what_the_limit_would_have_done(
    site: Portal, service: Service
) -> None:
    """The count changes with the limit, and the line moves with it."""
    limit = ThresholdView("accuracy", "below", 0.8, 0, 0, None)
    judged = [w.judged for w in sample().windows if w.judged is not None]
    fired = sum(limit.broken_by(v) for v in judged)

    answer = preview(site, 0.8)

    assert fired == 2
    assert f"Would have fired {fired} times in the past year (of 51 windows)." in str(
        answer["performance-preview"]
    )
    assert "alert below 0.800" in str(answer["performance-chart"]["figure"])
    assert "of 51 windows" in str(preview(site, 0.8, "above")["performance-preview"])
    assert "Without a limit" in str(preview(site, None)["performance-preview"])
    assert "not a number" in str(preview(site, "x")["performance-preview"])


def keep(
    site: Portal, button: str, value: object, user: str = "otto", side: str = "below"
) -> Any:
    """Press Save or Remove."""
    given = {
        f"performance-{button}.n_clicks": 1,
        "performance-value.value": value,
        "performance-side.value": side,
        "performance-threshold.data": FORM,
        "performance-saved.data": 4,
        "shell-location.search": "?model=churn",
    }
    output, cause = "performance-saved.data", f"performance-{button}.n_clicks"
    return call(site, site.browser(user), output, given, [cause])


def test_save_and_remove_reach_the_service(site: Portal, service: Service) -> None:
    """Both are done, said, and draw the page again; a viewer is refused.

    What is removed is the limit in force, not the side the form happens to show.
    """
    saved = keep(site, "save", 0.8)
    removed = keep(site, "remove", 0.8, side="above")
    nothing = keep(site, "save", None)
    refused = keep(site, "save", 0.7, "vera")

    assert service.kept == [
        ("churn", "accuracy", "below", 0.8),
        ("churn", "accuracy", "below", None),
    ]
    assert saved.get_json()["response"]["performance-saved"]["data"] == 5
    assert "Accuracy alerts below 0.8." in saved.text
    assert "Accuracy has no threshold any more." in removed.text
    assert "Type a limit to save" in nothing.text
    assert refused.status_code == 403


@pytest.mark.parametrize(
    ("typed", "limit"), [(None, None), ("", None), (0, 0.0), ("0.8", 0.8), (-2, -2.0)]
)
def test_limits_are_read(typed: object, limit: float | None) -> None:
    """An empty box is no limit; zero is one."""
    assert parse_limit(typed) == limit


def test_a_word_is_no_limit() -> None:
    """What is no number is refused with words."""
    with pytest.raises(InvalidInput, match="not a number"):
        parse_limit("high")


def test_an_empty_address_is_an_empty_query() -> None:
    """Without keys every choice is left to the service."""
    assert read_query(None) == PerformanceQuery("", text_from="now-1y", text_to="now")
