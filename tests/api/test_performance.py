"""Performance and thresholds over REST, on real stores."""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import ZoneInfo

import pytest
from flask import Flask, g
from flask.testing import FlaskClient
from flask_openapi3 import OpenAPI

from api.performance import blueprint
from api.problems import register_problems
from services.access import Principal
from services.performance_views import PerformanceQuery
from settings import Settings
from tests.conftest import OPERATOR, VIEWER
from tests.services.monitoring.world import World, fill, open_world

UTC = ZoneInfo("UTC")

API = "/api/v1/models"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Churn and price with their weeks."""
    home = tmp_path_factory.mktemp("performance-api")
    with open_world(Settings(home_dir=home, secret_key="k7!" + "Zq3xW9vB" * 5)) as made:
        fill(made)
        yield made


def served(world: World, caller: Principal) -> FlaskClient:
    """A client of the blueprint alone, signed in."""
    server: Flask = OpenAPI(__name__)
    register_problems(server)

    @server.before_request
    def sign_in() -> None:
        g.principal = caller

    server.register_api(blueprint(world.performance))
    return server.test_client()


@pytest.fixture
def viewer(world: World) -> FlaskClient:
    """A viewer's program."""
    return served(world, VIEWER)


def test_the_windows_are_those_of_the_screen(world: World, viewer: FlaskClient):
    """Each item has the rows, values and bands of the view; times are UTC."""
    answer = viewer.get(f"{API}/churn/performance?metric=auc&from=2026-01-05")
    body = answer.get_json()
    query = PerformanceQuery("churn", metric="auc", text_from="2026-01-05")
    shown = world.performance.chart(VIEWER, query, UTC)
    assert answer.status_code == 200
    assert (body["metric"], body["version"]) == ("auc", "1")
    assert body["sentence"] == shown.sentence
    assert body["reference_hash"] == "9f2c61d4a7b0"
    assert body["threshold"]["suggested"] == shown.threshold.suggested
    assert len(body["items"]) == len(shown.windows)
    for item, window in zip(body["items"], shown.windows, strict=True):
        assert item["rows"] == window.rows
        assert item["realised"]["value"] == window.realised.value
        assert item["realised"]["reason"] == window.realised.reason
        assert item["gap"]["low"] == window.gap.low
        assert item["outside"] == window.outside
    assert body["items"][0]["start"] == "2026-01-05T00:00:00Z"


def test_csv_has_a_line_for_each_window(viewer: FlaskClient):
    """``format=csv`` is a file of the same windows."""
    path = f"{API}/churn/performance?from=2026-01-05&to=2026-03-02"
    answer = viewer.get(f"{path}&format=csv")
    assert answer.mimetype == "text/csv"
    assert "performance_churn" in answer.headers["Content-Disposition"]
    lines = answer.get_data(as_text=True).splitlines()
    assert lines[0].startswith("metric,version,segment,window_start,window_end,rows")
    assert len(lines) == 1 + len(viewer.get(path).get_json()["items"])


def test_wrong_questions_get_problem_documents(viewer: FlaskClient):
    """Unknown models are 404, metrics of another kind 400, strange formats 422."""
    for path, status in (
        ("nobody/performance", 404),
        ("churn/performance?metric=mae", 400),
        ("churn/performance?window=year", 400),
        ("churn/performance?segment=region%3Dwest", 400),
        ("churn/performance?version=9", 404),
        ("churn/performance?format=xml", 422),
        ("nobody/thresholds", 404),
    ):
        answer = viewer.get(f"{API}/{path}")
        assert answer.status_code == status, path
        assert answer.mimetype == "application/problem+json"


def test_a_threshold_is_put_and_removed(world: World):
    """PUT answers all limits; null removes one; out of range is a 400."""
    client, path = served(world, OPERATOR), f"{API}/churn/thresholds"
    body = {"metric": "accuracy", "side": "below", "value": 0.7}
    expected = [{"metric": "accuracy", "below": 0.7, "above": None}]
    assert client.put(path, json=body).get_json()["items"] == expected
    assert client.get(path).get_json()["items"] == expected
    assert client.put(path, json={**body, "value": 7}).status_code == 400
    assert client.put(path, json={**body, "side": "left"}).status_code == 422
    removed = client.put(path, json={**body, "value": None})
    assert removed.get_json()["items"] == []


def test_a_viewer_sets_no_threshold(viewer: FlaskClient, world: World):
    """Setting a limit needs the role Operator: 403 and nothing changes."""
    body = {"metric": "accuracy", "side": "below", "value": 0.7}
    answer = viewer.put(f"{API}/churn/thresholds", json=body)
    assert answer.status_code == 403
    model = world.store.model("churn")
    assert model is not None
    assert model.spec.thresholds == ()
