"""The Drift tab through Dash: drawn from the address, choices written to it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import flask
import pytest
from dash import Dash, html
from dash.exceptions import PreventUpdate
from flask.testing import FlaskClient

from callbacks.monitoring import drift as tab
from callbacks.registration import Callbacks
from dashboards.monitoring import drift as layout
from dashboards.shell import frame
from services.access import Principal
from services.drift_views import MEASURES, DriftQuery, DriftView
from services.errors import InvalidInput
from tests.conftest import VIEWER
from tests.dashboards.test_drift import LONG, PREFS, a_view
from tests.portal import call

BODY, GOTO = "drift-body.children", "drift-goto.search"
MAP, PICK = "drift-map-goto.search", "drift-pick-goto.search"
MODEL = "?model=boiler-fault"
STARTS = [
    {"label": "16 Nov 2026, 702 rows", "value": "2026-11-16T00:00:00Z"},
    {"label": "9 Nov 2026, 702 rows", "value": "2026-11-09T00:00:00Z"},
]


@dataclass
class Asked:
    """A drift service that keeps what it was asked and answers with real views."""

    queries: list[DriftQuery] = field(default_factory=list)

    def view(self, _caller: Principal, query: DriftQuery, _zone: ZoneInfo) -> DriftView:
        """The view of a model whose first feature is harmful."""
        self.queries.append(query)
        if query.measure not in MEASURES:
            raise InvalidInput(f"measure={query.measure} is not a measure.")
        return replace(a_view(6, 10), query=query)


@dataclass(frozen=True)
class Site:
    """An application of this tab alone, and what its service was asked."""

    app: Dash
    asked: Asked

    def browser(self) -> FlaskClient:
        """A client of the viewer vera."""
        return self.app.server.test_client()


@pytest.fixture(scope="module")
def site() -> Site:
    """The frame and the real tab, with a service that answers at once."""
    app = Dash("drift", server=flask.Flask("drift"))
    app.layout = html.Div([frame((), PREFS), layout.skeleton(), *layout.declared()])
    asked = Asked()
    tab.register(Callbacks(app), SimpleNamespace(drift=asked))

    @app.server.before_request
    def sign_in() -> None:
        flask.g.principal, flask.g.preferences = VIEWER, PREFS

    return Site(app, asked)


def drawn(site: Site, search: str) -> Any:
    """The answer that draws the tab."""
    values = {
        "shell-location.search": search,
        "shell-location.pathname": "/monitoring/drift",
    }
    client = site.browser()
    answer = call(site, client, BODY, values, ["shell-location.search"])
    assert answer.status_code == 200, answer.text
    return answer


def sent(site: Site, output: str, changed: str, **values: Any) -> str | None:
    """The query string that a choice writes, ``None`` if it writes none."""
    named = {key.replace("__", ".").replace("_", "-"): v for key, v in values.items()}
    answer = call(site, site.browser(), output, named, [changed])
    if answer.status_code == 204:
        return None
    assert answer.status_code == 200, answer.text
    response = answer.get_json()["response"]
    found: str = response[output.partition(".")[0]]["search"]
    return found


def chosen(**changes: str) -> dict[str, Any]:
    """The values of the controls: what they hold by default, and some changes."""
    held = dict(zip(tab.CONTROLS, tab.EMPTY.values(), strict=True))
    named = {f"drift-{key}": value for key, value in changes.items()}
    return {f"{part}.value": value for part, value in {**held, **named}.items()}


def test_the_address_becomes_the_query(site: Site) -> None:
    """Each key of the address reaches the service, and the default is a year."""
    drawn(
        site,
        f"{MODEL}&version=2&measure=ks&window=day&segment=site=north"
        "&reference=rolling&feature=a&at=2026-11-09T00:00:00Z&from=now-4w&to=now-1w",
    )
    assert site.asked.queries[-1] == DriftQuery(
        "boiler-fault", "2", "ks", "day", "site=north", "rolling", "a",
        "2026-11-09T00:00:00Z", "now-4w", "now-1w",
    )  # fmt: skip
    drawn(site, MODEL)
    assert site.asked.queries[-1] == DriftQuery(
        "boiler-fault", text_from="now-1y", text_to="now"
    )


def test_the_controls_follow_the_address(site: Site) -> None:
    """After a step back the selects show what the page shows."""
    response = drawn(site, f"{MODEL}&measure=ks&segment=site=north").get_json()
    shown = response["response"]

    assert shown["drift-measure"]["value"] == "ks"
    assert shown["drift-segment"]["value"] == "site=north"
    assert shown["drift-window"]["value"] == "*"
    labels = [option["label"] for option in shown["drift-window"]["options"]]
    assert labels[:2] == ["Default (week)", "Hour"]
    assert shown["drift-version"]["options"][0]["label"] == "Champion (3)"


def test_an_unknown_measure_is_named_with_the_way_back(site: Site) -> None:
    """What the service refuses stands in place of the tab, with a link to it."""
    text = drawn(site, f"{MODEL}&measure=foo").get_data(as_text=True)

    assert "measure=foo is not a measure." in text
    assert 'drift?model=boiler-fault"},"type":"Link"' in text
    assert "Start again with this model" in text
    assert "map-grid" not in text


def test_without_a_model_nothing_is_asked(site: Site) -> None:
    """An address without a model leads to the list and says which commands help."""
    before = len(site.asked.queries)
    text = drawn(site, "").get_data(as_text=True)

    assert "No model is chosen" in text
    assert "import inferences --model NAME FILE" in text
    assert len(site.asked.queries) == before


def test_a_choice_is_written_to_the_address(site: Site) -> None:
    """A control writes its key and keeps the others; the default leaves no key."""
    held = {**chosen(measure="js"), "shell-location.search": f"{MODEL}&from=now-4w"}
    measure = sent(site, GOTO, "drift-measure.value", **held)
    assert measure == f"{MODEL}&from=now-4w&measure=js"

    back = {**chosen(), "shell-location.search": f"{MODEL}&measure=js&q=temp"}
    assert sent(site, GOTO, "drift-measure.value", **back) == MODEL


def test_following_the_address_writes_nothing(site: Site) -> None:
    """Controls that say what the address says leave it alone."""
    held = {**chosen(text="temp"), "shell-location.search": f"{MODEL}&q=temp"}

    assert sent(site, GOTO, "drift-text.value", **held) is None


def test_hours_bring_the_range_they_fit_in(site: Site) -> None:
    """The window and its range are written together; a year of hours is too much."""
    values = {**chosen(window="hour"), "shell-location.search": MODEL}

    found = sent(site, "drift-goto.search", "drift-window.value", **values)

    assert found == f"{MODEL}&window=hour&from=now-7d&to=now"


def test_a_click_picks_feature_and_window(site: Site) -> None:
    """A click on a cell writes both, one on the strip only the window."""
    common = {"drift-at.options": STARTS, "shell-location.search": MODEL}
    cell = {"points": [{"x": STARTS[1]["label"], "y": "a &lt; b"}]}
    strip = {"points": [{"x": STARTS[0]["label"], "y": 0}]}

    picked = sent(
        site, MAP, "drift-map.clickData", **{**common, "drift-map.clickData": cell}
    )
    moved = sent(
        site, MAP, "drift-strip.clickData",
        **{**common, "drift-map.clickData": cell, "drift-strip.clickData": strip},
    )  # fmt: skip

    assert picked == f"{MODEL}&at=2026-11-09T00:00:00Z&feature=a%20%3C%20b"
    assert moved == f"{MODEL}&at=2026-11-16T00:00:00Z"


@pytest.mark.parametrize(
    "event",
    [None, {}, "x", {"points": []}, {"points": ["x"]}, {"points": [{"x": "never"}]},
     {"points": [{"y": "temp_out"}]}, {"points": [{"x": [], "y": {}}]}],
)  # fmt: skip
def test_nonsense_is_no_click(event: object) -> None:
    """What is no click on a drawn cell changes nothing and is no error."""
    with pytest.raises(PreventUpdate):
        tab.clicked(event, STARTS)


def test_the_selects_do_what_a_click_does(site: Site) -> None:
    """Without a mouse the feature and the window are picked by their selects."""
    common = {"drift-feature.value": LONG, "drift-at.value": STARTS[1]["value"]}
    common["shell-location.search"] = MODEL

    feature = sent(site, PICK, "drift-feature.value", **common)
    window = sent(site, PICK, "drift-at.value", **common)

    assert tab.links.parse_search(feature) == {
        "model": "boiler-fault",
        "feature": LONG,
    }
    assert window == f"{MODEL}&at=2026-11-09T00:00:00Z"
