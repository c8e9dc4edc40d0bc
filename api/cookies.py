"""The cookies of a signed-in browser."""

from __future__ import annotations

from flask import Request
from werkzeug.wrappers import Response

from services.tokens import DEVICE_LIFE, TokenPair

CSRF_COOKIE = "csrf_access_token"
CSRF_HEADER = "X-CSRF-TOKEN"


class Cookies:
    """Sets, reads and clears them.

    Behind TLS the names carry the ``__Host-`` prefix: browsers then refuse them
    from plain HTTP and from neighbouring host names. The CSRF value must be read
    by the page, so it alone is not HttpOnly; it is of no use without the others.
    """

    def __init__(self, secure: bool) -> None:
        self._secure = secure
        prefix = "__Host-" if secure else ""
        self._access = f"{prefix}access_token"
        self._refresh = f"{prefix}refresh_token"
        self._device = f"{prefix}device_token"

    def access(self, request: Request) -> str | None:
        """The access token the browser sent."""
        return request.cookies.get(self._access)

    def refresh(self, request: Request) -> str | None:
        """The refresh token the browser sent."""
        return request.cookies.get(self._refresh)

    def device(self, request: Request) -> str | None:
        """The token of a browser that has signed in before."""
        return request.cookies.get(self._device)

    def any_session(self, request: Request) -> bool:
        """Whether the browser believes it is signed in."""
        return bool(self.access(request) or self.refresh(request))

    def set_session(self, response: Response, tokens: TokenPair) -> None:
        """Give the browser its tokens; they go when the session does."""
        life = tokens.session_ends_in_s
        self._set(response, self._access, tokens.access_token, life)
        self._set(response, self._refresh, tokens.refresh_token, life)
        self._set(response, CSRF_COOKIE, tokens.csrf_token, life, http_only=False)

    def set_device(self, response: Response, token: str) -> None:
        """Remember that this browser has signed in."""
        life = int(DEVICE_LIFE.total_seconds())
        self._set(response, self._device, token, life)

    def clear_session(self, response: Response) -> None:
        """Take the tokens back; the device stays known."""
        for name in (self._access, self._refresh, CSRF_COOKIE):
            response.delete_cookie(
                name, path="/", secure=self._secure, samesite="Strict"
            )

    def _set(
        self,
        response: Response,
        name: str,
        value: str,
        life_s: int,
        *,
        http_only: bool = True,
    ) -> None:
        response.set_cookie(
            name,
            value,
            max_age=life_s,
            path="/",
            secure=self._secure,
            httponly=http_only,
            samesite="Strict",
        )
