"""Sends what was claimed from the outbox: one parcel, or a digest of several."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Sequence

from data.report_records import Parcel
from data.route_store import RouteStore
from services import notify_message
from services.mail import Mail
from services.notify_spec import SALT
from services.outgoing import Answer, delivery_id
from services.webhooks import Webhooks

SALT_BYTES = 16


class Sender:
    """Knows how each kind of parcel is sent."""

    def __init__(
        self,
        mail: Mail,
        webhooks: Webhooks,
        routes: RouteStore,
        key: str,
        address: str | None = None,
    ) -> None:
        """Keep what is needed.

        Args:
            mail: sends mail.
            webhooks: sends webhooks.
            routes: where the secrets of webhooks come from.
            key: the installation's key, of which secrets are derived.
            address: where this installation is found, for links.
        """
        self.mail = mail
        self.webhooks = webhooks
        self._routes = routes
        self._key = key
        self._address = address

    def secret(self, salt: str) -> str:
        """The secret of a webhook: derived, so that no database holds it."""
        label = f"iotsphere webhook {salt}".encode()
        return hmac.new(self._key.encode(), label, "sha256").hexdigest()

    def send(self, parcels: Sequence[Parcel]) -> Answer:
        """Send parcels of one target as one message."""
        first, delivery = parcels[0], delivery_id(parcels)
        if first.kind == "mail":
            return self._mail(parcels, delivery)
        route = None if first.route_id is None else self._routes.get(first.route_id)
        if route is None:
            words = "the route was removed"
            return Answer(ok=False, words=words, permanent=True)
        items = [parcel.body for parcel in parcels]
        # A URL that was wrong and has been mended is what is meant.
        url = _first(route.spec.get("targets"))
        salt = str(route.spec.get(SALT, ""))
        body = notify_message.payload(items, self._address)
        return self.webhooks.send(url, body, self.secret(salt), delivery)

    def _mail(self, parcels: Sequence[Parcel], delivery: str) -> Answer:
        first = parcels[0]
        if "text" in first.body:
            subject, body = first.subject, dict(first.body)
        else:
            items = [parcel.body for parcel in parcels]
            subject = notify_message.subject(items)
            body = {
                "text": notify_message.text(items, self._address),
                "html": notify_message.page(items, self._address),
            }
        return self.mail.send(
            first.target,
            subject,
            body,
            delivery,
            first.made_at,
            report_id=first.report_id,
        )


def new_salt() -> str:
    """What makes a webhook's secret its own."""
    return secrets.token_hex(SALT_BYTES)


def _first(values: object) -> str:
    return str(values[0]) if isinstance(values, list | tuple) and values else ""
