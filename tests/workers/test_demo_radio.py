"""Simulated heaters at a real broker: they hear, obey and speak over it alone."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from threading import Event, Thread

import pytest

import bootstrap
import bootstrap_worker
from data.talk_records import Command
from services import demo_line, misbehaviour
from services.access import SYSTEM
from services.demo import DemoFleet
from services.demo_devices import DemoDevices
from services.demo_line import DemoLine, DemoSchedule
from services.misbehaviour import LOCKED, Misbehaviour, parse
from settings import Settings
from tests.conftest import OPERATOR, Clock, Stores
from tests.mosquitto import Broker, broker
from tests.mqtt_device import MqttDevice, until
from tests.services.test_demo import demo_fleet
from tests.workers.test_mqtt import ours, rows, working
from workers.demo_radio import DemoRadio

ONE, TWO = "heater-001", "heater-002"
TARGET = "target_temperature_c"


class Running(Clock):
    """A clock that goes by itself, and can be moved on besides."""

    def __init__(self) -> None:
        super().__init__()
        self.began = time.monotonic()

    def __call__(self) -> datetime:
        """The time since noon, and what it was moved by."""
        return self.now + timedelta(seconds=time.monotonic() - self.began)


@pytest.fixture
def clock() -> Clock:
    """A clock that goes."""
    return Running()


@pytest.fixture
def at_broker() -> Iterator[Broker]:
    """A broker at which we may speak for simulated heaters."""
    with broker(["iotsphere"], demo=True) as running:
        yield running


@pytest.fixture
def demo(stores: Stores) -> DemoFleet:
    """Two heaters with a little history."""
    fleet = demo_fleet(stores)
    fleet.create(SYSTEM, days=0.1, heaters=2)
    return fleet


@contextmanager
def on_air(
    stores: Stores, demo: DemoFleet, at: Broker, bad: str = ""
) -> Iterator[DemoRadio]:
    """One run of a worker: what takes messages, and the heaters' own client."""
    ways = Misbehaviour(parse(bad), 1)
    devices = DemoDevices(demo, stores.clock, ways)
    schedule = DemoSchedule(devices, stores.clock, ways, 1)
    radio = DemoRadio(ours(stores.settings, at), schedule, stores.clock)
    demo.carry = radio.carry
    stop = Event()
    thread = Thread(target=radio.run, args=(stop,), daemon=True)
    with working(stores, at):
        thread.start()
        try:
            yield radio
        finally:
            stop.set()
            thread.join(timeout=20)
    assert not thread.is_alive()


def is_there(stores: Stores, device_id: str = ONE) -> bool:
    """Whether a heater is known to be online."""
    link = stores.links.links([device_id]).get(device_id)
    return link is not None and link.online


def newest(stores: Stores) -> Command:
    """The newest command of the first heater."""
    return stores.commands.newest(ONE)[0]


def ask(stores: Stores, value: float) -> None:
    """Wish a target of the first heater, once it is there."""
    until(lambda: is_there(stores))
    stores.controls.ask(OPERATOR, ONE, {TARGET: value})


def bodies(observer: MqttDevice, place: str) -> list[dict]:
    """What was said on one topic of the first heater."""
    topic = f"iot/v1/{ONE}/{place}"
    return [json.loads(body) for at, body, _kept in observer.heard if at == topic]


@pytest.fixture
def observer(at_broker: Broker) -> Iterator[MqttDevice]:
    """A plain subscriber that hears everything."""
    with MqttDevice("iotsphere", at_broker.port) as plain:
        plain.hear("iot/v1/#")
        yield plain


def test_a_wish_goes_over_the_broker_and_comes_back_applied(
    stores: Stores, demo: DemoFleet, at_broker: Broker, observer: MqttDevice
) -> None:
    """Command, answer and report are seen by a bystander, and the tank is set."""
    with on_air(stores, demo, at_broker):
        ask(stores, 48.0)
        until(lambda: newest(stores).state == "applied")

    (told,) = bodies(observer, "cmd")
    assert (told["key"], told["value"]) == (TARGET, 48.0)
    assert [a["state"] for a in bodies(observer, "cmd/ack")] == ["accepted"]
    last = bodies(observer, "reported")[-1]
    assert (last["version"], last["state"][TARGET]) == (told["version"], 48.0)
    with demo.held(ONE) as (_, state):
        assert state.target_c == 48.0
    assert newest(stores).tries == 1


def test_a_locked_panel_refuses_over_the_broker(
    stores: Stores, demo: DemoFleet, at_broker: Broker, observer: MqttDevice
) -> None:
    """``refuse``: the reason comes back in the answer, and the wish is withdrawn."""
    with on_air(stores, demo, at_broker, f"{ONE}:refuse"):
        ask(stores, 48.0)
        until(lambda: newest(stores).state == "refused")

    assert newest(stores).reason == LOCKED
    assert [a["reason"] for a in bodies(observer, "cmd/ack")] == [LOCKED]
    shadow = stores.shadows.get(ONE)
    assert shadow is not None
    assert shadow.desired == {}


