"""The drift report: what moved, by how much, and whether it matters."""

from __future__ import annotations

from collections.abc import Mapping

from data.model_records import Model
from services.drift_views import MEASURES, DriftQuery, DriftView
from services.drift_words import MARKED, formula, verdict_sentence
from services.models_views import VERDICTS
from services.performance_numbers import period
from services.reports.compose_parts import Job, Made, Template, reference_fact
from services.reports.compose_windows import coarse_note, window_of
from services.reports.document import (
    Block,
    Column,
    Figure,
    Figures,
    Section,
    Table,
    Text,
    Tone,
)
from services.reports.drift_tables import (
    SCORED,
    Moved,
    features_blocks,
    heat_map,
    quality_blocks,
    window_table,
)
from services.wording import number

TEMPLATE = Template(
    key="drift",
    title="Data drift",
    description="What moved in the inputs of each model: features by windows, the "
    "verdict of every window, features by harm, every score, and missing values.",
    sections=(
        ("summary", "All models"),
        ("verdict", "Verdict"),
        ("map", "Features by windows"),
        ("features", "Features"),
        ("quality", "Data quality"),
        ("windows", "Every window"),
    ),
    needs="models",
    permissions=("model.read",),
    chapters=True,
)
TONES: Mapping[str, Tone] = {"look": "watch", "fine": "good"}


def made(job: Job) -> Made:
    """The report on the models of a job."""
    found = job.each_model(lambda model: _moved(job, model), "Drift")
    sections: list[Section] = []
    if not found:
        words = "No model is registered that is not archived."
        sections.append(Section("summary", "All models", (Text(words),)))
    elif job.wants("summary"):
        sections.append(Section("summary", "All models", (_summary(found),)))
    for moved in found:
        sections += _chapter(job, moved)
    hashes = [reference_fact(m.model, m.view.reference_hash) for m in found]
    notes = [note for m in found for note in (m.note, *m.view.notes) if note]
    if any(m.view.problem is None for m in found):
        notes += [f"{MEASURES[m]}: {formula(m, numeric=True)}" for m in SCORED]
        notes.append(
            "Harm: shift × importance × local change of performance in the window "
            "shown, as the expected change of the headline metric."
        )
    return Made(sections, tuple(hashes), notes)


def _moved(job: Job, model: Model) -> Moved:
    name, (start, end) = model.spec.name, job.span
    window = window_of(model.spec.window, job.query.start, job.query.end)
    asked = SCORED if job.wants("features") else SCORED[:1]
    views: dict[str, DriftView] = {}
    for measure in asked:
        query = DriftQuery(
            name, measure=measure, window=window, text_from=start, text_to=end
        )
        views[measure] = job.sources.drift.view(job.caller, query, job.prefs.zone)
        if views[measure].problem is not None:
            break
    return Moved(model, views, coarse_note(model.spec, window))


def _summary(found: list[Moved]) -> Table:
    columns = (
        Column("model", "Model", width=1.5),
        Column("version", "Version"),
        Column("window", "Window from", width=1.2),
        Column("verdict", "Verdict", width=1.3),
        Column("moved", "Moved", decimals=0),
        Column("rows", "Rows", decimals=0),
        Column("sentence", "In a sentence", width=7.0),
    )
    rows = []
    for moved in found:
        view = moved.view
        cells = [row.cells[moved.place] for row in view.features]
        rows.append(
            (
                moved.model.spec.name,
                view.version,
                view.picked_start,
                VERDICTS.get(view.verdict.verdict, "") if view.verdict else "No data",
                sum(c.state in MARKED for c in cells) if view.verdict else None,
                view.verdict.rows if view.verdict else None,
                view.problem or verdict_sentence(view.verdict, view.harmful),
            )
        )
    return Table("summary", "The newest window of each model", columns, rows)


def _chapter(job: Job, moved: Moved) -> list[Section]:
    view, name = moved.view, moved.model.spec.name
    if view.problem is not None:
        return [Section(f"model-{name}", name, (Text(view.problem, "watch"),))]
    head = _verdict(job, moved) if job.wants("verdict") else ()
    parts: list[tuple[str, tuple[Block, ...]]] = [
        ("map", (heat_map(job, view, name),)),
        ("features", features_blocks(moved, name)),
        ("quality", quality_blocks(moved, name)),
        ("windows", (window_table(view, name),)),
    ]
    titles = dict(TEMPLATE.sections)
    found = [
        Section(f"{key}-{name}", titles[key], blocks, level=2)
        for key, blocks in parts
        if job.wants(key)
    ]
    if not head and not found:
        return []
    return [Section(f"model-{name}", name, head), *found]


def _verdict(job: Job, moved: Moved) -> tuple[Block, ...]:
    view = moved.view
    if view.verdict is None:
        return (Text("There is no window to judge in this range."),)
    when = period(view.verdict.start, view.window, job.prefs)
    sentence = verdict_sentence(view.verdict, view.harmful)
    tone = TONES.get(view.verdict.state, "plain")
    cells = [cell for row in view.features for cell in row.cells]
    moved_now = sum(row.cells[moved.place].state in MARKED for row in view.features)
    return (
        Text(f"{when[:1].upper()}{when[1:]}: {sentence}", tone),
        Figures(
            (
                Figure(
                    "Features that moved",
                    moved_now,
                    note=f"of {len(view.features)} in the window shown",
                    decimals=0,
                    tone="watch" if moved_now else "plain",
                ),
                Figure(
                    "Cells that moved",
                    sum(c.state in MARKED for c in cells),
                    decimals=0,
                    note=f"of {number(len(cells), 0)} in {len(view.windows)} windows",
                ),
                Figure(
                    "Cells too small to judge",
                    sum(c.state in {"few", "none"} for c in cells),
                    decimals=0,
                ),
                Figure(
                    "Rows",
                    view.verdict.rows,
                    decimals=0,
                    note=f"{number(view.reference_rows, 0)} in the reference",
                ),
            )
        ),
    )
