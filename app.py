"""The web application: ``create_app`` builds it, importing this builds nothing."""

from __future__ import annotations

if __name__ == "__main__":  # starting both processes needs nothing of what follows
    import launch

    raise SystemExit(launch.run())

import importlib
from collections.abc import Sequence
from pathlib import Path
from threading import Event
from typing import Any

import flask
from dash import Dash, html
from flask_bootstrap import Bootstrap5
from flask_openapi3.models.info import Info
from flask_openapi3.openapi import OpenAPI

from api import vendor
from api.alerts import blueprint as alerts_blueprint
from api.auth import blueprint as auth_blueprint
from api.bulk import blueprint as bulk_blueprint
from api.care import blueprint as care_blueprint
from api.commands import blueprint as commands_blueprint
from api.credentials import blueprint as credentials_blueprint
from api.device_door import blueprint as device_door_blueprint
from api.devices import blueprint as devices_blueprint
from api.drift import blueprint as drift_blueprint
from api.fleet import blueprint as fleet_blueprint
from api.guard import Guard
from api.headers import register_headers
from api.health import blueprint as health_blueprint
from api.inferences import blueprint as inferences_blueprint
from api.login import register_login
from api.models import blueprint as models_blueprint
from api.openapi import register_openapi
from api.performance import blueprint as performance_blueprint
from api.problems import register_problems
from api.reports import blueprint as reports_blueprint
from api.routes import blueprint as routes_blueprint
from api.rules import blueprint as rules_blueprint
from api.schedules import blueprint as schedules_blueprint
from api.system import register_metrics
from api.telemetry import blueprint as telemetry_blueprint
from bootstrap import Services, build
from callbacks import navigation
from callbacks.errors import on_error
from callbacks.registration import Callbacks, preferences
from dashboards import header, shell
from dashboards.registry import HOME, TABS, Tab, is_page, match
from services.access import Principal
from services.units import Preferences
from settings import Settings

FOLDER = Path(__file__).parent
WEEK_S = 604_800

INDEX = """<!DOCTYPE html>
<html lang="en" data-theme="dark">
<head>
{%metas%}
<meta name="color-scheme" content="dark light">
<link rel="icon" type="image/svg+xml" href="/assets/logo.svg">
{%css%}
</head>
<body>
<noscript>IoTSphere needs JavaScript to be switched on.</noscript>
{%app_entry%}
<!-- The first title of a document counts. This one stands until the frame has
     drawn its own, which the router keeps up to date. -->
<title>{%title%}</title>
<footer>{%config%}{%scripts%}{%renderer%}</footer>
</body>
</html>"""


class Portal(Dash):
    """Dash whose first answer already has the colours of the person signed in."""

    def interpolate_index(self, *args: Any, **parts: Any) -> str:
        """The page before anything is drawn."""
        page = str(super().interpolate_index(*args, **parts))  # type: ignore[no-untyped-call]
        theme = preferences().theme
        return page.replace('data-theme="dark"', f'data-theme="{theme}"', 1)


def create_app(
    settings: Settings, services: Services, tabs: Sequence[Tab] = TABS
) -> Dash:
    """Build the web application; two in one process do not touch each other.

    Args:
        settings: the configuration.
        services: what the product can do, from ``bootstrap.build``.
        tabs: the tabs to build; each names its layout and callback modules.

    Raises:
        ModuleNotFoundError: a tab has no layout or no callback module.
    """
    server = _server(settings)
    files = vendor.collect(settings.home_dir / "vendor")
    files.register(server)
    app = _dash(server, files)
    callbacks = Callbacks(app)
    Guard(
        app,
        services.accounts,
        services.tokens,
        settings,
        services.credentials,
        is_page=lambda path: is_page(path, tabs),
        callback_permissions=lambda: callbacks.permissions,
    )
    register_login(server, services.accounts, services.tokens, settings)
    _rest(server, services, settings)
    register_metrics(server, services.system)
    register_openapi(server)
    register_problems(server)
    _home(server)
    _missing_pages(server, tabs)
    _layout(app, settings, tabs)
    navigation.register(callbacks, services, tabs)
    for tab in tabs:
        importlib.import_module(tab.callbacks).register(callbacks, services)
    register_headers(server, app, settings)
    return app


