"""No callback without a permission, and no body without the check."""

from __future__ import annotations

import flask
import pytest
from dash import Dash, Input, Output

from app import create_app
from callbacks.registration import Callbacks, caller, preferences
from dashboards.registry import heater_tab
from services.access import PERMISSIONS, Principal, Role
from services.errors import Forbidden, InvalidInput, Unauthorized
from services.units import Preferences
from tests.callbacks.test_parsing import DAYS
from tests.portal import call, open_portal


def test_every_callback_has_a_permission(portal):
    """Each callback of the application is in the guard's table."""
    ids = set(portal.app.callback_map)
    client = portal.browser("vera")
    assert client.get("/heaters").status_code == 200
    assert ids
    for key in ids:
        answer = client.post(
            "/_dash-update-component",
            json={"output": key},
            headers={"X-CSRF-TOKEN": client.get_cookie("csrf_access_token").value},
        )
        assert "No permission is declared" not in answer.text


def test_an_unknown_permission_is_refused_at_start():
    """A callback with a permission nobody can hold is not made."""
    with pytest.raises(ValueError, match="no such permission"):
        Callbacks(Dash(__name__)).on("made.up", Output("a", "b"), Input("c", "d"))


def test_the_body_does_not_run_without_permission():
    """A caller without the permission is refused before the body runs."""
    app = Dash(__name__)
    callbacks = Callbacks(app)
    ran = []

    @callbacks.on("user.admin", Output("a", "children"), Input("b", "value"))
    def change(value: str) -> str:
        ran.append(value)
        return value

    with app.server.test_request_context():
        with pytest.raises(Unauthorized):
            change("x")
        flask.g.principal = Principal("otto", Role.OPERATOR)
        with pytest.raises(Forbidden):
            change("x")
        assert ran == []
        flask.g.principal = Principal("ada", Role.ADMIN)
        assert change("x") == "x"
    assert dict(callbacks.permissions) == {"a.children": "user.admin"}
    assert set(callbacks.permissions.values()) <= set(PERMISSIONS)


def test_the_same_callback_twice_is_refused():
    """Two callbacks with one id cannot both have a permission."""
    callbacks = Callbacks(Dash(__name__))
    args = (Output("a", "children"), Input("b", "value"))
    callbacks.on("session.use", *args)(lambda value: value)
    with pytest.raises(ValueError, match="twice"):
        callbacks.on("session.use", *args)(lambda value: value)


def test_preferences_come_from_the_request():
    """Without kept preferences there are defaults; kept ones are checked."""
    with flask.Flask(__name__).test_request_context():
        assert preferences() == Preferences()
        flask.g.preferences = {"temperature_unit": "F", "unknown": 1}
        assert preferences() == Preferences(temperature_unit="F")
        flask.g.preferences = {"theme": "pink"}
        with pytest.raises(InvalidInput):
            preferences()
        with pytest.raises(Unauthorized):
            caller()


def test_two_applications_do_not_touch_each_other(stores):
    """A second application in one process has all callbacks of the first."""
    with open_portal(stores) as portal:
        first = set(portal.app.callback_map)
        second = create_app(stores.settings, portal.services, ())
        assert set(second.callback_map) < first
        assert portal.browser("vera").get("/heaters").status_code == 200
        assert set(portal.app.callback_map) == first


def test_a_tab_without_modules_fails_at_start(stores):
    """A tab whose modules do not exist stops the application from starting."""
    with (
        pytest.raises(ModuleNotFoundError, match="nowhere"),
        open_portal(stores, (heater_tab("nowhere", "Nowhere", "fleet.read", "/x"),)),
    ):
        pass


def test_the_range_of_days_has_the_same_rule_everywhere(portal):
    """The dates of the range bar are written to the address as whole local days."""
    search, first, last, written = DAYS[0]
    answer = call(
        portal,
        portal.browser("vera"),
        "operations-range-goto.search",
        {
            "operations-range-dates.start_date": first,
            "operations-range-dates.end_date": last,
            "shell-location.search": search,
        },
    )
    assert answer.json["response"]["operations-range-goto"]["search"] == written
