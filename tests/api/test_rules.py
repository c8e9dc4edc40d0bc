"""Alert rules over REST."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from settings import Settings
from tests.api.test_fleet import Program
from tests.conftest import NOW, SYSTEM, Clock, open_stores, readings
from tests.portal import Portal, open_portal
from tests.services.alert_world import HOT


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """The application with a heater that was hot twice."""
    home = tmp_path_factory.mktemp("rules")
    key = "k7!" + "Zq3xW9vB" * 5
    settings = Settings(home_dir=home, secret_key=key, max_page=100)
    with (
        contextmanager(open_stores)(settings, Clock()) as stores,
        open_portal(stores) as opened,
    ):
        frame = readings("wh-1", NOW - timedelta(hours=8), 480)
        frame["temperature_c"] = [
            80.0 if i // 60 in (2, 5) else 50.0 for i in range(480)
        ]
        stores.telemetry.accept(SYSTEM, frame)
        stores.flush()
        yield opened


def test_a_rule_is_previewed_saved_changed_and_removed(portal: Portal) -> None:
    """An administrator keeps rules; anybody may read and look back."""
    vera, ada = Program(portal, "vera"), Program(portal, "ada")
    looked = vera.ask("POST", "/alert-rules/preview", json={"rule": HOT, "days": 2})
    assert looked["activations"] == 2
    assert [s["subject"] for s in looked["subjects"]] == ["wh-1"]

    body = {"rule": {k: v for k, v in HOT.items() if k != "key"}}
    vera.ask("PUT", "/alert-rules/hot", 403, json=body)
    made = ada.ask("PUT", "/alert-rules/hot", json=body)
    assert (made["revision"], made["updated_by"]) == (1, "ada")
    ada.ask("PUT", "/alert-rules/hot", 409, json=body)
    ada.ask("PUT", "/alert-rules/hot", json=body | {"revision": 1})
    assert vera.ask("GET", "/alert-rules/hot")["rule"] == made["rule"]
    assert [r["revision"] for r in vera.ask("GET", "/alert-rules")["items"]] == [2]
    ada.ask("DELETE", "/alert-rules/hot?revision=1", 409)
    ada.ask("DELETE", "/alert-rules/hot?revision=2", 204)
    vera.ask("GET", "/alert-rules/hot", 404)


def test_bad_rules_are_named(portal: Portal) -> None:
    """Field and cause come back; unknown fields and days are refused."""
    ada = Program(portal, "ada")
    for rule, says in (
        ({"metric": "warmth"}, "warmth is no metric"),
        ({"colour": 1}, "colour"),
        ({"key": "other"}, "key: it differs"),
    ):
        answer = ada.ask("PUT", "/alert-rules/hot", 400, json={"rule": HOT | rule})
        assert says in answer["detail"]
    body = {"rule": HOT, "days": 91}
    ada.ask("POST", "/alert-rules/preview", 422, json=body)
