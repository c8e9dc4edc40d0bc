"""What changes while the Operations tab is open, as small pieces.

The page is built from the same pieces that a tick replaces, so both always say
the same. A tick sends a piece only when it differs from what the page has, which
the page remembers as a short digest of each.
"""

from __future__ import annotations

import json
import zlib
from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from dash import Patch
from dash.development.base_component import Component

from dashboards import parts, text
from dashboards.figures.gauges import Gauge, limits_sentence, verdict
from dashboards.ids import ident
from data.records import Band, Device
from services.live import MEASURED, LiveValue, LiveView, live_view
from services.units import QUANTITIES, Preferences

TAB = "operations"
DIGEST = 4
Key = tuple[str, str]
"""Id and property of a component."""

SCALES: Mapping[str, Band] = {
    "temperature_c": Band(0.0, 90.0),
    "pressure_bar": Band(0.0, 10.0),
    "flow_lpm": Band(0.0, 25.0),
    "power_w": Band(0.0, 6_000.0),
}
"""Scales of devices that state none, the same for every such device."""

TRENDS: Mapping[str, str] = {
    "up": "\u2197 rising",
    "down": "\u2198 falling",
    "steady": "\u2192 steady",
}
REASONS: Mapping[str, str] = {
    "range": "impossible value",
    "stuck": "sensor stuck",
    "spike": "sudden jump",
    "clock": "clock ahead",
    "fault_code": "sensor fault code",
    "unit_doubt": "unit in doubt",
}
STATUS: Mapping[str, tuple[str, str]] = {
    "heating": ("info", "Heating"),
    "standby": ("good", "Standby"),
    "off": ("paused", "Off"),
    "unknown": ("unknown", "Not known"),
}
LIFE_CYCLES: Mapping[str, str] = {
    "pending": "Waiting for its first reading",
    "inactive": "Taken out of use",
    "removed": "Removed",
}


def gauge_id(metric: str, part: str = "") -> str:
    """The id of a gauge's part."""
    name = metric.rpartition("_")[0]
    return ident(TAB, f"{name}-{part}" if part else name)


def tile_id(name: str, part: str) -> str:
    """The id of a status card's part: ``value`` or ``note``."""
    return ident(TAB, f"{name}-{part}")


def pieces(view: LiveView, prefs: Preferences) -> dict[Key, Any]:
    """Every piece of the page that may change, with what it is now."""
    found = _tiles(view, prefs)
    for metric in MEASURED:
        found |= _gauge(metric, view, prefs)
    return found


def digests(found: Mapping[Key, Any]) -> str:
    """The digests of pieces in their order, ``DIGEST`` characters each."""
    return "".join(_digest(value) for value in found.values())


def changed(found: Mapping[Key, Any], now: str, before: str) -> dict[Key, Any]:
    """The pieces whose digests in ``now`` differ from those the page has."""
    return {
        key: value
        for i, (key, value) in enumerate(found.items())
        if now[i * DIGEST : (i + 1) * DIGEST] != before[i * DIGEST : (i + 1) * DIGEST]
    }


def as_update(key: Key, value: Any) -> Any:
    """A piece as a callback returns it: a gauge's figure as its numbers."""
    if key[1] != "figure":
        return value
    patch = Patch()
    for trace, number in enumerate(value):
        patch["data"][trace]["x"][0] = number
    return patch


def gauge_of(metric: str, view: LiveView) -> Gauge:
    """What the gauge of a metric shows; a flagged value is not shown as one."""
    live = view.values[metric]
    target = view.values["target_temperature_c"].number
    return Gauge(
        metric=metric,
        value=None if live.flagged_at else live.number,
        measured_at=live.ts,
        band=view.device.bands.get(metric) or _scale(metric, view.device),
        target=target if metric == "temperature_c" else None,
        trend=live.trend,
    )


def _scale(metric: str, device: Device) -> Band:
    if metric == "power_w" and device.rated_power_w:
        return Band(0.0, round(device.rated_power_w * 1.2, -2))
    return SCALES[metric]


def _digest(value: Any) -> str:
    plain = value if isinstance(value, str) else json.dumps(value, default=_as_dict)
    return b64encode(zlib.crc32(plain.encode()).to_bytes(4, "big")).decode()[:DIGEST]


def _as_dict(component: Component) -> dict[str, Any]:
    found: dict[str, Any] = component.to_plotly_json()  # type: ignore[no-untyped-call]
    return found


