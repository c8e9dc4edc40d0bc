"""The verdict of one window: what happened, how bad it is, in one sentence.

Severity is size × certainty × harm × persistence, by this rule. Size: the rise of the
loss (or fall of the ranking) against the reference's own: from 10 % low, from 15 %
medium, from 30 % high, from 60 % critical. Certainty: under three standard errors it
is not acted on, under five it is at most medium. Harm: from the estimate alone at most
high. Persistence: critical only when one of the three windows before said the same. A
shift of inputs without harm is low and needs no look. A data-quality break is medium,
or high, where its feature matters: its share of rows × the feature's importance over
the largest one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from services.monitoring import words
from services.monitoring.changes import Change
from services.monitoring.evidence import Evidence, Moved

LEVELS: tuple[str, ...] = ("low", "medium", "high", "critical")
HARM = 0.1
STEPS = (0.15, 0.3, 0.6)
CERTAIN, VERY_CERTAIN = 3.0, 5.0
SMALL_P = 0.001
LABEL_MOVED = 0.05
"""Distance of the labels' distribution from which it counts as moved."""
RELIABILITY = 0.03
"""Root mean square error of the chances, beyond chance, that is broken."""
BIAS = 0.15
"""Bias of a regression, in mean absolute errors, that is broken."""
GIVEN_LABEL = 0.05
RATIO_HOLDS = 0.15
SPREAD_HOLDS = 1.15
PREDICTED_MOVED = 0.1
MATTERS = 0.05
"""A feature's share of the loss, and weight, from which it is named harmful."""
MOST_NAMED = 5


@dataclass(frozen=True)
class Verdict:
    """kind: a key of ``VERDICTS``; state: fine, look, cannot_tell or none.

    harmful: features that moved and cost performance, worst first.
    """

    kind: str
    state: str
    severity: str
    sentence: str
    harmful: tuple[str, ...] = ()


def verdict(e: Evidence, before: Sequence[Verdict] = ()) -> Verdict:
    """The verdict of a window.

    Args:
        e: what is known of it.
        before: the verdicts of the windows before, the last one last.
    """
    if e.rows == 0:
        return Verdict("none", "none", "none", "No predictions in this window.")
    if e.breaks:
        return _quality(e, before)
    if e.rows < e.least_rows or e.judged == 0:
        return Verdict("cannot_tell", "cannot_tell", "none", words.few(e))
    if e.told and (found := _relation(e, before)) is not None:
        return found
    harm = _harm(e)
    if harm is not None:
        named = _named(e.moved)
        level = _severity("input_shift", e, harm, before, not e.told)
        said = words.harmful_shift(e, named)
        return Verdict("input_shift", "look", level, said, named)
    return _harmless(e)


def _quality(e: Evidence, before: Sequence[Verdict]) -> Verdict:
    """A break beats every other reading: the numbers behind those are not sound."""
    stake = max(b.share * e.weights.get(b.column, 1.0) for b in e.breaks)
    level = 2 if stake >= 0.5 else 1 if stake >= MATTERS else 0
    harm = _harm(e)
    if harm is not None:
        level = max(level, _level("data_quality", e, harm, before, False))
    elif e.rows < e.least_rows:
        level = min(level, 1)
    named = tuple(b.column for b in e.breaks if e.weights.get(b.column, 1) >= MATTERS)
    said = words.broken(e)
    return Verdict("data_quality", "look", LEVELS[level], said, named[:MOST_NAMED])


def _relation(e: Evidence, before: Sequence[Verdict]) -> Verdict | None:
    """Label shift, broken calibration or concept drift; ``None`` where labels hold."""
    gap = _largest(_relative(e.gap, e.loss), _relative(e.ranking, e.skill))
    unreliable = _unreliable(e)
    if gap is None and not unreliable:
        return None
    if _label_shift(e):
        harm = _relative(e.realised, e.loss) or Change(0.0, 0.0)
        level = _severity("label_shift", e, harm, before, False)
        return Verdict("label_shift", "look", level, words.label_shift(e))
    if _explained(e):
        return None
    if unreliable and _ranking_holds(e):
        level = _calibration_level(e, before)
        return Verdict("calibration", "look", level, words.calibration(e))
    if gap is None:
        return None
    level = _severity("concept_drift", e, gap, before, False)
    named = _named(e.moved) if _harm(e) is not None else ()
    return Verdict("concept_drift", "look", level, words.concept(e), named)


def _explained(e: Evidence) -> bool:
    """Inputs that moved explain at least half of what was lost.

    Chances learnt on the reference are not exact for every kind of row, so that a
    strong shift of inputs leaves a gap of its own.
    """
    told = _relative(e.expected, e.loss)
    if not e.moved or told is None or e.expected.size is None:
        return False
    lost = (e.realised.size or 0.0) >= e.expected.size / 2
    return lost and e.expected.size >= (e.gap.size or 0.0)


def _unreliable(e: Evidence) -> bool:
    least = BIAS if e.kind == "regression" else RELIABILITY
    return e.reliability is not None and (
        e.reliability[1] < SMALL_P and e.reliability[0] >= least
    )


