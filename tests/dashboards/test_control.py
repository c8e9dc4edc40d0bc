"""The control card and the command log, drawn from real views."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from dashboards import control_inputs as inputs
from dashboards import control_words as words
from dashboards import details_control as card
from dashboards.details_commands import commands_card
from data.records import Device
from services.control_views import ControlView, ControlViews
from services.courier_desk import Answer, Presence, Report
from services.units import Preferences
from tests.conftest import ADMIN, NOW, OPERATOR, VIEWER, Stores

PREFS = Preferences()
US = Preferences(temperature_unit="F", time_zone="America/New_York")
TARGET = "target_temperature_c"
PATH = "/heaters/wh-1/details"


class Bench:
    """A heater, and the card of it."""

    def __init__(self, stores: Stores) -> None:
        self.stores = stores
        self.views = ControlViews(
            stores.controls, stores.devices, stores.shadows, stores.links, stores.clock
        )

    def view(self, who: Any = OPERATOR, before: int = 0) -> ControlView:
        """What the card shows somebody."""
        return self.views.of(who, "wh-1", before=before)

    def ask(self, **wishes: object) -> int:
        """Wish something; the id of the first command."""
        made = self.stores.controls.ask(OPERATOR, "wh-1", wishes, confirmed=True)
        return made[0].id if made else 0

    def hear(self, *said: Any) -> None:
        """Let the device say something."""
        self.stores.courier.listen(said)

    def come(self, online: bool = True) -> None:
        """Let the device come or go."""
        self.hear(Presence("wh-1", online, NOW, 1))

    def send(self) -> None:
        """Hand over what waits."""
        self.stores.courier.handed_over(self.stores.courier.outgoing())

    def report(self, **state: object) -> None:
        """Let the device say what it is set to, all wishes seen."""
        held = self.stores.shadows.get("wh-1")
        version = held.version if held else 0
        self.hear(Report("wh-1", state, self.stores.clock(), version))

    def standing(self, key: str = TARGET, prefs: Preferences = PREFS) -> str:
        """The row of one key as plain words."""
        view = self.view()
        (found,) = [s for s in view.standings if s.key == key]
        return plain(card.said(found, view, prefs))


@pytest.fixture
def bench(stores: Stores, heater: Device) -> Bench:
    """The heater of the tests, nothing wished of it yet."""
    return Bench(stores)


def plain(node: Any) -> str:
    """The words of a component tree."""
    if isinstance(node, list | tuple):
        return "".join(plain(child) for child in node)
    if node is None or isinstance(node, str | int | float):
        return "" if node is None else str(node).replace("\u00a0", " ")
    return plain(getattr(node, "children", None))


def drawn(node: Any) -> str:
    """A component tree as JSON text."""
    return json.dumps(
        node, default=lambda c: c.to_plotly_json(), ensure_ascii=False
    ).replace("\u00a0", " ")


def test_a_device_nothing_was_wished_of(bench: Bench) -> None:
    """There is no value and no wish, and both are said, not zero."""
    said = bench.standing()

    assert said == "Reported– never reportedWished–Never set from here"


def test_pending_says_why_it_waits(bench: Bench) -> None:
    """Never connected, offline, online, sent, sent again, taken: each its sentence."""
    command = bench.ask(target_temperature_c=52)
    assert "Pending: waiting for the device since 12:00" in bench.standing()
    assert "it has never connected" in bench.standing()
    assert "Wished52.0 °C" in bench.standing()

    bench.come(online=False)
    said = bench.standing()
    assert "(offline, will be sent when it is back, expires 11 Mar, 12:00)" in said
    bench.come()
    assert "(online, is being sent" in bench.standing()
    bench.send()
    assert "; sent at 12:00, no answer yet" in bench.standing()
    bench.stores.clock.forward(seconds=60)
    bench.send()
    assert "; sent 2 times, last at 12:01" in bench.standing()
    bench.come(online=False)
    assert "(offline since then)" in bench.standing()
    bench.hear(Answer("wh-1", command, True))
    assert "the device took it at 12:01 and has not reported it" in bench.standing()
    assert bench.view().waiting


def test_applied_then_differs(bench: Bench) -> None:
    """Applied has its time; a device that goes back is said to differ, and how."""
    bench.ask(target_temperature_c=52)
    bench.stores.clock.forward(minutes=4)
    bench.report(target_temperature_c=52.0)
    assert "Applied 12:04" in bench.standing()
    assert "Reported52.0 °C just now" in bench.standing()

    bench.stores.clock.forward(minutes=5)
    bench.report(target_temperature_c=50.0)
    said = bench.standing()
    assert "Differs: applied 12:04, but the device went back to 50.0 °C" in said
    assert "it said so last at 12:09" in said
    assert not bench.view().waiting


def test_ends_without_success_name_value_time_and_reason(bench: Bench) -> None:
    """Refused, timed out, expired and withdrawn are told apart in words."""
    bench.come()
    command = bench.ask(target_temperature_c=52)
    bench.hear(Answer("wh-1", command, False, "tank is empty"))
    assert "Refused: 52.0 °C, 12:00: tank is empty" in bench.standing()

    bench.ask(mode="eco")
    bench.send()
    for _ in range(5):
        bench.stores.clock.forward(seconds=20)
        bench.send()
    bench.stores.courier.look_at_clock()
    assert "Timed out: Eco" in bench.standing("mode")

    bench.come(online=False)
    bench.ask(power=False)
    bench.stores.clock.forward(days=2)
    bench.stores.courier.look_at_clock()
    assert "Expired: Off" in bench.standing("power")
    assert "could not be reached" in bench.standing("power")

    bench.ask(boost_until=(bench.stores.clock() + timedelta(hours=1)).isoformat())
    bench.ask(boost_until=None)
    assert "Withdrawn: until" in bench.standing("boost_until")
    assert "Wished–" in bench.standing("boost_until")


def test_an_applied_wish_that_is_taken_back(bench: Bench) -> None:
    """It was applied, nothing is wished now, and the report stays the report."""
    bench.ask(target_temperature_c=52)
    bench.report(target_temperature_c=52.0)
    bench.ask(target_temperature_c=None)

    said = bench.standing()
    assert "Withdrawn: 52.0 °C was applied 12:00, nothing is wished now" in said
    assert "Reported52.0 °C" in said


def test_what_ends_by_itself_is_over_and_does_not_differ(bench: Bench) -> None:
    """A boost that has run out is over, whatever the device says of it."""
    end = (NOW + timedelta(hours=1)).isoformat()
    bench.ask(boost_until=end)
    bench.report(boost_until=end)
    assert "Applied 12:00" in bench.standing("boost_until")
    assert "until 10 Mar 2026, 09:00 EDT" in bench.standing("boost_until", US)

    bench.stores.clock.forward(hours=2)
    assert "Over: it was until 10 Mar 2026, 13:00 UTC" in bench.standing("boost_until")


def test_no_standing_relies_on_colour_alone() -> None:
    """Every chip has a shape and a word of its own."""
    said = [*words.CHIPS.values(), *words.COMMAND_CHIPS.values()]

    assert all(kind and word for kind, word in said)
    assert len({word for _, word in words.CHIPS.values()}) == len(words.CHIPS)


def test_whatever_a_device_reports_is_drawn(bench: Bench) -> None:
    """Values of a wrong kind are shown as they are, shortened, and break nothing."""
    bench.report(
        target_temperature_c="hot", mode={"a": 1}, power="yes", away_until="soon",
        boost_until=[1], pasteurise_until="x" * 500,
    )  # fmt: skip
    text = plain(card.control_card(bench.view(), US))

    assert "hot" in text
    assert "soon" in text
    assert "x" * 61 not in text


def test_a_viewer_gets_no_input_and_is_told_the_role(bench: Bench) -> None:
    """No button, no field, no dialog; the sentence names Operator."""
    text = drawn(card.control_card(bench.view(VIEWER), PREFS))

    assert "needs the role Operator" in text
    for kind in ("Button", "Input", "Select", "RadioItems", "Modal"):
        assert f'"type": "{kind}"' not in text


def test_an_inactive_device_takes_nothing(bench: Bench) -> None:
    """An operator reads why there is no input."""
    bench.stores.devices.set_life_cycle(ADMIN, "wh-1", "inactive")
    text = drawn(card.control_card(bench.view(), PREFS))

    assert "is inactive and takes no command" in text
    assert '"type": "Button"' not in text


def test_inputs_are_in_the_readers_unit_within_the_devices_limits(
    bench: Bench,
) -> None:
    """40 to 65 °C are 104 to 149 °F; a limit between steps is rounded inwards."""
    view = bench.view()

    assert inputs.bounds(view, PREFS) == (40.0, 65.0)
    assert inputs.bounds(view, US) == (104.0, 149.0)
    assert "104.0 to 149.0 °F, in steps of 0.5" in inputs.range_words(view, US)
    bench.report(target_temperature_c=50.0)
    text = drawn(card.control_card(bench.view(), US))
    assert '"min": 104.0' in text
    assert '"value": 122.0' in text
    assert '"heat_pump"' not in text  # not one of its modes


def test_only_what_stands_can_be_withdrawn(bench: Bench) -> None:
    """The row's class shows the button while a wish waits or stands."""

    def can_withdraw() -> bool:
        view = bench.view()
        (found,) = [s for s in view.standings if s.key == TARGET]
        return "has-wish" in card.row_class(found, view)

    assert not can_withdraw()
    bench.ask(target_temperature_c=52)
    assert can_withdraw()
    bench.report(target_temperature_c=52.0)
    assert can_withdraw()
    bench.ask(target_temperature_c=None)
    assert not can_withdraw()


