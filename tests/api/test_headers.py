"""The headers of every answer, and errors that tell nothing they should not."""

from __future__ import annotations

import base64
import hashlib
import re

import pytest
from sqlalchemy.exc import OperationalError

from tests.api.door import BODY, call, open_door

PATHS = (
    "/", "/nowhere", "/login", "/_dash-layout", "/api/v1/things", "/api/v1/broken",
    "/_favicon.ico", "/_dash-health", "/api/v1/nothing", "/assets/none.css",
    "/_dash-component-suites/none/x.js",
)  # fmt: skip


@pytest.fixture
def door(settings, clock):
    """A small application with vera, otto and ada."""
    with open_door(settings, clock) as opened:
        yield opened


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("name", [None, "ada"])
def test_every_answer_carries_the_headers(door, path, name):
    """Pages, data, files and errors alike, signed in or not."""
    client = door.browser(name) if name else door.client()
    headers = client.get(path).headers

    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Embedder-Policy"] == "require-corp"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "frame-ancestors 'none'" in policy
    assert "unsafe-eval" not in policy
    assert re.fullmatch(r"[0-9a-f]{32}", headers["X-Request-Id"])


def test_inline_scripts_of_the_page_are_all_hashed(door):
    """The policy allows exactly the inline scripts that the page has."""
    answer = door.browser("vera").get("/heaters")
    policy = answer.headers["Content-Security-Policy"]
    page = re.sub(r"<!--.*?-->", "", answer.text, flags=re.DOTALL)
    scripts = re.findall(r"<script([^>]*)>([^<]+)</script>", page)
    inline = [text for attributes, text in scripts if "json" not in attributes]

    assert "script-src 'self' 'sha256-" in policy
    assert inline
    for text in inline:
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy


def test_scripts_may_not_be_inline_or_from_elsewhere(door):
    """No 'unsafe-inline' for scripts, no other host for anything."""
    policy = door.client().get("/login").headers["Content-Security-Policy"]
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))

    assert "unsafe-inline" not in rules["script-src"]
    assert "http" not in policy


@pytest.mark.parametrize("path", ["/", "/login", "/_dash-layout", "/api/v1/things"])
def test_data_is_not_kept(door, path):
    """What depends on the person is stored nowhere on the way."""
    answer = door.browser("vera").get(path)

    assert answer.headers["Cache-Control"] == "no-store"


def test_callback_answers_are_not_kept(door):
    """Neither are the answers of callbacks."""
    answer = call(door.browser("vera"), BODY)

    assert answer.headers["Cache-Control"] == "no-store"


def test_files_are_kept_and_missing_files_are_not(door):
    """A file that is the same for all may be cached; its absence may not."""
    found = door.client().get("/_favicon.ico").headers["Cache-Control"]
    missing = door.client().get("/assets/none.css").headers["Cache-Control"]

    assert (found, missing) == ("public, max-age=86400", "no-store")


def test_hsts_is_sent_behind_tls_only(settings, clock):
    """On plain HTTP the header would be wrong."""
    with open_door(settings, clock) as door:
        headers = door.client().get("/login").headers
        assert "Strict-Transport-Security" not in headers
    changed = {"secure_cookies": True, "home_dir": settings.home_dir / "tls"}
    secure = settings.model_copy(update=changed)
    with open_door(secure, clock) as door:
        headers = door.client().get("/login").headers

    assert headers["Strict-Transport-Security"].startswith("max-age=31536000")


def test_unexpected_errors_show_a_reference_only(door, caplog):
    """No stack, no SQL in the answer; the log has both under the same id."""
    answer = door.client().get("/api/v1/broken", headers=door.bearer("ada"))

    assert answer.status_code == 500
    assert answer.mimetype == "application/problem+json"
    assert "canary" not in answer.text and "Traceback" not in answer.text
    assert answer.json["request_id"] == answer.headers["X-Request-Id"]
    assert answer.json["request_id"] in caplog.text
    assert "secret_canary" in caplog.text


def test_busy_database_is_a_503_with_a_retry_time(door, monkeypatch):
    """A store that does not answer is not a broken program."""

    def locked(*_):
        raise OperationalError("SELECT canary", {}, Exception("database is locked"))

    headers = door.bearer("ada")
    monkeypatch.setattr(door.identity.store, "session", locked)
    answer = door.client().get("/api/v1/things", headers=headers)

    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"
    assert "canary" not in answer.text


def test_reading_goes_on_while_nothing_can_be_written(door, monkeypatch):
    """The note that a session was used may be lost; other faults are not hidden."""
    client, headers = door.client(), door.bearer("ada")
    door.identity.clock.forward(minutes=2)

    def locked(*_):
        raise OperationalError("UPDATE", {}, Exception("database is locked"))

    monkeypatch.setattr(door.identity.store, "touch", locked)
    assert client.get("/api/v1/things", headers=headers).status_code == 200
    monkeypatch.setattr(door.identity.store, "touch", lambda *_: 1 / 0)

    assert client.get("/api/v1/things", headers=headers).status_code == 500


def test_browsers_get_errors_as_pages(door):
    """A person who follows a dead link reads a page with a way back."""
    answer = door.client().get("/nowhere", headers={"Accept": "text/html"})

    assert answer.status_code == 404
    assert answer.mimetype == "text/html"
    assert 'href="/"' in answer.text


def test_problem_documents_have_the_standard_fields(door):
    """RFC 9457 names, and the message of the service."""
    answer = door.client().get("/api/v1/conflict", headers=door.bearer("ada"))

    assert answer.json | {"request_id": ""} == {
        "type": "about:blank",
        "title": "Conflict",
        "status": 409,
        "detail": "Somebody else changed it.",
        "request_id": "",
    }