def _tiles(view: LiveView, prefs: Preferences) -> dict[Key, Any]:
    temperature = view.values["temperature_c"]
    target = view.values["target_temperature_c"]
    mode, power = view.values["mode"], view.values["power_w"]
    life = LIFE_CYCLES.get(view.device.life_cycle)
    seen = (
        f"Last reading {text.age(view.last_seen, view.now)}"
        if view.last_seen
        else "No reading yet"
    )
    drawn = (
        "" if power.stale or power.flagged_at else _quantity("power_w", power, prefs)
    )
    shown: dict[str, tuple[Any, str, bool]] = {
        "machine": (parts.connectivity_chip(view.connectivity), life or seen, False),
        "heater": (
            parts.chip(*STATUS[view.status]),
            f"Draws {drawn}" if drawn else "Power not known",
            False,
        ),
        "now": (
            text.NO_DATA
            if temperature.flagged_at
            else _quantity("temperature_c", temperature, prefs) or text.NO_DATA,
            _note(temperature, view, "Measured"),
            temperature.stale,
        ),
        "target": (
            _quantity("target_temperature_c", target, prefs) or text.NO_DATA,
            _note(target, view, "Reported"),
            target.stale,
        ),
        "mode": (mode_words(mode.value), _note(mode, view, "Reported"), mode.stale),
    }
    found: dict[Key, Any] = {}
    for name, (value, note, stale) in shown.items():
        found[tile_id(name, "value"), "children"] = value
        found[tile_id(name, "value"), "className"] = _class("tile-value", stale)
        found[tile_id(name, "note"), "children"] = note
    return found


def mode_words(mode: object) -> str:
    """A mode as people read it."""
    return str(mode).replace("_", " ").capitalize() if mode else text.NO_DATA


def _quantity(metric: str, live: LiveValue, prefs: Preferences) -> str:
    return "" if live.number is None else text.quantity(metric, live.number, prefs)


def _note(live: LiveValue, view: LiveView, word: str) -> str:
    if live.flagged_at:
        return flagged_words(live)
    if live.ts is None:
        return "Not reported"
    age = text.age(live.ts, view.now)
    return f"Stale: {word.lower()} {age}" if live.stale else f"{word} {age}"


def flagged_words(live: LiveValue) -> str:
    """Why the newest value is not shown."""
    why = ", ".join(REASONS.get(reason, reason) for reason in live.reasons)
    return f"Flagged: {why or 'not to be trusted'}"


def _gauge(metric: str, view: LiveView, prefs: Preferences) -> dict[Key, Any]:
    live, gauge = view.values[metric], gauge_of(metric, view)
    found: dict[Key, Any] = {
        (gauge_id(metric), "figure"): _bar(gauge, prefs),
        (gauge_id(metric, "box"), "className"): _class("live-gauge", live.stale),
        (gauge_id(metric, "number"), "children"): _number(gauge, prefs),
        (gauge_id(metric, "trend"), "children"): _trend(gauge.trend),
        (gauge_id(metric, "verdict"), "children"): _verdict(gauge, live),
        (gauge_id(metric, "age"), "children"): _age(metric, live, view, prefs),
    }
    if metric == "temperature_c":
        found[gauge_id(metric, "foot"), "children"] = limits_sentence(gauge, prefs)
    return found


def _bar(gauge: Gauge, prefs: Preferences) -> list[float | None]:
    """The length of the bar from the scale's start, and the target if there is one."""
    low = text.converted(gauge.metric, gauge.band.low, prefs) or 0.0
    high = text.converted(gauge.metric, gauge.band.high, prefs) or 0.0
    value = text.converted(gauge.metric, gauge.value, prefs)
    length = None if value is None else round(min(max(value, low), high) - low, 3)
    if gauge.metric != "temperature_c":
        return [length]
    return [length, text.converted(gauge.metric, gauge.target, prefs)]


def _number(gauge: Gauge, prefs: Preferences) -> str:
    shown = text.converted(gauge.metric, gauge.value, prefs)
    return text.number(shown, QUANTITIES[gauge.metric].decimals)


def _trend(trend: str | None) -> str:
    """Plain text: an icon would cost a tick five times the bytes."""
    return TRENDS.get(trend or "", "")


def _verdict(gauge: Gauge, live: LiveValue) -> Any:
    if live.flagged_at:
        return parts.chip("watch", "Flagged")
    if live.stale:
        return parts.chip("unknown", "Stale")
    return parts.chip(*verdict(gauge.value, gauge.band))


def _age(metric: str, live: LiveValue, view: LiveView, prefs: Preferences) -> str:
    if live.flagged_at:
        last = (
            f"; last good {text.quantity(metric, live.number, prefs)} "
            f"{text.age(live.ts, view.now)}"
            if live.ts
            else ""
        )
        return flagged_words(live) + last
    return text.age(live.ts, view.now) if live.ts else "Not reported"


def _class(base: str, stale: bool) -> str:
    return f"{base} stale" if stale else base


LIVE: tuple[Key, ...] = tuple(
    pieces(
        live_view(
            Device(id="none", name=""), None, None, datetime(2000, 1, 1, tzinfo=UTC)
        ),
        Preferences(),
    )
)
"""The pieces a tick may replace, in their order."""
