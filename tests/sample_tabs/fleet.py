"""A list of devices, with one part that fails on demand."""

from __future__ import annotations

from typing import Any

from dash import Input, Output, dcc, html
from dash.development.base_component import Component

from callbacks.errors import guarded
from callbacks.registration import caller
from dashboards import links
from dashboards.ids import ident
from dashboards.shell import IDS

BODY = ident("fleet", "body")
FAILING = ident("fleet", "failing")
PLAIN = ident("fleet", "plain")


def skeleton(_device_id: str | None = None) -> Component:
    """The places that callbacks fill."""
    return html.Div([html.Div(id=BODY), html.Div(id=FAILING), html.Div(id=PLAIN)])


def body(names: list[tuple[str, str]]) -> Component:
    """A link for each device."""
    return html.Ul(
        [
            html.Li(dcc.Link(name, href=links.href(f"/heaters/{key}/operations")))
            for key, name in names
        ]
    )


def register(callbacks: Any, services: Any) -> None:
    """A good callback, a guarded bad one and a bad one."""
    search = Input(IDS.location, "search")

    @callbacks.on("fleet.read", Output(BODY, "children"), search)
    def show(_search: str) -> Component:
        return body([(d.id, d.name) for d in services.devices.list(caller())])

    @callbacks.on("fleet.read", Output(FAILING, "children"), search)
    def fail_softly(search: str | None) -> object:
        return guarded(lambda: 1 / len((search or "").replace("?boom=soft", "")))

    @callbacks.on("fleet.read", Output(PLAIN, "children"), search)
    def fail(search: str | None) -> str:
        if search == "?boom=hard":
            raise RuntimeError("SELECT secret_canary FROM users")
        return "fine"
