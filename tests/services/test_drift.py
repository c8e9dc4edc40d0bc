"""The Drift tab's view on real stores: twelve weeks, the last four shifted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from benchmarks import cause_rows as causes
from data.judgement_store import WindowResult
from data.model_records import Columns, Feature, ModelSpec
from services.access import SYSTEM
from services.drift_panels import multivariate
from services.drift_views import MEASURES, DriftQuery, DriftView
from services.errors import InvalidInput, NotFound
from services.exports import csv_bytes
from services.monitoring.verdicts import judge
from tests.conftest import VIEWER
from tests.services.drift_samples import (
    NOW,
    PER_WEEK,
    REFERENCE,
    SPEC,
    START,
    WEEKS,
    Watched,
    fill,
    named,
    opened,
    times,
)

UTC_ZONE = ZoneInfo("UTC")
ASKED = DriftQuery(SPEC.name, text_from=START.isoformat(), text_to=NOW.isoformat())


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """The model with its twelve weeks in the lake."""
    with opened(tmp_path_factory.mktemp("drift")) as stores:
        fill(stores)
        yield stores


def view(watched: Watched, **changes: str) -> DriftView:
    """The tab for the twelve weeks, with other choices."""
    return watched.drift.view(VIEWER, replace(ASKED, **changes), UTC_ZONE)


def test_the_shifted_feature_comes_first_and_only_where_it_moved(
    watched: Watched,
) -> None:
    """Rows are ordered by harm; the moved feature drifts in the last four weeks."""
    found = view(watched)
    first = found.features[0]

    assert first.name == "clarity"
    assert [c.state for c in first.cells] == ["fine"] * 8 + ["drift"] * 4
    assert len(found.features) == len(SPEC.features)
    assert [w.rows for w in found.windows] == [PER_WEEK] * WEEKS
    assert (found.picked_feature, found.picked_start) == (
        "clarity",
        NOW - timedelta(weeks=1),
    )
    assert found.problem is None


def test_a_feature_that_did_not_move_never_stands_above_one_that_did(
    watched: Watched,
) -> None:
    """Small harm of unmoved features is noise: they follow those that moved."""
    rows = view(watched).features
    moved = [row.cells[-1].state in {"drift", "missing", "unseen"} for row in rows]

    assert moved == sorted(moved, reverse=True)


def test_verdicts_see_the_harm_and_nothing_before_it(watched: Watched) -> None:
    """Eight fine weeks, then a harmful input shift that names its feature."""
    found = view(watched)

    assert {w.state for w in found.windows[:8]} == {"fine"}
    assert {(w.verdict, w.state) for w in found.windows[8:]} == {
        ("input_shift", "look")
    }
    assert found.harmful == ("clarity",)
    assert found.verdict == found.windows[-1]


def test_the_worker_judges_as_the_tab_does(watched: Watched) -> None:
    """``judge`` gives the verdicts of the tab, with metric, value and coverage."""
    scope = watched.scopes.open(
        VIEWER, SPEC.name, text_from=ASKED.text_from, text_to=ASKED.text_to,
        zone=UTC_ZONE,
    )  # fmt: skip
    judged = judge(scope, watched.judgements, watched.lake)
    assert judged is not None
    found = judged.verdicts
    shown = view(watched).windows

    assert [v.sentence for v in found] == [w.sentence for w in shown]
    assert {v.metric for v in found} == {"accuracy"}
    assert all(v.coverage == 1.0 for v in found)
    assert found[0].value is not None
    assert found[-1].value is not None
    assert found[0].value > found[-1].value + 0.05


def test_the_picked_cell_is_shown_whole(watched: Watched) -> None:
    """Both distributions add up to 1 on one axis of at most 40 bars."""
    at = (NOW - timedelta(weeks=2)).isoformat()
    detail = view(watched, feature="clarity", at=at).detail

    assert detail is not None
    assert detail.start.isoformat() == at
    assert (detail.reference_rows, detail.rows) == (REFERENCE, PER_WEEK)
    assert len(detail.edges) == len(detail.shares) + 1 <= 41
    assert all(np.diff(detail.edges) > 0)
    for shares, place in ((detail.reference_shares, 0), (detail.shares, 1)):
        outside = detail.below[place] + detail.above[place]
        assert sum(shares) + outside == pytest.approx(1.0)
    median = next(q for q in detail.quantiles if q[0] == 0.5)
    assert median[2] - median[1] == pytest.approx(-1.5, abs=0.15)
    assert {m.measure for m in detail.measures} == set(MEASURES)
    assert detail.state == "drift"
    assert "clarity moved: mean -1.5" in detail.sentence
    assert "PSI" in detail.formula


def test_a_value_of_the_heat_map_is_that_of_the_detail(watched: Watched) -> None:
    """The cell and the detail of every measure say the same number."""
    for measure in MEASURES:
        found = view(watched, measure=measure, feature="clarity")
        assert found.detail is not None
        row = next(m for m in found.detail.measures if m.measure == measure)
        assert row.value == pytest.approx(found.features[0].cells[-1].value, rel=1e-12)


def test_categories_are_compared_by_share(watched: Watched) -> None:
    """A categorical feature lists its categories with both shares adding up to 1."""
    detail = view(watched, feature="place").detail

    assert detail is not None
    assert [c.name for c in detail.categories] == ["north", "south", "west"]
    assert sum(c.reference for c in detail.categories) == pytest.approx(1.0)
    assert sum(c.current for c in detail.categories) == pytest.approx(1.0)
    assert detail.edges == ()


def test_the_concept_panel_has_both_curves_and_the_gap(watched: Watched) -> None:
    """Ten groups of scores in both, and a gap whose band holds 0 in fine weeks."""
    panel = view(watched).concept

    assert panel is not None
    assert len(panel.groups) == 10
    assert sum(group[5] for group in panel.groups) == PER_WEEK
    assert len(panel.gap) == WEEKS
    assert all(low <= 0 <= high for _, _, low, high in panel.gap)
    assert "follow as in the reference" in panel.sentence


def test_the_export_is_what_is_drawn(watched: Watched) -> None:
    """One row for each feature and window, with the values of the heat map."""
    found = view(watched, measure="ks")
    table = watched.drift.export(VIEWER, replace(ASKED, measure="ks"), UTC_ZONE)
    rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows]

    assert len(rows) == len(SPEC.features) * WEEKS
    drawn = [c.value for row in found.features for c in row.cells]
    assert [row["value"] for row in rows] == drawn
    assert rows[0]["feature"] == found.features[0].name
    assert b"clarity" in csv_bytes(
        watched.drift.export(VIEWER, replace(ASKED, measure="ks"), UTC_ZONE)
    )


def test_the_windows_before_are_a_reference_too(watched: Watched) -> None:
    """Against the four weeks before, the first shifted week drifts, the fourth not."""
    found = view(watched, reference="rolling")
    states = [c.state for c in found.features[0].cells]

    assert states[0] == "few"
    assert states[8] == "drift"
    assert found.windows == view(watched).windows
    assert any("pinned" in note for note in found.notes)


def test_a_season_without_history_says_so(watched: Watched) -> None:
    """No rows a year before: a problem in words, every cell grey, no crash."""
    found = view(watched, reference="season")

    assert found.problem is not None
    assert "not enough history" in found.problem
    assert {c.state for row in found.features for c in row.cells} == {"few"}


def test_a_segment_is_compared_with_its_own_reference(watched: Watched) -> None:
    """A segment has the rows of its own, and its own reference."""
    found = view(watched, segment="place=north")

    assert found.detail is not None
    assert found.detail.reference_rows < REFERENCE
    assert all(0 < w.rows < PER_WEEK for w in found.windows)
    assert found.windows[-1].state == "look"
    assert any("segment" in note for note in found.notes)


def test_longer_windows_add_up(watched: Watched) -> None:
    """Months hold the rows of their days; hours can be asked for as well."""
    months = view(watched, window="month").windows
    hours = replace(
        ASKED, window="hour", text_from=(NOW - timedelta(days=2)).isoformat()
    )

    assert sum(w.rows for w in months) == PER_WEEK * WEEKS
    found = watched.drift.view(VIEWER, hours, UTC_ZONE)
    assert len(found.windows) == 48
    assert {w.state for w in found.windows} <= {"cannot_tell", "none"}


def test_a_range_without_rows_says_where_the_data_are(watched: Watched) -> None:
    """An empty range names the days that have data."""
    asked = replace(ASKED, text_from="2025-01-01", text_to="2025-02-01")
    found = watched.drift.view(VIEWER, asked, UTC_ZONE)

    assert found.windows == ()
    assert found.problem is not None
    assert "05 Jan 2026" in found.problem


def test_raw_row_results_are_shown_where_they_are(watched: Watched) -> None:
    """The domain classifier of the picked week and the pair it names."""
    scope = watched.scopes.open(VIEWER, SPEC.name, zone=UTC_ZONE)
    assert scope.grid is not None
    start = NOW - timedelta(weeks=1)
    values = {
        "domain": {
            "auc": 0.81,
            "limit": 0.55,
            "columns": {"clarity": 0.7, "idle": 0.1},
            "pair": ["clarity", "signal"],
            "reason": None,
        },
        "pca": {"error": 1.4, "low": 0.9, "high": 1.2, "columns": {}, "reason": None},
    }
    watched.judgements.put_results(
        scope.model.id, "1", scope.grid.id,
        [WindowResult(start, NOW, kind, value) for kind, value in values.items()],
    )  # fmt: skip
    panel = view(watched).multivariate

    assert panel is not None
    assert panel.points[-1].auc == 0.81
    assert panel.points[-1].reconstruction == 1.4
    assert panel.points[0].auc is None
    assert panel.columns[0] == ("clarity", 0.7)
    assert panel.pair == ("clarity", "signal")
    assert view(watched, window="month").multivariate is None


def test_a_changed_pair_is_named_though_the_rows_cannot_be_told_apart(
    watched: Watched,
) -> None:
    """The panel says that inputs moved together, and which, below the AUC's limit."""
    values = {"auc": 0.51, "limit": 0.55, "columns": {}, "reason": None}
    start = NOW - timedelta(weeks=1)
    said = [
        multivariate(
            [WindowResult(start, NOW, "domain", values | {"pair": pair})],
            [start],
            start,
        )
        for pair in (["clarity", "signal"], None)
    ]

    assert all(said)
    assert said[0].pair == ("clarity", "signal")
    assert said[0].sentence.startswith(
        "Inputs moved together: the relation of clarity and signal changed"
    )
    assert said[1].sentence.startswith("Reference and window cannot be told apart")


