"""The Alerts tab: the address says what is shown, a quiet timer keeps it fresh."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from dash import ALL, Input, Output, State, ctx, no_update, set_props
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from callbacks import alert_actions, alert_rules
from callbacks.alert_actions import ActionServices, ticked
from callbacks.alert_rules import RuleServices
from callbacks.errors import failed, guarded
from callbacks.parsing import news
from callbacks.registration import Callbacks, caller, preferences
from dashboards import alert_detail, alert_facts, alert_patterns, links
from dashboards.alert_words import IDS, pick_id
from dashboards.filters import ANY
from dashboards.monitoring import alerts as tab
from dashboards.shell import IDS as SHELL
from services.alert_views import AlertsQuery
from services.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    from services.alert_patterns import AlertPatterns

CONTROLS = (IDS.text, IDS.source, IDS.metric, IDS.owner, IDS.age, IDS.sort)
CHOICES = (IDS.metric, IDS.owner)
KEPT = (
    *((part, "options") for part in CHOICES),
    *((part, "value") for part in CONTROLS),
)
"""What the list's callback keeps in step with the address."""
EMPTY = {
    "q": "",
    "source": ANY,
    "metric": ANY,
    "owner": ANY,
    "age": ANY,
    "sort": "worst",
}
"""Keys of the address in the order of ``CONTROLS``, and what each holds by default."""
QUIET = {f"{IDS.token}.data", f"{IDS.changed}.data"}
"""What says that something happened, and not that the reader went elsewhere."""


class AlertServices(ActionServices, RuleServices, Protocol):
    """What the tab needs of the services."""

    @property
    def alert_patterns(self) -> AlertPatterns:
        """What alerts teach."""


def register(callbacks: Callbacks, services: AlertServices) -> None:
    """Connect the tab."""
    _register_page(callbacks, services)
    _register_filters(callbacks)
    _register_clock(callbacks, services)
    alert_actions.register(callbacks, services)
    alert_rules.register(callbacks, services)


def read_query(search: str | None) -> AlertsQuery:
    """The query an address asks for.

    Raises:
        InvalidInput: it asks for something that does not exist.
    """
    query = links.parse_search(search)
    sort, page = query.get("sort", "worst"), query.get("page", "1")
    if not page.isdecimal() or len(page) > 9:
        raise InvalidInput("page must be a whole number from 1 on.")
    exact = ("source", "severity", "model", "device", "metric", "rule", "owner", "age")
    return AlertsQuery(
        state=query.get("state", "open"),
        **{name: query.get(name, "") for name in exact},  # type: ignore[arg-type]
        text=query.get("q", ""),
        sort=sort.removeprefix("-"),
        descending=sort.startswith("-"),
        page=int(page),
    )


def read_alert(search: str | None) -> int | None:
    """The alert that an address opens; ``None`` for a list.

    Raises:
        NotFound: what stands there is the number of no alert.
    """
    asked = links.parse_search(search).get("alert")
    if not asked:
        return None
    if not (asked.isascii() and asked.isdecimal() and len(asked) < 19):
        raise NotFound(f"There is no alert {asked[:40]}.")
    return int(asked)


def _register_page(callbacks: Callbacks, services: AlertServices) -> None:
    @callbacks.on(
        "alert.read",
        Output(IDS.views, "children"),
        Output(IDS.bar, "hidden"),
        Output(IDS.counts, "children"),
        Output(IDS.list, "children"),
        Output(IDS.rules, "hidden"),
        *(Output(part, prop) for part, prop in KEPT),
        Input(SHELL.location, "search"),
        Input(IDS.token, "data"),
        Input(IDS.changed, "data"),
        State(pick_id(ALL), "value"),
        State(pick_id(ALL), "id"),
        *(State(part, prop) for part, prop in KEPT),
    )
    def show_alerts(
        search: str | None,
        _token: object,
        _changed: object,
        values: Sequence[object],
        ids: Sequence[object],
        *held: object,
    ) -> Any:
        view = links.parse_search(search).get("view", "")
        view = view if view in tab.VIEWS else ""
        quiet = set(ctx.triggered_prop_ids) <= QUIET and bool(ctx.triggered_prop_ids)
        if quiet and view:
            raise PreventUpdate
        head = no_update if quiet else tab.views(view)
        if links.parse_search(search).get("alert") and not view:
            drawn = _one(services, search, quiet=quiet)
            return [head, True, no_update, drawn, True, *[no_update] * len(held)]
        if view:
            drawn = _other(services, view, search)
            kept = [no_update] * len(held)
            return [head, True, no_update, drawn, view != "rules", *kept]
        return [head, *_list(services, search, held, ticked(values, ids))]


