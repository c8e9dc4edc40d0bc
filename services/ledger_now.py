"""Hot water there is now, and how long until the target: estimates of one sensor."""

from __future__ import annotations

from dataclasses import dataclass

from data.records import Device

TAP_C = 40.0
WATER_J_PER_L_K = 4_186.0
"""Heat that warms a litre of water by 1 K, J."""
HEATING_LEAST_W = 100.0


@dataclass(frozen=True)
class Told:
    """A number (``about``, ``at most`` or ``at least``), or why there is none."""

    value: float | None
    why: str = ""
    bound: str = "about"


def litres_at_40(capacity_l: float, tank_c: float, inlet_c: float) -> float:
    """Litres of 40 °C that a tank of one temperature gives, mixed with inlet water.

    capacity x (T - inlet) / (40 - inlet); 0 when the tank is below 40 °C, because no
    mixing makes it warmer. ``inlet_c`` is below 40.
    """
    if tank_c < TAP_C:
        return 0.0
    return capacity_l * (tank_c - inlet_c) / (TAP_C - inlet_c)


def minutes_to(
    capacity_l: float, tank_c: float, target_c: float, heat_w: float
) -> float:
    """Minutes that ``heat_w`` needs from ``tank_c`` to ``target_c``, nothing drawn.

    capacity x 4186 J/(L K) x (target - T) / power; 0 at the target or above.
    """
    joules = capacity_l * WATER_J_PER_L_K * max(target_c - tank_c, 0.0)
    return joules / heat_w / 60.0


def usable_litres(device: Device, tank_c: float | None, inlet_c: float | None) -> Told:
    """Usable hot water now, as litres at 40 °C.

    One sensor stands for the whole tank: in a layered tank the water above a low
    sensor is hotter, so that this is the least there is; above a high one it is less.
    """
    if device.type == "tankless":
        return Told(None, "it has no tank")
    if device.capacity_l is None:
        return Told(None, "its capacity is not recorded")
    if tank_c is None:
        return Told(None, "there is no present tank temperature")
    if inlet_c is None:
        return Told(None, "no inlet temperature was measured in the last 24 h")
    if inlet_c >= TAP_C:
        return Told(None, "the measured inlet is 40 °C or warmer")
    return Told(litres_at_40(device.capacity_l, tank_c, inlet_c))


def recovery_minutes(
    device: Device,
    tank_c: float | None,
    target_c: float | None,
    power_w: float | None,
) -> Told:
    """Minutes to the target if heating starts now and nothing is drawn.

    Electric: rated power, all of it into the water. Heat pump: only while its power is
    measured; more heat than that goes in, so it is at most. Gas: at least, likewise.
    """
    if device.type == "tankless":
        return Told(None, "it has no tank")
    if device.capacity_l is None:
        return Told(None, "its capacity is not recorded")
    if tank_c is None or target_c is None:
        return Told(None, "present tank and target temperature are not both known")
    heat_w, bound, why = _heat(device, power_w)
    if heat_w is None:
        return Told(None, why)
    return Told(minutes_to(device.capacity_l, tank_c, target_c, heat_w), "", bound)


def _heat(device: Device, power_w: float | None) -> tuple[float | None, str, str]:
    if device.type == "electric":
        return device.rated_power_w, "about", "its rated power is not recorded"
    if device.type in {"heat_pump", "gas"}:
        if power_w is None or power_w < HEATING_LEAST_W:
            return None, "", "what it puts into the water is only known while it heats"
        return power_w, "at most" if device.type == "heat_pump" else "at least", ""
    return None, "", "its type is not recorded"
