"""The performance report: how right each model was, as the Performance tab says it."""

from __future__ import annotations

from dataclasses import dataclass

from data.model_records import Model
from services.performance_numbers import STATES, decimals, interval, said, view_decimals
from services.performance_views import (
    METRIC_WORDS,
    PerformanceQuery,
    PerformanceView,
    PerformanceWindow,
    Point,
)
from services.reports.compose_parts import Job, Made, Template, reference_fact
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
    Tone,
)
from services.reports.performance_charts import charts, segment_table, window_table
from services.wording import number, share

TEMPLATE = Template(
    key="performance",
    title="Model performance",
    description="How right each model was: realised and estimated values with their "
    "bands, thresholds, label coverage and every window.",
    sections=(
        ("summary", "All models"),
        ("verdict", "Verdict and key figures"),
        ("trend", "Performance over time"),
        ("segments", "Segments"),
        ("windows", "Every window"),
    ),
    needs="models",
    permissions=("model.read",),
    chapters=True,
)
TONES: dict[str, Tone] = {"look": "watch", "fine": "good", "cannot_tell": "plain"}
NO_MODELS = "No model is registered that is not archived."


@dataclass(frozen=True)
class Judged:
    """A model and its tab."""

    model: Model
    view: PerformanceView
    note: str

    @property
    def picked(self) -> PerformanceWindow | None:
        """The window whose numbers are the key figures."""
        place = (w for w in self.view.windows if w.start == self.view.picked)
        return next(place, None)


def made(job: Job) -> Made:
    """The report on the models of a job."""
    found = job.each_model(lambda model: _judged(job, model), "Performance")
    sections: list[Section] = []
    if not found:
        sections.append(Section("summary", "All models", (Text(NO_MODELS),)))
    elif job.wants("summary"):
        sections.append(Section("summary", "All models", (_summary(found),)))
    for judged in found:
        sections += _chapter(job, judged)
    hashes = [reference_fact(j.model, j.view.reference_hash) for j in found]
    notes = [note for j in found for note in (j.note, *j.view.notes) if note]
    return Made(sections, tuple(hashes), notes)


def _judged(job: Job, model: Model) -> Judged:
    name, (start, end) = model.spec.name, job.span
    window = window_of(model.spec.window, job.query.start, job.query.end)
    query = PerformanceQuery(name, window=window, text_from=start, text_to=end)
    view = job.sources.performance.view(job.caller, query, job.prefs.zone, lean=True)
    return Judged(model, view, coarse_note(model.spec, window))


def _summary(found: list[Judged]) -> Table:
    columns = (
        Column("model", "Model", width=2.2),
        Column("version", "Version"),
        Column("state", "State", width=2.2),
        Column("window", "Window from", width=1.8),
        Column("realised", "Realised"),
        Column("realised_low", "low"),
        Column("realised_high", "high"),
        Column("estimated", "Estimated"),
        Column("reference", "Reference"),
        Column("threshold", "Threshold"),
        Column("coverage", "Labels", "%", 0),
        Column("rows", "Rows", decimals=0),
    )
    return Table(
        "summary",
        "The newest window with enough labels of each model",
        columns,
        tuple(_summary_row(judged) for judged in found),
    )


def _summary_row(judged: Judged) -> tuple[Cell, ...]:
    view, window = judged.view, judged.picked
    digits = view_decimals(view)

    def rounded(value: float | None) -> float | None:
        return None if value is None else round(value, digits)

    none = Point(None)
    realised = window.realised if window else none
    estimated = window.estimated if window else none
    return (
        judged.model.spec.name,
        view.version,
        STATES[view.state][1].format(METRIC_WORDS[view.metric]),
        window.start if window else None,
        rounded(realised.value),
        rounded(realised.low),
        rounded(realised.high),
        rounded(estimated.value),
        rounded(view.reference.value),
        rounded(view.threshold.value),
        window.coverage * 100 if window else None,
        window.rows if window else None,
    )


def _chapter(job: Job, judged: Judged) -> list[Section]:
    view, name = judged.view, judged.model.spec.name
    if view.problem is not None:
        return [Section(f"model-{name}", name, (Text(view.problem, "watch"),))]
    found: list[Section] = []
    head: tuple[Block, ...] = ()
    if job.wants("verdict"):
        head = (*_verdict(job, view), *_figures(judged))
    parts: list[tuple[str, tuple[Block, ...]]] = [
        ("trend", charts(view, name)),
        ("segments", (segment_table(view, name),) if view.segment_rows else ()),
        ("windows", (window_table(view, name),)),
    ]
    titles = dict(TEMPLATE.sections)
    for key, blocks in parts:
        if blocks and job.wants(key):
            found.append(Section(f"{key}-{name}", titles[key], blocks, level=2))
    if not head and not found:
        return []
    return [Section(f"model-{name}", name, head), *found]


def _verdict(job: Job, view: PerformanceView) -> tuple[Block, ...]:
    words = STATES[view.state][1].format(METRIC_WORDS[view.metric])
    sentence, early = said(view, job.prefs)
    first = Text(f"{words}. {sentence}", TONES[view.state])
    return (first, Text(early)) if early else (first,)


def _figures(judged: Judged) -> tuple[Block, ...]:
    view, window = judged.view, judged.picked
    if window is None:
        return (Text("No window of this range has labels yet."),)
    digits = view_decimals(view)
    gap_tone: Tone = "watch" if window.outside else "plain"
    key = (
        Figure("Predictions", window.rows, decimals=0, note="in the window shown"),
        Figure("Labels arrived", window.coverage * 100, "%", 0, _labels(window)),
        Figure(
            "Realised minus estimated",
            window.gap.value,
            decimals=digits,
            note=interval(window.gap, digits, sign=True) or window.gap.reason or "",
            tone=gap_tone,
        ),
    )
    tiles = []
    for tile in view.tiles:
        values = (tile.realised, tile.estimated, tile.reference)
        places = decimals(tile.metric, [p.value for p in values])
        around = interval(tile.realised, places) or tile.realised.reason or ""
        beside = (
            f"estimated {number(tile.estimated.value, places)}, reference "
            f"{number(tile.reference.value, places)}"
        )
        note = "; ".join(part for part in (around, beside) if part)
        name = METRIC_WORDS[tile.metric]
        tone: Tone = TONES[view.state] if tile.metric == view.metric else "plain"
        tiles.append(Figure(name, tile.realised.value, "", places, note, tone))
    return (Figures(tuple(tiles)), Figures(key))


def _labels(window: PerformanceWindow) -> str:
    whole = f"{number(window.labelled, 0)} of {number(window.rows, 0)}"
    return f"{whole} ({share(window.coverage)})"
