"""Patterns of alerts: days, the commonest, times, chatter, stale, precision, limits."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.account_store import AccountStore
from data.alert_pattern_store import AlertPatternStore, Verdict
from services.alert_patterns import AlertPatterns, PatternsView
from services.alert_thresholds import raises_of
from services.alerts import Alerts
from services.errors import Forbidden, InvalidInput
from tests.alert_rows import AlertRows
from tests.conftest import NOW, OPERATOR, VIEWER, Stores

UTC_ZONE = ZoneInfo("UTC")
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


class World:
    """The service on real stores."""

    def __init__(self, stores: Stores) -> None:
        engine = stores.device_store._engine
        self.clock = stores.clock
        self.rows = AlertRows(engine)
        self.alerts = Alerts(
            self.rows.log, AccountStore(engine), stores.audit, stores.clock
        )
        self.patterns = AlertPatterns(AlertPatternStore(engine), stores.clock)

    def view(self, zone: ZoneInfo = UTC_ZONE, period: str = "90d") -> PatternsView:
        """The patterns as a viewer sees them."""
        return self.patterns.of(VIEWER, zone, period)


@pytest.fixture(params=["stores", "postgres_stores"])
def world(request: pytest.FixtureRequest) -> World:
    """On SQLite, then on PostgreSQL."""
    return World(request.getfixturevalue(request.param))


def test_days_are_the_readers(world: World) -> None:
    """Every day of the period is there, and midnight is where the reader lives."""
    late = NOW.replace(hour=23, minute=30) - 3 * DAY
    world.rows.fire(late)
    world.rows.fire(NOW - 100 * DAY, subject="wh-2")
    utc, east = world.view(), world.view(ZoneInfo("Asia/Tokyo"))

    assert len(utc.days) == 90
    assert utc.days[-1][0] == NOW.date()
    assert dict(utc.days)[late.date()] == 1
    assert dict(east.days)[late.date() + DAY] == 1
    assert (utc.activations, utc.alerts, utc.per_day) == (1, 1, 1 / 90)
    assert world.view(period="365d").activations == 2


def test_the_commonest_come_first(world: World) -> None:
    """Every activation counts; shares add up to one."""
    alert = world.rows.fire(NOW - HOUR)
    for minutes in (50, 40):
        world.rows.clear(alert, NOW - (minutes + 5) * MINUTE)
        world.rows.again(alert, NOW - minutes * MINUTE)
    world.rows.fire(NOW - HOUR, 2)
    world.rows.fire(NOW - HOUR, 2, "wh-2")
    view = world.view()

    assert [(b.key, b.count, b.share) for b in view.rules] == [
        ("tank-too-hot", 3, 0.6), ("pressure-high", 2, 1.0),
    ]  # fmt: skip
    assert [(b.key, b.count) for b in view.subjects] == [("wh-1", 4), ("wh-2", 1)]


def test_medians_count_who_was_answered(world: World) -> None:
    """Resolving is seeing; alerts nobody has answered are not in the median."""
    world.clock.now = NOW - 10 * HOUR
    alerts = [world.rows.fire(world.clock(), subject=f"wh-{i}") for i in range(4)]
    world.clock.forward(minutes=10)
    world.alerts.acknowledge(OPERATOR, alerts[0].id)
    world.clock.forward(minutes=20)
    world.alerts.acknowledge(OPERATOR, alerts[1].id)
    world.clock.forward(minutes=60)
    world.alerts.resolve(OPERATOR, alerts[0].id)
    world.alerts.resolve(OPERATOR, alerts[2].id)
    view = world.view()

    assert (view.median_to_acknowledge, view.acknowledged) == (30 * MINUTE, 3)
    assert (view.median_to_resolve, view.resolved) == (90 * MINUTE, 2)


def test_chattering_is_three_in_ten_minutes_or_ten_a_day(world: World) -> None:
    """Two within ten minutes, or nine on a day, is not chattering yet."""
    for subject, minutes in (
        ("near", (30, 25, 20)),
        ("far", (30, 25, 19)),
        ("daily", tuple(range(15, 165, 15))),
        ("nine", tuple(range(15, 150, 15))),
    ):
        first, *others = sorted(minutes, reverse=True)
        alert = world.rows.fire(NOW - first * MINUTE, subject=subject)
        for m in others:
            world.rows.clear(alert, NOW - (m + 1) * MINUTE)
            world.rows.again(alert, NOW - m * MINUTE)
    found = {c.subject: (c.near, c.on_a_day, c.count) for c in world.view().chattering}

    assert found == {"near": (3, 3, 3), "daily": (1, 10, 10)}


def test_stale_is_what_nobody_touched(world: World) -> None:
    """Active for more than a day; a comment, an owner, a shelf or its end saves it."""
    names = ("left", "said", "taken", "put", "cleared")
    made = {n: world.rows.fire(NOW - 25 * HOUR, subject=n) for n in names}
    world.rows.fire(NOW - 23 * HOUR, subject="young")
    world.alerts.comment(OPERATOR, made["said"].id, "seen")
    world.alerts.acknowledge(OPERATOR, made["taken"].id)
    world.alerts.shelve(OPERATOR, made["put"].id, NOW + HOUR, "later")
    world.rows.clear(made["cleared"], NOW)

    assert [s.subject for s in world.view().stale] == ["left"]


def test_precision_comes_from_the_verdicts(world: World) -> None:
    """Useful of all verdicts with Wilson's interval; without a verdict none counts."""
    for i in range(10):
        alert = world.rows.fire(NOW - HOUR, subject=f"wh-{i}")
        if i < 9:
            verdict = "useful" if i < 8 else "noise"
            world.alerts.resolve(OPERATOR, alert.id, "", verdict)
    (found,) = world.view().precisions

    assert (found.useful, found.noise) == (8, 1)
    assert found.precision.value == pytest.approx(8 / 9)
    # Wilson's formula by hand: (8/9 + z²/18 ± z √(8/729 + z²/324)) / (1 + z²/9)
    assert found.precision.low == pytest.approx(0.5650, abs=1e-4)
    assert found.precision.high == pytest.approx(0.9801, abs=1e-4)


