"""The list of reports: drawn anew while something is made, rows removed on a yes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from dash import ALL, Input, Output, State, ctx, no_update
from dash.exceptions import PreventUpdate

from callbacks.errors import guarded, show_toast
from callbacks.registration import Callbacks, caller, preferences
from dashboards import report_runs as tab
from dashboards.report_runs import ASK, IDS, remove_id

if TYPE_CHECKING:
    from services.reports.desk import ReportDesk


class RunServices(Protocol):
    """What the list needs of the services."""

    @property
    def reports(self) -> ReportDesk:
        """The running of reports."""


def register(callbacks: Callbacks, services: RunServices) -> None:
    """Connect the list."""
    _register_list(callbacks, services)
    _register_removal(callbacks, services)


def _register_list(callbacks: Callbacks, services: RunServices) -> None:
    @callbacks.on(
        "report.run",
        Output(IDS.place, "children"),
        Output(IDS.tick, "interval"),
        Input(IDS.tick, "n_intervals"),
        Input(IDS.changed, "data"),
        State(IDS.tick, "interval"),
    )
    def show_runs(_ticks: object, _changed: object, held: object) -> Any:
        every = [tab.IDLE_MS]

        def drawn() -> Any:
            view = services.reports.runs.view(caller())
            every[0] = tab.interval(view)
            return tab.runs_card(view, preferences())

        shown = guarded(drawn)
        return shown, no_update if every[0] == held else every[0]


def _register_removal(callbacks: Callbacks, services: RunServices) -> None:
    @callbacks.on(
        "report.run",
        Output(ASK.dialog, "is_open"),
        Output(ASK.question, "children"),
        Output(IDS.remove_held, "data"),
        Input(remove_id(ALL), "n_clicks"),
        Input(ASK.cancel, "n_clicks"),
        prevent_initial_call=True,
    )
    def ask(_clicks: object, _cancelled: object) -> Any:
        part = ctx.triggered_id
        if part == ASK.cancel:
            return False, no_update, None
        # A button that is drawn anew has been pressed by nobody.
        if not isinstance(part, Mapping) or not ctx.triggered[0]["value"]:
            raise PreventUpdate
        run = services.reports.runs.get(caller(), str(part.get("key")))
        return True, tab.question(run), run.id

    @callbacks.on(
        "report.run",
        Output(ASK.dialog, "is_open", allow_duplicate=True),
        Output(IDS.changed, "data", allow_duplicate=True),
        Input(ASK.confirm, "n_clicks"),
        State(IDS.remove_held, "data"),
        prevent_initial_call=True,
    )
    def remove(clicks: int | None, run_id: object) -> Any:
        if not clicks or not isinstance(run_id, str):
            raise PreventUpdate
        services.reports.runs.remove(caller(), run_id)
        show_toast("good", "Removed", "The report is removed.")
        return False, f"removed {run_id}"
