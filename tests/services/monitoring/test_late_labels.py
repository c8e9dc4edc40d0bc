"""Windows whose labels have not come: nothing but labels clears a concept drift."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from data.judgement_store import JudgedWindow
from services.monitoring.changes import Change
from services.monitoring.evidence import Evidence, Moved
from services.monitoring.late_labels import LateLabels
from services.monitoring.quality import Break
from services.monitoring.verdicts import WindowVerdict, concluded
from tests.services.monitoring.test_verdict import CALM, fell

MONDAY = datetime(2026, 10, 5, tzinfo=UTC)
WEEK = timedelta(days=7)
DELAY = timedelta(days=21)
WORSE = Change(0.17, 9.0)
DRIFTED = replace(
    CALM, value=0.64, estimated=0.81, realised=WORSE, gap=WORSE, ranking=WORSE,
    from_reference=WORSE, given_label=(0.3, 0.0), reliability=(0.2, 0.0),
)  # fmt: skip
UNTOLD = Change()
BARE = replace(
    CALM, labelled=0, coverage=0.0, value=None, estimated=0.81, realised=UNTOLD,
    gap=UNTOLD, ranking=UNTOLD, from_reference=UNTOLD, label=None, reliability=None,
    given_label=None,
)  # fmt: skip
FIRST = replace(DRIFTED, labelled=60, coverage=0.06)


def judged(
    evidence: Sequence[Evidence],
    before: Sequence[JudgedWindow] = (),
    later: timedelta = timedelta(0),
) -> tuple[WindowVerdict, ...]:
    """The verdicts of weeks, the last of which ends ``later`` before now."""
    edges = [MONDAY + n * WEEK for n in range(len(evidence) + 1)]
    late = LateLabels(edges[-1] + later, lambda: DELAY, before)
    return concluded(evidence, edges, late)[1]


def test_a_week_without_labels_carries_the_concept_drift_on() -> None:
    """An estimate that holds does not clear it; the sentence says what it rests on."""
    found = judged([CALM, DRIFTED, BARE, BARE])

    assert [v.kind for v in found] == ["fine", *["concept_drift"] * 3]
    assert [v.state for v in found[1:]] == ["look"] * 3
    assert found[2].severity == found[1].severity == "high"
    assert found[3].sentence == (
        "No labels yet; the last labelled week, 12 Oct, was concept drift: "
        "accuracy 0.640 against 0.810 estimated."
    )


def test_the_first_few_labels_are_not_judged() -> None:
    """Early labels are no random sample: 60 of 1,000 neither clear nor accuse."""
    calm = judged([CALM, CALM, FIRST])
    drifted = judged([CALM, DRIFTED, replace(FIRST, gap=UNTOLD, ranking=UNTOLD)])

    assert (calm[-1].kind, calm[-1].value) == ("fine", 0.81)
    assert "60 of 1\u202f000 labels have come" in calm[-1].sentence
    assert drifted[-1].kind == "concept_drift"
    assert drifted[-1].sentence.startswith("60 of 1\u202f000 labels so far; the last")


def test_a_model_that_usually_has_few_labels_is_judged_by_them() -> None:
    """What counts is the usual coverage, not a fixed one."""
    seldom = replace(CALM, labelled=60, coverage=0.06)

    assert judged([seldom, seldom, FIRST])[-1].kind == "concept_drift"


def test_labels_that_stay_few_are_judged_in_the_end() -> None:
    """After twice the usual delay no more labels are waited for."""
    waited = 2 * DELAY

    assert judged([CALM, FIRST], later=waited - WEEK)[-1].kind == "fine"
    assert judged([CALM, FIRST], later=waited)[-1].kind == "concept_drift"


def test_labels_clear_what_labels_found() -> None:
    """A labelled calm week ends the drift, for it and the weeks after it."""
    found = judged([DRIFTED, BARE, CALM, BARE])

    assert [v.state for v in found] == ["look", "look", "fine", "fine"]


def test_labels_that_never_come_leave_it_untold() -> None:
    """Long after the usual delay it cannot be told, and is never fine."""
    found = judged([DRIFTED, *[BARE] * 12])

    assert [v.state for v in found[1:]] == ["look"] * 9 + ["cannot_tell"] * 3
    assert found[-1].sentence.startswith("Cannot tell: no labels yet; the last")


def test_what_is_seen_without_labels_and_no_less_urgent_stays() -> None:
    """A data-quality break keeps its own verdict, a small window does not hide."""
    broken = Break("age", "missing", 0.4, "40% missing values")
    lost = replace(BARE, breaks=(broken,), weights={"age": 1.0})
    hard = replace(BARE, moved=(Moved("age", "+0.80 sd", 0.1, 9.0, 1.0),))
    hard = replace(hard, expected=Change(0.1, 9.0))

    assert judged([DRIFTED, lost])[-1].kind == "data_quality"
    assert judged([DRIFTED, hard])[-1].kind == "input_shift"
    assert judged([DRIFTED, replace(BARE, rows=5)])[-1].kind == "concept_drift"
    assert judged([DRIFTED, lost, BARE])[-1].kind == "concept_drift"


def test_a_harmful_shift_is_not_carried_on() -> None:
    """What the inputs explain is seen in the inputs of every week."""
    moved = Moved("age", "+0.80 sd", 0.1, 9.0, 1.0)

    assert judged([replace(CALM, moved=(moved,), **fell(0.1, 9.0)), BARE])[
        -1
    ].state == ("fine")


@pytest.mark.parametrize(
    ("kind", "state"), [("concept_drift", "look"), ("fine", "fine")]
)
def test_windows_before_the_range_are_remembered(kind: str, state: str) -> None:
    """A range that begins after the last labels knows what they said."""
    start = MONDAY - WEEK
    known = JudgedWindow(
        1, "1", start, MONDAY, kind, "look", "high", "", [], "accuracy", 0.64, 900, 1.0
    )
    carried = replace(known, coverage=0.0, kind="concept_drift", rows=0)
    found = judged([BARE], before=[known, carried])

    assert found[0].state == state
    if kind == "concept_drift":
        assert "the last labelled week, 28 Sep" in found[0].sentence
        assert "accuracy 0.640, 0.800 in the reference" in found[0].sentence
