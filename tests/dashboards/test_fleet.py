"""The Fleet tab's list and form, drawn from real and from made-up views."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from dashboards import device_form
from dashboards.filters import ANY, options
from dashboards.pager import pager
from dashboards.water_heater import fleet as tab
from data.records import Device, LatestValue
from services.fleet import SORTS, STATES, FleetQuery, FleetView, SiteView
from services.fleet_rows import FleetRow
from services.health import HealthReason, HealthView
from services.units import Preferences
from tests.conftest import NOW

PREFS = Preferences()
US = Preferences(temperature_unit="F", volume_unit="gal")
LOOK = HealthView(70, "look", (HealthReason("x", 30, "high", "It is bad."),))
ROW = FleetRow(
    device_id="wh-1", name="Boiler room", serial="S1", building="North",
    place="North · 1", make="Acme", model="X", type="electric", simulated=True,
    life_cycle="active", connectivity="online", last_seen=NOW,
    temperature_c=LatestValue(55.0, NOW), target_c=LatestValue(60.0, NOW),
    mode=LatestValue("eco", NOW), heating="heating", health=LOOK, flagged=False,
    attention=True, energy_kwh=4.25, hourly_c=(50.0, None, 55.0),
)  # fmt: skip
BARE = FleetRow(
    device_id="wh-2", name="<b>Bare</b>", serial=None, building=None, place="",
    make=None, model=None, type=None, simulated=False, life_cycle="pending",
    connectivity="never", last_seen=None, temperature_c=None, target_c=None,
    mode=None, heating="unknown", health=HealthView(None, "cannot tell", ()),
    flagged=False, attention=False,
)  # fmt: skip


def view(*rows: FleetRow, found: int | None = None, **query: Any) -> FleetView:
    """A page with these rows."""
    total = len(rows) if found is None else found
    asked = FleetQuery(**query)
    return FleetView(
        now=NOW, as_of=NOW, query=asked, size=total,
        counts=dict.fromkeys(STATES, total), found=total,
        pages=max(-(-total // asked.page_size), 1), rows=rows,
        sites={"North": SiteView("North", 7, 1, 0, 2), None: SiteView(None, 1, 0, 0, 0)}
        if asked.group == "site" else {},
        makes=("Acme",), types=("electric",), buildings=("North",),
    )  # fmt: skip


def said(component: Any) -> str:
    """A component as JSON text."""
    return json.dumps(component.to_plotly_json(), default=plain, ensure_ascii=False)


def plain(value: Any) -> Any:
    """A component inside JSON."""
    return value.to_plotly_json()


def body(shown: FleetView, prefs: Preferences = PREFS, **kwargs: Any) -> str:
    """The list as text."""
    kwargs = {"may_edit": False, **kwargs}
    return said(tab.body(shown, prefs, "?q=a&page=2", **kwargs))


def test_a_row_shows_the_readers_units() -> None:
    """Current and target temperature, mode, reason and energy stand in the row."""
    text = body(view(ROW))
    for words in ("55.0", "target 60.0", "Eco", "Heating", "It is bad.", "4.2", "70"):
        assert words in text
    assert "131.0\u00a0°F" in body(view(ROW), US)


def test_a_row_leads_to_operations() -> None:
    """The name links to the heater's Operations tab, within the application."""
    assert '"href": "/heaters/wh-1/operations"' in body(view(ROW))


def test_a_heater_without_anything_has_no_numbers() -> None:
    """Dashes stand for what is unknown, and no link or markup comes from a name."""
    text = body(view(BARE))

    assert "Pending" in text
    assert "no good readings" in text
    assert "0.0" not in text
    assert "data:image/svg" not in text


def test_an_old_temperature_is_shown_with_its_age() -> None:
    """A value from before the newest reading carries its own age."""
    old = LatestValue(51.0, NOW - timedelta(days=2))

    assert "2 d ago" in body(view(replace(ROW, temperature_c=old)))
    assert "2 d ago" not in body(view(ROW))


