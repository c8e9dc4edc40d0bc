"""Scores that need raw rows: made one by one, newest first, and kept for ever."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from data.judgement_store import WindowResult
from data.model_records import Columns, ModelSpec
from services.monitoring import judging
from services.monitoring.raw_scores import MOST_COLUMNS, raw_scores
from services.monitoring.scope import Scope, Scopes
from tests.conftest import NOW
from tests.data.watched import (
    ANIMAL,
    CHURN,
    DAY,
    MONDAY,
    PRICE,
    Watched,
    animals,
    churn,
    prices,
    watched_sqlite,
)

__all__ = ["watched_sqlite"]
WEEK = 7 * DAY
KINDS = {"domain", "pca", "weighted"}


@pytest.fixture
def watched(watched_sqlite: Watched) -> Iterator[Watched]:
    """Stores in which no other model has a window to score."""
    watched_sqlite.clock.now = NOW
    for model in watched_sqlite.store.models():
        if not model.spec.archived:
            watched_sqlite.change(model.spec, archived=True)
    yield watched_sqlite


def sent(
    watched: Watched,
    *frames: pd.DataFrame,
    base: ModelSpec = CHURN,
    rows: int = 800,
    judged: bool = False,
) -> ModelSpec:
    """A model with a reference whose rows are counted, and judged where that matters.

    What is not judged by the worker is not scored by it either.
    """
    spec = watched.register(base)
    make = {CHURN.kind: churn, ANIMAL.kind: animals, PRICE.kind: prices}[spec.kind]
    watched.refer(spec, make(700, rows))
    for frame in frames:
        watched.send(spec, frame)
    watched.flush()
    if judged:
        watched.judging.step()
    return spec


def kept(watched: Watched, spec: ModelSpec) -> dict[datetime, dict[str, WindowResult]]:
    """The scores by window and kind."""
    model_id, grid = watched.model(spec).id, watched.grid(spec).id
    found: dict[datetime, dict[str, WindowResult]] = {}
    for one in watched.judgements.window_results(model_id, "1", grid, *judging.EVER):
        found.setdefault(one.start, {})[one.kind] = one
    return found


def scope_of(watched: Watched, spec: ModelSpec, start: datetime = MONDAY) -> Scope:
    """One week of a model."""
    scopes = Scopes(watched.store, watched.settings, watched.clock)
    model, span = watched.model(spec), (start, start + WEEK)
    return scopes.of(model, "1", "week", "", span, NOW)


def scored(
    watched: Watched, spec: ModelSpec, start: datetime = MONDAY
) -> dict[str, dict[str, Any]]:
    """The scores of a week by kind, as they would be stored."""
    found = raw_scores(scope_of(watched, spec, start), watched.lake)
    return {
        one.kind: json.loads(json.dumps(one.value, allow_nan=False)) for one in found
    }


def test_windows_are_scored_one_by_one_newest_first(watched: Watched) -> None:
    """Each call makes the three scores of one window; too small ones are left out."""
    spec = sent(
        watched, churn(1, 200, MONDAY, 14), churn(2, 29, MONDAY + 2 * WEEK), judged=True
    )
    made = []
    while watched.judging.raw_step():
        made.append(list(kept(watched, spec)))

    assert made == [[MONDAY + WEEK], [MONDAY, MONDAY + WEEK]]
    for start, found in kept(watched, spec).items():
        assert set(found) == KINDS
        assert {one.end for one in found.values()} == {start + WEEK}


def test_scores_are_kept_after_retention_and_not_tried_again(watched: Watched) -> None:
    """What was made stays; a window whose rows are gone is left without."""
    spec = sent(watched, churn(3, 200, MONDAY, 14), judged=True)
    assert watched.judging.raw_step()
    before = kept(watched, spec)
    spec = watched.change(spec, retention_days=1)
    watched.waiting.retain(NOW, None)

    assert list(before) == [MONDAY + WEEK]
    assert not watched.judging.raw_step()
    assert kept(watched, spec) == before


def test_a_window_that_changes_is_scored_anew(watched: Watched) -> None:
    """Late rows drop the scores of their window alone, and new ones are made."""
    spec = sent(watched, churn(4, 200, MONDAY, 14), judged=True)
    while watched.judging.raw_step():
        pass
    before = kept(watched, spec)
    late = churn(5, 100, MONDAY + DAY)
    watched.send(spec, late.assign(age=late["age"] + 5))
    watched.flush()
    watched.judging.step()
    assert list(kept(watched, spec)) == [MONDAY + WEEK]
    assert watched.judging.raw_step()
    assert not watched.judging.raw_step()
    after = kept(watched, spec)

    assert after[MONDAY + WEEK] == before[MONDAY + WEEK]
    rise = [w[MONDAY]["domain"].value["auc"] for w in (before, after)]
    assert rise[1] > rise[0] + 0.1


def test_a_window_that_cannot_be_scored_says_why_and_stops_no_other(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has its reason in place of scores, and is not tried again and again."""
    spec = sent(watched, churn(6, 200, MONDAY, 14), judged=True)
    whole = judging.raw_scores

    def fails(scope: Scope, lake: object) -> object:
        if scope.start == MONDAY + WEEK:
            raise np.linalg.LinAlgError("singular matrix")
        return whole(scope, watched.lake)

    monkeypatch.setattr(judging, "raw_scores", fails)
    steps = [watched.judging.raw_step() for _ in range(3)]
    found = kept(watched, spec)

    assert steps == [True, True, False]
    assert {k: dict(one.value) for k, one in found[MONDAY + WEEK].items()} == {
        kind: {"reason": "it could not be computed (LinAlgError)"} for kind in KINDS
    }
    assert found[MONDAY]["domain"].value["auc"] is not None