def test_the_log_is_paged_by_id_and_keeps_the_address(bench: Bench) -> None:
    """Twelve commands: ten, then two; names, units, replaced, time to applied."""
    for target in range(41, 53):
        bench.ask(target_temperature_c=target)
    bench.stores.clock.forward(seconds=75)
    bench.report(target_temperature_c=52.0)
    view = bench.view()
    text = drawn(commands_card(view, US, PATH, "?category=user"))
    assert "125.6 °F" in text
    assert "1 min 15 s" in text
    assert text.count("replaced by a newer wish") == 9
    assert f"category=user&commands_before={view.log.older}" in text
    assert "Newest" not in text

    older = bench.view(before=view.log.older or 0)
    text = drawn(commands_card(older, PREFS, PATH, None))
    assert [c.value for c in older.log.commands] == [42.0, 41.0]
    assert "Newest" in text
    assert "Older" not in text


def test_an_empty_log_says_so(bench: Bench) -> None:
    """Nothing was ever wished: a sentence instead of an empty table."""
    assert "No command yet" in plain(commands_card(bench.view(), PREFS, PATH, None))


def test_the_digest_changes_with_what_is_shown(bench: Bench) -> None:
    """A wish, a delivery and a report each change it; time alone does not."""
    found = [bench.view().digest]
    bench.stores.clock.forward(seconds=5)
    assert bench.view().digest == found[0]
    bench.come()
    bench.ask(target_temperature_c=52)
    found.append(bench.view().digest)
    bench.send()
    found.append(bench.view().digest)
    bench.report(target_temperature_c=52.0)
    found.append(bench.view().digest)

    assert len(set(found)) == 4
