"""What an administrator typed -> a route, or what is wrong with which field."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from dashboards.route_form import FIELDS
from services.errors import InvalidInput
from services.notify_routes import RouteDraft

LISTS = ("device_ids", "buildings", "model_names", "model_tags")
CHECKS = ("severities", "sources", "device_types")
MINUTES = re.compile(r"\d{1,5}")
WORD = re.compile(r"[a-z_]+(\.[a-z]+)?")
LABELS = {field.name: field.label for field in FIELDS}


def read_form(values: Sequence[object], kind: str | None) -> RouteDraft:
    """The route that the form describes.

    Args:
        values: what the controls hold, in the order of ``FIELDS``.
        kind: that of the route being edited, which cannot change.

    Raises:
        InvalidInput: a value cannot be read.
    """
    found = {field.name: value for field, value in zip(FIELDS, values, strict=True)}
    chosen = _list(found["options"])
    spec: dict[str, Any] = {
        "targets": _split(found["targets"], r"[\s,;]+"),
        "digest_minutes": _minutes(found["digest_minutes"]),
        "recovery": "recovery" in chosen,
        "critical_at_once": "critical_at_once" in chosen,
        "quiet": _quiet(found),
        **{name: _split(found[name], r"[,\n]+") for name in LISTS},
        **{name: _list(found[name]) for name in CHECKS},
    }
    return RouteDraft(
        name=_text(found["name"]),
        kind=kind or _text(found["kind"]),
        spec=spec,
        enabled="enabled" in chosen,
    )


def placed(message: str) -> tuple[str | None, list[str | None]]:
    """A message of the service: beside its field, or below the form."""
    word = WORD.match(message)
    name = word.group().replace(".", "_") if word else ""
    name = "quiet_start" if name == "quiet" else name
    if word is None or name not in LABELS:
        return message, [None] * len(FIELDS)
    said = LABELS[name] + message[word.end() :]
    return "Some fields are not right.", [
        said if field.name == name else None for field in FIELDS
    ]


def _quiet(found: dict[str, object]) -> dict[str, object] | None:
    start, end = _text(found["quiet_start"])[:5], _text(found["quiet_end"])[:5]
    if not start and not end:
        return None
    return {
        "start": start, "end": end, "zone": _text(found["quiet_zone"]),
        "days": _list(found["quiet_days"]),
    }  # fmt: skip


def _minutes(value: object) -> int:
    text = _text(value) or "0"
    if not text.isascii() or not MINUTES.fullmatch(text):
        raise InvalidInput("digest_minutes must be a whole number.")
    return int(text)


def _split(value: object, separator: str) -> list[str]:
    return [part for part in re.split(separator, _text(value)) if part.strip()]


def _text(value: object) -> str:
    if value is not None and not isinstance(value, str | int):
        raise InvalidInput("A field does not hold text.")
    return str(value if value is not None else "").strip()


def _list(value: object) -> list[Any]:
    if value is not None and not isinstance(value, list):
        raise InvalidInput("A field does not hold a list.")
    return list(value or ())
