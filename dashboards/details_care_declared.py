"""The parts of the care cards that only an open form or a drawn card has."""

from __future__ import annotations

from datetime import UTC, datetime

from dash.development.base_component import Component

from dashboards import details_maintenance, details_plan
from dashboards.details_care import IDS, opener
from data.records import Device
from services.plans import PlanView
from services.units import Preferences

NEVER = datetime(2000, 1, 1, tzinfo=UTC)


def declared() -> list[Component]:
    """One of each, for Dash's checks."""
    nobody = PlanView(NEVER, Device(id="-", name="-"), None, None, may_edit=True)
    return [
        opener(IDS.open_plan, "pencil", ""),
        opener(IDS.open_work, "plus-lg", ""),
        details_plan.form(nobody, Preferences()),
        details_maintenance.form(NEVER.date()),
    ]
