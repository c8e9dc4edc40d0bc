"""The Alerts tab through the door: address, filters, quiet timer, forms, who may."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from callbacks.alert_actions import ticked
from callbacks.monitoring.alerts import CONTROLS, read_alert, read_query
from dashboards.registry import heater_tab, monitoring_tab
from data.alert_records import Alert
from services.alert_views import AlertsQuery
from services.errors import InvalidInput, NotFound
from settings import Settings
from tests.alert_rows import AlertRows
from tests.conftest import NOW, Clock, open_stores
from tests.portal import Portal, call, filled, open_portal

TABS = (
    heater_tab("fleet", "Fleet", "fleet.read", "/heaters"),
    monitoring_tab("alerts", "Alerts", "alert.read"),
)
LIST, GOTO, TOKEN = "alerts-list.children", "alerts-goto.search", "alerts-token.data"
SEARCH, TICK = "shell-location.search", "alerts-tick.n_intervals"
PRESS, CONFIRM = "alerts-dialog-title.children", "alerts-message.children@"
BADGE = "shell-badge.children"
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """The application with the Alerts tab, on real stores."""
    home = tmp_path_factory.mktemp("alerts")
    settings = Settings(home_dir=home, secret_key="k7!" + "Zq3xW9vB" * 5)
    with (
        contextmanager(open_stores)(settings, Clock()) as stores,
        open_portal(stores, TABS) as portal,
    ):
        yield portal


@pytest.fixture
def rows(site: Portal) -> AlertRows:
    """Who writes alerts as the evaluation does."""
    return AlertRows(site.identity.engine)


@pytest.fixture
def alert(rows: AlertRows, request: pytest.FixtureRequest) -> Alert:
    """An open alert of the test's own."""
    return rows.fire(NOW - HOUR, subject=f"s-{request.node.name[:40]}")


def answer(site: Portal, who: str, output: str, values: dict[str, Any], cause: str):
    """The answer of a callback to somebody's browser."""
    return call(site, site.browser(who), output, values, [cause])


def drawn(site: Portal, search: str, who: str = "vera", cause: str = SEARCH) -> Any:
    """What the tab's callback answers for an address; no box is ticked."""
    key = next(k for k in site.app.callback_map if LIST in k)
    spec = site.app.callback_map[key]
    held = {SEARCH: search}
    return sent(
        site,
        who,
        key,
        [filled(item, held) for item in spec["inputs"]],
        [
            [] if item["id"].startswith("{") else filled(item, held)
            for item in spec["state"]
        ],
        cause,
    )


def sent(
    site: Portal, who: str, key: str, inputs: list[Any], state: list[Any], cause: str
) -> Any:
    """The answer of a callback some of whose parts are many."""
    outputs = site.app.callback_map[key]["output"]
    body = {
        "output": key,
        "outputs": [
            {"id": o.component_id, "property": o.component_property} for o in outputs
        ],
        "inputs": inputs,
        "state": state,
        "changedPropIds": [cause],
    }
    client = site.browser(who)
    token = client.get_cookie("csrf_access_token")
    headers = {"X-CSRF-TOKEN": token.value} if token else {}
    return client.post("/_dash-update-component", json=body, headers=headers)


def test_the_address_is_the_state() -> None:
    """Every part of the query stands in the address."""
    address = (
        "?state=all&source=device&severity=high&device=wh-1&metric=power_w&rule=r"
        "&owner=me&age=7d&q=a%20b&sort=-raised&page=3"
    )

    assert read_query("") == AlertsQuery()
    assert read_query(address) == AlertsQuery(
        "all", "device", "high", "", "wh-1", "power_w", "r", "me", "7d", "a b",
        "raised", True, 3,
    )  # fmt: skip
    assert read_query("?model=churn").model == "churn"
    with pytest.raises(InvalidInput):
        read_query("?page=²")


