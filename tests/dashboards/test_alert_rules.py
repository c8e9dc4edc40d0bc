"""The Rules view: every rule in words, none, one in its form, and the file."""

from __future__ import annotations

from datetime import timedelta

import pytest

from dashboards import rule_list
from dashboards.rule_words import condition, scope_words
from services.alert_defaults import default_rules
from services.alert_replay import FiredPeriod, FiredSubject, Replay
from services.alert_rulebook import RuleView
from services.alert_rules import RuleScope
from services.units import Preferences
from tests.conftest import NOW

METRIC, FOREIGN = Preferences(), Preferences(temperature_unit="F")
RULES = {spec.key: spec for spec in default_rules()}
VIEWS = tuple(RuleView(n, s, 1, "ada", NOW) for n, s in enumerate(RULES.values()))
QUIET = Replay(NOW - timedelta(days=90), NOW, 3, 0, (), (), 900, "")


def drawn(component: object) -> str:
    """A component as it goes to the browser."""
    return str(component.to_plotly_json()) if component else ""


@pytest.mark.parametrize(
    ("key", "prefs", "words"),
    [
        ("offline", METRIC, "Time without a reading is above 10\xa0min"),
        ("error-code", METRIC, "Error code present"),
        ("scald", METRIC, "Tank temperature is above 60\xa0°C"),
        ("scald", FOREIGN, "Tank temperature is above 140\xa0°F"),
    ],
)
def test_a_condition_is_said_in_the_readers_units(
    key: str, prefs: Preferences, words: str
) -> None:
    """Metric, comparison, number and unit; a flag by its name alone."""
    spec = next(s for s in RULES.values() if s.key.startswith(key))

    assert condition(spec, prefs) == words


def test_a_scope_names_whom_it_is_for() -> None:
    """Nothing chosen is everybody; of many names the first three."""
    many = RuleScope(types=("gas",), ids=("a", "b", "c", "d"), mixing_valve=False)

    assert scope_words("device", RuleScope()) == "All heaters"
    assert scope_words("model", RuleScope(owners=("ada",))) == "ada"
    assert scope_words("device", many) == (
        "Gas · a, b, c and 1 more · no mixing valve known"
    )


@pytest.mark.parametrize("found", [(), VIEWS, VIEWS * 40], ids=["none", "some", "many"])
def test_the_list_is_drawn_whatever_there_is(found: tuple[RuleView, ...]) -> None:
    """Empty, normal and very long lists; only who may edit is led to a new one."""
    text = drawn(rule_list.rules(found, METRIC, may_edit=True))

    assert ("No rule" in text) == (not found)
    assert "New rule" in text
    assert "New rule" not in drawn(rule_list.rules(found, METRIC, may_edit=False))


@pytest.mark.parametrize(
    "view", [None, *VIEWS], ids=lambda v: v.spec.key if v else "new"
)
def test_every_rule_has_its_form(view: RuleView | None) -> None:
    """A new rule and each default one are drawn, with a proposal and without."""
    text = drawn(rule_list.rule(view, METRIC, may_edit=True))
    proposed = drawn(
        rule_list.rule(view, METRIC, view.spec if view else None, may_edit=False)
    )

    assert ("changed by ada" in text) == (view is not None)
    assert ("Not saved yet" in proposed) == (view is not None)


def test_the_file_and_what_is_missing_are_drawn() -> None:
    """The file shows its text; an unknown key leads back to the rules."""
    assert "rules: []" in drawn(rule_list.file("rules: []", may_edit=True))
    assert "No such rule" in drawn(rule_list.missing("x" * 500))


def test_a_replay_says_how_often_and_for_whom() -> None:
    """Never, once and many times, each with the subjects watched and the step."""
    period = FiredPeriod("wh-1", "Boiler", NOW - timedelta(hours=2), None, 71.0)
    once = Replay(
        QUIET.start,
        NOW,
        3,
        1,
        (FiredSubject("wh-1", "Boiler", 1),),
        (period,),
        900,
        "x",
    )
    many = Replay(
        QUIET.start, NOW, 90, 90,
        tuple(FiredSubject(f"wh-{i}", "", 1) for i in range(90)), (period,) * 90, 0, "",
    )  # fmt: skip

    assert "would not have fired in the last 90 days" in drawn(
        rule_list.replayed(QUIET, METRIC)
    )
    assert "fired once" in drawn(rule_list.replayed(once, METRIC))
    assert "still holds" in drawn(rule_list.replayed(once, METRIC))
    assert "first 20 of 90" in drawn(rule_list.replayed(many, METRIC))
