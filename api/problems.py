"""Errors as RFC 9457 problem documents, with a request id and never a stack."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping
from http import HTTPStatus

import flask
from dash.exceptions import DependencyException
from flask import Flask, Response
from flask_openapi3.openapi import OpenAPI
from pydantic import ValidationError
from werkzeug.exceptions import HTTPException

from api.plain_page import message_page
from data.session import store_unavailable
from services.errors import (
    Busy,
    Conflict,
    Forbidden,
    InvalidInput,
    NeedsConfirmation,
    NotFound,
    ServiceError,
    TooLarge,
    TooMany,
    Unauthorized,
)

LOG = logging.getLogger(__name__)
STATUS: Mapping[type[ServiceError], int] = {
    InvalidInput: 400,
    Unauthorized: 401,
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    NeedsConfirmation: 428,
    TooLarge: 413,
    TooMany: 429,
    Busy: 503,
}
RETRY_S = 5
UNEXPECTED = "Something went wrong here. The reference finds it in the log."


def register_problems(server: Flask) -> None:
    """Turn every error of every route into a problem document."""
    server.register_error_handler(ServiceError, service_problem)
    server.register_error_handler(HTTPException, _http_problem)
    server.register_error_handler(DependencyException, _unknown_file)
    server.register_error_handler(Exception, _unexpected)
    if isinstance(server, OpenAPI):
        server.validation_error_callback = validation_problem


def request_id() -> str:
    """The id of this request: in the answer, in the log, in a problem."""
    known: str | None = flask.g.get("request_id")
    if known is None:
        known = flask.g.request_id = uuid.uuid4().hex
    return known


def problem(
    status: int, detail: str, headers: Mapping[str, str] | None = None, **more: object
) -> Response:
    """One problem document; a browser that opens a page gets it as a page."""
    title = HTTPStatus(status).phrase
    if _wants_page():
        response = Response(message_page(title, detail, request_id()), status)
    else:
        body = {
            "type": "about:blank",
            "title": title,
            "status": status,
            "detail": detail,
            "request_id": request_id(),
            **more,
        }
        response = flask.jsonify(body)
        response.status_code = status
        response.mimetype = "application/problem+json"
    response.headers.update(dict(headers or {}))
    return response


def service_problem(error: ServiceError) -> Response:
    """The problem document of an error that a service raised."""
    statuses = (STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
    status = next(statuses, 500)
    if status == 500:
        return _unexpected(error)
    headers = {}
    if isinstance(error, TooMany):
        headers["Retry-After"] = str(error.retry_after_s)
    elif status == 503:
        headers["Retry-After"] = str(RETRY_S)
    elif status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return problem(status, str(error), headers)


def validation_problem(error: ValidationError) -> Response:
    """What is wrong with which field; the values themselves are not repeated."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    fields = [
        {"field": ".".join(str(part) for part in item["loc"]), "message": item["msg"]}
        for item in found
    ]
    names = ", ".join(item["field"] or "body" for item in fields)
    return problem(422, f"Not valid: {names}.", errors=fields)


def _http_problem(error: HTTPException) -> Response | HTTPException:
    if error.response is not None or error.code is None or error.code < 400:
        return error
    kept = {
        name: value
        for name, value in error.get_headers()
        if name.lower() in {"allow", "retry-after", "www-authenticate"}
    }
    if error.code >= 500:
        return _unexpected(error)
    return problem(error.code, error.description or error.name, kept)


def _unknown_file(_error: DependencyException) -> Response:
    return problem(404, "There is no such file.")


def _unexpected(error: Exception) -> Response:
    if store_unavailable(error):
        LOG.warning("store unavailable, request %s: %s", request_id(), type(error))
        retry = {"Retry-After": str(RETRY_S)}
        return problem(503, "The database is busy. Try again in a moment.", retry)
    LOG.error("request %s failed", request_id(), exc_info=error)
    return problem(500, UNEXPECTED)


def _wants_page() -> bool:
    request = flask.request
    accepted = request.accept_mimetypes
    return (
        request.method == "GET"
        and not request.path.startswith(("/api/", "/_dash"))
        and accepted["text/html"] > accepted["application/json"]
    )
