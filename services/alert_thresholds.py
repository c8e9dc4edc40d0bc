"""What another threshold would have done, told from the verdicts people gave."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from data.alert_pattern_store import Verdict
from services.alert_views import number_of

HIGH, LOW = frozenset({">", ">="}), frozenset({"<", "<="})
MOST_CHOICES = 4


@dataclass(frozen=True)
class Raise:
    """A stricter threshold: the noise it would have spared, the useful it would cost.

    An alert counts as spared when even the value that broke the limit most would not
    have broken the new one. More may be spared, never fewer: a value that breaks it
    for a moment may be too short for the rule.
    """

    threshold: float
    now: float
    noise: int
    noise_of: int
    useful: int
    useful_of: int


@dataclass(frozen=True)
class _Seen:
    verdict: str
    operator: str
    threshold: float
    peak: float


def raises_of(verdicts: Sequence[Verdict]) -> tuple[Raise, ...]:
    """Thresholds worth a thought, the mildest first.

    Each is the smallest change that spares one group of noise more. Alerts from
    before the rule's newest operator, and rules with a band, are left out.
    """
    seen = [s for s in map(_seen, verdicts) if s is not None]
    if not seen:
        return ()
    newest = seen[0]  # the verdicts come newest first
    seen = [s for s in seen if s.operator == newest.operator]
    sign = 1 if newest.operator in HIGH else -1
    strict = newest.operator in {">", "<"}
    noise = sorted(sign * s.peak for s in seen if s.verdict == "noise")
    useful = [sign * s.peak for s in seen if s.verdict == "useful"]
    made: list[Raise] = []
    for peak in dict.fromkeys(noise):
        limit = _above(peak, strict=strict)
        if limit <= sign * newest.threshold:
            continue
        made.append(
            Raise(
                threshold=sign * limit + 0.0,  # never minus zero
                now=newest.threshold,
                noise=_spared(noise, limit, strict=strict),
                noise_of=len(noise),
                useful=_spared(useful, limit, strict=strict),
                useful_of=len(useful),
            )
        )
    made = _distinct(made)
    return tuple(made[i] for i in _spread(len(made)))


def _spared(peaks: Sequence[float], limit: float, *, strict: bool) -> int:
    return sum(peak <= limit if strict else peak < limit for peak in peaks)


def _above(peak: float, *, strict: bool) -> float:
    """The smallest number of three significant digits that spares a peak."""
    if peak == 0:
        return 0.0 if strict else 0.001
    step = 10.0 ** (math.floor(math.log10(abs(peak))) - 2)
    count = math.ceil(round(peak / step, 6))
    if not strict and math.isclose(count * step, peak):
        count += 1
    digits = max(-math.floor(math.log10(step)), 0)
    return round(count * step, digits)


def _distinct(made: Sequence[Raise]) -> list[Raise]:
    return list({one.threshold: one for one in made}.values())


def _spread(count: int) -> list[int]:
    """Up to four places of a list, its ends among them."""
    if count <= MOST_CHOICES:
        return list(range(count))
    last = count - 1
    return sorted({round(i * last / (MOST_CHOICES - 1)) for i in range(MOST_CHOICES)})


def _seen(verdict: Verdict) -> _Seen | None:
    kept = verdict.evidence
    operator, threshold = kept.get("operator"), number_of(kept.get("threshold"))
    peak = number_of(kept.get("peak"))
    peak = verdict.value if peak is None else peak
    if operator not in HIGH | LOW or threshold is None or peak is None:
        return None
    return _Seen(verdict.verdict, str(operator), threshold, peak)
