"""Routes as administrators keep them: who is told of alerts, and whether it works."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from data.outbox_store import OutboxStore
from data.report_records import Parcel, Route, Try
from data.route_store import RouteStore
from data.session import Transaction
from services import notify_message
from services.access import Principal, requires
from services.audit import Audit
from services.errors import Conflict, InvalidInput, NotFound
from services.notify_sender import Sender, new_salt
from services.notify_spec import SALT, RouteSpec, parse

NAME_LENGTH = 120
MOST_ROUTES = 200
LEASE = timedelta(minutes=10)


@dataclass(frozen=True)
class RouteDraft:
    """What somebody wants a route to be; ``spec`` as ``notify_spec.parse`` takes it."""

    name: str
    kind: str
    spec: Mapping[str, object]
    enabled: bool = True


@dataclass(frozen=True)
class RouteView:
    """A route without what makes its secret."""

    id: int
    name: str
    kind: str
    enabled: bool
    spec: RouteSpec
    revision: int
    updated_by: str
    updated_at: datetime


@dataclass(frozen=True)
class Saved:
    """A route as it was saved; ``secret`` is new and shown this once."""

    route: RouteView
    secret: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Tested:
    """What became of the test message to one target."""

    target: str
    ok: bool
    answer: str


class NotifyRoutes:
    """Keeps routes and tries them."""

    def __init__(
        self,
        routes: RouteStore,
        outbox: OutboxStore,
        sender: Sender,
        audit: Audit,
        clock: Callable[[], datetime],
    ) -> None:
        self._routes = routes
        self._outbox = outbox
        self._sender = sender
        self._audit = audit
        self._clock = clock

    def list(self, caller: Principal) -> tuple[RouteView, ...]:
        """Every route, by name."""
        requires(caller, "route.admin")
        return tuple(_view(route) for route in self._routes.all())

    def get(self, caller: Principal, route_id: int) -> RouteView:
        """One route.

        Raises:
            NotFound: there is none with this id.
        """
        requires(caller, "route.admin")
        return _view(self._get(route_id))

    def save(
        self,
        caller: Principal,
        draft: RouteDraft,
        route_id: int | None = None,
        revision: int = 0,
        *,
        new_secret: bool = False,
    ) -> Saved:
        """Make a route, or change one.

        Args:
            caller: needs ``route.admin``.
            draft: what it shall be.
            route_id: the route that is changed; ``None`` makes one.
            revision: the revision it was read at.
            new_secret: give a webhook another secret; the one it had is void.

        Raises:
            InvalidInput: a value is not possible; the message names its field.
            NotFound: there is no such route.
            Conflict: the name is taken, or the route has changed meanwhile.
        """
        requires(caller, "route.admin")
        name, spec = self._checked(draft)
        now = self._clock()
        with self._routes.transaction() as tx:
            held = self._current(tx, route_id, revision) if route_id else None
            if held is not None and held.kind != draft.kind:
                raise InvalidInput("kind of a route cannot change: make another one.")
            if self._routes.name_taken(tx, name, route_id or 0):
                raise Conflict(f"name: another route is called {name}.")
            salt = held.spec.get(SALT) if held else None
            fresh = draft.kind == "webhook" and (new_secret or not salt)
            salt = new_salt() if fresh else salt
            stored = spec.as_dict() | ({SALT: salt} if salt else {})
            route = Route(
                name, draft.kind, draft.enabled, stored,
                revision=held.revision + 1 if held else 1,
                updated_by=caller.username, updated_at=now, id=route_id or 0,
            )  # fmt: skip
            route = self._store(tx, caller, route, new=held is None, fresh=fresh)
        secret = self._sender.secret(str(salt)) if fresh else None
        return Saved(_view(route), secret)

    def remove(self, caller: Principal, route_id: int, revision: int) -> None:
        """Remove a route; what waits for it is not sent.

        Raises:
            NotFound: there is no such route.
            Conflict: it has changed meanwhile.
        """
        requires(caller, "route.admin")
        with self._routes.transaction() as tx:
            held = self._current(tx, route_id, revision)
            self._outbox.end_route(tx, held.id, "the route was removed", self._clock())
            self._routes.remove(tx, held.id)
            self._audit.record(tx, caller, "route.remove", held.name, {"id": held.id})

    def test(self, caller: Principal, route_id: int) -> tuple[Tested, ...]:
        """Send a message to each target now and say what became of it.

        Raises:
            NotFound: there is no such route.
        """
        requires(caller, "route.admin")
        route = self._get(route_id)
        spec = parse(route.kind, route.spec)
        return tuple(self._try(caller, route, target) for target in spec.targets)

    def _try(self, caller: Principal, route: Route, target: str) -> Tested:
        now = self._clock()
        told = notify_message.trial(route.name, now)
        parcel = Parcel(
            key=f"test:{route.id}:{secrets.token_hex(16)}", kind=route.kind,
            target=target, subject=notify_message.subject([told]), body=told,
            made_at=now, next_at=now + LEASE, route_id=route.id, state="sending",
            tries=1,
        )  # fmt: skip
        with self._outbox.transaction() as tx:
            made = self._outbox.put(tx, parcel)
            self._audit.record(tx, caller, "route.test", route.name, {"id": route.id})
        parcel = replace(parcel, id=made or 0)
        began = time.monotonic()
        answer = self._sender.send([parcel])
        took_ms = round((time.monotonic() - began) * 1_000)
        attempt = Try(parcel.id, now, answer.ok, answer.words, took_ms)
        if answer.ok:
            self._outbox.done([parcel], attempt)
        else:
            self._outbox.failed([parcel], attempt, None)
        return Tested(target, answer.ok, answer.words)

    def _checked(self, draft: RouteDraft) -> tuple[str, RouteSpec]:
        name = draft.name.strip()
        if not name or len(name) > NAME_LENGTH or not name.isprintable():
            raise InvalidInput(
                f"name must have 1 to {NAME_LENGTH} characters that can be printed."
            )
        spec = parse(draft.kind, draft.spec)
        if draft.kind == "webhook":
            try:
                self._sender.webhooks.hosts.target(spec.targets[0])
            except InvalidInput as error:
                raise InvalidInput(f"targets: {error}") from error
        return name, spec

    def _store(
        self,
        tx: Transaction,
        caller: Principal,
        route: Route,
        *,
        new: bool,
        fresh: bool,
    ) -> Route:
        if new:
            if len(self._routes.all()) >= MOST_ROUTES:
                raise InvalidInput(f"There are {MOST_ROUTES} routes: remove some.")
            route = replace(route, id=self._routes.add(tx, route))
        else:
            self._routes.replace(tx, route)
        if not route.enabled:
            words = "the route was switched off"
            self._outbox.end_route(tx, route.id, words, route.updated_at)
        detail = {
            "id": route.id, "kind": route.kind, "enabled": route.enabled,
            "revision": route.revision, "new_secret": fresh,
            "spec": _noted(route),
        }  # fmt: skip
        action = "route.create" if new else "route.change"
        self._audit.record(tx, caller, action, route.name, detail)
        return route

    def _get(self, route_id: int) -> Route:
        route = self._routes.get(route_id)
        if route is None:
            raise NotFound(f"There is no route {route_id}.")
        return route

    def _current(self, tx: Transaction, route_id: int, revision: int) -> Route:
        route = self._routes.held(tx, route_id)
        if route is None:
            raise NotFound(f"There is no route {route_id}.")
        if route.revision != revision:
            raise Conflict(
                f"{route.name} was changed by {route.updated_by} meanwhile: "
                "load it again."
            )
        return route


def _noted(route: Route) -> dict[str, object]:
    """The spec for the audit log: paths of webhooks are secrets of their owners."""
    spec = {name: value for name, value in route.spec.items() if name != SALT}
    if route.kind == "webhook":
        spec["targets"] = [
            shown_target(route.kind, str(t)) for t in _list(spec["targets"])
        ]
    return spec


def _list(value: object) -> Sequence[object]:
    return value if isinstance(value, Sequence) else ()


def shown_target(kind: str, target: str) -> str:
    """A target as it may be shown and logged: of a URL, host and port."""
    if kind != "webhook":
        return target
    return urlsplit(target).netloc.rpartition("@")[2]


def _view(route: Route) -> RouteView:
    return RouteView(
        id=route.id,
        name=route.name,
        kind=route.kind,
        enabled=route.enabled,
        spec=parse(route.kind, route.spec),
        revision=route.revision,
        updated_by=route.updated_by,
        updated_at=route.updated_at,
    )
