"""Buttons and form of the Alerts tab: acknowledge, assign, shelve, resolve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from dash import ALL, Input, Output, State, ctx, no_update, set_props
from dash.exceptions import PreventUpdate

from callbacks.errors import explained, show_toast
from callbacks.registration import Callbacks, caller
from dashboards import alert_actions as forms
from dashboards import links
from dashboards.alert_actions import ACTIONS, ME, NO_VERDICT, NOBODY, UNTIL
from dashboards.alert_words import IDS, act_id, pick_id
from dashboards.shell import IDS as SHELL
from services.alert_views import Result
from services.errors import InvalidInput, ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from services.alerts import Alerts

TYPED = (IDS.to, IDS.until, IDS.verdict, IDS.words)
FORM = (
    (IDS.dialog, "is_open"),
    (IDS.title, "children"),
    (IDS.about, "children"),
    (IDS.confirm, "children"),
    (IDS.owner_box, "hidden"),
    (IDS.until_box, "hidden"),
    (IDS.verdict_box, "hidden"),
    (IDS.words_box, "hidden"),
    (IDS.words_label, "children"),
    (IDS.to, "options"),
    (IDS.to, "value"),
    (IDS.words, "value"),
    (IDS.message, "children"),
    (IDS.asked, "data"),
)
"""What opens the form and fills it."""
NAMED = 3


class ActionServices(Protocol):
    """What the buttons need of the services."""

    @property
    def alerts(self) -> Alerts:
        """The log of alerts."""

    @property
    def clock(self) -> Callable[[], datetime]:
        """The time, aware UTC."""


def register(callbacks: Callbacks, services: ActionServices) -> None:
    """Connect boxes, buttons and form."""
    _register_boxes(callbacks)
    _register_buttons(callbacks, services)
    _register_form(callbacks, services)


def ticked(values: Sequence[object], ids: Sequence[object]) -> list[int]:
    """The alerts whose boxes are ticked."""
    numbers = []
    for value, part in zip(values or (), ids or (), strict=False):
        number = part.get("alert") if isinstance(part, Mapping) else None
        if value is True and isinstance(number, int):
            numbers.append(number)
    return numbers


def _register_boxes(callbacks: Callbacks) -> None:
    @callbacks.on(
        "alert.write",
        Output(pick_id(ALL), "value"),
        Input(IDS.all, "value"),
        State(pick_id(ALL), "value"),
        prevent_initial_call=True,
    )
    def choose_all(everyone: object, values: Sequence[object]) -> list[bool]:
        if not ctx.triggered_prop_ids or everyone is None:
            raise PreventUpdate
        return [bool(everyone)] * len(values)

    @callbacks.on(
        "alert.write",
        Output(IDS.bulk, "hidden"),
        Output(IDS.chosen, "children"),
        Input(pick_id(ALL), "value"),
        State(pick_id(ALL), "id"),
        State(IDS.bulk, "hidden"),
        prevent_initial_call=True,
    )
    def show_bar(
        values: Sequence[object], ids: Sequence[object], hidden: object
    ) -> Any:
        count = len(ticked(values, ids))
        if not count and hidden:
            raise PreventUpdate
        return not count, f"{count} chosen"


def _register_buttons(callbacks: Callbacks, services: ActionServices) -> None:
    @callbacks.on(
        "alert.write",
        *(Output(part, prop) for part, prop in FORM),
        Output(IDS.changed, "data"),
        Input(act_id(ALL, ALL), "n_clicks"),
        Input(IDS.cancel, "n_clicks"),
        State(pick_id(ALL), "value"),
        State(pick_id(ALL), "id"),
        State(SHELL.location, "search"),
        prevent_initial_call=True,
    )
    def press(
        _clicks: object,
        _cancelled: object,
        values: Sequence[object],
        ids: Sequence[object],
        search: str | None,
    ) -> Any:
        if ctx.triggered_id == IDS.cancel:
            return [False, *[no_update] * len(FORM)]
        part = ctx.triggered_id
        # A button that is drawn anew has been pressed by nobody.
        if not isinstance(part, Mapping) or not ctx.triggered[0]["value"]:
            raise PreventUpdate
        name = str(part.get("action"))
        if name not in ACTIONS:
            raise InvalidInput("There is no such action.")
        chosen = ticked(values, ids) if part.get("on") == "chosen" else _open(search)
        if not chosen:
            raise InvalidInput("Choose an alert first.")
        if not ACTIONS[name].asks:
            _told(name, services.alerts.bulk(caller(), name, chosen))
            return [*[no_update] * len(FORM), _stamp(services)]
        alone = part.get("on") == "one"
        return [*_form(services, name, chosen, alone=alone), no_update]


def _form(
    services: ActionServices, name: str, chosen: list[int], *, alone: bool
) -> list[Any]:
    """The form of an action, open and empty."""
    action, me, version = ACTIONS[name], caller().username, None
    if alone:
        version = services.alerts.detail(caller(), chosen[0]).alert.version
    return [
        True,
        action.title,
        _about(len(chosen)),
        action.title,
        "owner" not in action.asks,
        "until" not in action.asks,
        "verdict" not in action.asks,
        "words" not in action.asks,
        action.words,
        forms.people_options(services.alerts.people(caller()), me),
        me,
        "",
        "",
        {"action": name, "ids": chosen, "version": version},
    ]


def _register_form(callbacks: Callbacks, services: ActionServices) -> None:
    @callbacks.on(
        "alert.write",
        Output(IDS.message, "children", allow_duplicate=True),
        Output(IDS.dialog, "is_open", allow_duplicate=True),
        Output(IDS.changed, "data", allow_duplicate=True),
        Input(IDS.confirm, "n_clicks"),
        *(State(part, "value") for part in TYPED),
        State(IDS.asked, "data"),
        prevent_initial_call=True,
    )
    def confirm(clicks: int | None, *values: object) -> Any:
        if not clicks:
            raise PreventUpdate
        *typed, asked = values
        name, chosen, version = _asked(asked)
        try:
            results = _done(services, name, chosen, version, typed)
        except ServiceError as error:
            return explained(error)[0], no_update, no_update
        if len(results) == 1 and results[0].error:
            # Who has read that is asked again, and then it is done all the same.
            set_props(IDS.asked, {"data": {"action": name, "ids": chosen}})
            return results[0].error, no_update, _stamp(services)
        _told(name, results)
        return "", False, _stamp(services)


def _done(
    services: ActionServices,
    name: str,
    chosen: Sequence[int],
    version: int | None,
    typed: Sequence[object],
) -> tuple[Result, ...]:
    owner, until, verdict, words = (str(value or "") for value in typed)
    who = caller()
    ends = UNTIL.get(until)
    if name == "shelve" and ends is None:
        raise InvalidInput("Choose until when.")
    names = {NOBODY: "", ME: who.username}
    return services.alerts.bulk(
        who,
        name,
        chosen,
        owner=names.get(owner, owner),
        words=words,
        until=services.clock() + ends[1] if ends else None,
        verdict=None if verdict in {NO_VERDICT, ""} else verdict,
        versions={} if version is None else {chosen[0]: version},
    )


def _open(search: str | None) -> list[int]:
    asked = links.parse_search(search).get("alert", "")
    good = asked.isascii() and asked.isdecimal() and len(asked) < 19
    return [int(asked)] if good else []


def _asked(asked: object) -> tuple[str, list[int], int | None]:
    """What the form is about; it comes from a browser."""
    if isinstance(asked, Mapping):
        name, ids, version = asked.get("action"), asked.get("ids"), asked.get("version")
        numbers = ids if isinstance(ids, list) else []
        if name in ACTIONS and numbers and all(type(i) is int for i in numbers):
            return str(name), numbers, version if type(version) is int else None
    raise InvalidInput("The form does not say which alerts it is about.")


def _told(name: str, results: Sequence[Result]) -> None:
    """Say what became of it: all, or which were refused and why."""
    refused = [one for one in results if one.error]
    good = len(results) - len(refused)
    what = "1 alert is" if good == 1 else f"{good} alerts are"
    words = f"{what} {ACTIONS[name].done}."
    if not refused:
        show_toast("good", "Done", words)
        return
    why = " ".join(f"Alert {one.id}: {one.error}" for one in refused[:NAMED])
    more = f" And {len(refused) - NAMED} more." if len(refused) > NAMED else ""
    show_toast("watch", f"{len(refused)} not done", f"{words} {why}{more}")


def _about(count: int) -> str:
    return "About this alert." if count == 1 else f"About {count} alerts."


def _stamp(services: ActionServices) -> str:
    return services.clock().isoformat()
