"""The process that the kill tests of reports kill: one schedule, made and mailed.

Its clock stands one week further on each run of it, so each start owes one period.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bootstrap_desk import reporting_desk
from data.audit_store import AuditStore
from data.migrate import upgrade
from data.session import open_engine
from services.access import SYSTEM
from services.audit import Audit
from services.reports.desk import ReportDesk
from settings import Settings
from tests.services.report_world import WEEKLY, SmallComposer

FIRST = datetime(2026, 3, 10, 12, tzinfo=UTC)
RECIPIENTS = ("a@example.org", "b@example.org")


def settings(home: Path) -> Settings:
    """Stores in a folder of the test."""
    return Settings(home_dir=home, secret_key="k7!" + "Zq3xW9vB" * 5)


def desk_at(home: Path, now: list[datetime]) -> ReportDesk:
    """The running of reports at a time that may be moved."""
    engine = open_engine(settings(home).operational_url)
    audit = Audit(AuditStore(engine), lambda: now[0])
    return reporting_desk(
        engine, SmallComposer(), audit, settings(home), lambda: now[0]
    )


def prepare(home: Path) -> None:
    """A new database with the schedule."""
    home.mkdir(parents=True, exist_ok=True)
    engine = open_engine(settings(home).operational_url)
    upgrade(engine)
    engine.dispose()
    desk = desk_at(home, [FIRST])
    desk.schedules.add(SYSTEM, {**WEEKLY, "recipients": list(RECIPIENTS)})


def work(home: Path, week: int) -> None:
    """Ask for what is due in a week and make all that waits, dead claims too."""
    now = [FIRST + timedelta(weeks=week)]
    desk = desk_at(home, now)
    desk.schedules.step()
    for _ in range(2):
        while (run := desk.maker.take()) is not None:
            desk.maker.make(run)
        now[0] += timedelta(seconds=61)  # the leases of the dead have ended


if __name__ == "__main__":
    work(Path(sys.argv[1]), int(sys.argv[2]))
