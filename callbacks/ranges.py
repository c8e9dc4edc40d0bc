"""The time range bar of a tab: drawn from the address, written to the address."""

from __future__ import annotations

from collections.abc import Sequence

from dash import Input, Output, State
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from callbacks.parsing import dates_search
from callbacks.registration import Callbacks, preferences
from dashboards.ids import ident
from dashboards.ranges import PRESETS, WEEK, range_bar
from dashboards.shell import IDS


def register_range(
    callbacks: Callbacks,
    tab: str,
    permission: str,
    *,
    presets: Sequence[tuple[str, str]] = PRESETS,
    default: str = WEEK[1],
) -> None:
    """Connect the range bar whose ``place`` is in the skeleton of ``tab``."""

    @callbacks.on(
        permission,
        Output(ident(tab, "range"), "children"),
        Input(IDS.location, "search"),
        State(IDS.location, "pathname"),
    )
    def show_range(search: str | None, path: str) -> Component:
        return range_bar(
            tab, path, search, preferences(), presets=presets, default=default
        )

    @callbacks.on(
        permission,
        Output(ident(tab, "range-goto"), "search"),
        Input(ident(tab, "range-dates"), "start_date"),
        Input(ident(tab, "range-dates"), "end_date"),
        State(IDS.location, "search"),
        prevent_initial_call=True,
    )
    def choose_range(first: str | None, last: str | None, search: str | None) -> str:
        if not first or not last:
            raise PreventUpdate
        return dates_search(search, first, last, preferences())
