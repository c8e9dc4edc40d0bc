"""What the user reads when a callback fails: never a stack trace."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

import flask
import structlog
from dash import set_props
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from dashboards import parts
from dashboards.shell import IDS
from data.session import store_unavailable
from services.errors import Busy, ServiceError

log = structlog.get_logger(__name__)

BUSY = "The store did not answer in time. Try again, or ask for a shorter range."
UNEXPECTED = "This did not work, and the fault is ours. It has been noted."


def on_error(error: Exception) -> None:
    """Dash's handler for a failed callback: leave the page, show a message."""
    message, reference = explained(error)
    if reference:
        message = f"{message} Reference {reference}."
    show_toast("watch" if isinstance(error, Busy) else "bad", "Not done", message)


def show_toast(kind: str, title: str, message: str) -> None:
    """Show a message in the corner, from inside a callback."""
    notice = parts.toast(kind, title, message, key=secrets.token_hex(4))
    set_props(IDS.toasts, {"children": [notice]})


def guarded(draw: Callable[[], Any]) -> Any:
    """What ``draw`` returns, or an error state in its place.

    So one failing card does not blank the tab. ``PreventUpdate`` passes.
    """
    try:
        return draw()
    except PreventUpdate:
        raise
    except Exception as error:  # noqa: BLE001 - the user gets the error state
        return failed(error)


def failed(error: Exception) -> Component:
    """The error state of an exception."""
    return parts.error_state(*explained(error))


def explained(error: Exception) -> tuple[str, str | None]:
    """The text for the user, and the reference under which it was logged."""
    if isinstance(error, ServiceError):
        return str(error), None
    if store_unavailable(error):
        return BUSY, None
    reference = request_id()
    log.error("callback failed", reference=reference, exc_info=error)
    return UNEXPECTED, reference


def request_id() -> str:
    """The id of this request, made here when the request has none."""
    known = flask.g.get("request_id")
    if not known:
        known = flask.g.request_id = secrets.token_hex(6)
    return str(known)
