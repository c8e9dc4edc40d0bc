"""The worker's line on the System page."""

from __future__ import annotations

from threading import Event, Thread

from tests.conftest import Stores
from tests.mqtt_device import until
from workers.heartbeat import Heartbeat


def test_the_worker_says_that_it_lives(stores: Stores) -> None:
    """Its parts by name, for how long it runs and what memory it has had."""
    beat = Heartbeat(stores.links, [stores.courier, stores.hot], stores.clock)
    stores.clock.forward(seconds=90)
    beat.beat()
    at, facts = stores.links.statuses()["worker"]

    assert at == stores.clock()
    assert facts["parts"] == "courier, hot store"
    assert facts["running_s"] == 90
    assert facts["peak_memory_mb"] > 10


def test_it_goes_on_until_it_is_stopped(stores: Stores) -> None:
    """The first line comes at once, and the end is not waited for."""
    stop = Event()
    thread = Thread(target=Heartbeat(stores.links, [], stores.clock).run, args=(stop,))
    thread.start()
    until(lambda: "worker" in stores.links.statuses())
    stop.set()
    thread.join(timeout=5)

    assert not thread.is_alive()
