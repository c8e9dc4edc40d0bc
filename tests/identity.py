"""Accounts on a real database, with three users, for the tests of the doors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Engine

from data.account_store import AccountStore
from data.audit_store import AuditStore
from data.session import open_engine
from services.access import SYSTEM
from services.accounts import Accounts
from services.audit import Audit
from services.passwords import Passwords
from services.tokens import Tokens
from settings import Settings
from tests.conftest import Clock
from tests.template import make_stores

PASSWORD = "rain on the tin roof"
ADDRESS = "192.0.2.7"


@dataclass(frozen=True)
class Identity:
    """Everything that knows who somebody is."""

    engine: Engine
    store: AccountStore
    audit: Audit
    accounts: Accounts
    tokens: Tokens
    clock: Clock
    settings: Settings

    def actions(self) -> list[str]:
        """What the audit log says has happened, oldest first."""
        return [line.action for line in reversed(self.audit.lines(SYSTEM))]


@contextmanager
def open_identity(settings: Settings, clock: Clock) -> Iterator[Identity]:
    """Users vera (viewer), otto (operator) and ada (admin), all with PASSWORD."""
    make_stores(settings)
    engine = open_engine(settings.operational_url)
    store, audit = AccountStore(engine), Audit(AuditStore(engine), clock)
    # Cheap hashes: what they cost is not what these tests are about.
    accounts = Accounts(store, audit, clock, Passwords(memory_kib=64, time_cost=1))
    for name, role in (("vera", "viewer"), ("otto", "operator"), ("ada", "admin")):
        accounts.add(SYSTEM, name, role, PASSWORD)
    tokens = Tokens(settings.signing_key(), clock)
    yield Identity(engine, store, audit, accounts, tokens, clock, settings)
    engine.dispose()
