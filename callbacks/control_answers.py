"""What the page shows after a wish or a tick: the redrawn parts of the control card."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from dash import Output, no_update
from dash.development.base_component import Component

from callbacks.control_values import read_before, read_wish
from callbacks.errors import explained
from callbacks.registration import caller, preferences
from dashboards import control_inputs as inputs
from dashboards import details_control as card
from dashboards.control_inputs import IDS, part
from dashboards.control_words import in_words
from dashboards.details_commands import commands_card
from dashboards.water_heater import details as tab
from data.talk_records import WISH_KEYS
from services.control_views import ControlView
from services.errors import Conflict, InvalidInput, NeedsConfirmation, ServiceError

if TYPE_CHECKING:
    from services.control_views import ControlViews
    from services.controls import Controls


class ControlServices(Protocol):
    """What the card needs of the services."""

    @property
    def controls(self) -> Controls:
        """Controls."""

    @property
    def control_views(self) -> ControlViews:
        """ControlViews."""

    @property
    def clock(self) -> Callable[[], datetime]:
        """The clock."""


def view_of(
    services: ControlServices, device_id: str, search: str | None
) -> ControlView:
    """The device, with the page of its log that the address asks for.

    A wrong address is named where the log is drawn first; it undoes no wish.
    """
    try:
        before = read_before(search)
    except InvalidInput:
        before = 0
    return services.control_views.of(caller(), device_id, before=before)


def redrawn(*, shared: bool = False) -> dict[str, Any]:
    """The outputs of ``redraw``; ``shared``: another callback has them as well."""
    return {
        "said": {
            key: Output(part("said", key), "children", allow_duplicate=shared)
            for key in WISH_KEYS
        },
        "rows": {
            key: Output(part("row", key), "className", allow_duplicate=shared)
            for key in WISH_KEYS
        },
        "seen": Output(IDS.seen, "data", allow_duplicate=shared),
        "still": Output(IDS.tick, "disabled", allow_duplicate=shared),
        "log": Output(IDS.commands, "children", allow_duplicate=True),
    }


def redraw(view: ControlView, search: str | None) -> dict[str, Any]:
    """What stands beside the inputs, and the log, as they are now."""
    prefs = preferences()
    return {
        "said": {s.key: card.said(s, view, prefs) for s in view.standings},
        "rows": {s.key: card.row_class(s, view) for s in view.standings},
        "seen": card.seen(view),
        "still": not view.waiting,
        "log": log_card(view, search),
    }


def answered() -> dict[str, Any]:
    """The outputs that only a click has, besides those of ``redraw``."""
    return {
        "notes": {
            key: Output(part("note", key), "children", allow_duplicate=True)
            for key in WISH_KEYS
        },
        "is_open": Output(IDS.dialog, "is_open"),
        "question": Output(IDS.question, "children"),
        "confirm": Output(IDS.confirm, "children"),
        "asked": Output(IDS.asked, "data"),
    }


def log_card(view: ControlView, search: str | None) -> Component:
    """The command log of a device."""
    path = tab.address(view.device.id)
    return commands_card(view, preferences(), path, search)


class Wish:
    """One wish of one click: asked, and what the page shows after it."""

    def __init__(
        self,
        services: ControlServices,
        device_id: str,
        search: str | None,
        key: str,
        version: int,
        *,
        confirmed: bool = False,
    ) -> None:
        self._services = services
        self._device_id = device_id
        self._search = search
        self._key = key
        self._version = version
        self._confirmed = confirmed

    def read(self, action: str, value: object) -> dict[str, object]:
        """The wish in stored units out of what the input holds.

        Raises:
            InvalidInput: the input holds nothing that can be wished.
        """
        prefs = preferences()
        if self._key == "target_temperature_c" and action == "set" and value is None:
            # A browser gives no number that is out of the input's range.
            raise InvalidInput(inputs.range_words(self._view(), prefs))
        return read_wish(action, self._key, value, self._services.clock(), prefs)

    def answer(self, read: Callable[[], Mapping[str, object]]) -> dict[str, Any]:
        """Ask, and draw what came of it; errors stand at the input."""
        asked: Mapping[str, object] = {}
        said: Component | None = None
        more: dict[str, Any] = {"is_open": False}
        try:
            asked = read()
            self._ask(asked)
            said = self._follows(asked)
        except NeedsConfirmation as rule:
            more = self._question(asked[self._key], str(rule))
            said = self._follows(asked)
        except ServiceError as error:
            said = card.refusal(in_words(explained(error)[0]))
        notes = {k: said if k == self._key else no_update for k in WISH_KEYS}
        blank = {"question": no_update, "confirm": no_update, "asked": None}
        shown = redraw(self._view(), self._search)
        return shown | {"notes": notes} | blank | more

    def _ask(self, asked: Mapping[str, object]) -> None:
        try:
            self._services.controls.ask(
                caller(),
                self._device_id,
                asked,
                version=self._version,
                confirmed=self._confirmed,
            )
        except Conflict:
            if not self._done_already(asked):
                raise

    def _done_already(self, asked: Mapping[str, object]) -> bool:
        """Whether this is the second of two clicks: the first has done it."""
        found = {s.key: s for s in self._view().standings}[self._key]
        command = found.command
        return (
            command is not None
            and command.open
            and command.version > self._version
            and command.asked_by == caller().username
            and found.wished == asked[self._key]
        )

    def _follows(self, asked: Mapping[str, object]) -> Component | None:
        rulings = self._services.controls.rulings(caller(), self._device_id, asked)
        return card.note(rulings[self._key].note)

    def _question(self, value: object, rule: str) -> dict[str, Any]:
        prefs = preferences()
        return {
            "is_open": True,
            "question": card.question(self._key, value, rule, prefs),
            "confirm": f"{card.title_words(self._key, value, prefs)} anyway",
            "asked": {"key": self._key, "value": value, "version": self._version},
        }

    def _view(self) -> ControlView:
        return view_of(self._services, self._device_id, self._search)
