"""What a route says: to whom, of what, when and how; every bad value is named."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from data.alert_records import SEVERITIES, SOURCES
from data.records import DEVICE_TYPES
from services.errors import InvalidInput
from services.notify_quiet import Quiet
from services.units import time_zones

KINDS = ("mail", "webhook")
MOST_ADDRESSES = 50
MOST_VALUES = 200
VALUE_LENGTH = 120
ADDRESS_LENGTH = 254
URL_LENGTH = 2_000
MOST_DIGEST_MINUTES = 1_440
ADDRESS = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@[A-Za-z0-9](-?[A-Za-z0-9])*(\.[A-Za-z0-9](-?[A-Za-z0-9])*)*"
)
TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
QUIET_KEYS = frozenset({"start", "end", "zone", "days"})
ALL_DAYS = tuple(range(7))


@dataclass(frozen=True)
class RouteSpec:
    """The whole of a route.

    An empty filter lets everything through; filters of several kinds must all fit.
    Those of devices do not concern models, and the other way round.
    ``critical_at_once``: neither quiet hours nor the digest hold critical alerts.
    """

    targets: tuple[str, ...]
    sources: tuple[str, ...] = SOURCES
    severities: tuple[str, ...] = SEVERITIES
    device_ids: tuple[str, ...] = ()
    buildings: tuple[str, ...] = ()
    device_types: tuple[str, ...] = ()
    model_names: tuple[str, ...] = ()
    model_tags: tuple[str, ...] = ()
    quiet: Quiet | None = None
    digest_minutes: int = 0
    recovery: bool = True
    critical_at_once: bool = True

    def as_dict(self) -> dict[str, Any]:
        """Plain values, as they are stored."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(self).items()
        } | {"quiet": self.quiet.as_dict() if self.quiet else None}


NAMES = frozenset(field.name for field in fields(RouteSpec))
SALT = "salt"
"""The one key of a stored spec that is no part of what people say or see."""


def parse(kind: str, values: Mapping[str, object]) -> RouteSpec:
    """The spec out of plain values.

    Raises:
        InvalidInput: a value is not possible; the message names its field.
    """
    if kind not in KINDS:
        raise InvalidInput(f"kind must be one of {', '.join(KINDS)}.")
    unknown = sorted(str(name)[:40] for name in values.keys() - NAMES - {SALT})
    if unknown:
        raise InvalidInput(f"{unknown[0]} is no field of a route.")
    return RouteSpec(
        targets=_targets(kind, values.get("targets")),
        sources=_choices("sources", values.get("sources", SOURCES), SOURCES),
        severities=_choices(
            "severities", values.get("severities", SEVERITIES), SEVERITIES
        ),
        device_ids=_texts("device_ids", values.get("device_ids", ())),
        buildings=_texts("buildings", values.get("buildings", ())),
        device_types=_choices(
            "device_types", values.get("device_types", ()), DEVICE_TYPES, empty=True
        ),
        model_names=_texts("model_names", values.get("model_names", ())),
        model_tags=_texts("model_tags", values.get("model_tags", ())),
        quiet=_quiet(values.get("quiet")),
        digest_minutes=_minutes(values.get("digest_minutes", 0)),
        recovery=_yes_no("recovery", values.get("recovery", True)),
        critical_at_once=_yes_no(
            "critical_at_once", values.get("critical_at_once", True)
        ),
    )


def _targets(kind: str, given: object) -> tuple[str, ...]:
    found = _texts("targets", given, most=MOST_ADDRESSES, length=URL_LENGTH)
    if not found:
        wanted = "an address" if kind == "mail" else "an https URL"
        raise InvalidInput(f"targets needs {wanted}.")
    if kind == "webhook":
        if len(found) > 1:
            raise InvalidInput("targets of a webhook is one URL.")
        return found
    for address in found:
        local = address.partition("@")[0]
        fits = len(address) <= ADDRESS_LENGTH and len(local) <= 64
        if not fits or not ADDRESS.fullmatch(address):
            raise InvalidInput(
                f"targets: {_short(address)} is no mail address of plain letters."
            )
    return found


def _texts(
    name: str, given: object, most: int = MOST_VALUES, length: int = VALUE_LENGTH
) -> tuple[str, ...]:
    if given is None:
        return ()
    if not isinstance(given, Sequence) or isinstance(given, str | bytes):
        raise InvalidInput(f"{name} must be a list of texts.")
    if len(given) > most:
        raise InvalidInput(f"{name} has more than {most} values.")
    found: dict[str, None] = {}
    for value in given:
        if not isinstance(value, str):
            raise InvalidInput(f"{name} must be a list of texts.")
        text = value.strip()
        if not text:
            continue
        if len(text) > length:
            raise InvalidInput(f"{name}: a value is longer than {length} characters.")
        if not text.isprintable():
            raise InvalidInput(f"{name}: {_short(text)} has control characters.")
        found[text] = None
    return tuple(found)


def _choices(
    name: str, given: object, allowed: Sequence[str], *, empty: bool = False
) -> tuple[str, ...]:
    found = _texts(name, given)
    for value in found:
        if value not in allowed:
            raise InvalidInput(
                f"{name}: {_short(value)} is none of {', '.join(allowed)}."
            )
    if not found and not empty:
        raise InvalidInput(f"{name} needs at least one of {', '.join(allowed)}.")
    return tuple(value for value in allowed if value in found)


def _quiet(given: object) -> Quiet | None:
    if given is None:
        return None
    if not isinstance(given, Mapping) or given.keys() - QUIET_KEYS:
        raise InvalidInput("quiet must have start, end, zone and days.")
    start, end = (_time(name, given.get(name)) for name in ("start", "end"))
    zone = given.get("zone")
    if zone not in time_zones():
        raise InvalidInput("quiet.zone must be an IANA name, as Europe/Berlin.")
    days = given.get("days", ALL_DAYS)
    whole = isinstance(days, Sequence) and all(type(day) is int for day in days)
    if not whole or not days or not set(days) <= set(ALL_DAYS):
        raise InvalidInput("quiet.days must be days from 0 (Monday) to 6.")
    if start == end and len(set(days)) == len(ALL_DAYS):
        raise InvalidInput("quiet would never end: leave out a day or change a time.")
    return Quiet(start, end, str(zone), tuple(sorted(set(days))))


def _time(name: str, given: object) -> str:
    if not isinstance(given, str) or not TIME.fullmatch(given):
        raise InvalidInput(f"quiet.{name} must be a time as 22:00.")
    return given


def _minutes(given: object) -> int:
    if type(given) is not int or not 0 <= given <= MOST_DIGEST_MINUTES:
        raise InvalidInput(
            f"digest_minutes must be a whole number from 0 to {MOST_DIGEST_MINUTES}."
        )
    return given


def _yes_no(name: str, given: object) -> bool:
    if not isinstance(given, bool):
        raise InvalidInput(f"{name} must be true or false.")
    return given


def _short(text: str) -> str:
    shown = "".join(c if c.isprintable() else "\ufffd" for c in text[:60])
    return repr(shown)
