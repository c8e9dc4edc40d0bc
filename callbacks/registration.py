"""The only way to make a callback: with the permission it needs, or not at all."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import flask
from dash import Dash

from services.access import PERMISSIONS, Principal, requires
from services.errors import Unauthorized
from services.units import Preferences

Body = Callable[..., Any]


def caller() -> Principal:
    """Who is asking; the guard has left it on the request.

    Raises:
        Unauthorized: nobody is signed in.
    """
    principal = flask.g.get("principal")
    if not isinstance(principal, Principal):
        raise Unauthorized("Sign in to continue.")
    return principal


def preferences() -> Preferences:
    """The caller's units, time zone and theme; the defaults when none are kept."""
    kept = flask.g.get("preferences")
    if isinstance(kept, Preferences):
        return kept
    return Preferences.of(kept) if isinstance(kept, Mapping) else Preferences()


class Callbacks:
    """Registers callbacks of one application, each with its permission."""

    def __init__(self, app: Dash) -> None:
        self.app = app
        self._permissions: dict[str, str] = {}

    @property
    def permissions(self) -> Mapping[str, str]:
        """Callback id -> permission, for the guard."""
        return MappingProxyType(self._permissions)

    def on(self, permission: str, *args: Any, **kwargs: Any) -> Callable[[Body], Body]:
        """``app.callback`` whose body runs only for callers with ``permission``.

        Raises:
            ValueError: the permission table does not know ``permission``.
        """
        if permission not in PERMISSIONS:
            raise ValueError(f"no such permission: {permission}")

        def register(body: Body) -> Body:
            @functools.wraps(body)
            def checked(*values: Any, **named: Any) -> Any:
                requires(caller(), permission)
                return body(*values, **named)

            before = set(self.app.callback_map)
            self.app.callback(*args, **kwargs)(checked)
            added = set(self.app.callback_map) - before
            if not added:
                raise ValueError(f"callback made twice: {body.__name__}")
            self._permissions.update(dict.fromkeys(added, permission))
            return checked

        return register
