"""The outbox is emptied: in turn, in groups, again after failures, never blocked."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from data.report_records import Parcel, Try
from services.mail import MailServer
from services.outgoing import delivery_id
from services.webhook_hosts import WebhookHosts
from services.webhooks import Webhooks
from tests.conftest import ADMIN, NOW
from tests.post_office import hanging, hook_server, mail_sink, reply
from tests.services.notify_world import World, open_world
from workers.outbox import LEASE, LONGEST_AGAIN_S, MOST_TRIES, again_after


@pytest.fixture
def hooks():
    """A web server."""
    with hook_server() as opened:
        yield opened


@pytest.fixture
def mails():
    """A mail server."""
    with mail_sink() as opened:
        yield opened


@pytest.fixture
def world(stores, hooks, mails) -> World:
    """Notifications that may call both servers."""
    server = MailServer("127.0.0.1", mails.port, "iotsphere@plant.example", "none")
    hosts = WebhookHosts(f"private:127.0.0.1:{hooks.port}")
    return open_world(stores, server, webhooks=Webhooks(hosts, total_s=1.5))


def hook(world: World, hooks, name: str = "Hook", path: str = "/in", **spec):
    """A route to the web server."""
    return world.route(
        name, "webhook", targets=[f"http://127.0.0.1:{hooks.port}{path}"], **spec
    )


def test_an_alert_arrives_by_mail_and_webhook(world: World, hooks, mails):
    """Raised and cleared are sent, written down, and say what and where."""
    world.route()
    hook(world, hooks)
    alert = world.raised(subject_name="<b>Boiler</b> & \u6e29")
    assert world.deliver() == 2
    world.tell(alert, "cleared")
    world.deliver()

    assert [str(m["Subject"]) for m in mails.mails] == [
        "[HIGH] <b>Boiler</b> & \u6e29: Too hot raised",
        "[HIGH] <b>Boiler</b> & \u6e29: Too hot cleared by itself",
    ]
    text = mails.mails[0].get_body(("plain",)).get_content()
    page = mails.mails[0].get_body(("html",)).get_content()
    assert f"https://iot.example/monitoring/alerts?alert={alert.id}" in text
    assert "What to do: Turn it off" in text
    assert "&lt;b&gt;Boiler&lt;/b&gt; &amp; \u6e29" in page
    assert "<b>" not in page
    first, second = (json.loads(h.body) for h in hooks.got)
    assert "&lt;b&gt;Boiler&lt;/b&gt; &amp; \u6e29" in first["text"]
    assert "<b>" not in json.dumps(first["blocks"])
    assert first["iotsphere"]["events"][0]["value"] == 76.5
    assert second["iotsphere"]["events"][0]["kind"] == "cleared"
    assert {p.state for p in world.parcels()} == {"sent"}
    tries = world.outbox.tries([p.id for p in world.parcels()])
    assert [t.ok for t in tries] == [True] * 4


def test_a_digest_is_one_message(world: World, hooks, mails):
    """What waited for the same period goes together; each part is written down."""
    world.route(digest_minutes=15)
    hook(world, hooks, digest_minutes=15)
    for number in range(12):
        world.raised(subject=f"wh-{number}", subject_name=f"Boiler {number}")
    assert world.deliver() == 0
    world.stores.clock.forward(minutes=15)
    assert world.deliver() == 2

    assert str(mails.mails[0]["Subject"]) == "[HIGH] 12 messages of alerts"
    text = mails.mails[0].get_body(("plain",)).get_content()
    assert all(f"Boiler {number}:" in text for number in range(12))
    told = json.loads(hooks.got[0].body)["iotsphere"]
    assert (told["count"], len(told["events"])) == (12, 12)
    assert [p.state for p in world.parcels()] == ["sent"] * 24


def test_a_failing_target_is_tried_again_and_then_given_up(world: World, hooks):
    """Ten tries, each later than the one before; the log has every answer."""
    hook(world, hooks)
    hooks.answer = lambda request: reply(request, 503)
    world.raised()
    waits = []
    for _ in range(MOST_TRIES):
        assert world.deliver() == 1
        (parcel,) = world.parcels()
        waits.append((parcel.next_at - world.stores.clock()).total_seconds())
        world.stores.clock.now = max(parcel.next_at, world.stores.clock())
    assert world.deliver() == 0

    (parcel,) = world.parcels()
    assert (parcel.state, parcel.reason) == ("failed", "answered 503")
    tries = world.outbox.tries([parcel.id])
    assert [t.answer for t in tries] == ["answered 503"] * MOST_TRIES
    assert len({h.headers["x-iotsphere-delivery"] for h in hooks.got}) == 1
    assert all(late > early for early, late in pairwise(waits[:-1]))


def test_waits_grow_to_an_hour_and_are_spread():
    """Ten seconds, doubled, at most an hour, a fifth more or less."""
    waits = [again_after(tries, 0.0) for tries in range(1, MOST_TRIES)]
    assert waits[:3] == [timedelta(seconds=s) for s in (10, 20, 40)]
    assert max(w.total_seconds() for w in waits if w) <= LONGEST_AGAIN_S
    assert again_after(1, 1.0) == timedelta(seconds=12)
    assert again_after(1, -1.0) == timedelta(seconds=8)
    assert again_after(MOST_TRIES, 0.0) is None


def test_a_final_refusal_is_not_tried_again(world: World, hooks, mails):
    """An unknown recipient fails with the server's words; others get their mail."""
    mails.refuse["gone@plant.example"] = "550 5.1.1 No such user here"
    world.route(targets=["gone@plant.example", "duty@plant.example"])
    world.raised()
    world.deliver()

    states = {p.target: (p.state, p.reason) for p in world.parcels()}
    assert states == {
        "gone@plant.example": ("failed", "550 5.1.1 No such user here"),
        "duty@plant.example": ("sent", ""),
    }


