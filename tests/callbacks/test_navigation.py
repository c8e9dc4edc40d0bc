"""Moving between pages, and the choices of the menu."""

from __future__ import annotations

import json

import pytest

from dashboards.registry import heater_tab
from tests.portal import call, open_portal


def show(portal, client, path, search="", changed=()):
    """What the router answers for an address."""
    return call(
        portal,
        client,
        "shell-page.children",
        {"shell-location.pathname": path, "shell-location.search": search},
        changed,
    )


def test_a_page_comes_with_header_title_and_rail(portal):
    """The address of a device's tab leads to its header, title and skeleton."""
    answer = show(portal, portal.browser("vera"), "/heaters/wh-2/operations").json
    drawn = answer["response"]
    title = drawn["shell-title"]["children"]
    assert title == "Operations · Boiler B · IoTSphere"
    assert "operations-body" in json.dumps(drawn["shell-page"])
    assert "/heaters/wh-3/operations" in json.dumps(drawn["shell-header"])


def test_a_new_range_does_not_draw_the_page_again(portal):
    """When only the query changes, links change and the page stays."""
    drawn = show(
        portal,
        portal.browser("vera"),
        "/heaters/wh-2/operations",
        "?from=now-14d&to=now",
        changed=["shell-location.search"],
    ).json["response"]
    assert set(drawn) == {"shell-header", "shell-rail"}
    assert "from=now-14d" in json.dumps(drawn["shell-header"])


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/heaters/nobody/operations", "There is no water heater nobody."),
        ("/heaters/wh-1/nothing", "There is no page at this address."),
        (None, "There is no page at this address."),
    ],
)
def test_what_does_not_exist_says_so(portal, path, said):
    """An unknown device is named; an unknown page is called one."""
    drawn = show(portal, portal.browser("vera"), path).json["response"]
    assert said in json.dumps(drawn["shell-page"])


def test_a_tab_above_ones_role_is_refused(stores):
    """The router checks the permission of the tab it opens."""
    tab = heater_tab("admin", "Admin", "user.admin", "/heaters/admin/all")
    module = "tests.sample_tabs.fleet"
    secret = type(tab)(**{**vars(tab), "layout": module, "callbacks": module})
    with open_portal(stores, (secret,)) as portal:
        drawn = show(portal, portal.browser("vera"), secret.path).json["response"]
        assert "needs the role Admin" in json.dumps(drawn["shell-page"])
        drawn = show(portal, portal.browser("ada"), secret.path).json["response"]
        assert "fleet-body" in json.dumps(drawn["shell-page"])


def test_switching_keeps_the_tab_and_the_range(portal):
    """Choosing another device opens the same tab with the same range."""
    answer = call(
        portal,
        portal.browser("vera"),
        "shell-switch-goto.href",
        {
            "shell-switch.value": "wh-3",
            "shell-location.pathname": "/heaters/wh-1/operations",
            "shell-location.search": "?from=now-14d&to=now&page=2",
        },
    )
    target = answer.json["response"]["shell-switch-goto"]["href"]
    assert target == "/heaters/wh-3/operations?from=now-14d&to=now"


def test_choosing_the_open_device_does_nothing(portal):
    """The device that is open is not opened again."""
    answer = call(
        portal,
        portal.browser("vera"),
        "shell-switch-goto.href",
        {
            "shell-switch.value": "wh-1",
            "shell-location.pathname": "/heaters/wh-1/operations",
        },
    )
    assert answer.status_code == 204


def test_status_is_refreshed(portal):
    """The status of the open device is read again by the timer."""
    answer = call(
        portal,
        portal.browser("vera"),
        "shell-status.children",
        {
            "shell-tick.n_intervals": 1,
            "shell-location.pathname": "/heaters/wh-1/operations",
        },
        ["shell-tick.n_intervals"],
    )
    assert "Never seen" in answer.text


CHOSEN = {
    "shell-temperature.value": "F",
    "shell-volume.value": "gal",
    "shell-pressure.value": "psi",
    "shell-time-zone.value": "Europe/Berlin",
    "shell-theme.value": "light",
}


def test_preferences_are_kept(portal):
    """What is chosen in the menu is there in the next request."""
    client = portal.browser("vera")
    answer = call(portal, client, "shell-frame.data-bs-theme", CHOSEN).json
    assert answer["response"]["shell-frame"]["data-bs-theme"] == "light"
    layout = json.dumps(client.get("/_dash-layout").json)
    assert '"data-bs-theme": "light"' in layout
    assert '"time_zone": "Europe/Berlin"' in layout
    assert 'data-theme="light"' in client.get("/heaters").text


def test_preferences_are_ones_own(portal):
    """Another user's choices are not touched."""
    call(portal, portal.browser("vera"), "shell-frame.data-bs-theme", CHOSEN)
    layout = json.dumps(portal.browser("otto").get("/_dash-layout").json)
    assert '"data-bs-theme": "dark"' in layout


def test_a_choice_that_does_not_exist_is_a_message(portal):
    """A forged choice changes nothing and says what is wrong."""
    forged = CHOSEN | {"shell-theme.value": "pink"}
    answer = call(
        portal, portal.browser("vera"), "shell-frame.data-bs-theme", forged
    ).json
    assert "shell-frame" not in answer.get("response", {})
    assert "theme must be one of" in json.dumps(answer["sideUpdate"]["shell-toasts"])
