"""The worker's verdicts: made of what changed, kept, and made anew when labels come."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Event

import numpy as np
import pandas as pd
import pytest

from data.judgement_store import JudgedWindow, WindowResult
from data.model_records import ModelSpec
from services.monitoring import judging
from tests.conftest import NOW
from tests.data.watched import DAY, MONDAY, Watched, churn, watched_sqlite
from workers.monitor import MonitorLoop

__all__ = ["watched_sqlite"]
WEEK = 7 * DAY


@pytest.fixture
def watched(watched_sqlite: Watched) -> Iterator[Watched]:
    """Stores in which nothing is left to judge."""
    watched_sqlite.clock.now = NOW
    watched_sqlite.flush()
    watched_sqlite.judging.step()
    yield watched_sqlite


def referred(watched: Watched, **changes: object) -> ModelSpec:
    """A model with a reference that is counted."""
    spec = watched.register(**changes)
    watched.refer(spec, churn(900, 3_000))
    return spec


def judged(
    watched: Watched, spec: ModelSpec, version: str = "1"
) -> dict[datetime, JudgedWindow]:
    """The stored verdicts by window."""
    found = watched.judgements.windows(watched.model(spec).id, version)
    return {window.start: window for window in found}


def mark(watched: Watched) -> int:
    """The last change that was judged."""
    return max((f.judged_seq for f in watched.judgements.facts()), default=0)


def result(
    watched: Watched, spec: ModelSpec, start: datetime, length: timedelta = WEEK
) -> None:
    """Keep a raw-row score of a window."""
    model_id = watched.model(spec).id
    found = [WindowResult(start, start + length, "domain", {"auc": 0.5})]
    watched.judgements.put_results(model_id, "1", watched.grid(spec).id, found)


def results(watched: Watched, spec: ModelSpec) -> list[datetime]:
    """The windows that have raw-row scores."""
    model_id, grid = watched.model(spec).id, watched.grid(spec).id
    found = watched.judgements.window_results(model_id, "1", grid, *judging.EVER)
    return sorted({one.start for one in found})


def test_a_window_has_its_verdict_after_a_flush(watched: Watched) -> None:
    """Three weeks of rows are three verdicts with their rows, and the facts of all."""
    spec = referred(watched)
    frame = churn(1, 2_100, MONDAY, 21)
    watched.send(spec, frame)
    watched.flush()
    assert judged(watched, spec) == {}

    assert watched.judging.step() == 3
    found = judged(watched, spec)
    assert [(w.start, w.end, w.rows) for w in found.values()] == [
        (MONDAY + i * WEEK, MONDAY + (i + 1) * WEEK, 700) for i in range(3)
    ]
    assert {(w.kind, w.state) for w in found.values()} == {("fine", "fine")}
    assert all(w.coverage == 1.0 and w.value is not None for w in found.values())
    (facts,) = watched.judgements.facts(watched.model(spec).id)
    assert (facts.rows, facts.first_data) == (2_100, MONDAY)
    assert facts.last_data == frame["ts"].iloc[-1].tz_localize("UTC")
    assert facts.judged_seq == mark(watched) > 0
    assert watched.judging.step() == 0


def test_labels_change_the_verdict_of_their_window(watched: Watched) -> None:
    """What the inputs could not show the labels do: the relation has changed."""
    spec = referred(watched)
    frame = churn(2, 1_400, MONDAY, 14)
    watched.send(spec, frame.drop(columns="left"))
    watched.flush()
    watched.judging.step()
    before = judged(watched, spec)
    turned = frame["left"].map({"stays": "leaves", "leaves": "stays"})
    second = frame["ts"] >= (MONDAY + WEEK).replace(tzinfo=None)
    watched.label(spec, frame["prediction_id"], turned.where(second, frame["left"]))
    watched.flush()
    watched.judging.step()
    after = judged(watched, spec)

    assert {w.kind for w in before.values()} == {"fine"}
    assert {w.coverage for w in before.values()} == {0.0}
    assert after[MONDAY].kind == "fine"
    assert (after[MONDAY + WEEK].kind, after[MONDAY + WEEK].state) == (
        "concept_drift", "look",
    )  # fmt: skip
    assert after[MONDAY + WEEK].coverage == 1.0


def test_windows_from_the_one_before_a_change_on_are_judged(watched: Watched) -> None:
    """Earlier ones keep their verdict, whatever is written there."""
    spec = referred(watched, window="day")
    watched.send(spec, churn(3, 1_800, MONDAY, 9))
    watched.flush()
    watched.judging.step()
    marked = [replace(w, sentence="old") for w in judged(watched, spec).values()]
    with watched.store.transaction() as tx:
        watched.judgements.put_windows(tx, marked)
    watched.send(spec, churn(4, 50, MONDAY + 3 * DAY))
    watched.flush()
    watched.judging.step()
    new = [w.sentence != "old" for w in judged(watched, spec).values()]

    assert new == [False] * 2 + [True] * 7


def test_scores_of_raw_rows_are_forgotten_for_touched_windows_only(
    watched: Watched,
) -> None:
    """The score of a window whose rows changed is out of date; the others stay."""
    spec = referred(watched)
    watched.send(spec, churn(5, 300, MONDAY, 21))
    watched.flush()
    watched.judging.step()
    for week in range(3):
        result(watched, spec, MONDAY + week * WEEK)
    watched.send(spec, churn(6, 10, MONDAY + WEEK + 2 * DAY))
    watched.flush()
    watched.judging.step()

    assert results(watched, spec) == [MONDAY, MONDAY + 2 * WEEK]


def test_scores_whose_rows_are_gone_are_never_forgotten(watched: Watched) -> None:
    """Late labels of a half-dropped window leave what was made of its rows."""
    spec = referred(watched)
    frame = churn(7, 140, MONDAY, 14)
    watched.send(spec, frame.drop(columns="left"))
    watched.flush()
    watched.judging.step()
    for week in range(2):
        result(watched, spec, MONDAY + week * WEEK)
    spec = watched.change(spec, retention_days=(NOW - MONDAY).days - 3)
    watched.waiting.retain(NOW, None)
    watched.label(spec, frame["prediction_id"], frame["left"])
    watched.flush()
    verdicts = judged(watched, spec)
    watched.judging.step()

    assert results(watched, spec) == [MONDAY]
    assert judged(watched, spec)[MONDAY].rows == verdicts[MONDAY].rows == 70


def test_the_mark_moves_when_everything_is_judged(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed at the second of two models, both are judged at the next look."""
    specs = [referred(watched), referred(watched)]
    for number, spec in enumerate(specs):
        watched.send(spec, churn(8 + number, 100))
    watched.flush()
    before, calls = mark(watched), []
    whole = judging.judge

    def dies(*args: object) -> object:
        calls.append(args)
        if len(calls) == 2:
            raise SystemExit
        return whole(*args)

    with monkeypatch.context() as patched:
        patched.setattr(judging, "judge", dies)
        with pytest.raises(SystemExit):
            watched.judging.step()
    assert mark(watched) == before
    assert [len(judged(watched, spec)) for spec in specs] == [1, 0]
    assert watched.judging.step() == 2
    assert mark(watched) > before
    assert [len(judged(watched, spec)) for spec in specs] == [1, 1]


