"""The Fleet tab through the door: address, filters, form, who may what."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from callbacks.device_form import Rejected, read_form
from callbacks.water_heater.fleet import read_query
from dashboards.device_form import FIELDS, NOT_STATED, shown
from dashboards.device_form import IDS as FORM
from dashboards.registry import heater_tab
from data.records import Device
from services.errors import InvalidInput
from services.fleet import FleetQuery
from services.units import Preferences
from settings import Settings
from tests.conftest import ADMIN, Clock, open_stores
from tests.portal import Portal, call, open_portal

TABS = (
    heater_tab("fleet", "Fleet", "fleet.read", "/heaters"),
    heater_tab("details", "Details", "device.read"),
)
LIST, GOTO, DRAWER = "fleet-list.children", "fleet-goto.search", "fleet-drawer.is_open"
CHANGE = "fleet-form-message.children"
US = Preferences(temperature_unit="F", volume_unit="gal")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """The application with the real tabs, three sample heaters and one more."""
    home = tmp_path_factory.mktemp("fleet")
    settings = Settings(home_dir=home, secret_key="k7!" + "Zq3xW9vB" * 5)
    with (
        contextmanager(open_stores)(settings, Clock()) as stores,
        open_portal(stores, TABS) as portal,
    ):
        stores.add(Device(id="spare", name="Spare", life_cycle="inactive"))
        yield portal


def answer(site: Portal, who: str, output: str, values: dict[str, Any], cause: str):
    """The answer of a callback to somebody's browser."""
    return call(site, site.browser(who), output, values, [cause])


def drawn(site: Portal, search: str, who: str = "vera") -> Any:
    """What the list's callback answers for an address."""
    found = answer(
        site, who, LIST, {"shell-location.search": search}, "shell-location.search"
    )
    assert found.status_code == 200, found.text
    return found


@pytest.mark.parametrize(
    ("search", "query"),
    [
        ("", FleetQuery()),
        (
            "?state=silent&q=a%20b&make=M&type=gas&site=S&sort=-seen&group=site&page=3",
            FleetQuery(
                "silent", "a b", "M", "gas", "S", "seen", True, "site", 3
            ),
        ),
    ],
)  # fmt: skip
def test_the_address_is_the_state(search: str, query: FleetQuery) -> None:
    """Every part of the query stands in the address."""
    assert read_query(search) == query


@pytest.mark.parametrize(
    "search", ["?page=x", "?page=-1", "?page=0", "?sort=no", "?state=no", "?group=no",
               "?page=" + "9" * 40, "?page=²"]
)  # fmt: skip
def test_a_wrong_address_is_named_in_place(site: Portal, search: str) -> None:
    """An address that cannot be answered gives a message and a way back."""
    with pytest.raises(InvalidInput):
        read_query(search)
    text = drawn(site, search).text

    assert "must be" in text
    assert "Show all heaters" in text


def test_the_list_follows_the_address(site: Portal) -> None:
    """Search and state narrow the rows; the controls show what the address says."""
    found = drawn(site, "?q=spare&state=inactive").get_json()["response"]
    text = str(found["fleet-list"])

    assert "1 heater" in text
    assert "Boiler A" not in text
    assert found["fleet-text"]["value"] == "spare"
    assert found["fleet-make"]["value"] == "*"


def test_only_an_admin_is_offered_the_form(site: Portal) -> None:
    """Viewers get no link that registers or edits."""
    assert "register=1" in drawn(site, "", "ada").text
    assert "register=1" not in drawn(site, "", "vera").text


def filtered(site: Portal, search: str, **values: str) -> str | None:
    """The address after a control changed; ``None`` if it stays."""
    held = {"text": "", "make": "*", "type": "*", "site": "*", "sort": "worst"}
    sent = {f"fleet-{k}.value": v for k, v in {**held, **values}.items()}
    found = answer(
        site, "vera", GOTO, {**sent, "shell-location.search": search},
        "fleet-text.value",
    )  # fmt: skip
    if found.status_code == 204:
        return None
    return found.get_json()["response"]["fleet-goto"]["search"]


def test_a_filter_writes_the_address_and_begins_at_page_one(site: Portal) -> None:
    """Controls change their own keys, keep the others and drop the page."""
    search = "?state=silent&page=4&make=Acme"
    now = filtered(site, search, text="attic", make="Acme", sort="-seen")

    assert now == "?state=silent&make=Acme&q=attic&sort=-seen"


