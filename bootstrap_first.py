"""Builds the little that a start needs before web and worker: schema and demo users.

Apart from ``bootstrap``, whose imports take seconds.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime

from data.account_store import AccountStore
from data.audit_store import AuditStore
from data.migrate import upgrade
from data.session import open_engine
from services.access import SYSTEM
from services.accounts import Accounts
from services.audit import Audit
from settings import Settings


def utc_now() -> datetime:
    """The present, aware."""
    return datetime.now(UTC)


def migrate(settings: Settings) -> None:
    """Bring the operational database to this program's schema."""
    settings.home_dir.mkdir(parents=True, exist_ok=True)
    engine = open_engine(settings.operational_url)
    upgrade(engine)
    engine.dispose()


def demo_made(settings: Settings) -> bool:
    """Whether the demo was made to its end: its models come after its fleet."""
    file = settings.demo_models_file
    return file.exists() and bool(json.loads(file.read_text()).get("done"))


def ensure_demo_users(settings: Settings, password: str) -> None:
    """Make the demo's users exist, with this password."""
    engine = open_engine(settings.operational_url)
    accounts = Accounts(
        AccountStore(engine), Audit(AuditStore(engine), utc_now), utc_now
    )
    accounts.ensure_demo_users(SYSTEM, password)
    engine.dispose()
