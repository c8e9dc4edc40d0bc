"""Routes of alerts and deliveries over REST."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from data.report_records import Parcel, Try
from settings import Settings
from tests.api.test_fleet import Program
from tests.conftest import NOW, Clock, open_stores
from tests.portal import Portal, open_portal

ALL = "/alert-routes"
MAIL = {"name": "Duty", "kind": "mail", "spec": {"targets": ["duty@plant.example"]}}
HOOK = {
    "name": "Chat",
    "kind": "webhook",
    "spec": {"targets": ["https://hooks.example/services/secret-path"]},
}


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """The application; mail is off, webhooks may lead to one host."""
    home = tmp_path_factory.mktemp("routes")
    settings = Settings(
        home_dir=home, secret_key="k7!" + "Zq3xW9vB" * 5, webhook_hosts="hooks.example"
    )
    with (
        contextmanager(open_stores)(settings, Clock()) as stores,
        open_portal(stores) as opened,
    ):
        yield opened


@pytest.fixture(scope="module")
def ada(portal: Portal) -> Program:
    """An administrator's program."""
    return Program(portal, "ada")


def test_a_route_is_made_changed_tried_and_removed(ada: Program) -> None:
    """Each step under the revision it was read at."""
    made = ada.ask("POST", ALL, 201, json=MAIL)
    one = f"{ALL}/{made['id']}"
    assert made["spec"]["severities"] == ["critical", "high", "medium", "low"]
    assert (made["revision"], made["secret"]) == (1, None)
    body = {**MAIL, "enabled": False, "revision": 1}
    assert ada.ask("PUT", one, 200, json=body)["revision"] == 2
    ada.ask("PUT", one, 409, json=body)
    assert ada.ask("GET", one)["enabled"] is False
    tried = ada.ask("POST", f"{one}/test", 200)
    assert "IOTSPHERE_SMTP_HOST" in tried["items"][0]["answer"]
    ada.ask("DELETE", f"{one}?revision=1", 409)
    ada.ask("DELETE", f"{one}?revision=2", 204)
    ada.ask("GET", one, 404)


def test_a_secret_is_answered_once(ada: Program) -> None:
    """When it is made; neither read nor listed afterwards."""
    made = ada.ask("POST", ALL, 201, json=HOOK)
    one = f"{ALL}/{made['id']}"
    assert len(made["secret"]) == 64
    body = {**HOOK, "revision": 1}
    assert ada.ask("PUT", one, 200, json=body)["secret"] is None
    new = ada.ask("PUT", one, 200, json={**body, "revision": 2, "new_secret": True})
    assert new["secret"] not in {None, made["secret"]}
    shown = str(ada.ask("GET", one)) + str(ada.ask("GET", ALL))
    assert made["secret"] not in shown
    assert new["secret"] not in shown
    assert "salt" not in shown


@pytest.mark.parametrize(
    ("change", "status"),
    [({"kind": "fax"}, 400), ({"name": ""}, 400), ({"spec": {}}, 400),
     ({"spec": {"targets": ["nobody"]}}, 400), ({"spec": "x"}, 422),
     ({"spec": {**MAIL["spec"], "more": 1}}, 400), ({"more": 1}, 422)],
)  # fmt: skip
def test_bad_input_is_refused(
    ada: Program, change: dict[str, object], status: int
) -> None:
    """Unknown fields and impossible values end in a problem that names them."""
    answer = ada.ask("POST", ALL, status, json={**MAIL, **change})

    named = {next(iter(change)), "targets", "more"}
    assert any(name in answer["detail"] for name in named)


def test_deliveries_are_listed_filtered_and_tried_again(
    portal: Portal, ada: Program
) -> None:
    """Newest first with their attempts; of a webhook the host alone."""
    outbox = portal.services.notifications._outbox
    target = "https://hooks.example/services/secret-path"
    with outbox.transaction() as tx:
        for number in range(3):
            key, due = f"t:{number}", NOW + timedelta(seconds=number)
            outbox.put(tx, Parcel(key, "webhook", target, "S", {}, due, due))
    first = outbox.page(state="waiting")[-1:]
    claimed = outbox.claim(first, NOW, NOW + timedelta(minutes=1))
    outbox.failed(claimed, Try(0, NOW, False, "answered 404", 3), None)
    page = ada.ask("GET", "/deliveries?state=waiting&limit=1")
    rest = ada.ask(
        "GET", f"/deliveries?state=waiting&limit=9&cursor={page['next_cursor']}"
    )
    failed = [
        item
        for item in ada.ask("GET", "/deliveries?state=failed")["items"]
        if item["kind"] == "webhook"
    ]

    assert [len(page["items"]), len(rest["items"])] == [1, 1]
    assert rest["next_cursor"] is None
    assert failed[0]["tries"][0]["answer"] == "answered 404"
    assert "secret-path" not in str([page, rest, failed])
    again = f"/deliveries/{failed[0]['id']}/retry"
    ada.ask("POST", again, 204)
    ada.ask("POST", again, 409)
    ada.ask("GET", "/deliveries?state=lost", 400)
    ada.ask("POST", "/deliveries/999999/retry", 404)


@pytest.mark.parametrize("who", ["vera", "otto"])
def test_only_administrators_may(portal: Portal, who: str) -> None:
    """Everybody else is refused at every route."""
    program = Program(portal, who)
    for method, path, body in (
        ("GET", ALL, None), ("POST", ALL, MAIL), ("GET", f"{ALL}/1", None),
        ("PUT", f"{ALL}/1", {**MAIL, "revision": 1}), ("POST", f"{ALL}/1/test", None),
        ("DELETE", f"{ALL}/1?revision=1", None), ("GET", "/deliveries", None),
        ("POST", "/deliveries/1/retry", None),
    ):  # fmt: skip
        program.ask(method, path, 403, json=body)
