"""What the user reads when a callback fails."""

from __future__ import annotations

import json

import flask
import pytest
from dash.exceptions import PreventUpdate

from callbacks.errors import BUSY, UNEXPECTED, explained, guarded
from data.engine import QueryTimeout
from services.errors import NotFound
from tests.portal import call


def test_an_unexpected_error_is_a_message_with_a_reference(portal, caplog):
    """The user gets a reference and no word of the error itself."""
    answer = call(
        portal,
        portal.browser("vera"),
        "fleet-plain.children",
        {"shell-location.search": "?boom=hard"},
    )
    notice = json.dumps(answer.json["sideUpdate"]["shell-toasts"])
    assert answer.status_code == 200
    assert "Reference" in notice
    assert answer.headers["X-Request-Id"] in notice
    assert "secret_canary" not in answer.text


def test_a_failing_part_does_not_blank_the_tab(portal):
    """A guarded part that fails becomes an error state in its place."""
    client = portal.browser("vera")
    answer = call(
        portal,
        client,
        "fleet-failing.children",
        {"shell-location.search": "?boom=soft"},
    )
    assert UNEXPECTED in json.dumps(answer.json["response"]["fleet-failing"])
    answer = call(
        portal, client, "fleet-plain.children", {"shell-location.search": "?boom=soft"}
    )
    assert answer.json["response"]["fleet-plain"]["children"] == "fine"


def test_a_service_error_is_told_as_it_is():
    """The message of a service error is meant for the user and needs no number."""
    assert explained(NotFound("There is no such thing.")) == (
        "There is no such thing.",
        None,
    )


def test_a_query_that_was_cut_is_told_with_what_to_do():
    """A store that does not answer in time is not called a fault of ours."""
    assert explained(QueryTimeout("5 s")) == (BUSY, None)


def test_prevent_update_passes():
    """Nothing to do is not a failure."""

    def nothing() -> None:
        raise PreventUpdate

    with flask.Flask(__name__).test_request_context(), pytest.raises(PreventUpdate):
        guarded(nothing)
