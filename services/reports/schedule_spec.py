"""What a schedule says, checked: what report, when, in which formats, for whom."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from data.report_records import FORMATS
from services.access import Principal, requires
from services.errors import InvalidInput
from services.reports import cron, mailing, request
from services.reports.compose import TEMPLATES
from services.units import Preferences
from services.windows import DEFAULT_FROM, DEFAULT_TO

LONGEST_NAME = 120
FIELDS: tuple[str, ...] = (
    "name", "enabled", "cron", "formats", "recipients",
    *(name for name in request.FIELDS if name != "format"),
)  # fmt: skip


def checked(
    caller: Principal, raw: Mapping[str, object], now: datetime, prefs: Preferences
) -> tuple[str, bool, dict[str, Any]]:
    """Name, whether it is on, and the spec as it is stored.

    Raises:
        InvalidInput: a field is not known or its value is not possible.
        Forbidden: the caller may not make this template.
    """
    unknown = sorted(str(field)[:40] for field in raw if field not in FIELDS)
    if unknown:
        raise InvalidInput(
            f"A schedule knows no {', '.join(unknown[:5])}; it knows "
            f"{', '.join(FIELDS)}."
        )
    name, enabled = raw.get("name"), raw.get("enabled", True)
    if not isinstance(name, str) or not 0 < len(name.strip()) <= LONGEST_NAME:
        raise InvalidInput(f"name must be a text of 1 to {LONGEST_NAME} letters.")
    if not name.isprintable() or not isinstance(enabled, bool):
        raise InvalidInput("name must be printable, enabled true or false.")
    wanted = {k: raw[k] for k in request.FIELDS if k in raw}
    for bound in ("from", "to"):
        if not str(wanted.get(bound) or "now").startswith("now"):
            raise InvalidInput(f"{bound} of a schedule begins with now, as now-1w/w.")
    asked = request.parse(wanted, now, prefs)
    for permission in TEMPLATES[asked.query.template].permissions:
        requires(caller, permission)
    zone = asked.query.preferences.time_zone
    spec = {
        **{k: v for k, v in request.stored(asked.query).items() if k != "preferences"},
        "from": wanted.get("from") or DEFAULT_FROM,
        "to": wanted.get("to") or DEFAULT_TO,
        "units": {u: asked.query.preferences.as_dict()[u] for u in request.UNITS},
        "time_zone": zone,
        "cron": cron.checked(str(raw.get("cron") or ""), zone),
        "formats": formats(raw.get("formats") or ["pdf"]),
        "recipients": list(mailing.recipients(_listed(raw, "recipients"))),
    }
    return name.strip(), enabled, spec


def formats(found: object) -> list[str]:
    """The formats of a schedule, each once.

    Raises:
        InvalidInput: one of them does not exist.
    """
    if not isinstance(found, list | tuple) or any(
        kind not in FORMATS for kind in found
    ):
        raise InvalidInput(f"formats is a list of {', '.join(FORMATS)}.")
    return [kind for kind in FORMATS if kind in found]


def _listed(raw: Mapping[str, object], name: str) -> list[object]:
    found = raw.get(name) or []
    if not isinstance(found, list | tuple):
        raise InvalidInput(f"{name} must be a list.")
    return list(found)
