"""Says to whom an alert is told: writes the outbox beside what happened.

Told are: raised (also again), more severe than told before, and the end, by itself
or by somebody. The end goes only to those who were told of the beginning, and when
that still waits (quiet hours, a digest, a target that does not answer), one message
tells both. What happens to a shelved alert is not told.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from data.alert_records import SEVERITIES, Alert, AlertEvent
from data.outbox_store import OutboxStore
from data.report_records import Parcel, Route
from data.route_store import RouteStore
from data.session import Transaction
from services import notify_message
from services.notify_match import Subjects, matches
from services.notify_quiet import send_at
from services.notify_spec import RouteSpec, parse

BEGINS = ("activated", "severity")
ENDS = ("cleared", "resolved")
TOGETHER = "told together with the end of the alert"


@dataclass(frozen=True)
class _News:
    """An event with what was told of its alert since it was last raised."""

    alert: Alert
    event: AlertEvent
    before: tuple[int, ...]
    now: datetime


class Notify:
    """Writes parcels for the routes that an event of an alert concerns."""

    def __init__(
        self,
        outbox: OutboxStore,
        routes: RouteStore,
        subjects: Subjects,
        clock: Callable[[], datetime],
    ) -> None:
        self._outbox = outbox
        self._routes = routes
        self._subjects = subjects
        self._clock = clock

    def announce(self, tx: Transaction, alert: Alert, event: AlertEvent) -> None:
        """Write parcels in the transaction in which the event is stored.

        Told are ``activated``, ``severity`` (raised only), ``cleared`` and
        ``resolved``; others, and events of a shelved alert, are not.
        """
        now = self._clock()
        shelved = alert.shelved_until is not None and alert.shelved_until > now
        if shelved or event.kind not in (*BEGINS, *ENDS):
            return
        routes = self._routes.enabled(tx)
        if not routes:
            return
        since = self._outbox.since_raised(tx, alert.id)
        if event.kind in ENDS and any(
            kind in ENDS for made, kind in since if made != event.id
        ):
            return  # It was over before.
        before = tuple(i for i, kind in since if kind in BEGINS and i != event.id)
        news = _News(alert, event, before, now)
        for route in routes:
            spec = parse(route.kind, route.spec)
            for target in spec.targets:
                if event.kind in BEGINS:
                    self._begin(tx, news, route, spec, target)
                else:
                    self._end(tx, news, route, spec, target)

    def _begin(
        self, tx: Transaction, news: _News, route: Route, spec: RouteSpec, target: str
    ) -> None:
        alert = news.alert
        if not matches(spec, alert, self._subjects.of(alert)):
            return
        if news.event.kind == "severity":
            told = self._told(tx, news, route, target)
            worst = [SEVERITIES.index(str(p.body["severity"])) for p in told]
            if worst and min(worst) <= SEVERITIES.index(alert.severity):
                return
        at_once = spec.critical_at_once and alert.severity == "critical"
        told_at = send_at(spec.quiet, spec.digest_minutes, news.now, at_once=at_once)
        grouped = spec.digest_minutes > 0 and not at_once
        self._put(tx, news, route, target, news.event.kind, told_at, grouped)

    def _end(
        self, tx: Transaction, news: _News, route: Route, spec: RouteSpec, target: str
    ) -> None:
        told = self._told(tx, news, route, target)
        if not told:
            return
        keys = [parcel.key for parcel in told]
        dropped = self._outbox.drop(tx, keys, TOGETHER, news.now)
        grouped = spec.digest_minutes > 0
        if dropped and len(dropped) == len(told):
            told_at = max(dropped[0].next_at, news.now)
            self._put(tx, news, route, target, "over", told_at, grouped)
        elif spec.recovery:
            critical = spec.critical_at_once and news.alert.severity == "critical"
            told_at = send_at(
                spec.quiet, spec.digest_minutes, news.now, at_once=critical
            )
            grouped = grouped and not critical
            self._put(tx, news, route, target, news.event.kind, told_at, grouped)

    def _told(
        self, tx: Transaction, news: _News, route: Route, target: str
    ) -> Sequence[Parcel]:
        keys = [key_of(event_id, route, target) for event_id in news.before]
        return self._outbox.known(tx, keys)

    def _put(
        self,
        tx: Transaction,
        news: _News,
        route: Route,
        target: str,
        kind: str,
        told_at: datetime,
        grouped: bool,
    ) -> None:
        told = notify_message.told(news.alert, news.event, kind)
        parcel = Parcel(
            key=key_of(news.event.id, route, target),
            kind=route.kind,
            target=target,
            subject=notify_message.subject([told]),
            body={**told, "digest": grouped},
            made_at=news.now,
            next_at=told_at,
            route_id=route.id,
        )
        self._outbox.put(tx, parcel)


def key_of(event_id: int, route: Route, target: str) -> str:
    """What must not be told twice: an event, on a route, to one of its addresses."""
    key = f"alert:{event_id}:{route.id}"
    if route.kind == "webhook":
        return key
    digest = hashlib.sha256(target.lower().encode("utf-8")).hexdigest()
    return f"{key}:{digest[:12]}"
