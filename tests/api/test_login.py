"""The sign-in page, the cookies it gives and signing out."""

from __future__ import annotations

import pytest

from api.login import local_path
from tests.api.door import BODY, call, open_door
from tests.identity import ADDRESS, PASSWORD


@pytest.fixture
def door(settings, clock):
    """A small application with vera, otto and ada."""
    with open_door(settings, clock) as opened:
        yield opened


def _post(client, name="vera", password=PASSWORD, **more):
    return client.post("/login", data={"username": name, "password": password, **more})


def _cookies(answer):
    lines = answer.headers.getlist("Set-Cookie")
    return {line.partition("=")[0]: line for line in lines}


def test_page_is_a_labelled_form(door):
    """Each field has a label, the browser's password store is allowed."""
    text = door.client().get("/login").text

    for field in ("username", "password"):
        assert f'<label for="login-{field}">' in text
        assert f'id="login-{field}"' in text
    assert 'autocomplete="current-password"' in text
    assert "<script" not in text


def test_right_password_leads_to_the_page_asked_for(door):
    """After signing in the browser goes on where it wanted to."""
    answer = _post(door.client(), next="/heaters?from=now-7d")

    assert answer.status_code == 303
    assert answer.headers["Location"] == "/heaters?from=now-7d"


def test_session_cookies_are_strict_and_hidden(door):
    """Only the CSRF value can be read by the page; all stay on this site."""
    cookies = _cookies(_post(door.client()))

    assert set(cookies) == {
        "access_token", "refresh_token", "csrf_access_token", "device_token",
    }  # fmt: skip
    for name, line in cookies.items():
        assert "SameSite=Strict" in line and "Path=/" in line
        assert ("HttpOnly" in line) is (name != "csrf_access_token")
        assert "Domain=" not in line


def test_behind_tls_cookies_are_bound_to_the_host(settings, clock):
    """With secure cookies every cookie is Secure and the tokens are __Host-."""
    secure = settings.model_copy(update={"secure_cookies": True})
    with open_door(secure, clock) as door:
        cookies = _cookies(_post(door.client()))

    assert {"__Host-access_token", "__Host-refresh_token"} < set(cookies)
    assert all("Secure" in line for line in cookies.values())


@pytest.mark.parametrize(
    ("name", "password"),
    [("vera", "wrong"), ("nobody", PASSWORD), ("", ""), ("vera", ""), ("v" * 999, "x")],
)
def test_wrong_sign_in_says_the_same(door, name, password):
    """One text, no cookie, and the page asked for is not forgotten."""
    answer = _post(door.client(), name, password, next="/heaters")

    assert answer.status_code == 401
    assert "User name or password is not right." in answer.text
    assert 'value="/heaters"' in answer.text
    assert _cookies(answer) == {}


def test_missing_fields_are_a_wrong_sign_in(door):
    """A post without the fields is answered with the form."""
    assert door.client().post("/login").status_code == 401


def test_what_was_typed_is_escaped(door):
    """A name with markup is shown as text, a password never."""
    answer = _post(door.client(), '"><b>x', "my typed secret")

    assert "<b>" not in answer.text
    assert "my typed secret" not in answer.text


def test_too_many_tries_say_when_to_come_back(door):
    """The sixth is a 429 with the time to wait, also for the right password."""
    client = door.client()
    for _ in range(5):
        _post(client, password="wrong")
    answer = _post(client)

    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "900"
    assert "Try again in 15 min." in answer.text


def test_owner_gets_in_while_a_stranger_guesses(door):
    """The browser that signed in before is not counted with the stranger."""
    owner, stranger = door.browser("vera"), door.client()
    owner.post("/logout")
    for _ in range(6):
        _post(stranger, password="wrong")

    assert _post(stranger).status_code == 429
    assert _post(owner).status_code == 303


def test_device_cookie_of_another_user_helps_nobody(door):
    """One's own known browser does not give more guesses at somebody else."""
    insider, stranger = door.browser("otto"), door.client()
    for _ in range(5):
        _post(stranger, password="wrong")

    assert _post(insider).status_code == 429


def test_sign_out_ends_the_session_on_the_server(door):
    """Kept copies of the cookies open nothing afterwards."""
    browser, copy = door.browser("vera"), door.client()
    for name in ("access_token", "refresh_token", "csrf_access_token"):
        copy.set_cookie(name, browser.get_cookie(name).value)
    answer = browser.post("/logout")

    assert answer.headers["Location"] == "/login?out=1"
    assert browser.get_cookie("access_token") is None
    assert call(copy, BODY).status_code == 401


@pytest.mark.parametrize("token", [None, "junk"])
def test_sign_out_without_a_session_is_harmless(door, token):
    """It leads to the sign-in page whatever the browser holds."""
    client = door.client()
    if token:
        client.set_cookie("refresh_token", token)

    assert client.post("/logout").status_code == 303


def test_sign_out_is_no_link(door):
    """A picture on another site cannot sign anybody out."""
    assert door.browser("vera").get("/logout").status_code == 404


def test_signing_in_again_ends_the_session_before(door):
    """One browser has one session."""
    browser = door.browser("vera")
    old = browser.get_cookie("refresh_token").value
    claims = door.identity.tokens.read_refresh(old)
    _post(browser, "otto")

    assert door.identity.store.session(claims.session_id).revoked_at is not None


@pytest.mark.parametrize(
    ("query", "text"),
    [("ended=1", "Your session has ended"), ("out=1", "You have signed out")],
)
def test_page_says_why_it_is_shown(door, query, text):
    """After an expiry or a sign-out there is a sentence about it."""
    assert text in door.client().get(f"/login?{query}").text


def test_demo_hint_is_for_demo_mode_only(settings, clock, tmp_path):
    """It names the users and where the password is printed, never the password."""
    with open_door(settings, clock) as door:
        assert "Demo" not in door.client().get("/login").text
    demo = settings.model_copy(update={"demo": True, "home_dir": tmp_path / "demo"})
    with open_door(demo, clock) as door:
        text = door.client().get("/login").text

    assert "admin, operator or viewer" in text
    assert "IOTSPHERE_DEMO_PASSWORD" in text


@pytest.mark.parametrize(
    "address",
    [
        None, "", "heaters", "//evil.example", "/\\evil.example", "///x", "/a\\b",
        "http://evil.example", "https:/x", "javascript:alert(1)", "/a b", "/a\nb",
        "/\t/evil.example", "/login", "/logout", "/login?next=/x", "\x00/x",
        "/a\r\nSet-Cookie: x=1", "\\\\evil.example",
    ],
)  # fmt: skip
def test_other_addresses_lead_to_the_start(address):
    """Nothing that a browser could read as another host is followed."""
    assert local_path(address) == "/"


@pytest.mark.parametrize(
    "address", ["/", "/heaters", "/heaters/wh-1/history?from=now-7d&to=now", "/a#b"]
)
def test_local_addresses_are_kept(address):
    """Pages of our own are."""
    assert local_path(address) == address


def test_guesses_are_counted_over_all_doors(door):
    """Three tries in the browser and two over REST are five."""
    client = door.client()
    for _ in range(3):
        _post(client, password="wrong")
    for _ in range(2):
        wrong = {"username": "vera", "password": "wrong"}
        client.post("/api/v1/auth/login", json=wrong)

    assert client.environ_base["REMOTE_ADDR"] == ADDRESS
    assert _post(client).status_code == 429
