"""The form of an alert rule: what it shows is what it reads back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from callbacks.rule_form import FieldProblem, read_rule_form
from dashboards.rule_fields import EXPRESSION, RULE_FIELDS, hidden_rows, shown
from services.alert_defaults import default_rules
from services.alert_rules import RuleScope, RuleSpec
from services.errors import InvalidInput
from services.units import Preferences

FOREIGN = Preferences(temperature_unit="F", pressure_unit="psi", volume_unit="gal")
HOT = RuleSpec(
    key="hot", name="Hot", source="device", metric="temperature_c", operator=">",
    threshold=70.0, deadband=2.0, for_s=90, severity="high", message="{name} is hot",
    action="Look at it.",
)  # fmt: skip


def typed(spec: RuleSpec | None, prefs: Preferences, **changed: object) -> list[object]:
    """What the controls hold for a rule, with some of them changed."""
    return [changed.get(f.name, shown(f, spec, prefs)) for f in RULE_FIELDS]


@pytest.mark.parametrize("prefs", [Preferences(), FOREIGN], ids=["metric", "foreign"])
@pytest.mark.parametrize("spec", default_rules(), ids=lambda spec: spec.key)
def test_a_rule_that_nobody_touched_stays_as_it_is(
    spec: RuleSpec, prefs: Preferences
) -> None:
    """Showing and reading any default rule changes nothing, in anybody's units."""
    assert read_rule_form(typed(spec, prefs), spec, prefs) == spec


def test_a_threshold_is_typed_in_the_readers_unit() -> None:
    """158 °F is 70 °C, and a deadband of 9 °F is 5 K."""
    values = typed(HOT, FOREIGN, threshold="158,0", deadband="9")
    read = read_rule_form(values, HOT, FOREIGN)

    assert read.threshold == pytest.approx(70.0)
    assert read.deadband == pytest.approx(5.0)


def test_a_new_rule_is_read_whole() -> None:
    """Name, key, band, delays, scope and texts arrive as they were typed."""
    values = typed(
        None, Preferences(), name="Cold or hot", key="cold-or-hot", severity="medium",
        metric="temperature_c", operator="outside", low="40", high="65", for_min="2.5",
        off_delay_min="1", types=["electric"], buildings="A, B ,", mixing_valve="no",
        message="{name}: {value}", action="Go and look.",
    )  # fmt: skip
    read = read_rule_form(values, None, Preferences())

    assert read.band == (40.0, 65.0)
    assert (read.for_s, read.off_delay_s) == (150, 60)
    assert read.scope == RuleScope(
        types=("electric",), buildings=("A", "B"), mixing_valve=False
    )


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"threshold": "hot"}, "threshold"),
        ({"threshold": ""}, "threshold"),
        ({"threshold": "1e400"}, "threshold"),
        ({"for_min": "-1"}, "for_min"),
        ({"key": "Not a key"}, "key"),
        ({"action": ""}, "action"),
        ({"message": "{nobody}"}, "message"),
        ({"metric": EXPRESSION, "expression": "1 +"}, "expression"),
        ({"operator": "outside", "low": "9", "high": "3"}, "low"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(
    changed: dict[str, object], field: str
) -> None:
    """A field that cannot be taken is named, with a reason."""
    values = typed(HOT, Preferences(), **changed)
    with pytest.raises(FieldProblem) as told:
        read_rule_form(values, None, Preferences())

    assert told.value.field == field
    assert str(told.value)


def test_controls_may_hold_anything() -> None:
    """What a browser could send instead of text is refused, never a crash."""
    for junk in (None, [], {}, 3, True, "\x00" * 400, ["x"]):
        values = [junk for _ in RULE_FIELDS]
        with pytest.raises(InvalidInput):
            read_rule_form(values, None, Preferences())


def test_only_what_matters_is_shown() -> None:
    """A band hides the threshold, a model's rule hides what only heaters have."""
    banded = hidden_rows("device", "temperature_c", "outside", "number")
    model = hidden_rows("model", "accuracy", "<", "number")

    assert (banded["threshold"], banded["low"]) == (True, False)
    assert (model["types"], model["kinds"], model["limit"]) == (True, False, True)


def test_a_held_rule_keeps_its_key_and_its_switch() -> None:
    """Neither the key nor whether it is on can be changed by what is typed."""
    off = replace(HOT, enabled=False)
    read = read_rule_form(typed(off, Preferences(), key="other"), off, Preferences())

    assert (read.key, read.enabled) == ("hot", False)
