"""What may be wished of a heater: the keys, their values, and what limits them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from data.records import MODES, Device
from data.talk_records import WISH_KEYS
from services.errors import InvalidInput

LONGEST: Mapping[str, timedelta] = {
    "away_until": timedelta(days=400),
    "boost_until": timedelta(hours=24),
    "pasteurise_until": timedelta(hours=12),
}
"""How far ahead the end of a state that ends by itself may lie."""
SHORTEST = timedelta(minutes=5)
DEFAULT_MIN_C, DEFAULT_MAX_C = 30.0, 75.0
"""Limits of a device whose own nobody has recorded."""
ASK_ABOVE_C, VALVE_ABOVE_C = 54.0, 60.0
"""Above the first the caller is asked; above the second a mixing valve is needed.

Scald: about 5 min at 49 to 50 °C, 1 to 5 s at 60 °C. Legionella: stores are kept at
60 °C or more; 25 to 45 °C is where they grow (Home Assistant's water_heater page).
"""
PASTEURISE_C = 60.0
MOST_C = 1_000.0
"""No heater has a target beyond this: what is, is not a number anybody meant."""

Wishes = Mapping[str, object]


@dataclass(frozen=True)
class Ruling:
    """What is to be said of a wish: why it cannot be, what to confirm, what follows."""

    refused: str = ""
    ask: str = ""
    note: str = ""


def clean(wishes: Wishes, now: datetime) -> dict[str, object]:
    """The wishes in stored form; ``None`` withdraws a wish.

    A key that ends with ``_until`` is a time, or false: it is to end now.

    Raises:
        InvalidInput: no wish, an unknown key, or a value of the wrong kind.
    """
    if not wishes:
        raise InvalidInput("Nothing is wished: give at least one key.")
    for key in wishes:
        if key not in WISH_KEYS:
            raise InvalidInput(
                f"{str(key)[:40]!r} cannot be set; it is one of {', '.join(WISH_KEYS)}."
            )
    return {key: _value(key, value, now) for key, value in wishes.items()}


def _value(key: str, value: object, now: datetime) -> object:
    if value is None:
        return None
    if key == "target_temperature_c":
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise InvalidInput("target_temperature_c must be a number of °C.")
        # Compared first: an integer can be too large for any float.
        if not -MOST_C <= value <= MOST_C:
            raise InvalidInput("target_temperature_c must be a finite number of °C.")
        return round(float(value), 2)
    if key == "mode":
        if value not in MODES:
            raise InvalidInput(f"mode must be one of {', '.join(MODES)}.")
        return value
    if key == "power":
        if not isinstance(value, bool):
            raise InvalidInput("power must be true or false.")
        return value
    return value if value is False else _until(key, value, now)


def told(key: str, value: object) -> object:
    """What a device reports, in the form of a wish: its times may be spelled else."""
    if not key.endswith("_until") or not isinstance(value, str):
        return value
    try:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            return value
        return moment.astimezone(UTC).replace(microsecond=0).isoformat()
    except (ValueError, OverflowError):
        return value


def shown(value: object) -> str:
    """A wished value in words, the same before and after it was stored."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def over(key: str, value: object, now: datetime) -> bool:
    """Whether a wish has ended by itself: its time has come, the device ends it."""
    end = end_of(key, value)
    return end is not None and end <= now


def end_of(key: str, value: object) -> datetime | None:
    """When a wish ends by itself; ``None`` = never."""
    if not key.endswith("_until") or not isinstance(value, str):
        return None
    return datetime.fromisoformat(value)


def _until(key: str, value: object, now: datetime) -> str:
    moment = value
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            moment = None
    if not isinstance(moment, datetime) or moment.tzinfo is None:
        raise InvalidInput(f"{key} must be an ISO time with its zone, or false.")
    try:
        end = moment.astimezone(UTC).replace(microsecond=0)
    except OverflowError as error:
        raise InvalidInput(f"{key} is beyond any calendar.") from error
    if end < now + SHORTEST:
        raise InvalidInput(f"{key} must lie at least 5 minutes ahead.")
    if end > now + LONGEST[key]:
        raise InvalidInput(f"{key} must lie within {_words(LONGEST[key])}.")
    return end.isoformat()


def _words(span: timedelta) -> str:
    return (
        f"{span.days} days" if span.days > 1 else f"{span.total_seconds() / 3600:g} h"
    )


def limits(device: Device) -> tuple[float, float]:
    """Lowest and highest target of a device, °C."""
    low, high = device.setpoint_min_c, device.setpoint_max_c
    return (
        DEFAULT_MIN_C if low is None else low,
        DEFAULT_MAX_C if high is None else high,
    )


WORDS: Mapping[str, str] = {
    "target_temperature_c": "Target temperature",
    "mode": "Mode",
    "power": "Power",
    "away_until": "Away",
    "boost_until": "Boost",
    "pasteurise_until": "Pasteurising",
}


def words_of(key: str, value: object) -> str:
    """A wish in the words of the event log, which is in stored units and UTC."""
    name = WORDS[key]
    if key == "target_temperature_c":
        return f"{name} {shown(value)} °C"
    if key == "power":
        return f"{name} {'on' if value else 'off'}"
    if value is False:
        return f"{name} ended"
    return f"{name} {value}" if key == "mode" else f"{name} until {shown(value)}"


def judge(device: Device, key: str, value: object) -> Ruling:
    """What the safety rules say of one wish, already in stored form."""
    if value is None or (value is False and key != "power"):
        return Ruling()
    if key == "target_temperature_c" and isinstance(value, float):
        return _target(device, value)
    if key == "mode":
        return _mode(device, str(value))
    if key == "power" and value is False:
        return Ruling(note=OFF)
    if key == "pasteurise_until":
        return _pasteurise(device)
    hot = key == "boost_until" and limits(device)[1] > ASK_ABOVE_C
    return Ruling(ask=BOOST if hot else "")


OFF = (
    "The water cools and stands: Legionella grow between 25 and 45 °C, and nothing "
    "keeps the tank from freezing."
)
SCALD = "Water this hot scalds: at 60 °C within 1 to 5 seconds."
BOOST = f"A boost heats above the set target. {SCALD}"


def _target(device: Device, target_c: float) -> Ruling:
    low, high = limits(device)
    if not low <= target_c <= high:
        return Ruling(
            refused=f"{device.name} takes {low:g} to {high:g} °C, not {target_c:g} °C."
        )
    if target_c > VALVE_ABOVE_C:
        if not device.mixing_valve:
            return Ruling(
                refused=(
                    f"Above {VALVE_ABOVE_C:g} °C a mixing valve must be recorded for "
                    f"{device.name}: water this hot scalds within a second."
                )
            )
        return Ruling(ask=SCALD)
    note = ""
    if target_c < PASTEURISE_C:
        note = (
            "Below 60 °C the tank does not kill Legionella by itself: it needs an hour "
            "at 60 °C or more now and then."
        )
        if target_c < 50:
            note += " Below 50 °C that is needed every day."
    return Ruling(ask=SCALD if target_c > ASK_ABOVE_C else "", note=note)


def _mode(device: Device, mode: str) -> Ruling:
    if device.modes and mode not in device.modes:
        known = ", ".join(device.modes)
        return Ruling(refused=f"{device.name} has the modes {known}, not {mode}.")
    return Ruling(note=OFF if mode == "off" else "")


def _pasteurise(device: Device) -> Ruling:
    if limits(device)[1] < PASTEURISE_C:
        return Ruling(refused=f"{device.name} cannot be set to 60 °C or more.")
    if not device.mixing_valve:
        return Ruling(
            refused=(
                f"A pasteurising cycle heats above 60 °C: a mixing valve must be "
                f"recorded for {device.name}."
            )
        )
    return Ruling(ask=SCALD)