@pytest.mark.parametrize("number", ["x", "²", "-1", "9" * 30, "1.5"])
def test_the_number_of_no_alert(site: Portal, number: str) -> None:
    """What cannot be a number leads to a word and the way back, never to an error."""
    with pytest.raises(NotFound):
        read_alert(f"?alert={number}")
    text = drawn(site, f"?alert={number}").text

    assert "There is no alert" in text
    assert "All alerts" in text


@pytest.mark.parametrize("search", ["?page=x", "?sort=no", "?state=odd", "?age=1y"])
def test_a_wrong_address_is_named_in_place(site: Portal, search: str) -> None:
    """An address that cannot be answered gives a message and a way back."""
    text = drawn(site, search).text

    assert "must be" in text
    assert "Show open alerts" in text


def test_the_list_follows_the_address(site: Portal, alert: Alert) -> None:
    """The text narrows the rows; the controls show what the address says."""
    found = drawn(site, f"?q={alert.subject}&owner=nobody").get_json()["response"]
    text = json.dumps(found["alerts-list"])

    assert "1 alert" in text
    assert alert.message in text
    assert found["alerts-text"]["value"] == alert.subject
    assert found["alerts-owner"]["value"] == "nobody"
    assert found["alerts-bar"]["hidden"] is False


def test_views_take_the_place_of_the_list(site: Portal, alert: Alert) -> None:
    """Patterns are drawn, that of rules keeps its own place, filters are put away."""
    patterns = drawn(site, "?view=patterns").get_json()["response"]
    rules = drawn(site, "?view=rules&rule=x&threshold=9").get_json()["response"]

    assert "Activations by day" in json.dumps(patterns["alerts-list"])
    assert alert.rule_name in json.dumps(patterns["alerts-list"])
    assert patterns["alerts-bar"]["hidden"] is True
    assert patterns["alerts-rules"]["hidden"] is True
    assert rules["alerts-list"]["children"] is None
    assert rules["alerts-rules"]["hidden"] is False
    assert "period must be" in drawn(site, "?view=patterns&period=2d").text


def test_nothing_is_sent_while_nothing_happens(site: Portal, rows: AlertRows) -> None:
    """The timer is answered with nothing until an event comes, then with a token."""
    held = answer(site, "vera", TOKEN, {}, TICK).get_json()["response"]
    token = held["alerts-token"]["data"]
    assert answer(site, "vera", TOKEN, {TOKEN: token}, TICK).status_code == 204
    assert answer(site, "vera", TOKEN, {SEARCH: "?view=rules"}, TICK).status_code == 204
    rows.fire(NOW, subject="news")
    told = answer(site, "vera", TOKEN, {TOKEN: token}, TICK)

    assert told.get_json()["response"]["alerts-token"]["data"] != token
    assert len(told.data) < 200


def test_an_open_alert_is_renewed_in_parts(site: Portal, alert: Alert) -> None:
    """News redraw head, facts and history; the chart and the reader's place stay."""
    search = f"?alert={alert.id}"
    whole = drawn(site, search).get_json()["response"]
    found = drawn(site, search, cause=TOKEN).get_json()
    parts = found["sideUpdate"]

    assert "alerts-evidence" in json.dumps(whole["alerts-list"])
    assert set(parts) == {"alerts-head", "alerts-facts", "alerts-history"}
    assert "alerts-list" not in found.get("response", {})
    assert drawn(site, "?view=patterns", cause=TOKEN).status_code == 204


def test_ticks_are_kept_when_the_list_is_drawn_anew() -> None:
    """What a browser says of boxes is read with care."""
    ids = [{"alert": 3}, {"alert": 4}, {"alert": "5"}, {}, None]

    assert ticked([True, False, True, True, True], ids) == [3]
    assert ticked([], []) == []


