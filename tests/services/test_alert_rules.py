"""Rules as files: read with complaints that name the field, written back the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.access import SYSTEM
from services.alert_defaults import default_rules
from services.alert_expressions import read_expression
from services.alert_metrics import table
from services.alert_rule_reading import read_rule, read_rules
from services.alert_rules import RuleSpec, rule_to_json, write_rules
from services.errors import Conflict, Forbidden, InvalidInput, NotFound
from tests.conftest import ADMIN, OPERATOR, VIEWER
from tests.services.alert_world import HOT, World
from tests.services.test_alert_evaluation import world

__all__ = ["world"]


def changed(**values: Any) -> dict[str, Any]:
    """``HOT`` with other fields; ``None`` leaves one out."""
    return {k: v for k, v in (HOT | values).items() if v is not None}


words = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1
).filter(lambda t: t.strip() and "{" not in t and "}" not in t)
specs = st.builds(
    changed,
    name=words.map(lambda t: t[:120]).filter(str.strip),
    action=words.map(lambda t: t[:500]).filter(str.strip),
    message=words.map(lambda t: t[:400] + " {value}"),
    threshold=st.floats(-1e9, 1e9),
    for_s=st.integers(0, 86_400),
    deadband=st.floats(0, 1e6),
    severity=st.sampled_from(["critical", "high", "medium", "low"]),
    when=st.sampled_from(["always", "on", "drawing", "heating"]),
    enabled=st.booleans(),
    scope=st.fixed_dictionaries({}, optional={
        "buildings": st.lists(words.map(lambda t: t[:200]), max_size=3, unique=True),
        "mixing_valve": st.booleans(),
    }),
)  # fmt: skip


@given(specs)
def test_what_is_written_reads_back_the_same(document: dict[str, Any]) -> None:
    """Through YAML and through stored JSON, whatever the texts and numbers."""
    spec = read_rule(document)

    assert read_rules(write_rules([spec])) == (spec,)
    assert read_rule(rule_to_json(spec)) == spec


@pytest.mark.parametrize(
    ("document", "says"),
    [
        (changed(key="Hot Tank"), "key:"),
        (changed(source="house"), "source:"),
        (changed(metric="warmth"), "metric: warmth is no metric"),
        (changed(metric="accuracy"), "metric: accuracy is measured of a model"),
        (changed(metric=None), "metric: give either a metric or an expression"),
        (changed(expression="temperature_c"), "metric: give either"),
        (changed(operator="=="), "operator:"),
        (changed(threshold=None), "threshold: give exactly one"),
        (changed(threshold=float("nan")), "threshold:"),
        (changed(limit="alarm_high"), "threshold: give exactly one"),
        (changed(threshold=None, limit="alarm_low"), "operator: alarm_low goes with <"),
        (changed(operator="outside"), "band: outside takes a band"),
        (changed(threshold=None, band=[9, 3], operator="inside"), "band: the lower"),
        (
            changed(threshold=None, band=[3, 5], operator="outside", deadband=1.0),
            "deadband: it must be smaller than half the band",
        ),
        (changed(for_s=-1), "for_s:"),
        (changed(severity="harm"), "severity: by harm is for models"),
        (changed(severity="urgent"), "severity:"),
        (changed(message="{name.__class__}"), "message: only {name}"),
        (changed(message="{value!r}"), "message: only {name}"),
        (changed(message="{name"), "message: a brace is not closed"),
        (changed(action=" "), "action: say what somebody is to do"),
        (changed(action=None), "action: Field required"),
        (changed(name="a\x1bb"), "name: it has control characters"),
        (changed(name="x" * 10_000), "name:"),
        (changed(scope={"owners": ["ann"]}), "scope.owners: a device has no owners"),
        (changed(scope={"types": ["kettle"]}), "scope.types: it must be of"),
        (changed(scope={"floor": ["1"]}), "scope.floor: Extra inputs"),
        (changed(colour="red"), "colour: Extra inputs are not permitted"),
        (
            changed(metric="offline_min", when="drawing"),
            "when: only values of readings",
        ),
        (
            changed(metric="offline_min", threshold=None, limit="alarm_high"),
            "limit: only a metric that a gauge shows",
        ),
    ],
)
def test_a_bad_rule_is_refused_by_field_and_cause(
    document: dict[str, Any], says: str
) -> None:
    """Each mistake has one sentence that names the field."""
    with pytest.raises(InvalidInput) as caught:
        read_rule(document)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('x')",
        "temperature_c.__class__",
        "(lambda: temperature_c)()",
        "temperature_c ** 9",
        "temperature_c if 1 else 2",
        "[temperature_c][0]",
        "'a' * 9",
        "abs(temperature_c, 1)",
        "max(*temperature_c)",
        "min(temperature_c, key=1)",
        "temperature_c > 3",
        "1e99 + temperature_c",
        "1 + 2",
        "(" * 50 + "temperature_c" + ")" * 50 + "+" * 200,
        "-" * 40 + "temperature_c",
        "temperature_c\x00",
        "",
    ],
)
def test_an_expression_is_arithmetic_and_nothing_else(text: str) -> None:
    """Calls, attributes, powers, tests, texts and deep nesting are refused."""
    with pytest.raises(InvalidInput, match=r"^expression: "):
        read_expression(text)


@pytest.mark.parametrize(
    "text", ["- a", "rules: [", "key: a\nkey: b", "1", "x" * 1_000_001, "[" * 9_000]
)
def test_a_file_that_holds_no_rules_is_refused(text: str) -> None:
    """Whatever it is, it is said, and nothing hangs."""
    with pytest.raises(InvalidInput):
        read_rules(text)


def test_the_default_rules_are_seeded_once_and_never_again(world: World) -> None:
    """Removed ones stay removed, also when all of them are; the system is named."""
    rules = world.ruled.rules
    count = len(default_rules())
    assert rules.seed() == count
    assert {r.updated_by for r in rules.list(VIEWER)} == {SYSTEM.username}
    for view in rules.list(VIEWER):
        rules.remove(ADMIN, view.spec.key)
    assert rules.seed() == 0
    assert rules.list(VIEWER) == ()
    actions = [line.action for line in world.stores.audit.lines(SYSTEM)]
    assert actions == ["rule.remove"] * count + ["rule.defaults"]


def test_changes_are_checked_audited_and_never_lost(world: World) -> None:
    """A stale change conflicts; who may not is refused; each change has its line."""
    rules, spec = world.ruled.rules, read_rule(HOT)
    view = rules.save(ADMIN, spec)
    rules.save(ADMIN, _named(spec, "Second"), view.revision)

    for call in (
        lambda: rules.save(ADMIN, spec, view.revision),
        lambda: rules.save(ADMIN, spec),
        lambda: rules.remove(ADMIN, "hot", view.revision),
    ):
        with pytest.raises(Conflict):
            call()
    with pytest.raises(Forbidden):
        rules.save(OPERATOR, spec, 2)
    with pytest.raises(Forbidden):
        rules.apply(OPERATOR, rules.export(OPERATOR))
    with pytest.raises(NotFound):
        rules.get(VIEWER, "cold")
    assert rules.get(VIEWER, "hot").spec.name == "Second"
    lines = [(x.action, x.actor) for x in world.stores.audit.lines(SYSTEM)]
    assert lines == [("rule.change", "admin"), ("rule.add", "admin")]


def test_a_file_is_applied_as_a_whole_or_not_at_all(world: World) -> None:
    """What is exported changes nothing; one bad rule keeps all of them out."""
    rules = world.ruled.rules
    rules.seed()
    text = rules.export(VIEWER)
    applied = rules.apply(ADMIN, text)
    assert applied.added == applied.changed == ()
    assert len(applied.same) == len(default_rules())

    two = text.replace("severity: critical", "severity: low", 1)
    bad = "severity: urgent".join(two.rsplit("severity: high", 1))
    with pytest.raises(InvalidInput, match=r"Rule \d+: severity"):
        rules.apply(ADMIN, bad)
    assert rules.export(VIEWER) == text
    assert len(rules.apply(ADMIN, two).changed) == 1


def _named(spec: RuleSpec, name: str) -> RuleSpec:
    return read_rule(rule_to_json(spec) | {"name": name})


def test_the_documentation_lists_every_metric() -> None:
    """The table in the documentation is the one the code makes, its rule is one."""
    page = (Path(__file__).parents[2] / "docs" / "alerts.md").read_text("utf-8")

    assert table() in page
    (example,) = read_rules(page.split("```yaml\n")[1].split("```")[0])
    assert example.limit == "alarm_high"