def test_slow_targets_block_nobody_else(world: World, hooks, mails):
    """While one hangs with many messages waiting, the others get theirs."""
    hook(world, hooks, "Slow", "/slow")
    hook(world, hooks, "Quick", "/quick")
    world.route()

    def answer(request):
        if request.path == "/slow":
            hanging(request)
        reply(request, 200)

    hooks.answer = answer
    for number in range(8):
        world.raised(subject=f"wh-{number}")
    began = time.monotonic()
    while len(mails.mails) < 8 or sum(h.path == "/quick" for h in hooks.got) < 8:
        world.loop.step()
        time.sleep(0.005)
        assert time.monotonic() - began < 40
    slow = [h for h in hooks.got if h.path == "/slow"]

    assert len(slow) <= 1 + int((time.monotonic() - began) / 1.5)
    assert world.loop.wait(10)


def test_at_most_one_delivery_of_a_target_is_under_way(world: World, hooks):
    """A second look finds nothing to start while the first message is being sent."""
    hook(world, hooks)
    hooks.answer = lambda request: (time.sleep(0.4), reply(request, 200))[0]
    for number in range(3):
        world.raised(subject=f"wh-{number}")

    assert [world.loop.step(), world.loop.step()] == [1, 0]
    assert world.loop.wait(5)


def test_what_somebody_else_has_claimed_is_not_sent_twice(world: World, mails):
    """Until the lease ends it is theirs; afterwards it is due again."""
    world.route()
    world.raised()
    (parcel,) = world.parcels()
    claimed = world.outbox.claim([parcel], NOW, NOW + LEASE)
    assert world.outbox.claim([parcel], NOW, NOW + LEASE) == []
    assert world.deliver() == 0

    world.stores.clock.now = NOW + LEASE
    assert world.deliver() == 1
    # The one who was slow writes too late to undo what the other has done.
    attempt = Try(parcel.id, NOW, False, "too late", 1)
    world.outbox.failed(claimed, attempt, NOW)
    assert [p.state for p in world.parcels()] == ["sent"]
    assert len(mails.mails) == 1


