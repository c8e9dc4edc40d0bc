"""The charts and tables of one model in the drift report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from data.model_records import Model
from services.drift_views import DriftCell, DriftView
from services.drift_words import MARKED, SHORT_STATES
from services.models_views import VERDICTS
from services.reports.compose_parts import Job
from services.reports.document import (
    BarChart,
    Block,
    Cell,
    Column,
    HeatChart,
    Table,
)
from services.wording import local_date, local_time

SCORED = ("psi", "js", "ks")
MOST_TIMES = 16.0
"""The heat map's colours end here, as on the screen."""
MOST_COLUMNS = 60
TOP = 10


@dataclass(frozen=True)
class Moved:
    """A model and its tab, once for each measure; ``view`` is that of PSI."""

    model: Model
    views: Mapping[str, DriftView]
    note: str

    @property
    def view(self) -> DriftView:
        """The tab as it opens."""
        return self.views["psi"]

    @property
    def place(self) -> int:
        """The place of the window that the features are judged in."""
        starts = [w.start for w in self.view.windows]
        return starts.index(self.view.picked_start) if self.view.picked_start else 0


def times(cell: DriftCell) -> float | None:
    """How many times its expectation without drift a value is, from 1 to 16."""
    if cell.state in {"none", "few"} or cell.value is None or not cell.expected:
        return None
    return min(max(cell.value / cell.expected, 1.0), MOST_TIMES)


def heat_map(job: Job, view: DriftView, name: str) -> HeatChart:
    """Features by windows, as the tab shades them."""
    first = max(len(view.windows) - MOST_COLUMNS, 0)
    marked = frozenset(
        (r, c)
        for r, row in enumerate(view.features)
        for c, cell in enumerate(row.cells[first:])
        if cell.state in MARKED
    )
    words = local_time if view.window == "hour" else local_date
    note = (
        "Shade: how many times what chance alone would show, from once to 16 times. "
        "Marked: moved beyond chance. Empty: no rows, or too few to judge."
    )
    if first:
        note += f" The newest {MOST_COLUMNS} of {len(view.windows)} windows are drawn."
    return HeatChart(
        f"map-{name}",
        f"PSI of the features of {name}, by {view.window}",
        "× chance",
        tuple(words(w.start, job.prefs) for w in view.windows[first:]),
        tuple(row.name for row in view.features),
        tuple(tuple(times(c) for c in row.cells[first:]) for row in view.features),
        marked,
        note,
    )


def features_blocks(moved: Moved, name: str) -> tuple[Block, ...]:
    """The features of the window shown: those that moved by harm, and every score."""
    view, place = moved.view, moved.place
    known = [
        row
        for row in view.features
        if row.harm is not None and row.cells[place].state in MARKED
    ]
    known.sort(key=lambda row: -(row.harm or 0.0))
    blocks: list[Block] = []
    if known:
        top = known[:TOP]
        harm = tuple(row.harm for row in top)
        title = f"Features of {name} that moved in the window shown, by harm"
        names = tuple(row.name for row in top)
        blocks.append(BarChart(f"harm-{name}", title, "", names, (("Harm", harm),)))
    cells = {
        measure: {row.name: row.cells[place] for row in v.features}
        for measure, v in moved.views.items()
    }
    rows = tuple(
        (
            row.name,
            row.type,
            SHORT_STATES[row.cells[place].state],
            *(cells[m][row.name].value if m in cells else None for m in SCORED),
            row.cells[place].expected,
            row.cells[place].p,
            None if row.importance is None else row.importance * 100,
            row.harm,
            row.cells[place].rows,
        )
        for row in view.features
    )
    title = f"Scores of {name} in the window shown, most harmful first"
    blocks.append(Table(f"features-{name}", title, _SCORES, rows))
    return tuple(blocks)


_SCORES = (
    Column("feature", "Feature", width=2.4),
    Column("type", "Type", width=1.3),
    Column("state", "State", width=1.6),
    Column("psi", "PSI", decimals=3),
    Column("js", "JS distance", decimals=3),
    Column("ks", "KS distance", decimals=3),
    Column("expected", "PSI by chance", decimals=3),
    Column("p", "p (adjusted)", decimals=3),
    Column("importance", "Importance", "%", 1),
    Column("harm", "Harm", decimals=4),
    Column("rows", "Rows", decimals=0),
)


def quality_blocks(moved: Moved, name: str) -> tuple[Block, ...]:
    """Missing and unseen values of each feature."""
    view, place = moved.view, moved.place
    rows: list[tuple[Cell, ...]] = []
    for row in view.features:
        shares = [
            (c.missing, w.start)
            for c, w in zip(row.cells, view.windows, strict=True)
            if c.missing is not None
        ]
        worst = max(shares, key=lambda pair: pair[0], default=None)
        states = [c.state for c in row.cells]
        now = row.cells[place].missing
        rows.append(
            (
                row.name,
                None if now is None else now * 100,
                None if worst is None else worst[0] * 100,
                None if worst is None or not worst[0] else worst[1],
                states.count("missing"),
                states.count("unseen"),
            )
        )
    columns = (
        Column("feature", "Feature", width=2.0),
        Column("missing", "Missing, window shown", "%", 1),
        Column("missing_most", "Missing, highest", "%", 1),
        Column("missing_most_at", "in the window from", width=1.3),
        Column("windows_missing", "Windows with more missing than chance", decimals=0),
        Column("windows_unseen", "Windows with unseen categories", decimals=0),
    )
    return (
        Table(f"quality-{name}", f"Missing and unseen values of {name}", columns, rows),
    )


def window_table(view: DriftView, name: str) -> Table:
    """The verdict of every window."""
    columns = (
        Column("start", f"{view.window.capitalize()} from", width=1.2),
        Column("rows", "Rows", decimals=0, width=0.8),
        Column("verdict", "Verdict", width=1.4),
        Column("severity", "Severity", width=0.8),
        Column("moved", "Moved", decimals=0, width=0.7),
        Column("sentence", "In a sentence", width=8.0),
    )
    rows = tuple(
        (
            window.start,
            window.rows,
            VERDICTS.get(window.verdict, window.verdict),
            "" if window.severity == "none" else window.severity,
            sum(row.cells[place].state in MARKED for row in view.features),
            window.sentence,
        )
        for place, window in enumerate(view.windows)
    )
    return Table(f"windows-{name}", f"Verdicts of {name}", columns, rows)
