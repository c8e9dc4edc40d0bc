"""The Models tab: the address says what is shown, the filters write the address."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from dash import Input, Output, State, ctx, no_update
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from callbacks.errors import failed, guarded, show_toast
from callbacks.parsing import news
from callbacks.registration import Callbacks, caller, preferences
from dashboards import links, model_detail
from dashboards.filters import ANY
from dashboards.monitoring import models as tab
from dashboards.monitoring.models import IDS
from dashboards.shell import IDS as SHELL
from services.access import Principal
from services.errors import InvalidInput, NotFound
from services.models_views import ModelDetailView, ModelsQuery, ModelsView

CONTROLS = (IDS.text, IDS.kind, IDS.owner, IDS.tag, IDS.sort)
CHOICES = (IDS.kind, IDS.owner, IDS.tag)
KEPT = (
    *((part, "options") for part in CHOICES),
    *((part, "value") for part in CONTROLS),
)
"""What the list's callback keeps in step with the address."""
EMPTY = {"q": "", "kind": ANY, "owner": ANY, "tag": ANY, "sort": "worst"}
"""Keys of the address in the order of ``CONTROLS``, and what each holds by default."""
QUESTIONS = {
    "archive": "Archive {}? It leaves the list and is no longer judged. Its data stay, "
    "and it can be restored.",
    "restore": "Restore {}? It comes back to the list and is judged again.",
}
DONE = {"archive": "archived", "restore": "restored"}


class Models(Protocol):
    """The part of the model service that the tab needs."""

    def page(self, caller: Principal, query: ModelsQuery) -> ModelsView:
        """One page of the models."""

    def detail(self, caller: Principal, name: str) -> ModelDetailView:
        """One model whole."""

    def archive(self, caller: Principal, name: str) -> object:
        """Take a model out of the list."""

    def restore(self, caller: Principal, name: str) -> object:
        """Bring a model back to the list."""


class ModelsServices(Protocol):
    """What the tab needs of the services."""

    @property
    def models(self) -> Models:
        """Monitored models."""


def register(callbacks: Callbacks, services: ModelsServices) -> None:
    """Connect the tab."""
    _register_page(callbacks, services)
    _register_filters(callbacks)
    _register_question(callbacks)
    _register_change(callbacks, services)


def read_query(search: str | None) -> ModelsQuery:
    """The query an address asks for.

    Raises:
        InvalidInput: it asks for a page that is no number.
    """
    query = links.parse_search(search)
    sort = query.get("sort", "worst")
    page = query.get("page", "1")
    if not page.isdecimal() or len(page) > 9:
        raise InvalidInput("page must be a whole number from 1 on.")
    return ModelsQuery(
        state=query.get("state", "all"),
        text=query.get("q", ""),
        kind=query.get("kind", ""),
        owner=query.get("owner", ""),
        tag=query.get("tag", ""),
        sort=sort.removeprefix("-"),
        descending=sort.startswith("-"),
        page=int(page),
    )


def _register_page(callbacks: Callbacks, services: ModelsServices) -> None:
    @callbacks.on(
        "model.read",
        Output(IDS.counts, "children"),
        Output(IDS.bar, "hidden"),
        Output(IDS.list, "children"),
        *(Output(part, prop) for part, prop in KEPT),
        Input(SHELL.location, "search"),
        Input(IDS.changed, "data"),
        Input(IDS.tick, "n_intervals"),
        *(State(part, prop) for part, prop in KEPT),
    )
    def show_models(
        search: str | None, _changed: object, _ticks: object, *held: object
    ) -> Any:
        name = links.parse_search(search).get("model")
        if name:
            return _one(services, name, search, held)
        return _list(services, search, held)


def _one(
    services: ModelsServices, name: str, search: str | None, held: Sequence[object]
) -> list[Any]:
    if set(ctx.triggered_prop_ids) == {f"{IDS.tick}.n_intervals"}:
        raise PreventUpdate  # it would close what the reader has opened

    def draw() -> Component:
        try:
            view = services.models.detail(caller(), name)
        except NotFound:
            return model_detail.missing(name, search)
        may_edit = caller().may("model.write")
        return model_detail.detail(view, preferences(), search, may_edit=may_edit)

    return [no_update, True, guarded(draw), *[no_update] * len(held)]


def _list(
    services: ModelsServices, search: str | None, held: Sequence[object]
) -> list[Any]:
    query = links.parse_search(search)
    values = [query.get(k) or empty for k, empty in EMPTY.items()]
    options = list(held[: len(CHOICES)])
    try:
        view = services.models.page(caller(), read_query(search))
    except Exception as error:  # noqa: BLE001 - the reader gets the error state
        kept = news(held, options + values)
        return [None, False, tab.failure(failed(error)), *kept]
    kept = news(held, [*tab.filter_options(view), *values])
    shown = tab.body(view, preferences(), search)
    # Without any model there is nothing to count and nothing to filter.
    return [tab.counts(view, search), not view.size, shown, *kept]


def _register_filters(callbacks: Callbacks) -> None:
    @callbacks.on(
        "model.read",
        Output(IDS.goto, "search"),
        *(Input(part, "value") for part in CONTROLS),
        State(SHELL.location, "search"),
        prevent_initial_call=True,
    )
    def filter_models(*values: object) -> str:
        *chosen, search = values
        before = links.parse_search(str(search or ""))
        changes = {
            key: None if value in {None, "", empty} else str(value)
            for (key, empty), value in zip(EMPTY.items(), chosen, strict=True)
        }
        after = links.with_query(str(search or ""), **changes)
        if before.get("model") or links.parse_search(after) == before:
            raise PreventUpdate
        return links.with_query(after, page=None)


def _register_question(callbacks: Callbacks) -> None:
    @callbacks.on(
        "model.write",
        Output(IDS.dialog, "is_open"),
        Output(IDS.question, "children"),
        Output(IDS.confirm, "children"),
        Input(IDS.ask, "n_clicks"),
        Input(IDS.cancel, "n_clicks"),
        State(IDS.action, "data"),
        State(SHELL.location, "search"),
        prevent_initial_call=True,
    )
    def ask(
        asked: int | None, _cancelled: int | None, action: object, search: str | None
    ) -> Any:
        if ctx.triggered_id == IDS.cancel:
            return False, no_update, no_update
        if not asked:
            raise PreventUpdate
        name, verb = chosen(search, action)
        return True, QUESTIONS[verb].format(name), verb.capitalize()


def _register_change(callbacks: Callbacks, services: ModelsServices) -> None:
    @callbacks.on(
        "model.write",
        Output(IDS.dialog, "is_open", allow_duplicate=True),
        Output(IDS.changed, "data"),
        Input(IDS.confirm, "n_clicks"),
        State(IDS.action, "data"),
        State(SHELL.location, "search"),
        prevent_initial_call=True,
    )
    def change_model(clicks: int | None, action: object, search: str | None) -> Any:
        if not clicks:
            raise PreventUpdate
        name, verb = chosen(search, action)
        change = services.models.archive
        if verb == "restore":
            change = services.models.restore
        change(caller(), name)
        show_toast("good", "Saved", f"{name} is {DONE[verb]}.")
        return False, clicks


def chosen(search: str | None, action: object) -> tuple[str, str]:
    """The open model and what to do with it; both come from a browser.

    Raises:
        InvalidInput: no model is open, or there is no such action.
    """
    name = links.parse_search(search).get("model")
    if not name:
        raise InvalidInput("Open a model first.")
    if not isinstance(action, str) or action not in QUESTIONS:
        raise InvalidInput("action must be archive or restore.")
    return name, action
