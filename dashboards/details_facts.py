"""The facts of one heater: who it is and what it is built for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from dash import html
from dash.development.base_component import Component

from dashboards import parts, text
from dashboards.fleet_table import TYPES
from dashboards.live_pieces import mode_words
from data.records import Band, Device
from services.details import DetailsView
from services.units import QUANTITIES, Preferences

NOT_STATED = "not stated"
YEAR_DAYS, MONTH_DAYS = 365.25, 30.44
LIFE_WORDS: Mapping[str, str] = {
    "pending": "Pending: not in use yet",
    "active": "Active: in use",
    "inactive": "Inactive: out of use, readings are refused",
}


def identity_card(view: DetailsView, edit: Any) -> Component:
    """Who and what the heater is; unknown facts say so."""
    device = view.device
    rows = [
        _fact("Name", device.name),
        _fact("Id", html.Code(device.id)),
        _fact("Make", device.manufacturer),
        _fact("Model", device.model),
        _fact("Serial number", device.serial),
        _fact("Firmware", device.firmware),
        _fact("Building", device.building),
        _fact("Floor", device.floor),
        _fact("Room", device.room),
        _fact("Position", _position(device)),
        _fact("Installed", _installed(view)),
        _fact("Warranty", _warranty(view)),
        _fact("Life cycle", LIFE_WORDS.get(device.life_cycle, device.life_cycle)),
        _fact("Data", _source(device)),
    ]
    return parts.card("Identity", parts.facts(*rows), actions=edit)


def technical_card(device: Device, prefs: Preferences) -> Component:
    """What the heater is built for."""
    rows = [
        _fact("Type", TYPES.get(device.type or "")),
        _fact("Capacity", _amount("capacity_l", device.capacity_l, prefs)),
        _fact("Rated power", _amount("rated_power_w", device.rated_power_w, prefs)),
        _fact("Modes", ", ".join(mode_words(mode) for mode in device.modes)),
        _fact("Target can be set", _setpoints(device, prefs)),
        _fact("Mixing valve", _yes_no(device.mixing_valve)),
        _fact("Reports every", text.duration(float(device.reporting_interval_s))),
        *(
            _fact(f"{text.label(metric)} limits", _band(metric, band, prefs))
            for metric, band in device.bands.items()
            if metric in QUANTITIES
        ),
    ]
    if not device.bands:
        rows.append(_fact("Alarm limits", None))
    return parts.card("Technical", parts.facts(*rows))


def _fact(name: str, value: Any) -> Component:
    stated = value is not None and value != ""
    shown = value if stated else html.Span(NOT_STATED, className="not-stated")
    return parts.fact(name, shown)


def _amount(metric: str, value: float | None, prefs: Preferences) -> str | None:
    return None if value is None else text.quantity(metric, value, prefs)


def _position(device: Device) -> str | None:
    if device.latitude is None or device.longitude is None:
        return None
    return f"{device.latitude:.5f}°, {device.longitude:.5f}°"


def _source(device: Device) -> Any:
    return parts.simulated_badge() if device.simulated else "From the device itself"


def _yes_no(value: bool | None) -> str | None:
    return None if value is None else ("Recorded" if value else "None")


def _setpoints(device: Device, prefs: Preferences) -> str | None:
    low, high = device.setpoint_min_c, device.setpoint_max_c
    metric = "target_temperature_c"
    if low is None and high is None:
        return None
    if low is None:
        return f"up to {text.quantity(metric, high, prefs)}"
    if high is None:
        return f"from {text.quantity(metric, low, prefs)}"
    return (
        f"{text.quantity(metric, low, prefs)} to {text.quantity(metric, high, prefs)}"
    )


def _band(metric: str, band: Band, prefs: Preferences) -> str:
    """Normal band and alarm limits in words."""

    def said(value: float | None) -> str:
        return text.quantity(metric, value, prefs)

    words = []
    if band.normal_low is not None and band.normal_high is not None:
        words.append(f"normal {said(band.normal_low)} to {said(band.normal_high)}")
    elif band.normal_low is not None:
        words.append(f"normal from {said(band.normal_low)}")
    elif band.normal_high is not None:
        words.append(f"normal up to {said(band.normal_high)}")
    if band.alarm_low is not None:
        words.append(f"alarm below {said(band.alarm_low)}")
    if band.alarm_high is not None:
        words.append(f"alarm above {said(band.alarm_high)}")
    return "; ".join(words) or NOT_STATED


def day_words(day: date) -> str:
    """A date as people write it: ``23 Nov 2026``."""
    return f"{day.day} {day:%b %Y}"


def days_words(days: int) -> str:
    """A number of days in years and months, or as days when it is short."""
    days = abs(days)
    if days < 2 * MONTH_DAYS:
        return f"{days} day{'' if days == 1 else 's'}"
    years = int(days // YEAR_DAYS)
    months = int(days % YEAR_DAYS // MONTH_DAYS)
    words = [f"{years} year{'' if years == 1 else 's'}"] if years else []
    if months:
        words.append(f"{months} month{'' if months == 1 else 's'}")
    return " ".join(words)


def _installed(view: DetailsView) -> str | None:
    day, days = view.device.installed_on, view.age_days
    if day is None or days is None:
        return None
    when = f"{days_words(days)} ago" if days >= 0 else f"in {days_words(days)}"
    return f"{day_words(day)}, {when}"


def _warranty(view: DetailsView) -> str | None:
    day, days = view.device.warranty_until, view.warranty_days
    if day is None or days is None:
        return None
    left = f"{days_words(days)} left" if days >= 0 else f"ended {days_words(days)} ago"
    return f"until {day_words(day)}, {left}"
