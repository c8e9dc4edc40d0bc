"""Drift and verdicts over REST, on real stores."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import asdict
from zoneinfo import ZoneInfo

import pytest
from flask import Flask, g
from flask.testing import FlaskClient
from flask_openapi3 import OpenAPI

from api.drift import blueprint
from api.problems import register_problems
from services.drift_views import DriftQuery
from services.exports import csv_bytes
from tests.conftest import VIEWER
from tests.services.drift_samples import NOW, SPEC, START, WEEKS, Watched, fill, opened

UTC = ZoneInfo("UTC")
RANGE = {"from": START.isoformat(), "to": NOW.isoformat()}
ASKED = DriftQuery(SPEC.name, text_from=RANGE["from"], text_to=RANGE["to"])
DRIFT = f"/api/v1/models/{SPEC.name}/drift"
VERDICT = f"/api/v1/models/{SPEC.name}/verdict"


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """The model with its twelve weeks in the lake."""
    with opened(tmp_path_factory.mktemp("drift-api")) as stores:
        fill(stores)
        yield stores


@pytest.fixture(scope="module")
def viewer(watched: Watched) -> FlaskClient:
    """A viewer's program that asks the blueprint alone."""
    server: Flask = OpenAPI(__name__)
    register_problems(server)

    @server.before_request
    def sign_in() -> None:
        g.principal = VIEWER

    server.register_api(blueprint(watched.drift))
    return server.test_client()


def test_items_are_the_cells_of_the_heat_map(
    watched: Watched, viewer: FlaskClient
) -> None:
    """Every cell is an item with its numbers, the worst feature first."""
    answer = viewer.get(DRIFT, query_string={**RANGE, "measure": "ks"})
    body = answer.get_json()
    shown = watched.drift.view(
        VIEWER, DriftQuery(**{**asdict(ASKED), "measure": "ks"}), UTC
    )

    assert answer.status_code == 200
    assert len(body["items"]) == len(shown.features) * WEEKS
    drawn = [c.value for row in shown.features for c in row.cells]
    assert [item["value"] for item in body["items"]] == drawn
    assert body["items"][0]["feature"] == "clarity"
    assert body["items"][0]["start"] == "2026-01-05T00:00:00Z"
    assert (body["verdict"], body["harmful"]) == ("input_shift", ["clarity"])
    assert shown.verdict is not None
    assert body["sentence"] == shown.verdict.sentence
    assert len(body["reference_hash"]) == 64
    assert body["q"] == 0.05


def test_one_feature_can_be_asked_for(viewer: FlaskClient) -> None:
    """``feature`` leaves one item for each window."""
    asked = {**RANGE, "feature": "place"}
    items = viewer.get(DRIFT, query_string=asked).get_json()["items"]

    assert len(items) == WEEKS
    assert {item["feature"] for item in items} == {"place"}


def test_the_file_is_the_export_of_the_screen(
    watched: Watched, viewer: FlaskClient
) -> None:
    """``format=csv`` is the file that the tab offers, byte for byte."""
    answer = viewer.get(DRIFT, query_string={**RANGE, "format": "csv"})
    rows = list(csv.DictReader(io.StringIO(answer.get_data(as_text=True))))

    assert answer.mimetype == "text/csv"
    assert answer.data == csv_bytes(watched.drift.export(VIEWER, ASKED, UTC))
    assert len(rows) == len(SPEC.features) * WEEKS
    assert {row["state"] for row in rows if row["feature"] == "idle"} <= {
        "fine",
        "watch",
        "drift",
    }


def test_the_verdict_of_every_window_is_told(viewer: FlaskClient) -> None:
    """Each window has kind, state, severity and a sentence with its numbers."""
    body = viewer.get(VERDICT, query_string=RANGE).get_json()
    states = [item["state"] for item in body["items"]]

    assert body["version"] == "1"
    assert states == ["fine"] * 8 + ["look"] * 4
    last = body["items"][-1]
    assert (last["verdict"], last["metric"]) == ("input_shift", "accuracy")
    assert last["severity"] in {"high", "critical"}
    assert f"{last['value']:.3f}" in last["sentence"]
    assert last["coverage"] == 1.0


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        (DRIFT, {"measure": "odd"}, 400),
        (DRIFT, {"reference": "odd"}, 400),
        (DRIFT, {"window": "decade"}, 400),
        (DRIFT, {"segment": "place=moon"}, 400),
        (DRIFT, {"from": "yesterdayish"}, 400),
        (DRIFT, {"format": "xml"}, 422),
        (DRIFT, {"version": "99"}, 404),
        ("/api/v1/models/nobody/drift", {}, 404),
        ("/api/v1/models/nobody/verdict", {}, 404),
    ],
)
def test_wrong_questions_are_refused_with_a_problem(
    viewer: FlaskClient, path: str, query: dict[str, str], status: int
) -> None:
    """What cannot be answered is a 4xx that names it."""
    answer = viewer.get(path, query_string=query)

    assert answer.status_code == status
    assert "Traceback" not in answer.get_data(as_text=True)
