"""Home Assistant at the same broker: it finds the heaters, and wishes like anybody."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

from data.records import Device
from services.access import SYSTEM
from services.home_assistant import document
from tests.conftest import Stores
from tests.mosquitto import PASSWORD, Broker, broker
from tests.mqtt_device import until
from tests.workers.test_mqtt import ingest_of, ours, working_loop
from workers.mqtt import MqttLoop
from workers.mqtt_discovery import Discovery
from workers.mqtt_sender import Sender

CONFIG = "homeassistant/water_heater/iotsphere_wh-1/config"


@pytest.fixture
def at_broker() -> Iterator[Broker]:
    """A broker with the shipped rights."""
    with broker(["iotsphere", "homeassistant", "wh-1"]) as running:
        yield running


def listener(at: Broker) -> tuple[paho.Client, dict[str, bytes]]:
    """Home Assistant's end: a client of that name, and what it has heard last."""
    heard: dict[str, bytes] = {}
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id="ha")
    client.username_pw_set("homeassistant", PASSWORD)
    client.on_message = lambda _c, _d, message: heard.update(
        {message.topic: message.payload}
    )
    client.on_connect = lambda c, *_told: c.subscribe("homeassistant/#", 1)
    client.connect("127.0.0.1", at.port)
    client.loop_start()
    return client, heard


def test_it_lists_the_heater_sets_it_and_forgets_it(
    stores: Stores, heater: Device, at_broker: Broker
) -> None:
    """Document, wish, refused wish and end, over the real broker."""
    client, heard = listener(at_broker)
    loop = MqttLoop(
        ours(stores.settings, at_broker),
        ingest_of(stores),
        Sender(stores.courier, stores.shadows, stores.clock),
        stores.links,
        stores.clock,
        Discovery(stores.device_store),
    )
    with working_loop(stores, loop):
        told = json.loads(until(lambda: heard.get(CONFIG)))
        assert told["modes"] == list(heater.modes)

        client.publish(told["temperature_command_topic"], "51", qos=1)
        client.publish(told["mode_command_topic"], "gas", qos=1)
        (command,) = until(lambda: stores.commands.newest(heater.id))
        assert (command.value, command.asked_by) == (51.0, "home-assistant")
        (refused,) = until(stores.links.rejects)
        assert "not gas" in refused.reason

        stores.devices.set_life_cycle(SYSTEM, heater.id, "inactive")
        until(lambda: heard.get(CONFIG) == b"")
    client.loop_stop()


def test_simulated_heaters_are_told_of_as_such(heater: Device) -> None:
    """Home Assistant shows which heaters are simulated, in the name of each."""
    real, played = (
        json.loads(document(replace(heater, simulated=simulated)))["device"]["name"]
        for simulated in (False, True)
    )

    assert (real, played) == (heater.name, f"{heater.name} (simulated)")