def test_a_missing_reference_file_is_the_reason(watched: Watched) -> None:
    """The rows of the reference are gone: nothing can be told apart from them."""
    spec = sent(watched, churn(7, 100), judged=True)
    record = watched.store.reference(watched.model(spec).id, "1")
    assert record is not None
    Path(record.path).unlink()
    assert watched.judging.raw_step()
    found = kept(watched, spec)[MONDAY]

    assert {one.value["reason"] for one in found.values()} == {
        "the file of the reference is missing"
    }
    assert not watched.judging.raw_step()


def test_archived_models_and_models_without_a_reference_are_left_alone(
    watched: Watched,
) -> None:
    """Nothing is made of them until they come back."""
    spec = sent(watched, churn(8, 100), judged=True)
    other = watched.register()
    watched.send(other, churn(9, 100))
    watched.flush()
    watched.judging.step()
    spec = watched.change(spec, archived=True)
    assert not watched.judging.raw_step()
    watched.change(spec, archived=False)

    assert watched.judging.raw_step()
    assert not watched.judging.raw_step()


def test_rows_like_the_reference_cannot_be_told_from_it(watched: Watched) -> None:
    """The classifier stays within its limit and rows are rebuilt as well as before."""
    found = scored(watched, sent(watched, churn(10, 800)))

    assert found["domain"]["reason"] is None
    assert found["domain"]["auc"] <= found["domain"]["limit"]
    assert found["pca"]["low"] <= found["pca"]["error"] <= found["pca"]["high"]
    assert found["domain"]["pair"] is None


def test_a_shifted_feature_is_named(watched: Watched) -> None:
    """The classifier tells the rows apart, and by which of the sender's columns."""
    frame = churn(11, 800)
    found = scored(watched, sent(watched, frame.assign(age=frame["age"] + 3)))["domain"]

    assert found["auc"] > 0.9 > found["limit"]
    assert max(found["columns"], key=found["columns"].get) == "age"
    assert set(found["columns"]) <= {"age", "plan"}