def _label_shift(e: Evidence) -> bool:
    """The labels' mix moved, and scores given the label are what they were."""
    if e.label is None or e.given_label is None:
        return False
    moved = e.label[1] < SMALL_P and e.label[0] >= LABEL_MOVED
    if e.kind == "regression":
        followed = e.predicted is not None and e.predicted[1] < SMALL_P
        holds = e.given_label[1] >= SMALL_P or e.given_label[0] <= RATIO_HOLDS
        return moved and followed and holds
    holds = e.given_label[1] >= SMALL_P or e.given_label[0] <= GIVEN_LABEL
    return moved and holds


def _ranking_holds(e: Evidence) -> bool:
    """Rows are still ranked as well; of numbers, errors spread no wider."""
    if e.kind == "regression":
        still = e.label is None or e.label[1] >= SMALL_P or e.label[0] < LABEL_MOVED
        moved = e.predicted is not None and e.predicted[1] < SMALL_P
        return still and moved and (e.spread or 9.0) <= SPREAD_HOLDS
    fell = [_relative(c, e.skill) for c in (e.ranking, e.from_reference)]
    told = e.ranking.size is not None or e.from_reference.size is not None
    return told and any(one is None for one in fell)


def _calibration_level(e: Evidence, before: Sequence[Verdict]) -> str:
    size = e.reliability[0] if e.reliability else 0.0
    if e.kind == "regression":
        level = sum(size >= step for step in (BIAS, 0.5, 1.5))
    else:
        level = 2 if size >= 0.15 else 1 if size >= 0.05 else 0
    harm = _relative(e.realised, e.loss)
    if harm is not None:
        level = max(level, _level("calibration", e, harm, before, False))
    return LEVELS[min(level, 3)]


def _harm(e: Evidence) -> Change | None:
    """The relative rise of the loss that is certain; ``None`` where it holds.

    The estimate counts unless labels contradict it.
    """
    realised = None if e.early else _relative(e.realised, e.loss)
    if realised is not None:
        return realised
    expected = _relative(e.expected, e.loss)
    if expected is None or e.expected.size is None:
        return None
    return None if _contradicted(e, e.expected.size) else expected


def _contradicted(e: Evidence, told: float) -> bool:
    """Whether labels say, by two standard errors, that less was lost than told."""
    lost = e.realised.size
    if not e.told or lost is None or e.realised.z is None:
        return False
    error = lost / e.realised.z if e.realised.z else 0.0
    return lost + 2 * error < told


def _relative(change: Change, base: float | None) -> Change | None:
    """A change against its base, where it is large and certain enough to act on."""
    if change.size is None or change.z is None or not base or base <= 0:
        return None
    share = change.size / base
    return Change(share, change.z) if share >= HARM and change.z >= CERTAIN else None


def _largest(*changes: Change | None) -> Change | None:
    known = [c for c in changes if c is not None]
    return max(known, key=lambda c: c.size or 0.0, default=None)


def _severity(
    kind: str, e: Evidence, harm: Change, before: Sequence[Verdict], estimated: bool
) -> str:
    return LEVELS[_level(kind, e, harm, before, estimated)]


def _level(
    kind: str, e: Evidence, harm: Change, before: Sequence[Verdict], estimated: bool
) -> int:
    """The place in ``LEVELS``: see the module."""
    size, z = harm.size or 0.0, harm.z or 0.0
    if z < CERTAIN:
        return 0
    level = sum(size >= step for step in STEPS)
    lasting = any(v.kind == kind for v in before[-3:])
    if z < VERY_CERTAIN:
        level = min(level, 1)
    if estimated or not lasting or e.rows < e.least_rows:
        level = min(level, 2)
    return level


def _named(moved: Sequence[Moved]) -> tuple[str, ...]:
    """The features to blame: those whose shift costs most, at least one if any did."""
    costly = [m for m in moved if m.harm is None or m.harm > 0]
    largest = max((m.harm or 0.0 for m in costly), default=0.0)
    found = [
        m.name
        for m in costly
        if m.harm is None or (m.harm >= 0.2 * largest and (m.z or 0.0) >= CERTAIN)
    ]
    return tuple(found or [m.name for m in costly[:1]])[:MOST_NAMED]


def _harmless(e: Evidence) -> Verdict:
    """Nothing that costs performance is known."""
    told = e.reference is not None and (
        e.estimated is not None or (e.value is not None and e.told)
    )
    predicted = e.predicted is not None and (
        e.predicted[1] < SMALL_P and e.predicted[0] >= PREDICTED_MOVED
    )
    if not e.moved and predicted and not e.told:
        said = words.unexplained(e)
        return Verdict("cannot_tell", "cannot_tell", "none", said)
    if not e.moved:
        return Verdict("fine", "fine", "none", words.fine(e))
    if not told:
        named = tuple(m.name for m in e.moved[:MOST_NAMED])
        return Verdict("input_shift", "look", "low", words.untold_shift(e), named)
    return Verdict("input_shift", "fine", "low", words.harmless_shift(e))
