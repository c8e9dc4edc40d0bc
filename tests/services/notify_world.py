"""Alerts, routes and the outbox on real stores, for the tests of notifications."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from sqlalchemy import insert

from data.alert_records import Alert, AlertEvent
from data.alert_tables import alert_events, alerts
from data.model_store import ModelStore
from data.outbox_store import OutboxStore
from data.report_records import Parcel
from data.route_store import RouteStore
from data.session import open_engine
from services.mail import Mail, MailServer
from services.notifications import Notifications
from services.notify import Notify
from services.notify_match import Subjects
from services.notify_routes import NotifyRoutes, RouteDraft, RouteView
from services.notify_sender import Sender
from services.webhook_hosts import WebhookHosts
from services.webhooks import Webhooks
from tests.conftest import ADMIN, NOW, Stores
from workers.outbox import OutboxLoop

KEY = "k7!" + "Zq3xW9vB" * 5
HOOK = "https://hooks.example/services/T000/secret-path"
ALERT = Alert(
    rule_id=1, rule_key="hot", rule_name="Too hot", source="device", subject="wh-1",
    subject_name="Boiler room", metric="temperature_c", severity="high",
    message="Temperature over 75 \u00b0C", action="Turn it off",
    started_at=NOW - timedelta(minutes=5), raised_at=NOW, last_at=NOW, value=76.5,
    evidence={},
)  # fmt: skip


@dataclass
class World:
    """Everything that tells people of alerts."""

    stores: Stores
    outbox: OutboxStore
    routes: NotifyRoutes
    notify: Notify
    notifications: Notifications
    sender: Sender
    loop: OutboxLoop
    close: Callable[[], None]

    def route(self, name: str = "Duty", kind: str = "mail", **spec: Any) -> RouteView:
        """Save a route."""
        spec.setdefault("targets", ["duty@plant.example"] if kind == "mail" else [HOOK])
        return self.routes.save(ADMIN, RouteDraft(name, kind, spec)).route

    def raised(self, **changes: Any) -> Alert:
        """Store an alert and tell that it was raised."""
        alert = replace(ALERT, **changes)
        row = {k: v for k, v in vars(alert).items() if k != "id"} | {"open_key": None}
        with self.outbox.transaction() as tx:
            key = tx.execute(insert(alerts).values(row)).inserted_primary_key
        alert = replace(alert, id=key[0])
        self.tell(alert, "activated")
        return alert

    def tell(self, alert: Alert, kind: str, **changes: Any) -> AlertEvent:
        """Store an event of an alert and tell it, in one transaction."""
        event = AlertEvent(alert.id, self.stores.clock(), kind, "system", **changes)
        with self.outbox.transaction() as tx:
            row = {k: v for k, v in vars(event).items() if k != "id"}
            key = tx.execute(insert(alert_events).values(row)).inserted_primary_key
            event = replace(event, id=key[0])
            self.notify.announce(tx, alert, event)
        return event

    def parcels(self, *states: str) -> list[Parcel]:
        """What is in the outbox, oldest first."""
        found = self.outbox.page(limit=500)[::-1]
        return [p for p in found if not states or p.state in states]

    def kinds(self, *states: str) -> list[str]:
        """What the parcels tell."""
        return [str(parcel.body["kind"]) for parcel in self.parcels(*states)]

    def deliver(self) -> int:
        """Send what is due, until nothing is under way; how many deliveries."""
        started = 0
        while more := self.loop.step():
            started += more
            assert self.loop.wait(20)
        return started


def open_world(
    stores: Stores,
    server: MailServer | None = None,
    hosts: str = "hooks.example",
    webhooks: Webhooks | None = None,
) -> World:
    """The services on the stores of a test."""
    engine = open_engine(stores.settings.operational_url)
    outbox, routes = OutboxStore(engine), RouteStore(engine)
    hooks = webhooks or Webhooks(WebhookHosts(hosts))
    sender = Sender(Mail(server), hooks, routes, KEY, "https://iot.example/")
    kept = NotifyRoutes(routes, outbox, sender, stores.audit, stores.clock)
    subjects = Subjects(stores.device_store, ModelStore(engine))
    return World(
        stores=stores,
        outbox=outbox,
        routes=kept,
        notify=Notify(outbox, routes, subjects, stores.clock),
        notifications=Notifications(kept, outbox, sender, stores.audit, stores.clock),
        sender=sender,
        loop=OutboxLoop(outbox, sender, stores.clock),
        close=engine.dispose,
    )
