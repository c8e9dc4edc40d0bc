"""Verdicts: known causes through the whole path, and the rule of severities."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from benchmarks.cause_rows import Rows, fine, harmful, spec_of, table_of
from benchmarks.causes import inputs, is_right, verdicts
from data.model_records import KINDS
from services.models_views import SEVERITIES, STATES, VERDICTS
from services.monitoring.changes import Change
from services.monitoring.evidence import Evidence, Moved, gather
from services.monitoring.quality import Break, unit_of
from services.monitoring.verdict import Verdict, verdict

CALM = Evidence(
    kind="binary",
    rows=1_000,
    least_rows=60,
    labelled=1_000,
    coverage=1.0,
    metric="accuracy",
    reference=0.8,
    value=0.8,
    estimated=0.8,
    loss=0.2,
    realised=Change(0.0, 0.0),
    expected=Change(0.0, 0.0),
    gap=Change(0.0, 0.0),
    ranking=Change(0.0, 0.0),
    from_reference=Change(0.0, 0.0),
    skill=0.35,
    label=(0.01, 0.5),
    predicted=(0.01, 0.5),
    reliability=(0.0, 0.5),
    given_label=(0.01, 0.5),
    spread=None,
    breaks=(),
    weights={},
    moved=(),
    judged=6,
)
MOVED = Moved("age", "+0.80 sd", 0.05, 9.0, 1.0)
SHIFT = Verdict("input_shift", "look", "high", "")


def with_(**changes: Any) -> Evidence:
    """A calm window with other facts."""
    return replace(CALM, **changes)


def fell(size: float, z: float) -> dict[str, Any]:
    """Facts of an accuracy that fell with its estimate: the inputs explain it."""
    change = Change(size, z)
    return {"value": 0.8 - size, "realised": change, "expected": change}


@pytest.mark.parametrize("kind", KINDS)
def test_known_causes_are_named(kind: str) -> None:
    """At least 95 % of the windows of a generated grid get their cause's verdict."""
    found = [v for seed in (100, 101) for v in verdicts(kind, seed, (500, 2_000))]
    right = [is_right(cause, said) for cause, _, said in found]

    assert len(found) == 40
    assert np.mean(right) >= 0.95
    for _, _, said in found:
        assert said.kind in VERDICTS
        assert said.state in STATES
        assert said.severity in SEVERITIES


def test_nothing_moved_is_fine_with_its_numbers() -> None:
    """A calm window is fine and says how many features and which accuracy."""
    said = verdict(CALM)

    assert (said.kind, said.state, said.severity) == ("fine", "fine", "none")
    assert "6 features" in said.sentence
    assert "accuracy 0.800 on 1\u202f000 labelled rows" in said.sentence


def test_no_rows_is_no_verdict() -> None:
    """A window without predictions has no verdict at all."""
    assert verdict(with_(rows=0)).kind == "none"


def test_too_few_rows_cannot_tell() -> None:
    """A window too small to judge is neither fine nor a drift."""
    said = verdict(with_(rows=59))

    assert (said.kind, said.state) == ("cannot_tell", "cannot_tell")
    assert "59 rows" in said.sentence


def test_a_shift_without_harm_is_low_and_says_that_performance_held() -> None:
    """Inputs that moved with performance held need no look, and are named."""
    said = verdict(with_(moved=(MOVED,)))

    assert (said.kind, said.state, said.severity) == ("input_shift", "fine", "low")
    assert "age (+0.80 sd)" in said.sentence
    assert "performance held" in said.sentence
    assert said.harmful == ()


def test_a_harmful_shift_is_never_fine() -> None:
    """Whatever the size, a shift that costs performance needs a look and is named."""
    for size in (0.021, 0.04, 0.1, 0.3):
        said = verdict(with_(moved=(MOVED,), **fell(size, 6.0)))
        assert (said.kind, said.state) == ("input_shift", "look")
        assert said.harmful == ("age",)
        assert "held" not in said.sentence