def test_a_service_that_fails_leaves_a_message(
    site: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unforeseen error becomes a reference, in every view; the frame stands."""

    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("secret_canary")

    for name in ("page", "detail", "badge"):
        monkeypatch.setattr(site.services.alerts, name, broken)
    monkeypatch.setattr(site.services.alert_patterns, "of", broken)
    for search in ("", "?alert=3", "?view=patterns"):
        text = drawn(site, search).text
        assert "Reference" in text
        assert "secret_canary" not in text
    page = answer(
        site, "vera", "shell-rail.children",
        {"shell-location.pathname": "/monitoring/alerts"}, "shell-location.pathname",
    )  # fmt: skip
    assert "Model monitoring" in page.text
    assert answer(site, "vera", BADGE, {}, "shell-badge-tick.n_intervals").text == ""


def test_a_filter_writes_the_address(site: Portal) -> None:
    """A chosen filter is added, the page is dropped, the state is kept."""
    held = {f"{part}.value": "*" for part in CONTROLS}
    held |= {"alerts-text.value": "", "alerts-sort.value": "worst"}
    held |= {"alerts-source.value": "model", SEARCH: "?state=all&page=4"}
    found = answer(site, "vera", GOTO, held, "alerts-source.value").get_json()

    assert found["response"]["alerts-goto"]["search"] == "?state=all&source=model"
    for search in ("?source=model", "?alert=3", "?view=rules"):
        same = answer(
            site, "vera", GOTO, held | {SEARCH: search}, "alerts-source.value"
        )
        assert same.status_code == 204


def pressed(
    site: Portal,
    who: str,
    action: str,
    *chosen: Alert,
    on: str = "chosen",
    clicks: int | None = 1,
    search: str = "",
) -> Any:
    """What a button answers."""
    key = next(k for k in site.app.callback_map if PRESS in k)
    part = {"action": action, "on": on, "role": "alerts-act"}
    cause = json.dumps(part, sort_keys=True, separators=(",", ":")) + ".n_clicks"
    boxes = [{"alert": a.id, "role": "alerts-pick"} for a in chosen]

    def many(prop: str, values: list[Any]) -> list[dict[str, Any]]:
        return [
            {"id": box, "property": prop, "value": value}
            for box, value in zip(boxes, values, strict=True)
        ]

    return sent(
        site,
        who,
        key,
        [
            [{"id": part, "property": "n_clicks", "value": clicks}],
            {"id": "alerts-cancel", "property": "n_clicks", "value": None},
        ],
        [
            many("value", [True] * len(boxes)),
            many("id", boxes),
            {"id": "shell-location", "property": "search", "value": search},
        ],
        cause,
    )


def confirmed(site: Portal, who: str, asked: Any, **typed: str) -> Any:
    """What the form answers."""
    values = {f"alerts-{name}.value": value for name, value in typed.items()}
    values |= {"alerts-confirm.n_clicks": 1, "alerts-dialog-asked.data": asked}
    return answer(site, who, CONFIRM, values, "alerts-confirm.n_clicks")


def test_acknowledging_the_chosen_needs_no_form(site: Portal, rows: AlertRows) -> None:
    """Both are done, said, and the list is drawn anew; a second time is harmless."""
    pair = [rows.fire(NOW, subject=f"bulk-{i}") for i in range(2)]
    done = pressed(site, "otto", "acknowledge", *pair)

    assert "alerts-changed" in done.get_json()["response"]
    assert "2 alerts are acknowledged." in done.text
    assert [rows.log.get(a.id).acknowledged_by for a in pair] == ["otto"] * 2
    assert "2 alerts are" in pressed(site, "otto", "acknowledge", *pair).text


def test_a_button_that_nobody_pressed_does_nothing(site: Portal, alert: Alert) -> None:
    """Drawn anew it has no click; without an alert there is a word."""
    assert pressed(site, "otto", "acknowledge", alert, clicks=None).status_code == 204
    assert "Choose an alert first" in pressed(site, "otto", "acknowledge").text
    assert "no such action" in pressed(site, "otto", "delete", alert).text


def test_the_form_asks_what_the_action_needs(site: Portal, alert: Alert) -> None:
    """Resolve asks verdict and note; assigning offers oneself first."""
    search = f"?alert={alert.id}"
    resolve = pressed(site, "otto", "resolve", on="one", search=search).get_json()
    assign = pressed(site, "otto", "assign", on="one", search=search).get_json()
    form, other = resolve["response"], assign["response"]

    assert form["alerts-dialog"]["is_open"] is True
    assert form["alerts-verdict-box"]["hidden"] is False
    assert form["alerts-until-box"]["hidden"] is True
    assert form["alerts-dialog-asked"]["data"] == {
        "action": "resolve", "ids": [alert.id], "version": 1,
    }  # fmt: skip
    assert other["alerts-to"]["options"][0] == {"label": "otto (you)", "value": "otto"}
    assert [o["value"] for o in other["alerts-to"]["options"]] == [
        "otto", "ada", "vera", "-",
    ]  # fmt: skip


def test_the_form_does_it(site: Portal, rows: AlertRows, alert: Alert) -> None:
    """Shelve, take back by resolving with a verdict, and what was typed is kept."""
    asked = {"action": "shelve", "ids": [alert.id], "version": 1}
    done = confirmed(site, "otto", asked, until="8h", words="spare part")
    shelved = rows.log.get(alert.id)

    assert done.get_json()["response"]["alerts-dialog"]["is_open"] is False
    assert shelved.shelved_until == NOW + timedelta(hours=8)
    asked = {"action": "resolve", "ids": [alert.id], "version": 2}
    confirmed(site, "otto", asked, words="done", verdict="useful")
    ended = rows.log.get(alert.id)
    assert (ended.verdict, ended.note, ended.shelved_until) == ("useful", "done", None)


def test_a_form_that_is_refused_stays_open(site: Portal, alert: Alert) -> None:
    """A missing reason is named; a version that is old as well, and asked again."""
    asked = {"action": "shelve", "ids": [alert.id], "version": 1}
    empty = confirmed(site, "otto", asked, until="1h", words=" ").get_json()
    assert "reason is needed" in json.dumps(empty["response"])
    assert "alerts-dialog" not in empty["response"]

    asked = {"action": "comment", "ids": [alert.id], "version": 7}
    stale = confirmed(site, "otto", asked, words="x").get_json()
    assert "look again" in json.dumps(stale["response"])
    again = stale["sideUpdate"]["alerts-dialog-asked"]["data"]
    assert "is commented" in confirmed(site, "otto", again, words="x").text


@pytest.mark.parametrize(
    "asked",
    [None, [], {"action": "shelve"}, {"action": "x", "ids": [1]},
     {"action": "shelve", "ids": ["1"]}, {"action": "shelve", "ids": [True]}],
)  # fmt: skip
def test_a_form_about_nothing_is_refused(site: Portal, asked: Any) -> None:
    """What a browser made up is told so."""
    text = confirmed(site, "otto", asked, until="1h", words="x").text

    assert "does not say which alerts" in text


def test_viewers_only_look(site: Portal, rows: AlertRows, alert: Alert) -> None:
    """Every button and the form refuse a viewer, and nothing changes."""
    asked = {"action": "comment", "ids": [alert.id]}

    assert pressed(site, "vera", "acknowledge", alert).status_code == 403
    assert confirmed(site, "vera", asked, words="x").status_code == 403
    assert rows.log.get(alert.id) == alert


def test_the_badge_is_live_and_quiet(site: Portal, rows: AlertRows) -> None:
    """It stands in the rail of every page; its timer speaks only when it changes."""
    tick, held = "shell-badge-tick.n_intervals", "shell-badge-held.data"
    rows.fire(NOW, subject="badge")
    found = answer(site, "vera", BADGE, {}, tick).get_json()["response"]
    counts = found["shell-badge-held"]["data"]
    page = answer(
        site, "vera", "shell-rail.children", {"shell-location.pathname": "/heaters"},
        "shell-location.pathname",
    )  # fmt: skip

    assert f"{sum(counts)} alerts need somebody" in json.dumps(found["shell-badge"])
    assert f"{sum(counts)} alerts need somebody" in page.text
    assert answer(site, "vera", BADGE, {held: counts}, tick).status_code == 204
