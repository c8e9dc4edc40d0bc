"""Signing in and out over REST, for programs that send a bearer token."""

from __future__ import annotations

from flask import Response, g, jsonify, request
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from flask_openapi3.types import ResponseDict
from pydantic import BaseModel, ConfigDict, Field

from services.accounts import Accounts
from services.tokens import TokenPair, Tokens

TAG = Tag(name="auth", description="Sign in, refresh, sign out")


class Credentials(BaseModel):
    """Name and password of a user."""

    model_config = ConfigDict(extra="forbid")

    username: str = Field(max_length=64, examples=["operator"])
    password: str = Field(max_length=128)


class RefreshRequest(BaseModel):
    """The refresh token of the last answer; it can be used once."""

    model_config = ConfigDict(extra="forbid")

    refresh_token: str = Field(max_length=2000)


class TokenAnswer(BaseModel):
    """Tokens of a session: send the access token as ``Authorization: Bearer``."""

    access_token: str
    refresh_token: str
    token_type: str = Field(default="Bearer")
    expires_in: int = Field(description="Seconds until the access token expires")


def blueprint(accounts: Accounts, tokens: Tokens) -> APIBlueprint:
    """The routes under ``/api/v1/auth``."""
    api = APIBlueprint("auth", __name__, url_prefix="/api/v1/auth", abp_tags=[TAG])
    answers: ResponseDict = {"200": TokenAnswer}

    @api.post("/login", responses=answers, summary="Sign in")
    def login(body: Credentials) -> Response:
        address = request.remote_addr or ""
        session = accounts.sign_in(body.username, body.password, address)
        return _answer(tokens.issue(session))

    @api.post("/refresh", responses=answers, summary="Rotate the tokens")
    def refresh(body: RefreshRequest) -> Response:
        claims = tokens.read_refresh(body.refresh_token)
        session = accounts.refresh(claims.session_id, claims.jti)
        return _answer(tokens.issue(session))

    @api.post("/logout", responses={"204": None}, summary="End the session")
    def logout() -> tuple[str, int]:
        accounts.sign_out(g.principal)
        return "", 204

    return api


def _answer(pair: TokenPair) -> Response:
    answer = TokenAnswer(
        access_token=pair.access_token,
        refresh_token=pair.refresh_token,
        expires_in=pair.expires_in_s,
    )
    return jsonify(answer.model_dump())
