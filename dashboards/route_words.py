"""What a route says, in words."""

from __future__ import annotations

from dashboards.route_form import DAY_NAMES
from data.alert_records import SEVERITIES
from services.notify_spec import RouteSpec

LONGEST = 160


def what(spec: RouteSpec) -> str:
    """What a route is told of, in words."""
    severities = (
        "all severities"
        if spec.severities == SEVERITIES
        else ", ".join(spec.severities)
    )
    words = {"device": "heaters", "model": "models"}
    sources = " and ".join(words[source] for source in spec.sources)
    kinds = [f"{len(spec.device_ids)} named"] if spec.device_ids else []
    kinds += [", ".join(found[:3]) for found in (
        spec.buildings, spec.device_types, spec.model_names, spec.model_tags
    ) if found]  # fmt: skip
    only = f" ({clip('; '.join(kinds))})" if kinds else ""
    return _begun(f"{severities} of {sources}{only}")


def when(spec: RouteSpec) -> str:
    """When a route is told, in words."""
    words = [f"every {spec.digest_minutes} min" if spec.digest_minutes else "at once"]
    if quiet := spec.quiet:
        days = (
            "" if len(quiet.days) == len(DAY_NAMES)
            else f" {', '.join(DAY_NAMES[day] for day in quiet.days)}"
        )  # fmt: skip
        words.append(f"quiet {quiet.start}\u2013{quiet.end}{days} {quiet.zone}")
    if not spec.recovery:
        words.append("not when over")
    return _begun("; ".join(words))


def _begun(words: str) -> str:
    return words[:1].upper() + words[1:]


def clip(words: str) -> str:
    """Words that a table can hold."""
    return words if len(words) <= LONGEST else f"{words[: LONGEST - 1]}\u2026"
