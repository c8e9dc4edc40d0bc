"""Readings over REST, behind the real guard and on real stores."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import flask
import pytest
from flask.testing import FlaskClient
from flask_openapi3 import OpenAPI
from hypothesis import HealthCheck, given
from hypothesis import settings as limits
from hypothesis import strategies as st

from api.problems import register_problems
from api.telemetry import blueprint
from data.records import READING_COLUMNS, Device
from services.access import Principal
from services.history import History
from services.history_drawn import table
from services.units import Preferences
from tests.conftest import ADMIN, NOW, SYSTEM, VIEWER, Stores
from tests.services.test_history import history, lively

__all__ = ["history"]
ADDRESS = "/api/v1/devices/wh-1/telemetry"


@dataclass
class Caller:
    """Who is asking, as the guard leaves it on the request."""

    principal: Principal = ADMIN
    preferences: dict[str, str] | None = None


@pytest.fixture
def caller() -> Caller:
    """An admin without preferences; tests change it."""
    return Caller()


@pytest.fixture
def client(stores: Stores, history: History, caller: Caller) -> Iterator[FlaskClient]:
    """The routes on a server of their own, with somebody signed in."""
    server = OpenAPI(__name__, doc_ui=False)
    server.register_api(blueprint(stores.telemetry, history, stores.settings))
    register_problems(server)

    @server.before_request
    def sign_in() -> None:
        flask.g.principal = caller.principal
        flask.g.preferences = caller.preferences

    with server.test_client() as client:
        yield client


def sent(client: FlaskClient, *rows: dict[str, Any]) -> dict[str, Any]:
    """The receipt of a batch."""
    answer = client.post("/api/v1/telemetry", json={"readings": list(rows)})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.get_json()
    return body


def test_a_batch_gets_a_receipt_and_can_be_read_back(
    client: FlaskClient, heater: Device
) -> None:
    """Good rows go in whatever their time's form; a bad one is named; all count."""
    receipt = sent(
        client,
        {"device_id": "wh-1", "ts": "2026-03-10T11:00:00Z", "temperature_c": 55.5},
        {"device_id": "wh-1", "ts": "2026-03-10T12:01:00+01:00", "temperature_c": 55.6},
        {"device_id": "wh-1", "ts": 1773140520, "temperature_c": 55.7},
        {"device_id": "wh-1", "ts": 1773140580000, "temperature_c": 55.8},
        {"device_id": "wh-1", "ts": "2026-03-10T11:00:00", "temperature_c": 55.5},
        {"device_id": "wh-1", "ts": "soon", "temperature_c": 55.9},
        {"device_id": "wh-1", "ts": "2026-03-10T11:05:00Z", "temperature_c": "hot"},
        {"device_id": "wh-9", "ts": "2026-03-10T11:05:00Z", "temperature_c": 50},
    )
    items = client.get(f"{ADDRESS}?from=now-2h&resolution=raw").get_json()["items"]

    assert (receipt["read"], receipt["taken"], receipt["duplicates"]) == (8, 4, 1)
    assert receipt["rejected"] == [
        {"row": 5, "reason": "ts is missing or not a time"},
        {"row": 6, "reason": "temperature_c is not a number"},
        {"row": 7, "reason": "device wh-9 is not registered"},
    ]
    assert [item["temperature_c"] for item in items] == [55.5, 55.6, 55.7, 55.8]
    assert items[2]["ts"] == "2026-03-10T11:02:00Z"


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        ({}, 422, "readings"),
        ({"readings": []}, 400, "no reading"),
        (
            {"readings": [{"device_id": "wh-1", "color": 1}]},
            400,
            "unknown field 'color'",
        ),
        ({"readings": [{"device_id": ["wh-1"]}]}, 422, "readings.0"),
        ({"readings": [{}] * 10_001}, 413, "IOTSPHERE_MAX_BATCH_ROWS"),
        ([1, 2], 422, "Not valid"),
    ],
)
def test_bad_batches_are_refused_by_name(
    client: FlaskClient, heater: Device, body: object, status: int, says: str
) -> None:
    """A batch of the wrong form gets a problem document that says what is wrong."""
    answer = client.post("/api/v1/telemetry", json=body)

    assert answer.status_code == status
    assert answer.mimetype == "application/problem+json"
    assert says in answer.get_json()["detail"]


def test_only_those_who_may_write_can_send(
    client: FlaskClient, caller: Caller, heater: Device
) -> None:
    """A viewer reads, but is refused when sending."""
    caller.principal = VIEWER

    assert client.post("/api/v1/telemetry", json={"readings": [{}]}).status_code == 403
    assert client.get(ADDRESS).status_code == 200


