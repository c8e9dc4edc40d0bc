"""The Reports tab through Dash: the address, making, removing, scheduling."""

from __future__ import annotations

from typing import Any

import pytest

from callbacks.report_schedules import read
from dashboards.registry import TABS
from dashboards.report_schedule_form import FIELDS, values
from services.access import Principal, Role
from services.errors import InvalidInput
from services.units import Preferences
from tests.conftest import ADMIN
from tests.portal import call, open_portal

REPORTS = tuple(tab for tab in TABS if tab.key == "reports")
VERA = Principal("vera", Role.VIEWER)
SEARCH = "shell-location.search"
EVERY = ["counts", "worst", "usage", "heaters"]
FLEET = "?template=fleet&from=now-1d/d&to=now/d"


@pytest.fixture
def portal(stores):
    """The application with the tab, its stores empty but for three heaters."""
    with open_portal(stores, REPORTS) as opened:
        yield opened


def press(portal: Any, name: str, output: str, changed: str, **given: Any) -> Any:
    """Press something as somebody: the answer's body."""
    filled = {SEARCH: FLEET, changed: 1, **given}
    browser = portal.browser(name)
    return call(portal, browser, output, filled, [changed])


def test_the_form_shows_what_the_address_says(portal):
    """Template, heaters and sections come from the address; so do the options."""
    search = "?template=heater&devices=wh-2&sections=history"
    answer = call(portal, portal.browser("vera"), "reports-about", {SEARCH: search})

    shown = answer.get_json()["response"]
    assert shown["reports-template"]["value"] == "heater"
    assert shown["reports-devices"]["value"] == ["wh-2"]
    assert len(shown["reports-devices"]["options"]) == 3
    assert shown["reports-sections"]["value"] == ["history"]
    assert shown["reports-models-box"]["hidden"] is True
    offered = [o["value"] for o in shown["reports-template"]["options"]]
    assert "audit" not in offered
    assert "UTC" in shown["reports-zone"]["children"]


def test_a_choice_is_written_to_the_address(portal):
    """Another template drops what it does not take and keeps the range."""
    filled = {
        "reports-template.value": "fleet", "reports-models.value": [],
        "reports-devices.value": ["wh-1"], "reports-sections.value": [],
        SEARCH: "?template=performance&from=now-7d&to=now",
    }  # fmt: skip
    browser = portal.browser("vera")
    answer = call(portal, browser, "reports-goto", filled, ["reports-template.value"])

    search = answer.get_json()["response"]["reports-goto"]["search"]
    assert search == "?template=fleet&from=now-7d&to=now&devices=wh-1"
    again = call(
        portal, browser, "reports-goto",
        {**filled, SEARCH: search, "reports-sections.value": EVERY},
        ["reports-sections.value"],
    )  # fmt: skip
    assert again.status_code == 204  # nothing has changed: no circle of addresses


def test_make_asks_for_the_report_of_the_form(portal):
    """The button makes a run of its format, about what the address says."""
    answer = press(portal, "vera", "reports-runs-changed.data...reports-message",
                   "reports-make-csv.n_clicks")  # fmt: skip
    assert answer.status_code == 200, answer.text

    (run,) = portal.services.reports.runs.list(ADMIN)
    assert (run.template, run.format, run.asked_by) == ("fleet", "csv", "vera")
    assert run.query["from"] == "2026-03-09T00:00:00+00:00"
    listed = call(portal, portal.browser("vera"), "reports-runs.children", {})
    assert "Waiting" in listed.text
    assert listed.get_json()["response"]["reports-runs-tick"]["interval"] == 1_000
    others = call(portal, portal.browser("otto"), "reports-runs.children", {})
    assert "No report yet" in others.text


def test_a_range_that_cannot_be_is_said_beside_the_buttons(portal):
    """The reason stands in the form, nothing is asked for."""
    answer = press(portal, "vera", "reports-runs-changed.data...reports-message",
                   "reports-make-pdf.n_clicks",
                   **{SEARCH: "?template=fleet&from=now&to=now-7d"})  # fmt: skip

    shown = answer.get_json()["response"]
    assert "before it begins" in shown["reports-message"]["children"]
    assert portal.services.reports.runs.list(ADMIN) == ()


