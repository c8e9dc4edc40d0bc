"""The badge in the rail: how many alerts need somebody, live on every page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from dash import Input, Output, State
from dash.exceptions import PreventUpdate

from callbacks.errors import explained
from callbacks.registration import Callbacks, caller
from dashboards import shell
from dashboards.shell import IDS
from services.access import Principal

if TYPE_CHECKING:
    from services.alert_views import Badge


class Alerts(Protocol):
    """The part of the alerts service that the rail needs."""

    def badge(self, caller: Principal) -> Badge:
        """The open alerts that nobody has acknowledged."""


class BadgeServices(Protocol):
    """What the badge needs of the services."""

    @property
    def alerts(self) -> Alerts:
        """The log of alerts."""


def register(callbacks: Callbacks, services: BadgeServices) -> None:
    """Keep the badge fresh; nothing is sent while nothing changes."""

    @callbacks.on(
        "alert.read",
        Output(IDS.badge, "children"),
        Output(IDS.badge_held, "data"),
        Input(IDS.badge_tick, "n_intervals"),
        State(IDS.badge_held, "data"),
        prevent_initial_call=True,
    )
    def refresh_badge(_ticks: int | None, held: object) -> Any:
        badge = badge_of(services)
        counts = list(badge.counts.values()) if badge else None
        if badge is None or counts == held:
            raise PreventUpdate  # one that cannot be told now stays as it is
        return shell.alert_badge(badge), counts


def badge_of(services: BadgeServices) -> Badge | None:
    """The alerts that need somebody; nothing where that cannot be told now."""
    try:
        return services.alerts.badge(caller())
    except Exception as error:  # noqa: BLE001 - no page may fail for its badge
        explained(error)  # what is not expected is noted
        return None