def test_a_shift_whose_harm_nobody_knows_is_not_called_harmless() -> None:
    """Without labels or scores a moved feature needs a look; "held" is not said."""
    unknown = Change()
    said = verdict(
        with_(
            moved=(MOVED,),
            value=None,
            estimated=None,
            labelled=0,
            realised=unknown,
            expected=unknown,
            gap=unknown,
        )
    )

    assert said.state == "look"
    assert "cannot be told" in said.sentence
    assert "held" not in said.sentence


def test_labels_without_a_reference_do_not_say_that_performance_held() -> None:
    """A realised value with nothing to compare it with proves nothing."""
    said = verdict(with_(moved=(MOVED,), reference=None, loss=None, realised=Change()))

    assert said.state == "look"
    assert "held" not in said.sentence


@pytest.mark.parametrize(
    ("size", "z", "before", "level"),
    [
        (0.024, 9.0, (), "low"),
        (0.034, 9.0, (), "medium"),
        (0.07, 9.0, (), "high"),
        (0.07, 4.0, (), "medium"),
        (0.15, 9.0, (), "high"),
        (0.15, 9.0, (SHIFT,), "critical"),
        (0.15, 4.0, (SHIFT,), "medium"),
    ],
)
def test_severity_is_size_certainty_and_persistence(
    size: float, z: float, before: tuple[Verdict, ...], level: str
) -> None:
    """The written rule: larger is worse, doubt lowers it, only lasting is critical."""
    said = verdict(with_(moved=(MOVED,), **fell(size, z)), before)

    assert said.severity == level


def test_an_estimate_alone_is_at_most_high() -> None:
    """Without labels even a lasting collapse is high and not critical."""
    facts = fell(0.2, 20.0) | {"labelled": 0, "value": None, "realised": Change()}
    said = verdict(with_(moved=(MOVED,), **facts), (SHIFT, SHIFT))

    assert said.severity == "high"


def test_a_handful_of_labels_does_not_overrule_the_estimate() -> None:
    """Few labels that fell less by chance leave the estimated harm; many refute it."""
    expected = Change(0.1, 20.0)
    doubtful = with_(moved=(MOVED,), labelled=40, realised=Change(0.01, 0.15))
    certain = with_(moved=(MOVED,), labelled=900, realised=Change(0.01, 0.8))

    assert verdict(replace(doubtful, expected=expected)).state == "look"
    assert verdict(replace(certain, expected=expected)).state == "fine"


def test_a_data_quality_break_beats_every_other_reading() -> None:
    """Missing values are the verdict though inputs moved and accuracy fell."""
    broken = Break("age", "missing", 0.4, "40% missing values")
    facts = fell(0.1, 9.0) | {"breaks": (broken,), "weights": {"age": 1.0}}
    said = verdict(with_(moved=(MOVED,), **facts))

    assert (said.kind, said.severity) == ("data_quality", "high")
    assert "age has 40% missing values" in said.sentence
    assert said.harmful == ("age",)


def test_a_break_in_a_feature_without_weight_is_low() -> None:
    """A break where the model does not look is named, at low severity."""
    broken = Break("idle", "missing", 0.4, "40% missing values")
    said = verdict(with_(breaks=(broken,), weights={"idle": 0.01}))

    assert (said.kind, said.severity, said.harmful) == ("data_quality", "low", ())


def test_labels_worse_than_the_estimate_are_concept_drift() -> None:
    """Realised below estimated beyond its band is concept drift."""
    gap = Change(0.2, 12.0)
    worse = Change(0.2, 10.0)
    facts = {"value": 0.6, "realised": gap, "gap": gap, "given_label": (0.3, 0.0)}
    facts |= {"ranking": worse, "from_reference": worse, "reliability": (0.2, 0.0)}
    said = verdict(with_(**facts))

    assert (said.kind, said.severity) == ("concept_drift", "high")
    assert "20.0 points worse" in said.sentence


def test_scores_off_with_their_ranking_held_are_broken_calibration() -> None:
    """Unreliable scores that rank as well are a calibration to repair."""
    said = verdict(with_(reliability=(0.08, 0.0), given_label=(0.3, 0.0)))

    assert (said.kind, said.severity) == ("calibration", "medium")


