"""Builds the running of reports, on stores that are open."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from bootstrap_reports import composing
from data.account_store import AccountStore
from data.engine import Reader
from data.outbox_store import OutboxStore
from data.report_files import ReportFiles
from data.report_schedule_store import ScheduleStore
from data.report_store import ReportStore
from data.session import Engine
from services.audit import Audit
from services.reports.compose import Composer
from services.reports.desk import ReportDesk
from services.reports.making import ReportMaker
from services.reports.runs import Reports
from services.reports.schedules import Schedules
from settings import Settings


def reporting(
    engine: Engine,
    reader: Reader,
    audit: Audit,
    settings: Settings,
    clock: Callable[[], datetime],
) -> ReportDesk:
    """The running of reports that are composed by the services of the screens."""
    composer = composing(engine, reader, settings)
    return reporting_desk(engine, composer, audit, settings, clock)


def reporting_desk(
    engine: Engine,
    composer: Composer,
    audit: Audit,
    settings: Settings,
    clock: Callable[[], datetime],
) -> ReportDesk:
    """Runs, schedules and the maker of reports."""
    store, schedules = ReportStore(engine), ScheduleStore(engine)
    files = ReportFiles(settings.home_dir / "reports")
    return ReportDesk(
        runs=Reports(store, schedules, files, composer, audit, clock),
        schedules=Schedules(schedules, store, audit, clock),
        maker=ReportMaker(
            store,
            schedules,
            OutboxStore(engine),
            AccountStore(engine),
            files,
            composer,
            timedelta(days=settings.report_retention_days),
            clock,
        ),
    )