def test_only_a_window_with_rows_that_goes_on_is_called_unfinished(
    watched: Watched,
) -> None:
    """Rows that ended a week ago are over though the range goes on; a month is not."""
    later = watched.drift.view(
        VIEWER, replace(ASKED, text_to=(NOW + timedelta(days=10)).isoformat()), UTC_ZONE
    )
    month = view(watched, window="month")

    assert later.windows[-1].end > NOW
    assert not any("not over yet" in note for note in later.notes)
    assert month.windows[-1].end > NOW
    assert any("not over yet" in note for note in month.notes)


def test_the_snippet_asks_the_same_question(watched: Watched) -> None:
    """The Python names the model and every choice, and is valid."""
    code = view(watched, measure="js", segment="place=north").python

    compile(code, "snippet", "exec")
    for part in ("'causes'", "measure='js'", "segment='place=north'", "from_="):
        assert part in code


def test_questions_that_have_no_answer_are_refused(watched: Watched) -> None:
    """An unknown measure, reference, model or segment is named."""
    for wrong in ({"measure": "odd"}, {"reference": "odd"}, {"segment": "place=moon"}):
        with pytest.raises(InvalidInput):
            view(watched, **wrong)
    with pytest.raises(NotFound):
        view(watched, model="nobody")
    assert view(watched, measure="jsi").measure == "js"


