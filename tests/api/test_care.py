"""Maintenance, plans, ledger, codes and bulk commands over REST."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from settings import Settings
from tests.api.test_fleet import Program
from tests.conftest import NOW, SYSTEM, Clock, open_stores, readings
from tests.portal import Portal, open_portal

ONE = "/devices/wh-1"
PLAN = {
    "zone": "Europe/Berlin",
    "version": 0,
    "entries": [{"days": [0, 1], "time": "06:30", "target_temperature_c": 50}],
}


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """The application with three heaters, one of which reports."""
    home = tmp_path_factory.mktemp("care")
    key = "k7!" + "Zq3xW9vB" * 5
    settings = Settings(home_dir=home, secret_key=key, max_page=100)
    with (
        contextmanager(open_stores)(settings, Clock()) as stores,
        open_portal(stores) as opened,
    ):
        frame = readings("wh-1", NOW - timedelta(hours=1), 60, flow_lpm=0.0)
        frame["temperature_c"] = [35 + i % 9 / 10 for i in range(60)]
        frame["error_code"] = "E21"
        stores.telemetry.accept(SYSTEM, frame)
        yield opened


@pytest.fixture(scope="module")
def vera(portal: Portal) -> Program:
    """A viewer's program."""
    return Program(portal, "vera")


@pytest.fixture(scope="module")
def otto(portal: Portal) -> Program:
    """An operator's program."""
    return Program(portal, "otto")


def test_the_log_is_written_read_and_paged(vera: Program, otto: Program) -> None:
    """An operator writes; a viewer reads page by page with what is due."""
    for day in ("2026-01-01", "2026-02-01"):
        body = {"kind": "anode", "done_on": day, "next_on": "2026-04-19"}
        made = otto.ask("POST", f"{ONE}/maintenance", 201, json=body)
        assert made["by"] == "otto"
    vera.ask("POST", f"{ONE}/maintenance", 403, json={"kind": "anode", "done_on": day})
    first = vera.ask("GET", f"{ONE}/maintenance?limit=1")
    cursor = first["next_cursor"]
    rest = vera.ask("GET", f"{ONE}/maintenance?limit=1&cursor={cursor}")

    assert first["due"] == [{"kind": "anode", "on": "2026-04-19", "days": 40}]
    assert [first["items"][0]["done_on"], rest["items"][0]["done_on"]] == [
        "2026-02-01",
        "2026-01-01",
    ]
    assert rest["next_cursor"] is None
    otto.ask("GET", f"{ONE}/maintenance?cursor=xx", 400)
    otto.ask("GET", "/devices/nobody/maintenance", 404)


def test_a_plan_is_replaced_under_its_version(vera: Program, otto: Program) -> None:
    """Read, written, stale, asked about, refused: each has its status."""
    assert vera.ask("GET", f"{ONE}/plan")["version"] == 0
    saved = otto.ask("PUT", f"{ONE}/plan", json=PLAN)
    assert saved["next_at"] == "2026-03-16T05:30:00+00:00"
    assert vera.ask("GET", f"{ONE}/plan") == saved
    otto.ask("PUT", f"{ONE}/plan", 409, json=PLAN)
    vera.ask("PUT", f"{ONE}/plan", 403, json=PLAN)
    hot = {**PLAN, "version": 1}
    hot["entries"] = [{**PLAN["entries"][0], "target_temperature_c": 58}]  # type: ignore[index,dict-item]
    otto.ask("PUT", f"{ONE}/plan", 428, json=hot)
    otto.ask("PUT", f"{ONE}/plan", json={**hot, "confirmed": True})


def test_the_ledger_and_the_codes_are_told(vera: Program) -> None:
    """Numbers, or why there is none; times are ISO."""
    ledger = vera.ask("GET", f"{ONE}/ledger?from=now-2h")
    assert ledger["range"]["in_band_h"] == pytest.approx(1.0, abs=0.05)
    assert ledger["range"]["start"] == "2026-03-10T10:00:00+00:00"
    assert ledger["usable_l_at_40_c"]["value"] is None
    assert "capacity" in ledger["usable_l_at_40_c"]["why"]
    assert ledger["hot_hour_at"] is None
    vera.ask("GET", f"{ONE}/ledger?from=soon", 400)

    codes = vera.ask("GET", f"{ONE}/codes")
    assert codes["present"] == "E21"
    assert codes["known"]["name"] == "sensor"
    assert codes["items"][0]["times"] == 1
    assert codes["items"][0]["first"] == "2026-03-10T11:00:00+00:00"


def test_a_bulk_command_is_started_followed_and_stopped(
    portal: Portal, vera: Program, otto: Program
) -> None:
    """One at a time, three stages, stopped by name; a viewer only looks."""
    body = {"key": "target_temperature_c", "value": 50, "filter": {"q": "boiler"}}
    vera.ask("POST", "/bulk", 403, json=body)
    otto.ask("POST", "/bulk", 428, json={**body, "value": 58})
    otto.ask("POST", "/bulk", 400, json={**body, "filter": {"state": "gone"}})
    made = otto.ask("POST", "/bulk", 201, json=body)
    assert [s["heaters"] for s in made["stages"]] == [1, 0, 2]
    assert made["filter"] == '{"q":"boiler"}'
    otto.ask("POST", "/bulk", 409, json=body)
    portal.services.care.bulk.step()
    seen = vera.ask("GET", f"/bulk/{made['id']}")
    assert seen["stages"][0]["states"] == {"queued": 1}

    vera.ask("POST", f"/bulk/{made['id']}/stop", 403)
    stopped = otto.ask("POST", f"/bulk/{made['id']}/stop")
    assert (stopped["state"], stopped["reason"]) == ("stopped", "stopped by otto")
    assert vera.ask("GET", "/bulk")["items"][0]["id"] == made["id"]
    otto.ask("POST", f"/bulk/{made['id']}/stop", 409)
    otto.ask("GET", "/bulk/999", 404)
    otto.ask("GET", "/bulk/x", 422)
