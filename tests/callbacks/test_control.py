"""The control card through the door: who may, what is asked, what is answered."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from callbacks.control_values import read_before, read_seen, read_wish
from dashboards.control_inputs import BUTTONS, IDS, VALUES, part
from data.records import Device
from services.courier_desk import Answer, Presence
from services.errors import InvalidInput
from services.units import Preferences
from settings import Settings
from tests.callbacks.test_fleet import TABS
from tests.conftest import ADMIN, NOW, OPERATOR, Clock, open_stores
from tests.portal import Portal, call, open_portal

TARGET = "target_temperature_c"
SET, WITHDRAW = part("set", TARGET), part("withdraw", TARGET)
ASK, FOLLOW = f"{IDS.question}.children", f"{IDS.seen}.data..."
NOTE = part("note", TARGET)
BERLIN = Preferences(temperature_unit="F", time_zone="Europe/Berlin")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """The application with the real tabs."""
    home = tmp_path_factory.mktemp("control")
    settings = Settings(home_dir=home, secret_key="k7!" + "Zq3xW9vB" * 5)
    with (
        contextmanager(open_stores)(settings, Clock()) as stores,
        open_portal(stores, TABS) as portal,
    ):
        yield portal


class Page:
    """The Details tab of a heater of its own, as somebody's browser has it."""

    made = 0

    def __init__(self, site: Portal, who: str = "otto") -> None:
        Page.made += 1
        self.id = f"c-{Page.made}"
        self.site = site
        self.client = site.browser(who)
        self.search = ""
        device = Device(
            id=self.id, name="Boiler room", modes=("off", "eco"),
            setpoint_min_c=40, setpoint_max_c=65,
        )  # fmt: skip
        site.stores.add(device)
        self.held: dict[str, Any] = {
            f"{IDS.seen}.data": {"version": 0, "digest": "x"},
            f"{IDS.target}.value": 52,
        }

    def send(self, output: str, cause: str, **more: Any) -> Any:
        """Post a callback with what the page holds."""
        values = {
            "details-device.data": self.id,
            "shell-location.search": self.search,
            **self.held,
            **more,
        }
        return call(self.site, self.client, output, values, [cause])

    def press(self, button: str, status: int = 200, **more: Any) -> dict[str, Any]:
        """Press a button; what is answered, which the page then holds."""
        cause = f"{button}.n_clicks"
        answer = self.send(ASK, cause, **{cause: 1}, **more)
        assert answer.status_code == status, answer.text
        if status != 200:
            return {}
        body: dict[str, Any] = answer.get_json()
        found: dict[str, Any] = body["response"]
        for component in (IDS.seen, IDS.asked):
            self.held[f"{component}.data"] = found.get(component, {}).get("data")
        return found

    def desired(self) -> dict[str, object]:
        """What is wished of the heater."""
        shadow = self.site.stores.shadows.get(self.id)
        return dict(shadow.desired) if shadow else {}


def said(found: dict[str, Any], name: str) -> str:
    """The words of one part of an answer."""
    parts = found.get(name, {}).get("children", "")
    return json.dumps(parts, ensure_ascii=False).replace("\u00a0", " ")


def test_a_wish_is_drawn_as_pending_in_the_same_answer(site: Portal) -> None:
    """Pending, the log, the new version and the fast timer come at once."""
    page = Page(site)
    found = page.press(SET)

    assert page.desired() == {TARGET: 52.0}
    assert "Pending" in said(found, part("said", TARGET))
    assert "has-wish" in found[part("row", TARGET)]["className"]
    assert found[IDS.seen]["data"]["version"] == 1
    assert found[IDS.tick] == {"disabled": False}
    assert "Waiting to be sent" in said(found, IDS.commands)
    assert "Legionella" in said(found, NOTE)
    assert found[IDS.dialog] == {"is_open": False}


def test_a_viewer_cannot_set_even_by_hand(site: Portal) -> None:
    """The callback's permission refuses a viewer; nothing is wished."""
    page = Page(site, "vera")
    answer = page.send(ASK, f"{SET}.n_clicks", **{f"{SET}.n_clicks": 1})
    weighed = page.send(f"..{NOTE}.children", f"{IDS.target}.value")

    assert answer.status_code == 403
    assert weighed.status_code == 403
    assert page.desired() == {}


def test_the_card_is_drawn_by_role(site: Portal) -> None:
    """A viewer's card has no input; an operator's has them; no device, a message."""
    drawn = f"{IDS.card}.children"
    viewer, operator = Page(site, "vera"), Page(site)
    text = viewer.send(drawn, "details-device.data").text
    assert "needs the role Operator" in text
    assert IDS.target not in text
    assert IDS.target in operator.send(drawn, "details-device.data").text
    operator.id = "wh-404"
    assert "There is no device" in operator.send(drawn, "details-device.data").text