def test_editing_is_offered_to_those_who_may() -> None:
    """Links to the form are drawn for administrators only."""
    assert "edit=wh-1" not in body(view(ROW))
    text = body(view(ROW), may_edit=True)
    assert "edit=wh-1" in text
    assert "register=1" in text


def test_no_heaters_says_how_to_get_some() -> None:
    """An empty fleet shows the commands that fill it."""
    text = body(view())

    assert "No heaters yet" in text
    assert "python cli.py import telemetry" in text


def test_nothing_found_leads_back_to_all() -> None:
    """A filter that lets nothing through offers to drop it, but keeps the order."""
    shown = replace(view(), size=9)
    text = said(tab.body(shown, PREFS, "?q=a&sort=name", may_edit=False))

    assert "No heater passes these filters" in text
    assert '"href": "/heaters?sort=name"' in text


def test_sites_stand_above_their_heaters() -> None:
    """Grouped, each site has its counts once, heaters without a site come last."""
    text = body(view(ROW, replace(ROW, device_id="wh-3"), BARE, group="site"))

    assert text.count("7 heaters · 1 needs attention · 2 heating now") == 1
    assert "No site stated" in text


@pytest.mark.parametrize("sort", SORTS)
def test_every_order_has_a_word(sort: str) -> None:
    """The order in the address is one the control can show."""
    assert {sort, f"-{sort}"} & set(tab.ORDERS)


def test_five_hundred_rows_are_drawn_once_each() -> None:
    """A page of the largest size holds every heater once, as a small answer."""
    rows = [replace(ROW, device_id=f"wh-{i}", name=f"H{i:04}") for i in range(500)]
    text = body(view(*rows, found=10_000, page_size=500))

    assert text.count("/operations") == 500
    assert "10\u202f000" in text


def test_the_counts_are_links_that_keep_the_search() -> None:
    """A count leads to its state, keeps the filters and drops the page."""
    text = said(tab.counts(view(ROW, state="silent"), "?q=a&page=2&state=silent"))

    assert "/heaters?q=a&state=attention" in text
    assert '"/heaters?q=a"' in text
    assert text.count("(shown)") == 1


def test_a_filter_keeps_a_value_nobody_has() -> None:
    """What the address asks for can be seen in the filter, and taken back."""
    values = [o["value"] for o in options("Any make", ["Acme"], "Gone")]

    assert values == [ANY, "Acme", "Gone"]


def test_the_pager_reaches_first_and_last() -> None:
    """Pages around the present one, the first and the last are links."""
    text = said(pager(5, 200, "/heaters", "?q=a&page=5"))

    for target in ('"/heaters?q=a"', "page=4", "page=6", "page=200"):
        assert target in text
    assert "page=100" not in text
    assert pager(1, 1, "/heaters", "") is None


def test_the_form_holds_what_the_device_says_in_the_readers_units() -> None:
    """Every field stands in the form; temperatures and volumes are converted."""
    device = Device(
        id="wh-1",
        name="A",
        capacity_l=189.2705892,
        setpoint_max_c=60,
        mixing_valve=False,
    )
    text = said(device_form.form(device, US))

    assert '"value": "140"' in text
    assert '"value": "50"' in text
    assert "Highest target (°F)" in text
    for field in device_form.FIELDS:
        assert f'"id": "{field.id}"' in text


def test_removing_asks_for_the_name_of_an_inactive_heater() -> None:
    """An active heater shows no way to remove it; an inactive one asks its name."""
    active = Device(id="wh-1", name="Attic")
    idle = replace(active, life_cycle="inactive")

    assert hidden(device_form.form(active, PREFS), "remove-box") is True
    assert hidden(device_form.form(idle, PREFS), "remove-box") is False


def hidden(node: Any, class_name: str) -> bool | None:
    """Whether the part with a class is hidden, wherever it stands."""
    if getattr(node, "className", "") == class_name:
        return bool(getattr(node, "hidden", False))
    children = getattr(node, "children", None)
    for child in children if isinstance(children, list) else [children]:
        found = hidden(child, class_name) if child is not None else None
        if found is not None:
            return found
    return None
