"""The alerts report: what was raised, by what, and how long it waited."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from data.alert_pattern_store import Activation, Handling
from data.alert_records import SEVERITIES, Alert
from services.alert_patterns import (
    MOST_ROWS,
    Bar,
    median_of,
    pareto,
    seconds_to,
    seen_at,
)
from services.alert_views import AlertsQuery, state_of
from services.reports.alert_table import alert_table
from services.reports.compose_parts import Job, Made, Template
from services.reports.compose_time import bucket_edges, names_of, place_of
from services.reports.document import (
    BarChart,
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
from services.wording import NO_DATA, duration

TEMPLATE = Template(
    key="alerts",
    title="Alerts",
    description="What was raised in the range: by severity and state, day by day, by "
    "rule and subject, how long it waited for people, and every alert.",
    sections=(
        ("totals", "Totals"),
        ("timeline", "Over time"),
        ("pareto", "By rule and subject"),
        ("handling", "Time to acknowledge and resolve"),
        ("alerts", "Every alert"),
    ),
    needs="both",
    permissions=("alert.read",),
    chapters=False,
)
STATES: tuple[str, ...] = (
    "active",
    "acknowledged",
    "cleared",
    "shelved",
    "closed",
    "resolved",
)
PAGE = 500
NOTES = (
    "An alert counts in the range in which it was raised; its state is that of the "
    "moment this report was made.",
    "Activations: how often an alert of the range began or came back, as the Alerts "
    "tab counts them.",
    "Time to acknowledge: from raised to acknowledged, or to resolved where nobody "
    "acknowledged it first; medians are over the alerts that have got so far.",
)


@dataclass(frozen=True)
class Raised:
    """The alerts of a range, newest first, and their activations, oldest first.

    ``cut``: there are more activations than are counted.
    """

    alerts: Sequence[Alert]
    activations: Sequence[Activation]
    cut: bool


def made(job: Job) -> Made:
    """The report on the alerts of a range, of all subjects or those named."""
    raised = _raised(job)
    job.progress(0.5, "Alerts")
    notes = list(NOTES)
    if raised.cut:
        notes.append(f"Only the newest {MOST_ROWS:,} activations are counted.")
    if not raised.alerts and not raised.activations:
        words = Text("No alert was raised in this range.")
        return Made([Section("totals", "Totals", (words,))], footnotes=notes)
    blocks: dict[str, tuple[Block, ...]] = {
        "totals": _totals(job, raised),
        "timeline": (_timeline(job, raised.alerts),),
        "pareto": _paretos(raised.activations),
        "handling": (_handling(raised.alerts),),
        "alerts": (alert_table(job, raised.alerts),),
    }
    sections = [
        Section(key, title, blocks[key])
        for key, title in TEMPLATE.sections
        if job.wants(key)
    ]
    return Made(sections, footnotes=notes)


def _subjects(job: Job) -> frozenset[tuple[str, str]] | None:
    """Source and subject of what was named; ``None`` = everything."""
    named = [("model", m.spec.name) for m in job.models]
    named += [("device", d.id) for d in job.devices]
    return frozenset(named) or None


def _raised(job: Job) -> Raised:
    chosen = _subjects(job)
    alerts = tuple(
        alert
        for alert in _since(job)
        if chosen is None or (alert.source, alert.subject) in chosen
    )
    found = job.sources.activations.activations(job.query.start, MOST_ROWS)
    inside = tuple(
        one
        for one in found
        if one.at < job.query.end
        and (chosen is None or (one.source, one.subject) in chosen)
    )
    return Raised(alerts, inside, len(found) == MOST_ROWS)


def _since(job: Job) -> Iterator[Alert]:
    """The alerts raised in the range, newest first."""
    before: tuple[datetime, int] = (job.query.end, 0)
    query, more = AlertsQuery(state="all"), True
    while more:
        page, more = job.sources.alerts.after(job.caller, query, before, PAGE)
        for alert in page:
            if alert.raised_at < job.query.start:
                return
            before = (alert.raised_at, alert.id)
            yield alert


def _totals(job: Job, raised: Raised) -> tuple[Block, ...]:
    alerts = raised.alerts
    handled = [_handling_of(a) for a in alerts]
    seen = median_of([seconds_to(h, seen_at(h)) for h in handled])
    ended = median_of([seconds_to(h, h.resolved_at) for h in handled])
    urgent = sum(a.severity in {"critical", "high"} for a in alerts)
    still = sum(a.open for a in alerts)
    tone: Tone = "watch" if still else "good"
    items = (
        Figure("Alerts raised", len(alerts), decimals=0),
        Figure("Critical or high", urgent, decimals=0),
        Figure("Activations", len(raised.activations), decimals=0),
        Figure("Still open", still, decimals=0, tone=tone),
        Figure("Median time to acknowledge", _span(seen)),
        Figure("Median time to resolve", _span(ended)),
    )
    counts = Counter((a.severity, state_of(a, job.now)) for a in alerts)
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (
            severity.capitalize(),
            *(counts[severity, state] for state in STATES),
            sum(counts[severity, state] for state in STATES),
        )
        for severity in SEVERITIES
    )
    columns = (
        Column("severity", "Severity"),
        *(Column(state, state.capitalize(), decimals=0) for state in STATES),
        Column("all", "All", decimals=0),
    )
    return (
        Figures(items),
        Table("totals", "Alerts by severity and state", columns, rows),
    )


def _span(span: timedelta | None) -> str:
    return NO_DATA if span is None else duration(span)


def _handling_of(alert: Alert) -> Handling:
    return Handling(
        alert.rule_key,
        alert.severity,
        alert.raised_at,
        alert.acknowledged_at,
        alert.resolved_at,
    )


TINTS: Mapping[str, str] = {
    "critical": "bad",
    "high": "series-2",
    "medium": "watch",
    "low": "accent",
}


def _timeline(job: Job, alerts: Sequence[Alert]) -> BarChart:
    name, edges = bucket_edges(job.query.start, job.query.end, job.prefs)
    counts = Counter((a.severity, place_of(a.raised_at, edges)) for a in alerts)
    places = range(len(edges) - 1)
    return BarChart(
        "timeline",
        f"Alerts raised by {name}",
        "alerts",
        tuple(names_of(name, edges, job.prefs)),
        tuple(
            (severity.capitalize(), tuple(float(counts[severity, p]) for p in places))
            for severity in SEVERITIES
        ),
        stacked=True,
        tints=tuple(TINTS[severity] for severity in SEVERITIES),
    )


def _paretos(activations: Sequence[Activation]) -> tuple[Block, ...]:
    rules = pareto((a.rule_key, a.rule_name, a.source) for a in activations)
    subjects = pareto((a.subject, a.subject_name, a.source) for a in activations)
    return (
        *_pareto("rules", "Activations by rule", "Rule", rules),
        *_pareto("subjects", "Activations by subject", "Subject", subjects),
    )


def _pareto(key: str, title: str, what: str, bars: Sequence[Bar]) -> tuple[Block, ...]:
    columns = (
        Column("name", what, width=3.0),
        Column("key", "Key", width=2.0),
        Column("source", "Source"),
        Column("activations", "Activations", decimals=0),
        Column("share", "Share so far", "%", 0),
    )
    rows = tuple((b.name, b.key, b.source, b.count, b.share * 100) for b in bars)
    names = tuple(b.name for b in bars)
    values = tuple(float(b.count) for b in bars)
    chart = BarChart(f"{key}-chart", title, "", names, (("Activations", values),))
    return chart, Table(key, title, columns, rows)


def _handling(alerts: Sequence[Alert]) -> Table:
    """How long alerts waited, by severity; times in minutes."""
    rows: list[tuple[Cell, ...]] = []
    for severity in SEVERITIES:
        handled = [_handling_of(a) for a in alerts if a.severity == severity]
        waits = [seconds_to(h, seen_at(h)) for h in handled]
        ends = [seconds_to(h, h.resolved_at) for h in handled]
        rows.append(
            (
                severity.capitalize(),
                len(handled),
                sum(w is not None for w in waits),
                _minutes(median_of(waits)),
                sum(e is not None for e in ends),
                _minutes(median_of(ends)),
            )
        )
    columns = (
        Column("severity", "Severity"),
        Column("alerts", "Alerts", decimals=0),
        Column("acknowledged", "Acknowledged", decimals=0),
        Column("to_acknowledge", "Median to acknowledge", "min", 1),
        Column("resolved", "Resolved", decimals=0),
        Column("to_resolve", "Median to resolve", "min", 1),
    )
    return Table("handling", "How long alerts waited for people", columns, rows)


def _minutes(span: timedelta | None) -> float | None:
    return None if span is None else span.total_seconds() / 60
