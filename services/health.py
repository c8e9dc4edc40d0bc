"""The health score of a heater: 100 less the points of what the rules found.

It judges the last 24 hours against the device's own bands. What is missing is
never held against a device: without evidence the verdict is ``cannot tell``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from data.records import Device, Latest
from services.health_checks import HOUR_S, Finding
from services.health_evidence import (
    BUCKET_S,
    COLUMNS,
    METRICS,
    WINDOW,
    Evidence,
    gather,
)
from services.health_rules import RULES, Rule
from services.metrics import Metrics, connectivity
from services.quality import CLOCK_AHEAD
from services.units import QUANTITIES, Preferences, convert, unit

FINE, LOOK, CANNOT_TELL = "fine", "look", "cannot tell"
SEVERITIES = ("critical", "high", "medium", "low")
FULL = 100
EVIDENCE_LEAST_S = HOUR_S
"""Less than an hour of readings cannot show that all is well."""


@dataclass(frozen=True)
class HealthReason:
    """Why a score is not 100.

    ``sentence`` is in stored units; ``template`` has the same words with ``{0}``,
    ``{1}`` ... for ``amounts`` (metric, stored value), for readers of other units.
    A reason of 0 points says why nothing can be told.
    """

    code: str
    points: int
    severity: str
    sentence: str
    template: str = ""
    amounts: tuple[tuple[str, float], ...] = ()

    def told(self, prefs: Preferences) -> str:
        """The sentence in the reader's units."""
        if not self.template:
            return self.sentence
        return _told(self.template, self.amounts, prefs)


@dataclass(frozen=True)
class HealthView:
    """The score with its reasons, worst first; the points sum to 100 - score.

    score is ``None`` when the verdict is ``cannot tell``. ``look`` means that some
    reason is of medium severity or worse.
    """

    score: int | None
    verdict: str
    reasons: tuple[HealthReason, ...]

    @property
    def severity(self) -> str | None:
        """The severity of the worst reason, or ``None``."""
        costly = [r.severity for r in self.reasons if r.points]
        return min(costly, key=SEVERITIES.index) if costly else None


class Health:
    """Judges devices by ``RULES``."""

    def __init__(self, metrics: Metrics, clock: Callable[[], datetime]) -> None:
        self._metrics = metrics
        self._clock = clock

    def of(
        self,
        devices: Collection[Device],
        latest: Mapping[str, Latest] | None = None,
    ) -> dict[str, HealthView]:
        """The health of each device now, from one query for all of them.

        ``latest`` spares looking up what ``Metrics.latest`` has just answered.
        """
        judged = [d for d in devices if d.life_cycle in {"active", "pending"}]
        found = {
            d.id: _unknown("inactive", f"The heater is {d.life_cycle}: not judged.")
            for d in devices
        }
        if judged:
            found |= {e.device.id: judge(e) for e in self._evidence(judged, latest)}
        return found

    def _evidence(
        self, devices: Sequence[Device], latest: Mapping[str, Latest] | None
    ) -> list[Evidence]:
        now = self._clock()
        if latest is None:
            latest = self._metrics.latest([d.id for d in devices])
        # A reading of this very moment, or of a clock a little fast, counts too.
        end = now + CLOCK_AHEAD
        frame = self._metrics.series(
            devices, now - WINDOW, end, BUCKET_S, METRICS, only=COLUMNS
        )
        seen = {d.id: _seen(d, latest.get(d.id), now) for d in devices}
        return gather(devices, frame, latest, seen)


def judge(evidence: Evidence) -> HealthView:
    """The view of one device's evidence."""
    found = [(rule, rule.check(evidence)) for rule in RULES]
    reasons = _capped([(rule, hit) for rule, hit in found if hit is not None])
    missing = _missing(evidence)
    # Silence is no fault of the heater: alone it leaves the rest untold.
    faults = [r for r in reasons if r.code not in {"offline", "late"}]
    if missing is not None and not faults:
        # Points would claim a score: without one there are none.
        silent = [r for r in reasons if r.code in {"offline", "late"}]
        sentences = [missing, *(reason.sentence for reason in silent)]
        return _unknown("no_evidence", " ".join(sentences))
    look = any(r.severity != "low" for r in reasons)
    score = FULL - sum(r.points for r in reasons)
    return HealthView(score, LOOK if look else FINE, reasons)


def _missing(evidence: Evidence) -> str | None:
    """Why the readings are too few to say that all is well, or ``None``."""
    if evidence.latest is None:
        return "The heater has never reported."
    if not evidence.readings:
        return "There is no reading of the last 24 h."
    if not evidence.temperatures:
        return "No reading of the last 24 h has a tank temperature to trust."
    if evidence.covered_s < EVIDENCE_LEAST_S:
        return "There is less than 1 h of readings in the last 24 h."
    return None


def _unknown(code: str, sentence: str) -> HealthView:
    return HealthView(None, CANNOT_TELL, (HealthReason(code, 0, "low", sentence),))


def _capped(found: Sequence[tuple[Rule, Finding]]) -> tuple[HealthReason, ...]:
    """Reasons, worst first, whose points never sum to more than 100."""
    order = sorted(
        found, key=lambda pair: (SEVERITIES.index(pair[0].severity), -_points(*pair))
    )
    left, reasons = FULL, []
    for rule, hit in order:
        points = min(_points(rule, hit), left)
        left -= points
        reasons.append(
            HealthReason(
                code=rule.code,
                points=points,
                severity=rule.severity,
                sentence=_told(hit.template, hit.amounts, Preferences()),
                template=hit.template,
                amounts=hit.amounts,
            )
        )
    return tuple(reasons)


def _points(rule: Rule, hit: Finding) -> int:
    return rule.points(hit)


def _seen(
    device: Device, latest: Latest | None, now: datetime
) -> tuple[str, float | None]:
    last = latest.ts if latest else None
    age_s = (now - last).total_seconds() if last else None
    return connectivity(last, device.reporting_interval_s, now), age_s


def _told(
    template: str, amounts: Sequence[tuple[str, float]], prefs: Preferences
) -> str:
    return template.format(*(_written(m, v, prefs) for m, v in amounts))


def _written(metric: str, value: float, prefs: Preferences) -> str:
    what = QUANTITIES[metric]
    number = f"{convert(value, what.kind, prefs):.{what.decimals}f}"
    return f"{number} {unit(what.kind, prefs)}"
