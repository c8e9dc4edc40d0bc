"""Secrets, removal and lists on the Fleet tab, through the door."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from callbacks.device_admin import read_upload
from dashboards.device_admin import IDS
from dashboards.device_admin_list import IDS as LIST
from dashboards.device_form import IDS as FORM
from data.records import Device
from services.errors import InvalidInput
from settings import Settings
from tests.callbacks.test_fleet import TABS
from tests.conftest import ADMIN, Clock, open_stores
from tests.portal import Portal, call, open_portal

BOX = f"{IDS.box}.children"
PREVIEW = f"{LIST.preview}.children"
GOTO = f"{LIST.goto}.search"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """The application with the real tabs and three sample heaters."""
    home = tmp_path_factory.mktemp("admin")
    settings = Settings(home_dir=home, secret_key="k7!" + "Zq3xW9vB" * 5)
    with (
        contextmanager(open_stores)(settings, Clock()) as stores,
        open_portal(stores, TABS) as portal,
    ):
        yield portal


def pressed(site: Portal, who: str, button: str, device_id: str = "wh-1") -> Any:
    """The answer after a button of the credentials."""
    values = {f"{button}.n_clicks": 1, f"{FORM.held}.data": {"id": device_id}}
    return call(site, site.browser(who), BOX, values, [f"{button}.n_clicks"])


def test_a_secret_is_shown_once_with_the_warning(site: Portal) -> None:
    """Issue shows it, rotate another one; opening the form again shows none."""
    first, second = (pressed(site, "ada", IDS.issue).text for _ in range(2))
    secrets = [
        re.findall(r'"value":"([\w-]{43})"', text)[0] for text in (first, second)
    ]
    drawer = call(
        site, site.browser("ada"), "fleet-drawer.is_open",
        {"shell-location.search": "?edit=wh-1"}, ["shell-location.search"],
    ).text  # fmt: skip

    assert len(set(secrets)) == 2
    assert "not shown again" in first
    assert "Rotate" in second
    assert site.services.credentials.check("wh-1", secrets[1]).device_id == "wh-1"
    assert "Issued 10 Mar 2026" in drawer
    assert not any(secret in drawer for secret in secrets)


def test_a_secret_is_revoked(site: Portal) -> None:
    """Afterwards there is none, and a second press says so."""
    pressed(site, "ada", IDS.issue, "wh-2")
    assert "It has no secret" in pressed(site, "ada", IDS.revoke, "wh-2").text
    assert "has no credential" in pressed(site, "ada", IDS.revoke, "wh-2").text


def test_a_heater_out_of_use_gets_no_secret(site: Portal) -> None:
    """The press is refused with the reason, in place."""
    site.stores.add(Device(id="off", name="Off", life_cycle="inactive"))

    assert "activate it first" in pressed(site, "ada", IDS.issue, "off").text
    assert "Activate the heater" in pressed(site, "ada", IDS.issue, "off").text


@pytest.mark.parametrize("who", ["vera", "otto"])
def test_nobody_else_may(site: Portal, who: str) -> None:
    """Every callback here is refused to viewers and operators."""
    browser = site.browser(who)
    outputs = (BOX, PREVIEW, GOTO, f"{FORM.remove}.disabled")

    assert [call(site, browser, out, {}).status_code for out in outputs] == [403] * 4


@pytest.mark.parametrize(
    ("typed", "held", "disabled"),
    [
        ("Spare", {"id": "s", "name": "Spare"}, False),
        ("spare", {"id": "s", "name": "Spare"}, True),
        ("", {"id": "s", "name": "Spare"}, True),
        (None, {"id": "s"}, False),
        ("x", None, True),
    ],
)
def test_removal_waits_for_the_name(
    site: Portal, typed: str | None, held: Any, disabled: bool
) -> None:
    """The button works once the very name is typed; the server checks it again."""
    values = {f"{FORM.typed}.value": typed, f"{FORM.held}.data": held}
    answer = call(site, site.browser("ada"), f"{FORM.remove}.disabled", values)

    assert answer.get_json()["response"][FORM.remove]["disabled"] is disabled


def sent(text: str) -> str:
    """A file as the browser sends it."""
    return "data:text/csv;base64," + base64.b64encode(text.encode()).decode()


def previewed(site: Portal, contents: Any) -> dict[str, Any]:
    """What stands in the drawer after a file was chosen."""
    values = {f"{LIST.file}.contents": contents, f"{LIST.file}.filename": "l.csv"}
    answer = call(site, site.browser("ada"), PREVIEW, values)
    found: dict[str, Any] = answer.get_json()["response"]
    return found


def test_a_list_is_seen_before_it_is_registered(site: Portal) -> None:
    """The preview counts and names what is refused, and registers nothing."""
    found = previewed(site, sent("id,name,hue\nn-1,North,1\nn 2,x,1\nwh-1,y,1\n"))
    shown = str(found[LIST.preview])

    assert "l.csv: 1 heater to register, 2 rows refused." in shown
    assert "Columns not used: hue." in shown
    assert "exists already" in shown
    assert found[LIST.register] == {"children": "Register 1 heater", "hidden": False}
    assert "n-1" not in {d.id for d in site.stores.devices.list(ADMIN)}


@pytest.mark.parametrize(
    ("contents", "words"),
    [
        ("x", "Choose a file"), ("data:;base64,???", "did not arrive whole"),
        (sent("name\nx\n"), "needs a column id"), (7, "Choose a file"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_list_is_said_to_be_none(
    site: Portal, contents: Any, words: str
) -> None:
    """The message stands in the drawer and the button is away."""
    found = previewed(site, contents)

    assert words in str(found[LIST.message])
    assert found[LIST.register]["hidden"] is True
    with pytest.raises(InvalidInput):
        read_upload(None)


def registered(site: Portal, contents: str) -> Any:
    """The answer after the button of a list."""
    values = {
        f"{LIST.register}.n_clicks": 1,
        f"{LIST.file}.contents": contents,
        "shell-location.search": "?import=1&q=x",
    }
    return call(site, site.browser("ada"), GOTO, values).get_json()


def test_the_button_registers_and_closes_the_drawer(site: Portal) -> None:
    """The good rows are there, it is said, and the address loses the list."""
    found = registered(site, sent("id,name\nm-1,M\nm-2,N\nm 3,O\n"))

    assert found["response"][LIST.goto]["search"] == "?q=x"
    assert "2 heaters are registered" in str(found["sideUpdate"])
    assert {"m-1", "m-2"} <= {d.id for d in site.stores.devices.list(ADMIN)}


def test_pressing_again_registers_nothing(site: Portal) -> None:
    """The same list has no new heater left: the message says so."""
    registered(site, sent("id\nk-1\n"))
    again = registered(site, sent("id\nk-1\n"))["response"]

    assert "no heater that can be registered" in again[LIST.message]["children"]
    assert LIST.goto not in again


def test_the_drawer_offers_the_list_to_admins(site: Portal) -> None:
    """The address opens it; others read that it is not theirs."""
    for who, words in (("ada", LIST.file), ("otto", "needs the role Admin")):
        answer = call(
            site, site.browser(who), "fleet-drawer.is_open",
            {"shell-location.search": "?import=1"}, ["shell-location.search"],
        )  # fmt: skip
        assert words in answer.text
