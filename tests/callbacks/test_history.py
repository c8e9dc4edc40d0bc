"""The History tab through the door: drawn from the address, zoom written to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from dashboards.registry import heater_tab
from settings import Settings
from tests.conftest import NOW, SYSTEM, Clock, open_stores
from tests.portal import SAMPLES, Portal, call, open_portal
from tests.services.test_history import lively

TABS = (SAMPLES[0], heater_tab("history", "History", "device.read"))
BODY, ZOOM = "history-body.children", "history-goto.search"
PATH = "/heaters/wh-1/history"
SHOWN = ["2026-03-03T12:00:00", "2026-03-10T12:00:00"]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """The application with the real tab and nine days of readings."""
    home = tmp_path_factory.mktemp("history")
    settings = Settings(home_dir=home, secret_key="k7!" + "Zq3xW9vB" * 5)
    with (
        contextmanager(open_stores)(settings, Clock()) as stores,
        open_portal(stores, TABS) as portal,
    ):
        frame = lively(NOW - timedelta(days=9), 9 * 1440)
        stores.telemetry.accept_bulk(SYSTEM, frame)
        stores.flush()
        yield portal


def drawn(site: Portal, search: str, device_id: str = "wh-1", **headers: str) -> str:
    """The text of the answer that draws the body."""
    client = site.browser("vera")
    client.environ_base.update({f"HTTP_{k}": v for k, v in headers.items()})
    values = {
        "history-device.data": device_id,
        "shell-location.search": search,
        "shell-location.pathname": PATH,
    }
    answer = call(site, client, BODY, values, ["shell-location.search"])
    assert answer.status_code == 200, answer.text
    text: str = answer.get_data(as_text=True)
    return text


def zoomed(site: Portal, change: dict[str, Any], search: str) -> str | None:
    """The query string after a change of the chart, ``None`` if it stays."""
    values = {
        "history-chart.relayoutData": change,
        "history-window.data": SHOWN,
        "shell-location.search": search,
    }
    answer = call(
        site, site.browser("vera"), ZOOM, values, ["history-chart.relayoutData"]
    )
    if answer.status_code == 204:
        return None
    found: str = answer.get_json()["response"]["history-goto"]["search"]
    return found


@pytest.mark.parametrize(
    ("search", "says"),
    [
        ("", "Each point is 15 min"),
        ("?from=now-24h&to=now", "Each point is 2 min"),
        ("?from=now-7d&to=now&compare=previous", "Hide comparison"),
        ("?from=now-60d&to=now-50d", "before the first reading"),
        ("?from=now&to=now-7d", "The range ends before it begins"),
        ("?from=whenever", "from=whenever is not a time"),
        ("?from=now-1000d", "the longest allowed is 400 days"),
    ],
)
def test_the_address_decides_what_is_drawn(
    site: Portal, search: str, says: str
) -> None:
    """Range and comparison come from the address; a bad range is named in place."""
    assert says in drawn(site, search)


def test_an_unknown_heater_is_named(site: Portal) -> None:
    """A device that does not exist gives a message and no chart."""
    text = drawn(site, "", "wh-404")

    assert "There is no device" in text
    assert "history-chart" not in text


def test_on_a_phone_a_drag_scrolls(site: Portal) -> None:
    """A phone's page can be scrolled over the charts, which take no drag there."""
    phone = drawn(site, "", USER_AGENT="Mozilla/5.0 (Linux; Android 15) Mobile")

    assert '"dragmode":false' in phone
    assert '"dragmode":"zoom"' in drawn(site, "")


def test_a_zoom_is_written_to_the_address(site: Portal) -> None:
    """The dragged range goes to ``from`` and ``to`` in UTC, with the way back."""
    change = {
        "xaxis.range[0]": "2026-03-05 02:03:04.5678",
        "xaxis.range[1]": "2026-03-06 10:00:59",
    }

    assert zoomed(site, change, "?from=now-7d&to=now&compare=previous") == (
        "?from=2026-03-05T02:03:00Z&to=2026-03-06T10:00:00Z&compare=previous"
        "&out=now-7d,now"
    )


def test_a_tiny_zoom_is_five_minutes(site: Portal) -> None:
    """A zoom never ends in a range that cannot be drawn."""
    change = {"xaxis.range": ["2026-03-05 02:03:04", "2026-03-05 02:03:05"]}

    assert "from=2026-03-05T02:03:00Z&to=2026-03-05T02:08:00Z" in str(
        zoomed(site, change, "")
    )


def test_a_double_click_goes_back_to_the_first_range(site: Portal) -> None:
    """The reset of the axis leads out of a zoom, and nowhere when there is none."""
    reset = {"xaxis.range[0]": "2026-03-03 12:00", "xaxis.range[1]": SHOWN[1]}
    search = "?from=2026-03-05T02:03:00Z&to=2026-03-05T10:00:00Z&out=now-7d,now"

    assert zoomed(site, reset, search) == "?from=now-7d&to=now"
    assert zoomed(site, reset, "?from=now-7d&to=now") is None


@pytest.mark.parametrize(
    "change",
    [{"autosize": True}, {}, {"xaxis.range": "x"}, {"xaxis.range": [None, 3]},
     {"xaxis.range[0]": "soon", "xaxis.range[1]": "later"},
     {"xaxis.range": [[], {}]}, {"yaxis.range[0]": 1}],
)  # fmt: skip
def test_other_changes_leave_the_address_alone(
    site: Portal, change: dict[str, Any]
) -> None:
    """Resizing and nonsense change nothing and are no errors."""
    assert zoomed(site, change, "?from=now-7d&to=now") is None
