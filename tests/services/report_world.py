"""Reports on real stores, with a composer that needs no data."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from bootstrap_desk import reporting_desk
from data.account_store import AccountStore
from data.outbox_store import OutboxStore
from data.report_records import ReportRun
from data.report_schedule_store import ScheduleStore
from data.report_store import ReportStore
from data.session import open_engine
from services.access import Principal, Role
from services.errors import InvalidInput
from services.reports.compose import Composer
from services.reports.desk import ReportDesk
from services.reports.document import Column, Document, Section, Table
from services.reports.query import ReportQuery
from tests.conftest import Stores

OTHER = Principal("olga", Role.OPERATOR)
ASKED: dict[str, object] = {
    "template": "fleet", "from": "2026-03-01", "to": "2026-03-08", "format": "csv",
}  # fmt: skip
WEEKLY: dict[str, object] = {
    "name": "Week of the fleet", "cron": "0 6 * * 1", "time_zone": "Europe/Berlin",
    "template": "fleet", "from": "now-1w/w", "to": "now/w", "formats": ["csv"],
    "recipients": ["ops@example.org"],
}  # fmt: skip


class SmallComposer(Composer):
    """One table of two rows; ``on_compose`` is called in the middle of the work."""

    def __init__(self) -> None:
        super().__init__(lambda _clock: None, 1830)  # type: ignore[arg-type, return-value]
        self.made: list[tuple[Principal, ReportQuery]] = []
        self.on_compose: Callable[[], None] = lambda: None

    def compose(
        self,
        caller: Principal,
        query: ReportQuery,
        now: datetime,
        progress: Any = None,
    ) -> Document:
        """The same document for the same query and clock."""
        self.check(caller, query)
        self.made.append((caller, query))
        if progress:
            progress(0.5, "Halfway")
        self.on_compose()
        if "broken" in query.models:
            raise InvalidInput("There is no model broken.")
        rows = ((query.start, 1.5), (query.end, None))
        table = Table("days", "Days", (Column("day", "Day"), Column("n", "N")), rows)
        return Document(
            query.template, "Fleet", "", now, query.preferences.time_zone, (),
            (Section("all", "All", (table,)),),
        )  # fmt: skip


class World:
    """The desk, its stores and its composer."""

    def __init__(self, stores: Stores) -> None:
        self.engine = open_engine(stores.settings.operational_url)
        self.composer = SmallComposer()
        self.clock = stores.clock
        self.desk: ReportDesk = reporting_desk(
            self.engine, self.composer, stores.audit, stores.settings, stores.clock
        )
        self.runs = ReportStore(self.engine)
        self.schedules = ScheduleStore(self.engine)
        self.accounts = AccountStore(self.engine)
        self.audit = stores.audit
        self.outbox = OutboxStore(self.engine)
        self.folder = stores.settings.home_dir / "reports"

    def made(self, run_id: str) -> ReportRun:
        """A run as it is stored."""
        run = self.runs.get(run_id)
        assert run is not None
        return run

    def make_all(self) -> list[str]:
        """Make everything that waits; the states it ended in."""
        states = []
        while (run := self.desk.maker.take()) is not None:
            states.append(self.desk.maker.make(run))
        return states


@contextmanager
def world_of(stores: Stores):
    """A world that is closed afterwards."""
    world = World(stores)
    yield world
    world.engine.dispose()
