"""Alerts as people look at them: the list, one alert whole, the badge."""

from __future__ import annotations

from datetime import datetime

from data.alert_records import Alert
from services.access import Principal, requires
from services.alert_handling import AlertHandling, unknown
from services.alert_views import (
    AlertDetailView,
    AlertsQuery,
    AlertsView,
    Badge,
    at_page,
    evidence_of,
)

SIBLINGS = 20


class Alerts(AlertHandling):
    """The log of alerts, on top of what people do about them."""

    def page(self, caller: Principal, query: AlertsQuery) -> AlertsView:
        """The alerts that pass the filters, one page of them.

        A page past the last one is the last one.
        """
        requires(caller, "alert.read")
        now = self._clock()
        chosen = query.filter(caller.username, now)
        found = self._store.found(chosen, now)
        query, pages = at_page(query, found)
        rows = self._store.page(
            chosen,
            now,
            sort=query.sort,
            descending=query.descending,
            limit=query.page_size,
            offset=(query.page - 1) * query.page_size,
        )
        counts = self._store.counts(now)
        metrics, owners = self._store.choices()
        return AlertsView(
            now=now,
            query=query,
            size=counts["all"],
            counts=counts,
            severities=self._store.severities(query.state, now),
            found=found,
            pages=pages,
            rows=tuple(rows),
            metrics=metrics,
            owners=owners,
            may_write=caller.may("alert.write"),
        )

    def after(
        self,
        caller: Principal,
        query: AlertsQuery,
        before: tuple[datetime, int] | None,
        limit: int,
    ) -> tuple[tuple[Alert, ...], bool]:
        """Alerts that pass, newest first, and whether more follow; for programs."""
        requires(caller, "alert.read")
        now = self._clock()
        chosen = query.filter(caller.username, now)
        found = self._store.after(chosen, now, before, limit + 1)
        return tuple(found[:limit]), len(found) > limit

    def detail(self, caller: Principal, alert_id: int) -> AlertDetailView:
        """One alert with its history and its past.

        Raises:
            NotFound: there is no such alert.
        """
        requires(caller, "alert.read")
        alert = self._store.get(alert_id)
        if alert is None:
            raise unknown(alert_id)
        known = self._store.siblings(alert.rule_id, alert.subject, SIBLINGS + 1)
        others = tuple(a for a in known if a.id != alert_id)[:SIBLINGS]
        return AlertDetailView(
            now=self._clock(),
            alert=alert,
            events=tuple(self._store.events(alert_id)),
            siblings=others,
            sibling_events=tuple(
                self._store.events_of([a.id for a in others], 10 * SIBLINGS)
            ),
            evidence=evidence_of(alert),
            may_write=caller.may("alert.write"),
        )

    def token(self, caller: Principal, alert_id: int | None = None) -> str:
        """Stands still while nothing happens: to all alerts, or to one of them."""
        requires(caller, "alert.read")
        if alert_id is None:
            return str(self._store.newest_event())
        alert = self._store.get(alert_id)
        return "" if alert is None else f"{alert.version} {alert.last_at:%Y%m%d%H%M%S}"

    def badge(self, caller: Principal) -> Badge:
        """The open alerts that nobody has acknowledged."""
        requires(caller, "alert.read")
        return Badge(self._store.severities("unacknowledged", self._clock()))