def test_a_digest_of_a_killed_sender_is_sent_again_as_it_was(world: World, hooks):
    """What came later makes a message of its own, so the repeat keeps its id."""
    hook(world, hooks, digest_minutes=1)
    world.raised()
    world.raised(subject="wh-2")
    at = world.stores.clock.now = NOW + timedelta(minutes=1)
    head = world.parcels()[0]
    mates = world.outbox.mates(head, at, 100)
    world.outbox.claim(mates, at, at + LEASE)
    world.raised(subject="wh-3")
    world.stores.clock.now = at + LEASE
    world.deliver()

    counts = [json.loads(h.body)["iotsphere"]["count"] for h in hooks.got]
    assert counts == [2, 1]
    assert hooks.got[0].headers["x-iotsphere-delivery"] == delivery_id(mates)


def test_a_parcel_of_a_report_is_sent_as_it_is(world: World, mails):
    """Text and subject are those of who made it; a file that is gone ends it."""
    parcel = Parcel(
        key="report:r1:a@b.example", kind="mail", target="a@b.example",
        subject="Weekly report", body={"text": "Here it is."}, made_at=NOW, next_at=NOW,
    )  # fmt: skip
    gone = replace(parcel, key="report:r2:a@b.example", report_id="r2")
    with world.outbox.transaction() as tx:
        assert world.outbox.put(tx, parcel) is not None
        assert world.outbox.put(tx, parcel) is None
        world.outbox.put(tx, gone)
    world.deliver()

    assert str(mails.mails[0]["Subject"]) == "Weekly report"
    assert "Here it is." in mails.mails[0].get_content()
    assert [(p.state, p.reason) for p in world.parcels()] == [
        ("sent", ""), ("failed", "the report's file is gone"),
    ]  # fmt: skip


def test_our_own_fault_is_an_attempt_too(world: World, hooks, monkeypatch):
    """An error that nobody expected is written down and tried again later."""
    hook(world, hooks)
    world.raised()

    def broken(*_args):
        raise KeyError("x")

    monkeypatch.setattr(world.sender, "send", broken)
    world.deliver()

    (parcel,) = world.parcels()
    assert (parcel.state, parcel.reason) == ("waiting", "our fault: KeyError")


def test_long_keys_stay_different(world: World):
    """A key longer than its column ends in its hash."""
    made = []
    with world.outbox.transaction() as tx:
        for end in ("a", "b", "a"):
            parcel = Parcel(
                key="report:" + "x" * 300 + end, kind="mail", target="a@b.example",
                subject="s", body={}, made_at=NOW, next_at=NOW,
            )  # fmt: skip
            made.append(world.outbox.put(tx, parcel))

    assert [m is None for m in made] == [False, False, True]
    assert all(len(p.key) == 160 for p in world.parcels())


@pytest.mark.postgres
def test_it_is_the_same_on_postgres(postgres_stores, hooks, mails) -> None:
    """Raised, gathered, sent, ended and tried again on the other database."""
    server = MailServer("127.0.0.1", mails.port, "iotsphere@plant.example", "none")
    hosts = WebhookHosts(f"private:127.0.0.1:{hooks.port}")
    world = open_world(postgres_stores, server, webhooks=Webhooks(hosts))
    world.route(digest_minutes=15)
    hook(world, hooks)
    alert, other = world.raised(), world.raised(subject="wh-2")
    world.deliver()
    world.tell(alert, "cleared")
    world.tell(other, "resolved")
    world.stores.clock.forward(minutes=15)
    world.deliver()

    assert world.kinds("dropped") == ["activated", "activated"]
    assert [len(mails.mails), len(hooks.got)] == [1, 4]
    mails.refuse["duty@plant.example"] = "550 No"
    (tested,) = world.routes.test(ADMIN, 1)
    failed = world.parcels("failed")[0].id
    world.notifications.retry(ADMIN, failed)
    assert (tested.ok, world.parcels("waiting")[0].id) == (False, failed)
    world.close()
