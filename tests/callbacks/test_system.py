"""The System tab through the door: admins see it, nobody else does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from dashboards.admin.system import IDS
from dashboards.registry import TABS as ALL
from dashboards.registry import admin_tab
from settings import Settings
from tests.conftest import NOW, Clock, open_stores
from tests.portal import SAMPLES, Portal, call, open_portal

SYSTEM = admin_tab("system", "System", "system.read")
TABS = (*SAMPLES, SYSTEM)
PAGE = "shell-page.children"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """The application; a part of the worker has spoken."""
    home = tmp_path_factory.mktemp("system")
    settings = Settings(home_dir=home, secret_key="k7!" + "Zq3xW9vB" * 5)
    with (
        contextmanager(open_stores)(settings, Clock()) as stores,
        open_portal(stores, TABS) as portal,
    ):
        stores.links.put_status("mqtt", {"received": 7}, NOW)
        yield portal


def test_the_tab_is_the_one_registered() -> None:
    """What is tested here is what people get."""
    assert SYSTEM in ALL


def test_an_admin_sees_the_installation(site: Portal) -> None:
    """The timer's callback draws the body."""
    answer = call(site, site.browser("ada"), f"{IDS.body}.children", {})

    assert "Talk with the broker" in answer.text
    assert "Messages refused" in answer.text


@pytest.mark.parametrize("who", ["vera", "otto"])
def test_others_are_refused(site: Portal, who: str) -> None:
    """Both the data and the page, with the role that is needed."""
    browser = site.browser(who)
    assert call(site, browser, f"{IDS.body}.children", {}).status_code == 403

    page = call(
        site, browser, PAGE, {"shell-location.pathname": "/admin/system"},
        ["shell-location.pathname"],
    ).text  # fmt: skip
    assert "needs the role Admin" in page
    assert IDS.body not in page


@pytest.mark.parametrize(("who", "offered"), [("vera", False), ("ada", True)])
def test_only_admins_are_offered_the_way(site: Portal, who: str, offered: bool) -> None:
    """The rail names what the reader may open, in the first answer and after."""
    browser = site.browser(who)
    moved = call(
        site, browser, PAGE, {"shell-location.pathname": "/heaters"},
        ["shell-location.pathname"],
    ).text  # fmt: skip

    assert ("Administration" in moved) is offered
    assert ("Administration" in browser.get("/_dash-layout").text) is offered