def test_what_is_dropped_is_told_again_and_then_timed_out(
    stores: Stores,
    demo: DemoFleet,
    at_broker: Broker,
    observer: MqttDevice,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """``drop``: four times over the broker without an answer, then an honest end."""
    monkeypatch.setattr(misbehaviour, "LOST_SHARE", 0.0)
    with on_air(stores, demo, at_broker, f"{ONE}:drop"):
        until(lambda: is_there(stores))
        monkeypatch.setattr(misbehaviour, "LOST_SHARE", 1.0)
        ask(stores, 48.0)
        for tries in range(1, 5):
            until(lambda n=tries: newest(stores).tries == n)
            stores.clock.forward(seconds=16)
        until(lambda: newest(stores).state == "timed_out")

    assert len(bodies(observer, "cmd")) == 4
    assert bodies(observer, "cmd/ack") == []


def test_what_is_said_twice_counts_once(
    stores: Stores, demo: DemoFleet, at_broker: Broker, observer: MqttDevice
) -> None:
    """``duplicate``: the bystander hears each answer twice, the log has one end."""
    with on_air(stores, demo, at_broker, f"{ONE}:duplicate"):
        ask(stores, 48.0)
        until(lambda: newest(stores).state == "applied")
        until(lambda: len(bodies(observer, "cmd/ack")) == 2)

    said = [event.message for event in stores.device_store.events(ONE)[0]]
    assert len([words for words in said if words.endswith("applied")]) == 1


def test_live_readings_go_over_the_broker_and_the_catch_up_does_not(
    stores: Stores, demo: DemoFleet, at_broker: Broker, observer: MqttDevice
) -> None:
    """Seconds since the last reading are one message; two hours are stored at once."""
    with on_air(stores, demo, at_broker):
        until(lambda: is_there(stores))
        before = rows(stores, ONE)
        stores.clock.forward(seconds=5)
        assert demo.advance(SYSTEM, stores.clock()) == 2
        (told,) = until(lambda: bodies(observer, "telemetry"))
        until(lambda: rows(stores, ONE) == before + 1)
        assert told["temperature_c"] > 10.0

        stores.clock.forward(hours=2)
        assert demo.advance(SYSTEM, stores.clock()) >= 240
        assert rows(stores, ONE) >= before + 121

    assert len(bodies(observer, "telemetry")) == 1


def test_without_the_rights_readings_are_stored_all_the_same(
    stores: Stores, demo: DemoFleet
) -> None:
    """At a broker with the shipped rules nothing is heard, and no reading is lost."""
    with (
        broker(["iotsphere"]) as closed,
        MqttDevice("iotsphere", closed.port) as observer,
        on_air(stores, demo, closed) as radio,
    ):
        observer.hear("iot/v1/#")
        until(lambda: radio.problem)
        before = rows(stores, ONE)
        stores.clock.forward(seconds=5)
        assert demo.advance(SYSTEM, stores.clock()) == 2
        assert rows(stores, ONE) == before + 1

    assert "access list" in radio.problem
    assert observer.heard == []


def test_a_worker_that_stops_says_that_its_heaters_have_gone(
    stores: Stores, demo: DemoFleet, at_broker: Broker
) -> None:
    """Births and states are retained; whoever comes later hears offline."""
    with on_air(stores, demo, at_broker):
        until(lambda: is_there(stores) and is_there(stores, TWO))
        link = stores.links.links([ONE])[ONE]
        assert "modes" in link.birth

    with MqttDevice("iotsphere", at_broker.port) as later:
        later.hear("iot/v1/+/birth")
        later.hear("iot/v1/+/status")
        until(lambda: len(later.heard) == 4)
        assert all(kept for _at, _body, kept in later.heard)
        gone = {"online": False, "session": link.session}
        assert bodies(later, "status") == [gone]


def test_a_restart_neither_loses_nor_doubles(
    stores: Stores,
    demo: DemoFleet,
    at_broker: Broker,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A command on its way is told again; each reading and each end is there once."""
    before = rows(stores, ONE)
    with monkeypatch.context() as slow:
        slow.setattr(demo_line, "LATENCY_S", (600.0, 600.0))
        with on_air(stores, demo, at_broker):
            ask(stores, 48.0)
            until(lambda: newest(stores).state == "sent")
            stores.clock.forward(seconds=5)
            demo.advance(SYSTEM, stores.clock())
            first = stores.links.links([ONE])[ONE].session

    again = demo_fleet(stores)
    with on_air(stores, again, at_broker):
        until(lambda: stores.links.links([ONE])[ONE].session > first)
        until(lambda: is_there(stores))
        stores.clock.forward(seconds=16)
        until(lambda: newest(stores).state == "applied")
        again.advance(SYSTEM, stores.clock())
        until(lambda: rows(stores, ONE) == before + 2)

    assert (newest(stores).tries, len(stores.commands.page(ONE))) == (2, 1)
    said = [event.message for event in stores.device_store.events(ONE)[0]]
    assert len([words for words in said if words.endswith("applied")]) == 1


def test_a_broker_that_restarts_finds_the_heaters_again(
    stores: Stores, demo: DemoFleet, at_broker: Broker
) -> None:
    """Meanwhile readings are stored in-process; afterwards a wish is applied."""
    with on_air(stores, demo, at_broker) as radio:
        until(lambda: is_there(stores))
        at_broker.stop()
        until(lambda: radio.problem)
        before = rows(stores, ONE)
        stores.clock.forward(seconds=5)
        demo.advance(SYSTEM, stores.clock())
        assert rows(stores, ONE) == before + 1
        at_broker.start()
        until(lambda: not radio.problem)
        ask(stores, 49.0)
        until(lambda: newest(stores).state == "applied")


def test_the_settings_choose_the_way(
    stores: Stores, demo: DemoFleet, settings: Settings
) -> None:
    """No broker: a line within the process; a broker: the heaters' own client."""
    services = bootstrap.build(settings)
    at = settings.model_copy(update={"mqtt_host": "127.0.0.1"})
    link = bootstrap_worker.build_demo_link(settings, services)
    assert services.demo.carry is None
    assert isinstance(link, DemoLine)
    radio = bootstrap_worker.build_demo_link(at, services)
    services.close()

    assert isinstance(radio, DemoRadio)
    assert services.demo.carry == radio.carry
