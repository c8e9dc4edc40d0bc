"""Users: who there is, what they may do, their passwords and preferences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from data.account_store import UserRow, UserTakenError
from data.session import Transaction
from services.access import Principal, Role, requires
from services.errors import Conflict, InvalidInput, NotFound
from services.passwords import check_demo, check_new
from services.sessions import DEFAULTS, Sessions, known_form
from services.units import Preferences

DEMO_USERS = {"admin": Role.ADMIN, "operator": Role.OPERATOR, "viewer": Role.VIEWER}


@dataclass(frozen=True)
class UserView:
    """A user as administrators see it."""

    username: str
    role: Role
    disabled: bool
    created_at: datetime
    last_sign_in_at: datetime | None


class Accounts(Sessions):
    """The users, on top of their sessions: one store, one audit log, one clock."""

    def add(
        self, caller: Principal, username: str, role: str | Role, password: str
    ) -> None:
        """Create a user.

        Raises:
            InvalidInput: name, role or password cannot be used.
            Conflict: the name is taken.
        """
        requires(caller, "user.admin")
        name, wanted = _new_name(username), _role(role)
        check_new(password, name)
        self._add(caller, name, wanted, password)

    def change_password(
        self,
        caller: Principal,
        username: str,
        password: str,
        current_password: str | None = None,
    ) -> None:
        """Set a password and end every session of that user.

        One's own needs the current password; another's needs ``user.admin``.
        """
        own = known_form(username) == caller.username
        requires(caller, "session.use" if own else "user.admin")
        user = self._user(username)
        if own:
            attempt = self._attempts.begin(user.username, "own session", True)
            if not self._passwords.matches(user.password_hash, current_password or ""):
                raise InvalidInput("The current password is not right.")
        check_new(password, user.username)
        with self._store.transaction() as tx:
            if own:
                self._store.attempt_succeeded(tx, attempt)
            self._set_password(tx, caller, user, password)

    def set_role(self, caller: Principal, username: str, role: str | Role) -> None:
        """Change what a user may do, from the next request on."""
        requires(caller, "user.admin")
        wanted = _role(role)
        with self._store.transaction() as tx:
            user = self._user(username, tx)
            if wanted is not Role.ADMIN:
                self._keep_an_admin(tx, user)
            self._store.change_user(tx, user.id, role=wanted.name.lower())
            detail = {"from": user.role, "to": wanted.name.lower()}
            self._audit.record(tx, caller, "user.role", user.username, detail)

    def disable(self, caller: Principal, username: str) -> None:
        """Refuse a user from the next request on."""
        requires(caller, "user.admin")
        with self._store.transaction() as tx:
            user = self._user(username, tx)
            self._keep_an_admin(tx, user)
            self._store.change_user(tx, user.id, disabled=True)
            self._store.end_sessions(tx, user.id, self._clock(), "disabled")
            self._audit.record(tx, caller, "user.disable", user.username)

    def enable(self, caller: Principal, username: str) -> None:
        """Let a disabled user sign in again."""
        requires(caller, "user.admin")
        with self._store.transaction() as tx:
            user = self._user(username, tx)
            self._store.change_user(tx, user.id, disabled=False)
            self._audit.record(tx, caller, "user.enable", user.username)

    def list(self, caller: Principal) -> tuple[UserView, ...]:
        """Every user, by name."""
        requires(caller, "user.admin")
        return tuple(_view(row) for row in self._store.users())

    def set_preferences(
        self, caller: Principal, values: Mapping[str, Any]
    ) -> Preferences:
        """Change some of the caller's own units, time zone and theme.

        Raises:
            InvalidInput: a name or a value does not exist.
        """
        requires(caller, "preferences.write")
        unknown = sorted(set(values) - set(DEFAULTS))
        if unknown:
            raise InvalidInput(f"There is no preference {unknown[0]!r}.")
        with self._store.transaction() as tx:
            user = self._user(caller.username, tx)
            chosen = Preferences.of({**user.preferences, **values})
            self._store.change_user(tx, user.id, preferences=chosen.as_dict())
            self._audit.record(
                tx, caller, "user.preferences", user.username, dict(values)
            )
        return chosen

    def ensure_demo_users(self, caller: Principal, password: str) -> None:
        """Make the three demo users exist with this password and their roles."""
        requires(caller, "user.admin")
        check_demo(password)
        for name, role in DEMO_USERS.items():
            user = self._store.user(name)
            if user is None:
                self._add(caller, name, role, password)
                continue
            with self._store.transaction() as tx:
                values = {"role": role.name.lower(), "disabled": False}
                self._store.change_user(tx, user.id, **values)
                if not self._passwords.matches(user.password_hash, password):
                    self._set_password(tx, caller, user, password)

    def _add(self, caller: Principal, name: str, role: Role, password: str) -> None:
        kept, stored_role = self._passwords.hash(password), role.name.lower()
        try:
            with self._store.transaction() as tx:
                self._store.add_user(tx, name, kept, stored_role, self._clock())
                self._audit.record(tx, caller, "user.add", name, {"role": stored_role})
        except UserTakenError as error:
            raise Conflict(f"There is a user {name!r} already.") from error

    def _set_password(
        self, tx: Transaction, caller: Principal, user: UserRow, password: str
    ) -> None:
        kept = self._passwords.hash(password)
        self._store.change_user(tx, user.id, password_hash=kept)
        ended = self._store.end_sessions(tx, user.id, self._clock(), "password")
        detail = {"sessions_ended": ended}
        self._audit.record(tx, caller, "user.password", user.username, detail)

    def _user(self, username: str, tx: Transaction | None = None) -> UserRow:
        user = self._store.user(known_form(username) or "", tx)
        if user is None:
            raise NotFound("There is no such user.")
        return user

    def _keep_an_admin(self, tx: Transaction, leaving: UserRow) -> None:
        others = [
            user
            for user in self._store.users(tx)
            if user.role == "admin" and not user.disabled and user.id != leaving.id
        ]
        if leaving.role == "admin" and not leaving.disabled and not others:
            raise Conflict("This is the last administrator who can sign in.")


def _new_name(username: str) -> str:
    name = known_form(username)
    if name is None:
        raise InvalidInput(
            "A user name has 1 to 64 letters, digits, dots, hyphens or underscores "
            "and begins with a letter or digit."
        )
    return name


def _role(role: str | Role) -> Role:
    name = role.name if isinstance(role, Role) else role.strip().upper()
    if name not in {"VIEWER", "OPERATOR", "ADMIN"}:
        raise InvalidInput("The role must be viewer, operator or admin.")
    return Role[name]


def _view(row: UserRow) -> UserView:
    return UserView(
        username=row.username,
        role=Role[row.role.upper()],
        disabled=row.disabled,
        created_at=row.created_at,
        last_sign_in_at=row.last_sign_in_at,
    )
