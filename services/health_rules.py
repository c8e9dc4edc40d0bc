"""The rules of the health score: each takes points off 100 and says why.

``docs/metrics.md`` carries the table of these rules, made by ``table``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from services import health_checks as checks
from services.health_checks import BAND_NAMES, Finding
from services.health_evidence import Evidence


@dataclass(frozen=True)
class Rule:
    """One row of the table of rules; ``when`` says it in words."""

    code: str
    severity: str
    least: int
    most: int
    when: str
    check: Callable[[Evidence], Finding | None] = field(repr=False)

    def points(self, finding: Finding) -> int:
        """The points that a finding costs."""
        share = min(max(finding.weight, 0.0), 1.0)
        return self.least + round(share * (self.most - self.least))


_BAND_RULES: tuple[tuple[str, str, str, int], ...] = (
    ("temperature_c", "alarm_high", "critical", 50),
    ("outlet_temperature_c", "alarm_high", "critical", 50),
    ("pressure_bar", "alarm_high", "critical", 45),
    ("pressure_bar", "alarm_low", "high", 25),
    ("temperature_c", "alarm_low", "high", 20),
    ("power_w", "alarm_high", "high", 25),
    ("flow_lpm", "alarm_high", "medium", 15),
    ("voltage_v", "alarm_high", "medium", 15),
    ("voltage_v", "alarm_low", "medium", 15),
    ("pressure_bar", "normal_high", "medium", 10),
    ("pressure_bar", "normal_low", "medium", 10),
    ("temperature_c", "normal_high", "medium", 10),
    ("power_w", "normal_high", "low", 5),
    ("voltage_v", "normal_high", "low", 5),
    ("voltage_v", "normal_low", "low", 5),
)


def _band_rule(metric: str, limit: str, severity: str, points: int) -> Rule:
    side = "above" if limit.endswith("high") else "below"
    kind, what = (
        ("alarm limit", "A good reading")
        if limit.startswith("alarm")
        else ("normal band", "The mean of an hour")
    )
    when = f"{what} of {BAND_NAMES[metric].lower()} {side} the device's {kind}"
    if (metric, side) == ("temperature_c", "below"):
        when += ", hours in mode off left out"
    return Rule(
        f"{metric.rpartition('_')[0]}_{limit}",
        severity,
        points,
        points,
        when,
        checks.band_check(metric, limit),
    )


RULES: tuple[Rule, ...] = (
    *(_band_rule(*row) for row in _BAND_RULES),
    Rule("error_code", "high", 30, 30, "The newest reading carries an error code",
         checks.error_code),
    Rule("offline", "high", 30, 30,
         "No reading for 10 reporting intervals (at least 10 min)", checks.offline),
    Rule("late", "low", 5, 5,
         "No reading for 3 reporting intervals (at least 3 min)", checks.late),
    Rule("not_kept", "high", 20, 40,
         "Tank within 5 K of target (or hotter) for less than 70 % of the judged "
         "time, growing down to 0 %", checks.kept_poor),
    Rule("partly_kept", "low", 2, 10,
         "Tank within 5 K of target (or hotter) for 70 % to 90 % of the judged "
         "time", checks.kept_partly),
    Rule("weak_heating", "high", 15, 40,
         "A resistance heater draws under 85 % of its rated power while heating, at "
         "nominal voltage (under 75 % when the voltage is not known)", checks.weak),
    Rule("strong_heating", "medium", 15, 15,
         "A resistance heater draws over 115 % of its rated power while heating, at "
         "nominal voltage (over 125 % when the voltage is not known)", checks.strong),
    Rule("scald", "medium", 15, 15,
         "The mean of an hour above 60 °C on a device recorded as having no mixing "
         "valve", checks.scald),
    Rule("legionella", "medium", 10, 10,
         "No reading reached 50 °C, with 20 h of readings, never in mode off, on a "
         "device with a tank", checks.legionella),
    Rule("flagged", "medium", 5, 25,
         "At least 2 % of the readings hold a flagged value", checks.flagged),
)  # fmt: skip
"""The whole score, see ``services.health``."""


def table() -> str:
    """The rules as a table for the documentation."""
    lines = ["| rule | points | severity | when |", "|---|---|---|---|"]
    for rule in RULES:
        points = (
            f"{rule.least}"
            if rule.least == rule.most
            else (f"{rule.least} to {rule.most}")
        )
        lines.append(f"| `{rule.code}` | {points} | {rule.severity} | {rule.when} |")
    return "\n".join(lines) + "\n"
