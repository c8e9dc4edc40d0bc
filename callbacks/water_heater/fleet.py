"""The Fleet tab: the address says what is shown, the filters write the address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from dash import Input, Output, State, ctx, no_update
from dash.dependencies import DashDependency
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from callbacks import bulk
from callbacks import device_admin as admin
from callbacks.device_form import Rejected, read_form
from callbacks.errors import explained, failed, show_toast
from callbacks.parsing import news
from callbacks.registration import Callbacks, caller, preferences
from dashboards import device_admin, device_admin_list, device_form, links
from dashboards.device_form import FIELDS
from dashboards.device_form import IDS as FORM
from dashboards.filters import ANY, options
from dashboards.shell import IDS as SHELL
from dashboards.water_heater import fleet as tab
from dashboards.water_heater.fleet import IDS
from services.access import requires
from services.errors import Conflict, InvalidInput, ServiceError
from services.fleet import FleetQuery

if TYPE_CHECKING:
    from services.fleet import Fleet

CONTROLS = (IDS.text, IDS.make, IDS.type, IDS.site, IDS.sort)
CHOICES = (IDS.make, IDS.type, IDS.site)
KEPT = (
    *((part, "options") for part in CHOICES),
    *((part, "value") for part in CONTROLS),
)
"""What the list's callback keeps in step with the address."""
EMPTY = {"q": "", "make": ANY, "type": ANY, "site": ANY, "sort": "worst"}
"""Keys of the address in the order of ``CONTROLS``, and what each holds by default."""
FORM_KEYS = ("edit", "register", "import")
ADDRESS: tuple[DashDependency, ...] = (
    State(SHELL.location, "pathname"),
    State(SHELL.location, "search"),
)


class FleetServices(admin.AdminServices, bulk.BulkServices, Protocol):
    """What the tab needs of the services."""

    @property
    def fleet(self) -> Fleet:
        """The fleet."""


def register(callbacks: Callbacks, services: FleetServices) -> None:
    """Connect the tab."""
    _register_list(callbacks, services)
    _register_filters(callbacks)
    _register_drawer(callbacks, services)
    _register_form(callbacks, services)
    admin.register(callbacks, services)
    bulk.register(callbacks, services, read_query)


def read_query(search: str | None) -> FleetQuery:
    """The query an address asks for.

    Raises:
        InvalidInput: it asks for something that does not exist.
    """
    query = links.parse_search(search)
    sort = query.get("sort", "worst")
    page = query.get("page", "1")
    if not page.isdecimal() or len(page) > 9:
        raise InvalidInput("page must be a whole number from 1 on.")
    return FleetQuery(
        state=query.get("state", "all"),
        text=query.get("q", ""),
        make=query.get("make", ""),
        type=query.get("type", ""),
        site=query.get("site", ""),
        sort=sort.removeprefix("-"),
        descending=sort.startswith("-"),
        group=query.get("group", "none"),
        page=int(page),
    )


def _register_list(callbacks: Callbacks, services: FleetServices) -> None:
    @callbacks.on(
        "fleet.read",
        Output(IDS.counts, "children"),
        Output(IDS.list, "children"),
        *(Output(part, prop) for part, prop in KEPT),
        Input(SHELL.location, "search"),
        Input(IDS.tick, "n_intervals"),
        *(State(part, prop) for part, prop in KEPT),
    )
    def show_fleet(search: str | None, _ticks: object, *held: object) -> Any:
        query = links.parse_search(search)
        values = [query.get(k) or empty for k, empty in EMPTY.items()]
        offered = list(held[: len(CHOICES)])
        try:
            view = services.fleet.page(caller(), read_query(search))
        except Exception as error:  # noqa: BLE001 - the reader gets the error state
            return None, tab.failure(failed(error)), *news(held, offered + values)
        offered = [
            options("Any make", view.makes, view.query.make),
            tab.type_options(view),
            options("Any site", view.buildings, view.query.site),
        ]
        may_edit = caller().may("device.admin")
        return (
            tab.counts(view, search),
            tab.body(view, preferences(), search, may_edit=may_edit),
            *news(held, offered + values),
        )


def _register_filters(callbacks: Callbacks) -> None:
    @callbacks.on(
        "fleet.read",
        Output(IDS.goto, "search"),
        *(Input(part, "value") for part in CONTROLS),
        State(SHELL.location, "search"),
        prevent_initial_call=True,
    )
    def filter_fleet(*values: object) -> str:
        *chosen, search = values
        before = links.with_query(str(search or ""))
        changes = {
            key: None if value in {None, "", empty} else str(value)
            for (key, empty), value in zip(EMPTY.items(), chosen, strict=True)
        }
        after = links.with_query(before, **changes)
        if after == before or links.parse_search(after) == links.parse_search(before):
            raise PreventUpdate
        return links.with_query(after, page=None)


