"""The Notifications tab: routes of alerts, and what became of what was sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from dashboards import links, parts, route_form, text
from dashboards.ids import ident
from dashboards.route_form import TAB
from dashboards.route_words import clip, what, when
from services.notifications import Delivery, NotificationsView
from services.notify_routes import RouteView, Tested, shown_target
from services.units import Preferences

PATH = "/admin/notifications"
EVERY_MS = 15_000
STATES: Mapping[str, tuple[str, str]] = {
    "waiting": ("pending", "Waiting"),
    "sending": ("pending", "Being sent"),
    "sent": ("good", "Sent"),
    "failed": ("bad", "Failed"),
    "dropped": ("paused", "Not sent"),
}
ONCE = (
    "This secret is not shown again: give it to the receiver now. It signs each "
    "message; the header X-IoTSphere-Signature carries the signature."
)


class IDS:
    """The ids of the tab that callbacks name."""

    routes = ident(TAB, "routes")
    said = ident(TAB, "said")
    log = ident(TAB, "log")
    tick = ident(TAB, "tick")
    changed = ident(TAB, "changed")
    drawer = ident(TAB, "drawer")
    form = ident(TAB, "form")
    drawer_goto = ident(TAB, "drawer-goto")
    form_goto = ident(TAB, "form-goto")
    secret = ident(TAB, "secret")


def button_id(what: str, key: object) -> dict[str, Any]:
    """The id of a row's button: ``test`` or ``retry``; ``key`` may be Dash's ALL."""
    return {"role": f"{TAB}-{what}", "key": key}


def skeleton(_device_id: str | None = None) -> Component:
    """The tab before its first answer."""
    return html.Div(
        [
            html.Div(parts.skeleton(160), id=IDS.routes),
            html.Div(id=IDS.said, role="status"),
            html.Div(parts.skeleton(240), id=IDS.log),
            dbc.Offcanvas(
                html.Div(id=IDS.form),
                id=IDS.drawer,
                title=" ",
                placement="end",
                is_open=False,
                class_name="drawer",
            ),
            dcc.Store(id=IDS.changed, data=0),
            dcc.Interval(id=IDS.tick, interval=EVERY_MS),
            dcc.Location(id=IDS.drawer_goto, refresh="callback-nav"),
            dcc.Location(id=IDS.form_goto, refresh="callback-nav"),
        ],
        className="stack",
    )


def body(
    view: NotificationsView, prefs: Preferences, search: str | None = None
) -> tuple[Component, Component]:
    """The routes, and the deliveries."""
    return _routes(view, search), _log(view, prefs, search)


def _routes(view: NotificationsView, search: str | None) -> Component:
    add = dcc.Link(
        [parts.icon("plus-lg"), "Add a route"],
        href=links.href(PATH, links.with_query(search, edit="new")),
        className="btn btn-primary btn-with-icon",
    )
    if not view.routes:
        shown = parts.empty_state(
            "Nobody is told of alerts", "Add a route to a mail address or a webhook."
        )
    else:
        shown = parts.data_table(
            "Routes",
            ("Route", "To", "Told of", "When", "State", "Actions"),
            [_route(route, search) for route in view.routes],
        )
    return parts.card("Routes", shown, _means(view), actions=add)


def _means(view: NotificationsView) -> Component:
    mail = (
        f"Mail comes from {view.mail_from}."
        if view.mail_from
        else "Mail is off: IOTSPHERE_SMTP_HOST is not set."
    )
    hooks = (
        f"Webhooks may lead to {', '.join(view.webhook_hosts)}."
        if view.webhook_hosts
        else "Webhooks are off: IOTSPHERE_WEBHOOK_HOSTS names no host."
    )
    return html.P(f"{mail} {hooks}", className="row-note")


def _route(route: RouteView, search: str | None) -> tuple[Any, ...]:
    edit = links.with_query(search, edit=str(route.id))
    targets = [shown_target(route.kind, target) for target in route.spec.targets]
    more = f" and {len(targets) - 2} more" if len(targets) > 2 else ""
    return (
        html.Strong(clip(route.name)),
        html.Span(clip(", ".join(targets[:2])) + more, className="code"),
        what(route.spec),
        when(route.spec),
        parts.chip("good", "In use") if route.enabled else parts.chip("paused", "Off"),
        html.Div(
            [
                dcc.Link(
                    ["Edit", parts.hidden(route.name)],
                    href=links.href(PATH, edit),
                    className="btn btn-outline-secondary btn-sm",
                ),
                html.Button(
                    ["Test", parts.hidden(route.name)],
                    id=button_id("test", str(route.id)),
                    type="button",
                    className="btn btn-outline-secondary btn-sm",
                ),
            ],
            className="route-actions",
        ),
    )


def _log(view: NotificationsView, prefs: Preferences, search: str | None) -> Component:
    if view.deliveries:
        shown = parts.data_table(
            "Deliveries, newest first",
            ("Made", "Message", "To", "State", "Tries", "What was said", "Actions"),
            [_delivery(row, prefs) for row in view.deliveries],
            numeric={4},
        )
    else:
        shown = parts.empty_state(
            "Nothing here", "What is sent is listed with every attempt."
        )
    more = html.P("Older ones are not shown.", className="row-note")
    return parts.card(
        "Deliveries", _states(view, search), shown, more if view.more else None
    )


def _states(view: NotificationsView, search: str | None) -> Component:
    found: list[tuple[str | None, str]] = [(None, f"All {sum(view.counts.values())}")]
    found += [
        (state, f"{words} {view.counts.get(state, 0)}")
        for state, (_, words) in STATES.items()
    ]
    return html.Nav(
        [
            dcc.Link(
                [words, parts.hidden("(shown)") if state == view.state else None],
                href=links.href(PATH, links.with_query(search, state=state)),
                className=(
                    "btn btn-sm btn-outline-secondary"
                    + (" active" if state == view.state else "")
                ),
            )
            for state, words in found
        ],
        className="button-row delivery-states",
        **parts.aria(label="Deliveries by state"),
    )


def _delivery(row: Delivery, prefs: Preferences) -> tuple[Any, ...]:
    parcel = row.parcel
    last = row.tries[-1] if row.tries else None
    took = f" ({last.took_ms} ms)" if last else ""
    said = last.answer if last and last.ok else parcel.reason
    state = [parts.chip(*STATES[parcel.state])]
    if parcel.state == "waiting":
        due = text.local_time(parcel.next_at, prefs, seconds=True)
        state.append(html.Div(f"next {due}", className="row-note"))
    retry = html.Button(
        ["Try again", parts.hidden(f"delivery {parcel.id}")],
        id=button_id("retry", str(parcel.id)),
        type="button",
        className="btn btn-outline-secondary btn-sm",
        hidden=parcel.state != "failed",
    )
    target = shown_target(parcel.kind, parcel.target)
    return (
        text.local_time(parcel.made_at, prefs, seconds=True),
        clip(parcel.subject),
        [
            html.Div(clip(row.route_name or "report")),
            html.Span(clip(target), className="code"),
        ],
        state,
        text.number(len(row.tries), 0),
        clip(said + took if said else ""),
        retry,
    )


def tested(name: str, results: Sequence[Tested], kind: str) -> Component:
    """What became of a test, for each target."""
    return parts.card(
        f"Test of {clip(name)}",
        html.Ul(
            [
                html.Li(
                    [
                        parts.chip(*(("good", "Taken") if r.ok else ("bad", "Failed"))),
                        f" {clip(shown_target(kind, r.target))}: {clip(r.answer)}",
                    ]
                )
                for r in results
            ],
            className="test-results",
        ),
    )


def new_secret(name: str, secret: str) -> Component:
    """A secret that has just been made, shown this once."""
    return parts.card(
        f"Secret of {clip(name)}",
        html.Div(
            [
                dbc.Input(
                    id=IDS.secret,
                    type="text",
                    value=secret,
                    readonly=True,
                    autocomplete="off",
                    class_name="secret",
                ),
                dcc.Clipboard(
                    target_id=IDS.secret,
                    title="Copy the secret",
                    className="btn btn-outline-secondary",
                ),
            ],
            className="remove-row",
        ),
        html.P(ONCE, className="secret-once"),
    )


def declared() -> list[Component]:
    """Everything with an id, for Dash's checks."""
    return [*route_form.declared(), new_secret("", "")]
