"""What was sent and what was not, for those who run the installation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from data.outbox_store import STATES, OutboxStore
from data.report_records import Parcel, Try
from services.access import Principal, requires
from services.audit import Audit
from services.errors import Conflict, InvalidInput, NotFound
from services.notify_routes import NotifyRoutes, RouteView
from services.notify_sender import Sender

PAGE = 30


@dataclass(frozen=True)
class Delivery:
    """A parcel and every attempt to send it, oldest first."""

    parcel: Parcel
    route_name: str | None
    tries: tuple[Try, ...]


@dataclass(frozen=True)
class NotificationsView:
    """Routes, the newest deliveries, and how this installation may send.

    ``mail_from`` is ``None`` when mail is off; no ``webhook_hosts``: webhooks are.
    """

    now: datetime
    routes: tuple[RouteView, ...]
    deliveries: tuple[Delivery, ...]
    more: bool
    state: str | None
    counts: Mapping[str, int]
    mail_from: str | None
    webhook_hosts: tuple[str, ...]


class Notifications:
    """Shows deliveries, and lets one that was given up start anew."""

    def __init__(
        self,
        routes: NotifyRoutes,
        outbox: OutboxStore,
        sender: Sender,
        audit: Audit,
        clock: Callable[[], datetime],
    ) -> None:
        self.routes = routes
        self._outbox = outbox
        self._sender = sender
        self._audit = audit
        self._clock = clock

    def view(self, caller: Principal, state: str | None = None) -> NotificationsView:
        """What the page shows; deliveries in a state, or all.

        Raises:
            InvalidInput: there is no such state.
        """
        requires(caller, "route.admin")
        found = self.deliveries(caller, state, limit=PAGE + 1)
        server = self._sender.mail.server
        return NotificationsView(
            now=self._clock(),
            routes=self.routes.list(caller),
            deliveries=found[:PAGE],
            more=len(found) > PAGE,
            state=state,
            counts=self._outbox.counts(),
            mail_from=server.sender if server else None,
            webhook_hosts=self._sender.webhooks.hosts.names,
        )

    def deliveries(
        self,
        caller: Principal,
        state: str | None = None,
        before: int | None = None,
        limit: int = PAGE,
    ) -> tuple[Delivery, ...]:
        """Deliveries, newest first, older than the id ``before``.

        Raises:
            InvalidInput: there is no such state.
        """
        requires(caller, "route.admin")
        if state is not None and state not in STATES:
            raise InvalidInput(f"state must be one of {', '.join(STATES)}.")
        parcels = self._outbox.page(state=state, before=before, limit=limit)
        names = {route.id: route.name for route in self.routes.list(caller)}
        tries: dict[int, list[Try]] = {}
        for attempt in self._outbox.tries([parcel.id for parcel in parcels]):
            tries.setdefault(attempt.outbox_id, []).append(attempt)
        return tuple(
            Delivery(
                parcel,
                names.get(parcel.route_id or 0),
                tuple(tries.get(parcel.id, ())),
            )
            for parcel in parcels
        )

    def retry(self, caller: Principal, parcel_id: int) -> None:
        """Let a delivery that was given up start anew.

        Raises:
            NotFound: there is no such delivery.
            Conflict: it was not given up.
        """
        requires(caller, "route.admin")
        parcel = self._outbox.get(parcel_id)
        if parcel is None:
            raise NotFound(f"There is no delivery {parcel_id}.")
        with self._outbox.transaction() as tx:
            if not self._outbox.retry(tx, parcel_id, self._clock()):
                raise Conflict("Only a delivery that has failed can be tried again.")
            detail = {"key": parcel.key}
            self._audit.record(tx, caller, "delivery.retry", str(parcel_id), detail)
