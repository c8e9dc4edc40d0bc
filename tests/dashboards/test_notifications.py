"""The Notifications tab: empty, normal and hostile views; the form's values."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from dashboards.admin import notifications as tab
from dashboards.route_form import FIELDS, form, shown
from dashboards.route_words import what, when
from data.report_records import Parcel, Try
from services.notifications import Delivery, NotificationsView
from services.notify_routes import RouteView, Tested
from services.notify_spec import parse
from services.units import Preferences

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
EMPTY = NotificationsView(NOW, (), (), False, None, {}, None, ())
HOSTILE = "<script>alert(1)</script>\u202e" + "x" * 10_000
HOOK = RouteView(
    3, "Chat", "webhook", True,
    parse("webhook", {"targets": ["https://hooks.example/services/secret-path"]}),
    2, "ada", NOW,
)  # fmt: skip


def drawn(*components) -> str:
    """Components as text."""
    plain = lambda part: part.to_plotly_json()  # noqa: E731
    return json.dumps([c.to_plotly_json() for c in components], default=plain)


def view(**changes) -> NotificationsView:
    """A view with these changes."""
    return replace(EMPTY, **changes)


def test_an_empty_page_says_what_to_do():
    """No route yet, and which settings switch sending on."""
    text = drawn(*tab.body(EMPTY, Preferences()))

    for words in ("Nobody is told", "IOTSPHERE_SMTP_HOST", "IOTSPHERE_WEBHOOK_HOSTS"):
        assert words in text


def test_of_a_webhook_only_the_host_is_listed():
    """The path is a secret of the receiver; the form alone has it."""
    text = drawn(*tab.body(view(routes=(HOOK,)), Preferences()))

    assert "hooks.example" in text
    assert "secret-path" not in text
    assert "secret-path" in drawn(form(HOOK, Preferences()))


@pytest.mark.parametrize(
    ("state", "again"), [("failed", True), ("sent", False), ("waiting", False)]
)
def test_only_what_failed_can_be_tried_again(state, again):
    """Its button shows; the reason stands beside."""
    parcel = Parcel("k", "mail", "a@b.example", "S", {}, NOW, NOW, state=state,
                    reason="550 No such user", id=7)  # fmt: skip
    row = Delivery(parcel, "Duty", (Try(7, NOW, state == "sent", "250 taken", 31),))
    text = drawn(*tab.body(view(deliveries=(row,)), Preferences()))

    assert ('"hidden": false' in text) is again
    assert ("250 taken" if state == "sent" else "550 No such user") in text
    assert "31 ms" in text


def test_hostile_texts_are_cut_and_stay_text():
    """Names of any length keep the page readable."""
    route = replace(HOOK, name=HOSTILE)
    parcel = Parcel("k", "mail", HOSTILE, HOSTILE, {}, NOW, NOW, reason=HOSTILE)
    row = Delivery(parcel, HOSTILE, ())
    text = drawn(tab.body(view(deliveries=(row,)), Preferences())[1])
    tested = drawn(tab.tested(HOSTILE, [Tested(HOSTILE, False, HOSTILE)], "mail"))

    assert "x" * 200 not in text + tested
    assert "<script>" in text
    assert drawn(form(route, Preferences()))


def test_a_route_is_told_in_words():
    """Filters, quiet hours and digest as one reads them."""
    quiet = {"start": "22:00", "end": "07:00", "zone": "Europe/Berlin", "days": [0, 6]}
    spec = parse("mail", {
        "targets": ["a@b.example"], "severities": ["critical"], "sources": ["device"],
        "buildings": ["A", "B"], "quiet": quiet, "digest_minutes": 15,
        "recovery": False,
    })  # fmt: skip

    assert what(spec) == "Critical of heaters (A, B)"
    assert when(spec).startswith("Every 15 min; quiet 22:00")
    assert "Mon, Sun Europe/Berlin" in when(spec)


def test_the_form_holds_what_the_route_says():
    """Every field has a value; a new route begins with what is usual."""
    for route in (None, HOOK):
        values = shown(route, Preferences())
        assert set(values) == {field.name for field in FIELDS}
    assert shown(HOOK, Preferences())["targets"].endswith("secret-path")
    assert shown(None, Preferences())["options"] == [
        "enabled", "recovery", "critical_at_once",
    ]  # fmt: skip


def test_a_secret_is_shown_with_a_button_that_copies_it():
    """And with the word that it is not shown again."""
    text = drawn(tab.new_secret("Chat", "ab" * 32))

    assert "ab" * 32 in text
    assert "not shown again" in text
