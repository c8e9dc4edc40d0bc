"""What the doors and the worker may call of reports."""

from __future__ import annotations

from dataclasses import dataclass

from services.reports.making import ReportMaker
from services.reports.runs import Reports
from services.reports.schedules import Schedules


@dataclass(frozen=True)
class ReportDesk:
    """The running of reports."""

    runs: Reports
    schedules: Schedules
    maker: ReportMaker
