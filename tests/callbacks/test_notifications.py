"""The Notifications tab through the door: routes made, changed, tried, removed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from callbacks.route_form import placed, read_form
from dashboards.admin.notifications import IDS
from dashboards.registry import TABS as ALL
from dashboards.registry import admin_tab
from dashboards.route_form import FIELDS, shown
from dashboards.route_form import IDS as FORM
from data.report_records import Parcel, Try
from services.errors import InvalidInput
from services.units import Preferences
from settings import Settings
from tests.conftest import ADMIN, NOW, Clock, open_stores
from tests.portal import SAMPLES, Portal, call, open_portal

NOTIFICATIONS = admin_tab("notifications", "Notifications", "route.admin")
TABS = (*SAMPLES, NOTIFICATIONS)
BLANK = shown(None, Preferences())
NEW = {**BLANK, "name": "Duty", "targets": "duty@plant.example\nboss@plant.example"}


@pytest.fixture
def site(tmp_path) -> Iterator[Portal]:
    """The application; webhooks may lead to one host, mail is off."""
    settings = Settings(
        home_dir=tmp_path, secret_key="k7!" + "Zq3xW9vB" * 5,
        webhook_hosts="hooks.example",
    )  # fmt: skip
    with (
        contextmanager(open_stores)(settings, Clock()) as stores,
        open_portal(stores, TABS) as portal,
    ):
        yield portal


def save(site: Portal, who: str, values: dict, held=None, button: str = FORM.save):
    """Press a button of the form."""
    sent = {f"{field.id}.value": values[field.name] for field in FIELDS}
    sent |= {f"{button}.n_clicks": 1, f"{FORM.held}.data": held,
             f"{FORM.typed}.value": values["name"],
             "shell-location.search": "?edit=new&state=failed"}  # fmt: skip
    output = f"{IDS.form_goto}.search"
    return call(site, site.browser(who), output, sent, [f"{button}.n_clicks"])


def lists(site: Portal, search: str = "") -> str:
    """What the tab shows."""
    values = {"shell-location.search": search}
    return call(site, site.browser("ada"), f"{IDS.routes}.children", values).text


def test_the_tab_is_the_one_registered() -> None:
    """What is tested here is what people get."""
    assert NOTIFICATIONS in ALL


def test_a_route_is_made_on_the_page(site: Portal):
    """The form closes, the list has it, each address on its own."""
    assert "Nobody is told of alerts" in lists(site)
    answer = save(site, "ada", NEW)

    assert '"search":"?state=failed"' in answer.text.replace(": ", ":")
    (route,) = site.services.notifications.routes.list(ADMIN)
    assert route.spec.targets == ("duty@plant.example", "boss@plant.example")
    assert "Duty" in lists(site)


def test_a_wrong_value_is_told_beside_its_field(site: Portal):
    """In the words of the form, and nothing is saved."""
    answer = save(site, "ada", {**NEW, "targets": "nobody"})

    assert "Addresses, or the URL: 'nobody' is no mail address" in answer.text
    assert site.services.notifications.routes.list(ADMIN) == ()


def test_a_webhook_shows_its_secret_once(site: Portal):
    """After it was made and after a new one was asked for; not after a change."""
    values = {**NEW, "kind": "webhook", "targets": "https://hooks.example/x"}
    assert "not shown again" in save(site, "ada", values).text
    held = {"id": 1, "revision": 1, "name": "Duty", "kind": "webhook"}
    assert "not shown again" not in save(site, "ada", values, held).text
    held["revision"] = 2
    again = save(site, "ada", values, held, FORM.rotate).text
    assert "not shown again" in again


def test_two_who_edit_are_told_apart(site: Portal):
    """The second reads that the first was there; removing asks for the name."""
    save(site, "ada", NEW)
    held = {"id": 1, "revision": 1, "name": "Duty", "kind": "mail"}
    save(site, "ada", {**NEW, "digest_minutes": "5"}, held)
    late = save(site, "ada", NEW, held).text
    assert "was changed by ada meanwhile" in late
    held["revision"] = 2
    wrong = save(site, "ada", {**NEW, "name": "Other"}, held, FORM.remove).text
    assert "type its name" in wrong
    save(site, "ada", NEW, held, FORM.remove)
    assert site.services.notifications.routes.list(ADMIN) == ()


def test_the_test_button_shows_what_was_said(site: Portal):
    """Without a mail server the reason is the setting that is missing."""
    save(site, "ada", NEW)
    button = '{"key":"1","role":"notifications-test"}.n_clicks'
    answer = press(site, button)

    assert "IOTSPHERE_SMTP_HOST is not set" in answer.text
    assert "Failed 2" in lists(site)


def press(site: Portal, button: str):
    """Press a button of a row."""
    key = f"..{IDS.said}.children...{IDS.changed}.data.."
    name, _, prop = button.rpartition(".")
    one = {"id": json.loads(name), "property": prop, "value": 1}
    tests, retries = ([one], []) if "test" in name else ([], [one])
    browser = site.browser("ada")
    spec = site.app.callback_map[key]
    body = {
        "output": key,
        "outputs": [
            {"id": IDS.said, "property": "children"},
            {"id": IDS.changed, "property": "data"},
        ],
        "inputs": [tests, retries],
        "state": [{"id": IDS.changed, "property": "data", "value": 0}],
        "changedPropIds": [button],
    }
    assert len(spec["inputs"]) == 2
    token = browser.get_cookie("csrf_access_token")
    headers = {"X-CSRF-TOKEN": token.value if token else ""}
    return browser.post("/_dash-update-component", json=body, headers=headers)


def test_what_failed_is_tried_again_from_the_page(site: Portal):
    """The filter finds it; its button lets it start anew."""
    outbox = site.services.notifications._outbox
    with outbox.transaction() as tx:
        outbox.put(tx, Parcel("k", "mail", "a@b.example", "Sub", {}, NOW, NOW))
    claimed = outbox.claim(outbox.page(), NOW, NOW + timedelta(minutes=1))
    outbox.failed(claimed, Try(0, NOW, False, "550 No", 3), None)
    assert "550 No" in lists(site, "?state=failed")
    assert "550 No" not in lists(site, "?state=sent")
    answer = press(site, '{"key":"1","role":"notifications-retry"}.n_clicks')

    assert answer.status_code == 200
    assert [p.state for p in outbox.page()] == ["waiting"]


def test_a_state_that_is_none_is_an_error_on_the_page(site: Portal):
    """An odd address shows a message, not a blank."""
    assert "state must be one of" in lists(site, "?state=lost")


@pytest.mark.parametrize("who", ["vera", "otto"])
def test_others_are_refused(site: Portal, who: str):
    """Neither the lists nor the form are for them."""
    browser = site.browser(who)
    assert call(site, browser, f"{IDS.routes}.children", {}).status_code == 403
    assert save(site, who, NEW).status_code == 403


@pytest.mark.parametrize("edit", ["new", "1", "99", "x", "9" * 40])
def test_the_form_opens_from_the_address(site: Portal, edit: str):
    """A route that does not exist is told in the drawer."""
    save(site, "ada", NEW)
    answer = call(
        site, site.browser("ada"), f"{IDS.drawer}.is_open",
        {"shell-location.search": f"?edit={edit}"},
    ).text  # fmt: skip

    wanted = {"new": "Add a route", "1": "Edit Duty"}.get(edit, "Not possible")
    assert wanted in answer


def test_the_form_is_read_as_the_service_takes_it():
    """Lists by comma or line, times, numbers; what is no text is refused."""
    values = {
        **NEW, "buildings": "A, B,,", "quiet_start": "22:00", "quiet_end": "07:00",
        "quiet_days": [0], "digest_minutes": "15", "options": ["enabled"],
    }  # fmt: skip
    draft = read_form([values[f.name] for f in FIELDS], None)

    assert draft.spec["buildings"] == ["A", " B"]
    assert draft.spec["quiet"] == {
        "start": "22:00", "end": "07:00", "zone": "UTC", "days": [0],
    }  # fmt: skip
    assert (draft.spec["digest_minutes"], draft.spec["recovery"]) == (15, False)
    for name, value in (("name", {}), ("severities", "high"), ("digest_minutes", "x")):
        with pytest.raises(InvalidInput):
            read_form([{**values, name: value}[f.name] for f in FIELDS], None)


def test_a_message_finds_its_field():
    """By the name it begins with; others stand below the form."""
    below, beside = placed("quiet.end must be a time as 22:00.")
    assert below == "Some fields are not right."
    assert [b for b in beside if b] == ["until must be a time as 22:00."]
    assert placed("There are 200 routes: remove some.")[0].startswith("There are")
