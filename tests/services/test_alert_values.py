"""The values that rules judge: of models, and of heaters from their roll-ups."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from data.judgement_store import JudgedWindow, JudgementStore, ModelFacts
from data.model_records import Feature, ModelSpec
from data.model_store import ModelStore
from services.access import SYSTEM
from tests.conftest import NOW, Stores, readings
from tests.services.alert_world import World
from tests.services.alert_world import world as opened

WEEK = timedelta(days=7)
CHURN = ModelSpec(
    name="churn", kind="binary", classes=("a", "b"), owner="ann", tags=("shop",),
    features=(Feature("x", "numeric"),),
)  # fmt: skip
MODEL: dict[str, Any] = {
    "source": "model", "operator": ">=", "threshold": 1.0, "deadband": 0, "for_s": 0,
    "off_delay_s": 0, "message": "{name}: {value}", "severity": "harm",
}  # fmt: skip


@pytest.fixture
def world(stores: Stores) -> Iterator[World]:
    """Stores with one tank."""
    yield from opened(stores)


class Judged:
    """What a judge would have written of one model."""

    def __init__(self, world: World, spec: ModelSpec = CHURN) -> None:
        self._store = JudgementStore(world.engine)
        self._models = ModelStore(world.engine)
        with self._models.transaction() as tx:
            self.id = self._models.add(tx, spec, NOW)
        self._seq = 0

    def week(self, ago: int, kind: str, severity: str, **measures: float) -> None:
        """The verdict and the measures of a week."""
        self._seq += 1
        start = NOW - ago * WEEK
        fine = kind == "fine"
        window = JudgedWindow(
            self.id, "1", start, start + WEEK, kind, "fine" if fine else "look",
            severity, "Said.", [], "accuracy", 0.9, 500, 0.6,
        )  # fmt: skip
        with self._models.transaction() as tx:
            self._store.put_windows(tx, [window])
            spans = {(start, start + WEEK): measures}
            self._store.put_measures(tx, self.id, "1", "grid", spans)
            self._store.put_facts(
                tx, ModelFacts(self.id, "1", 500, start, NOW, 3.0, self._seq)
            )


def look(world: World) -> None:
    """The next look, a second later."""
    world.stores.clock.forward(seconds=1)
    world.look()


def test_drift_follows_its_verdict_in_severity(world: World) -> None:
    """Concept drift raises with the verdict's severity, worsens with it, and clears."""
    judged = Judged(world)
    world.rule(key="drift", metric="concept_drift", **MODEL)
    judged.week(2, "fine", "none")
    world.look()
    assert world.alerts == []
    judged.week(1, "concept_drift", "medium", drift_psi=0.3)
    look(world)
    (raised,) = world.alerts
    assert (raised.subject, raised.severity) == ("churn", "medium")
    assert raised.started_at == NOW - WEEK
    assert raised.evidence["window"] == [(NOW - WEEK).isoformat(), NOW.isoformat()]
    assert raised.evidence["data_version"] == 2
    judged.week(1, "concept_drift", "critical")
    look(world)
    judged.week(0, "fine", "none")
    look(world)

    assert world.history == ["activated", "severity", "cleared"]
    assert world.alerts[0].severity == "critical"


def test_measures_are_those_of_the_newest_window(world: World) -> None:
    """Accuracy, missing values and coverage by threshold, with their past weeks."""
    judged = Judged(world)
    judged.week(3, "fine", "none", accuracy=0.9, missing_share=1.0)
    judged.week(2, "fine", "none", accuracy=0.7, missing_share=40.0)
    fixed = MODEL | {"severity": "high"}
    world.rule(
        key="a", metric="accuracy", **fixed | {"operator": "<", "threshold": 0.8}
    )
    world.rule(key="m", metric="missing_share", **fixed | {"threshold": 30.0})
    world.rule(key="c", metric="label_coverage", **fixed | {"threshold": 55.0})
    world.rule(key="s", metric="silent_h", **fixed | {"threshold": 48.0})
    world.look()
    found = {alert.rule_key: alert for alert in world.alerts}
    assert {key: a.value for key, a in found.items()} == {
        "a": 0.7,
        "m": 40.0,
        "c": 60.0,
    }
    assert [v for _at, v in found["a"].evidence["points"]] == [0.9, 0.7]

    world.stores.clock.forward(days=3)
    world.look()
    silent = [a for a in world.alerts if a.rule_key == "s"]
    assert [a.started_at for a in silent] == [NOW + timedelta(hours=48)]


def test_a_rule_of_models_keeps_to_its_scope(world: World) -> None:
    """By owner and tag; an archived model ends its alerts."""
    judged = Judged(world)
    other = Judged(world, replace(CHURN, name="other", owner="bob"))
    for one in (judged, other):
        one.week(1, "input_shift", "low")
    scope = {"owners": ["ann"], "tags": ["shop", "bank"]}
    world.rule(key="shift", metric="input_shift", scope=scope, **MODEL)
    world.look()
    assert [a.subject for a in world.alerts] == ["churn"]
    models = ModelStore(world.engine)
    held = models.model("churn")
    assert held is not None
    with models.transaction() as tx:
        models.replace(tx, held, replace(held.spec, archived=True), NOW)
    world.stores.clock.forward(seconds=20)
    world.look()
    assert [a.active for a in world.alerts] == [False]


def test_safe_and_still_hours_and_flags_come_from_the_rollups(world: World) -> None:
    """Two days since an hour at 60 or 50 °C; no hour without flow since; flags."""
    frame = readings("wh-1", NOW - timedelta(days=3), 3 * 1_440)
    hour = [1_300 <= i < 1_375 for i in range(len(frame))]
    frame["temperature_c"] = [62.0 if hot else 49.0 for hot in hour]
    frame["flow_lpm"] = [0.0 if still else 0.3 for still in hour]
    frame.loc[frame.index[-720:], "pressure_bar"] = 99.0
    world.stores.telemetry.accept_bulk(SYSTEM, frame)
    world.stores.flush()
    plain = {"operator": ">", "deadband": 0, "for_s": 0}
    world.rule(key="safe", metric="safe_hour_days", **plain | {"threshold": 1.0})
    world.rule(key="cool", metric="warm_hour_h", **plain | {"threshold": 36.0})
    world.rule(key="leak", metric="no_still_hour_h", **plain | {"threshold": 36.0})
    world.rule(key="flags", metric="flagged_share", **plain | {"threshold": 20.0})
    world.look()
    found = {alert.rule_key: alert for alert in world.alerts}

    ago = timedelta(minutes=3 * 1_440 - 1_370)
    assert found["safe"].value == pytest.approx(ago / timedelta(days=1), abs=0.02)
    assert found["cool"].value == pytest.approx(ago / timedelta(hours=1), abs=0.5)
    assert found["leak"].value == pytest.approx(ago / timedelta(hours=1), abs=0.5)
    assert found["flags"].value == pytest.approx(50.0, abs=0.5)
    begun = NOW - ago + timedelta(days=1)
    assert abs(found["safe"].started_at - begun) <= timedelta(minutes=16)
