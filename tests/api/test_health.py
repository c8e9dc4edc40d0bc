"""Alive and ready, without signing in and without saying anything private."""

from __future__ import annotations

import pytest

from services.readiness import Readiness
from tests.conftest import NOW, SYSTEM, readings
from tests.portal import open_portal

PARTS = {"status", "database", "lake", "flusher"}


@pytest.fixture
def portal(stores):
    """The application with two sample tabs on real stores."""
    with open_portal(stores) as opened:
        yield opened


def ask(portal, path):
    """A request of nobody."""
    return portal.app.server.test_client().get(f"/api/v1/{path}")


def test_anybody_may_ask_whether_the_process_lives(portal):
    """Liveness answers 200 and one word."""
    answer = ask(portal, "health")
    assert (answer.status_code, answer.json) == (200, {"status": "alive"})


def test_process_with_its_stores_is_ready(portal):
    """Readiness names the parts and nothing else."""
    answer = ask(portal, "ready")
    assert answer.status_code == 200
    assert answer.json == {
        "status": "ready", "database": "ok", "lake": "ok", "flusher": "ok",
    }  # fmt: skip


def test_flusher_behind_degrades_and_catches_up(portal):
    """A reading that waits for long shows as a flusher behind, until it is flushed."""
    stores = portal.stores
    stores.telemetry.accept(SYSTEM, readings("wh-1", NOW, 1, temperature_c=55.0))
    stores.clock.forward(minutes=4)
    assert ask(portal, "ready").json["status"] == "ready"
    stores.clock.forward(minutes=2)
    answer = ask(portal, "ready")
    assert answer.status_code == 200
    assert (answer.json["status"], answer.json["flusher"]) == ("degraded", "behind")
    stores.flush()
    stores.clock.forward(seconds=3)
    assert ask(portal, "ready").json["status"] == "ready"


def test_lost_lake_is_not_ready(portal, stores):
    """Without a lake readiness is 503 and says so, without the reason."""
    stores.reader.close()
    stores.settings.catalog_file.rename(stores.settings.home_dir / "away")
    answer = ask(portal, "ready")
    assert answer.status_code == 503
    assert answer.json["lake"] == "failed"
    assert answer.json["flusher"] == "unknown"
    assert answer.json.keys() == PARTS


def test_lost_database_is_not_ready(stores):
    """Without the operational database readiness fails as well."""
    readiness = Readiness(stores.hot, stores.lake, 30.0, stores.clock)
    assert readiness.view().ready
    stores.hot._engine.dispose()
    (stores.settings.home_dir / "iotsphere.db").unlink()
    stores.clock.forward(seconds=3)
    view = readiness.view()
    assert (view.ready, view.database, view.lake) == (False, "failed", "ok")


def test_answer_is_held_for_two_seconds(stores):
    """Asking without pause costs the stores one question in two seconds."""
    readiness = Readiness(stores.hot, stores.lake, 30.0, stores.clock)
    first = readiness.view()
    assert readiness.view() is first
    stores.clock.forward(seconds=3)
    assert readiness.view() is not first
