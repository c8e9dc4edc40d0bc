"""The care cards, their forms and bulk commands through the door."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from callbacks.care_values import read_drafts, read_entries, read_work
from dashboards.details_plan import Draft
from data.plan_store import PlanEntry
from services.errors import InvalidInput
from services.units import Preferences
from settings import Settings
from tests.callbacks.test_fleet import TABS
from tests.conftest import Clock, open_stores
from tests.portal import Portal, call, open_portal

CARDS, WORK = "details-care.children", "details-work-message.children"
BULK = "fleet-bulk-message.children"
WORK_VALUES = {
    "details-device.data": "wh-1",
    "details-work-kind.value": "anode",
    "details-work-on.value": "2026-03-01",
    "details-work-save.n_clicks": 1,
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """The application with the real tabs."""
    home = tmp_path_factory.mktemp("care")
    settings = Settings(home_dir=home, secret_key="k7!" + "Zq3xW9vB" * 5)
    with (
        contextmanager(open_stores)(settings, Clock()) as stores,
        open_portal(stores, TABS) as portal,
    ):
        yield portal


def answer(site: Portal, who: str, output: str, values: dict[str, Any], cause: str):
    """The answer of a callback to somebody's browser."""
    return call(site, site.browser(who), output, values, [cause])


def test_the_cards_are_drawn_and_offer_what_one_may(site: Portal) -> None:
    """A viewer sees the four cards without a button, an operator with two."""
    values = {"details-device.data": "wh-1"}
    seen = {
        who: answer(site, who, CARDS, values, "details-device.data").text
        for who in ("vera", "otto")
    }
    for words in ("Legionella and scald", "Weekly plan", "Diagnostic codes"):
        assert words in seen["vera"]

    assert "details-plan-open" not in seen["vera"]
    assert "details-plan-open" in seen["otto"]
    unknown = answer(
        site, "vera", CARDS, {"details-device.data": "no"}, "details-device.data"
    )
    assert unknown.text.count("There is no device") == 4


def test_an_operator_writes_an_entry_and_a_viewer_does_not(site: Portal) -> None:
    """The permission is that of the service, whatever the page shows."""
    cause = "details-work-save.n_clicks"
    refused = answer(site, "vera", WORK, WORK_VALUES, cause)
    assert refused.status_code == 403 or "needs the role" in refused.text
    bad = {**WORK_VALUES, "details-work-on.value": "tomorrow"}
    assert "choose a day" in answer(site, "otto", WORK, bad, cause).text
    written = answer(site, "otto", WORK, WORK_VALUES, cause)
    assert "Written down" in written.text
    assert "details-care-changed" in written.text


def test_a_bulk_command_needs_its_tick_and_its_role(site: Portal) -> None:
    """Without the tick nothing starts; a viewer is refused; the job is followed."""
    cause = "fleet-bulk-start.n_clicks"
    values = {
        "fleet-bulk-start.n_clicks": 1,
        "fleet-bulk-key.value": "target_temperature_c",
        "fleet-bulk-target.value": "50",
        "shell-location.search": "?q=wh-2",
    }
    assert "Tick the box" in answer(site, "otto", BULK, values, cause).text
    ticked = {**values, "fleet-bulk-confirm.value": True}
    refused = answer(site, "vera", BULK, ticked, cause)
    assert refused.status_code == 403 or "needs the role" in refused.text
    assert site.services.care.bulk._store.recent(5) == []
    empty = {**ticked, "fleet-bulk-target.value": ""}
    assert "Type a target" in answer(site, "otto", BULK, empty, cause).text
    assert "fleet-bulk-job" in answer(site, "otto", BULK, ticked, cause).text
    (job,) = site.services.care.bulk._store.recent(5)
    assert (job.value, job.filter) == (50.0, "?q=wh-2")


def test_rows_become_entries_in_stored_units() -> None:
    """°F and a decimal comma are read; an empty target names its row."""
    drafts = read_drafts([[[0, 1]], ["06:30"], ["122,0"], ["*"]])
    assert drafts == [Draft((0, 1), "06:30", "122,0")]
    (entry,) = read_entries(drafts, Preferences(temperature_unit="F"))
    assert entry == PlanEntry((0, 1), "06:30", pytest.approx(50.0))
    with pytest.raises(InvalidInput, match="Entry 1: type a target"):
        read_entries([Draft((0,), "06:30", "")], Preferences())


@pytest.mark.parametrize("columns", [[1, [], [], []], [[], ["x"], [], []]])
def test_a_form_that_is_not_ours_is_refused(columns: list[Any]) -> None:
    """Columns of other kinds or lengths are no form."""
    with pytest.raises(InvalidInput):
        read_drafts(columns)


def test_work_needs_a_day() -> None:
    """An empty next day is none, a wrong one is named."""
    assert read_work(["anode", "2026-03-01", "", "", " x "]).note == "x"
    with pytest.raises(InvalidInput, match="Next on"):
        read_work(["anode", "2026-03-01", "soon", "", ""])