def test_a_filter_set_back_leaves_the_address(site: Portal) -> None:
    """The value that filters nothing takes its key out of the address."""
    assert filtered(site, "?make=Acme&q=x") == ""
    assert filtered(site, "?page=3") is None
    assert filtered(site, "?q=x&page=3", text="x") is None


def opened(site: Portal, who: str, search: str) -> dict[str, Any]:
    """The drawer after an address."""
    found = answer(
        site, who, DRAWER, {"shell-location.search": search}, "shell-location.search"
    )
    assert found.status_code == 200, found.text
    return found.get_json()["response"]


def test_the_form_closes_with_its_address(site: Portal) -> None:
    """Without the form in the address an open drawer closes, a closed one stays."""
    for is_open, status in ((True, 200), (False, 204)):
        values = {"shell-location.search": "", DRAWER: is_open}
        found = answer(site, "ada", DRAWER, values, "shell-location.search")
        assert found.status_code == status


def test_the_form_opens_for_an_administrator_only(site: Portal) -> None:
    """The address opens the form; others read why they cannot have it."""
    form = opened(site, "ada", "?edit=wh-1")
    assert form["fleet-drawer"] == {"is_open": True, "title": "Edit Boiler A"}
    refused = str(opened(site, "otto", "?edit=wh-1")["fleet-form"])
    assert "needs the role Admin" in refused
    assert "fleet-form-save" not in refused
    assert "There is no device" in str(opened(site, "ada", "?edit=nobody"))


def values_of(device: Device | None = None, **changes: Any) -> dict[str, Any]:
    """What the form's controls hold for a device, with some changed."""
    blank = device or Device(id="", name="", life_cycle="pending")
    held = {f.name: shown(f, blank, Preferences()) for f in FIELDS} | changes
    return {f"{field.id}.value": held[field.name] for field in FIELDS}


def pressed(
    site: Portal, who: str, button: str, values: dict[str, Any], **state: Any
) -> Any:
    """The answer after a button of the form."""
    return answer(
        site, who, CHANGE,
        {**values, f"{button}.n_clicks": 1, **state}, f"{button}.n_clicks",
    )  # fmt: skip


def held(device: Device) -> dict[str, Any]:
    """What the form remembers of the device it edits."""
    return {f"{FORM.held}.data": {"id": device.id, "version": device.version}}


def test_registering_stores_the_device_and_closes_the_form(site: Portal) -> None:
    """A good form registers, says so, and the address loses the form."""
    values = values_of(id="wh-new", name="New", capacity_l="150,5", modes=["eco"])
    values["shell-location.search"] = "?register=1&q=x"
    found = pressed(site, "ada", FORM.save, values).get_json()
    made = site.stores.devices.get(ADMIN, "wh-new")

    assert found["response"]["fleet-form-goto"]["search"] == "?q=x"
    assert "New is registered" in str(found["sideUpdate"])
    assert (made.capacity_l, made.modes, made.life_cycle) == (
        150.5,
        ("eco",),
        "pending",
    )


def test_each_wrong_field_gets_its_own_message(site: Portal) -> None:
    """Nothing is stored, and the messages stand at their fields."""
    values = values_of(
        id="a b", name="", capacity_l="much", setpoint_min_c="60",
        setpoint_max_c="50", installed_on="soon",
    )  # fmt: skip
    found = pressed(site, "ada", FORM.save, values).get_json()["response"]

    for name in ("id", "name", "capacity-l", "setpoint-max-c", "installed-on"):
        assert found[f"fleet-error-{name}"]["children"], name
    assert found["fleet-error-room"]["children"] is None
    assert "fleet-form-goto" not in found


def test_an_edit_over_somebody_elses_is_refused(site: Portal) -> None:
    """The form of an old version says that the device has changed."""
    before = site.stores.devices.get(ADMIN, "wh-1")
    first = pressed(
        site, "ada", FORM.save, values_of(before, room="one"), **held(before)
    )
    second = pressed(
        site, "ada", FORM.save, values_of(before, room="two"), **held(before)
    )

    assert "fleet-form-goto" in first.get_json()["response"]
    message = second.get_json()["response"]["fleet-form-message"]["children"]
    assert "changed by somebody else" in message
    assert site.stores.devices.get(ADMIN, "wh-1").room == "one"


