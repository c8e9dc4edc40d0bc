"""Users, their sessions and the attempts to sign in."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, Select, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from data.session import Transaction, reading, unit_of_work
from data.tables import sessions, sign_in_attempts, users

ATTEMPTS_LOCK = 7_340_115
"""PostgreSQL advisory lock: attempts are counted and written one at a time."""


class UserTakenError(Exception):
    """The user name is taken."""


@dataclass(frozen=True)
class UserRow:
    """A user as stored."""

    id: int
    username: str
    password_hash: str
    role: str
    disabled: bool
    preferences: Mapping[str, Any]
    created_at: datetime
    last_sign_in_at: datetime | None


@dataclass(frozen=True)
class SessionRow:
    """A session together with what its user may do now."""

    id: str
    user_id: int
    username: str
    role: str
    disabled: bool
    preferences: Mapping[str, Any]
    last_used_at: datetime
    expires_at: datetime
    refresh_jti: str
    previous_jti: str | None
    rotated_at: datetime | None
    revoked_at: datetime | None


class AccountStore:
    """Reads and writes of users, sessions and sign-in attempts."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def transaction(self) -> AbstractContextManager[Transaction]:
        """One write transaction, which the audit line joins."""
        return unit_of_work(self._engine)

    def user(self, username: str, tx: Transaction | None = None) -> UserRow | None:
        """The user of this name, or ``None``."""
        query = select(users).where(users.c.username == username)
        if tx is not None:
            return _one_user(tx, query)
        with reading(self._engine) as own:
            return _one_user(own, query)

    def users(self, tx: Transaction | None = None) -> list[UserRow]:
        """Every user, by name."""
        query = select(users).order_by(users.c.username)
        if tx is not None:
            return [UserRow(**row._mapping) for row in tx.execute(query)]
        with reading(self._engine) as own:
            return [UserRow(**row._mapping) for row in own.execute(query)]

    def add_user(
        self,
        tx: Transaction,
        username: str,
        password_hash: str,
        role: str,
        at: datetime,
    ) -> None:
        """Insert a user.

        Raises:
            UserTakenError: the name is taken.
        """
        values = {
            "username": username,
            "password_hash": password_hash,
            "role": role,
            "disabled": False,
            "preferences": {},
            "created_at": at,
        }
        try:
            tx.execute(insert(users).values(values))
        except IntegrityError as error:
            raise UserTakenError(username) from error

    def change_user(self, tx: Transaction, user_id: int, **values: object) -> None:
        """Set columns of one user."""
        tx.execute(update(users).where(users.c.id == user_id).values(**values))

    def session(
        self, session_id: str, tx: Transaction | None = None
    ) -> SessionRow | None:
        """The session and its user's present role, or ``None``; one query."""
        query = _SESSION.where(sessions.c.id == session_id)
        if tx is not None:
            return _one_session(tx, query)
        with reading(self._engine) as own:
            return _one_session(own, query)

    def add_session(
        self,
        tx: Transaction,
        session_id: str,
        *,
        user_id: int,
        refresh_jti: str,
        at: datetime,
        expires_at: datetime,
    ) -> None:
        """Insert a session that begins ``at``."""
        values = {
            "id": session_id,
            "user_id": user_id,
            "created_at": at,
            "last_used_at": at,
            "expires_at": expires_at,
            "refresh_jti": refresh_jti,
        }
        tx.execute(insert(sessions).values(values))

    def rotate(
        self, tx: Transaction, session_id: str, old_jti: str, new_jti: str, at: datetime
    ) -> bool:
        """Replace the refresh id if it is still ``old_jti``; whether it was."""
        statement = (
            update(sessions)
            .where(sessions.c.id == session_id, sessions.c.refresh_jti == old_jti)
            .values(refresh_jti=new_jti, previous_jti=old_jti, rotated_at=at)
        )
        return tx.execute(statement).rowcount == 1

    def touch(self, session_id: str, at: datetime) -> None:
        """Note that a person used the session."""
        with unit_of_work(self._engine) as own:
            own.execute(
                update(sessions)
                .where(sessions.c.id == session_id)
                .values(last_used_at=at)
            )

    def end_session(
        self, tx: Transaction, session_id: str, at: datetime, reason: str
    ) -> bool:
        """Revoke one session; whether it was still open."""
        return _revoke(tx, sessions.c.id == session_id, at, reason) == 1

    def end_sessions(
        self, tx: Transaction, user_id: int, at: datetime, reason: str
    ) -> int:
        """Revoke every open session of a user; how many there were."""
        return _revoke(tx, sessions.c.user_id == user_id, at, reason)

    def lock_attempts(self, tx: Transaction) -> None:
        """Until ``tx`` ends nobody else counts or writes attempts."""
        if tx.dialect.name == "postgresql":
            tx.execute(select(func.pg_advisory_xact_lock(ATTEMPTS_LOCK)))

    def nth_failure(
        self, tx: Transaction, n: int, since: datetime, **equal: object
    ) -> datetime | None:
        """When the ``n``-th newest failure after ``since`` happened.

        Args:
            tx: the transaction that has locked the attempts.
            n: 1 is the newest.
            since: older failures do not count.
            equal: columns and the values they must have.
        """
        query = select(sign_in_attempts.c.at).where(
            sign_in_attempts.c.at > since, sign_in_attempts.c.succeeded.is_(False)
        )
        for name, value in equal.items():
            query = query.where(sign_in_attempts.c[name] == value)
        query = query.order_by(sign_in_attempts.c.at.desc()).offset(n - 1).limit(1)
        return tx.execute(query).scalar_one_or_none()

    def add_attempt(
        self,
        tx: Transaction,
        account: str,
        address: str,
        known_device: bool,
        at: datetime,
    ) -> int:
        """Write an attempt as failed, until it is known to have succeeded."""
        statement = insert(sign_in_attempts).values(
            account=account,
            address=address,
            known_device=known_device,
            succeeded=False,
            at=at,
        )
        statement = statement.returning(sign_in_attempts.c.id)
        key: int = tx.execute(statement).scalar_one()
        return key

    def attempt_succeeded(self, tx: Transaction, attempt_id: int) -> None:
        """The password was right."""
        tx.execute(
            update(sign_in_attempts)
            .where(sign_in_attempts.c.id == attempt_id)
            .values(succeeded=True)
        )

    def forget(
        self, tx: Transaction, attempts_before: datetime, sessions_before: datetime
    ) -> None:
        """Delete attempts and ended sessions that nothing needs any more."""
        tx.execute(
            delete(sign_in_attempts).where(sign_in_attempts.c.at < attempts_before)
        )
        tx.execute(delete(sessions).where(sessions.c.expires_at < sessions_before))


_SESSION = select(
    sessions.c.id,
    sessions.c.user_id,
    users.c.username,
    users.c.role,
    users.c.disabled,
    users.c.preferences,
    sessions.c.last_used_at,
    sessions.c.expires_at,
    sessions.c.refresh_jti,
    sessions.c.previous_jti,
    sessions.c.rotated_at,
    sessions.c.revoked_at,
).join_from(sessions, users, sessions.c.user_id == users.c.id)


def _one_user(connection: Transaction, query: Select[Any]) -> UserRow | None:
    row = connection.execute(query).one_or_none()
    return None if row is None else UserRow(**row._mapping)


def _one_session(connection: Transaction, query: Select[Any]) -> SessionRow | None:
    row = connection.execute(query).one_or_none()
    return None if row is None else SessionRow(**row._mapping)


def _revoke(tx: Transaction, which: Any, at: datetime, reason: str) -> int:
    statement = (
        update(sessions)
        .where(which, sessions.c.revoked_at.is_(None))
        .values(revoked_at=at, revoked_reason=reason)
    )
    return tx.execute(statement).rowcount
