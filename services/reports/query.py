"""What a report is about: template, range, subjects, zone and units."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from services.units import Preferences


@dataclass(frozen=True)
class ReportQuery:
    """A report that can be composed: every value is checked and every time is fixed.

    Args:
        template: one of ``data.report_records.TEMPLATES``.
        start: the first moment that belongs to it, aware.
        end: the first moment that does not, aware.
        models: names of models; empty = every model that is not archived.
        devices: ids of heaters; empty = every heater that is not removed.
        sections: keys of the template's sections; empty = all of them.
        preferences: the reader's units and time zone.
    """

    template: str
    start: datetime
    end: datetime
    models: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    sections: tuple[str, ...] = ()
    preferences: Preferences = field(default_factory=Preferences)