def test_the_preview_shows_the_numbers_of_the_report(portal):
    """The document of the real composer: three heaters, on the screen."""
    answer = press(portal, "vera", "reports-preview-place.children",
                   "reports-preview.n_clicks")  # fmt: skip

    assert "Preview: " in answer.text
    assert "Boiler A" in answer.text


def test_a_report_is_removed_after_a_yes(portal):
    """The dialog names it; the confirmation removes it."""
    run = portal.services.reports.runs.ask(VERA, {"template": "fleet"})
    browser = portal.browser("vera")
    answer = call(
        portal, browser, "reports-remove-dialog.is_open@",
        {"reports-remove-held.data": run.id, "reports-remove-confirm.n_clicks": 1},
        ["reports-remove-confirm.n_clicks"],
    )  # fmt: skip

    assert answer.status_code == 200, answer.text
    assert portal.services.reports.runs.list(ADMIN) == ()


def test_a_schedule_is_saved_from_form_and_drawer(portal):
    """What the page's form says and what the drawer says become one schedule."""
    held = dict(zip(FIELDS, values(None, Preferences()), strict=True))
    held |= {FIELDS[0]: "Weekly fleet", FIELDS[9]: "ops@example.org, b@example.org"}
    filled = {f"{part}.value": value for part, value in held.items()}
    answer = press(portal, "otto", "reports-schedules-changed.data@",
                   "reports-schedule-save.n_clicks", **filled)  # fmt: skip
    assert answer.status_code == 200, answer.text

    (view,) = portal.services.reports.schedules.list(ADMIN)
    assert view.schedule.name == "Weekly fleet"
    assert view.schedule.spec["template"] == "fleet"
    assert view.schedule.spec["recipients"] == ["ops@example.org", "b@example.org"]
    listed = call(portal, portal.browser("otto"), "reports-schedules-box.hidden", {})
    assert "Weekly fleet" in listed.text
    hidden = call(portal, portal.browser("vera"), "reports-schedules-box.hidden", {})
    assert hidden.get_json()["response"]["reports-schedules-box"]["hidden"] is True
    refused = press(portal, "vera", "reports-schedules-changed.data@",
                    "reports-schedule-save.n_clicks", **filled)  # fmt: skip
    assert refused.status_code == 403


def test_a_wrong_address_keeps_the_drawer_open(portal):
    """The reason is said in the drawer; nothing is stored."""
    held = dict(zip(FIELDS, values(None, Preferences()), strict=True))
    held |= {FIELDS[0]: "Weekly", FIELDS[9]: "no mail"}
    filled = {f"{part}.value": value for part, value in held.items()}
    answer = press(portal, "otto", "reports-schedules-changed.data@",
                   "reports-schedule-save.n_clicks", **filled)  # fmt: skip

    assert "no mail address" in answer.text
    assert portal.services.reports.schedules.list(ADMIN) == ()


def test_the_drawer_is_read_as_a_schedule():
    """Presets become cron fields; ``By cron`` is taken as typed; none is refused."""
    start = values(None, Preferences(time_zone="Europe/Berlin"))
    told = read(("N", "month", "monthly", "07:30", "mon", "5", *start[6:]))
    assert (told["cron"], told["from"]) == ("30 7 5 * *", "now-1M/M")
    assert told["time_zone"] == "Europe/Berlin"
    typed = read(("N", "now-2d now", "cron", *[""] * 3, "0 6 * * 1", *start[7:]))
    assert (typed["cron"], typed["from"]) == ("0 6 * * 1", "now-2d")
    with pytest.raises(InvalidInput, match="format"):
        read((*start[:8], [], "", True))
    with pytest.raises(InvalidInput, match="day of the month"):
        read(("N", "week", "monthly", "07:30", "mon", None, *start[6:]))
