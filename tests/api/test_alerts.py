"""Alerts over REST: filters, pages, each step by role, conflicts, bad input."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from data.alert_records import Alert
from settings import Settings
from tests.alert_rows import AlertRows
from tests.api.test_fleet import Program, collected
from tests.conftest import NOW, Clock, open_stores
from tests.portal import Portal, open_portal

HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """The application with its three users."""
    home = tmp_path_factory.mktemp("alerts")
    key = "k7!" + "Zq3xW9vB" * 5
    settings = Settings(home_dir=home, secret_key=key, max_page=100)
    with (
        contextmanager(open_stores)(settings, Clock()) as stores,
        open_portal(stores) as opened,
    ):
        yield opened


@pytest.fixture(scope="module")
def otto(portal: Portal) -> Program:
    """An operator's program."""
    return Program(portal, "otto")


@pytest.fixture(scope="module")
def vera(portal: Portal) -> Program:
    """A viewer's program."""
    return Program(portal, "vera")


@pytest.fixture
def rows(portal: Portal) -> AlertRows:
    """Who writes alerts as the evaluation does."""
    return AlertRows(portal.identity.engine)


@pytest.fixture
def alert(rows: AlertRows, request: pytest.FixtureRequest) -> Alert:
    """An open alert of the test's own."""
    return rows.fire(NOW - HOUR, subject=f"s-{abs(hash(request.node.name))}")


def post(program: Program, alert: Alert, step: str, body: Any, status: int = 200):
    """The answer to a step."""
    return program.ask("POST", at(alert, step), status, json=body)


def at(alert: Alert, step: str = "") -> str:
    """The path of an alert."""
    return f"/alerts/{alert.id}" + (f"/{step}" if step else "")


def test_the_list_comes_in_pages_newest_first(vera: Program, rows: AlertRows) -> None:
    """Walking with the cursor gives every alert once, the filters narrow it."""
    made = [rows.fire(NOW - i * HOUR, 2, f"page-{i}") for i in range(5)]
    items = collected(vera, "/alerts?severity=high", 2)

    assert [item["id"] for item in items] == [a.id for a in made]
    assert items[0]["state"] == "active"
    assert items[0]["raised_at"] == NOW.isoformat().replace("+00:00", "Z")
    one = vera.ask("GET", "/alerts?device=page-3&age=24h&q=pressure")
    assert [item["id"] for item in one["items"]] == [made[3].id]
    assert one["next_cursor"] is None


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("state=odd", 400), ("age=1y", 400), ("limit=101", 400), ("cursor=x", 400),
        ("cursor=WyJ4IiwgMV0", 400), ("odd=1", 422), ("limit=0", 422),
        ("model=a&device=b", 400), (f"q={'x' * 121}", 422),
    ],
)  # fmt: skip
def test_a_wrong_question_is_named(vera: Program, query: str, status: int) -> None:
    """Unknown words, fields, limits and cursors are a problem, never a failure."""
    assert vera.ask("GET", f"/alerts?{query}", status)["detail"]


def test_one_alert_has_evidence_and_history(vera: Program, alert: Alert) -> None:
    """What the rule saw and what happened come along; a stranger is a 404."""
    found = vera.ask("GET", at(alert))

    assert found["evidence"]["threshold"] == 75
    assert [event["kind"] for event in found["events"]] == ["activated"]
    vera.ask("GET", "/alerts/999999", 404)
    vera.ask("GET", f"/alerts/{2**70}", 422)


def test_the_life_of_an_alert(otto: Program, alert: Alert) -> None:
    """Each step answers with the alert as it is then; repeating changes nothing."""
    for _ in range(2):
        seen = post(otto, alert, "acknowledge", {})
        assert seen["version"] == 2
    given = post(otto, alert, "assign", {"owner": "ada"})
    said = post(otto, alert, "comment", {"text": "looked"})
    until = (NOW + HOUR).isoformat()
    put = post(otto, alert, "shelve", {"until": until, "reason": "r"})
    back = post(otto, alert, "unshelve", {})
    done = post(otto, alert, "resolve", {"note": "n", "verdict": "noise"})
    again = post(otto, alert, "reopen", {})

    assert [seen["state"], put["state"], back["state"], done["state"]] == [
        "acknowledged", "shelved", "acknowledged", "resolved",
    ]  # fmt: skip
    assert (given["owner"], said["owner"]) == ("ada", "ada")
    assert (done["verdict"], done["resolved_by"]) == ("noise", "otto")
    assert (again["state"], again["verdict"], again["version"]) == ("active", None, 8)


@pytest.mark.parametrize(
    ("step", "body", "status"),
    [
        ("acknowledge", {"version": 9}, 409),
        ("acknowledge", {"odd": 1}, 422),
        ("acknowledge", {"version": "1"}, 422),
        ("assign", {"owner": "stranger"}, 400),
        ("assign", {}, 422),
        ("comment", {"text": ""}, 422),
        ("comment", {"text": "\x00"}, 400),
        ("comment", {"text": "x" * 2001}, 422),
        ("shelve", {"until": "tomorrow", "reason": "r"}, 422),
        ("shelve", {"until": "2026-03-10T13:00:00", "reason": "r"}, 422),
        ("shelve", {"until": "2027-03-10T13:00:00Z", "reason": "r"}, 400),
        ("resolve", {"verdict": "perhaps"}, 400),
    ],
)
def test_a_wrong_step_is_refused(
    otto: Program, rows: AlertRows, alert: Alert, step: str, body: Any, status: int
) -> None:
    """The answer names what is wrong, and the alert stays as it was."""
    found = post(otto, alert, step, body, status)

    assert found["detail"]
    assert rows.log.get(alert.id) == alert


def test_viewers_cannot_do_anything(
    vera: Program, rows: AlertRows, alert: Alert
) -> None:
    """Each step is a 403 for a viewer."""
    until = (NOW + HOUR).isoformat()
    bodies = {"assign": {"owner": ""}, "comment": {"text": "x"},
              "shelve": {"until": until, "reason": "r"}}  # fmt: skip
    for step in ("acknowledge", "unshelve", "reopen", "resolve", *bodies):
        post(vera, alert, step, bodies.get(step, {}), 403)

    assert rows.log.get(alert.id) == alert


def test_a_place_that_is_taken_is_a_conflict(
    otto: Program, rows: AlertRows, alert: Alert
) -> None:
    """Reopening while a newer one of its kind is open is refused with the reason."""
    post(otto, alert, "resolve", {})
    rows.fire(NOW, subject=alert.subject)
    found = post(otto, alert, "reopen", {}, 409)

    assert "newer alert" in found["detail"]
