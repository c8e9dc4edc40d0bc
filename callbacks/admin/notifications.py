"""The Notifications tab: the address says what is shown and which form is open."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from dash import ALL, Input, Output, State, ctx, no_update
from dash.exceptions import PreventUpdate

from callbacks.errors import explained, failed, show_toast
from callbacks.registration import Callbacks, caller, preferences
from callbacks.route_form import placed, read_form
from dashboards import links, route_form
from dashboards.admin import notifications as tab
from dashboards.admin.notifications import IDS, button_id
from dashboards.route_form import FIELDS
from dashboards.route_form import IDS as FORM
from dashboards.shell import IDS as SHELL
from services.errors import InvalidInput, ServiceError
from services.notify_routes import Saved

if TYPE_CHECKING:
    from services.notifications import Notifications


class NotificationsServices(Protocol):
    """What the tab needs of the services."""

    @property
    def notifications(self) -> Notifications:
        """Routes and deliveries."""


def register(callbacks: Callbacks, services: NotificationsServices) -> None:
    """Connect the tab."""
    _register_lists(callbacks, services)
    _register_drawer(callbacks, services)
    _register_form(callbacks, services)
    _register_buttons(callbacks, services)


def _register_lists(callbacks: Callbacks, services: NotificationsServices) -> None:
    @callbacks.on(
        "route.admin",
        Output(IDS.routes, "children"),
        Output(IDS.log, "children"),
        Input(SHELL.location, "search"),
        Input(IDS.tick, "n_intervals"),
        Input(IDS.changed, "data"),
    )
    def show_notifications(search: str | None, _ticks: object, _changed: object) -> Any:
        state = links.parse_search(search).get("state")
        try:
            view = services.notifications.view(caller(), state)
            return tab.body(view, preferences(), search)
        except Exception as error:  # noqa: BLE001 - the reader gets the error state
            return failed(error), None


def _register_drawer(callbacks: Callbacks, services: NotificationsServices) -> None:
    @callbacks.on(
        "route.admin",
        Output(IDS.drawer, "is_open"),
        Output(IDS.drawer, "title"),
        Output(IDS.form, "children"),
        Input(SHELL.location, "search"),
        State(IDS.drawer, "is_open"),
    )
    def show_route(search: str | None, is_open: bool | None) -> Any:
        chosen = links.parse_search(search).get("edit")
        if not chosen:
            if not is_open:
                raise PreventUpdate
            return False, no_update, no_update
        try:
            route = None
            if chosen != "new":
                route = services.notifications.routes.get(caller(), _number(chosen))
        except ServiceError as error:
            return True, "Not possible", failed(error)
        return True, route_form.title(route), route_form.form(route, preferences())

    @callbacks.on(
        "route.admin",
        Output(IDS.drawer_goto, "search"),
        Input(IDS.drawer, "is_open"),
        State(SHELL.location, "search"),
        prevent_initial_call=True,
    )
    def close_route(is_open: bool | None, search: str | None) -> str:
        if is_open or not links.parse_search(search).get("edit"):
            raise PreventUpdate
        return links.with_query(search, edit=None)


def _register_form(callbacks: Callbacks, services: NotificationsServices) -> None:
    @callbacks.on(
        "route.admin",
        Output(IDS.form_goto, "search"),
        Output(IDS.said, "children", allow_duplicate=True),
        Output(FORM.message, "children"),
        *(Output(field.error_id, "children") for field in FIELDS),
        Input(FORM.save, "n_clicks"),
        Input(FORM.rotate, "n_clicks"),
        Input(FORM.remove, "n_clicks"),
        State(FORM.held, "data"),
        State(FORM.typed, "value"),
        State(SHELL.location, "search"),
        *(State(field.id, "value") for field in FIELDS),
        prevent_initial_call=True,
    )
    def change_route(*sent: Any) -> tuple[Any, ...]:
        clicks, (held, typed, search), values = sent[:3], sent[3:6], sent[6:]
        if not any(clicks) or not isinstance(ctx.triggered_id, str):
            raise PreventUpdate
        try:
            shown = change(services, ctx.triggered_id, held, typed, values)
        except Exception as error:  # noqa: BLE001 - the reader gets the message
            message, reference = explained(error)
            told = f"{message} Reference {reference}." if reference else message
            below, beside = placed(told)
            return no_update, no_update, below, *beside
        after = links.with_query(search, edit=None)
        return after, shown, None, *([None] * len(FIELDS))


def change(
    services: NotificationsServices,
    button: str,
    held: object,
    typed: object,
    values: Sequence[object],
) -> Any:
    """Save or remove what the form describes; what is shown above the lists.

    Raises:
        InvalidInput: a field cannot be read, or the name was not typed.
    """
    routes = services.notifications.routes
    known = held if isinstance(held, dict) else {}
    route_id, revision = known.get("id"), known.get("revision")
    if button == FORM.remove:
        if not isinstance(route_id, int) or typed != known.get("name"):
            raise InvalidInput("To remove it, type its name.")
        routes.remove(caller(), route_id, _whole(revision))
        show_toast("good", "Removed", f"{known['name']} is removed.")
        return None
    draft = read_form(values, str(known["kind"]) if known else None)
    saved: Saved = routes.save(
        caller(),
        draft,
        _whole(route_id) if known else None,
        _whole(revision) if known else 0,
        new_secret=button == FORM.rotate,
    )
    show_toast("good", "Saved", f"{saved.route.name} is saved.")
    return tab.new_secret(saved.route.name, saved.secret) if saved.secret else None


def _register_buttons(callbacks: Callbacks, services: NotificationsServices) -> None:
    @callbacks.on(
        "route.admin",
        Output(IDS.said, "children"),
        Output(IDS.changed, "data"),
        Input(button_id("test", ALL), "n_clicks"),
        Input(button_id("retry", ALL), "n_clicks"),
        State(IDS.changed, "data"),
        prevent_initial_call=True,
    )
    def press(_tests: object, _retries: object, changed: object) -> Any:
        pressed = ctx.triggered_id
        # A list that is drawn anew brings buttons nobody has pressed.
        if not isinstance(pressed, dict) or not ctx.triggered[0].get("value"):
            raise PreventUpdate
        number = changed + 1 if isinstance(changed, int) else 1
        key = _number(str(pressed.get("key")))
        if pressed.get("role") == button_id("retry", "")["role"]:
            services.notifications.retry(caller(), key)
            show_toast("good", "Noted", "It is tried again now.")
            return no_update, number
        routes = services.notifications.routes
        route = routes.get(caller(), key)
        results = routes.test(caller(), key)
        return tab.tested(route.name, results, route.kind), number


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise InvalidInput("There is no such route.")
    return int(text)


def _whole(value: object) -> int:
    if type(value) is not int:
        raise InvalidInput("The form does not say which route it edits.")
    return value