def test_weighted_estimates_follow_a_shift_of_the_inputs(watched: Watched) -> None:
    """With the mix of inputs moved, the estimate is near what the labels say."""
    rng = np.random.default_rng(12)
    x = rng.normal(1.0, 0.7, 2_000)
    score = 1 / (1 + np.exp(-2 * x))
    names = np.array(["stays", "leaves"])
    frame = churn(12, 2_000).assign(
        age=x, p=score,
        prediction=names[(score > 0.5).astype(int)],
        left=names[(rng.random(2_000) < score).astype(int)],
    )  # fmt: skip
    found = scored(watched, sent(watched, frame, rows=4_000))["weighted"]
    value, error = found["metrics"]["accuracy"]
    real = (frame["prediction"] == frame["left"]).mean()
    reference = churn(700, 4_000)
    old = (reference["prediction"] == reference["left"]).mean()

    assert found["reason"] is None
    assert abs(value - real) < max(4 * error, 0.02)
    assert abs(value - real) < abs(old - real) / 2


@pytest.mark.parametrize(
    ("base", "frame", "reason"),
    [
        (PRICE, prices(13, 300), "it needs scores and a labelled reference"),
        (
            replace(CHURN, columns=Columns(label="left")),
            churn(14, 300),
            "it needs scores and a labelled reference",
        ),
        (ANIMAL, animals(15, 300), None),
    ],
    ids=["regression", "no scores", "multiclass"],
)
def test_every_kind_of_model_is_scored(
    watched: Watched, base: ModelSpec, frame: pd.DataFrame, reason: str | None
) -> None:
    """Inputs are compared in all of them; performance where there are scores."""
    found = scored(watched, sent(watched, frame, base=base))

    assert found["domain"]["auc"] is not None
    one_feature = len(base.features) == 1
    assert (
        (found["pca"]["error"] is None) == bool(found["pca"]["reason"]) == one_feature
    )
    assert found["weighted"]["reason"] == reason
    assert bool(found["weighted"]["metrics"]) == (reason is None)


ODD: tuple[dict[str, object], ...] = (
    {"age": None, "plan": None},
    {"age": np.inf},
    {"age": 7.0, "plan": "only"},
    {"age": 1.7e308},
    {"plan": [f"c{i}" for i in range(200)]},
    {"prediction": "new", "left": "other", "p": 1.0},
)


def test_odd_windows_have_scores_or_a_reason(watched: Watched) -> None:
    """Nothing raises, and whatever is kept any database can store."""
    first = MONDAY - len(ODD) * WEEK
    weeks = [first + place * WEEK for place in range(len(ODD))]
    spec = sent(
        watched,
        *(
            churn(160 + place, 200, week, **ODD[place])
            for place, week in enumerate(weeks)
        ),
    )
    for place, week in enumerate(weeks):
        found = scored(watched, spec, week)
        assert set(found) == KINDS
        for kind, name in (("domain", "auc"), ("pca", "error")):
            assert found[kind][name] is not None or found[kind]["reason"], ODD[place]


def test_wide_models_are_compared_by_their_first_features(watched: Watched) -> None:
    """A hundred columns at most; the others are left out, not the window."""
    features = tuple(
        replace(CHURN.features[0], name=f"c{i}") for i in range(MOST_COLUMNS + 20)
    )
    rng = np.random.default_rng(17)
    spec = watched.register(replace(CHURN, features=features))
    numbers = {f.name: rng.normal(size=300) for f in features}
    base = churn(18, 300).drop(columns=["age", "plan"])
    wide = pd.concat([base, pd.DataFrame(numbers)], axis=1)
    watched.refer(spec, wide)
    last = features[-1].name
    watched.send(spec, wide.assign(**{last: wide[last] + 9}))
    watched.flush()
    found = scored(watched, spec)["domain"]

    assert len(found["columns"]) <= MOST_COLUMNS
    assert found["auc"] < 0.7


def test_a_window_before_the_rows_begin_has_no_scores(watched: Watched) -> None:
    """Without a row there is nothing to tell apart: a reason, no number."""
    spec = sent(watched, churn(19, 60))
    found = raw_scores(
        scope_of(watched, spec, MONDAY - timedelta(days=70)), watched.lake
    )

    assert all(one.value["reason"] for one in found)
