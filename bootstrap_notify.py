"""Builds what tells people of alerts, on stores that are open."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from data.device_store import DeviceStore
from data.model_store import ModelStore
from data.outbox_store import OutboxStore
from data.route_store import RouteStore
from data.session import Engine
from services.audit import Audit
from services.mail import Files, Mail, MailServer
from services.notifications import Notifications
from services.notify import Notify
from services.notify_match import Subjects
from services.notify_routes import NotifyRoutes
from services.notify_sender import Sender
from services.webhook_hosts import WebhookHosts
from services.webhooks import Webhooks
from settings import Settings


@dataclass(frozen=True)
class Notifying:
    """What tells people: ``notify`` writes the outbox, ``parcel_sender`` empties it."""

    notify: Notify
    notifications: Notifications
    parcel_sender: Sender


def notifying(
    engine: Engine,
    settings: Settings,
    audit: Audit,
    clock: Callable[[], datetime],
    files: Files | None = None,
) -> Notifying:
    """Routes, outbox and senders; ``files`` finds the file of a report's run."""
    outbox, routes = OutboxStore(engine), RouteStore(engine)
    sender = Sender(
        Mail(mail_server(settings), files),
        Webhooks(WebhookHosts(settings.webhook_hosts)),
        routes,
        settings.signing_key(),
        settings.public_url,
    )
    subjects = Subjects(DeviceStore(engine), ModelStore(engine))
    kept = NotifyRoutes(routes, outbox, sender, audit, clock)
    return Notifying(
        notify=Notify(outbox, routes, subjects, clock),
        notifications=Notifications(kept, outbox, sender, audit, clock),
        parcel_sender=sender,
    )


def mail_server(settings: Settings) -> MailServer | None:
    """The mail server of the settings; ``None`` = mail is off."""
    if settings.smtp_host is None:
        return None
    secret = settings.smtp_password
    return MailServer(
        host=settings.smtp_host,
        port=settings.smtp_port,
        sender=settings.smtp_from or "",
        security=settings.smtp_security,
        username=settings.smtp_username or "",
        password=secret.get_secret_value() if secret else "",
    )