def test_a_hot_wish_is_asked_then_done(site: Portal) -> None:
    """58 °C opens the question with the rule's words; Yes wishes it."""
    page = Page(site)
    page.held[f"{IDS.target}.value"] = 58
    found = page.press(SET)
    assert found[IDS.dialog] == {"is_open": True}
    assert "scalds" in said(found, IDS.question)
    assert said(found, IDS.confirm) == '"Set 58.0 °C anyway"'
    assert page.desired() == {}

    found = page.press(IDS.confirm)
    assert page.desired() == {TARGET: 58.0}
    assert found[IDS.dialog] == {"is_open": False}
    assert found[IDS.asked] == {"data": None}
    again = page.send(ASK, f"{IDS.confirm}.n_clicks", **{f"{IDS.confirm}.n_clicks": 2})
    assert "nothing to confirm" in again.text


def test_a_confirmation_does_not_outlive_what_others_wish(site: Portal) -> None:
    """Somebody wishes while the question is open: Yes is a conflict."""
    page = Page(site)
    page.held[f"{IDS.target}.value"] = 58
    page.press(SET)
    site.stores.controls.ask(ADMIN, page.id, {TARGET: 45})
    found = page.press(IDS.confirm)

    assert "Somebody else has set" in said(found, NOTE)
    assert page.desired() == {TARGET: 45.0}


def test_a_concurrent_wish_is_told_and_drawn(site: Portal) -> None:
    """The stale page is told to look again and sees the other's wish at once."""
    page = Page(site)
    site.stores.controls.ask(ADMIN, page.id, {TARGET: 45})
    found = page.press(SET)
    assert "Somebody else has set" in said(found, NOTE)
    assert "45.0 °C" in said(found, part("said", TARGET))
    assert page.desired() == {TARGET: 45.0}

    page.press(SET)
    assert page.desired() == {TARGET: 52.0}


def test_a_click_that_came_twice_is_no_conflict(site: Portal) -> None:
    """The same person, the same wish, the same stale version: it is done already."""
    page = Page(site)
    seen = page.held[f"{IDS.seen}.data"]
    page.press(SET)
    page.held[f"{IDS.seen}.data"] = seen
    found = page.press(SET)

    assert "Somebody else" not in said(found, NOTE)
    assert len(site.stores.commands.page(page.id)) == 1


@pytest.mark.parametrize(
    ("button", "held", "words", "key"),
    [
        (SET, {IDS.target: None}, "takes 40.0 to 65.0", TARGET),
        (SET, {IDS.target: 70}, "takes 40 to 65", TARGET),
        (SET, {IDS.target: "hot"}, "as a number", TARGET),
        (part("set", "mode"), {IDS.mode: "gas"}, "mode", "mode"),
        (part("set", "power"), {IDS.power: None}, "on or off", "power"),
        (part("set", "away_until"), {IDS.away: ""}, "Choose the day", "away_until"),
        (part("set", "away_until"), {IDS.away: "2026-03-10T12:01"}, "5 minutes ahead",
         "away_until"),
        (part("set", "boost_until"), {IDS.boost: "9"}, "how long", "boost_until"),
        (part("set", "pasteurise_until"), {}, "mixing valve", "pasteurise_until"),
    ],
)  # fmt: skip
def test_a_wish_that_cannot_be_is_refused_at_its_input(
    site: Portal, button: str, held: dict[str, Any], words: str, key: str
) -> None:
    """The reason stands under the input in plain words, and nothing is wished."""
    page = Page(site)
    page.held |= {f"{name}.value": value for name, value in held.items()}
    note = said(page.press(button), part("note", key))

    assert "Not set" in note
    assert words in note
    assert "_until" not in note.partition("Not set")[2]
    assert page.desired() == {}


def test_every_button_wishes_its_key(site: Portal) -> None:
    """Each set, end and withdraw changes its own key and no other."""
    page = Page(site)
    page.held |= {
        f"{IDS.mode}.value": "eco",
        f"{IDS.power}.value": "off",
        f"{IDS.away}.value": "2026-03-12T18:30",
        f"{IDS.boost}.value": "120",
    }
    for key in ("mode", "power", "away_until", "boost_until"):
        found = page.press(part("set", key))
    assert "Boost until 10 Mar 2026, 14:00 UTC anyway" in said(found, IDS.confirm)
    page.press(IDS.confirm)
    assert page.desired() == {
        "mode": "eco",
        "power": False,
        "away_until": "2026-03-12T18:30:00+00:00",
        "boost_until": (NOW + timedelta(hours=2)).isoformat(),
    }
    page.press(part("end", "away_until"))
    page.press(part("withdraw", "boost_until"))
    assert page.desired() == {"mode": "eco", "power": False, "away_until": False}


