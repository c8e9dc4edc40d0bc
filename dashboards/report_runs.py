"""The reports that were asked for: how far they are, their files, what failed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from dashboards import dialogs, links, parts, text
from dashboards.ids import ident
from data.report_records import ReportRun
from services.reports.mailing import skipped_words
from services.reports.runs import EXPIRED, RunsView
from services.units import Preferences

TAB = "reports"
OPEN_MS, IDLE_MS = 1_000, 10_000
SHORT = 8
"""Characters of a checksum that are shown; all are copied."""
STATES: Mapping[str, tuple[str, str]] = {
    "waiting": ("pending", "Waiting"),
    "running": ("info", "Being made"),
    "done": ("good", "Done"),
    "failed": ("bad", "Failed"),
}
COLUMNS = ("Report", "Asked", "State", "File", "")


class IDS:
    """The ids that callbacks name."""

    place = ident(TAB, "runs")
    tick = ident(TAB, "runs-tick")
    changed = ident(TAB, "runs-changed")
    more = ident(TAB, "runs-more")
    remove_held = ident(TAB, "remove-held")


class ASK:
    """The question before a report is removed."""

    dialog = ident(TAB, "remove-dialog")
    question = ident(TAB, "remove-question")
    cancel = ident(TAB, "remove-cancel")
    confirm = ident(TAB, "remove-confirm")


def remove_id(key: Any) -> dict[str, Any]:
    """The id of a row's button; ``key`` may be Dash's ``ALL``."""
    return {"role": ident(TAB, "remove"), "key": key}


def place() -> Component:
    """Where the list will be: part of the tab's skeleton."""
    return html.Div(
        [
            html.Div(parts.skeleton(220), id=IDS.place),
            dcc.Interval(id=IDS.tick, interval=OPEN_MS),
            dcc.Store(id=IDS.changed),
            dcc.Store(id=IDS.remove_held),
            dialogs.question(ASK, "Remove", "danger"),
        ]
    )


def declared() -> list[Component]:
    """The parts that only a drawn list has."""
    return [html.Button(id=remove_id("x"))]


def interval(view: RunsView) -> int:
    """How soon to look again: often while something is being made."""
    busy = any(run.state in {"waiting", "running"} for run in view.runs)
    return OPEN_MS if busy else IDLE_MS


def runs_card(view: RunsView, prefs: Preferences) -> Component:
    """The list, newest first."""
    if not view.runs:
        advice = "Set the form and press Make PDF; the report appears here."
        return parts.card("Reports", parts.empty_state("No report yet", advice))
    rows = [_row(run, view, prefs) for run in view.runs]
    more = f"The newest {len(rows)}; older ones are listed by the REST endpoint."
    return parts.card(
        "Reports",
        parts.data_table("Reports, newest first", COLUMNS, rows),
        html.P(more, className="report-note") if view.more else None,
        class_name="report-runs",
    )


def _row(run: ReportRun, view: RunsView, prefs: Preferences) -> list[Any]:
    title = view.titles.get(run.template, run.template)
    made_by = view.schedules.get(run.schedule_id or 0)
    note = f"Schedule {made_by}" if made_by else None
    if run.schedule_id and not made_by:
        note = "By a schedule"
    return [
        html.Div(
            [
                html.Span([title, " ", parts.tag(run.format.upper())]),
                html.Div(_range(run, prefs), className="row-note report-range"),
                html.Div(note, className="row-note") if note else None,
            ]
        ),
        html.Div(
            [
                html.Span(run.asked_by),
                html.Div(
                    parts.moment(run.asked_at, view.now, prefs),
                    className="row-note report-range",
                ),
            ]
        ),
        state(run),
        _file(run),
        html.Button(
            [parts.icon("trash"), parts.hidden(f"Remove {title}")],
            id=remove_id(run.id),
            type="button",
            title="Remove",
            className="btn btn-outline-secondary btn-sm",
        ),
    ]


def _range(run: ReportRun, prefs: Preferences) -> str:
    try:
        start = datetime.fromisoformat(str(run.query["from"]))
        end = datetime.fromisoformat(str(run.query["to"]))
    except (KeyError, ValueError):
        return f"{run.query.get('from', '')} to {run.query.get('to', '')}"
    return f"{text.local_date(start, prefs)} to {text.local_date(end, prefs)}"


def state(run: ReportRun) -> Component:
    """How a run stands: a bar while it is made, the reason when it failed."""
    if run.removed_at is not None and run.step == EXPIRED:
        return html.Div(
            [parts.chip("unknown", "File removed"),
             html.Div("Kept as long as the setting says.", className="row-note")]
        )  # fmt: skip
    said = run.reason or skipped_words(run)
    shown: list[Any] = [parts.chip(*STATES[run.state])]
    if run.state == "running":
        share = round(run.progress * 100)
        shown.append(
            dbc.Progress(
                value=share,
                label=f"{share} %" if share >= 15 else "",
                class_name="report-progress",
            )
        )
        said = run.step
    return html.Div(
        [*shown, html.Div(said, className="row-note report-reason") if said else None]
    )


def _file(run: ReportRun) -> Component | str:
    if run.state != "done" or run.removed_at is not None:
        return text.NO_DATA
    return html.Div(
        [
            html.A(
                [parts.icon("download"), " Download"],
                href=links.href(f"/api/v1/reports/{run.id}/file"),
                title=run.file_name,
                download=run.file_name,
                className="report-download",
            ),
            html.Div(
                [size_words(run.size_bytes), *_checksum(run)],
                className="row-note report-checksum",
            ),
        ]
    )


def size_words(size: int | None) -> str:
    """Bytes in the unit people read: ``48.2 kB``."""
    if size is None:
        return text.NO_DATA
    for factor, unit in ((1_000_000, "MB"), (1_000, "kB")):
        if size >= factor:
            return f"{text.number(size / factor, 1)}{text.NO_BREAK}{unit}"
    return f"{text.number(size, 0)}{text.NO_BREAK}B"


def _checksum(run: ReportRun) -> list[Any]:
    if run.sha256 is None:
        return []
    words = f"SHA-256 {run.sha256}"
    return [
        html.Code(f"{run.sha256[:SHORT]}…", title=words),
        dcc.Clipboard(
            content=run.sha256, title="Copy the SHA-256", className="action copy"
        ),
    ]


def question(run: ReportRun) -> str:
    """What is asked before a run is removed."""
    if run.state in {"waiting", "running"}:
        return f"Stop making this {run.template} report and remove it?"
    name = run.file_name or f"{run.template} report"
    return f"Remove {name} for good? It is also gone for everybody who has its link."
