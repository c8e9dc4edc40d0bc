"""The charts and tables of one model in the performance report."""

from __future__ import annotations

from collections.abc import Sequence

from services.performance_numbers import decimals, view_decimals
from services.performance_views import (
    METRIC_WORDS,
    PerformanceView,
    PerformanceWindow,
    Point,
    provisional,
)
from services.reports.document import (
    Block,
    Cell,
    Column,
    Limit,
    Line,
    LineChart,
    Table,
)


def charts(view: PerformanceView, name: str) -> tuple[Block, ...]:
    """Realised and estimated with their bands, labels arrived, and the gap."""
    metric = METRIC_WORDS[view.metric]
    at = tuple(w.start for w in view.windows)
    realised = _line("Realised", view, [w.realised for w in view.windows])
    estimated = _line("Estimated", view, [w.estimated for w in view.windows])
    weighted = Line(
        "Density-weighted estimate",
        at,
        tuple(w.weighted.value for w in view.windows),
        style="dashed",
    )
    lines = [realised, estimated]
    if any(value is not None for value in weighted.y):
        lines.append(weighted)
    coverage = tuple(w.coverage * 100 if w.rows else None for w in view.windows)
    gap = _line("Realised minus estimated", view, [w.gap for w in view.windows])
    outside = sum(w.outside for w in view.windows)
    return (
        LineChart(
            f"trend-{name}",
            f"{metric} of {name}, by {view.window}",
            metric,
            tuple(lines),
            _limits(view),
        ),
        LineChart(
            f"coverage-{name}",
            "Labels arrived",
            "%",
            (Line("Share of the predictions", at, coverage, style="steps"),),
        ),
        LineChart(
            f"gap-{name}",
            "Realised minus estimated",
            metric,
            (gap,),
            (Limit("No change", 0.0, "plain"),),
            f"The band leaves 0 in {outside} of {len(view.windows)} windows.",
        ),
    )


def _line(name: str, view: PerformanceView, points: Sequence[Point]) -> Line:
    return Line(
        name,
        tuple(w.start for w in view.windows),
        tuple(p.value for p in points),
        tuple(p.low for p in points),
        tuple(p.high for p in points),
        style="line" if name == "Realised" else "dashed",
    )


def _limits(view: PerformanceView) -> tuple[Limit, ...]:
    found, digits = [], view_decimals(view)
    if view.threshold.value is not None:
        words = f"Threshold: alert {view.threshold.side}"
        found.append(Limit(words, round(view.threshold.value, digits)))
    if view.reference.value is not None:
        value = round(view.reference.value, digits)
        found.append(Limit("Reference", value, "plain"))
    return tuple(found)


def window_table(view: PerformanceView, name: str) -> Table:
    """The numbers of the chart, oldest first."""
    digits = view_decimals(view)
    triples = [
        Column(f"{key}{part}", title if not part else part[1:], decimals=digits)
        for key, title in (
            ("realised", "Realised"),
            ("estimated", "Estimated"),
            ("gap", "Gap"),
        )
        for part in ("", "_low", "_high")
    ]
    columns = (
        Column("start", f"{view.window.capitalize()} from", width=2.0),
        Column("rows", "Rows", decimals=0),
        Column("labelled", "Labelled", decimals=0),
        Column("coverage", "Labels", "%", 0),
        *triples,
        Column("note", "Note", width=2.2),
    )
    early = provisional(view.windows)
    rows = tuple(
        _row(window, soon) for window, soon in zip(view.windows, early, strict=True)
    )
    title = f"{METRIC_WORDS[view.metric]} of {name} for each {view.window}"
    return Table(f"windows-{name}", title, columns, rows)


def _row(window: PerformanceWindow, early: bool) -> tuple[Cell, ...]:
    notes = [
        words
        for words, holds in (
            ("gap leaves its band", window.outside),
            ("provisional", early),
            (window.realised.reason or "", window.realised.value is None),
        )
        if holds and words
    ]
    return (
        window.start,
        window.rows,
        window.labelled,
        window.coverage * 100 if window.rows else None,
        *_three(window.realised),
        *_three(window.estimated),
        *_three(window.gap),
        "; ".join(notes),
    )


def _three(point: Point) -> tuple[Cell, Cell, Cell]:
    return point.value, point.low, point.high


def segment_table(view: PerformanceView, name: str) -> Table:
    """The metric in each segment over the whole range."""
    known = [row.realised.value for row in view.segment_rows]
    digits = decimals(view.metric, [*known, view.reference.value])
    columns = (
        Column("segment", "Segment", width=3.0),
        Column("rows", "Predictions", decimals=0),
        Column("labelled", "Labelled", decimals=0),
        Column("realised", "Realised", decimals=digits),
        Column("realised_low", "low", decimals=digits),
        Column("realised_high", "high", decimals=digits),
        Column("estimated", "Estimated", decimals=digits),
        Column("state", "State"),
    )
    rows = tuple(
        (
            row.segment,
            row.rows,
            row.labelled,
            *_three(row.realised),
            row.estimated.value,
            "Worse" if row.worse else "",
        )
        for row in view.segment_rows
    )
    title = f"{METRIC_WORDS[view.metric]} of {name} in each segment, whole range"
    return Table(f"segments-{name}", title, columns, rows)
