"""Access, refresh and device tokens: the only importer of the JWT library.

A token says who signed in and in which session; it never says what the person
may do. Roles are read from the database on each request.
"""

from __future__ import annotations

import hashlib
import hmac
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import jwt

from services.errors import Unauthorized
from services.sessions import Session

ALGORITHM = "HS256"
ISSUER = AUDIENCE = "iotsphere"
LEEWAY_S = 10
ACCESS_LIFE = timedelta(minutes=10)
DEVICE_LIFE = timedelta(days=180)
LONGEST_TOKEN = 2_000
SHORTEST_KEY = 32
REQUIRED = ("iss", "aud", "sub", "exp", "iat", "jti", "sid")


class TokenRefused(Unauthorized):
    """The token cannot be trusted."""


class TokenExpired(TokenRefused):
    """The token was ours, and its time is over."""


@dataclass(frozen=True)
class TokenPair:
    """What a browser or a program holds while it is signed in."""

    access_token: str
    refresh_token: str
    csrf_token: str
    expires_in_s: int
    session_ends_in_s: int


@dataclass(frozen=True)
class Claims:
    """What a verified token says."""

    subject: str
    session_id: str
    jti: str


class Tokens:
    """Signs and verifies tokens with one key and one algorithm.

    Args:
        key: the secret of the installation, at least 32 characters.
        clock: aware UTC now.
    """

    def __init__(self, key: str, clock: Callable[[], datetime]) -> None:
        if len(key) < SHORTEST_KEY:
            raise ValueError(f"the signing key needs {SHORTEST_KEY} characters")
        self._clock = clock
        # Separate keys, so that a value of one kind is never valid as another.
        self._token_key = _derived(key, "tokens")
        self._csrf_key = _derived(key, "csrf")

    def issue(self, session: Session) -> TokenPair:
        """The tokens of a session as it is now."""
        now = self._clock()
        access_ends = min(now + ACCESS_LIFE, session.expires_at)
        subject = str(session.user_id)
        return TokenPair(
            access_token=self._sign("access", subject, session.id, _jti(), access_ends),
            refresh_token=self._sign(
                "refresh", subject, session.id, session.refresh_jti, session.expires_at
            ),
            csrf_token=self.csrf(session.id),
            expires_in_s=int((access_ends - now).total_seconds()),
            session_ends_in_s=int((session.expires_at - now).total_seconds()),
        )

    def read_access(self, token: str) -> Claims:
        """The claims of an access token.

        Raises:
            TokenExpired: it was valid once.
            TokenRefused: anything else is wrong with it.
        """
        return self._read("access", token)

    def read_refresh(self, token: str) -> Claims:
        """The claims of a refresh token; raises as ``read_access``."""
        return self._read("refresh", token)

    def device(self, username: str) -> str:
        """A token that says: this browser has signed in as ``username`` before."""
        ends = self._clock() + DEVICE_LIFE
        return self._sign("device", username, "device", _jti(), ends)

    def is_device_of(self, token: str | None, username: str) -> bool:
        """Whether the device token was given to this user's browser."""
        if not token:
            return False
        try:
            return self._read("device", token).subject == username.strip().lower()
        except TokenRefused:
            return False

    def csrf(self, session_id: str) -> str:
        """The value a page of this session sends back with each change."""
        digest = hmac.new(self._csrf_key, session_id.encode(), hashlib.sha256)
        return digest.hexdigest()

    def csrf_fits(self, session_id: str, value: str | None) -> bool:
        """Whether ``value`` is this session's, compared in constant time."""
        offered = (value or "").encode(errors="replace")
        return hmac.compare_digest(self.csrf(session_id).encode(), offered)

    def _sign(
        self, kind: str, subject: str, session_id: str, jti: str, ends: datetime
    ) -> str:
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": subject,
            "sid": session_id,
            "jti": jti,
            "iat": int(self._clock().timestamp()),
            "exp": int(ends.timestamp()),
        }
        header = {"typ": f"{kind}+jwt"}
        return jwt.encode(claims, self._token_key, algorithm=ALGORITHM, headers=header)

    def _read(self, kind: str, token: str) -> Claims:
        if len(token) > LONGEST_TOKEN:
            raise TokenRefused("The token is too long.")
        try:
            found = jwt.decode_complete(
                token,
                self._token_key,
                algorithms=[ALGORITHM],
                audience=AUDIENCE,
                issuer=ISSUER,
                # The times are compared below, with the clock of the application.
                options={
                    "require": list(REQUIRED),
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                    "strict_aud": True,
                },
            )
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            raise TokenRefused("The token is not valid.") from error
        if found["header"] != {"alg": ALGORITHM, "typ": f"{kind}+jwt"}:
            raise TokenRefused("The token is of another kind.")
        return self._timely(found["payload"])

    def _timely(self, claims: Mapping[str, Any]) -> Claims:
        now = self._clock().timestamp()
        texts = [claims[name] for name in ("sub", "sid", "jti")]
        times = [claims[name] for name in ("exp", "iat")]
        if not all(type(text) is str for text in texts):
            raise TokenRefused("The token is not valid.")
        if not all(type(time) is int for time in times):
            raise TokenRefused("The token is not valid.")
        if claims["iat"] > now + LEEWAY_S:
            raise TokenRefused("The token is from the future.")
        if claims["exp"] <= now - LEEWAY_S:
            raise TokenExpired("The token has expired.")
        return Claims(subject=texts[0], session_id=texts[1], jti=texts[2])


def _derived(key: str, purpose: str) -> bytes:
    label = f"iotsphere {purpose}".encode()
    return hmac.new(key.encode(), label, hashlib.sha256).digest()


def _jti() -> str:
    return str(uuid.uuid4())
