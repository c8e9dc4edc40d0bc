"""What an administrator typed -> a device, or what is wrong with each field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from dashboards.device_form import FIELDS, NOT_STATED, Field, shown
from data.records import Device
from services.devices import field_errors
from services.errors import InvalidInput
from services.units import Preferences, to_stored

LONGEST = 200


class Rejected(Exception):
    """The form cannot be taken; ``errors`` names what is wrong by field."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__("Some fields are not right.")
        self.errors = dict(errors)


def read_form(
    values: Sequence[object], held: Device | None, prefs: Preferences
) -> Device:
    """The device the form describes.

    Args:
        values: what the controls hold, in the order of ``FIELDS``.
        held: the device being edited; ``None`` for a new one.
        prefs: the units the numbers were typed in.

    Raises:
        Rejected: some fields are wrong; each has its own message.
    """
    base = held or Device(id="", name="", life_cycle="pending")
    found: dict[str, Any] = {}
    errors: dict[str, str] = {}
    for field, value in zip(FIELDS, values, strict=True):
        if held is not None and field.name in {"id", "life_cycle"}:
            continue
        if held is not None and value == shown(field, held, prefs):
            # Untouched: a number in °F must not drift by its rounding.
            continue
        try:
            found[field.name] = _value(field, value, prefs)
        except InvalidInput as error:
            errors[field.name] = str(error)
    device = replace(base, **found)
    labels = {field.name: field.label for field in FIELDS}
    for name, message in field_errors(device).items():
        words = message.replace(name, labels.get(name, name), 1)
        errors.setdefault(name, words)
    if errors:
        raise Rejected(errors)
    return device


def _value(field: Field, value: object, prefs: Preferences) -> Any:
    if field.kind == "modes":
        if not isinstance(value, list):
            raise InvalidInput("Choose from the list.")
        return tuple(str(mode) for mode in value)
    if value is not None and not isinstance(value, str | int | float):
        raise InvalidInput("This is not text.")
    text = str(value if value is not None else "").strip()[:LONGEST]
    if not text or text == NOT_STATED:
        return _nothing(field)
    if field.kind in {"number", "whole"}:
        return _number(field, text, prefs)
    if field.kind == "date":
        return _date(text)
    if field.kind == "yes_no":
        return text == "yes"
    return text


def _nothing(field: Field) -> Any:
    """What an empty control means: not stated, where that is possible."""
    if field.name in {"id", "name"}:
        return ""
    if field.kind == "whole":
        raise InvalidInput("Say how often it reports.")
    return "pending" if field.kind == "life" else None


def _number(field: Field, text: str, prefs: Preferences) -> float | int:
    try:
        number = float(text.replace(",", "."))
    except ValueError:
        raise InvalidInput("This is not a number.") from None
    if field.kind == "whole":
        if not number.is_integer():
            raise InvalidInput("This must be a whole number.")
        return int(number)
    return to_stored(number, field.quantity, prefs) if field.quantity else number


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidInput("Write the date as 2026-03-31.") from None
