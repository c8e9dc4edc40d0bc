"""Everything known of one heater: identity, state, shadow, events, doubts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from data.device_store import DeviceStore
from data.records import (
    EVENT_CATEGORIES,
    METRICS,
    QUALITY_REASONS,
    Device,
    Event,
    Latest,
    LatestValue,
    Shadow,
    quality_bit,
    quality_reasons,
)
from data.shadow_store import ShadowStore
from services.access import Principal, requires
from services.devices import Devices, place_of
from services.errors import InvalidInput, NotFound
from services.health import Health, HealthView
from services.metrics import Metrics, Usage, connectivity
from services.status import heating_status
from services.windows import moment

EVENTS_PAGE = 20
FLAGGED_WINDOW = timedelta(days=7)


@dataclass(frozen=True)
class ShadowRow:
    """One key of a shadow; ``differs`` when it is desired and not yet reported."""

    key: str
    reported: object
    reported_at: datetime | None
    desired: object
    desired_at: datetime | None
    differs: bool


@dataclass(frozen=True)
class ShadowView:
    """Reported and desired state of a device, key by key."""

    version: int
    updated_at: datetime
    rows: tuple[ShadowRow, ...]


@dataclass(frozen=True)
class EventsView:
    """One page of an event log, newest first; ``page`` counts from 1."""

    category: str
    page: int
    pages: int
    total: int
    events: tuple[Event, ...]


@dataclass(frozen=True)
class Doubt:
    """Values of one metric that are not trusted for one reason.

    ``newest`` is the value of the last such reading, in the stored unit.
    """

    metric: str
    reason: str
    count: int
    first: datetime
    last: datetime
    newest: float


@dataclass(frozen=True)
class DetailsView:
    """One heater as its Details tab shows it; ``None`` where nothing is known.

    values: newest good value of each metric and state. rejected: newer values that are
    not trusted, with the reasons. doubts: flagged values of the last seven days.
    age_days: since installation; warranty_days: until its end, negative after it.
    """

    now: datetime
    device: Device
    place: str
    connectivity: str
    last_seen: datetime | None
    received_at: datetime | None
    values: Mapping[str, LatestValue]
    rejected: Mapping[str, tuple[LatestValue, tuple[str, ...]]]
    status: str
    health: HealthView
    shadow: ShadowView | None
    events: EventsView
    doubts: tuple[Doubt, ...]
    today: Usage
    week: Usage
    age_days: int | None
    warranty_days: int | None
    may_control: bool
    may_edit: bool


class Details:
    """Answers questions about one heater."""

    def __init__(
        self,
        devices: Devices,
        device_store: DeviceStore,
        shadows: ShadowStore,
        metrics: Metrics,
        health: Health,
        clock: Callable[[], datetime],
    ) -> None:
        self._devices = devices
        self._store = device_store
        self._shadows = shadows
        self._metrics = metrics
        self._health = health
        self._clock = clock

    def of(
        self,
        caller: Principal,
        device_id: str,
        zone: ZoneInfo,
        *,
        category: str = "",
        page: int = 1,
    ) -> DetailsView:
        """Everything known of a heater.

        Args:
            caller: needs ``device.read``.
            device_id: the heater.
            zone: the reader's time zone, for what is called today.
            category: show only events of this category; ``""`` for all.
            page: page of the event log; one past the last is the last.

        Raises:
            NotFound: no device has this id.
            InvalidInput: there is no such category or page.
        """
        requires(caller, "device.read")
        device = self._devices.get(caller, device_id)
        now = self._clock()
        latest = self._metrics.latest([device_id]).get(device_id)
        last = latest.ts if latest else None
        state = connectivity(last, device.reporting_interval_s, now)
        today, week = self._usage(device, now, zone)
        return DetailsView(
            now=now,
            device=device,
            place=place_of(device),
            connectivity=state,
            last_seen=last,
            received_at=latest.received_at if latest else None,
            values=latest.values if latest else {},
            rejected=_rejected(latest),
            status=heating_status(latest, state, device.reporting_interval_s),
            health=self._health.of([device])[device_id],
            shadow=_shadow_view(self._shadows.get(device_id)),
            events=self._events(device_id, category, page),
            doubts=doubts(self._metrics.flagged(device_id, now - FLAGGED_WINDOW, now)),
            today=today,
            week=week,
            age_days=_days(device.installed_on, now.astimezone(zone).date()),
            warranty_days=_days(now.astimezone(zone).date(), device.warranty_until),
            may_control=caller.may("device.control"),
            may_edit=caller.may("device.admin"),
        )

    def shadow(self, caller: Principal, device_id: str) -> Shadow:
        """The device's shadow.

        Raises:
            NotFound: no such device, or it has never reported one.
        """
        requires(caller, "device.read")
        self._devices.get(caller, device_id)
        shadow = self._shadows.get(device_id)
        if shadow is None:
            raise NotFound(f"{device_id} has never reported a shadow.")
        return shadow

    def events(
        self,
        caller: Principal,
        device_id: str,
        *,
        category: str = "",
        before: tuple[datetime, int] | None = None,
        limit: int = EVENTS_PAGE,
    ) -> tuple[tuple[Event, ...], bool]:
        """Events older than ``before`` (time, id), newest first; whether more follow.

        Raises:
            NotFound: no device has this id.
            InvalidInput: there is no such category.
        """
        requires(caller, "device.read")
        self._devices.get(caller, device_id)
        found, _ = self._store.events(
            device_id, category=_category(category), before=before, limit=limit + 1
        )
        return tuple(found[:limit]), len(found) > limit

    def _events(self, device_id: str, category: str, page: int) -> EventsView:
        chosen = _category(category)
        if page < 1:
            raise InvalidInput("page must be 1 or more.")
        offset = (page - 1) * EVENTS_PAGE
        found, total = self._store.events(
            device_id, category=chosen, limit=EVENTS_PAGE, offset=offset
        )
        pages = max(-(-total // EVENTS_PAGE), 1)
        if page > pages:
            return self._events(device_id, category, pages)
        return EventsView(category, page, pages, total, tuple(found))

    def _usage(
        self, device: Device, now: datetime, zone: ZoneInfo
    ) -> tuple[Usage, Usage]:
        midnight = moment("now/d", "from", now, zone)
        week = moment("now-7d", "from", now, zone)
        return (
            self._metrics.usage([device], midnight, now)[device.id],
            self._metrics.usage([device], week, now)[device.id],
        )


def doubts(frame: pd.DataFrame) -> tuple[Doubt, ...]:
    """The flagged values of some readings, by metric and reason, newest first."""
    quality = frame["quality"].to_numpy(np.int64)
    times = pd.to_datetime(frame["ts"], utc=True)
    found = []
    for metric in METRICS:
        values = frame[metric].to_numpy(np.float64, na_value=np.nan)
        for reason in QUALITY_REASONS:
            at = np.flatnonzero(quality & quality_bit(metric, reason))
            if len(at):
                first, last = (times.iloc[i].to_pydatetime() for i in (at[0], at[-1]))
                newest = float(values[at[-1]])
                found.append(Doubt(metric, reason, len(at), first, last, newest))
    return tuple(sorted(found, key=lambda doubt: doubt.last, reverse=True))


def _rejected(
    latest: Latest | None,
) -> dict[str, tuple[LatestValue, tuple[str, ...]]]:
    if latest is None:
        return {}
    reasons = quality_reasons(latest.quality)
    found = {}
    for metric, value in latest.flagged.items():
        good = latest.values.get(metric)
        if good is None or value.ts > good.ts:
            why = reasons.get(metric, []) if value.ts == latest.ts else []
            found[metric] = (value, tuple(why))
    return found


def _shadow_view(shadow: Shadow | None) -> ShadowView | None:
    if shadow is None:
        return None
    rows = tuple(
        ShadowRow(
            key=key,
            reported=shadow.reported.get(key),
            reported_at=shadow.reported_at.get(key),
            desired=shadow.desired.get(key),
            desired_at=shadow.desired_at.get(key),
            differs=key in shadow.delta,
        )
        for key in sorted({*shadow.reported, *shadow.desired})
    )
    return ShadowView(shadow.version, shadow.updated_at, rows)


def _category(category: str) -> str | None:
    if category and category not in EVENT_CATEGORIES:
        raise InvalidInput(f"category must be one of {', '.join(EVENT_CATEGORIES)}.")
    return category or None


def _days(start: date | None, end: date | None) -> int | None:
    return None if start is None or end is None else (end - start).days
