"""Windows whose labels have not come: what the last labelled ones said goes on.

Without labels nothing but an estimate is known of a window, and an estimate holds only
while labels follow the inputs as in the reference. It cannot clear a concept drift.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from statistics import median

from data.judgement_store import JudgedWindow
from services.monitoring import words
from services.monitoring.evidence import FEW_LABELS, Evidence
from services.monitoring.verdict import LEVELS, Verdict

RELATIONS = frozenset({"concept_drift", "calibration"})
"""What only labels can find, and only labels can clear."""
UNTOLD = frozenset({"none", "cannot_tell", "data_quality"})
"""Verdicts that say nothing of labels against inputs."""
COME = 0.5
"""Labels have come at this share of the coverage that is usual: the first ones are no
random sample."""
USUAL_OF = 8
"""The usual coverage is the median of so many labelled windows before."""
PATIENCE, SPARE = 2, 2
"""Labels are waited for twice the usual delay; what they said goes on two windows
longer."""


@dataclass(frozen=True)
class Known:
    """A window with its labels, and what they said.

    estimated: of the metric, ``None`` where it is not known any more.
    """

    start: datetime
    end: datetime
    verdict: Verdict
    metric: str
    value: float | None
    estimated: float | None
    coverage: float


class LateLabels:
    """Follows the windows of a model, oldest first.

    Args:
        now: the time.
        delay: the usual age of a label when it comes; asked where it matters.
        before: judged windows before the first one that is followed, oldest first.
    """

    def __init__(
        self,
        now: datetime,
        delay: Callable[[], timedelta],
        before: Sequence[JudgedWindow] = (),
    ) -> None:
        self._now = now
        self._ask = delay
        self._usual: list[float] = []
        self._last: Known | None = None
        for one in before:
            share = one.coverage or 0.0
            labelled = one.rows * share >= FEW_LABELS
            if labelled and not self._early(share, one.end):
                self.learn(_known(one, share))

    def marked(self, e: Evidence, end: datetime) -> Evidence:
        """The evidence, marked where most of its labels are still to come."""
        return replace(e, early=self._early(e.coverage, end))

    def learn(self, known: Known) -> None:
        """Take note of a window whose labels have come."""
        self._usual = [*self._usual, known.coverage][-USUAL_OF:]
        if known.verdict.kind not in UNTOLD:
            self._last = known

    def carried(self, e: Evidence, said: Verdict, start: datetime) -> Verdict:
        """The verdict of a window without its labels.

        Args:
            e: the window.
            said: its verdict by all else.
            start: of the window.
        """
        last = self._last
        if e.told or last is None or last.verdict.kind not in RELATIONS:
            return said
        if said.kind in {"none", "data_quality"} or _worse(said, last.verdict):
            return said
        known = words.last_labelled(e, last)
        spare = SPARE * (last.end - last.start)
        if start > last.end + PATIENCE * self._delay + spare:
            told = f"Cannot tell: {known}"
            return Verdict("cannot_tell", "cannot_tell", "none", told)
        told = f"{known[0].upper()}{known[1:]}"
        was = last.verdict
        return Verdict(was.kind, "look", was.severity, told, was.harmful)

    def _early(self, coverage: float, end: datetime) -> bool:
        """Whether most labels of a window are still to come."""
        if not self._usual or coverage >= COME * median(self._usual):
            return False
        return self._now < end + PATIENCE * self._delay

    @cached_property
    def _delay(self) -> timedelta:
        return self._ask()


def _known(judged: JudgedWindow, coverage: float) -> Known:
    said = Verdict(
        judged.kind,
        judged.state,
        judged.severity,
        judged.sentence,
        tuple(judged.harmful),
    )
    start, end, metric = judged.start, judged.end, judged.metric or ""
    return Known(start, end, said, metric, judged.value, None, coverage)


def _worse(said: Verdict, known: Verdict) -> bool:
    """Whether a window needs a look of its own, and no less urgently."""
    levels = ("none", *LEVELS)
    urgent = levels.index(said.severity) >= levels.index(known.severity)
    return said.state == "look" and urgent
