"""Callers that are no person: devices with their secrets, a scraper with its token."""

from __future__ import annotations

import hmac

import flask

from api.cookies import Cookies
from api.limits import Limits
from services.access import SYSTEM, Principal
from services.credentials import REFUSED, Credentials
from services.errors import InvalidInput, Unauthorized
from settings import Settings

DEVICE_RULES = "/api/v1/device/"
"""Routes below take a device's own secret, and a device's secret opens no other."""
METRICS_RULE = "/metrics"
"""The one route that the scraper's token opens."""


class Machines:
    """Says whether a request comes from a device or a scraper, and from which.

    Args:
        credentials: knows the secrets of devices; without it no device is let in.
        settings: holds the scraper's token.
        limits: counts the requests.
        cookies: knows whether a session came along.
    """

    def __init__(
        self,
        credentials: Credentials | None,
        settings: Settings,
        limits: Limits,
        cookies: Cookies,
    ) -> None:
        token = settings.metrics_token
        self._token = token.get_secret_value() if token else None
        self._credentials = credentials
        self._limits = limits
        self._cookies = cookies

    def admitted(self, rule: str) -> Principal | None:
        """The machine that asks for a route; ``None`` = look for a person.

        Raises:
            Unauthorized: its secret is not right.
            TooMany: it asks too often.
        """
        if rule == METRICS_RULE and self._is_scraper():
            return SYSTEM
        if rule.startswith(DEVICE_RULES) and _scheme() == "basic":
            device = self._device()
            self._limits.count("api", device.username)
            return device
        return None

    def _is_scraper(self) -> bool:
        header = flask.request.headers.get("Authorization", "")
        shown = header.partition(" ")[2].strip().encode(errors="replace")
        return (
            self._token is not None
            and _scheme() == "bearer"
            and hmac.compare_digest(shown, self._token.encode())
        )

    def _device(self) -> Principal:
        """The device whose secret this is.

        Only failures count by address: whoever guesses cannot hold a device back.
        """
        if self._cookies.any_session(flask.request):
            raise InvalidInput("Send the session cookie or a secret, not both.")
        sent = flask.request.authorization
        try:
            if self._credentials is None or sent is None:
                raise Unauthorized(REFUSED)
            return self._credentials.check(sent.username or "", sent.password or "")
        except Unauthorized:
            self._limits.count("api", f"refused {flask.request.remote_addr}")
            raise


def _scheme() -> str:
    header = flask.request.headers.get("Authorization", "")
    return header.partition(" ")[0].lower()
