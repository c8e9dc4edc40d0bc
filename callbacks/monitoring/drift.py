"""The Drift tab: the address says what is shown; controls and clicks write it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import unescape
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from dash import Input, Output, State, ctx, no_update
from dash.exceptions import PreventUpdate

from callbacks.errors import failed
from callbacks.model_addresses import model_known, window_changes
from callbacks.ranges import register_range
from callbacks.registration import Callbacks, caller, preferences
from dashboards import links
from dashboards.monitoring import drift as tab
from dashboards.monitoring.drift import IDS
from dashboards.shell import IDS as SHELL
from services.access import Principal
from services.drift_views import DriftQuery, DriftView

CONTROLS = (
    IDS.measure,
    IDS.reference,
    IDS.text,
    IDS.window,
    IDS.segment,
    IDS.version,
)
EMPTY: Mapping[str, str] = {
    "measure": "psi",
    "reference": "pinned",
    "q": "",
    "window": tab.ANY,
    "segment": tab.ANY,
    "version": tab.ANY,
}
"""Keys of the address in the order of ``CONTROLS``, and what each holds by default."""
KEPT = (
    *((part, "options") for part in (IDS.window, IDS.segment, IDS.version)),
    *((part, "value") for part in CONTROLS),
)
"""What drawing the tab keeps in step with the address."""


PLACES = (IDS.map_head, IDS.map_place, IDS.map_notes, IDS.body)
"""Where the fields of a ``Body`` go."""


class Drift(Protocol):
    """The part of the drift service that the tab needs."""

    def view(self, caller: Principal, query: DriftQuery, zone: ZoneInfo) -> DriftView:
        """What the tab shows."""


class DriftServices(Protocol):
    """What the tab needs of the services."""

    @property
    def drift(self) -> Drift:
        """Drift."""


def register(callbacks: Callbacks, services: DriftServices) -> None:
    """Connect the tab."""
    register_range(
        callbacks,
        tab.TAB,
        "model.read",
        presets=tab.PRESETS,
        default=tab.DEFAULT_FROM,
    )
    _register_page(callbacks, services)
    _register_rest(callbacks, services)
    _register_controls(callbacks)
    _register_picking(callbacks)


def read_query(search: str | None) -> DriftQuery:
    """The query an address asks for; the service says what does not exist."""
    query = links.parse_search(search)
    return DriftQuery(
        model=query.get("model", ""),
        version=query.get("version", ""),
        measure=query.get("measure", EMPTY["measure"]),
        window=query.get("window", ""),
        segment=query.get("segment", ""),
        reference=query.get("reference", EMPTY["reference"]),
        feature=query.get("feature", ""),
        at=query.get("at", ""),
        text_from=query.get("from", tab.DEFAULT_FROM),
        text_to=query.get("to", tab.DEFAULT_TO),
    )


def _register_page(callbacks: Callbacks, services: DriftServices) -> None:
    @callbacks.on(
        "model.read",
        Output(IDS.verdict, "children"),
        *(Output(part, "children") for part in PLACES),
        *(Output(part, prop) for part, prop in KEPT),
        Input(SHELL.location, "search"),
        State(SHELL.location, "pathname"),
        *(State(part, prop) for part, prop in KEPT),
    )
    def show_drift(search: str | None, path: str, *held: object) -> Any:
        query, prefs = links.parse_search(search), preferences()
        values = [query.get(key) or empty for key, empty in EMPTY.items()]
        kept = _news(held, [*held[:3], *values])
        if not query.get("model"):
            return None, *tab.instead(tab.no_model()), *kept
        try:
            view = services.drift.view(caller(), read_query(search), prefs.zone)
            verdict = tab.verdict(view, prefs, path, search)
            drawn: Sequence[Any] = tab.first(view, prefs, path, search)
        except Exception as error:  # noqa: BLE001 - the reader gets the error state
            known = model_known(error, search)
            shown = tab.failure(failed(error), search, known=known)
            return None, *tab.instead(shown), *kept
        if view.windows:
            drawn = (*drawn[:-1], no_update)
        return verdict, *drawn, *_news(held, [*_options(view), *values])


def _register_rest(callbacks: Callbacks, services: DriftServices) -> None:
    """The cards below the map follow it: ten charts at once would keep it waiting."""

    @callbacks.on(
        "model.read",
        Output(IDS.body, "children", allow_duplicate=True),
        Input(IDS.map_notes, "children"),
        State(SHELL.location, "search"),
        prevent_initial_call=True,
    )
    def show_rest(notes: object, search: str | None) -> Any:
        if notes is None:  # something else stands in place of the map
            raise PreventUpdate
        prefs = preferences()
        try:
            view = services.drift.view(caller(), read_query(search), prefs.zone)
            return tab.rest(view, prefs)
        except Exception as error:  # noqa: BLE001 - the reader gets the error state
            known = model_known(error, search)
            return tab.failure(failed(error), search, known=known)


def _options(view: DriftView) -> list[object]:
    return [
        tab.window_options(view),
        tab.segment_options(view),
        tab.version_options(view),
    ]


def _news(held: Sequence[object], now: Sequence[object]) -> list[Any]:
    """What differs from what the page has, so that typing is not disturbed."""
    return [no_update if a == b else b for a, b in zip(held, now, strict=True)]


def _register_controls(callbacks: Callbacks) -> None:
    @callbacks.on(
        "model.read",
        Output(IDS.goto, "search"),
        *(Input(part, "value") for part in CONTROLS),
        State(SHELL.location, "search"),
        prevent_initial_call=True,
    )
    def choose(*values: object) -> str:
        *chosen, search = values
        changes = {
            key: None if value in {None, "", empty} else str(value)
            for (key, empty), value in zip(EMPTY.items(), chosen, strict=True)
        }
        now = str(search or "")
        if changes["window"] != links.parse_search(now).get("window"):
            changes |= window_changes(changes["window"], now)
        return changed(now, changes)


def changed(search: str | None, changes: Mapping[str, str | None]) -> str:
    """The query string with some keys changed.

    Raises:
        PreventUpdate: it says the same as before.
    """
    after = links.with_query(search, **changes)
    if links.parse_search(after) == links.parse_search(links.with_query(search)):
        raise PreventUpdate
    return after


def _register_picking(callbacks: Callbacks) -> None:
    @callbacks.on(
        "model.read",
        Output(IDS.map_goto, "search"),
        Input(IDS.map, "clickData"),
        Input(IDS.strip, "clickData"),
        State(IDS.at, "options"),
        State(SHELL.location, "search"),
        prevent_initial_call=True,
    )
    def pick_cell(
        cell: object, window: object, windows: object, search: str | None
    ) -> str:
        at_strip = ctx.triggered_prop_ids.get(f"{IDS.strip}.clickData") is not None
        return changed(search, clicked(window if at_strip else cell, windows))

    @callbacks.on(
        "model.read",
        Output(IDS.pick_goto, "search"),
        Input(IDS.feature, "value"),
        Input(IDS.at, "value"),
        State(SHELL.location, "search"),
        prevent_initial_call=True,
    )
    def pick_feature(feature: str | None, at: str | None, search: str | None) -> str:
        if ctx.triggered_id == IDS.at:
            return changed(search, {"at": at})
        return changed(search, {"feature": feature})


def clicked(event: object, windows: object) -> dict[str, str | None]:
    """What a click on the map or the strip picks: the keys of the address.

    Args:
        event: ``clickData`` of the graph; the strip's rows are numbers, not names.
        windows: the options of the window select: name on the axis and start.

    Raises:
        PreventUpdate: it is no click on a cell.
    """
    found = event.get("points") if isinstance(event, dict) else None
    if not isinstance(found, list) or not found or not isinstance(windows, list):
        raise PreventUpdate
    point = found[0] if isinstance(found[0], dict) else {}
    starts = {option.get("label"): option.get("value") for option in windows}
    at, name = starts.get(str(point.get("x"))), point.get("y")
    if at is None:
        raise PreventUpdate
    picked: dict[str, str | None] = {"at": str(at)}
    return picked | ({"feature": unescape(name)} if isinstance(name, str) else {})
