"""Signing in, refreshing and signing out over REST."""

from __future__ import annotations

import pytest

from tests.api.door import open_door
from tests.identity import PASSWORD

LOGIN = "/api/v1/auth/login"
REFRESH = "/api/v1/auth/refresh"
LOGOUT = "/api/v1/auth/logout"


@pytest.fixture
def door(settings, clock):
    """A small application with vera, otto and ada."""
    with open_door(settings, clock) as opened:
        yield opened


def _login(door, name="vera", password=PASSWORD):
    return door.client().post(LOGIN, json={"username": name, "password": password})


def _header(answer):
    return {"Authorization": f"Bearer {answer.json['access_token']}"}


def test_login_gives_tokens_that_open_the_api(door):
    """The answer has the agreed fields and sets no cookie."""
    answer = _login(door)

    assert set(answer.json) == {
        "access_token", "refresh_token", "token_type", "expires_in",
    }  # fmt: skip
    assert (answer.json["token_type"], answer.json["expires_in"]) == ("Bearer", 600)
    assert "Set-Cookie" not in answer.headers
    assert answer.headers["Cache-Control"] == "no-store"
    things = door.client().get("/api/v1/things", headers=_header(answer))
    assert things.json["who"] == "vera"


@pytest.mark.parametrize(
    ("name", "password"), [("vera", "wrong"), ("nobody", PASSWORD)]
)
def test_wrong_login_is_one_problem(door, name, password):
    """Unknown user and wrong password: the same 401 document."""
    answer = _login(door, name, password)

    assert answer.status_code == 401
    assert answer.mimetype == "application/problem+json"
    assert answer.json["detail"] == "User name or password is not right."


@pytest.mark.parametrize(
    "body",
    [
        {}, [], "x", None, {"username": "vera"}, {"username": 1, "password": "x"},
        {"username": "vera", "password": "x", "role": "admin"},
        {"username": "v" * 65, "password": "x"},
        {"username": "vera", "password": "x" * 129},
        {"username": "\ud800", "password": "xxx"},
    ],
)  # fmt: skip
def test_odd_bodies_are_named_not_repeated(door, body):
    """Missing, unknown and oversized fields are a 4xx that shows no value."""
    answer = door.client().post(LOGIN, json=body)

    assert answer.status_code in {400, 415, 422}
    assert answer.mimetype == "application/problem+json"
    assert "xxx" not in answer.text and "admin" not in answer.text


def test_malformed_json_is_a_problem(door):
    """Half an object is a 4xx as well."""
    answer = door.client().post(LOGIN, data=b"{", content_type="application/json")

    assert 400 <= answer.status_code < 500


def test_too_many_logins_are_a_429(door):
    """With the time to wait in the header."""
    for _ in range(5):
        _login(door, password="wrong")
    answer = _login(door)

    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "900"


def test_refresh_rotates_and_old_tokens_end_the_family(door):
    """A new pair each time; an old refresh token after the grace ends both."""
    first = _login(door)
    old = {"refresh_token": first.json["refresh_token"]}
    second = door.client().post(REFRESH, json=old)
    assert second.json["refresh_token"] != old["refresh_token"]
    door.identity.clock.forward(seconds=31)
    assert door.client().post(REFRESH, json=old).status_code == 401

    new = {"refresh_token": second.json["refresh_token"]}
    assert door.client().post(REFRESH, json=new).status_code == 401
    header = _header(second)
    assert door.client().get("/api/v1/things", headers=header).status_code == 401


@pytest.mark.parametrize("token", ["", "x.y.z", "access", "x" * 3000])
def test_refresh_takes_refresh_tokens_only(door, token):
    """Junk and access tokens renew nothing."""
    if token == "access":
        token = _login(door).json["access_token"]

    answer = door.client().post(REFRESH, json={"refresh_token": token})
    assert answer.status_code in {401, 422}


def test_logout_ends_the_session(door):
    """Afterwards neither of the two tokens is taken."""
    pair = _login(door)
    assert door.client().post(LOGOUT, headers=_header(pair)).status_code == 204

    assert door.client().post(LOGOUT, headers=_header(pair)).status_code == 401
    body = {"refresh_token": pair.json["refresh_token"]}
    assert door.client().post(REFRESH, json=body).status_code == 401


def test_logout_needs_a_session(door):
    """Nobody signs out nobody."""
    assert door.client().post(LOGOUT).status_code == 401
