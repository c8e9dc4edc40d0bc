"""The Reports tab: make one, see what was made, let it be made by itself."""

from __future__ import annotations

from dash import html
from dash.development.base_component import Component

from dashboards import (
    ranges,
    report_form,
    report_preview,
    report_runs,
    report_schedules,
)
from dashboards.ids import ident
from services.reports.runs import RunsView
from services.units import Preferences

TAB = "reports"
PATH = "/monitoring/reports"


class IDS:
    """The ids of the tab that callbacks name; its parts have their own."""

    preview = ident(TAB, "preview-place")


def skeleton(_device_id: str | None = None) -> Component:
    """The tab before its first answer, with its controls, so typing is not lost."""
    return html.Div(
        [
            ranges.place(TAB),
            html.Div(
                [
                    report_form.form(),
                    html.Div(
                        [report_runs.place(), report_schedules.place()],
                        className="stack report-lists",
                    ),
                ],
                className="report-columns",
            ),
            html.Div(id=IDS.preview, className="report-preview-place"),
        ],
        className="report-tab",
    )


def declared() -> list[Component]:
    """The parts that only drawn pieces have."""
    return [
        *report_runs.declared(),
        *report_schedules.declared(),
        *report_preview.declared(),
    ]


def body(view: RunsView, prefs: Preferences) -> Component:
    """The list of what was asked for."""
    return report_runs.runs_card(view, prefs)
