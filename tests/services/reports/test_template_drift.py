"""The drift and audit reports on real stores: their numbers are the Drift tab's."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from data.audit_store import AuditStore
from data.session import open_engine, unit_of_work
from services.access import Principal, Role
from services.audit import Audit
from services.drift_views import DriftQuery, DriftView
from services.drift_words import MARKED
from services.reports.document import Document, HeatChart
from services.reports.drift_tables import times
from tests.conftest import ADMIN, VIEWER
from tests.services.drift_samples import NOW, SPEC, START, Watched, fill, opened
from tests.services.reports.composing import (
    block,
    column,
    compose,
    figure,
    table,
    texts,
)

NAME = SPEC.name
OTHER = Principal("ops", Role.SYSTEM)


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """A model whose last four weeks have shifted, and lines of audit."""
    with opened(tmp_path_factory.mktemp("report-drift")) as made:
        fill(made)
        yield made


def report(
    watched: Watched,
    template: str = "drift",
    caller: Principal = VIEWER,
    **asked: object,
) -> Document:
    """A report on the twelve weeks."""
    start, end = asked.pop("start", START), asked.pop("end", NOW)
    return compose(
        watched.settings, caller, template, start, end, NOW, **asked  # type: ignore[arg-type]
    )  # fmt: skip


def tab(watched: Watched, measure: str = "psi") -> DriftView:
    """The tab on the same range."""
    query = DriftQuery(
        NAME, measure=measure, text_from=START.isoformat(), text_to=NOW.isoformat()
    )
    return watched.drift.view(VIEWER, query, ZoneInfo("UTC"))


def test_scores_are_those_of_the_tab_for_each_measure(watched: Watched) -> None:
    """PSI, JS, KS, p, harm and rows of every feature are the picked window's."""
    found, view = table(report(watched), f"features-{NAME}"), tab(watched)
    place = [w.start for w in view.windows].index(view.picked_start)  # type: ignore[arg-type]

    assert column(found, "feature") == [row.name for row in view.features]
    assert column(found, "harm") == [row.harm for row in view.features]
    assert column(found, "p") == [row.cells[place].p for row in view.features]
    for measure in ("psi", "js", "ks"):
        cells = {r.name: r.cells[place] for r in tab(watched, measure).features}
        values = [cells[row.name].value for row in view.features]
        assert column(found, measure) == values
    assert any(isinstance(v, float) and v > 0.1 for v in column(found, "psi"))


def test_the_heat_map_shades_and_marks_as_the_tab_does(watched: Watched) -> None:
    """Every cell is its value over what chance shows; moved cells are marked."""
    chart, view = block(report(watched), f"map-{NAME}"), tab(watched)
    assert isinstance(chart, HeatChart)
    moved = {
        (r, c)
        for r, row in enumerate(view.features)
        for c, cell in enumerate(row.cells)
        if cell.state in MARKED
    }

    assert chart.rows == tuple(row.name for row in view.features)
    assert len(chart.columns) == len(view.windows) == 12
    assert chart.marked == moved
    assert moved
    first = view.features[0].cells[-1]
    assert chart.values[0][-1] == times(first) == min(first.value / first.expected, 16)  # type: ignore[operator]


def test_verdicts_are_those_of_the_tab(watched: Watched) -> None:
    """Sentence, verdict and rows of every window stand in the table and the text."""
    document, view = report(watched), tab(watched)
    found = table(document, f"windows-{NAME}")

    assert column(found, "sentence") == [w.sentence for w in view.windows]
    assert column(found, "rows") == [w.rows for w in view.windows]
    assert view.verdict is not None
    assert any(view.verdict.sentence in words for words in texts(document))
    assert figure(document, "Rows").value == view.verdict.rows
    assert ("Reference", f"{NAME}: {view.reference_hash}") in document.facts
    assert any(note.startswith("PSI: PSI = ") for note in document.footnotes)


def test_composed_twice_it_is_equal(watched: Watched) -> None:
    """The same data and clock give the same documents."""
    assert report(watched) == report(watched)
    assert report(watched, "audit", ADMIN) == report(watched, "audit", ADMIN)


def test_a_range_without_predictions_says_where_there_are_some(
    watched: Watched,
) -> None:
    """An empty range has the tab's words and no table of its own."""
    start = START - timedelta(weeks=30)
    document = report(watched, start=start, end=start + timedelta(weeks=4))

    assert "has no predictions in this range" in texts(document)[0]
    assert [t.key for _, t in document.tables()] == ["summary"]


def test_the_card_has_versions_references_and_verdicts(watched: Watched) -> None:
    """The audit report tells the hash of the reference and every verdict judged."""
    document, view = report(watched, "audit", ADMIN), tab(watched)

    assert column(table(document, f"references-{NAME}"), "reference") == [
        view.reference_hash
    ]
    verdicts = table(document, f"verdicts-{NAME}")
    judged = [w.sentence for w in view.windows if w.state != "none"]
    assert column(verdicts, "sentence") == judged
    card = table(document, f"card-{NAME}")
    assert ("Champion", SPEC.version) in card.rows


def test_the_trail_has_the_lines_of_the_range_and_the_state_of_its_chain(
    watched: Watched,
) -> None:
    """Lines of the range stand there, newest first; a changed line breaks the chain."""
    engine = open_engine(watched.settings.operational_url)
    at = [START + timedelta(days=1)]
    audit = Audit(AuditStore(engine), lambda: at[0])
    with unit_of_work(engine) as tx:
        audit.record(tx, OTHER, "user.add", "vera", {"role": "viewer"})
        audit.record(tx, OTHER, "model.change", NAME, {"changed": ["owner"]})
        at[0] = NOW + timedelta(days=1)
        audit.record(tx, OTHER, "user.add", "late")
    everything = table(report(watched, "audit", ADMIN), "trail")
    named = table(report(watched, "audit", ADMIN, models=(NAME,)), "trail")

    subjects = column(everything, "subject")
    assert "vera" in subjects
    assert "late" not in subjects
    ids = column(everything, "id")
    assert ids == sorted(ids, reverse=True)  # type: ignore[type-var]
    assert column(everything, "detail")[subjects.index("vera")] == '{"role": "viewer"}'
    assert set(column(named, "subject")) == {NAME}
    whole = figure(report(watched, "audit", ADMIN), "Chain of the log")
    assert (whole.value, whole.tone) == ("intact", "good")


def test_a_log_that_was_tampered_with_says_where(watched: Watched) -> None:
    """Somebody who changes a line of the log is found by the report."""
    engine = open_engine(watched.settings.operational_url)
    with engine.begin() as connection:
        row = connection.execute(text("SELECT min(id) FROM audit")).scalar_one()
        for trigger in connection.execute(
            text("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        ).scalars():
            connection.execute(text(f"DROP TRIGGER {trigger}"))
        connection.execute(
            text("UPDATE audit SET actor = 'nobody' WHERE id = :id"), {"id": row}
        )

    broken = figure(report(watched, "audit", ADMIN), "Chain of the log")
    assert (broken.value, broken.tone) == (f"broken at line {row}", "bad")
