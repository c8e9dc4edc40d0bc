"""Reports and schedules over REST, on real stores."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask, g
from flask.testing import FlaskClient
from flask_openapi3 import OpenAPI

from api import reports, schedules
from api.problems import register_problems
from services.access import Principal
from tests.conftest import OPERATOR, VIEWER, Stores
from tests.services.report_world import WEEKLY, World, world_of

BODY = {"template": "fleet", "from": "2026-03-01", "to": "2026-03-08"}
REPORTS, SCHEDULES = "/api/v1/reports", "/api/v1/schedules"


@pytest.fixture
def world(stores: Stores) -> Iterator[World]:
    """Reports on empty stores with two people."""
    with world_of(stores) as found:
        with found.accounts.transaction() as tx:
            for name in ("viewer", "operator"):
                found.accounts.add_user(tx, name, "x", name, found.clock())
        yield found


def client_of(world: World, stores: Stores, who: Principal) -> FlaskClient:
    """A program of somebody that asks the blueprints alone."""
    server: Flask = OpenAPI(__name__)
    register_problems(server)

    @server.before_request
    def sign_in() -> None:
        g.principal = who

    server.register_api(reports.blueprint(world.desk.runs, stores.settings))
    server.register_api(schedules.blueprint(world.desk.schedules))
    return server.test_client()


@pytest.fixture
def viewer(world: World, stores: Stores) -> FlaskClient:
    """A viewer's program."""
    return client_of(world, stores, VIEWER)


@pytest.fixture
def operator(world: World, stores: Stores) -> FlaskClient:
    """An operator's program."""
    return client_of(world, stores, OPERATOR)


def disposition(answer: Any) -> str:
    """The name the file should be saved under."""
    return str(answer.headers["Content-Disposition"])


def test_a_pdf_is_made_at_once(viewer: FlaskClient) -> None:
    """The fixed form of the endpoint answers with a PDF and its name."""
    answer = viewer.post(f"{REPORTS}/export/pdf", json=BODY)

    assert answer.status_code == 200
    assert answer.mimetype == "application/pdf"
    assert answer.data.startswith(b"%PDF-")
    name = "fleet_2026-03-01_2026-03-07.pdf"
    assert disposition(answer) == f"attachment; filename={name}"


def test_a_csv_is_made_at_once(viewer: FlaskClient) -> None:
    """Numbers stay numbers, lines end as RFC 4180 says."""
    body = {**BODY, "time_zone": "Europe/Berlin", "models": [], "devices": []}
    answer = viewer.post(f"{REPORTS}/export/csv", json=body)

    assert answer.status_code == 200
    assert answer.mimetype == "text/csv"
    assert b"1.5\r\n" in answer.data
    assert ".csv" in disposition(answer)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({**BODY, "colour": "red"}, 422),
        ({**BODY, "models": "all"}, 422),
        ({**BODY, "template": "secrets"}, 400),
        ({**BODY, "from": "2026-03-09"}, 400),
        ({**BODY, "from": "2001-01-01"}, 400),
        ({**BODY, "time_zone": "Mars"}, 400),
        ({**BODY, "template": "audit"}, 403),
    ],
)
def test_what_cannot_be_made_is_a_problem_document(viewer, body, status) -> None:
    """A wrong request is a 4xx in the one envelope, at each of the three doors."""
    for door in ("/export/pdf", "/export/csv", ""):
        answer = viewer.post(f"{REPORTS}{door}", json=body)

        assert answer.status_code == status, answer.text
        assert answer.mimetype == "application/problem+json"
        assert answer.get_json()["detail"]


def test_a_report_is_asked_for_listed_downloaded_and_removed(
    world: World, viewer: FlaskClient
) -> None:
    """The way of a run from 202 to 204, with a file that has its checksum."""
    asked = viewer.post(REPORTS, json={**BODY, "format": "zip"})
    assert asked.status_code == 202
    place = f"{REPORTS}/{asked.get_json()['id']}"
    assert viewer.get(f"{place}/file").status_code == 409

    assert world.make_all() == ["done"]
    told = viewer.get(place).get_json()
    file = viewer.get(f"{place}/file")
    assert (told["state"], told["progress"]) == ("done", 1.0)
    assert told["query"]["from"] == "2026-03-01T00:00:00+00:00"
    assert hashlib.sha256(file.data).hexdigest() == told["sha256"]
    assert file.mimetype == "application/zip"
    assert file.data.startswith(b"PK")
    assert told["file_name"] in disposition(file)

    assert viewer.delete(place).status_code == 204
    assert viewer.get(place).status_code == 404
    assert viewer.get(REPORTS).get_json()["items"] == []


def test_others_get_nothing(world, viewer, operator) -> None:
    """A report of somebody else is a 404 at every door, not a 403."""
    run = viewer.post(REPORTS, json=BODY).get_json()["id"]
    world.make_all()
    for method, path in (("get", ""), ("get", "/file"), ("delete", "")):
        answer = getattr(operator, method)(f"{REPORTS}/{run}{path}")
        assert answer.status_code == 404
    assert operator.get(f"{REPORTS}/..%2f..%2fetc/file").status_code == 404


def test_pages_follow_each_other(viewer: FlaskClient) -> None:
    """Each report stands on one page; a cursor of another list is refused."""
    made = {viewer.post(REPORTS, json=BODY).get_json()["id"] for _ in range(5)}
    seen, cursor = [], None
    while True:
        query = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        page = viewer.get(REPORTS, query_string=query).get_json()
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert sorted(seen) == sorted(made)
    assert viewer.get(REPORTS, query_string={"cursor": "x"}).status_code == 400


def test_the_eleventh_is_told_to_wait(viewer: FlaskClient) -> None:
    """More than ten that wait are a 429 that says when to try again."""
    for _ in range(10):
        assert viewer.post(REPORTS, json=BODY).status_code == 202
    answer = viewer.post(REPORTS, json=BODY)

    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0


def test_schedules_are_kept_over_rest(world, viewer, operator) -> None:
    """Added, read, changed, switched, run and removed; a Viewer has no say."""
    assert viewer.get(SCHEDULES).status_code == 403
    made = operator.post(SCHEDULES, json=WEEKLY)
    assert made.status_code == 201, made.text
    one = made.get_json()
    place = f"{SCHEDULES}/{one['id']}"
    assert one["next_at"] == "2026-03-16T05:00:00Z"

    body = {**WEEKLY, "cron": "0 7 * * *", "revision": 1}
    changed = operator.put(place, json=body).get_json()
    assert (changed["revision"], changed["spec"]["cron"]) == (2, "0 7 * * *")
    assert operator.put(place, json=body).status_code == 409
    off = operator.post(f"{place}/enabled", json={"enabled": False}).get_json()
    assert off["next_at"] is None
    assert operator.post(f"{place}/run").status_code == 202
    (item,) = operator.get(SCHEDULES).get_json()["items"]
    assert item["last"]["state"] == "waiting"
    assert item["when"] == "Every day at 07:00"
    assert operator.delete(place).status_code == 204
    assert operator.get(place).status_code == 404
    wrong = operator.post(SCHEDULES, json={**WEEKLY, "recipients": ["nobody"]})
    assert wrong.status_code == 400
    assert "mail address" in wrong.get_json()["detail"]