def verdict(
    what: str, peak: float, threshold: float = 6.0, operator: str = ">"
) -> Verdict:
    """What somebody found, and what the rule had seen."""
    seen = {"operator": operator, "threshold": threshold, "peak": peak}
    return Verdict("r", "R", what, None, seen)


def test_another_limit_spares_noise_and_tells_its_cost() -> None:
    """The smallest limit that spares each noise alert, and the useful ones it costs."""
    seen = [
        verdict("noise", 6.2), verdict("noise", 6.517), verdict("noise", 8.0),
        verdict("useful", 7.0), verdict("useful", 9.0),
    ]  # fmt: skip
    made = raises_of(seen)

    assert [(r.threshold, r.noise, r.useful) for r in made] == [
        (6.2, 1, 0), (6.52, 2, 0), (8.0, 3, 1),
    ]  # fmt: skip
    assert (made[0].now, made[0].noise_of, made[0].useful_of) == (6.0, 3, 2)


def test_another_limit_below_is_lower() -> None:
    """A rule that fires below its limit is made stricter by a lower one."""
    seen = [verdict("noise", 38.2, 40, "<"), verdict("useful", 35.0, 40, "<")]
    (made,) = raises_of(seen)

    assert (made.threshold, made.noise, made.useful) == (38.2, 1, 0)


def test_at_least_needs_a_limit_beyond_the_peak() -> None:
    """With ``>=`` the peak itself would still fire."""
    (made,) = raises_of([verdict("noise", 6.2, operator=">=")])

    assert made.threshold == 6.21


@pytest.mark.parametrize("damage", [{"peak": "x"}, {"operator": "outside"}, {}])
def test_what_has_no_limit_gets_no_proposal(damage: dict[str, object]) -> None:
    """Bands, missing values and rules without noise propose nothing."""
    seen = replace(verdict("noise", 7.0), evidence=damage)

    assert raises_of([seen]) == ()
    assert raises_of([verdict("useful", 7.0)]) == ()


@given(st.lists(st.tuples(st.booleans(), st.floats(6.001, 1e6)), min_size=1))
def test_a_proposal_keeps_its_promise(seen: list[tuple[bool, float]]) -> None:
    """Counted again by hand, each limit spares and costs what it says."""
    verdicts = [verdict("noise" if noise else "useful", p) for noise, p in seen]
    for made in raises_of(verdicts):
        spared = [noise for noise, p in seen if p <= made.threshold]

        assert made.threshold > 6
        assert made.noise == sum(spared)
        assert made.useful == len(spared) - sum(spared)


def test_who_may_ask_and_for_what(world: World) -> None:
    """A device may not, and an unknown period is named."""
    with pytest.raises(Forbidden):
        world.patterns.of(replace(VIEWER, device_id="wh-1"), UTC_ZONE)
    with pytest.raises(InvalidInput, match="period must be"):
        world.view(period="2d")
    empty = world.view(period="7d")
    assert (empty.activations, empty.median_to_resolve) == (0, None)
    assert empty.days[0][0] == date(2026, 3, 4)
