"""Users, sessions, attempts and the audit log, on SQLite and on PostgreSQL."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from data.account_store import AccountStore, UserTakenError
from data.session import open_engine, unit_of_work
from services.access import SYSTEM
from services.attempts import Attempts
from services.errors import TooMany
from tests.conftest import NOW


@pytest.fixture
def engine(stores):
    """A second engine on the migrated database of the test."""
    engine = open_engine(stores.settings.operational_url)
    yield engine
    engine.dispose()


@pytest.fixture
def accounts(engine):
    """The store with one user, vera."""
    store = AccountStore(engine)
    with store.transaction() as tx:
        store.add_user(tx, "vera", "hash", "viewer", NOW)
    return store


def _session(accounts, session_id="s-1"):
    user = accounts.user("vera")
    with accounts.transaction() as tx:
        accounts.add_session(
            tx,
            session_id,
            user_id=user.id,
            refresh_jti="a",
            at=NOW,
            expires_at=NOW + timedelta(hours=12),
        )


def test_user_is_read_back(accounts):
    """What was stored comes back, times aware."""
    user = accounts.user("vera")

    assert (user.role, user.disabled, user.preferences) == ("viewer", False, {})
    assert user.created_at == NOW
    assert accounts.user("nobody") is None


def test_name_is_taken_once(accounts):
    """The database itself refuses a second user of the name."""
    with pytest.raises(UserTakenError), accounts.transaction() as tx:
        accounts.add_user(tx, "vera", "hash", "admin", NOW)

    assert [user.role for user in accounts.users()] == ["viewer"]


def test_session_carries_the_present_role(accounts):
    """One query gives the session and what its user may do now."""
    _session(accounts)
    with accounts.transaction() as tx:
        accounts.change_user(
            tx,
            accounts.user("vera", tx).id,
            role="admin",
            preferences={"theme": "light"},
        )

    row = accounts.session("s-1")
    assert (row.username, row.role, row.preferences) == (
        "vera", "admin", {"theme": "light"},
    )  # fmt: skip


def test_a_refresh_id_is_replaced_once(accounts):
    """Of many at the same moment exactly one is first."""
    _session(accounts)

    def rotate(n: int) -> bool:
        with accounts.transaction() as tx:
            return accounts.rotate(tx, "s-1", "a", f"new-{n}", NOW)

    with ThreadPoolExecutor(6) as pool:
        won = list(pool.map(rotate, range(6)))

    assert won.count(True) == 1
    assert accounts.session("s-1").previous_jti == "a"


def test_sessions_end_once(accounts):
    """Ending says how many were open; ended ones stay as they were."""
    _session(accounts, "s-1")
    _session(accounts, "s-2")
    user = accounts.user("vera")
    with accounts.transaction() as tx:
        assert accounts.end_session(tx, "s-1", NOW, "sign-out")
        assert not accounts.end_session(tx, "s-1", NOW, "sign-out")
        assert accounts.end_sessions(tx, user.id, NOW, "disabled") == 1

    assert accounts.session("s-2").revoked_at == NOW


def test_parallel_attempts_are_counted_one_by_one(accounts, clock):
    """However many processes ask at once, five get through."""
    attempts = Attempts(accounts, clock)

    def begin(_n: int) -> bool:
        try:
            attempts.begin("vera", "192.0.2.1", known_device=False)
        except TooMany:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(begin, range(18))).count(True) == 5


def test_old_attempts_and_sessions_are_forgotten(accounts, clock):
    """After a day, and thirty days after its end, nothing is kept."""
    _session(accounts)
    attempts = Attempts(accounts, clock)
    attempts.begin("vera", "192.0.2.1", known_device=False)
    clock.forward(days=31)
    attempts.begin("vera", "192.0.2.1", known_device=False)
    with accounts.transaction() as tx:
        kept = tx.execute(text("SELECT count(*) FROM sign_in_attempts")).scalar_one()

    assert kept == 1
    assert accounts.session("s-1") is None


def test_parallel_audit_lines_form_one_chain(stores, engine):
    """Writers in different connections never fork the chain."""

    def write(n: int) -> None:
        with unit_of_work(engine) as tx:
            stores.audit.record(tx, SYSTEM, "device.edit", f"wh-{n}", {"n": n / 3})

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(write, range(30)))

    assert stores.audit.verify(SYSTEM) is None
    assert len(stores.audit.lines(SYSTEM)) == 30


@pytest.mark.parametrize(
    "statement", ["UPDATE audit SET actor = 'x'", "DELETE FROM audit"]
)
def test_audit_rows_cannot_be_changed(stores, engine, statement):
    """The migrated database refuses it whatever our code does."""
    with unit_of_work(engine) as tx:
        stores.audit.record(tx, SYSTEM, "device.edit", "wh-1")
    with pytest.raises(DatabaseError, match="append-only"), unit_of_work(engine) as tx:
        tx.execute(text(statement))

    assert len(stores.audit.lines(SYSTEM)) == 1