def wsgi() -> flask.Flask:
    """The server for gunicorn: ``gunicorn "app:wsgi()"``."""
    settings = Settings()
    services = build(settings)
    server: flask.Flask = create_app(settings, services).server
    services.fleet.keep_warm(Event())
    return server


def _server(settings: Settings) -> OpenAPI:
    server = OpenAPI(
        "iotsphere",
        info=Info(title=shell.PRODUCT, version="1"),
        doc_ui=False,
        root_path=str(FOLDER),
    )
    server.config.update(
        BOOTSTRAP_SERVE_LOCAL=True,
        SEND_FILE_MAX_AGE_DEFAULT=WEEK_S,
        MAX_CONTENT_LENGTH=settings.max_body_bytes,
    )
    Bootstrap5(server)
    return server


def _dash(server: Any, files: vendor.Vendor) -> Dash:
    return Portal(
        "iotsphere",
        server=server,
        title=shell.PRODUCT,
        update_title="",
        assets_folder=str(FOLDER / "assets"),
        use_pages=False,
        compress=True,
        index_string=INDEX,
        on_error=on_error,
        health_endpoint="_dash-health",
        csrf_token_name="csrf_access_token",  # noqa: S106 - a cookie's name
        csrf_header_name="X-CSRF-TOKEN",
        external_scripts=[{"src": files.plotly.url, "defer": "defer"}],
        external_stylesheets=[
            *(style.url for style in files.styles),
            "/bootstrap/static/css/bootstrap.min.css",
            "/bootstrap/static/css/font/bootstrap-icons.min.css",
        ],
    )


def _rest(server: OpenAPI, services: Services, settings: Settings) -> None:
    """The routes under ``/api/v1``."""
    for blueprint in (
        auth_blueprint(services.accounts, services.tokens),
        telemetry_blueprint(services.telemetry, services.history, settings),
        fleet_blueprint(services.fleet, settings),
        devices_blueprint(services.devices, services.details, settings),
        commands_blueprint(
            services.controls, services.control_views, services.details, settings
        ),
        credentials_blueprint(services.credentials),
        care_blueprint(services.care, settings),
        bulk_blueprint(services.care.bulk, settings),
        device_door_blueprint(services.device_door, settings),
        models_blueprint(services.models, settings),
        inferences_blueprint(services.models, services.inferences, settings),
        drift_blueprint(services.drift),
        performance_blueprint(services.performance),
        reports_blueprint(services.reports.runs, settings),
        schedules_blueprint(services.reports.schedules),
        alerts_blueprint(services.alerts, settings, services.clock),
        routes_blueprint(services.notifications, settings),
        rules_blueprint(services.rules),
        health_blueprint(services.readiness),
    ):
        server.register_api(blueprint)


def _home(server: flask.Flask) -> None:
    """The bare address leads to the first page; after the guard, so signed in."""

    @server.before_request
    def home() -> flask.typing.ResponseReturnValue | None:
        at_root = flask.request.path == "/" and flask.request.method == "GET"
        return flask.redirect(HOME) if at_root else None


def _missing_pages(server: flask.Flask, tabs: Sequence[Tab]) -> None:
    """The frame says that a page does not exist; so does the status."""

    @server.after_request
    def missing(response: flask.Response) -> flask.Response:
        rule = flask.request.url_rule
        at_page = rule is not None and rule.rule == "/<path:path>"
        if at_page and response.status_code == 200:
            found = match(flask.request.path, tabs)
            response.status_code = 200 if found else 404
        return response


def _layout(app: Any, settings: Settings, tabs: Sequence[Tab]) -> None:
    known: list[Any] = [shell.frame(tabs, Preferences()), *header.declared()]
    for tab in tabs:
        layout_module = importlib.import_module(tab.layout)
        known.append(layout_module.skeleton())
        if hasattr(layout_module, "declared"):
            known += layout_module.declared()
    app.validation_layout = html.Div(known)

    def layout() -> Any:
        # Dash calls this once before the guard has run, to check it: then there
        # is nobody, and the frame is without a name.
        who: Principal | None = flask.g.get("principal")
        return shell.frame(
            [tab for tab in tabs if who is None or who.may(tab.permission)],
            preferences(),
            name=who.username if who else "",
            role=who.role.label if who else "",
            demo=settings.demo,
        )

    app.layout = layout