def test_another_mix_of_labels_is_label_shift() -> None:
    """Labels moved, scores given the label held: label shift."""
    facts = {"reliability": (0.1, 0.0), "label": (0.2, 0.0), "given_label": (0.02, 0.4)}

    assert verdict(with_(**facts)).kind == "label_shift"


def test_predictions_that_moved_for_no_visible_reason_cannot_be_told() -> None:
    """Without labels, moved predictions over unmoved inputs are not fine."""
    said = verdict(with_(labelled=0, value=None, predicted=(0.3, 0.0)))

    assert said.state == "cannot_tell"


@pytest.mark.parametrize("kind", KINDS)
def test_a_harmful_shift_is_seen_without_a_single_label(kind: str) -> None:
    """The estimate alone finds a shift towards rows that are hard."""
    random = np.random.default_rng(21)
    known = fine(random, kind, 8_000)
    found = inputs(spec_of(kind), known, [unlabelled(harmful(random, kind, 3_000))])
    (one,) = gather(found).evidence
    said = verdict(one)

    assert one.labelled == 0
    assert (said.kind, said.state) == ("input_shift", "look")
    assert said.harmful[0] == "clarity"


def unlabelled(rows: Rows) -> Rows:
    """The rows without their labels."""
    return replace(rows, label=np.full(len(rows.label), np.nan))


def test_a_known_change_of_unit_is_told_from_a_shift() -> None:
    """°C as °F is a unit; the same column moved by two deviations is not."""
    random = np.random.default_rng(22)
    base = fine(random, "binary", 8_000)
    warm, wrong = (fine(random, "binary", 1_000) for _ in range(2))
    warm.x[:, 2] += 12
    wrong.x[:, 2] = wrong.x[:, 2] * 1.8 + 32
    found = inputs(spec_of("binary"), base, [warm, wrong])
    first, second = gather(found).evidence

    assert first.breaks == ()
    assert [b.what for b in second.breaks] == ["unit"]
    assert "°F" in second.breaks[0].words
    grid: Any = found.grid.columns["f2"]
    share = np.full(grid.bins, 1 / grid.bins)
    assert unit_of(grid, share, share, 1_000) is None


def test_a_stuck_feature_is_a_break() -> None:
    """One value in all rows of a feature that used to vary is a break."""
    random = np.random.default_rng(23)
    stuck = fine(random, "binary", 1_000)
    stuck.x[:, 0] = 0.25
    found = inputs(spec_of("binary"), fine(random, "binary", 8_000), [stuck])
    (one,) = gather(found).evidence

    assert [b.what for b in one.breaks] == ["stuck"]
    assert len(table_of(spec_of("binary"), stuck)) == 1_000


def test_a_weekday_is_not_stuck_while_its_week_goes_on() -> None:
    """One value in an unfinished window is no break; once it is over it is."""
    random = np.random.default_rng(24)
    base, monday = fine(random, "binary", 8_000), fine(random, "binary", 300)
    monday = replace(monday, place=np.full(300, "south"))
    known = inputs(spec_of("binary"), base, [fine(random, "binary", 900), monday])
    still = gather(replace(known, finished=1)).evidence[1]
    over = gather(replace(known, finished=2)).evidence[1]

    assert (still.breaks, still.moved) == ((), ())
    assert verdict(still).kind != "data_quality"
    assert [b.what for b in over.breaks] == ["stuck"]


def test_a_feature_that_was_stuck_stays_a_break_in_a_window_that_goes_on() -> None:
    """Stuck in the window before and still in this one: nothing to wait for."""
    random = np.random.default_rng(25)
    base = fine(random, "binary", 8_000)
    stuck = [fine(random, "binary", 500) for _ in range(2)]
    for rows in stuck:
        rows.x[:, 0] = 0.25
    known = inputs(spec_of("binary"), base, stuck)
    found = gather(replace(known, finished=1)).evidence

    assert [b.what for e in found for b in e.breaks] == ["stuck", "stuck"]
    alone = gather(replace(inputs(spec_of("binary"), base, stuck[:1]), finished=0))
    assert alone.evidence[0].breaks == ()
