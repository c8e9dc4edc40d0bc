"""Home Assistant's MQTT discovery: what it must be told to list a heater by itself.

Fields and limits are those of its documentation of ``water_heater.mqtt``. It listens
to the topics the device itself writes, so what it shows is what the device reports; it
has no away mode there. What it wishes goes to ``iot/v1/<id>/wish/<key>`` and through
the same rules as a person's wish, which cannot be asked back over MQTT: the limits
told to it therefore end where the rules would ask.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from data.records import MODES, Device
from services.access import Principal, Role
from services.devices import place_of
from services.errors import InvalidInput
from services.wishes import ASK_ABOVE_C, limits

PREFIX = "homeassistant"
CALLER = Principal("home-assistant", Role.OPERATOR)
"""Who wishes when Home Assistant does; the broker's rights say who may write there."""
WISHES: Mapping[str, str] = {
    "target": "target_temperature_c",
    "mode": "mode",
    "power": "power",
}
"""Last part of a wish topic -> key of the wish."""
LONGEST_WISH = 32
_NEWEST = "(value_json if value_json is mapping else value_json[-1])"


def topic(device_id: str) -> str:
    """Where the discovery document of a device is kept (retained)."""
    return f"{PREFIX}/water_heater/iotsphere_{device_id}/config"


def document(device: Device) -> bytes:
    """What Home Assistant is told of a device; empty = forget it."""
    if device.life_cycle != "active":
        return b""
    base = f"iot/v1/{device.id}"
    low, high = limits(device)
    told: dict[str, Any] = {
        "name": None,
        "unique_id": f"iotsphere_{device.id}",
        "device": _facts(device),
        "modes": list(device.modes or MODES),
        "min_temp": low,
        "max_temp": min(high, ASK_ABOVE_C),
        "precision": 0.5,
        "temperature_unit": "C",
        "qos": 1,
        "current_temperature_topic": f"{base}/telemetry",
        "current_temperature_template": f"{{{{ {_NEWEST}.temperature_c }}}}",
        "temperature_state_topic": f"{base}/reported",
        "temperature_state_template": _reported("target_temperature_c"),
        "temperature_command_topic": f"{base}/wish/target",
        "mode_state_topic": f"{base}/reported",
        "mode_state_template": _reported("mode"),
        "mode_command_topic": f"{base}/wish/mode",
        "power_command_topic": f"{base}/wish/power",
        "availability_topic": f"{base}/status",
        "availability_template": "{{ 'online' if value_json.online else 'offline' }}",
        "origin": {"name": "IoTSphere"},
    }
    return orjson.dumps(told)


def _reported(key: str) -> str:
    """A report need not name every key: an empty text changes nothing there."""
    return f"{{{{ value_json.state.{key} | default('') }}}}"


def _facts(device: Device) -> dict[str, Any]:
    told = {
        "identifiers": [f"iotsphere_{device.id}"],
        "name": f"{device.name} (simulated)" if device.simulated else device.name,
        "manufacturer": device.manufacturer,
        "model": device.model,
        "serial_number": device.serial,
        "sw_version": device.firmware,
        "suggested_area": place_of(device) or None,
    }
    return {name: value for name, value in told.items() if value is not None}


def wish(part: str, payload: bytes) -> dict[str, object]:
    """The wish in a message of Home Assistant.

    Args:
        part: last part of the topic, one of ``WISHES``.
        payload: a number of °C, a mode, or ``ON`` or ``OFF``.

    Raises:
        InvalidInput: neither.
    """
    if part not in WISHES:
        raise InvalidInput(f"There is no wish topic {part[:40]!r}.")
    if len(payload) > LONGEST_WISH:
        raise InvalidInput("The wish is longer than any that there is.")
    said = payload.decode("utf-8", errors="replace").strip()
    if part == "mode":
        return {"mode": said}
    if part == "power":
        if said not in {"ON", "OFF"}:
            raise InvalidInput(f"power must be ON or OFF, not {said!r}.")
        return {"power": said == "ON"}
    try:
        return {"target_temperature_c": float(said)}
    except ValueError as error:
        raise InvalidInput(f"{said!r} is not a temperature.") from error
