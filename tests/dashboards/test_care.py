"""The care cards and the bulk card, drawn from real views."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from dashboards import bulk, details_plan
from dashboards.details_codes import codes_card
from dashboards.details_ledger import ledger_card
from dashboards.details_maintenance import due_words, maintenance_card
from data.bulk_store import Job
from data.code_lake import CodeCount
from data.plan_store import Plan, PlanEntry
from data.records import Device
from services.bulk_views import BulkPreview, BulkView, Left, Stage
from services.diagnostic_codes import CATALOGUE, CodesView, Reported
from services.ledger import LedgerView
from services.ledger_now import Told
from services.ledger_sums import LedgerSpan
from services.ledger_verdict import Reason
from services.maintenance import Due, MaintenanceView
from services.plans import PlanView
from services.units import Preferences
from tests.conftest import NOW

C = Preferences()
F = Preferences(temperature_unit="F", volume_unit="gal")
DEVICE = Device(id="wh-1", name="Boiler", modes=("off", "eco"))
SPAN = LedgerSpan(
    NOW - timedelta(days=7), NOW, 168, 1.0, 30.0, 100.0, 40.0, 0.2, 0.1, 61.0,
    7200.0, True,
)  # fmt: skip
LEDGER = LedgerView(
    NOW, DEVICE, (SPAN, replace(SPAN, start=NOW - timedelta(days=30))), None, 3600.0,
    55.0, 10.0, Told(300.0), Told(None, "its type is not recorded"), "look",
    (Reason("growth", 30.0), Reason("scald", 0.1)),
)  # fmt: skip
PLAN = Plan(
    "wh-1", 3, True, "Europe/Berlin",
    (PlanEntry((0, 5), "06:30", 50.0, "eco"), PlanEntry((0,), "22:00", 45.0)),
    "otto", NOW, NOW + timedelta(hours=1),
)  # fmt: skip
JOB = Job("target_temperature_c", 50.0, "", "otto", NOW, "running", 1, 0.1, id=4)


def drawn(component: Any) -> str:
    """The component as JSON text."""
    return json.dumps(
        component.to_plotly_json(),
        default=lambda c: c.to_plotly_json(),
        ensure_ascii=False,
    )


@pytest.mark.parametrize(
    ("prefs", "words"),
    [
        (C, ("25 to 45\u00a0°C", "60\u00a0°C", "100\u00a0°C·h", "300\u00a0L")),
        (F, ("77 to 113\u00a0°F", "140\u00a0°F", "180\u00a0°F·h", "79\u00a0gal")),
    ],
)
def test_the_ledger_speaks_the_readers_units(
    prefs: Preferences, words: tuple[str, ...]
) -> None:
    """Limits, degree-hours and litres follow the reader; why not is said."""
    text = drawn(ledger_card(LEDGER, prefs))

    for word in words:
        assert word in text
    assert "never in the stored history" in text
    assert "cannot tell: its type is not recorded" in text
    assert "at least 2 h" in text


@pytest.mark.parametrize("verdict", ["fine", "look", "cannot tell"])
def test_the_ledger_never_promises_safety(verdict: str) -> None:
    """No verdict uses the word, and each says what the card cannot show."""
    text = drawn(ledger_card(replace(LEDGER, verdict=verdict, reasons=()), C)).lower()

    assert "safe" not in text
    assert "cannot show that the water is free of germs" in text


def test_the_week_is_readable() -> None:
    """Each day lists its entries; the next is in the plan's own zone."""
    view = PlanView(NOW, DEVICE, PLAN, PLAN.entries[0], may_edit=False)
    text = drawn(details_plan.plan_card(view, C))

    assert text.count("06:30 → 50.0\u00a0°C, Eco") == 2
    assert text.count("22:00 → 45.0\u00a0°C") == 1
    assert "14:00 CET" in text
    assert "Edit the plan" not in text
    off = replace(view, plan=replace(PLAN, enabled=False), may_edit=True)
    assert "Switched off" in drawn(details_plan.plan_card(off, C))
    none = replace(view, plan=None, may_edit=True)
    assert "Edit the plan" in drawn(details_plan.plan_card(none, C))


def test_the_form_of_a_plan_holds_what_is_planned() -> None:
    """Targets are in the reader's unit; the version is kept for the save."""
    view = PlanView(NOW, DEVICE, PLAN, None, may_edit=True)
    text = drawn(details_plan.form(view, F))

    assert '"value": "122"' in text
    assert '"version": 3' in text
    assert [d.target for d in details_plan.drafts_of(PLAN, C)] == ["50", "45"]


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (40, "Anode due in 40 days"),
        (1, "Anode due in 1 day"),
        (0, "Anode due today"),
        (-3, "Anode overdue by 3 days"),
    ],
)
def test_what_is_due_in_words(days: int, words: str) -> None:
    """Before, on and after the day."""
    assert due_words(Due("anode", date(2026, 4, 19), days)) == words


def test_an_empty_log_offers_the_form_only_to_those_who_may() -> None:
    """A viewer sees no button that would be refused."""
    view = MaintenanceView(NOW.date(), (), False, (), may_write=False)

    assert "Add an entry" not in drawn(maintenance_card(view))
    assert "Add an entry" in drawn(maintenance_card(replace(view, may_write=True)))


def test_known_and_unknown_codes_are_told_apart() -> None:
    """A known code has meaning and advice, another sends to the manual."""
    counts = [CodeCount(code, 2, 9, NOW, NOW) for code in ("E21", "Q1")]
    reported = (Reported(counts[0], CATALOGUE["E21"]), Reported(counts[1], None))
    view = CodesView(NOW, "E21", NOW, CATALOGUE["E21"], reported)
    text = drawn(codes_card(view, C))

    assert "no valid signal" in text
    assert "see the maker's manual" in text
    assert '"Today"' in text
    silent = replace(view, present=None, present_at=None, known=None, reported=())
    assert "Cannot tell" in drawn(codes_card(silent, C))


def test_a_bulk_command_shows_numbers_for_each_stage() -> None:
    """Stages with heaters, what failed, who was left out, and stop or close."""
    stages = (Stage(1, 1, 0, {"timed_out": 1}), Stage(2, 0, 0), Stage(3, 9, 9))
    left = (Left("wh-9", "not asked", "too hot"), Left("wh-1", "timed_out", ""))
    view = BulkView(JOB, stages, left, 2, may_stop=True)
    text = drawn(bulk.progress_card(view, F))

    for words in ("122.0\u00a0°F", "1 timed out", "2 heaters did not take", "too hot"):
        assert words in text
    assert "Up to 10 %" not in text
    assert bulk.IDS.stop in text
    done = replace(view, job=replace(JOB, state="done"), may_stop=False)
    assert bulk.IDS.close in drawn(bulk.progress_card(done, C))


def test_the_preview_says_stages_safety_and_who_is_left_out() -> None:
    """What starting would do stands there before anything is asked."""
    found = BulkPreview(
        22, (1, 1, 18), (Left("wh-9", "not asked", "too hot"),) * 2, "!"
    )
    text = drawn(bulk.preview(found))

    assert "20 heaters asked in stages: 1, then 1, then 18" in text
    assert "2 heaters left out" in text
    assert "Safety" in text