def test_removing_needs_the_name(site: Portal) -> None:
    """Without the typed name a heater stays; with it, it is gone."""
    spare = site.stores.devices.get(ADMIN, "spare")
    typed = {f"{FORM.typed}.value": "spare"}
    wrong = pressed(site, "ada", FORM.remove, values_of(spare), **held(spare), **typed)
    assert "type its name" in wrong.text
    assert site.stores.devices.get(ADMIN, "spare").life_cycle == "inactive"

    typed = {f"{FORM.typed}.value": "Spare"}
    pressed(site, "ada", FORM.remove, values_of(spare), **held(spare), **typed)
    assert "spare" not in {d.id for d in site.stores.devices.list(ADMIN)}


def test_life_cycle_buttons_do_what_they_say(site: Portal) -> None:
    """Deactivate and activate change the life cycle, an impossible step is told."""
    device = site.stores.devices.get(ADMIN, "wh-3")
    for button, life in ((FORM.deactivate, "inactive"), (FORM.activate, "active")):
        pressed(site, "ada", button, values_of(device), **held(device))
        assert site.stores.devices.get(ADMIN, "wh-3").life_cycle == life
    again = pressed(site, "ada", FORM.activate, values_of(device), **held(device))
    assert "cannot become" in again.text


@pytest.mark.parametrize("who", ["vera", "otto"])
def test_nobody_else_can_change_a_device(site: Portal, who: str) -> None:
    """The server refuses the form's callback to viewers and operators."""
    device = site.stores.devices.get(ADMIN, "wh-2")
    for button in (FORM.save, FORM.deactivate, FORM.remove):
        found = pressed(site, who, button, values_of(device, room="x"), **held(device))
        assert found.status_code == 403
    assert site.stores.devices.get(ADMIN, "wh-2") == device


@pytest.mark.parametrize("kept", [{"id": "wh-2"}, [1], "x", {"id": 3, "version": "1"}])
def test_a_made_up_memory_is_refused(site: Portal, kept: object) -> None:
    """What the page says it edits comes from a browser, so it is checked."""
    values = {**values_of(), f"{FORM.held}.data": kept}
    found = pressed(site, "ada", FORM.save, values).get_json()["response"]

    assert "does not say which" in found["fleet-form-message"]["children"]


def test_an_untouched_form_changes_nothing_in_any_unit() -> None:
    """Reading back what was shown gives the same device, in °F and gallons too."""
    device = Device(
        id="wh-1", name="A", type="gas", capacity_l=151.416, setpoint_min_c=38.9,
        rated_power_w=2400.5, mixing_valve=False, latitude=-12.3456789, modes=("eco",),
    )  # fmt: skip
    for prefs in (Preferences(), US):
        values = [shown(field, device, prefs) for field in FIELDS]
        assert read_form(values, device, prefs) == device


def test_numbers_are_read_in_the_readers_units() -> None:
    """140 °F typed is 60 °C stored."""
    device = Device(id="wh-1", name="A")
    typed = {"setpoint_max_c": "140", "capacity_l": "50"}
    values = [typed.get(f.name, shown(f, device, US)) for f in FIELDS]
    made = read_form(values, device, US)

    assert made.setpoint_max_c == pytest.approx(60.0)
    assert made.capacity_l == pytest.approx(189.27, abs=0.01)


def test_emptying_a_field_unsays_it() -> None:
    """An empty field means not stated, but a name and an interval are needed."""
    device = Device(id="wh-1", name="A", room="R", type="gas", mixing_valve=True)
    empty = {"room": "", "type": NOT_STATED, "mixing_valve": NOT_STATED}
    values = [empty.get(f.name, shown(f, device, US)) for f in FIELDS]
    made = read_form(values, device, US)
    assert (made.room, made.type, made.mixing_valve) == (None, None, None)

    needed = {"name": " ", "reporting_interval_s": "", "modes": "eco", "room": ["x"]}
    values = [needed.get(f.name, shown(f, device, US)) for f in FIELDS]
    with pytest.raises(Rejected) as rejected:
        read_form(values, device, US)
    assert set(rejected.value.errors) == set(needed)
