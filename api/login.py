"""The sign-in page, signing in and signing out of a browser."""

from __future__ import annotations

import math
import re
from urllib.parse import urlsplit

import flask
from flask import Blueprint, Flask
from flask.typing import ResponseReturnValue

from api.cookies import Cookies
from api.plain_page import page
from services.accounts import DEMO_USERS, Accounts
from services.errors import TooMany, Unauthorized
from services.tokens import Tokens
from settings import Settings

START = "/"
_LOCAL = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f]*")

_FORM = """<h1>IoTSphere</h1>
<p class="lead-in">Sign in to see the fleet and its models.</p>
{% if note %}<p class="plain-note" role="status">{{ note }}</p>{% endif %}
{% if error %}<p class="plain-note wrong" role="alert" id="login-error">
{{ error }}</p>{% endif %}
<form method="post" action="/login">
<input type="hidden" name="next" value="{{ next }}">
<label for="login-username">User name</label>
<input class="form-control" id="login-username" name="username" required
 maxlength="64" autocomplete="username" autocapitalize="none" spellcheck="false"
 value="{{ username }}" {% if error %}aria-describedby="login-error"{% endif %}
 {% if not username %}autofocus{% endif %}>
<label for="login-password">Password</label>
<input class="form-control" id="login-password" name="password" type="password"
 required maxlength="128" autocomplete="current-password"
 {% if username %}autofocus{% endif %}>
<button class="btn btn-primary" type="submit">Sign in</button>
</form>
{% if demo_users %}<p class="plain-note demo"><strong>Demo.</strong> Sign in as
{{ demo_users }}. The password is printed in the terminal where IoTSphere was
started, unless it was set there as IOTSPHERE_DEMO_PASSWORD.</p>{% endif %}"""


class _Login:
    """The three routes of a browser's session."""

    def __init__(self, accounts: Accounts, tokens: Tokens, settings: Settings) -> None:
        self._accounts = accounts
        self._tokens = tokens
        self._cookies = Cookies(settings.secure_cookies)
        names = list(DEMO_USERS) if settings.demo else []
        self._demo_users = " or ".join(names).replace(" or ", ", ", 1)

    def form(self) -> ResponseReturnValue:
        """The empty page; says why it is shown when a session has ended."""
        note = ""
        if "ended" in flask.request.args:
            note = "Your session has ended. Sign in again to go on."
        elif "out" in flask.request.args:
            note = "You have signed out."
        return self._page(flask.request.args.get("next"), note=note)

    def submit(self) -> ResponseReturnValue:
        """Check name and password; on to the page that was asked for."""
        form = flask.request.form
        username, back_to = form.get("username", ""), form.get("next")
        device = self._cookies.device(flask.request)
        try:
            session = self._accounts.sign_in(
                username,
                form.get("password", ""),
                flask.request.remote_addr or "",
                known_device=self._tokens.is_device_of(device, username),
            )
        except Unauthorized as error:
            return self._page(back_to, username, error=str(error)), 401
        except TooMany as error:
            retry = {"Retry-After": str(math.ceil(error.retry_after_s))}
            return self._page(back_to, username, error=str(error)), 429, retry
        self._end_session()
        response = flask.redirect(local_path(back_to), 303)
        self._cookies.set_session(response, self._tokens.issue(session))
        self._cookies.set_device(response, self._tokens.device(session.username))
        return response

    def leave(self) -> ResponseReturnValue:
        """End the session on the server and take the cookies back."""
        self._end_session()
        response = flask.redirect("/login?out=1", 303)
        self._cookies.clear_session(response)
        return response

    def _end_session(self) -> None:
        """End the session this browser came with, if it is still open."""
        token = self._cookies.refresh(flask.request)
        if not token:
            return
        try:
            claims = self._tokens.read_refresh(token)
            caller = self._accounts.principal_of(claims.session_id).principal
        except Unauthorized:
            return
        self._accounts.sign_out(caller)

    def _page(
        self, back_to: str | None, username: str = "", note: str = "", error: str = ""
    ) -> str:
        return page(
            _FORM,
            title="Sign in",
            next=local_path(back_to),
            username=username,
            note=note,
            error=error,
            demo_users=self._demo_users,
        )


def register_login(
    server: Flask, accounts: Accounts, tokens: Tokens, settings: Settings
) -> None:
    """Add ``/login`` and ``/logout``."""
    routes = _Login(accounts, tokens, settings)
    blueprint = Blueprint("login", __name__)
    blueprint.add_url_rule("/login", "form", routes.form, methods=["GET"])
    blueprint.add_url_rule("/login", "submit", routes.submit, methods=["POST"])
    blueprint.add_url_rule("/logout", "leave", routes.leave, methods=["POST"])
    server.register_blueprint(blueprint)


def local_path(address: str | None) -> str:
    """``address`` if it is a path of this server, else the start page.

    Everything a browser could read as another host is refused: a scheme, two
    slashes, backslashes, control characters and spaces.
    """
    if not address or not _LOCAL.fullmatch(address):
        return START
    try:
        parts = urlsplit(address)
    except ValueError:
        return START
    if parts.scheme or parts.netloc or parts.path in {"/login", "/logout"}:
        return START
    return address
