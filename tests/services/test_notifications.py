"""What the Notifications page is told: routes, deliveries, another try."""

from __future__ import annotations

from datetime import timedelta

import pytest

from data.report_records import Try
from services.errors import Conflict, Forbidden, InvalidInput, NotFound
from services.mail import MailServer
from tests.conftest import ADMIN, NOW, OPERATOR
from tests.services.notify_world import World, open_world


@pytest.fixture
def world(stores) -> World:
    """Notifications on empty stores."""
    return open_world(stores)


def give_up(world: World) -> int:
    """Let the newest parcel fail; its id."""
    parcel = world.parcels()[-1]
    claimed = world.outbox.claim([parcel], NOW, NOW + timedelta(minutes=1))
    world.outbox.failed(claimed, Try(0, NOW, False, "550 No", 12), None)
    return parcel.id


def test_an_empty_installation_says_what_is_off(world: World):
    """No route, no delivery, no mail server; the hosts are those of the settings."""
    view = world.notifications.view(ADMIN)

    assert (view.routes, view.deliveries, view.more) == ((), (), False)
    assert view.mail_from is None
    assert view.webhook_hosts == ("hooks.example",)


def test_deliveries_are_listed_with_route_and_attempts(world: World):
    """Newest first, by state, with the words of every attempt."""
    world.route()
    world.raised()
    world.raised(subject="wh-2")
    failed = give_up(world)
    view = world.notifications.view(ADMIN)
    (only,) = world.notifications.view(ADMIN, "failed").deliveries

    assert [d.parcel.state for d in view.deliveries] == ["failed", "waiting"]
    assert view.counts == {"failed": 1, "waiting": 1}
    assert (only.parcel.id, only.route_name) == (failed, "Duty")
    assert [(t.answer, t.took_ms) for t in only.tries] == [("550 No", 12)]


def test_the_list_goes_on_page_by_page(world: World):
    """Older than the last one of the page before, without a gap."""
    world.route()
    for number in range(7):
        world.raised(subject=f"wh-{number}")
    ids, before = [], None
    while page := world.notifications.deliveries(ADMIN, before=before, limit=3):
        ids += [d.parcel.id for d in page]
        before = ids[-1]

    assert ids == sorted((p.id for p in world.parcels()), reverse=True)


def test_a_delivery_that_failed_is_tried_again(world: World):
    """It starts anew, once; what has not failed cannot."""
    world.route()
    world.raised()
    failed = give_up(world)
    world.notifications.retry(ADMIN, failed)
    (parcel,) = world.parcels()

    assert (parcel.state, parcel.tries, parcel.ended_at) == ("waiting", 0, None)
    assert world.stores.audit.lines(ADMIN)[0].action == "delivery.retry"
    with pytest.raises(Conflict):
        world.notifications.retry(ADMIN, failed)
    with pytest.raises(NotFound):
        world.notifications.retry(ADMIN, 999)


def test_a_state_that_is_none_is_refused(world: World):
    """The message names the states."""
    with pytest.raises(InvalidInput, match="waiting"):
        world.notifications.view(ADMIN, "lost")


def test_only_administrators_see_what_was_sent(world: World):
    """Neither the page nor another try is for others."""
    for call in (
        lambda: world.notifications.view(OPERATOR),
        lambda: world.notifications.deliveries(OPERATOR),
        lambda: world.notifications.retry(OPERATOR, 1),
    ):
        with pytest.raises(Forbidden):
            call()


def test_the_senders_address_is_shown(stores):
    """Where mail is on, the page says from whom it comes."""
    server = MailServer("127.0.0.1", 25, "iotsphere@plant.example", "none")
    view = open_world(stores, server).notifications.view(ADMIN)

    assert view.mail_from == "iotsphere@plant.example"
