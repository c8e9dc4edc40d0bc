"""Tokens: only our own, of the right kind, in time, are believed."""

from __future__ import annotations

import base64
import json
import string
from datetime import timedelta

import jwt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.errors import Unauthorized
from services.sessions import Session
from services.tokens import TokenExpired, TokenRefused, Tokens, _derived
from tests.conftest import NOW, Clock

KEY = "k7!" + "Zq3xW9vB" * 5
TOKEN_KEY = _derived(KEY, "tokens")
SESSION = Session("s-1", 7, "vera", "jti-1", NOW + timedelta(hours=12))
GOOD = {
    "iss": "iotsphere", "aud": "iotsphere", "sub": "7", "sid": "s-1", "jti": "j",
    "iat": int(NOW.timestamp()), "exp": int(NOW.timestamp()) + 600,
}  # fmt: skip


def _tokens(clock: Clock | None = None) -> Tokens:
    return Tokens(KEY, clock or Clock())


def _made(claims=GOOD, header=None, key=TOKEN_KEY, algorithm="HS256"):
    header = {"typ": "access+jwt"} if header is None else header
    return jwt.encode(claims, key, algorithm=algorithm, headers=header)


def _part(value: object) -> str:
    raw = json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def test_issued_tokens_are_read_back():
    """Access and refresh tokens name user and session; refresh has its id."""
    tokens = _tokens()
    pair = tokens.issue(SESSION)

    assert tokens.read_access(pair.access_token).session_id == "s-1"
    assert tokens.read_refresh(pair.refresh_token).jti == "jti-1"
    assert (pair.expires_in_s, pair.session_ends_in_s) == (600, 43_200)


def test_the_forging_helper_makes_valid_tokens():
    """The refusals below are for the one thing each of them changes."""
    assert _tokens().read_access(_made()).subject == "7"


@pytest.mark.parametrize("name", list(GOOD))
def test_every_claim_is_required(name):
    """A token without one of its claims is refused."""
    claims = {k: v for k, v in GOOD.items() if k != name}
    with pytest.raises(TokenRefused):
        _tokens().read_access(_made(claims))


@pytest.mark.parametrize(
    "change",
    [
        {"iss": "other"}, {"aud": "other"}, {"aud": ["iotsphere"]}, {"sub": 7},
        {"sid": None}, {"sid": 1}, {"jti": 5}, {"exp": "2099"}, {"exp": 1e400},
        {"exp": True}, {"iat": None}, {"iat": int(NOW.timestamp()) + 60}, {"aud": None},
    ],
)  # fmt: skip
def test_wrong_claims_are_refused(change):
    """Wrong issuer, audience, type or time: refused, without another error."""
    with pytest.raises(TokenRefused):
        _tokens().read_access(_made({**GOOD, **change}))


@pytest.mark.parametrize(
    "header",
    [
        {"typ": "JWT"}, {"typ": "refresh+jwt"}, {"typ": "device+jwt"},
        {"typ": "access+jwt", "kid": "x"}, {"typ": "access+jwt", "jku": "https://x"},
        {"typ": "access+jwt", "x5u": "https://x"}, {"typ": "access+jwt", "jwk": {}},
        {"typ": "access+jwt", "crit": ["exp"]},
    ],
)  # fmt: skip
def test_other_headers_are_refused(header):
    """The kind must fit, and keys named in the header are never looked at."""
    with pytest.raises(TokenRefused):
        _tokens().read_access(_made(header=header))


def test_other_algorithms_and_keys_are_refused():
    """No 'none', no other HMAC, no other key, no key of another purpose."""
    unsigned = f"{_part({'alg': 'none', 'typ': 'access+jwt'})}.{_part(GOOD)}."
    for token in (
        unsigned,
        _made(algorithm="HS512"),
        _made(key=KEY),
        _made(key=_derived(KEY, "csrf")),
        _made(key="another key of enough characters!"),
    ):
        with pytest.raises(TokenRefused):
            _tokens().read_access(token)


def test_kinds_are_not_mixed():
    """A refresh or device token does not open anything, an access token renews not."""
    tokens = _tokens()
    pair = tokens.issue(SESSION)
    with pytest.raises(TokenRefused):
        tokens.read_access(pair.refresh_token)
    with pytest.raises(TokenRefused):
        tokens.read_access(tokens.device("vera"))
    with pytest.raises(TokenRefused):
        tokens.read_refresh(pair.access_token)


def test_access_expires_after_ten_minutes():
    """With ten seconds of leeway for clocks that differ."""
    clock = Clock()
    tokens = _tokens(clock)
    token = tokens.issue(SESSION).access_token
    clock.forward(minutes=10, seconds=9)
    assert tokens.read_access(token)
    clock.forward(seconds=1)

    with pytest.raises(TokenExpired):
        tokens.read_access(token)


def test_access_never_outlives_the_session():
    """Near the end of a session the access token is shorter."""
    clock = Clock()
    clock.forward(hours=11, minutes=55)

    assert _tokens(clock).issue(SESSION).expires_in_s == 300


@settings(max_examples=500, deadline=None)
@given(position=st.integers(0), letter=st.sampled_from(string.printable))
def test_changed_tokens_are_refused(position, letter):
    """One character changed anywhere is noticed, unless it means the same bits."""
    token = _made()
    at = position % len(token)
    changed = token[:at] + letter + token[at + 1 :]
    if changed == token or at == len(token) - 1 or token[at + 1] == ".":
        return
    with pytest.raises(TokenRefused):
        _tokens().read_access(changed)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_refused_quietly(text):
    """What is no token raises nothing but a refusal."""
    with pytest.raises(Unauthorized):
        _tokens().read_access(text)


def test_long_tokens_are_not_parsed():
    """A megabyte of header costs nothing."""
    with pytest.raises(TokenRefused, match="too long"):
        _tokens().read_access("a" * 1_000_000)


@pytest.mark.parametrize("key", ["", "short", "x" * 31])
def test_short_keys_are_refused_at_start(key):
    """The library would only warn."""
    with pytest.raises(ValueError, match="32 characters"):
        Tokens(key, Clock())


def test_device_token_belongs_to_one_user():
    """Another user's browser is a stranger; case and blanks do not matter."""
    tokens = _tokens()
    device = tokens.device("vera")

    assert tokens.is_device_of(device, " Vera ")
    assert not tokens.is_device_of(device, "ada")
    assert not tokens.is_device_of(None, "vera")
    assert not tokens.is_device_of("junk", "vera")


def test_csrf_value_belongs_to_one_session():
    """Another session's value, none, or odd characters do not fit."""
    tokens = _tokens()
    value = tokens.csrf("s-1")

    assert tokens.csrf_fits("s-1", value)
    for wrong in (None, "", tokens.csrf("s-2"), value + "0", "é\ud800"):
        assert not tokens.csrf_fits("s-1", wrong)
