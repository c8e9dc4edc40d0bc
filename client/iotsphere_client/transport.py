"""HTTP: one request, with the sign-in it needs and a time limit."""

from __future__ import annotations

import json
import time
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import (
    HTTPRedirectHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
    build_opener,
)

from .result import Blocked, IoTSphereError, Refused, Unavailable

LATER = frozenset({408, 425, 429})
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_CHUNK = 65_536


class _NoRedirect(HTTPRedirectHandler):
    """A redirected POST would come as a GET, so a redirect is an answer."""

    def redirect_request(self, *_args: Any, **_kwargs: Any) -> None:
        return None


class Transport:
    """Speaks to one server.

    Args:
        url: the server's address, http or https.
        username: to sign in with, when there is no token or it has expired.
        password: to sign in with.
        token: a bearer token.
        timeout_s: longest wait for the connection, and for each answer.
    """

    def __init__(
        self,
        url: str,
        username: str | None,
        password: str | None,
        token: str | None,
        timeout_s: float,
    ) -> None:
        self.url = url.rstrip("/")
        self._username, self._password = username, password
        self._token = token
        self._timeout_s = timeout_s

    def check(self) -> None:
        """Complain of an address that cannot be one.

        Raises:
            IoTSphereError: it is not http or https, or has no host.
        """
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise IoTSphereError(f"IOTSPHERE_URL {self.url!r} is no http(s) address")

    def call(
        self, method: str, path: str, body: bytes | None = None, key: str | None = None
    ) -> Any:
        """The parsed answer to a request below ``/api/v1``.

        Raises:
            Unavailable: nobody answers, too late, or with 408, 425, 429 or 5xx.
            Blocked: the sign-in or the permission is missing.
            Refused: any other 4xx.
        """
        self.check()
        can_sign_in = self._username is not None and self._password is not None
        if self._token is None and can_sign_in:
            self._sign_in()
        try:
            return self._exchange(method, path, body, key)
        except Refused as error:
            if error.status != 401:
                raise
            if not can_sign_in:
                raise Blocked(
                    f"{self.url} wants a sign-in; set IOTSPHERE_TOKEN, or "
                    f"IOTSPHERE_USERNAME and IOTSPHERE_PASSWORD: {error}"
                ) from error
        self._sign_in()
        try:
            return self._exchange(method, path, body, key)
        except Refused as error:
            if error.status != 401:
                raise
            raise Blocked(f"{self.url} does not take its own token: {error}") from error

    def _sign_in(self) -> None:
        self._token = None
        given = {"username": self._username, "password": self._password}
        try:
            answer = self._exchange("POST", "auth/login", json.dumps(given).encode())
        except Refused as error:
            said = f"the sign-in of {self._username!r} was refused: {error}"
            raise Blocked(said) from error
        token = answer.get("access_token") if isinstance(answer, dict) else None
        if not isinstance(token, str):
            raise Unavailable(f"{self.url} answers a sign-in without an access_token")
        self._token = token

    def _exchange(
        self, method: str, path: str, body: bytes | None, key: str | None = None
    ) -> Any:
        request = Request(  # noqa: S310  (check() has looked at the scheme)
            f"{self.url}/api/v1/{path}", data=body, method=method
        )
        request.add_header("Accept", "application/json")
        request.add_header("User-Agent", "iotsphere-client/1.0")
        if body is not None:
            request.add_header("Content-Type", "application/json")
        if key is not None:
            request.add_header("Idempotency-Key", key)
        if self._token is not None:
            request.add_header("Authorization", f"Bearer {self._token}")
        try:
            return self._answer(request)
        except HTTPError as error:
            with error:
                raise _judged(error, self.url) from error
        except (OSError, HTTPException) as error:
            reason = getattr(error, "reason", None) or error or type(error).__name__
            raise Unavailable(f"{self.url} does not answer: {reason}") from error

    def _answer(self, request: Request) -> Any:
        until = time.monotonic() + self._timeout_s
        content = bytearray()
        with self._opener().open(request, timeout=self._timeout_s) as response:
            while chunk := response.read1(_CHUNK):
                content += chunk
                if time.monotonic() > until:
                    raise TimeoutError("the answer takes too long")
        if not content:
            return None
        try:
            return json.loads(content)
        except ValueError as error:
            raise Unavailable(f"{self.url} does not answer with JSON") from error

    def _opener(self) -> OpenerDirector:
        if urlsplit(self.url).hostname in _LOOPBACK:
            return build_opener(_NoRedirect, ProxyHandler({}))
        return build_opener(_NoRedirect)


def _judged(error: HTTPError, url: str) -> IoTSphereError:
    if 300 <= error.code < 400:
        place = error.headers.get("Location", "elsewhere")
        return Unavailable(f"{url} sends on to {place}; set IOTSPHERE_URL to that")
    try:
        problem = json.loads(error.read(_CHUNK))
        detail = str(problem.get("detail") or problem.get("title") or error.reason)
    except (ValueError, AttributeError, OSError, HTTPException):
        detail = str(error.reason)
    if error.code == 403:
        return Blocked(f"{url} does not permit this: {detail} (HTTP 403)")
    if error.code in LATER or error.code >= 500:
        return Unavailable(f"{url} cannot take this now: {detail} (HTTP {error.code})")
    return Refused(error.code, detail)
