"""Numbers, units and times as the reader sees them, on screens and in reports.

The only place where stored units become the reader's units and UTC becomes local
time, in words.
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from services.units import QUANTITIES, Preferences, convert, unit

NO_DATA = "–"
"""Written where there is no value; never a zero, never a blank."""

NO_BREAK = "\u00a0"
"""Between a number and its unit, which stay on one line."""

_UNITS = ((172_800, 86_400, "d"), (7_200, 3_600, "h"), (60, 60, "min"))
"""From how many seconds on, seconds of the unit, its name."""

_MINUS = "\N{MINUS SIGN}"


def number(value: float | None, decimals: int = 1, *, sign: bool = False) -> str:
    """A number with thin groups of thousands; ``NO_DATA`` when there is none."""
    if value is None or not math.isfinite(value):
        return NO_DATA
    text = f"{value:{'+' if sign else ''},.{decimals}f}".replace(",", "\u202f")
    if float(f"{value:.{decimals}f}") == 0:
        text = text.lstrip("+-")
    return text.replace("-", _MINUS)


def share(value: float | None, decimals: int = 0) -> str:
    """A share from 0 to 1 as per cent."""
    text = number(None if value is None else value * 100, decimals)
    return text if text == NO_DATA else f"{text}{NO_BREAK}%"


def converted(metric: str, value: float | None, prefs: Preferences) -> float | None:
    """A stored value in the reader's unit, rounded as it is written."""
    if value is None or not math.isfinite(value):
        return None
    what = QUANTITIES[metric]
    return round(convert(value, what.kind, prefs), what.decimals)


def unit_of(metric: str, prefs: Preferences) -> str:
    """The unit a metric is written in."""
    return unit(QUANTITIES[metric].kind, prefs)


def quantity(metric: str, value: float | None, prefs: Preferences) -> str:
    """A stored value with its unit in the reader's units: ``58.5 °C``."""
    what = QUANTITIES[metric]
    if value is None or not math.isfinite(value):
        return NO_DATA
    text = number(convert(value, what.kind, prefs), what.decimals)
    return f"{text}{NO_BREAK}{unit(what.kind, prefs)}"


def label(metric: str) -> str:
    """The name of a metric as people read it."""
    return QUANTITIES[metric].label


def titled(metric: str, prefs: Preferences) -> str:
    """The name of a metric with its unit, for axes and columns."""
    return f"{label(metric)} ({unit_of(metric, prefs)})"


def local_time(
    moment: datetime | None, prefs: Preferences, *, seconds: bool = False
) -> str:
    """An aware time in the reader's zone, with its name: ``23 Nov 2026, 14:05 CET``."""
    if moment is None:
        return NO_DATA
    local = moment.astimezone(prefs.zone)
    clock = local.strftime("%H:%M:%S" if seconds else "%H:%M")
    return f"{local.day} {local:%b %Y}, {clock} {local.tzname()}"


def local_date(moment: datetime | None, prefs: Preferences) -> str:
    """An aware time as a date in the reader's zone: ``23 Nov 2026``."""
    if moment is None:
        return NO_DATA
    local = moment.astimezone(prefs.zone)
    return f"{local.day} {local:%b %Y}"


def duration(span: timedelta | float) -> str:
    """A span of time or seconds in its two largest units: ``1 h 12 min``."""
    seconds = span.total_seconds() if isinstance(span, timedelta) else span
    left = round(abs(seconds))
    words = []
    for size, name in ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")):
        count, left = divmod(left, size)
        if count:
            words.append(f"{count} {name}")
        elif words:
            break
    return " ".join(words[:2]) or "0 s"


def age(moment: datetime | None, now: datetime) -> str:
    """How old something is: ``just now``, ``3 min ago``, ``never``."""
    if moment is None:
        return "never"
    seconds = (now - moment).total_seconds()
    if seconds < -60:
        return f"in {_largest(-seconds)}"
    if seconds < 10:
        return "just now"
    return f"{_largest(seconds)} ago"


def _largest(seconds: float) -> str:
    for least, size, name in _UNITS:
        if seconds >= least:
            return f"{int(seconds // size)} {name}"
    return f"{int(seconds)} s"
