"""Headers of every answer: what a browser may run, keep and show elsewhere."""

from __future__ import annotations

import dash
import flask
from flask import Flask, Response

from api.problems import request_id
from settings import Settings

STATIC_RULES = frozenset(
    {
        "/_favicon.ico",
        "/assets/<path:filename>",
        "/bootstrap/static/<path:filename>",
        "/vendor/<path:name>",
        "/_dash-component-suites/plotly/package_data/plotly.min.js",
        "/_dash-component-suites/<string:package_name>/<path:fingerprinted_path>",
    }
)
"""Files that are the same for everybody: the only answers that may be kept."""
KEPT_S = 86_400
EVERYWHERE = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
}
HSTS = "max-age=31536000; includeSubDomains"
NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'; " + (
    "frame-ancestors 'none'"
)


def register_headers(server: Flask, app: dash.Dash, settings: Settings) -> None:
    """Add the headers on the way out of every route, errors included."""

    @server.after_request
    def add_headers(response: Response) -> Response:
        response.headers.update(EVERYWHERE)
        response.headers["X-Request-Id"] = request_id()
        is_page = response.mimetype == "text/html"
        policy = _page_policy(app) if is_page else NOTHING
        response.headers["Content-Security-Policy"] = policy
        if settings.secure_cookies:
            response.headers["Strict-Transport-Security"] = HSTS
        _set_caching(response)
        return response


def _page_policy(app: dash.Dash) -> str:
    # Dash adds inline scripts until its first page is made, so the hashes are
    # taken when a page leaves. Its components write style attributes.
    scripts = " ".join(["'self'", *app.csp_hashes()])
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src {scripts}",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "manifest-src 'self'",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        ]
    )


def _set_caching(response: Response) -> None:
    rule = flask.request.url_rule.rule if flask.request.url_rule else ""
    # Not a redirect or an error: where one leads may change with an upgrade.
    if rule not in STATIC_RULES or response.status_code not in {200, 206, 304}:
        response.headers["Cache-Control"] = "no-store"
    elif response.cache_control.max_age is None:
        response.headers["Cache-Control"] = f"public, max-age={KEPT_S}"