def test_a_model_that_cannot_be_judged_says_so_and_stops_no_other(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its windows say why; the next model has its verdict."""
    bad, good = referred(watched), referred(watched)
    for number, spec in enumerate((bad, good)):
        watched.send(spec, churn(10 + number, 200))
    watched.flush()
    whole = judging.judge

    def fails(scope: judging.Scope, *rest: object) -> object:
        if scope.spec.name == bad.name:
            raise ZeroDivisionError("division by zero")
        return whole(scope, *rest)

    monkeypatch.setattr(judging, "judge", fails)
    assert watched.judging.step() == 2
    found = judged(watched, bad)[MONDAY]

    assert (found.kind, found.state, found.rows) == ("cannot_tell", "cannot_tell", 200)
    assert found.sentence == (
        "Cannot tell: this window could not be judged (ZeroDivisionError)."
    )
    assert judged(watched, good)[MONDAY].kind == "fine"


@pytest.mark.parametrize("window", ["day", "month"])
def test_another_window_length_judges_everything_anew(
    watched: Watched, window: str
) -> None:
    """Verdicts and raw-row scores of the old length are gone; new ones are there."""
    spec = referred(watched)
    start = NOW.replace(hour=0) - 6 * DAY
    watched.send(spec, churn(12, 600, start, 3))
    watched.flush()
    watched.judging.step()
    (week,) = judged(watched, spec)
    result(watched, spec, week)
    spec = watched.change(spec, window=window)
    count = watched.judging.step()
    found = judged(watched, spec)

    assert count == len(found) == {"day": 3, "month": 1}[window]
    assert {w.end - w.start for w in found.values()} == {
        {"day": DAY, "month": 31 * DAY}[window]
    }
    assert sum(w.rows for w in found.values()) == 600
    assert results(watched, spec) == []
    assert watched.judging.step() == 0


def test_hours_of_an_old_import_are_judged(watched: Watched) -> None:
    """However long ago: more windows than can be judged at once lie behind them."""
    spec = referred(watched, window="hour")
    watched.send(spec, churn(21, 240, MONDAY, 1))
    watched.flush()

    assert judging.MOST_WINDOWS * timedelta(hours=1) < NOW - MONDAY
    assert watched.judging.step() == 24
    assert len(judged(watched, spec)) == 24


def test_rows_a_little_ahead_of_the_clock_are_judged(watched: Watched) -> None:
    """Clocks differ: rows of the next day have a verdict at once."""
    spec = referred(watched, window="day")
    watched.clock.now = NOW.replace(hour=23, minute=50)
    watched.send(spec, churn(13, 40, NOW.replace(hour=0) + DAY, 0.5))
    watched.flush()
    watched.judging.step()

    assert [w.rows for w in judged(watched, spec).values()] == [40]


def test_every_version_is_judged_by_the_reference_in_force(watched: Watched) -> None:
    """A new reference judges all windows anew, of versions without their own too."""
    spec = referred(watched)
    frame = churn(14, 700, MONDAY, 7)
    shifted = frame.assign(age=frame["age"] + 2)
    watched.send(spec, shifted.drop(columns="left"), version="2")
    watched.flush()
    watched.judging.step()
    before = judged(watched, spec, "2")[MONDAY]
    reference = churn(15, 3_000)
    watched.refer(spec, reference.assign(age=reference["age"] + 2))
    watched.flush()
    watched.judging.step()

    assert before.kind != "fine"
    assert judged(watched, spec, "2")[MONDAY].kind == "fine"


def test_without_a_reference_there_is_no_verdict_but_there_are_facts(
    watched: Watched,
) -> None:
    """Rows are counted as data that came; with the reference they are judged."""
    spec = watched.register()
    watched.send(spec, churn(16, 90))
    watched.flush()
    watched.judging.step()
    (facts,) = watched.judgements.facts(watched.model(spec).id)
    assert (facts.rows, judged(watched, spec)) == (90, {})
    watched.refer(spec, churn(17, 500))
    watched.flush()
    watched.judging.step()

    assert judged(watched, spec)[MONDAY].rows == 90


def test_verdicts_are_the_same_after_retention(watched: Watched) -> None:
    """Judged again from counts alone, every window says what it said."""
    spec = referred(watched)
    frame = churn(18, 1_400, MONDAY, 14)
    watched.send(spec, frame)
    watched.flush()
    watched.judging.step()
    before = judged(watched, spec)
    spec = watched.change(spec, retention_days=1)
    watched.waiting.retain(NOW, None)
    with watched.store.transaction() as tx:
        watched.judgements.forget_windows(tx, watched.model(spec).id, "1")
    spec = watched.change(spec, window="month")
    watched.send(spec, pd.DataFrame(churn(19, 60, NOW - DAY, 0.9)))
    watched.flush()
    watched.judging.step()
    watched.change(spec, window="week")
    watched.judging.step()
    after = judged(watched, spec)

    for start, window in before.items():
        assert after[start] == replace(
            window, value=pytest.approx(window.value, rel=1e-12)
        )
    assert watched.lake.totals(watched.model(spec).id, "1")[0] == 60


def test_the_loop_judges_first_and_scores_then(watched: Watched) -> None:
    """Everything waiting is judged, then raw rows are scored, until it is stopped."""
    for other in watched.store.models():
        watched.change(other.spec, archived=True)
    spec = referred(watched)
    watched.send(spec, churn(20, 120))
    watched.flush()
    stop, said = Event(), []
    step, raw_step = watched.judging.step, watched.judging.raw_step

    class Watching:
        """The judge, writing down what it was asked."""

        def step(self) -> int:
            said.append(("step", found := step()))
            return found

        def raw_step(self) -> bool:
            said.append(("raw", found := raw_step()))
            if not found:
                stop.set()
            return found

    MonitorLoop(Watching()).run(stop)  # type: ignore[arg-type]

    assert said[0] == ("step", 1)
    assert said[1:3] == [("step", 0), ("raw", True)]
    assert said[-1] == ("raw", False)
    assert MONDAY in results(watched, spec)
    assert np.isfinite(judged(watched, spec)[MONDAY].value or np.nan)
