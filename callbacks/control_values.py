"""What the control card's inputs and stores hold -> wishes, or ``InvalidInput``."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from dashboards.control_inputs import BOOSTS, BUTTONS, CYCLE_H
from dashboards.details_commands import BEFORE
from dashboards.links import parse_search
from data.talk_records import WISH_KEYS
from services.errors import InvalidInput
from services.units import Preferences, to_celsius

_BY_ID = {button.id: button for button in BUTTONS}
MOST_DIGITS = 15


def button_of(component_id: str) -> tuple[str, str]:
    """What a button does, to which key; Enter in the target's input sets it."""
    button = _BY_ID.get(component_id)
    return (button.action, button.key) if button else ("set", WISH_KEYS[0])


def read_wish(
    action: str, key: str, value: object, now: datetime, prefs: Preferences
) -> dict[str, object]:
    """The wish of a button, in stored units and UTC.

    Args:
        action: ``set``, ``end`` or ``withdraw``.
        key: one of ``WISH_KEYS``.
        value: what the key's input holds.
        now: the time, from which a boost or a cycle counts.
        prefs: the reader's units and zone.

    Raises:
        InvalidInput: the input holds nothing that can be wished.
    """
    if action == "withdraw":
        return {key: None}
    if action == "end":
        return {key: False}
    return {key: _value(key, value, now, prefs)}


def _value(key: str, value: object, now: datetime, prefs: Preferences) -> object:
    if key == "target_temperature_c":
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise InvalidInput("Give a target temperature as a number.")
        return to_celsius(value, prefs)
    if key == "power":
        if value not in {"on", "off"}:
            raise InvalidInput("Choose on or off.")
        return value == "on"
    if key == "away_until":
        return _local(value, prefs)
    if key == "boost_until":
        if value not in BOOSTS:
            raise InvalidInput("Choose how long to boost.")
        return (now + timedelta(minutes=int(str(value)))).isoformat()
    if key == "pasteurise_until":
        return (now + timedelta(hours=CYCLE_H)).isoformat()
    return value


def _local(value: object, prefs: Preferences) -> str:
    try:
        moment = datetime.fromisoformat(str(value or ""))
        return moment.replace(tzinfo=prefs.zone).astimezone(UTC).isoformat()
    except (ValueError, OverflowError):
        raise InvalidInput("Choose the day and the time until when.") from None


def read_seen(kept: object) -> tuple[int, str]:
    """The shadow's version and the digest the page has drawn.

    Raises:
        InvalidInput: it is not what a drawing has given.
    """
    held = kept if isinstance(kept, Mapping) else {}
    version, digest = held.get("version"), held.get("digest")
    if isinstance(version, bool) or not isinstance(version, int):
        raise InvalidInput("Load the page again: it does not say what it has read.")
    return version, str(digest)


def read_asked(kept: object) -> tuple[str, object, int]:
    """Key, value and version of the wish that waits for a confirmation.

    Raises:
        InvalidInput: none waits.
    """
    held = kept if isinstance(kept, Mapping) else {}
    key, version = held.get("key"), held.get("version")
    if key not in WISH_KEYS or not isinstance(version, int):
        raise InvalidInput("There is nothing to confirm; set it again.")
    return str(key), held.get("value"), version


def read_before(search: str | None) -> int:
    """The id below which the command log goes on; 0 is its newest page.

    Raises:
        InvalidInput: the address holds no such id.
    """
    text = parse_search(search).get(BEFORE, "0")
    if not (text.isascii() and text.isdecimal()) or len(text) > MOST_DIGITS:
        raise InvalidInput(f"{BEFORE} must be a whole number.")
    return int(text)
