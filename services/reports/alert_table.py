"""The alerts of the alerts report, one row for each."""

from __future__ import annotations

from collections.abc import Sequence

from data.alert_records import Alert
from services.alert_views import ended_at, evidence_of, state_of
from services.reports.compose_parts import Job
from services.reports.document import Cell, Column, Table
from services.units import QUANTITIES, convert, unit

MOST_LISTED = 5_000


def alert_table(job: Job, alerts: Sequence[Alert]) -> Table:
    """Every alert, newest first, its value in the reader's unit."""
    columns = (
        Column("raised_at", "Raised", width=1.5),
        Column("severity", "Severity"),
        Column("state", "State", width=1.1),
        Column("subject", "Subject", width=1.7),
        Column("rule", "Rule", width=1.7),
        Column("message", "Message", width=3.6),
        Column("value", "Value", decimals=2),
        Column("unit", "Unit", width=0.6),
        Column("activations", "Times", decimals=0, width=0.6),
        Column("minutes", "Lasted", "min", 0, width=0.8),
        Column("owner", "Owner"),
        Column("verdict", "Verdict", width=0.8),
    )
    more = len(alerts) - MOST_LISTED
    note = f"The newest {MOST_LISTED:,}; {more:,} older ones are left out."
    rows = tuple(_row(job, alert) for alert in alerts[:MOST_LISTED])
    return Table("alerts", "Newest first", columns, rows, note if more > 0 else "")


def _row(job: Job, alert: Alert) -> tuple[Cell, ...]:
    value, words = alert.value, evidence_of(alert).unit
    what = QUANTITIES.get(alert.metric)
    if what is not None and value is not None:
        value = round(convert(value, what.kind, job.prefs), what.decimals)
        words = unit(what.kind, job.prefs)
    end = ended_at(alert) or job.now
    return (
        alert.raised_at,
        alert.severity.capitalize(),
        state_of(alert, job.now),
        alert.subject_name,
        alert.rule_name,
        alert.message,
        value,
        words if value is not None else "",
        alert.activations,
        max((end - alert.started_at).total_seconds(), 0.0) / 60,
        alert.owner or "",
        alert.verdict or "",
    )
