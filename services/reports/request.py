"""What was asked for, from any door, as a query whose times are fixed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from data.report_records import FORMATS
from services import windows
from services.errors import InvalidInput
from services.exports import file_name as safe_name
from services.reports.compose import MOST_DEVICES, MOST_MODELS, TEMPLATES
from services.reports.query import ReportQuery
from services.units import Preferences, time_zones
from services.windows import DAY, DEFAULT_FROM, DEFAULT_TO, Window

MOST_YEARS = 5
MOST_DAYS = MOST_YEARS * 366
LONGEST_TEXT = 200
UNITS = ("temperature_unit", "volume_unit", "pressure_unit")
FIELDS: tuple[str, ...] = (
    "template", "from", "to", "models", "devices", "sections", "time_zone", "units",
    "format",
)  # fmt: skip
MEDIA: Mapping[str, str] = {
    "pdf": "application/pdf",
    "csv": "text/csv; charset=utf-8",
    "zip": "application/zip",
}
"""Format of a report -> media type of its file."""


@dataclass(frozen=True)
class ReportRequest:
    """A request that can be carried out, in the units and the zone asked for."""

    query: ReportQuery
    format: str


def parse(
    raw: Mapping[str, object], now: datetime, preferences: Preferences
) -> ReportRequest:
    """The request a mapping describes.

    Args:
        raw: ``template``, and what else of ``FIELDS`` is wanted; from a program, the
            page, the command line or a schedule.
        now: the present, which ``from`` and ``to`` may name.
        preferences: the caller's units and zone, where the request names none.

    Raises:
        InvalidInput: a field is not known or its value is not possible.
    """
    unknown = sorted(str(name)[:40] for name in raw if name not in FIELDS)
    if unknown:
        raise InvalidInput(
            f"A report knows no {', '.join(unknown[:5])}; it knows {', '.join(FIELDS)}."
        )
    template = _one_of("template", _text(raw, "template"), tuple(TEMPLATES))
    kind = _one_of("format", _text(raw, "format") or "pdf", FORMATS)
    prefs = _preferences(raw, preferences)
    window = _window(_text(raw, "from"), _text(raw, "to"), now, prefs)
    known = tuple(key for key, _title in TEMPLATES[template].sections)
    sections = _texts(raw, "sections", len(known))
    for section in sections:
        _one_of("sections", section, known)
    query = ReportQuery(
        template=template,
        start=window.start,
        end=window.end,
        models=_texts(raw, "models", MOST_MODELS),
        devices=_texts(raw, "devices", MOST_DEVICES),
        sections=sections,
        preferences=prefs,
    )
    return ReportRequest(query, kind)


def stored(query: ReportQuery) -> dict[str, Any]:
    """A query as plain JSON, for the record of the run."""
    return {
        "template": query.template,
        "from": query.start.isoformat(),
        "to": query.end.isoformat(),
        "models": list(query.models),
        "devices": list(query.devices),
        "sections": list(query.sections),
        "preferences": query.preferences.as_dict(),
    }


def restored(values: Mapping[str, Any]) -> ReportQuery:
    """The query of a record that ``stored`` made."""
    return ReportQuery(
        template=values["template"],
        start=datetime.fromisoformat(values["from"]),
        end=datetime.fromisoformat(values["to"]),
        models=tuple(values["models"]),
        devices=tuple(values["devices"]),
        sections=tuple(values["sections"]),
        preferences=Preferences.of(values["preferences"]),
    )


def file_name(query: ReportQuery, kind: str) -> str:
    """``template_from_to.pdf``: local days, the last one as the last that belongs."""
    zone = query.preferences.zone
    first = query.start.astimezone(zone)
    last = max(query.end.astimezone(zone) - windows.DAY / 86_400, first)
    words = (query.template, f"{first:%Y-%m-%d}", f"{last:%Y-%m-%d}")
    return safe_name(*words).removesuffix(".csv") + f".{kind}"


def _window(text_from: str, text_to: str, now: datetime, prefs: Preferences) -> Window:
    texts = (text_from or DEFAULT_FROM, text_to or DEFAULT_TO)
    names = ("from", "to")
    start, end = (
        windows.moment(text, name, now, prefs.zone)
        for text, name in zip(texts, names, strict=True)
    )
    if (end - start) / DAY > MOST_DAYS:
        raise InvalidInput(
            f"The range is {(end - start) / DAY:,.0f} days long; a report has at most "
            f"{MOST_YEARS} years."
        )
    return windows.parse(*texts, now, prefs.zone, MOST_DAYS + 1)


def _preferences(raw: Mapping[str, object], base: Preferences) -> Preferences:
    zone = _text(raw, "time_zone") or base.time_zone
    if zone not in time_zones():
        raise InvalidInput("time_zone must be an IANA name, as Europe/Berlin.")
    units = raw.get("units") or {}
    if not isinstance(units, Mapping) or not set(units) <= set(UNITS):
        raise InvalidInput(f"units has {', '.join(UNITS)}.")
    # The theme is the screen's: a report has no dark paper.
    plain = {**base.as_dict(), **units, "time_zone": zone, "theme": "light"}
    return Preferences.of(plain)


def _text(raw: Mapping[str, object], name: str) -> str:
    value = raw.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > LONGEST_TEXT:
        raise InvalidInput(f"{name} must be a text of at most {LONGEST_TEXT} letters.")
    return value.strip()


def _texts(raw: Mapping[str, object], name: str, most: int) -> tuple[str, ...]:
    value = raw.get(name) or []
    if not isinstance(value, list | tuple):
        raise InvalidInput(f"{name} must be a list of texts.")
    if len(value) > most:
        raise InvalidInput(
            f"{name} has {len(value)} entries; at most {most} are taken."
        )
    for item in value:
        if not isinstance(item, str) or not 0 < len(item) <= LONGEST_TEXT:
            raise InvalidInput(f"{name} must be a list of texts.")
    return tuple(dict.fromkeys(value))


def _one_of(name: str, value: str, known: tuple[str, ...]) -> str:
    if value not in known:
        said = f"{value[:40]!r}" if value else "nothing"
        raise InvalidInput(f"{name} is one of {', '.join(known)}, not {said}.")
    return value
