"""Numbers for Prometheus, behind the real guard."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families
from pydantic import ValidationError

from settings import Settings
from tests.conftest import NOW, Clock, open_stores
from tests.portal import Portal, open_portal

TOKEN = "m3trics-" + "Xq7vB2kT" * 4
KEY = "k7!" + "Zq3xW9vB" * 5


@contextmanager
def opened(home, token: str | None) -> Iterator[Portal]:
    """The application with a scraper's token or without."""
    settings = Settings(home_dir=home, secret_key=KEY, metrics_token=token)
    with (
        contextmanager(open_stores)(settings, Clock()) as stores,
        open_portal(stores) as portal,
    ):
        yield portal


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Iterator[Portal]:
    """The application with a token; the worker has spoken."""
    with opened(tmp_path_factory.mktemp("metrics"), TOKEN) as portal:
        facts = {"connected": True, "received": 7, "broker": 'a"b\n', "unknown": {}}
        at = NOW - timedelta(seconds=5)
        portal.stores.links.put_status('odd"\n\\part', facts, at)
        yield portal


def scraped(site: Portal, header: str | None):
    """The answer to a scrape that shows something."""
    headers = {} if header is None else {"Authorization": header}
    return site.app.server.test_client().get("/metrics", headers=headers)


def test_prometheus_reads_the_numbers(site) -> None:
    """The text parses, quotes and all; only numbers are given."""
    answer = scraped(site, f"Bearer {TOKEN}")
    assert answer.status_code == 200
    assert answer.mimetype == "text/plain"
    found = {
        (sample.name, sample.labels.get("fact", "")): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }

    assert found[("iotsphere_hot_rows", "")] == 0
    assert found[("iotsphere_worker_age_seconds", "")] == 5
    assert found[("iotsphere_worker_fact", "received")] == 7
    assert found[("iotsphere_worker_fact", "connected")] == 1
    assert ("iotsphere_worker_fact", "broker") not in found
    assert found[("iotsphere_build_info", "")] == 1


@pytest.mark.parametrize(
    "header",
    [None, "Bearer", "Bearer ", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}",
     f"Basic {TOKEN}", "Bearer \udce4"],
)  # fmt: skip
def test_a_wrong_token_reads_nothing(site, header) -> None:
    """Neither does no token: an address on the local network is no credential."""
    assert scraped(site, header).status_code == 401


def test_the_token_opens_nothing_else(site) -> None:
    """It is no user's: every other route refuses it."""
    client = site.app.server.test_client()
    for path in ("/api/v1/devices", "/api/v1/device/desired", "/_dash-layout"):
        answer = client.get(path, headers={"Authorization": f"Bearer {TOKEN}"})
        assert answer.status_code == 401


@pytest.mark.parametrize(
    ("who", "status"), [("vera", 403), ("otto", 403), ("ada", 200)]
)
def test_admins_read_it_signed_in(site, who, status) -> None:
    """In the browser the role decides."""
    assert site.browser(who).get("/metrics").status_code == status


def test_without_a_token_no_bearer_is_let_in(tmp_path) -> None:
    """An unset token is not an empty one."""
    with opened(tmp_path, None) as site:
        for header in ("Bearer", "Bearer ", "Bearer None"):
            assert scraped(site, header).status_code == 401


@pytest.mark.parametrize("token", ["short", "x" * 40, "changeme" * 5, KEY])
def test_a_weak_token_stops_the_start(tmp_path, token) -> None:
    """Short, uniform, example and reused tokens are refused before anything runs."""
    with pytest.raises(ValidationError, match="METRICS_TOKEN"):
        Settings(home_dir=tmp_path, secret_key=KEY, metrics_token=token)
