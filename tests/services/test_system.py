"""What is said of the installation: worker, what waits, what was refused."""

from __future__ import annotations

from datetime import timedelta

import pytest

from data.records import Device
from data.talk_records import RejectedMessage
from services.errors import Forbidden
from services.system import System
from tests.conftest import ADMIN, NOW, OPERATOR, SYSTEM, VIEWER, Stores, readings


@pytest.fixture
def system(stores: Stores) -> System:
    """The service on empty stores."""
    return System(stores.links, stores.hot, stores.lake, stores.clock)


def test_a_fresh_installation_has_nothing_to_say(system: System) -> None:
    """No part has spoken and nothing waits; the versions are known."""
    view = system.view(ADMIN)

    assert (view.parts, view.rejects) == ((), ())
    assert (view.hot_rows, view.waiting_s, view.staged_files) == (0, 0.0, 0)
    assert {"python", "schema", "dash", "duckdb"} <= set(view.versions)


def test_each_part_has_its_age_and_numbers(system: System, stores: Stores) -> None:
    """What a part said last counts, and how long ago that was."""
    stores.links.put_status("mqtt", {"received": 1}, NOW - timedelta(hours=1))
    stores.links.put_status("mqtt", {"received": 7}, NOW - timedelta(seconds=5))
    stores.links.put_status("flusher", {}, NOW + timedelta(seconds=5))
    parts = system.view(ADMIN).parts

    assert [(p.name, p.age_s, dict(p.facts)) for p in parts] == [
        ("flusher", 0.0, {}),
        ("mqtt", 5.0, {"received": 7}),
    ]


def test_what_waits_is_counted_until_it_is_flushed(
    system: System, stores: Stores, heater: Device
) -> None:
    """Hot readings and staged files wait, the oldest with its age."""
    frame = readings(heater.id, NOW - timedelta(hours=1), 10, temperature_c=50.0)
    stores.telemetry.accept(SYSTEM, frame)
    stores.clock.forward(seconds=40)
    waiting = system.view(ADMIN)
    assert (waiting.hot_rows, waiting.waiting_s) == (10, 40.0)

    stores.flush()
    assert system.view(ADMIN).hot_rows == 0


def test_the_newest_refused_messages_are_shown(system: System, stores: Stores) -> None:
    """Fifty of them, the last first, or none when only numbers are asked for."""
    with stores.device_store.transaction() as tx:
        stores.links.reject(
            tx,
            [RejectedMessage(NOW, f"iot/v1/{i}", "why", b"x", 1) for i in range(60)],
        )
    shown = system.view(ADMIN).rejects

    assert len(shown) == 50
    assert shown[0].topic == "iot/v1/59"
    assert system.view(ADMIN, rejects=0).rejects == ()


def test_only_admins_see_it(system: System) -> None:
    """Topics and payloads of refused messages are nobody else's business."""
    for who in (VIEWER, OPERATOR):
        with pytest.raises(Forbidden):
            system.view(who)
