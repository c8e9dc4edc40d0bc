"""Routes: every bad value is named, secrets are told once, changes are audited."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select

from data.alert_tables import notify_routes, outbox
from data.session import open_engine, reading
from data.tables import audit
from services.errors import Conflict, Forbidden, InvalidInput, NotFound
from services.mail import MailServer
from services.notify_routes import RouteDraft
from tests.conftest import ADMIN, OPERATOR, SYSTEM, VIEWER
from tests.post_office import mail_sink
from tests.services.notify_world import HOOK, World, open_world

MAIL = {"targets": ["duty@plant.example"]}
QUIET = {"start": "22:00", "end": "07:00", "zone": "Europe/Berlin", "days": [0, 6]}


@pytest.fixture
def world(stores) -> World:
    """Notifications on empty stores."""
    return open_world(stores)


def save(world: World, **spec):
    """Save a mail route with these values."""
    return world.routes.save(ADMIN, RouteDraft("Duty", "mail", {**MAIL, **spec}))


def test_a_route_comes_back_as_it_was_saved(world: World):
    """Every field is kept; order and doubles of lists do not matter."""
    made = save(
        world, severities=["low", "critical", "low"], buildings=[" A ", ""],
        quiet=QUIET, digest_minutes=15, recovery=False, critical_at_once=False,
        device_types=["gas"], model_tags=["money"],
    ).route  # fmt: skip
    got = world.routes.get(ADMIN, made.id)

    assert got == made
    assert got.spec.severities == ("critical", "low")
    assert got.spec.buildings == ("A",)
    assert got.spec.quiet.as_dict() == QUIET
    assert (got.spec.digest_minutes, got.spec.recovery) == (15, False)
    assert world.routes.list(ADMIN) == (made,)


@pytest.mark.parametrize(
    ("field", "value"),
    [("targets", []), ("targets", None), ("targets", "a@b.example"), ("targets", [5]),
     ("targets", ["nobody"]), ("targets", ["a@b.example\r\nBcc: x@y.example"]),
     ("targets", ["a b@c.example"]), ("targets", ["a@b..example"]),
     ("targets", ["A <a@b.example>"]), ("targets", ["\u00e4@b.example"]),
     ("targets", ["a" * 65 + "@b.example"]), ("targets", ["a@" + "b" * 260]),
     ("targets", [f"a{i}@b.example" for i in range(51)]), ("targets", ["x" * 10_000]),
     ("sources", []), ("sources", ["house"]), ("severities", ["worst"]),
     ("severities", []), ("severities", {"high": 1}), ("device_types", ["steam"]),
     ("device_ids", ["x" * 121]), ("device_ids", [f"d{i}" for i in range(201)]),
     ("buildings", ["a\x00b"]), ("buildings", [None]), ("model_tags", "tag"),
     ("quiet", "22-7"), ("quiet", {**QUIET, "more": 1}),
     ("quiet.start", {**QUIET, "start": "25:00"}), ("quiet.start", {"end": "07:00"}),
     ("quiet.end", {**QUIET, "end": 7}), ("quiet.zone", {**QUIET, "zone": "Mars"}),
     ("quiet.zone", {**QUIET, "zone": None}), ("quiet.days", {**QUIET, "days": []}),
     ("quiet.days", {**QUIET, "days": [7]}), ("quiet.days", {**QUIET, "days": [True]}),
     ("quiet.days", {**QUIET, "days": 3}),
     ("quiet", {"start": "07:00", "end": "07:00", "zone": "UTC"}),
     ("digest_minutes", -1), ("digest_minutes", 1441), ("digest_minutes", 1.5),
     ("digest_minutes", "5"), ("digest_minutes", True), ("recovery", "yes"),
     ("critical_at_once", 1), ("nonsense", 1), ("salt2", "x")],
)  # fmt: skip
def test_every_bad_value_is_refused_by_its_name(world: World, field, value):
    """The message begins with the field, and nothing is stored."""
    with pytest.raises(InvalidInput, match=rf"^{field}\b"):
        save(world, **{field.partition(".")[0]: value})

    assert world.routes.list(ADMIN) == ()


@pytest.mark.parametrize(
    ("name", "kind", "targets", "words"),
    [("", "mail", ["a@b.example"], "^name"),
     ("x" * 121, "mail", ["a@b.example"], "^name"),
     ("a\nb", "mail", ["a@b.example"], "^name"), ("N", "fax", ["a@b.example"], "^kind"),
     ("N", "webhook", [HOOK, HOOK + "2"], "^targets"),
     ("N", "webhook", ["http://hooks.example/"], "^targets: .*https"),
     ("N", "webhook", ["https://10.0.0.1/"], "^targets: .*WEBHOOK_HOSTS")],
)  # fmt: skip
def test_name_kind_and_url_are_checked(world: World, name, kind, targets, words):
    """As are those that are no part of the spec."""
    with pytest.raises(InvalidInput, match=words):
        world.routes.save(ADMIN, RouteDraft(name, kind, {"targets": targets}))


def test_changes_need_the_revision_that_was_read(world: World):
    """Of two who edit, the second is told; so is one who is late to remove."""
    made = save(world).route
    draft = RouteDraft("Renamed", "mail", MAIL)
    changed = world.routes.save(ADMIN, draft, made.id, made.revision).route
    assert (changed.name, changed.revision) == ("Renamed", 2)

    with pytest.raises(Conflict, match="admin meanwhile"):
        world.routes.save(ADMIN, draft, made.id, made.revision)
    with pytest.raises(Conflict, match="meanwhile"):
        world.routes.remove(ADMIN, made.id, made.revision)
    with pytest.raises(InvalidInput, match=r"^kind"):
        world.routes.save(
            ADMIN, RouteDraft("R", "webhook", {"targets": [HOOK]}), made.id, 2
        )
    world.routes.remove(ADMIN, made.id, 2)
    for call in (
        lambda: world.routes.get(ADMIN, made.id),
        lambda: world.routes.save(ADMIN, draft, made.id, 2),
        lambda: world.routes.remove(ADMIN, made.id, 2),
        lambda: world.routes.test(ADMIN, made.id),
    ):
        with pytest.raises(NotFound):
            call()


def test_a_name_is_taken_once(world: World):
    """Another route cannot have it, the same one keeps it."""
    made = save(world).route
    with pytest.raises(Conflict, match=r"^name"):
        save(world)
    world.routes.save(ADMIN, RouteDraft("Duty", "mail", MAIL), made.id, 1)


def test_the_secret_is_told_once_and_stored_nowhere(world: World, stores):
    """It is derived from the key; a new one is another, a change keeps it."""
    draft = RouteDraft("Hook", "webhook", {"targets": [HOOK]})
    first = world.routes.save(ADMIN, draft)
    same = world.routes.save(ADMIN, draft, first.route.id, 1)
    other = world.routes.save(ADMIN, draft, first.route.id, 2, new_secret=True)

    assert len(first.secret) == 64
    assert same.secret is None
    assert other.secret not in {None, first.secret}
    engine = open_engine(stores.settings.operational_url)
    with reading(engine) as tx:
        rows = [
            str(list(row))
            for table in (notify_routes, audit, outbox)
            for row in tx.execute(select(table))
        ]
    engine.dispose()
    for secret in (first.secret, other.secret):
        assert secret not in "".join(rows)
        assert secret not in repr(first) + repr(other)
    assert "salt" not in json.dumps(other.route.spec.as_dict())


def test_changes_stand_in_the_audit_log_without_secret_paths(world: World, stores):
    """Who did what to which route; of a URL the host alone."""
    made = world.routes.save(ADMIN, RouteDraft("Hook", "webhook", {"targets": [HOOK]}))
    world.routes.save(
        ADMIN, RouteDraft("Hook", "webhook", {"targets": [HOOK]}, False),
        made.route.id, 1,
    )  # fmt: skip
    world.routes.remove(ADMIN, made.route.id, 2)
    lines = stores.audit.lines(ADMIN)

    assert [line.action for line in lines] == [
        "route.remove", "route.change", "route.create",
    ]  # fmt: skip
    assert lines[-1].detail["spec"]["targets"] == ["hooks.example"]
    assert "secret-path" not in str([line.detail for line in lines])
    assert stores.audit.verify(SYSTEM) is None


def test_what_waits_ends_with_its_route(world: World):
    """Switched off or removed: nothing is sent afterwards."""
    kept = world.route("Kept", targets=["k@b.example"])
    off = world.route("Off", targets=["o@b.example"])
    gone = world.route("Gone", targets=["g@b.example"])
    world.raised()
    world.routes.save(
        ADMIN, RouteDraft("Off", "mail", {"targets": ["o@b.example"]}, False), off.id, 1
    )
    world.routes.remove(ADMIN, gone.id, 1)

    states = {p.route_id: p.state for p in world.parcels()}
    assert states == {kept.id: "waiting", off.id: "dropped", gone.id: "dropped"}


def test_the_test_button_says_what_became_of_each_message(stores):
    """Each target is told apart, and the delivery log has the attempts."""
    with mail_sink() as sink:
        sink.refuse["gone@plant.example"] = "550 No such user"
        server = MailServer("127.0.0.1", sink.port, "iot@plant.example", "none")
        world = open_world(stores, server)
        made = world.route(targets=["duty@plant.example", "gone@plant.example"])
        results = world.routes.test(ADMIN, made.id)

    assert [(r.target, r.ok) for r in results] == [
        ("duty@plant.example", True), ("gone@plant.example", False),
    ]  # fmt: skip
    assert results[1].answer == "550 No such user"
    assert [p.state for p in world.parcels()] == ["sent", "failed"]
    assert "test of the route Duty" in sink.mails[0].get_body(("plain",)).get_content()
    assert stores.audit.lines(ADMIN)[0].action == "route.test"


@pytest.mark.parametrize("caller", [VIEWER, OPERATOR])
def test_only_administrators_keep_routes(world: World, caller):
    """Others neither see nor change nor try them."""
    made = save(world).route
    for call in (
        lambda: world.routes.list(caller),
        lambda: world.routes.get(caller, made.id),
        lambda: world.routes.save(caller, RouteDraft("N", "mail", MAIL)),
        lambda: world.routes.remove(caller, made.id, 1),
        lambda: world.routes.test(caller, made.id),
    ):
        with pytest.raises(Forbidden):
            call()
