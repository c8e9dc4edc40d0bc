"""The OpenAPI document."""

from __future__ import annotations

import re

from app import create_app
from bootstrap import build, migrate

CONVERTER = re.compile(r"<(?:\w+:)?(\w+)>")


def test_document_describes_every_rest_route_and_no_page(settings) -> None:
    """Its paths are those of the URL map under /api/v1, with their methods."""
    migrate(settings)
    services = build(settings)
    server = create_app(settings, services).server
    described = {
        (path, method.upper())
        for path, methods in server.api_doc["paths"].items()
        for method in methods
    }
    routed = {
        (CONVERTER.sub(r"{\1}", rule.rule), method)
        for rule in server.url_map.iter_rules()
        if rule.rule.startswith("/api/v1/") and "path:" not in rule.rule
        for method in rule.methods - {"HEAD", "OPTIONS"}
        if rule.endpoint != "openapi_document"
    }
    services.close()

    assert ("/api/v1/devices", "GET") in described
    assert described == routed
