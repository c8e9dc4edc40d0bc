"""The Performance tab: drawn from the address; controls write the address."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from dash import Input, Output, Patch, State, ctx, no_update
from dash.exceptions import PreventUpdate

from callbacks.errors import explained, failed, show_toast
from callbacks.model_addresses import changed, model_known, window_changes
from callbacks.ranges import register_range
from callbacks.registration import Callbacks, caller, preferences
from dashboards import links
from dashboards.figures.intervals import threshold_shape
from dashboards.monitoring import performance as tab
from dashboards.monitoring.performance import IDS
from dashboards.performance_threshold import IDS as FORM
from dashboards.performance_threshold import preview
from dashboards.performance_words import DEFAULT_FROM, DEFAULT_TO
from dashboards.shell import IDS as SHELL
from services.access import Principal
from services.errors import InvalidInput
from services.performance_views import (
    METRIC_WORDS,
    PerformanceQuery,
    PerformanceView,
    ThresholdView,
)


class Performance(Protocol):
    """What the tab asks of the service."""

    def view(
        self, caller: Principal, query: PerformanceQuery, zone: ZoneInfo
    ) -> PerformanceView:
        """The whole tab."""

    def preview_threshold(
        self,
        caller: Principal,
        query: PerformanceQuery,
        side: str,
        value: float,
        zone: ZoneInfo,
    ) -> ThresholdView:
        """What a threshold would have done in the past year."""

    def set_threshold(
        self,
        caller: Principal,
        model: str,
        metric: str,
        side: str,
        value: float | None,
    ) -> None:
        """Keep a threshold, or remove it with ``None``."""


class PerformanceServices(Protocol):
    """What the tab needs of the services."""

    @property
    def performance(self) -> Performance:
        """Performance."""


def register(callbacks: Callbacks, services: PerformanceServices) -> None:
    """Connect the tab."""
    register_range(
        callbacks, tab.TAB, "model.read", presets=tab.PRESETS, default=tab.DEFAULT
    )
    _register_page(callbacks, services)
    _register_controls(callbacks)
    _register_pick(callbacks)
    _register_fill(callbacks)
    _register_preview(callbacks, services)
    _register_save(callbacks, services)


def read_query(search: str | None) -> PerformanceQuery:
    """The query an address asks for; the default range is the last year."""
    query = links.parse_search(search)
    return PerformanceQuery(
        model=query.get("model", ""),
        version=query.get("version", ""),
        metric=query.get("metric", ""),
        window=query.get("window", ""),
        segment=query.get("segment", ""),
        against=query.get("against", ""),
        at=query.get("at", ""),
        text_from=query.get("from", DEFAULT_FROM),
        text_to=query.get("to", DEFAULT_TO),
    )


def _register_page(callbacks: Callbacks, services: PerformanceServices) -> None:
    @callbacks.on(
        "model.read",
        Output(IDS.head, "children"),
        Output(IDS.body, "children"),
        Input(SHELL.location, "search"),
        Input(IDS.saved, "data"),
    )
    def show_performance(search: str | None, _saved: object) -> Any:
        query, prefs = read_query(search), preferences()
        if not query.model:
            return None, tab.no_model()
        may_edit = caller().may("model.write")
        try:
            view = services.performance.view(caller(), query, prefs.zone)
            shown = tab.body(view, prefs, search, may_edit=may_edit)
            return tab.head(view, prefs, search), shown
        except Exception as error:  # noqa: BLE001 - the reader gets the error state
            known = model_known(error, search)
            return None, tab.failure(failed(error), search, known=known)


def _register_controls(callbacks: Callbacks) -> None:
    @callbacks.on(
        "model.read",
        Output(IDS.goto, "search"),
        *(Input(part, "value") for part in tab.CONTROLS),
        State(IDS.held, "data"),
        State(SHELL.location, "search"),
        prevent_initial_call=True,
    )
    def choose(*sent: Any) -> str:
        *values, held, search = sent
        changes = changed(tab.KEYS, values, held)
        if not changes:
            raise PreventUpdate
        if "window" in changes:
            changes |= window_changes(changes["window"], search)
        return links.with_query(search, **changes)


def _register_pick(callbacks: Callbacks) -> None:
    @callbacks.on(
        "model.read",
        Output(IDS.goto_at, "search"),
        Input(IDS.chart, "clickData"),
        State(SHELL.location, "search"),
        prevent_initial_call=True,
    )
    def pick_window(click: Mapping[str, Any] | None, search: str | None) -> str:
        points = (click or {}).get("points") or []
        start = next((p["customdata"] for p in points if p.get("customdata")), None)
        if not isinstance(start, str):
            raise PreventUpdate
        return links.with_query(search, at=start)


def _register_fill(callbacks: Callbacks) -> None:
    @callbacks.on(
        "model.write",
        Output(FORM.value, "value"),
        Input(FORM.suggest, "n_clicks"),
        Input(IDS.chart, "relayoutData"),
        State(FORM.threshold, "data"),
        prevent_initial_call=True,
    )
    def fill_limit(
        clicks: int | None, change: Mapping[str, Any] | None, held: Any
    ) -> float:
        asked = ctx.triggered_id == FORM.suggest and clicks
        value = held.get("suggested") if asked else dragged(change)
        if value is None:
            raise PreventUpdate
        return round(float(value), int(held["digits"]))


def dragged(change: Mapping[str, Any] | None) -> float | None:
    """Where the threshold was dropped, if a change of the chart says so."""
    value = (change or {}).get("shapes[0].y0")
    return float(value) if isinstance(value, int | float) else None


def _register_preview(callbacks: Callbacks, services: PerformanceServices) -> None:
    @callbacks.on(
        "model.write",
        Output(FORM.preview, "children"),
        Output(IDS.chart, "figure"),
        Input(FORM.value, "value"),
        Input(FORM.side, "value"),
        State(FORM.threshold, "data"),
        State(SHELL.location, "search"),
        prevent_initial_call=True,
    )
    def show_preview(value: object, side: str, held: Any, search: str | None) -> Any:
        try:
            shown = previewed(services, value, side, held, search)
        except Exception as error:  # noqa: BLE001 - said where the limit is typed
            return explained(error)[0], no_update
        return preview(shown), moved(shown, held)


def previewed(
    services: PerformanceServices,
    value: object,
    side: str,
    held: Mapping[str, Any],
    search: str | None,
) -> ThresholdView:
    """What the limit in the form would have done.

    Raises:
        InvalidInput: it is no number.
    """
    limit, metric = parse_limit(value), str(held["metric"])
    if limit is None:
        return ThresholdView(metric, side, None, 0, 0, held.get("suggested"))
    zone, query = preferences().zone, read_query(search)
    return services.performance.preview_threshold(caller(), query, side, limit, zone)


def moved(threshold: ThresholdView, held: Mapping[str, Any]) -> Patch:
    """The change of the figure that puts the line where the limit is."""
    figure = Patch()
    shape = threshold_shape(threshold, int(held["digits"]), preferences().theme)
    figure["layout"]["shapes"] = [shape]
    # Another revision, or Plotly keeps the line where it was dragged to.
    figure["layout"]["editrevision"] = f"{threshold.side} {threshold.value} new"
    return figure


def parse_limit(value: object) -> float | None:
    """The limit in the form; ``None`` when it is empty.

    Raises:
        InvalidInput: it is no number.
    """
    if value is None or value == "":
        return None
    try:
        return float(str(value))
    except ValueError:
        raise InvalidInput("The limit is not a number.") from None


def _register_save(callbacks: Callbacks, services: PerformanceServices) -> None:
    @callbacks.on(
        "model.write",
        Output(IDS.saved, "data"),
        Input(FORM.save, "n_clicks"),
        Input(FORM.remove, "n_clicks"),
        State(FORM.value, "value"),
        State(FORM.side, "value"),
        State(FORM.threshold, "data"),
        State(IDS.saved, "data"),
        State(SHELL.location, "search"),
        prevent_initial_call=True,
    )
    def save_limit(*sent: Any) -> int:
        *clicks, value, side, held, saved, search = sent
        if not any(clicks):
            raise PreventUpdate
        keep = ctx.triggered_id != FORM.remove
        said = save(services, read_query(search).model, value, side, held, keep=keep)
        show_toast("good", "Saved", said)
        return int(saved or 0) + 1


def save(
    services: PerformanceServices,
    model: str,
    value: object,
    side: str,
    held: Mapping[str, Any],
    *,
    keep: bool,
) -> str:
    """Keep or remove the threshold; what was done, in words.

    Raises:
        InvalidInput: there is no number to keep.
    """
    limit, metric = parse_limit(value) if keep else None, str(held["metric"])
    if keep and limit is None:
        raise InvalidInput("Type a limit to save, or remove the threshold.")
    # What is removed is the limit in force, whatever side the form shows now.
    way = side if keep else str(held["side"])
    services.performance.set_threshold(caller(), model, metric, way, limit)
    name = METRIC_WORDS.get(metric, metric)
    if limit is None:
        return f"{name} has no threshold any more."
    return f"{name} alerts {side} {limit:g}."