def _other(services: AlertServices, view: str, search: str | None) -> Any:
    """The view of patterns; that of rules is drawn in its own place."""
    if view == "rules":
        return None

    def draw() -> Component:
        period = links.parse_search(search).get("period", "90d")
        prefs = preferences()
        found = services.alert_patterns.of(caller(), prefs.zone, period)
        return alert_patterns.body(found, prefs, search)

    return guarded(draw)


def _one(services: AlertServices, search: str | None, *, quiet: bool) -> Any:
    """The alert that is open; when something happened to it, only what can change."""

    def draw() -> Any:
        try:
            number = read_alert(search)
            view = services.alerts.detail(caller(), number or 0)
        except NotFound:
            asked = links.parse_search(search).get("alert", "")
            return alert_detail.missing(asked, search)
        prefs = preferences()
        if not quiet:
            return alert_detail.detail(view, prefs, search)
        history = alert_detail.history(view, prefs, search)
        set_props(IDS.head, {"children": alert_detail.head(view, prefs)})
        set_props(IDS.facts, {"children": alert_facts.facts(view, prefs)})
        set_props(IDS.history, {"children": history})
        return no_update

    return guarded(draw)


def _list(
    services: AlertServices,
    search: str | None,
    held: Sequence[object],
    picked: Sequence[int],
) -> list[Any]:
    query = links.parse_search(search)
    values = [query.get(k) or empty for k, empty in EMPTY.items()]
    options = list(held[: len(CHOICES)])
    try:
        view = services.alerts.page(caller(), read_query(search))
    except Exception as error:  # noqa: BLE001 - the reader gets the error state
        kept = news(held, options + values)
        return [False, None, tab.failure(failed(error)), True, *kept]
    kept = news(held, [*tab.filter_options(view), *values])
    shown = tab.body(view, preferences(), search, picked)
    # Without any alert there is nothing to count and nothing to filter.
    return [not view.size, tab.counts(view, search), shown, True, *kept]


def _register_filters(callbacks: Callbacks) -> None:
    @callbacks.on(
        "alert.read",
        Output(IDS.goto, "search"),
        *(Input(part, "value") for part in CONTROLS),
        State(SHELL.location, "search"),
        prevent_initial_call=True,
    )
    def filter_alerts(*values: object) -> str:
        *chosen, search = values
        before = links.parse_search(str(search or ""))
        changes = {
            key: None if value in {None, "", empty} else str(value)
            for (key, empty), value in zip(EMPTY.items(), chosen, strict=True)
        }
        after = links.with_query(str(search or ""), **changes)
        elsewhere = before.get("alert") or before.get("view")
        if elsewhere or links.parse_search(after) == before:
            raise PreventUpdate
        return links.with_query(after, page=None)


def _register_clock(callbacks: Callbacks, services: AlertServices) -> None:
    @callbacks.on(
        "alert.read",
        Output(IDS.token, "data"),
        Input(IDS.tick, "n_intervals"),
        State(IDS.token, "data"),
        State(SHELL.location, "search"),
        prevent_initial_call=True,
    )
    def look(_ticks: object, held: object, search: str | None) -> str:
        """Say whether something happened: nothing is sent while nothing does."""
        if links.parse_search(search).get("view"):
            raise PreventUpdate
        try:
            number = read_alert(search)
        except NotFound:
            raise PreventUpdate from None
        token = services.alerts.token(caller(), number)
        if token == held:
            raise PreventUpdate
        return token
