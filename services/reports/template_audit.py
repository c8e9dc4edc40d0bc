"""The audit report: what each model was and became, and who changed what.

It is a dossier for an auditor: a model card over time for every model, and the audit
trail of the range with the state of its chain. Both need ``audit.read``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from data.model_records import Model
from services.audit import MAX_PAGE, AuditLine
from services.drift_views import DriftQuery
from services.model_detail import delivery_row
from services.models_views import VERDICTS, ModelDetailView
from services.monitoring.verdicts import WindowVerdict
from services.reports.compose_parts import Job, Made, Template
from services.reports.compose_windows import coarse_note, window_of
from services.reports.document import (
    Block,
    Cell,
    Column,
    Figure,
    Figures,
    Section,
    Table,
    Text,
)
from services.wording import local_time

TEMPLATE = Template(
    key="audit",
    title="Audit",
    description="A card of each model over time (versions, references with their "
    "hash, thresholds, verdicts, deliveries) and the audit trail of the range.",
    sections=(
        ("card", "Model card"),
        ("versions", "Versions and references"),
        ("verdicts", "Verdicts"),
        ("deliveries", "Deliveries"),
        ("trail", "Audit trail"),
    ),
    needs="models",
    permissions=("audit.read", "model.read"),
    chapters=True,
)
MOST_LINES = 20_000
MOST_DELIVERIES = 2_000
NOTES = (
    "Versions, references and thresholds are those of the moment this report was "
    "made; verdicts, deliveries and the trail are those of its range.",
    "The hash of a reference is that of its rows: the same hash means the same "
    "reference.",
    "Audit trail: each line carries the hash of the line before it, so that a changed, "
    "deleted or inserted line shows; a cut tail does not.",
)


def made(job: Job) -> Made:
    """The report on the models of a job, and the trail of the range."""
    sections: list[Section] = []
    notes = list(NOTES)
    for chapter, note in job.each_model(lambda model: _chapter(job, model), "Card"):
        sections += chapter
        notes += [note] if note else []
    if job.wants("trail"):
        sections.append(Section("trail", "Audit trail", _trail(job)))
    return Made(sections, footnotes=notes)


def _chapter(job: Job, model: Model) -> tuple[list[Section], str]:
    name = model.spec.name
    window = window_of(model.spec.window, job.query.start, job.query.end)
    note = coarse_note(model.spec, window)
    view = job.sources.models.detail(job.caller, name)
    makers: dict[str, tuple[Block, ...]] = {}
    if job.wants("versions"):
        makers["versions"] = _versions(view, name)
    if job.wants("verdicts"):
        makers["verdicts"] = _verdicts(job, name, window)
    if job.wants("deliveries"):
        makers["deliveries"] = _deliveries(job, model)
    head = (_card(job, view, model),) if job.wants("card") else ()
    if not head and not makers:
        return [], ""
    titles = dict(TEMPLATE.sections)
    chapter = [
        Section(f"model-{name}", name, head),
        *(Section(f"{k}-{name}", titles[k], b, level=2) for k, b in makers.items()),
    ]
    return chapter, note


def _card(job: Job, view: ModelDetailView, model: Model) -> Table:
    row = view.row
    champion = next((v for v in view.versions if v.champion), None)
    names = [f.name for f in view.features if not f.retired]
    facts: list[tuple[str, str]] = [
        ("Kind", row.kind),
        ("Owner", row.owner),
        ("Description", view.description),
        ("Tags", ", ".join(row.tags)),
        ("Registered", local_time(view.created_at, job.prefs)),
        ("Changed last", local_time(model.updated_at, job.prefs)),
        ("Revision", str(model.revision)),
        ("Champion", row.version),
        ("Reference of the champion", (champion.reference or "") if champion else ""),
        ("Thresholds", "; ".join(view.thresholds)),
        ("Judged by the", view.window),
        ("Features", f"{len(names)}: {', '.join(names)}"),
        ("Classes", ", ".join(view.classes)),
        ("Segments", ", ".join(view.segments)),
        ("Newest verdict", f"{VERDICTS.get(row.verdict, row.verdict)}. {row.sentence}"),
        ("State", "archived" if row.archived else "in use"),
        ("Data", "simulated" if row.simulated else "sent from outside"),
    ]
    columns = (Column("fact", "What", width=1.0), Column("value", "Stated", width=3.5))
    rows = tuple((fact, value or "not stated") for fact, value in facts)
    return Table(f"card-{row.name}", f"Card of {row.name}", columns, rows)


def _versions(view: ModelDetailView, name: str) -> tuple[Block, ...]:
    versions = (
        Column("version", "Version"),
        Column("champion", "Champion", width=0.8),
        Column("created_at", "Registered", width=1.3),
        Column("rows", "Rows", decimals=0),
        Column("first_data", "First data", width=1.3),
        Column("last_data", "Last data", width=1.3),
    )
    rows = tuple(
        (
            v.version,
            "yes" if v.champion else "",
            v.created_at,
            v.rows,
            v.first_data,
            v.last_data,
        )
        for v in view.versions
    )
    made = tuple(
        (v.version, key, str(v.lineage[key]))
        for v in view.versions
        for key in sorted(v.lineage)
    )
    lineage = (
        Column("version", "Version", width=0.6),
        Column("what", "What"),
        Column("value", "Stated", width=4.0),
    )
    blocks = [
        Table(f"versions-{name}", f"Versions of {name}", versions, rows),
        _references(view, name),
    ]
    if made:
        blocks.append(Table(f"lineage-{name}", "Their making", lineage, made))
    return tuple(blocks)


def _references(view: ModelDetailView, name: str) -> Table:
    columns = (
        Column("version", "Version", width=0.6),
        Column("reference", "Hash", width=4.0),
        Column("reference_rows", "Rows", decimals=0, width=0.7),
        Column("source", "Source", width=1.6),
        Column("reference_at", "Set", width=1.3),
    )
    rows = tuple(
        (
            v.version,
            v.reference or "none",
            v.reference_rows,
            v.reference_source or "",
            v.reference_at,
        )
        for v in view.versions
    )
    return Table(f"references-{name}", f"References of {name}", columns, rows)


def _verdicts(job: Job, name: str, window: str) -> tuple[Block, ...]:
    start, end = job.span
    query = DriftQuery(name, window=window, text_from=start, text_to=end)
    version, found = job.sources.drift.verdicts(job.caller, query, job.prefs.zone)
    known = [v for v in found if v.state != "none"]
    if not known:
        return (Text("No window of this range was judged: no reference or no data."),)
    columns = (
        Column("start", f"{window.capitalize()} from", width=1.2),
        Column("rows", "Rows", decimals=0, width=0.8),
        Column("verdict", "Verdict", width=1.3),
        Column("severity", "Severity", width=0.8),
        Column("sentence", "In a sentence", width=7.5),
    )
    rows = tuple(_verdict(v) for v in known)
    title = f"Verdicts of {name}, version {version}"
    return (Table(f"verdicts-{name}", title, columns, rows),)


def _verdict(found: WindowVerdict) -> tuple[Cell, ...]:
    severity = "" if found.severity == "none" else found.severity
    words = VERDICTS.get(found.kind, found.kind)
    return found.start, found.rows, words, severity, found.sentence


def _deliveries(job: Job, model: Model) -> tuple[Block, ...]:
    known = job.sources.model_store.delivered(model.id, MOST_DELIVERIES)
    inside = [d for d in known if job.query.start <= d.at < job.query.end]
    if not inside:
        return (Text("Nothing was delivered in this range."),)
    columns = (
        Column("at", "At", width=1.3),
        Column("by", "By"),
        Column("kind", "Kind"),
        Column("source", "Source", width=2.0),
        Column("read", "Read", decimals=0),
        Column("taken", "Taken", decimals=0),
        Column("duplicates", "Twice", decimals=0),
        Column("rejected", "Refused", decimals=0),
        Column("notes", "Notes", width=2.5),
    )
    rows = []
    for row in map(delivery_row, inside):
        counts = (row.read, row.taken, row.duplicates, row.rejected)
        notes = " ".join(row.notes)
        rows.append((row.at, row.by, row.kind, row.source, *counts, notes))
    cut = len(known) == MOST_DELIVERIES and known[-1].at >= job.query.start
    note = f"Only the newest {MOST_DELIVERIES:,} deliveries are kept here."
    name = model.spec.name
    title = f"Deliveries for {name}, newest first"
    key = f"deliveries-{name}"
    return (Table(key, title, columns, tuple(rows), note if cut else ""),)


def _trail(job: Job) -> tuple[Block, ...]:
    broken = job.sources.audit.verify(job.caller)
    whole = broken is None
    chain = Figure(
        "Chain of the log",
        "intact" if whole else f"broken at line {broken}",
        note="every line was checked when this report was made",
        tone="good" if whole else "bad",
    )
    lines = list(_lines(job))
    cut = len(lines) > MOST_LINES
    lines = lines[:MOST_LINES]
    about = "of the models named " if job.query.models else ""
    count = Figure(f"Lines {about}in the range", len(lines), decimals=0)
    figures = Figures((chain, count))
    if not lines:
        return figures, Text("Nothing was written to the audit log in this range.")
    columns = (
        Column("id", "Line", decimals=0, width=0.6),
        Column("at", "At", width=1.4),
        Column("actor", "Who"),
        Column("action", "What", width=1.3),
        Column("subject", "On", width=1.6),
        Column("detail", "Detail", width=3.5),
    )
    rows = tuple(
        (line.id, line.at, line.actor, line.action, line.subject, _detail(line))
        for line in lines
    )
    note = f"Only the newest {MOST_LINES:,} lines of the range." if cut else ""
    return figures, Table("trail", "Newest first", columns, rows, note)


def _lines(job: Job) -> Iterator[AuditLine]:
    """The lines of the range, newest first; one more than fit, if there are."""
    names = set(job.query.models)
    before: int | None = None
    told = 0
    while page := job.sources.audit.lines(job.caller, MAX_PAGE, before):
        for line in page:
            if line.at < job.query.start or told > MOST_LINES:
                return
            if line.at < job.query.end and (not names or line.subject in names):
                told += 1
                yield line
        before = page[-1].id


def _detail(line: AuditLine) -> str:
    if not line.detail:
        return ""
    return json.dumps(line.detail, sort_keys=True, ensure_ascii=False, default=str)
