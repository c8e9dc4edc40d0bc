"""Moving between pages, and the choices of the menu."""

from __future__ import annotations

import dataclasses
import json
from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from dashboards.registry import heater_tab, monitoring_tab
from services.errors import NotFound
from settings import Settings
from tests.conftest import Clock, open_stores
from tests.dashboards import model_views
from tests.portal import call, open_portal

MODEL_TABS = tuple(
    dataclasses.replace(
        tab,
        layout=f"tests.sample_tabs.{module}",
        callbacks=f"tests.sample_tabs.{module}",
    )
    for tab, module in (
        (monitoring_tab("models", "Models", "model.read"), "operations"),
        (monitoring_tab("drift", "Drift", "model.read", per_model=True), "fleet"),
    )
)


def model_head(_caller, name, version):
    """The header of one of three models."""
    if name not in {"alpha", "churn", "price"}:
        raise NotFound(f"There is no model {name}.")
    return model_views.header(name, version=version or "3")


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """The application with a list of models and a tab about one."""
    home = tmp_path_factory.mktemp("models")
    settings = Settings(home_dir=home, secret_key="k7!" + "Zq3xW9vB" * 5)
    with (
        contextmanager(open_stores)(settings, Clock()) as stores,
        open_portal(stores, MODEL_TABS) as opened,
    ):
        opened.services.models = SimpleNamespace(
            header=model_head, options=lambda _caller: (("alpha", "alpha"),)
        )
        yield opened


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


def test_the_page_of_a_model_has_its_header_and_title(models):
    """A tab about a model names it, its version, and the tabs beside it."""
    drawn = show(
        models,
        models.browser("vera"),
        "/monitoring/drift",
        "?model=churn&version=2&from=now-1y",
    ).json["response"]
    head = json.dumps(drawn["shell-header"])

    assert drawn["shell-title"]["children"] == "Drift · churn · IoTSphere"
    assert "version 2" in head
    assert "/monitoring/models?model=churn&version=2&from=now-1y" in head
    assert "fleet-body" in json.dumps(drawn["shell-page"])


def test_another_model_changes_header_and_title_but_not_the_page(models):
    """When only the model in the query changes, the tab reads it itself."""
    drawn = show(
        models,
        models.browser("vera"),
        "/monitoring/drift",
        "?model=price",
        changed=["shell-location.search"],
    ).json["response"]

    assert drawn["shell-title"]["children"] == "Drift · price · IoTSphere"
    assert "shell-page" not in drawn


@pytest.mark.parametrize("search", ["", "?model=gone"])
def test_without_a_known_model_one_can_choose(models, search):
    """No model, or one that does not exist: the header offers those that do."""
    drawn = show(models, models.browser("vera"), "/monitoring/drift", search)
    head = json.dumps(drawn.json["response"]["shell-header"])

    assert "Model monitoring" in head
    assert "Choose a model" in head
    assert '"options": ["alpha"]' in head


def test_the_list_of_models_has_the_dashboards_header(models):
    """The Models tab is not about one model, so it has no switcher."""
    drawn = show(models, models.browser("vera"), "/monitoring/models", "?model=churn")
    head = json.dumps(drawn.json["response"]["shell-header"])

    assert "Model monitoring" in head
    assert "model-switch" not in head
    assert drawn.json["response"]["shell-title"]["children"] == "Models · IoTSphere"


def switched(portal, chosen, search):
    """What choosing a model in the header answers."""
    values = {
        "header-model-switch.value": chosen,
        "shell-location.pathname": "/monitoring/drift",
        "shell-location.search": search,
    }
    client = portal.browser("vera")
    return call(portal, client, "header-model-goto.href", values)


def test_switching_a_model_keeps_tab_range_and_window(models):
    """What belongs to the old model only, its version and segment, is dropped."""
    search = "?model=churn&version=2&segment=a%3D1&window=day&from=now-1y&at=x"
    answer = switched(models, "price", search).json["response"]
    target = answer["header-model-goto"]["href"]

    assert target == "/monitoring/drift?model=price&window=day&from=now-1y"
    assert switched(models, "churn", search).status_code == 204
