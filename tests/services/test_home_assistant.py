"""Home Assistant is told what its documentation asks for, and no more than is true."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from jinja2 import Template

from data.records import Device
from services import home_assistant
from services.errors import InvalidInput, NeedsConfirmation
from tests.conftest import Stores

KNOWN = {
    "name", "unique_id", "device", "modes", "min_temp", "max_temp", "precision",
    "temperature_unit", "qos", "current_temperature_topic",
    "current_temperature_template", "temperature_state_topic",
    "temperature_state_template", "temperature_command_topic", "mode_state_topic",
    "mode_state_template", "mode_command_topic", "power_command_topic",
    "availability_topic", "availability_template", "origin",
}  # fmt: skip
"""Fields of water_heater.mqtt; an unknown one makes Home Assistant drop the entity."""


def test_a_heater_is_described_with_its_modes_and_limits(heater: Device) -> None:
    """Own modes, own lowest target, and no target that would have to be confirmed."""
    told = json.loads(home_assistant.document(heater))

    assert set(told) <= KNOWN
    assert told["modes"] == ["off", "eco", "electric"]
    assert (told["min_temp"], told["max_temp"]) == (40, 54)
    assert told["unique_id"] == "iotsphere_wh-1"
    assert told["device"]["name"] == "Boiler room"
    assert told["mode_command_topic"] == "iot/v1/wh-1/wish/mode"
    assert home_assistant.topic("wh-1").startswith("homeassistant/water_heater/")


def test_its_templates_read_what_devices_write(heater: Device) -> None:
    """The newest of several readings, and of a report only the keys it names."""
    told = json.loads(home_assistant.document(heater))

    def read(name: str, sent: object) -> str:
        return Template(told[f"{name}_template"]).render(value_json=sent)

    assert read("current_temperature", {"temperature_c": 51.5}) == "51.5"
    several = [{"temperature_c": 50}, {"temperature_c": 51}]
    assert read("current_temperature", several) == "51"
    report = {"version": 3, "state": {"mode": "eco"}}
    assert read("mode_state", report) == "eco"
    assert read("temperature_state", report) == ""
    assert read("availability", {"online": True, "session": 4}) == "online"
    assert read("availability", {"online": False}) == "offline"


def test_a_heater_without_facts_is_described_too() -> None:
    """What nobody has said is left out; the modes are all that there are."""
    told = json.loads(home_assistant.document(Device(id="x", name="x")))

    assert told["device"] == {"identifiers": ["iotsphere_x"], "name": "x"}
    assert len(told["modes"]) == 7


@pytest.mark.parametrize("life", ["pending", "inactive", "removed"])
def test_a_heater_out_of_service_is_forgotten(heater: Device, life: str) -> None:
    """An empty retained message removes it from Home Assistant."""
    assert home_assistant.document(replace(heater, life_cycle=life)) == b""


@pytest.mark.parametrize(
    ("part", "payload", "expected"),
    [
        ("target", b"52.5", {"target_temperature_c": 52.5}),
        ("mode", b"eco", {"mode": "eco"}),
        ("power", b"OFF", {"power": False}),
        ("power", b"ON", {"power": True}),
    ],
)
def test_wishes_are_read(part: str, payload: bytes, expected: object) -> None:
    """The payloads that Home Assistant sends."""
    assert home_assistant.wish(part, payload) == expected


@pytest.mark.parametrize(
    ("part", "payload"),
    [("target", b"warm"), ("target", b"\xff"), ("power", b"yes"), ("away", b"ON"),
     ("target", b"1" * 99)],
)  # fmt: skip
def test_rubbish_is_refused(part: str, payload: bytes) -> None:
    """With the reason."""
    with pytest.raises(InvalidInput):
        home_assistant.wish(part, payload)


def test_its_wishes_go_through_the_rules(stores: Stores, heater: Device) -> None:
    """A good one becomes a command in its name; one that must be confirmed does not."""
    wishes = home_assistant.wish("target", b"50")
    (command,) = stores.controls.ask(home_assistant.CALLER, heater.id, wishes)
    assert (command.asked_by, command.value) == ("home-assistant", 50.0)

    with pytest.raises(NeedsConfirmation):
        hot = home_assistant.wish("target", b"58")
        stores.controls.ask(home_assistant.CALLER, heater.id, hot)
    with pytest.raises(InvalidInput):
        nan = home_assistant.wish("target", b"nan")
        stores.controls.ask(home_assistant.CALLER, heater.id, nan)