def _register_drawer(callbacks: Callbacks, services: FleetServices) -> None:
    @callbacks.on(
        "fleet.read",
        Output(IDS.drawer, "is_open"),
        Output(IDS.drawer, "title"),
        Output(IDS.form, "children"),
        Input(SHELL.location, "search"),
        State(IDS.drawer, "is_open"),
    )
    def show_form(search: str | None, is_open: bool | None) -> Any:
        query = links.parse_search(search)
        if not any(query.get(key) for key in FORM_KEYS):
            if not is_open:
                raise PreventUpdate
            return False, no_update, no_update
        try:
            requires(caller(), "device.admin")
            title, form = _drawer(services, query)
        except ServiceError as error:
            return True, "Not possible", failed(error)
        return True, title, form

    @callbacks.on(
        "fleet.read",
        Output(IDS.drawer_goto, "search"),
        Input(IDS.drawer, "is_open"),
        State(SHELL.location, "search"),
        prevent_initial_call=True,
    )
    def close_form(is_open: bool | None, search: str | None) -> str:
        if is_open or not any(links.parse_search(search).get(k) for k in FORM_KEYS):
            raise PreventUpdate
        return without_form(search)


def _drawer(services: FleetServices, query: Mapping[str, str]) -> tuple[str, Component]:
    """Title and content of the drawer that an address asks for."""
    chosen, prefs = query.get("edit"), preferences()
    if query.get("import") and not chosen:
        return device_admin_list.TITLE, device_admin_list.form()
    device = services.devices.get(caller(), chosen) if chosen else None
    view = services.credentials.view(caller(), chosen) if chosen else None
    secret = device_admin.credential(device, view, prefs)
    return device_form.title(device), device_form.form(device, prefs, secret)


def without_form(search: str | None) -> str:
    """The address with the form closed."""
    return links.with_query(search, **dict.fromkeys(FORM_KEYS))


def _register_form(callbacks: Callbacks, services: FleetServices) -> None:
    @callbacks.on(
        "device.admin",
        Output(IDS.form_goto, "search"),
        Output(FORM.message, "children"),
        *(Output(field.error_id, "children") for field in FIELDS),
        Input(FORM.save, "n_clicks"),
        Input(FORM.activate, "n_clicks"),
        Input(FORM.deactivate, "n_clicks"),
        Input(FORM.remove, "n_clicks"),
        State(FORM.held, "data"),
        State(FORM.typed, "value"),
        State(SHELL.location, "search"),
        *(State(field.id, "value") for field in FIELDS),
        prevent_initial_call=True,
    )
    def change_device(*sent: Any) -> tuple[Any, ...]:
        clicks, (held, typed, search), values = sent[:4], sent[4:7], sent[7:]
        if not any(clicks) or not isinstance(ctx.triggered_id, str):
            raise PreventUpdate
        nothing = [None] * len(FIELDS)
        try:
            if ctx.triggered_id == FORM.save:
                said = save(services, held, values)
            else:
                said = change_life(services, ctx.triggered_id, held, typed)
        except Rejected as rejected:
            found = [rejected.errors.get(field.name) for field in FIELDS]
            return no_update, str(rejected), *found
        except Exception as error:  # noqa: BLE001 - the reader gets the message
            return no_update, _refused(error), *nothing
        show_toast("good", "Saved", said)
        return without_form(search), None, *nothing


def _refused(error: Exception) -> Component | str:
    message, reference = explained(error)
    if isinstance(error, Conflict):
        return f"{message} Close this form and open it again to see the change."
    return f"{message} Reference {reference}." if reference else message


def save(services: FleetServices, held: object, values: Sequence[object]) -> str:
    """Register or update what the form describes; what was done, in words.

    Raises:
        Rejected: some fields are wrong.
        Conflict: the id is taken, or somebody else has changed the device.
    """
    prefs = preferences()
    if held is None:
        device = services.devices.register(caller(), read_form(values, None, prefs))
        return f"{device.name} is registered."
    before, version = _held(services, held)
    if before.version != version:
        raise Conflict(f"{before.name} was changed by somebody else meanwhile.")
    after = read_form(values, before, prefs)
    services.devices.update(caller(), after)
    return f"{after.name} is changed."


def change_life(
    services: FleetServices, button: str, held: object, typed: object
) -> str:
    """Activate, deactivate or remove the device; what was done, in words.

    Raises:
        InvalidInput: it is to be removed and its name was not typed.
    """
    device, _version = _held(services, held)
    if button == FORM.remove and typed != device.name:
        raise InvalidInput(f"To remove it, type its name: {device.name}")
    life = {
        FORM.activate: "active",
        FORM.deactivate: "inactive",
        FORM.remove: "removed",
    }[button]
    services.devices.set_life_cycle(caller(), device.id, life)
    return f"{device.name} is {life}."


def _held(services: FleetServices, held: object) -> tuple[Any, int]:
    if not isinstance(held, dict):
        raise InvalidInput("The form does not say which heater it edits.")
    version = held.get("version")
    if not isinstance(version, int):
        raise InvalidInput("The form does not say which version it edits.")
    return services.devices.get(caller(), str(held.get("id"))), version
