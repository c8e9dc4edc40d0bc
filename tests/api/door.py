"""A small Dash application behind the real guard, for the tests of the doors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import flask
from dash import ALL, Dash, Input, Output, State, dcc, html
from flask.testing import FlaskClient
from flask_openapi3 import OpenAPI

from api.auth import blueprint
from api.guard import Guard
from api.headers import register_headers
from api.login import register_login
from api.problems import register_problems
from services.access import Principal
from services.errors import Conflict
from services.sessions import Session
from settings import Settings
from tests.conftest import Clock
from tests.identity import ADDRESS, PASSWORD, Identity, open_identity

CSRF = "X-CSRF-TOKEN"
PERMISSIONS = {
    "demo-out.children": "device.read",
    "demo-set.children": "device.control",
    "..demo-a.children...demo-b.children..": "device.read",
    "demo-rows.children": "device.read",
    "demo-live.children": "device.read",
}
BODY: dict[str, Any] = {
    "output": "demo-out.children",
    "outputs": {"id": "demo-out", "property": "children"},
    "inputs": [{"id": "demo-in", "property": "value", "value": "x"}],
    "state": [{"id": "demo-state", "property": "value", "value": 3}],
    "changedPropIds": ["demo-in.value"],
}
SET_BODY = {
    "output": "demo-set.children",
    "outputs": {"id": "demo-set", "property": "children"},
    "inputs": [{"id": "demo-in", "property": "value", "value": "x"}],
    "changedPropIds": ["demo-in.value"],
}
PAIR_BODY = {
    "output": "..demo-a.children...demo-b.children..",
    "outputs": [
        {"id": "demo-a", "property": "children"},
        {"id": "demo-b", "property": "children"},
    ],
    "inputs": [{"id": "demo-in", "property": "value", "value": "x"}],
    "changedPropIds": [],
}
ROWS_BODY = {
    "output": "demo-rows.children",
    "outputs": {"id": "demo-rows", "property": "children"},
    "inputs": [
        [{"id": {"role": "row", "key": "a"}, "property": "n_clicks", "value": 1}]
    ],
    "changedPropIds": ['{"key":"a","role":"row"}.n_clicks'],
}
LIVE_BODY = {
    "output": "demo-live.children",
    "outputs": {"id": "demo-live", "property": "children"},
    "inputs": [{"id": "demo-tick", "property": "n_intervals", "value": 1}],
    "changedPropIds": ["demo-tick.n_intervals"],
}
BODIES = (BODY, SET_BODY, PAIR_BODY, ROWS_BODY, LIVE_BODY)


@dataclass(frozen=True)
class Door:
    """The application, and the people who knock."""

    app: Dash
    identity: Identity

    def client(self) -> FlaskClient:
        """A browser without cookies."""
        client = self.app.server.test_client()
        client.environ_base["REMOTE_ADDR"] = ADDRESS
        return client

    def browser(self, name: str) -> FlaskClient:
        """A browser that is signed in."""
        client = self.client()
        answer = client.post("/login", data={"username": name, "password": PASSWORD})
        assert answer.status_code == 303, answer.text
        return client

    def session(self, name: str) -> Session:
        """A session opened without a browser."""
        return self.identity.accounts.sign_in(name, PASSWORD, ADDRESS)

    def bearer(self, name: str) -> dict[str, str]:
        """The header of a program that is signed in."""
        token = self.identity.tokens.issue(self.session(name)).access_token
        return {"Authorization": f"Bearer {token}"}


def call(client: FlaskClient, body: Any, **headers: str):
    """What Dash's renderer does: post a callback with the CSRF header."""
    cookie = client.get_cookie("csrf_access_token")
    sent = {CSRF: cookie.value} if cookie else {}
    return client.post("/_dash-update-component", json=body, headers=sent | headers)


def layout() -> html.Div:
    """Every component that the callbacks below name."""
    ids = ("out", "set", "a", "b", "rows", "live", "forgotten", "clock")
    return html.Div(
        [
            dcc.Location(id="shell-goto", refresh=True),
            dcc.Input(id="demo-in"),
            dcc.Input(id="demo-state"),
            dcc.Interval(id="demo-tick"),
            html.Button(id={"role": "row", "key": "a"}),
            *(html.Div(id=f"demo-{name}") for name in ids),
        ]
    )


@contextmanager
def open_door(settings: Settings, clock: Clock) -> Iterator[Door]:
    """Build the application on a real database."""
    with open_identity(settings, clock) as identity:
        server = OpenAPI(__name__, doc_ui=False)
        app = Dash(__name__, server=server, health_endpoint="_dash-health")
        app.layout = layout()
        _register(app)
        _routes(server)
        Guard(
            app,
            identity.accounts,
            identity.tokens,
            settings,
            is_page=lambda path: path in {"/", "/heaters"},
            callback_permissions=lambda: PERMISSIONS,
        )
        register_login(server, identity.accounts, identity.tokens, settings)
        server.register_api(blueprint(identity.accounts, identity.tokens))
        register_problems(server)
        register_headers(server, app, settings)
        yield Door(app, identity)


def who_text() -> str:
    """The name the guard has left on the request."""
    principal: Principal = flask.g.principal
    return principal.username


def _register(app: Dash) -> None:
    source = Input("demo-in", "value")

    @app.callback(Output("demo-out", "children"), source, State("demo-state", "value"))
    def show(value: object, state: object) -> str:
        return f"{who_text()} {value} {state}"

    @app.callback(Output("demo-set", "children"), source)
    def control(_value: object) -> str:
        return "set"

    @app.callback(Output("demo-a", "children"), Output("demo-b", "children"), source)
    def pair(_value: object) -> tuple[str, str]:
        return "a", "b"

    @app.callback(
        Output("demo-rows", "children"),
        Input({"role": "row", "key": ALL}, "n_clicks"),
    )
    def rows(clicks: list[object]) -> str:
        return str(len(clicks))

    @app.callback(Output("demo-live", "children"), Input("demo-tick", "n_intervals"))
    def live(_ticks: object) -> str:
        return "live"

    @app.callback(Output("demo-forgotten", "children"), source)
    def forgotten(_value: object) -> str:
        return "nobody declared who may do this"

    app.clientside_callback(
        "function (n) { return n }", Output("demo-clock", "children"), source
    )


def _routes(server: OpenAPI) -> None:
    @server.get("/api/v1/things")
    def things():
        return flask.jsonify(items=[], who=who_text())

    @server.post("/api/v1/things")
    def add_thing():
        return flask.jsonify(read=len(flask.request.get_data())), 201

    @server.get("/api/v1/broken")
    def broken():
        raise RuntimeError("SELECT secret_canary FROM users")

    @server.get("/api/v1/conflict")
    def conflict():
        raise Conflict("Somebody else changed it.")
