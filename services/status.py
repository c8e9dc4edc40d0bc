"""Whether a heater heats now: one definition for every tab and endpoint."""

from __future__ import annotations

from datetime import timedelta

from data.partials import HEATING_POWER_W
from data.records import Latest
from services.metrics import gap_s

HEATING, STANDBY, OFF, UNKNOWN = "heating", "standby", "off", "unknown"


def heating_status(
    latest: Latest | None, connectivity: str, reporting_interval_s: int
) -> str:
    """``heating``, ``standby``, ``off`` (mode off, not heating) or ``unknown``.

    A device that does not say whether it heats is judged by its power, as the
    totals are. Values older than a gap before the newest reading, and everything
    of a silent device, say nothing about now.
    """
    if latest is None or connectivity in {"offline", "never"}:
        return UNKNOWN
    since = latest.ts - timedelta(seconds=gap_s(reporting_interval_s))
    fresh = {name: v.value for name, v in latest.values.items() if v.ts >= since}
    heats = fresh.get("heating")
    if heats is None and "power_w" in fresh:
        heats = float(fresh["power_w"]) >= HEATING_POWER_W
    if heats:
        return HEATING
    if fresh.get("mode") == "off":
        return OFF
    return UNKNOWN if heats is None else STANDBY
