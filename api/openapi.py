"""The description of the REST interface, for programs that read it."""

from __future__ import annotations

import flask
from flask_openapi3.openapi import OpenAPI

PATH = "/api/v1/openapi.json"


def register_openapi(server: OpenAPI) -> None:
    """Serve the OpenAPI 3.1 document to those who are signed in."""

    @server.route(PATH, endpoint="openapi_document")
    def document() -> flask.Response:
        return flask.jsonify(server.api_doc)
