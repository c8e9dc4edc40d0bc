"""The System tab: drawn anew when the timer ticks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from dash import Input, Output

from callbacks.errors import guarded
from callbacks.registration import Callbacks, caller, preferences
from dashboards.admin import system as tab
from dashboards.admin.system import IDS

if TYPE_CHECKING:
    from services.system import System


class SystemServices(Protocol):
    """What the tab needs of the services."""

    @property
    def system(self) -> System:
        """The installation."""


def register(callbacks: Callbacks, services: SystemServices) -> None:
    """Connect the tab."""

    @callbacks.on(
        "system.read",
        Output(IDS.body, "children"),
        Input(IDS.tick, "n_intervals"),
    )
    def show_system(_ticks: int | None) -> Any:
        return guarded(lambda: tab.body(services.system.view(caller()), preferences()))