def test_reading_names_the_resolution_and_hides_flagged(
    client: FlaskClient, stores: Stores, heater: Device
) -> None:
    """The answer says how wide its items are, and flagged values need asking for."""
    frame = lively(NOW - timedelta(hours=2), 120)
    frame.loc[5, "temperature_c"] = -999.9
    stores.telemetry.accept(SYSTEM, frame)
    query = f"{ADDRESS}?from=now-2h&to=now&metrics=temperature_c,energy_kwh"

    hours = client.get(f"{query}&resolution=1h").get_json()
    raw = client.get(query).get_json()
    full = client.get(f"{query}&flagged=1").get_json()

    assert hours["resolution"] == "1h"
    assert [item["n"] for item in hours["items"]] == [60, 60]
    assert hours["items"][-1]["energy_kwh"] == frame["energy_kwh"].iloc[-1]
    assert raw["resolution"] == "raw"
    assert raw["flagged"] == hours["flagged"] == 1
    assert raw["items"][5]["temperature_c"] is None
    assert full["items"][5]["temperature_c"] == -999.9
    assert set(raw["items"][0]) == {
        "ts", "temperature_c", "energy_kwh", "mode", "heating", "error_code",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("query", "status", "says"),
    [
        ("from=now&to=now-1d", 400, "before it begins"),
        ("from=now-500d", 400, "IOTSPHERE_MAX_WINDOW_DAYS"),
        ("from=soon", 400, "from=soon is not a time"),
        ("metrics=noise", 400, "metrics must be among"),
        ("metrics=", 400, "metrics must be among"),
        ("resolution=1s", 422, "resolution"),
        ("from=now-30d&resolution=raw", 200, ""),
        ("flagged=1&resolution=1h", 400, "flagged=1 needs resolution=raw"),
    ],
)
def test_bad_questions_get_a_problem_document(
    client: FlaskClient, heater: Device, query: str, status: int, says: str
) -> None:
    """Each wrong parameter is a 4xx that names it and the limit it passes."""
    answer = client.get(f"{ADDRESS}?{query}")

    assert answer.status_code == status
    assert says in answer.get_json().get("detail", "")


def test_an_unknown_device_is_not_found(client: FlaskClient) -> None:
    """A device that does not exist is a 404, an impossible id a 422."""
    assert client.get("/api/v1/devices/wh-404/telemetry").status_code == 404
    assert client.get("/api/v1/devices/a%20b/telemetry").status_code == 422


@pytest.mark.parametrize("part", ["readings", "energy"])
def test_the_csv_is_the_table_of_the_tab(
    client: FlaskClient,
    caller: Caller,
    history: History,
    stores: Stores,
    heater: Device,
    part: str,
) -> None:
    """The file holds the tab's table in the units and zone of whoever is signed in."""
    stores.telemetry.accept(SYSTEM, lively(NOW - timedelta(days=2), 2880))
    prefs = Preferences(temperature_unit="F", time_zone="Asia/Kolkata")
    caller.preferences = prefs.as_dict()

    answer = client.get(f"{ADDRESS}.csv?from=now-1d&part={part}&compare=previous")

    view = history.export(VIEWER, "wh-1", "now-1d", None, prefs.zone, compare=True)
    drawn = table(view, part, prefs)
    assert None not in {cell for row in drawn.rows for cell in row}
    header, *rows = csv.reader(io.StringIO(answer.text, newline=""))
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    disposition = answer.headers["Content-Disposition"]
    assert disposition == f"attachment; filename={drawn.name}"
    assert tuple(header) == drawn.columns
    expected = [[str(cell).replace("nan", "") for cell in row] for row in drawn.rows]
    assert rows == expected
    assert len(rows) > 20


SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20),
    st.sampled_from(["wh-1", "2026-03-10T11:00:00Z", "eco", "1e400", "-999.9"]),
)  # fmt: skip
ROWS = st.dictionaries(st.sampled_from(READING_COLUMNS), SCALARS, max_size=6)


@given(rows=st.lists(ROWS, min_size=1, max_size=5))
@limits(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_batch_is_answered(
    client: FlaskClient, heater: Device, rows: list[dict[str, Any]]
) -> None:
    """Whatever the values, a row is taken, a duplicate, or rejected with a reason."""
    answer = client.post(
        "/api/v1/telemetry",
        data=json.dumps({"readings": rows}),
        content_type="application/json",
    )

    assert answer.status_code == 200, answer.text
    body = answer.get_json()
    assert body["read"] == len(rows)
    assert body["taken"] + body["duplicates"] + len(body["rejected"]) == len(rows)