def test_an_unknown_feature_is_said_and_another_one_shown(watched: Watched) -> None:
    """A stale link to a feature still opens, with a note."""
    found = view(watched, feature="gone")

    assert found.picked_feature == "clarity"
    assert any("gone" in note for note in found.notes)


def test_a_model_without_a_reference_says_how_to_set_one(watched: Watched) -> None:
    """Without a reference there is no drift to show, and the way out is named."""
    spec = ModelSpec("bare", "regression", (Feature("x", "numeric"),))
    watched.register(spec)
    found = watched.drift.view(VIEWER, DriftQuery("bare"), UTC_ZONE)

    assert found.windows == ()
    assert found.problem is not None
    assert "reference set" in found.problem
    assert watched.drift.verdicts(VIEWER, DriftQuery("bare"), UTC_ZONE)[1] == ()


def test_odd_columns_are_named_and_one_row_is_not_judged(watched: Watched) -> None:
    """An empty and a constant column and a window of one row: notes, no crash."""
    features = [*SPEC.features[:3], Feature("empty", "numeric")]
    features += [Feature("constant", "numeric"), SPEC.features[5]]
    weighed = tuple(replace(f, importance=0.2) for f in features)
    spec = replace(
        SPEC, name="odd", features=weighed, segments=(),
        columns=Columns(scores={"yes": "score"}, label="label"),
    )  # fmt: skip
    random = np.random.default_rng(9)
    known, one = causes.fine(random, "binary", 500), causes.fine(random, "binary", 1)
    for rows in (known, one):
        rows.x[:, 3], rows.x[:, 4] = np.nan, 5.0
    watched.register(spec)
    watched.inferences.set_reference(
        SYSTEM, "odd", [named(spec, known)], source="training"
    )
    watched.send(spec, one, times(NOW - timedelta(days=3), 1))
    watched.flush()
    found = watched.drift.view(VIEWER, replace(ASKED, model="odd"), UTC_ZONE)

    assert found.windows[-1].state == "cannot_tell"
    assert {row.cells[-1].state for row in found.features} == {"few"}
    notes = " ".join(found.notes)
    assert "empty: without any value" in notes
    assert "constant: constant in the reference" in notes


def test_nothing_of_the_view_depends_on_the_time_zone_of_the_server(
    watched: Watched,
) -> None:
    """Windows are UTC weeks, whatever zone the reader has."""
    berlin = watched.drift.view(VIEWER, ASKED, ZoneInfo("Europe/Berlin"))

    assert [w.start for w in berlin.windows] == [
        START + timedelta(weeks=week) for week in range(WEEKS)
    ]
    assert berlin.windows[0].start == datetime(2026, 1, 5, tzinfo=UTC)
