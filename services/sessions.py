"""Sessions: who comes in, who is in now, and when it ends."""

from __future__ import annotations

import logging
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

from data.account_store import AccountStore, SessionRow, UserRow
from data.session import Transaction, store_unavailable
from services.access import Principal, Role, requires
from services.attempts import Attempts
from services.audit import Audit
from services.errors import Unauthorized
from services.passwords import Passwords
from services.units import Preferences

LOG = logging.getLogger(__name__)
USERNAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
NO_NAME = "?"
"""Counted and logged in place of a name that no user can have."""
LONGEST_SESSION = timedelta(hours=12)
IDLE = timedelta(minutes=30)
TOUCH_EVERY = timedelta(minutes=1)
GRACE = timedelta(seconds=30)
"""Requests sent together carry the same refresh token: only one can be first."""
WRONG = "User name or password is not right."
ENDED = "The session has ended. Sign in again."
DEFAULTS = Preferences().as_dict()


@dataclass(frozen=True)
class Session:
    """A session that is open, as tokens are made from it."""

    id: str
    user_id: int
    username: str
    refresh_jti: str
    expires_at: datetime


@dataclass(frozen=True)
class SignedIn:
    """Who is behind a request, as of now."""

    principal: Principal
    preferences: Mapping[str, str]
    session_id: str
    last_used_at: datetime


class Sessions:
    """Signs people in and out and knows who is in.

    ``sign_in``, ``refresh``, ``principal_of`` and ``touch`` have no caller: they
    are how a caller comes to be.
    """

    def __init__(
        self,
        store: AccountStore,
        audit: Audit,
        clock: Callable[[], datetime],
        passwords: Passwords | None = None,
    ) -> None:
        self._store = store
        self._audit = audit
        self._clock = clock
        self._passwords = passwords or Passwords()
        self._attempts = Attempts(store, clock)

    def sign_in(
        self, username: str, password: str, address: str, known_device: bool = False
    ) -> Session:
        """Open a session; unknown user and wrong password look and cost the same.

        Raises:
            Unauthorized: not right, or the user is disabled.
            TooMany: too many attempts.
        """
        name = known_form(username) or NO_NAME
        attempt = self._attempts.begin(name, address, known_device)
        user = self._store.user(name)
        right = self._passwords.matches(user.password_hash if user else None, password)
        with self._store.transaction() as tx:
            # Read again: the user may change while the password is checked.
            again = self._store.user(name, tx)
            if right and user and again and _may_enter(user, again):
                self._store.attempt_succeeded(tx, attempt)
                return self._open(tx, again, password, address)
            self._audit.record(
                tx,
                None,
                "session.refuse",
                user.username if user else NO_NAME,
                {"address": address, "known_device": known_device},
            )
        raise Unauthorized(WRONG)

    def refresh(self, session_id: str, jti: str) -> Session:
        """Rotate the refresh token of a session.

        A token that was replaced more than ``GRACE`` ago can only come from a
        copy: the session ends for everybody who holds it.

        Raises:
            Unauthorized: the session has ended, or ends now.
        """
        now = self._clock()
        with self._store.transaction() as tx:
            row = self._alive(self._store.session(session_id, tx))
            fresh = str(uuid.uuid4())
            if self._store.rotate(tx, session_id, jti, fresh, now):
                return _session(row, fresh)
            row = self._alive(self._store.session(session_id, tx))
            replaced_at = row.rotated_at if row.previous_jti == jti else None
            if replaced_at is not None and now - replaced_at <= GRACE:
                return _session(row, row.refresh_jti)
            self._store.end_session(tx, session_id, now, "reuse")
            self._audit.record(tx, None, "session.reuse", row.username)
        raise Unauthorized(ENDED)

    def principal_of(self, session_id: str) -> SignedIn:
        """Who this session belongs to and what they may do at this moment.

        Raises:
            Unauthorized: ended, expired, idle too long, or the user is disabled.
        """
        row = self._alive(self._store.session(session_id))
        role = Role[row.role.upper()]
        return SignedIn(
            principal=Principal(row.username, role, row.user_id, row.id),
            preferences=MappingProxyType({**DEFAULTS, **row.preferences}),
            session_id=row.id,
            last_used_at=row.last_used_at,
        )

    def touch(self, who: SignedIn) -> None:
        """Note that a person, not a timer, used the session; written once a minute."""
        now = self._clock()
        if now - who.last_used_at < TOUCH_EVERY:
            return
        try:
            self._store.touch(who.session_id, now)
        except Exception as error:
            if not store_unavailable(error):
                raise
            # Reading goes on while the database cannot be written.
            LOG.warning("session use not noted: the database is busy")

    def sign_out(self, caller: Principal) -> None:
        """End the caller's session; it is refused from the next request on."""
        requires(caller, "session.use")
        with self._store.transaction() as tx:
            session_id = caller.session_id or ""
            if self._store.end_session(tx, session_id, self._clock(), "sign-out"):
                self._audit.record(tx, caller, "session.end", caller.username)

    def _open(
        self, tx: Transaction, user: UserRow, password: str, address: str
    ) -> Session:
        now = self._clock()
        session = Session(
            id=str(uuid.uuid4()),
            user_id=user.id,
            username=user.username,
            refresh_jti=str(uuid.uuid4()),
            expires_at=now + LONGEST_SESSION,
        )
        self._store.add_session(
            tx,
            session.id,
            user_id=user.id,
            refresh_jti=session.refresh_jti,
            at=now,
            expires_at=session.expires_at,
        )
        self._store.change_user(tx, user.id, last_sign_in_at=now)
        if self._passwords.outdated(user.password_hash):
            kept = self._passwords.hash(password)
            self._store.change_user(tx, user.id, password_hash=kept)
        self._audit.record(
            tx,
            Principal(user.username, Role[user.role.upper()]),
            "session.open",
            user.username,
            {"address": address},
        )
        return session

    def _alive(self, row: SessionRow | None) -> SessionRow:
        now = self._clock()
        if row is None or row.revoked_at is not None or row.disabled:
            raise Unauthorized(ENDED)
        if now >= row.expires_at or now - row.last_used_at > IDLE:
            raise Unauthorized(ENDED)
        return row


def known_form(username: str) -> str | None:
    """The form in which a user name is kept, or ``None`` if nobody can have it."""
    name = username.strip().lower()
    return name if USERNAME.fullmatch(name) else None


def _may_enter(before: UserRow, now: UserRow) -> bool:
    return not now.disabled and now.password_hash == before.password_hash


def _session(row: SessionRow, jti: str) -> Session:
    return Session(row.id, row.user_id, row.username, jti, row.expires_at)
