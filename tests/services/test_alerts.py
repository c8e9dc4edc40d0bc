"""The life of an alert as people make it: steps, permissions, history, lists, badge."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.account_store import AccountStore
from data.alert_records import Alert, AlertEvent
from services.alert_handling import BULK_ACTIONS, MOST_AT_ONCE
from services.alert_steps import TEXT_LENGTH, cleaned
from services.alert_views import AlertsQuery, evidence_of, state_of
from services.alerts import Alerts
from services.errors import Conflict, Forbidden, InvalidInput, NotFound, TooLarge
from settings import Settings
from tests.alert_rows import AlertRows
from tests.conftest import (
    ADMIN,
    NOW,
    OPERATOR,
    VIEWER,
    Clock,
    Stores,
    open_stores,
)

HOUR = timedelta(hours=1)


@dataclass
class Told:
    """Who keeps what is announced."""

    events: list[tuple[int, str]] = field(default_factory=list)
    broken: bool = False

    def announce(self, _tx: Any, alert: Alert, event: AlertEvent) -> None:
        """Note it; it is stored already."""
        if self.broken:
            raise RuntimeError("no outbox")
        assert event.id > 0
        self.events.append((alert.id, event.kind))


@dataclass
class World:
    """The service on real stores, and who writes alerts as the evaluation does."""

    stores: Stores
    rows: AlertRows
    alerts: Alerts
    told: Told
    clock: Clock

    def events(self, alert: Alert) -> list[tuple[str, str, str]]:
        """Kind, who and words of what people did to an alert, oldest first."""
        events = self.rows.log.events(alert.id)[::-1]
        return [(e.kind, e.by, e.text) for e in events if e.by != "system"]

    def ids(self, **query: Any) -> list[int]:
        """The alerts that pass a query, in its order."""
        return [a.id for a in self.alerts.page(OPERATOR, AlertsQuery(**query)).rows]


@pytest.fixture(params=["stores", "postgres_stores"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """On SQLite, then on PostgreSQL; with the users operator and gone."""
    yield made(request.getfixturevalue(request.param))


def made(stores: Stores) -> World:
    """A world on these stores."""
    engine = stores.device_store._engine
    accounts, rows, told = AccountStore(engine), AlertRows(engine), Told()
    with accounts.transaction() as tx:
        for name in ("operator", "gone"):
            accounts.add_user(tx, name, "x", "operator", NOW)
        gone = accounts.user("gone", tx)
        assert gone is not None
        accounts.change_user(tx, gone.id, disabled=True)
    alerts = Alerts(rows.log, accounts, stores.audit, stores.clock, told)
    return World(stores, rows, alerts, told, stores.clock)


def test_acknowledging_twice_is_harmless(world: World) -> None:
    """The first one counts, with one event, one audit line and one announcement."""
    alert = world.rows.fire(NOW - HOUR)
    first = world.alerts.acknowledge(OPERATOR, alert.id)
    world.clock.forward(minutes=5)

    assert world.alerts.acknowledge(ADMIN, alert.id) == first
    assert (first.acknowledged_at, first.acknowledged_by) == (NOW, "operator")
    assert first == world.rows.log.get(alert.id)
    assert world.events(alert) == [("acknowledged", "operator", "")]
    (line,) = world.stores.audit.lines(ADMIN, action="alert.acknowledged")
    assert (line.actor, line.subject) == ("operator", str(alert.id))
    assert line.detail == {"rule": "tank-too-hot", "subject": "wh-1"}
    assert world.told.events == [(alert.id, "acknowledged")]


def test_nothing_is_kept_when_one_part_fails(world: World) -> None:
    """Change, event, audit line and announcement are one transaction."""
    alert = world.rows.fire(NOW - HOUR)
    world.told.broken = True
    with pytest.raises(RuntimeError):
        world.alerts.acknowledge(OPERATOR, alert.id)

    assert world.rows.log.get(alert.id) == alert
    assert world.events(alert) == []
    assert world.stores.audit.lines(ADMIN, action="alert.acknowledged") == ()


def test_a_version_that_is_old_is_a_conflict(world: World) -> None:
    """Who has read an older version is told so, and nothing changes."""
    alert = world.rows.fire(NOW - HOUR)
    seen = world.alerts.acknowledge(OPERATOR, alert.id, version=alert.version)
    with pytest.raises(Conflict, match="version 2, not 1"):
        world.alerts.comment(ADMIN, alert.id, "mine", version=alert.version)

    assert world.rows.log.get(alert.id) == seen
    with pytest.raises(NotFound, match="no alert 999"):
        world.alerts.acknowledge(OPERATOR, 999)


def test_an_owner_is_a_user_or_nobody(world: World) -> None:
    """An unknown or disabled user cannot be given an alert."""
    alert = world.rows.fire(NOW - HOUR)
    for name in ("stranger", "gone"):
        with pytest.raises(InvalidInput, match=f"no user {name}"):
            world.alerts.assign(ADMIN, alert.id, name)

    assert world.alerts.assign(ADMIN, alert.id, "operator").owner == "operator"
    world.alerts.assign(ADMIN, alert.id, "operator")
    assert world.ids(owner="me") == [alert.id]
    assert world.alerts.assign(ADMIN, alert.id, "").owner is None
    assert world.events(alert) == [
        ("assigned", "admin", "to operator"),
        ("assigned", "admin", "to nobody"),
    ]
    assert world.alerts.people(OPERATOR) == ("operator",)


def test_what_is_shelved_comes_back_by_itself(world: World) -> None:
    """Until its time it is in no list but that of the shelf, and not on the badge."""
    alert = world.rows.fire(NOW - HOUR)
    put = world.alerts.shelve(OPERATOR, alert.id, NOW + HOUR, " spare part\x07 ")

    assert (put.shelved_by, put.shelve_reason) == ("operator", "spare part")
    assert state_of(put, NOW) == "shelved"
    assert world.ids() == world.ids(state="active") == []
    assert world.ids(state="shelved") == [alert.id]
    assert world.alerts.badge(VIEWER).total == 0
    world.clock.forward(hours=2)
    assert world.ids() == [alert.id]
    assert world.alerts.badge(VIEWER).total == 1


def test_taking_from_the_shelf_is_harmless_twice(world: World) -> None:
    """The first time it comes back; what is on no shelf stays as it is."""
    alert = world.rows.fire(NOW - HOUR)
    world.alerts.shelve(OPERATOR, alert.id, NOW + HOUR, "later")
    back = world.alerts.unshelve(OPERATOR, alert.id)

    assert back.shelved_until is None
    assert world.alerts.unshelve(OPERATOR, alert.id) == back
    assert world.ids() == [alert.id]


@pytest.mark.parametrize(
    ("ahead", "reason"),
    [
        (timedelta(seconds=20), "why"),
        (timedelta(days=31), "why"),
        (-HOUR, "why"),
        (HOUR, " \x00 "),
        (HOUR, "x" * (TEXT_LENGTH + 1)),
    ],
)
def test_a_shelf_has_bounds_and_a_reason(
    stores: Stores, ahead: timedelta, reason: str
) -> None:
    """Too short, too long, past, without reason and with too many words: refused."""
    world = made(stores)
    alert = world.rows.fire(NOW - HOUR)
    with pytest.raises(InvalidInput):
        world.alerts.shelve(OPERATOR, alert.id, NOW + ahead, reason)

    assert world.rows.log.get(alert.id) == alert


def test_a_resolved_alert_frees_its_place(world: World) -> None:
    """The next one of its kind can open; the resolved one keeps note and verdict."""
    alert = world.rows.fire(NOW - HOUR)
    done = world.alerts.resolve(OPERATOR, alert.id, "valve\nchanged", "useful")

    assert (done.resolved_by, done.verdict, done.note) == (
        "operator", "useful", "valve\nchanged",
    )  # fmt: skip
    assert world.alerts.resolve(ADMIN, alert.id, "valve\nchanged", "useful") == done
    with pytest.raises(Conflict, match="operator has resolved it already"):
        world.alerts.resolve(ADMIN, alert.id, "", "noise")
    with pytest.raises(Conflict, match="reopen it first"):
        world.alerts.acknowledge(OPERATOR, alert.id)
    with pytest.raises(InvalidInput, match="verdict must be"):
        world.alerts.resolve(OPERATOR, alert.id, "", "perhaps")
    newer = world.rows.fire(NOW)
    assert world.ids() == [newer.id]
    with pytest.raises(Conflict, match="newer alert"):
        world.alerts.reopen(OPERATOR, alert.id)
    assert world.events(alert) == [("resolved", "operator", "useful: valve\nchanged")]


def test_what_is_reopened_is_as_new(world: World) -> None:
    """It is open, unacknowledged and without a verdict; twice is harmless."""
    alert = world.rows.fire(NOW - HOUR)
    world.alerts.acknowledge(OPERATOR, alert.id)
    world.rows.clear(alert, NOW)
    assert world.ids() == []
    again = world.alerts.reopen(OPERATOR, alert.id)

    assert again.open
    assert again.acknowledged_at is None
    assert world.alerts.reopen(OPERATOR, alert.id) == again
    assert world.ids() == world.ids(state="unacknowledged") == [alert.id]
    done = world.alerts.resolve(OPERATOR, alert.id, "", "noise")
    assert world.alerts.reopen(OPERATOR, done.id).verdict is None
    assert world.told.events[-1] == (alert.id, "reopened")


def test_bulk_gives_each_its_own_result(world: World) -> None:
    """What cannot be done to one does not stop the others."""
    first, second, third = (
        world.rows.fire(NOW - HOUR, subject=f"wh-{i}") for i in range(3)
    )
    world.alerts.resolve(OPERATOR, second.id, "", None)
    ids = [third.id, second.id, 999, first.id, third.id]
    results = world.alerts.bulk(OPERATOR, "acknowledge", ids)

    assert [r.id for r in results] == [third.id, second.id, 999, first.id]
    assert [bool(r.error) for r in results] == [False, True, True, False]
    assert world.ids(state="acknowledged", sort="raised") == [third.id, first.id]
    (stale,) = world.alerts.bulk(
        OPERATOR, "comment", [first.id], words="x", versions={first.id: 1}
    )
    assert "not 1" in stale.error
    with pytest.raises(TooLarge, match="500"):
        world.alerts.bulk(OPERATOR, "acknowledge", list(range(MOST_AT_ONCE + 1)))
    for action, says in (("delete", "action must"), ("shelve", "until is needed")):
        with pytest.raises(InvalidInput, match=says):
            world.alerts.bulk(OPERATOR, action, [first.id])


def test_bulk_reopens_only_one_of_a_kind(world: World) -> None:
    """Of two alerts of one rule and subject the second stays closed, with a reason."""
    pair = []
    for hours in (2, 1):
        alert = world.rows.fire(NOW - hours * HOUR)
        pair.append(alert.id)
        world.alerts.resolve(OPERATOR, alert.id)
    other = world.rows.fire(NOW - HOUR, subject="wh-2")
    world.alerts.resolve(OPERATOR, other.id)
    results = world.alerts.bulk(OPERATOR, "reopen", [*pair, other.id])

    assert [bool(r.error) for r in results] == [False, True, False]
    assert sorted(world.ids()) == [pair[0], other.id]


def test_viewers_read_and_do_nothing(world: World) -> None:
    """Every step needs Operator, whatever else is wrong with it."""
    alert = world.rows.fire(NOW - HOUR)
    steps: list[tuple[str, tuple[Any, ...]]] = [
        ("acknowledge", ()), ("assign", ("stranger",)), ("comment", ("",)),
        ("shelve", (NOW, "")), ("unshelve", ()), ("resolve", ("", "x")), ("reopen", ()),
    ]  # fmt: skip
    assert {name for name, _ in steps} == set(BULK_ACTIONS)
    for name, values in steps:
        with pytest.raises(Forbidden):
            getattr(world.alerts, name)(VIEWER, alert.id, *values)
    with pytest.raises(Forbidden):
        world.alerts.bulk(VIEWER, "nothing", [])
    nobody = replace(VIEWER, device_id="wh-1")
    for read in (
        lambda: world.alerts.page(nobody, AlertsQuery()),
        lambda: world.alerts.detail(nobody, alert.id),
        lambda: world.alerts.badge(nobody),
        lambda: world.alerts.token(nobody),
        lambda: world.alerts.after(nobody, AlertsQuery(), None, 5),
    ):
        with pytest.raises(Forbidden):
            read()
    assert not world.alerts.detail(VIEWER, alert.id).may_write


def fill(world: World) -> dict[str, int]:
    """One alert of each kind; their ids by a word."""
    fire = world.rows.fire
    kinds = {
        "hot": fire(NOW - HOUR, 1, "wh-1", subject_name="Boiler 100%"),
        "pressure": fire(NOW - 2 * HOUR, 2, "wh-1"),
        "gone": fire(NOW - 3 * HOUR, 3, "wh-2"),
        "drift": fire(NOW - 50 * HOUR, 4, "churn", owner="operator"),
        "old": fire(NOW - 40 * 24 * HOUR, 4, "price"),
    }
    world.alerts.acknowledge(OPERATOR, kinds["pressure"].id)
    world.rows.clear(kinds["gone"], NOW)
    world.alerts.resolve(OPERATOR, kinds["old"].id, "", "noise")
    return {name: alert.id for name, alert in kinds.items()}


@pytest.fixture(scope="module")
def filled(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[World, dict[str, int]]]:
    """One world for all filters, and the ids of its alerts."""
    home = tmp_path_factory.mktemp("alerts")
    settings = Settings(home_dir=home, secret_key="k7!" + "Zq3xW9vB" * 5)
    with contextmanager(open_stores)(settings, Clock()) as stores:
        world = made(stores)
        yield world, fill(world)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, "hot pressure gone drift"),
        ({"state": "unacknowledged"}, "hot gone drift"),
        ({"state": "acknowledged"}, "pressure"),
        ({"state": "active"}, "hot pressure drift"),
        ({"state": "cleared"}, "gone"),
        ({"state": "resolved"}, "old"),
        ({"state": "all"}, "hot pressure gone drift old"),
        ({"source": "model"}, "drift"),
        ({"severity": "high"}, "pressure"),
        ({"device": "wh-1"}, "hot pressure"),
        ({"model": "wh-1"}, ""),
        ({"model": "churn"}, "drift"),
        ({"model": "churn", "source": "device"}, ""),
        ({"metric": "offline_min"}, "gone"),
        ({"rule": "input-shift", "state": "all"}, "drift old"),
        ({"owner": "me"}, "drift"),
        ({"owner": "nobody"}, "hot pressure gone"),
        ({"age": "24h"}, "hot pressure gone"),
        ({"age": "7d", "source": "model"}, "drift"),
        ({"text": "WH-1 tank"}, "hot"),
        ({"text": "100%"}, "hot"),
        ({"text": "%%"}, ""),
        ({"sort": "raised"}, "drift gone pressure hot"),
        ({"sort": "raised", "descending": True}, "hot pressure gone drift"),
        ({"page_size": 3, "page": 2}, "drift"),
        ({"page_size": 3, "page": 9}, "drift"),
    ],
)
def test_filters_choose(
    filled: tuple[World, dict[str, int]], query: dict[str, Any], found: str
) -> None:
    """Each filter and order gives the alerts it names, worst first by default."""
    world, ids = filled

    assert world.ids(**query) == [ids[name] for name in found.split()]


def test_counts_say_what_the_filters_find(world: World) -> None:
    """Each count equals the length of its list; severities those of the state."""
    fill(world)
    view = world.alerts.page(VIEWER, AlertsQuery(state="unacknowledged"))
    for state, count in view.counts.items():
        assert count == len(world.ids(state=state)), state

    assert view.severities == {"critical": 1, "high": 0, "medium": 1, "low": 1}
    assert (view.size, view.found, view.pages) == (5, 3, 1)
    assert view.metrics == ("drift_psi", "offline_min", "pressure_bar", "temperature_c")
    assert view.owners == ("operator",)
    badge = world.alerts.badge(VIEWER)
    assert (badge.total, badge.urgent, badge.counts) == (3, 1, view.severities)


def test_pages_for_programs_meet(world: World) -> None:
    """Newest first, by pages that neither overlap nor leave one out."""
    for i in range(7):
        world.rows.fire(NOW - HOUR * (i // 2), subject=f"wh-{i}")
    found, before = [], None
    for _ in range(4):
        part, more = world.alerts.after(VIEWER, AlertsQuery(), before, 2)
        found += [a.id for a in part]
        before = part[-1].raised_at, part[-1].id

    assert found == world.ids(sort="raised", descending=True)
    assert not more


@pytest.mark.parametrize(
    "query",
    [
        {"state": "odd"}, {"sort": "odd"}, {"source": "cloud"}, {"severity": "bad"},
        {"age": "2h"}, {"page": 0}, {"model": "a", "device": "b"},
    ],
)  # fmt: skip
def test_a_query_that_cannot_be_is_named(query: dict[str, Any]) -> None:
    """Unknown words and pages are refused with what there is."""
    with pytest.raises(InvalidInput):
        AlertsQuery(**query)


def test_detail_has_the_past_of_its_kind(world: World) -> None:
    """Own history newest first, and the other alerts of the rule and subject."""
    before = world.rows.fire(NOW - 9 * HOUR)
    world.alerts.resolve(OPERATOR, before.id, "loose wire", "useful")
    world.rows.fire(NOW - 8 * HOUR, subject="wh-2")
    alert = world.rows.fire(NOW - HOUR)
    world.rows.clear(alert, NOW)
    view = world.alerts.detail(VIEWER, alert.id)

    assert [e.kind for e in view.events] == ["cleared", "activated"]
    assert [a.id for a in view.siblings] == [before.id]
    assert view.sibling_events[0].text == "useful: loose wire"
    assert view.evidence.threshold == 75
    assert len(view.evidence.points) > 20


def test_the_token_stands_still_until_something_happens(world: World) -> None:
    """It changes with every event, of all alerts or of one."""
    alert = world.rows.fire(NOW - HOUR)
    tokens = world.alerts.token(VIEWER), world.alerts.token(VIEWER, alert.id)
    assert tokens == (
        world.alerts.token(VIEWER), world.alerts.token(VIEWER, alert.id),
    )  # fmt: skip
    world.alerts.acknowledge(OPERATOR, alert.id)

    assert world.alerts.token(VIEWER) != tokens[0]
    assert world.alerts.token(VIEWER, alert.id) != tokens[1]


@given(st.text(max_size=300))
def test_a_cleaned_text_has_no_control_character(words: str) -> None:
    """Whatever is typed, only tabs and line breaks of the controls are kept."""
    kept = cleaned("note", words)

    assert all(c >= " " or c in "\n\t" for c in kept)
    assert not set(kept) & set("\x7f\x85\u202e\u2066\ud800")
    assert cleaned("note", kept) == kept


def test_evidence_that_is_damaged_is_left_out(stores: Stores) -> None:
    """Wrong kinds give an empty picture, never an error."""
    alert = AlertRows(stores.device_store._engine).fire(NOW)
    bad = {"points": [1, ["x", 1], ["2026-01-01", None], [None]], "threshold": "hot",
           "band": [1], "operator": None}  # fmt: skip
    found = evidence_of(replace(alert, evidence=bad))

    assert [value for _, value in found.points] == [None]
    assert (found.threshold, found.low, found.operator) == (None, None, "")
