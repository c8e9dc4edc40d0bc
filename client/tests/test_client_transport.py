"""Sign-in, answers that are none, and reading scores back."""

from __future__ import annotations

import json
import time
from datetime import datetime, timezone

import pandas as pd
import pytest
from contract_server import PASSWORD, USER

import iotsphere_client
from iotsphere_client import Client, IoTSphereError, connect
from iotsphere_client.result import Blocked, Refused, Unavailable
from iotsphere_client.transport import Transport


def test_one_sign_in_serves_many_calls(server, client, rows):
    """The token is kept; only an expired one is replaced, once."""
    client.log(rows, "churn")
    client.log(rows, "churn")
    before = server.logins
    server.tokens.clear()
    result = client.log([{**rows[0], "prediction_id": "late"}], "churn")

    assert before == 1
    assert server.logins == 2
    assert result.taken == 1


def test_a_token_is_enough(server, tmp_path, rows):
    """With a token nobody signs in."""
    server.tokens.add("given")
    client = Client(server.url, token="given", spool=tmp_path)

    assert client.log(rows, "churn").taken == 6
    assert server.logins == 0


def test_a_missing_sign_in_says_what_to_set(server, tmp_path, rows):
    """Without name and token the error names the variables."""
    result = Client(server.url, spool=tmp_path).log(rows, "churn")

    assert not result.ok
    assert "set IOTSPHERE_TOKEN" in result.error


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Refused),
        (404, Refused),
        (403, Blocked),
        (429, Unavailable),
        (502, Unavailable),
    ],
)
def test_a_status_tells_whether_later_helps(server, status, kind):
    """429 and 5xx may pass later, 403 needs somebody, other 4xx never pass."""
    server.tokens.add("t")
    server.fault = lambda method, path: status
    with pytest.raises(kind, match="as the test wants it") as caught:
        Transport(server.url, None, None, "t", 2.0).call("GET", "models/m")

    assert type(caught.value) is kind


@pytest.mark.parametrize("body", ["<html>hello</html>", "[1]", "null", "7"])
def test_an_answer_that_is_none_keeps_the_rows(server, client, rows, body):
    """A proxy's page in place of the answer is no receipt."""
    client.log(rows, "churn")
    server.fault = lambda method, path: body if "inferences" in path else None

    assert client.log(rows, "churn").spooled == 6


def test_a_slow_answer_ends_at_the_limit(server):
    """Nobody waits longer than told."""
    server.delay_s = 2.0
    began = time.monotonic()
    with pytest.raises(Unavailable, match="timed out"):
        Transport(server.url, USER, PASSWORD, None, 0.2).call("GET", "models/m")

    assert time.monotonic() - began < 1.9


def test_a_proxy_in_the_environment_is_not_asked_for_loopback(
    server, client, rows, monkeypatch
):
    """A local server is reached although http_proxy leads nowhere."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")

    assert client.log(rows, "churn").taken == 6


def test_scores_come_as_a_frame(server, client, rows, monkeypatch):
    """All pages of ``items`` are the rows; the query is passed on."""
    client.log(rows, "churn")
    server.pages = [[{"feature": "age", "psi": 0.1}], [{"feature": "plan", "psi": 0.2}]]
    monkeypatch.setattr(iotsphere_client, "_default", [client])
    frame = iotsphere_client.drift(
        "churn", "age", from_="now-7d", to=datetime(2026, 3, 1, tzinfo=timezone.utc)
    )

    pd.testing.assert_frame_equal(
        frame, pd.DataFrame({"feature": ["age", "plan"], "psi": [0.1, 0.2]})
    )
    assert server.queries[0] == {
        "feature": ["age"], "from": ["now-7d"], "to": ["2026-03-01T00:00:00Z"],
    }  # fmt: skip
    assert len(iotsphere_client.performance("churn", version="3")) == 2


def test_reading_raises_a_clear_error(server, client, tmp_path):
    """An unknown model, an answer without items and no server are each told."""
    with pytest.raises(IoTSphereError, match="There is no model 'none'"):
        client.drift("none")
    server.fault = lambda method, path: json.dumps({"rows": []})
    client = Client(server.url, token="t", spool=tmp_path)
    with pytest.raises(IoTSphereError, match="without items"):
        client.performance("churn")
    server.stop()
    with pytest.raises(IoTSphereError, match="does not answer"):
        client.drift("churn")
    with pytest.raises(IoTSphereError, match="no http"):
        connect("nowhere").drift("churn")