def test_typing_says_what_follows(site: Portal) -> None:
    """The note comes with the value, before anything is asked; others stay."""
    page = Page(site)

    def weighed(name: str, value: object) -> Any:
        output, cause = f"..{NOTE}.children", f"{name}.value"
        return page.send(output, cause, **{cause: value}).get_json()["response"]

    assert "Legionella" in said(weighed(IDS.target, 45), NOTE)
    assert "scalds" in said(weighed(IDS.target, 58), NOTE)
    assert "takes 40.0 to 65.0" in said(weighed(IDS.target, None), NOTE)
    off = weighed(IDS.power, "off")
    assert "Legionella" in said(off, part("note", "power"))
    assert NOTE not in off
    assert page.desired() == {}


def test_ticks_redraw_only_what_has_changed(site: Portal) -> None:
    """A fast tick with nothing new is empty; an answer of the device is drawn."""
    page, courier = Page(site), site.stores.courier
    page.press(SET)
    fast, slow = f"{IDS.tick}.n_intervals", f"{IDS.slow_tick}.n_intervals"
    assert page.send(FOLLOW, fast).status_code == 204
    assert page.send(FOLLOW, slow).status_code == 200

    (command,) = site.stores.commands.page(page.id)
    courier.listen(
        [Presence(page.id, True, NOW), Answer(page.id, command.id, False, "locked")]
    )
    found = page.send(FOLLOW, fast).get_json()["response"]
    assert "locked" in said(found, part("said", TARGET))
    assert found[IDS.tick] == {"disabled": True}


def test_timers_of_the_card_do_not_renew_a_session() -> None:
    """Their ids end in -tick, which the guard tells from a person."""
    assert IDS.tick.endswith("-tick")
    assert IDS.slow_tick.endswith("-tick")


def test_a_removed_heater_stops_the_timers(site: Portal) -> None:
    """Else a page left open would fail twice a second."""
    page = Page(site)
    page.id = "wh-404"
    answer = page.send(FOLLOW, f"{IDS.tick}.n_intervals")
    update = answer.get_json()["sideUpdate"]

    assert update[IDS.tick] == {"disabled": True}
    assert update[IDS.slow_tick] == {"disabled": True}


def test_the_log_follows_the_address(site: Portal) -> None:
    """Older commands by id; a wrong id is named there and undoes no wish."""
    page = Page(site)
    for target in range(41, 53):
        site.stores.controls.ask(OPERATOR, page.id, {TARGET: target})
    page.held[f"{IDS.seen}.data"] = {"version": 12, "digest": ""}
    log, cause = f"{IDS.commands}.children", "shell-location.search"
    ids = [c.id for c in site.stores.commands.page(page.id)]
    page.search = f"?commands_before={ids[9]}"
    text = page.send(log, cause).text.replace("\\u00a0", " ").replace("\u00a0", " ")
    assert "42.0 °C" in text.replace("\\u00b0", "°")
    assert "43.0" not in text

    page.search = "?commands_before=x"
    assert "must be a whole number" in page.send(log, cause).text
    page.held[f"{IDS.target}.value"] = 44
    page.press(SET)
    assert page.desired() == {TARGET: 44.0}


def test_values_are_read_in_the_readers_unit_and_zone() -> None:
    """122 °F is 50 °C; half past six in Berlin is half past five in UTC."""
    assert read_wish("set", TARGET, 122, NOW, BERLIN) == {TARGET: pytest.approx(50)}
    away = read_wish("set", "away_until", "2026-03-12T18:30", NOW, BERLIN)
    assert away == {"away_until": "2026-03-12T17:30:00+00:00"}


@pytest.mark.parametrize("kept", [None, [], {}, {"version": "1"}, {"version": True}])
def test_a_page_that_does_not_say_what_it_read_is_refused(kept: object) -> None:
    """Without the version a wish could overwrite what nobody has seen."""
    with pytest.raises(InvalidInput):
        read_seen(kept)


def test_wrong_pages_of_the_log_are_refused() -> None:
    """Only a whole number of a sane length is an id."""
    for wrong in ("x", "-1", "²", "9" * 40):
        with pytest.raises(InvalidInput):
            read_before(f"?commands_before={wrong}")
    assert read_before("") == 0


def test_each_button_has_an_id_of_its_own() -> None:
    """No two buttons do the same, and every input belongs to a key."""
    assert len({button.id for button in BUTTONS}) == len(BUTTONS) == 15
    assert len(set(VALUES.values())) == len(VALUES)
