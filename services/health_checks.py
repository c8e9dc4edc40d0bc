"""What the rules of the health score look for, one function each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from services.health_evidence import SCALD_C, Breach, Evidence

HOUR_S = 3_600.0
KEPT_LEAST: Final = 0.9
KEPT_POOR: Final = 0.7
JUDGED_LEAST_S = HOUR_S
FLAGGED_LEAST: Final = 0.02
GROWTH_C: Final = 50.0
"""Legionella multiply below this; EN 806-2 and HSE L8 ask for hotter water."""
COVERED_LEAST_S = 20 * HOUR_S
HEATED_LEAST_S = 600.0
POWER_TOLERANCE: Final = 0.15
UNKNOWN_VOLTAGE_TOLERANCE: Final = 0.25
"""A mains voltage 12 % off moves the power of a resistance by 25 %."""
NO_ERROR = frozenset({"", "0", "ok", "none", "no_error"})


@dataclass(frozen=True)
class Finding:
    """What a rule found.

    weight: how bad between the rule's least (0) and most points (1).
    template: a sentence in which ``{0}``, ``{1}`` ... stand for ``amounts``, each
        a metric and a stored value, so that every reader sees it in their units.
    """

    template: str
    weight: float = 0.0
    amounts: tuple[tuple[str, float], ...] = ()


def offline(evidence: Evidence) -> Finding | None:
    """The device has been silent for long."""
    if evidence.connectivity != "offline" or evidence.age_s is None:
        return None
    return Finding(
        f"Offline: the last reading is {_span(evidence.age_s)} old; "
        f"one is due every {_span(evidence.device.reporting_interval_s)}."
    )


def late(evidence: Evidence) -> Finding | None:
    """The device has missed a few readings."""
    if evidence.connectivity != "late" or evidence.age_s is None:
        return None
    return Finding(
        f"Late: the last reading is {_span(evidence.age_s)} old; "
        f"one is due every {_span(evidence.device.reporting_interval_s)}."
    )


def error_code(evidence: Evidence) -> Finding | None:
    """A code counts while the newest reading carries it."""
    latest = evidence.latest
    code = latest.values.get("error_code") if latest else None
    if latest is None or code is None or code.ts < latest.ts:
        return None
    if str(code.value).strip().lower() in NO_ERROR:
        return None
    shown = str(code.value).replace("{", "(").replace("}", ")")
    return Finding(f"The heater reports the error code {shown}.")


def _kept(evidence: Evidence) -> tuple[float, str] | None:
    if evidence.kept is None or evidence.judged_s < JUDGED_LEAST_S:
        return None
    sentence = (
        f"The tank was within 5 K of its target for {evidence.kept:.0%} of "
        f"{_span(evidence.judged_s)}."
    )
    return evidence.kept, sentence


def kept_poor(evidence: Evidence) -> Finding | None:
    """The tank is often far colder than its target."""
    kept = _kept(evidence)
    if kept is None or kept[0] >= KEPT_POOR:
        return None
    return Finding(kept[1], (KEPT_POOR - kept[0]) / KEPT_POOR)


def kept_partly(evidence: Evidence) -> Finding | None:
    """The tank is at times far colder than its target."""
    kept = _kept(evidence)
    if kept is None or not KEPT_POOR <= kept[0] < KEPT_LEAST:
        return None
    return Finding(kept[1], (KEPT_LEAST - kept[0]) / (KEPT_LEAST - KEPT_POOR))


def flagged(evidence: Evidence) -> Finding | None:
    """Too many values are not to be trusted."""
    if not evidence.readings:
        return None
    share = evidence.flagged / evidence.readings
    if share < FLAGGED_LEAST:
        return None
    return Finding(
        f"{evidence.flagged} of {evidence.readings} readings "
        f"({share:.0%}) hold a value that is not to be trusted.",
        share,
    )


def legionella(evidence: Evidence) -> Finding | None:
    """Only with nearly a full day of readings, and only for a tank in use."""
    in_use = evidence.heating_s > 0 or evidence.mode_known
    if (
        evidence.hottest_c is None
        or evidence.hottest_c >= GROWTH_C
        or evidence.covered_s < COVERED_LEAST_S
        or evidence.ever_off
        or not in_use
        or evidence.device.type == "tankless"
    ):
        return None
    return Finding(
        "The tank has not reached {0} for a day (highest {1}): Legionella can grow.",
        0.0,
        (("temperature_c", GROWTH_C), ("temperature_c", evidence.hottest_c)),
    )


def scald(evidence: Evidence) -> Finding | None:
    """Water hot enough to scald goes unmixed to the tap."""
    if evidence.device.mixing_valve is not False or not evidence.hot_hours:
        return None
    return Finding(
        f"The tank was above {{0}} for {evidence.hot_hours} h and no mixing valve "
        "is fitted: the tap can scald.",
        0.0,
        (("temperature_c", SCALD_C),),
    )


def heating_power(evidence: Evidence) -> tuple[float, float, bool] | None:
    """Power while heating over rated power, its tolerance, whether normalised.

    The power of a resistance grows with the square of the voltage, so it is
    compared at the nominal voltage, the middle of the device's normal band.
    ``None`` for anything but a resistance heater, or when too little is known.
    """
    device = evidence.device
    if (
        device.type != "electric"
        or not device.rated_power_w
        or evidence.heating_w is None
        or evidence.heating_measured_s < HEATED_LEAST_S
    ):
        return None
    ratio = evidence.heating_w / device.rated_power_w
    band = device.bands.get("voltage_v")
    stated = band and band.normal_low is not None and band.normal_high is not None
    if not stated or not evidence.heating_v:
        return ratio, UNKNOWN_VOLTAGE_TOLERANCE, False
    nominal_v = (band.normal_low + band.normal_high) / 2  # type: ignore[union-attr,operator]
    return ratio * (nominal_v / evidence.heating_v) ** 2, POWER_TOLERANCE, True


def _power_sentence(evidence: Evidence, ratio: float, *, normalised: bool) -> Finding:
    rated_w = evidence.device.rated_power_w or 0.0
    at = " at nominal voltage" if normalised else ""
    return Finding(
        f"While heating it draws {{0}}{at}, {ratio:.0%} of its rated {{1}}.",
        1.0 - ratio,
        (("power_w", ratio * rated_w), ("rated_power_w", rated_w)),
    )


def weak(evidence: Evidence) -> Finding | None:
    """A resistance heater draws too little power."""
    found = heating_power(evidence)
    if found is None or found[0] >= 1 - found[1]:
        return None
    return _power_sentence(evidence, found[0], normalised=found[2])


def strong(evidence: Evidence) -> Finding | None:
    """A resistance heater draws too much power."""
    found = heating_power(evidence)
    if found is None or found[0] <= 1 + found[1]:
        return None
    return _power_sentence(evidence, found[0], normalised=found[2])


def band_check(metric: str, limit: str) -> Callable[[Evidence], Finding | None]:
    """The check of one limit of a device's band; ``limit`` is a field of ``Band``."""
    side = "above" if limit.endswith("high") else "below"
    kind = "alarm limit" if limit.startswith("alarm") else "normal band"
    extreme = "highest" if side == "above" else "lowest"
    name = BAND_NAMES[metric]

    def check(evidence: Evidence) -> Finding | None:
        found = evidence.breaches.get((metric, limit))
        if found is None or _covered(evidence, metric, limit):
            return None
        return Finding(
            f"{name} was {side} the {kind} of {{0}} in {_hours(found)} "
            f"({extreme} {{1}}).",
            0.0,
            ((metric, found.limit), (metric, found.worst)),
        )

    return check


def _covered(evidence: Evidence, metric: str, limit: str) -> bool:
    """Beyond the alarm limit is outside the normal band too: told once."""
    alarm = limit.replace("normal", "alarm")
    return alarm != limit and (metric, alarm) in evidence.breaches


def _hours(breach: Breach) -> str:
    return "1 hour" if breach.hours == 1 else f"{breach.hours} different hours"


def _span(seconds: float) -> str:
    """A span of time in its largest unit."""
    for size, name in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{int(seconds // size)} {name}"
    return f"{int(seconds)} s"


BAND_NAMES = {
    "temperature_c": "Tank temperature",
    "outlet_temperature_c": "Outlet temperature",
    "pressure_bar": "Pressure",
    "flow_lpm": "Flow",
    "power_w": "Power",
    "voltage_v": "Voltage",
}
