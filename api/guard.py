"""The door: who is calling, is the call well formed, may it pass.

It runs before every request and refuses what it does not know. What is public is
decided by the matched route of this server, never by anything in the request;
dash-auth's public routes are not used, because they believe the body.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import quote, urlsplit

import dash
import flask
from dash_auth.auth import Auth
from flask import Response
from flask.globals import request_ctx
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import MethodNotAllowed, NotFound

from api.callback_body import read_call
from api.cookies import CSRF_HEADER, Cookies
from api.headers import STATIC_RULES
from api.limits import Limits
from api.machines import Machines
from api.plain_page import bounce_page
from api.problems import service_problem
from services.access import requires
from services.accounts import Accounts
from services.credentials import Credentials
from services.errors import Forbidden, InvalidInput, Unauthorized
from services.sessions import SignedIn
from services.tokens import Claims, TokenExpired, Tokens
from settings import Settings

PUBLIC_RULES = STATIC_RULES | {
    "/login",
    "/logout",
    "/api/v1/auth/login",
    "/api/v1/auth/refresh",
    "/api/v1/health",
    "/api/v1/ready",
    "/_dash-health",
}
"""Routes that need no session: signing in, files that hold nothing private."""
CALLBACK_RULE = "/_dash-update-component"
PAGE_RULES = frozenset({"/", "/<path:path>"})
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
LOGIN = "/login"
GOTO = "shell-goto"
"""The Location of the page frame that leads an open page to the sign-in."""


class Guard(Auth):  # type: ignore[misc]
    """Decides on every request; fails closed.

    Args:
        app: the Dash application, with its callbacks.
        accounts: knows the sessions.
        tokens: reads the tokens.
        settings: limits and kind of cookies.
        credentials: knows the secrets of devices; without it no device is let in.
        is_page: whether a path is one of our pages.
        callback_permissions: the permission declared for each callback id.
    """

    def __init__(
        self,
        app: dash.Dash,
        accounts: Accounts,
        tokens: Tokens,
        settings: Settings,
        credentials: Credentials | None = None,
        *,
        is_page: Callable[[str], bool],
        callback_permissions: Callable[[], Mapping[str, str]],
    ) -> None:
        self._accounts = accounts
        self._tokens = tokens
        self._cookies = Cookies(settings.secure_cookies)
        self._limits = Limits(settings)
        self._machines = Machines(credentials, settings, self._limits, self._cookies)
        self._is_page = is_page
        self._permissions = callback_permissions
        app.server.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes
        super().__init__(app)

    def _protect(self) -> None:
        self.app.server.before_request(self._gate)
        self.app.server.after_request(self._give_renewed)

    def _gate(self) -> ResponseReturnValue | None:
        request = flask.request
        if request.routing_exception is not None or request.url_rule is None:
            return self._unrouted()
        if request.method not in SAFE_METHODS and not _from_here():
            raise Forbidden("This request comes from another site.")
        rule = request.url_rule.rule
        if rule in PUBLIC_RULES:
            return None
        if rule in PAGE_RULES and not self._is_page(request.path):
            raise NotFound("There is no such page.")
        machine = self._machines.admitted(rule)
        if machine is not None:
            flask.g.principal = machine
            return None
        if not self.is_authorized():
            return self.login_request()
        self._count(rule)
        by_timer = self._check_callback() if rule == CALLBACK_RULE else False
        if not by_timer:
            self._accounts.touch(flask.g.signed_in)
        return None

    def _count(self, rule: str) -> None:
        if rule == CALLBACK_RULE:
            self._limits.count("callback", flask.g.signed_in.session_id)
        elif rule.startswith("/api/"):
            self._limits.count("api", flask.g.principal.username)

    def is_authorized(self) -> bool:
        """Whether the request carries a session; puts its owner on ``flask.g``."""
        try:
            who = self._who()
        except Unauthorized:
            return False
        flask.g.signed_in = who
        flask.g.principal = who.principal
        flask.g.preferences = dict(who.preferences)
        return True

    def login_request(self) -> ResponseReturnValue:
        """What a caller without a session gets: the sign-in page, or a 401."""
        request = flask.request
        rule = request.url_rule.rule if request.url_rule else ""
        if rule in PAGE_RULES:
            if self._lost_strict_cookies():
                return bounce_page(request.full_path.rstrip("?"))
            return flask.redirect(self._login_address(request.full_path.rstrip("?")))
        if rule == CALLBACK_RULE and _is_browser():
            # Dash applies side updates of any answer: the open page goes to the
            # sign-in without a line of JavaScript of ours.
            href = self._login_address(_path_of(request.referrer), ended=True)
            update = {GOTO: {"href": href}}
            return flask.jsonify(multi=True, response={}, sideUpdate=update)
        return service_problem(Unauthorized("Sign in first, or sign in again."))

    def _who(self) -> SignedIn:
        header = flask.request.headers.get("Authorization")
        if header is None:
            claims = self._cookie_claims()
        elif self._cookies.any_session(flask.request):
            raise InvalidInput("Send the session cookie or a bearer token, not both.")
        else:
            claims = self._tokens.read_access(_bearer(header))
        who = self._accounts.principal_of(claims.session_id)
        if str(who.principal.user_id) != claims.subject:
            raise Unauthorized("The token is not valid.")
        return who

    def _cookie_claims(self) -> Claims:
        request = flask.request
        access = self._cookies.access(request)
        if access:
            try:
                claims = self._tokens.read_access(access)
            except TokenExpired:
                return self._renewed_claims()
            self._check_csrf(claims)
            return claims
        return self._renewed_claims()

    def _renewed_claims(self) -> Claims:
        """Rotate the refresh token in this very request; the page notices nothing."""
        refresh = self._cookies.refresh(flask.request)
        if not refresh:
            raise Unauthorized("Nobody is signed in.")
        claims = self._tokens.read_refresh(refresh)
        self._check_csrf(claims)
        session = self._accounts.refresh(claims.session_id, claims.jti)
        flask.g.renewed = self._tokens.issue(session)
        return claims

    def _check_csrf(self, claims: Claims) -> None:
        if flask.request.method in SAFE_METHODS:
            return
        value = flask.request.headers.get(CSRF_HEADER)
        if not self._tokens.csrf_fits(claims.session_id, value):
            raise Forbidden(f"The header {CSRF_HEADER} is missing or not right.")

    def _check_callback(self) -> bool:
        """Refuse a body or a callback that is not ours; whether a timer sent it."""
        try:
            body = flask.request.get_json()
        except RecursionError as error:
            raise InvalidInput("The body is nested too deeply.") from error
        call = read_call(body, self.app.callback_map)
        permission = self._permissions().get(call.output)
        if permission is None:
            raise Forbidden("No permission is declared for this callback.")
        requires(flask.g.principal, permission)
        return call.by_timer

    def _give_renewed(self, response: Response) -> Response:
        renewed = flask.g.pop("renewed", None)
        if renewed is not None:
            self._cookies.set_session(response, renewed)
        return response

    def _login_address(self, back_to: str, ended: bool = False) -> str:
        ended = ended or self._cookies.any_session(flask.request)
        query = f"?next={quote(back_to, safe='/')}" if back_to not in {"", "/"} else ""
        if ended:
            query = f"{query}&ended=1" if query else "?ended=1"
        return LOGIN + query

    def _lost_strict_cookies(self) -> bool:
        return flask.request.headers.get(
            "Sec-Fetch-Site"
        ) == "cross-site" and not self._cookies.any_session(flask.request)

    def _unrouted(self) -> ResponseReturnValue | None:
        """Let Flask answer 404 or 405; Dash's catch-all is no route of its own."""
        if isinstance(flask.request.routing_exception, MethodNotAllowed):
            adapter = request_ctx.url_adapter
            rule = adapter.match(method="GET", return_rule=True)[0] if adapter else None
            if rule is None or rule.rule in PAGE_RULES:
                raise NotFound("There is no such address.")
        return None


def _from_here() -> bool:
    """Whether a change was sent by our own pages, or by no browser at all."""
    headers = flask.request.headers
    site = headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in {"same-origin", "none"}
    origin = headers.get("Origin")
    if origin is None:
        return True
    try:
        return urlsplit(origin).netloc == flask.request.host
    except ValueError:
        return False


def _is_browser() -> bool:
    headers = flask.request.headers
    return "Sec-Fetch-Mode" in headers or "Origin" in headers


def _bearer(header: str) -> str:
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer":
        raise Unauthorized("Only bearer tokens are taken.")
    return token.strip()


def _path_of(referrer: str | None) -> str:
    try:
        parts = urlsplit(referrer or "")
    except ValueError:
        return ""
    return parts.path + (f"?{parts.query}" if parts.query else "")
