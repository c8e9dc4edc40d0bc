"""Every door of the real application is behind the guard."""

from __future__ import annotations

import re

import pytest

from api.guard import PAGE_RULES, PUBLIC_RULES
from app import create_app
from bootstrap import build, migrate
from services.access import PERMISSIONS


@pytest.fixture
def app(settings):
    """The whole application on empty stores."""
    migrate(settings)
    services = build(settings)
    yield create_app(settings, services)
    services.close()


def test_every_callback_declares_a_permission_that_exists(app):
    """The guard knows a permission for each callback that runs on the server."""
    guard = next(
        hook.__self__
        for hook in app.server.before_request_funcs[None]
        if getattr(hook, "__name__", "") == "_gate"
    )
    declared = guard._permissions()
    on_server = {k for k, v in app.callback_map.items() if "callback" in v}

    assert on_server
    assert on_server == set(declared)
    assert set(declared.values()) <= set(PERMISSIONS)


def test_every_route_but_the_public_ones_needs_a_session(app):
    """Walk the route map: a stranger gets a 401 or the sign-in, never a look."""
    client = app.server.test_client()
    closed = [r for r in app.server.url_map.iter_rules() if r.rule not in PUBLIC_RULES]
    for rule in closed:
        path = re.sub(r"<int:\w+>", "1", rule.rule)
        path = re.sub(r"<[^>]+>", "x", path)
        expected = {401, 302} if rule.rule in PAGE_RULES else {401}
        if rule.rule == "/<path:path>":
            expected = {404}  # no page of ours has this address
        for method in rule.methods - {"OPTIONS"}:
            answer = client.open(path, method=method)

            assert answer.status_code in expected, (method, rule.rule)


def test_public_routes_are_the_ones_listed(app):
    """The list names no route by mistake: each either exists or is yet to come."""
    rules = {rule.rule for rule in app.server.url_map.iter_rules()}

    assert PUBLIC_RULES - rules <= {"/api/v1/health", "/api/v1/ready"}
