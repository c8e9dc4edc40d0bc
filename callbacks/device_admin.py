"""Secrets of heaters, their removal, and lists of heaters: for administrators."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any, Protocol

from dash import Input, Output, State, ctx, no_update
from dash.exceptions import PreventUpdate

from callbacks.errors import explained, show_toast
from callbacks.registration import Callbacks, caller, preferences
from dashboards import device_admin, device_admin_list, links
from dashboards.device_admin import IDS
from dashboards.device_admin_list import IDS as LIST
from dashboards.device_form import IDS as FORM
from dashboards.shell import IDS as SHELL
from services.credentials import IN_USE
from services.errors import InvalidInput, ServiceError

if TYPE_CHECKING:
    from services.credentials import Credentials
    from services.device_lists import DeviceLists
    from services.devices import Devices

LONGEST_NAME = 80


class AdminServices(Protocol):
    """What these callbacks need of the services."""

    @property
    def devices(self) -> Devices:
        """The register of devices."""

    @property
    def credentials(self) -> Credentials:
        """The secrets of devices."""

    @property
    def device_lists(self) -> DeviceLists:
        """Lists of devices."""


def register(callbacks: Callbacks, services: AdminServices) -> None:
    """Connect the parts of the Fleet tab that only administrators see."""
    _register_credential(callbacks, services)
    _register_removal(callbacks)
    _register_preview(callbacks, services)
    _register_list(callbacks, services)


def _register_credential(callbacks: Callbacks, services: AdminServices) -> None:
    @callbacks.on(
        "device.admin",
        Output(IDS.box, "children"),
        Input(IDS.issue, "n_clicks"),
        Input(IDS.revoke, "n_clicks"),
        State(FORM.held, "data"),
        prevent_initial_call=True,
    )
    def change_credential(
        issue: int | None, revoke: int | None, held: object
    ) -> list[Any]:
        if not (issue or revoke):
            raise PreventUpdate
        device_id = str(held.get("id")) if isinstance(held, dict) else ""
        secret = problem = None
        device = services.devices.get(caller(), device_id)
        try:
            if ctx.triggered_id == IDS.issue:
                secret = services.credentials.issue(caller(), device_id)
            else:
                services.credentials.revoke(caller(), device_id)
        except ServiceError as error:
            problem = str(error)
        return device_admin.box(
            services.credentials.view(caller(), device_id),
            preferences(),
            possible=device.life_cycle in IN_USE,
            secret=secret,
            problem=problem,
        )


def _register_removal(callbacks: Callbacks) -> None:
    @callbacks.on(
        "device.admin",
        Output(FORM.remove, "disabled"),
        Input(FORM.typed, "value"),
        State(FORM.held, "data"),
        prevent_initial_call=True,
    )
    def allow_removal(typed: object, held: object) -> bool:
        return not isinstance(held, dict) or typed != held.get("name")


def _register_preview(callbacks: Callbacks, services: AdminServices) -> None:
    @callbacks.on(
        "device.admin",
        Output(LIST.preview, "children"),
        Output(LIST.register, "children"),
        Output(LIST.register, "hidden"),
        Output(LIST.message, "children", allow_duplicate=True),
        Input(LIST.file, "contents"),
        State(LIST.file, "filename"),
        prevent_initial_call=True,
    )
    def preview_list(contents: object, filename: object) -> Any:
        if contents is None:
            raise PreventUpdate
        try:
            plan = services.device_lists.plan(caller(), read_upload(contents))
        except ServiceError as error:
            return None, no_update, True, str(error)
        name = str(filename or "The file")[:LONGEST_NAME]
        shown = device_admin_list.preview(plan, name)
        return (
            shown,
            device_admin_list.button_words(plan),
            not plan.devices,
            None,
        )


def _register_list(callbacks: Callbacks, services: AdminServices) -> None:
    @callbacks.on(
        "device.admin",
        Output(LIST.goto, "search"),
        Output(LIST.message, "children"),
        Input(LIST.register, "n_clicks"),
        State(LIST.file, "contents"),
        State(SHELL.location, "search"),
        prevent_initial_call=True,
    )
    def register_list(clicks: int | None, contents: object, search: str | None) -> Any:
        if not clicks:
            raise PreventUpdate
        try:
            plan = services.device_lists.register(caller(), read_upload(contents))
        except Exception as error:  # noqa: BLE001 - the reader gets the message
            message, reference = explained(error)
            told = f"{message} Reference {reference}." if reference else message
            return no_update, told
        count = len(plan.devices)
        said = (
            "1 heater is registered."
            if count == 1
            else f"{count} heaters are registered."
        )
        show_toast("good", "Saved", f"{said} registered.")
        return links.with_query(search, **{"import": None}), None


def read_upload(contents: object) -> bytes:
    """The bytes of a file as ``dcc.Upload`` sends them.

    Raises:
        InvalidInput: it is nothing of the kind.
    """
    _kind, comma, encoded = str(contents or "").partition(";base64,")
    if not comma:
        raise InvalidInput("Choose a file first.")
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidInput("The file did not arrive whole; choose it again.") from error
